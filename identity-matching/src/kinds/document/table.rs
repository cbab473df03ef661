//! The table of document types: the built-in ones, and those that a user adds.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::number::DocumentNumber;
use super::rule::DocumentRule;
use super::{DocumentReading, spelling};
use crate::key::DocumentTypeId;
use crate::text::Region;

/// One type of document: where it is issued, what it is called, and how its numbers are read.
#[derive(Clone)]
pub struct DocumentType {
    /// Nothing for a type that every country issues.
    country: Option<Region>,
    code: Cow<'static, str>,
    /// The id of a type of one country.
    id: Option<DocumentTypeId>,
    aliases: Vec<Cow<'static, str>>,
    source: Cow<'static, str>,
    rule: Arc<dyn DocumentRule>,
    seconds: Option<Seconds>,
    inference: Inference,
}

/// Gives other readings of a number as it was written, where a check digit that fits by chance is the only proof of the
/// first.
pub(super) type Seconds = fn(&DocumentNumber, &mut dyn FnMut(DocumentNumber, DocumentReading));

/// Tells when a type is tried on a number without a type.
#[derive(Clone, Copy)]
enum Inference {
    Never,
    /// Whenever the rule accepts the number as it is.
    Accepted,
    /// When the number also looks so.
    Like(fn(&DocumentNumber) -> bool),
}

impl DocumentType {
    /// Makes a type of one country, called by `code`, whose numbers `rule` reads.
    #[must_use]
    pub fn new(
        country: Region,
        code: impl Into<Cow<'static, str>>,
        rule: impl DocumentRule + 'static,
    ) -> Self {
        let code = code.into();
        Self {
            country: Some(country),
            id: Some(DocumentTypeId::new(country, &folded_name(&code))),
            code,
            aliases: Vec::new(),
            source: Cow::Borrowed(""),
            rule: Arc::new(rule),
            seconds: None,
            inference: Inference::Never,
        }
    }

    /// Adds another name under which the type is written; letters and digits count, case does not.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<Cow<'static, str>>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// States where the rule is laid down.
    #[must_use]
    pub fn source(mut self, source: impl Into<Cow<'static, str>>) -> Self {
        self.source = source.into();
        self
    }

