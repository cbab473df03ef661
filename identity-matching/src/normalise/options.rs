//! What normalising may be told.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::placeholders::Placeholders;
use crate::{
    key::{Field, HashKey, KeyKind, UnusableReason},
    kinds::{IdentifierKind, KindConflict, Kinds, document::DocumentTypes, email::EmailRules},
    text::Region,
    weak::blocking::{PHONE_TAIL_DIGITS, PHONE_TAIL_RANGE},
};

/// The version of how the built-in kinds read a value; it rises whenever one value may give other keys than before.
///
/// What is kept of keys (a saved index, the tables of an index, wake keys) is comparable with records of the same version
/// only, so whoever keeps keys keeps this beside them, and makes them anew where it differs.
pub const READING: u32 = 6;

/// What normalising may be told; the default reads only what says its own country.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NormaliseOptions {
    /// Reads local phones, and documents without a country.
    pub default_region: Option<Region>,
    /// Document types that are understood; by default the built-in ones.
    pub document_types: DocumentTypes,
    /// Providers, throw-away services and roles.
    pub email_rules: EmailRules,
    /// Kinds of a service's own; see [`with_kind`](Self::with_kind).
    pub(crate) kinds: Kinds,
    /// Values that give no key, added to the built-in rules.
    pub placeholders: Placeholders,
    /// How many of a phone's last digits are weak evidence, 6 to 12; all records that are to match need the same.
    pub phone_tail_digits: u8,
    /// Secret of hashed keys; all records that are to match need the same.
    pub hash_key: HashKey,
}

impl Default for NormaliseOptions {
    fn default() -> Self {
        Self {
            default_region: None,
            document_types: DocumentTypes::default(),
            email_rules: EmailRules::default(),
            kinds: Kinds::default(),
            placeholders: Placeholders::default(),
            phone_tail_digits: PHONE_TAIL_DIGITS,
            hash_key: HashKey::default(),
        }
    }
}

impl NormaliseOptions {
    /// Makes the default options with a region to read local values by.
    #[must_use]
    pub fn for_region(region: Region) -> Self {
        Self { default_region: Some(region), ..Self::default() }
    }

    /// Sets the document types that are understood.
    #[must_use]
    pub fn with_document_types(mut self, types: DocumentTypes) -> Self {
        self.document_types = types;
        self
    }

    /// Sets what is known of providers, throw-away services and roles.
    #[must_use]
    pub fn with_email_rules(mut self, rules: EmailRules) -> Self {
        self.email_rules = rules;
        self
    }

    /// Adds a kind of the service's own.
    ///
    /// # Errors
    ///
    /// [`KindConflict`] where its code or one of its columns is taken, or there are too many kinds.
    pub fn with_kind(mut self, kind: impl IdentifierKind + 'static) -> Result<Self, KindConflict> {
        self.kinds.add(Arc::new(kind))?;
        Ok(self)
    }

    /// Lists the service's own kinds, in the order in which they were added.
    pub fn own_kinds(&self) -> impl Iterator<Item = &dyn IdentifierKind> {
        self.kinds.own().iter().map(|kind| &**kind)
    }

    /// Sets the values that give no key.
    #[must_use]
    pub fn with_placeholders(mut self, placeholders: Placeholders) -> Self {
        self.placeholders = placeholders;
        self
    }

    /// Sets the secret of hashed keys.
    #[must_use]
    pub fn with_hash_key(mut self, hash_key: HashKey) -> Self {
        self.hash_key = hash_key;
        self
    }

    /// Returns a hash of all that these options say: records are comparable where those who read them agree in it.
    ///
    /// It covers [`READING`], the version of the built-in rules, and whether the feature `phone-metadata` is there. Of document types it covers codes and countries; the
    /// rules of types of one's own are code, and not seen.
    ///
    /// ```
    /// use identity_matching::{NormaliseOptions, Region};
    /// let peru = NormaliseOptions::for_region(Region::parse("PE")?);
    /// assert_eq!(peru.fingerprint(), peru.clone().fingerprint());
    /// let mut other = peru.clone();
    /// other.phone_tail_digits = 9;
    /// assert_ne!(peru.fingerprint(), other.fingerprint());
    /// # Ok::<(), identity_matching::UnknownRegion>(())
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let types: Vec<_> =
            self.document_types.iter().map(|kind| (kind.code(), kind.country())).collect();
        let own: Vec<_> = self.own_kinds().map(|kind| (kind.code(), kind.version())).collect();
        let said = (
            (READING, cfg!(feature = "phone-metadata")),
            own,
            self.default_region,
            types,
            &self.email_rules,
            &self.placeholders,
            self.phone_tail_digits,
            self.hash_key.as_bytes(),
        );
        let json = serde_json::to_vec(&said).expect("options are plain data");
        let digest = Sha256::digest(&json);
        digest[..16].try_into().expect("sixteen of 32 bytes")
    }
}

/// Reports options by which no value can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A listed placeholder cannot be read as a value of its field, so that it would never be met.
    #[error(
        "placeholder {number} of `{field}` cannot be read: {reason}; write it as a record would, with its country where the options have no region"
    )]
    Placeholder {
        /// The field.
        field: Field,
        /// Its place in the list of the field, from 1.
        number: usize,
        /// Why it cannot be read.
        reason: UnusableReason,
    },
    /// Placeholders are listed for a kind that is not read.
    #[error(
        "placeholders are listed for `{kind}`, which is no kind that is read: write `document`, `phone`, `email`, `name`, `plate`, `birth_date` or the code of a kind of your own"
    )]
    PlaceholderKind {
        /// The kind.
        kind: KeyKind,
    },
    /// The number of a phone's last digits is out of range.
    #[error("{digits} last digits of a phone: use 6 to 12")]
    PhoneTailDigits {
        /// The number that was given.
        digits: u8,
    },
}

impl NormaliseOptions {
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        let digits = self.phone_tail_digits;
        if PHONE_TAIL_RANGE.contains(&digits) {
            Ok(())
        } else {
            Err(OptionsError::PhoneTailDigits { digits })
        }
    }
}
