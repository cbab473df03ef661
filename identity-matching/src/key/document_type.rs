//! Which document of which country.

use std::fmt;

use crate::text::Region;

/// Identifies a document type of a country, such as the Peruvian DNI.
///
/// The id is made from the country and the type's code alone, so it is the same in every run, in every
/// table and for types that no table knows. The country lies in it exactly; the code as a 17-bit hash,
/// and a table refuses two codes of one country that collide.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentTypeId(u32);

impl DocumentTypeId {
    const HASH_BITS: u32 = 17;
    /// Set in the type of an organisation's number.
    const ORGANISATION: u32 = 1 << Self::HASH_BITS;
    const COUNTRY_SHIFT: u32 = Self::HASH_BITS + 1;

    /// Makes the id of the type `code` of `country`; letters are compared without case.
    ///
    /// ```
    /// use identity_matching::{DocumentTypeId, Region};
    /// let peru = Region::parse("PE")?;
    /// assert_eq!(DocumentTypeId::new(peru, "DNI"), DocumentTypeId::new(peru, "dni"));
    /// assert_ne!(DocumentTypeId::new(peru, "DNI"), DocumentTypeId::new(peru, "RUC"));
    /// # Ok::<(), identity_matching::UnknownRegion>(())
    /// ```
    #[must_use]
    pub const fn new(country: Region, code: &str) -> Self {
        // FNV-1a, folded to 17 bits: short upper-case codes, checked for collisions by the table.
        let bytes = code.as_bytes();
        let mut hash = 0x811c_9dc5_u32;
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at].to_ascii_uppercase() as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        let folded = ((hash >> Self::HASH_BITS) ^ hash) & ((1 << Self::HASH_BITS) - 1);
        Self((country.index() as u32) << Self::COUNTRY_SHIFT | folded)
    }

    /// Returns the country that issues the document.
    #[must_use]
    pub const fn country(self) -> Region {
        Region::from_index((self.0 >> Self::COUNTRY_SHIFT) as u16)
    }

    /// Returns the id of the same type for numbers of organisations, such as the Peruvian RUC `20…`.
    #[must_use]
    pub const fn of_organisation(self) -> Self {
        Self(self.0 | Self::ORGANISATION)
    }

    /// Tells whether the numbers are those of organisations.
    #[must_use]
    pub const fn is_organisation(self) -> bool {
        self.0 & Self::ORGANISATION != 0
    }

    /// Returns the id of the type for numbers of persons.
    #[must_use]
    pub const fn of_person(self) -> Self {
        Self(self.0 & !Self::ORGANISATION)
    }

    /// Tells whether the type is that of a number whose issuer nobody named, as a passport's without a country.
    pub(crate) const fn is_without_issuer(self) -> bool {
        self.country().index() == Region::NOBODY.index()
    }

    /// Makes the id anew from the bits below a key's scheme.
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits & 0x0fff_ffff)
    }

    /// Returns the hash of the type's code, equal for one code of every country.
    pub(crate) const fn code_hash(self) -> u32 {
        self.0 & ((1 << Self::HASH_BITS) - 1)
    }

    /// Returns the id as an integer below 2²⁸, the same in every run.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for DocumentTypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentTypeId({}#{:x})", self.country(), self.code_hash())
    }
}