    /// Has the type tried on numbers without a type.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.inference = Inference::Accepted;
        self
    }

    /// Makes a type that every country issues.
    pub(super) fn of_any_country(code: &'static str, rule: impl DocumentRule + 'static) -> Self {
        Self { country: None, id: None, ..Self::new(ANY, code, rule) }
    }

    /// Sets what gives other readings.
    pub(super) fn with_seconds(mut self, seconds: Seconds) -> Self {
        self.seconds = Some(seconds);
        self
    }

    pub(super) fn seconds(&self) -> Option<Seconds> {
        self.seconds
    }

    pub(super) fn inferred_like(mut self, like: fn(&DocumentNumber) -> bool) -> Self {
        self.inference = Inference::Like(like);
        self
    }

    pub(super) fn aliases(mut self, aliases: &[&'static str]) -> Self {
        self.aliases.extend(aliases.iter().map(|&alias| Cow::Borrowed(alias)));
        self
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the issuing country; nothing for a type that every country issues.
    #[must_use]
    pub fn country(&self) -> Option<Region> {
        self.country
    }

    /// Returns where the rule is laid down.
    #[must_use]
    pub fn stated_in(&self) -> &str {
        &self.source
    }

    /// Returns the id of the type in a country; counts for types of every country.
    pub(super) fn id(&self, country: Region) -> DocumentTypeId {
        self.id.unwrap_or_else(|| DocumentTypeId::new(country, &self.code))
    }

    pub(super) fn rule(&self) -> &dyn DocumentRule {
        &*self.rule
    }

    /// Tells whether a number may be of the type where a field names several; a type without a look of its own always may.
    pub(super) fn may_be(&self, number: &DocumentNumber) -> bool {
        match self.inference {
            Inference::Never | Inference::Accepted => true,
            Inference::Like(like) => like(number),
        }
    }

    pub(super) fn is_tried_on(&self, number: &DocumentNumber) -> bool {
        match self.inference {
            Inference::Never => false,
            Inference::Accepted => true,
            Inference::Like(like) => like(number),
        }
    }
}

impl fmt::Debug for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentType")
            .field("country", &self.country)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// The table of document types that a normaliser understands.
///
/// ```
/// use identity_matching::{DocumentTypes, Region};
/// let types = DocumentTypes::built_in();
/// let peru = Region::parse("PE")?;
/// assert_eq!(types.find(peru, "ruc").map(|found| found.code()), Some("RUC"));
/// assert!(types.find(peru, "library card").is_none());
/// # Ok::<(), identity_matching::UnknownRegion>(())
/// ```
#[derive(Clone)]
pub struct DocumentTypes {
    inner: Arc<Inner>,
}

/// A name of a type: the id that it would have, the name, and the type's place.
type Named = (DocumentTypeId, Box<str>, u16);

#[derive(Clone, Default)]
struct Inner {
    types: Vec<DocumentType>,
    /// Every code and alias, folded, sorted by id.
    names: Vec<Named>,
    /// Where in `names` those of an id begin, plus one: a power of two of slots, at most a quarter of them taken, by
    /// open addressing.
    slots: Vec<u16>,
    /// The same for types of every country, under [`ANY`].
    any: Vec<Named>,
    /// Names that stand for several types, or for one besides its own names.
    groups: Vec<(Region, String, Vec<u16>)>,
    /// Types to try on untyped numbers, in order.
    tried: Vec<(Region, u16)>,
}

impl Inner {
    /// Returns the slot of an id: the one that it has, or the free one that it would have.
    fn slot(&self, id: DocumentTypeId) -> usize {
        let last = self.slots.len().wrapping_sub(1);
        let mut slot = (id.as_u32().wrapping_mul(0x9e37_79b9) >> 12) as usize & last;
        while let Some(at) = self.slots.get(slot).and_then(|at| usize::from(*at).checked_sub(1)) {
            if self.names[at].0 == id {
                break;
            }
            slot = (slot + 1) & last;
        }
        slot
    }
}

/// Stands in the ids of types that every country issues; no country has the code.
pub(super) const ANY: Region = Region::NOBODY;

/// The passport of an issuer that nobody named.
pub(super) const ANY_PASSPORT: DocumentTypeId = DocumentTypeId::new(ANY, "PASSPORT");

impl DocumentTypes {
    /// Makes a table without any type: every number is kept as it is.
    #[must_use]
    pub fn empty() -> Self {
        Self { inner: Arc::default() }
    }

    /// Adds a type, tried on untyped numbers after those already in the table.
    ///
    /// # Errors
    ///
    /// [`DocumentTypeConflict`] when the country has a type of that name or alias.
    pub fn with(mut self, added: DocumentType) -> Result<Self, DocumentTypeConflict> {
        let inner = Arc::make_mut(&mut self.inner);
        let conflict = |name: &str, with: &str| DocumentTypeConflict {
            country: added.country,
            name: name.to_owned(),
            existing: with.to_owned(),
        };
        let at =
            u16::try_from(inner.types.len()).map_err(|_| conflict(&added.code, "the table"))?;
        let names = if added.country.is_some() { &mut inner.names } else { &mut inner.any };
        let written = std::iter::once(&added.code).chain(&added.aliases);
        for (name, folded) in
            written.flat_map(|name| [(name, folded_name(name)), (name, spelling::canonical(name))])
        {
            let id = DocumentTypeId::new(added.country.unwrap_or(ANY), &folded);
            let place = names.partition_point(|&(other, ..)| other < id);
            let mut same = names[place..].iter().take_while(|(other, ..)| *other == id);
            if let Some((.., other)) = same.clone().find(|(.., other)| *other != at) {
                let existing = &inner.types[usize::from(*other)];
                return Err(conflict(name, &existing.code));
            }
            // A type may repeat itself, in its code and an alias.
            if !same.any(|(_, known, _)| **known == *folded) {
                names.insert(place, (id, folded.into(), at));
            }
        }
        if let (Some(country), Inference::Accepted | Inference::Like(_)) =
            (added.country, added.inference)
        {
            inner.tried.push((country, at));
        }
        inner.types.push(added);
        inner.slots = vec![0; (inner.names.len() * 4).next_power_of_two()];
        for (at, &(id, ..)) in (1..).zip(&inner.names) {
            let slot = inner.slot(id);
            if inner.slots[slot] == 0 {
                inner.slots[slot] = at;
            }
        }
        Ok(self)
    }

    /// Adds a name under which a country's types are written: a code of one's own system for one of them, or the name of
    /// a field that takes several, of which the number decides.
    ///
    /// ```
    /// use identity_matching::{DocumentTypes, NormaliseOptions, Normaliser, RawDocument, Record, Region};
    ///
    /// let peru = Region::parse("PE")?;
    /// let types = DocumentTypes::built_in().with_name(peru, "Clase B", &["CE"])?;
    /// let options = NormaliseOptions::for_region(peru).with_document_types(types);
    /// let read = Normaliser::new(options)?.normalise(&Record {
    ///     documents: vec![RawDocument::typed("PE", "clase B", "1234569")],
    ///     ..Record::default()
    /// });
    /// assert_eq!(read.keys()[0].key.text().as_deref(), Some("001234569"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DocumentTypeConflict`] when the country has a type of that name, or none of one of the codes.
    pub fn with_name(
        mut self,
        country: Region,
        name: &str,
        codes: &[&str],
    ) -> Result<Self, DocumentTypeConflict> {
        let folded = spelling::canonical(name);
        let conflict = |with: &str| DocumentTypeConflict {
            country: Some(country),
            name: name.to_owned(),
            existing: with.to_owned(),
        };
        if let Some(existing) = self.find_plain(country, &folded) {
            return Err(conflict(existing.code()));
        }
        let mut kinds = Vec::new();
        for code in codes {
            let found = self.find(country, code).ok_or_else(|| conflict(code))?;
            let at = self.inner.types.iter().position(|kind| std::ptr::eq(kind, found));
            kinds.push(u16::try_from(at.unwrap_or_default()).map_err(|_| conflict(code))?);
        }
        let inner = Arc::make_mut(&mut self.inner);
        inner.groups.retain(|(of, known, _)| *of != country || *known != folded);
        inner.groups.push((country, folded, kinds));
        Ok(self)
    }

    /// Returns the types behind a name that [`spelling::canonical`] folded.
    pub(super) fn group(&self, country: Region, folded: &str) -> Option<Vec<&DocumentType>> {
        if let Some(found) = self.find_plain(country, folded) {
            return Some(vec![found]);
        }
        let mut groups = self.inner.groups.iter();
        let (.., kinds) = groups.find(|(of, name, _)| *of == country && name == folded)?;
        Some(kinds.iter().map(|&at| &self.inner.types[usize::from(at)]).collect())
    }

    /// Finds a type of a country by its code or an alias, whatever case and punctuation.
    #[must_use]
    pub fn find(&self, country: Region, name: &str) -> Option<&DocumentType> {
        if is_plain(name) {
            self.find_plain(country, name)
        } else {
            self.find_plain(country, &folded_name(name))
        }
    }

    fn find_plain(&self, country: Region, name: &str) -> Option<&DocumentType> {
        let inner = &*self.inner;
        // Many names have one hash.
        let same = |names: &[Named], id: DocumentTypeId| {
            let mut same = names.iter().take_while(|(other, ..)| *other == id);
            let (.., at) = same.find(|(_, known, _)| known.eq_ignore_ascii_case(name))?;
            inner.types.get(usize::from(*at))
        };
        let id = DocumentTypeId::new(country, name);
        let own = inner.slots.get(inner.slot(id)).and_then(|at| usize::from(*at).checked_sub(1));
        own.and_then(|at| same(&inner.names[at..], id)).or_else(|| {
            let id = DocumentTypeId::new(ANY, name);
            let at = inner.any.partition_point(|&(other, ..)| other < id);
            same(&inner.any[at..], id)
        })
    }

    /// Tells whether the other is this very table, or a copy that nobody has changed.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Returns the place of one of the types of this table.
    pub(super) fn place(&self, kind: &DocumentType) -> Option<usize> {
        self.iter().position(|known| std::ptr::eq(known, kind))
    }

    pub(super) fn at(&self, place: usize) -> Option<&DocumentType> {
        self.inner.types.get(place)
    }

    /// Lists all types.
    pub fn iter(&self) -> impl Iterator<Item = &DocumentType> {
        self.inner.types.iter()
    }

    /// Returns the code behind an id, for evidence; nothing for a type of no table.
    #[must_use]
    pub fn code(&self, id: DocumentTypeId) -> Option<&str> {
        let fits = |kind: &&DocumentType| {
            let country = kind.country.unwrap_or(id.country());
            country == id.country() && DocumentTypeId::new(country, &kind.code) == id.of_person()
        };
        self.iter().find(fits).map(DocumentType::code)
    }

    /// Lists the types to try on an untyped number of a country.
    pub(super) fn tried(&self, country: Region) -> impl Iterator<Item = &DocumentType> {
        let of_country = move |&&(tried, _): &&(Region, u16)| tried == country;
        self.inner
            .tried
            .iter()
            .filter(of_country)
            .map(|&(_, at)| &self.inner.types[usize::from(at)])
    }
}

impl Default for DocumentTypes {
    fn default() -> Self {
        Self::built_in()
    }
}

impl fmt::Debug for DocumentTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The error where a document type cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the document type `{name}` is in the table already, as or with `{existing}`: choose another code or alias"
)]
#[non_exhaustive]
pub struct DocumentTypeConflict {
    /// Country of the type that was to be added; nothing for every country.
    pub country: Option<Region>,
    /// The code or alias that is taken, or whose 17-bit hash is.
    pub name: String,
    /// Code of the type that has it.
    pub existing: String,
}

/// Tells whether a name is of ASCII letters and digits alone, so that folding changes only its case.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Makes the id of a type that no table knows.
pub(super) fn unknown_id(country: Region, name: &str) -> DocumentTypeId {
    if is_plain(name) {
        DocumentTypeId::new(country, name)
    } else {
        DocumentTypeId::new(country, &folded_name(name))
    }
}

/// Folds a type's name to unaccented capital letters and digits: `Cédula de Identidad` → `CEDULADEIDENTIDAD`.
fn folded_name(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let letters = name.nfkd().filter(char::is_ascii_alphanumeric);
    letters.take(crate::text::LONGEST_VALUE).map(|letter| letter.to_ascii_uppercase()).collect()
}
