//! The table of document types: the built-in ones, and those that a user adds.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::number::DocumentNumber;
use super::rule::DocumentRule;
use super::{argentina, brazil, chile, colombia, ecuador, mexico, passport, peru, spain};
use crate::key::DocumentTypeId;
use crate::text::Region;

/// Is one type of document: where it is issued, what it is called, and how its numbers are read.
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
    inference: Inference,
}

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

    fn inferred_like(mut self, like: fn(&DocumentNumber) -> bool) -> Self {
        self.inference = Inference::Like(like);
        self
    }

    fn aliases(mut self, aliases: &[&'static str]) -> Self {
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

/// Is the table of document types that a normaliser understands.
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

#[derive(Clone, Default)]
struct Inner {
    types: Vec<DocumentType>,
    /// Every code and alias, sorted by id.
    names: Vec<(DocumentTypeId, u16)>,
    /// Where in `names` the names of each country begin, by [`Region::index`]; empty without any.
    countries: Vec<u16>,
    /// The same for types of every country, under [`ANY`].
    any: Vec<(DocumentTypeId, u16)>,
    /// Types to try on untyped numbers, in order.
    tried: Vec<(Region, u16)>,
}

/// Stands in the ids of types that every country issues; no country has the code.
const ANY: Region = Region::known(*b"ZZ");

static BUILT_IN: LazyLock<DocumentTypes> = LazyLock::new(|| {
    built_in().into_iter().fold(DocumentTypes::empty(), |table, kind| {
        table.with(kind).expect("a test adds every built-in type")
    })
});

impl DocumentTypes {
    /// Makes a table without any type: every number is kept as it is.
    #[must_use]
    pub fn empty() -> Self {
        Self { inner: Arc::default() }
    }

    /// Returns the table of all types that this crate knows.
    #[must_use]
    pub fn built_in() -> Self {
        BUILT_IN.clone()
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
        for name in std::iter::once(&added.code).chain(&added.aliases) {
            let id = DocumentTypeId::new(added.country.unwrap_or(ANY), &folded_name(name));
            match names.binary_search_by_key(&id, |&(id, _)| id) {
                // A type may repeat itself, in its code and an alias.
                Ok(found) if names[found].1 == at => {}
                Ok(found) => {
                    let existing = &inner.types[usize::from(names[found].1)];
                    return Err(conflict(name, &existing.code));
                }
                Err(place) => names.insert(place, (id, at)),
            }
        }
        if let (Some(country), Inference::Accepted | Inference::Like(_)) =
            (added.country, added.inference)
        {
            inner.tried.push((country, at));
        }
        inner.types.push(added);
        let before =
            |country: u16| inner.names.partition_point(|&(id, _)| id.country().index() < country);
        inner.countries = (0..=677)
            .map(|country| u16::try_from(before(country)).expect("each type has a few names"))
            .collect();
        Ok(self)
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
        let look = |names: &[(DocumentTypeId, u16)], country: Region| {
            let id = DocumentTypeId::new(country, name);
            let found = names.binary_search_by_key(&id, |&(id, _)| id).ok()?;
            Some(&inner.types[usize::from(names[found].1)])
        };
        // Ids begin with the country, so a country's names lie together.
        let index = usize::from(country.index());
        let own = match inner.countries.get(index..index + 2) {
            Some(&[start, end]) => &inner.names[usize::from(start)..usize::from(end)],
            _ => &[],
        };
        look(own, country).or_else(|| look(&inner.any, ANY))
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
            country == id.country() && DocumentTypeId::new(country, &kind.code) == id
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

/// Says that a document type cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the document type `{name}` is in the table already, as or with `{existing}`: choose another code or alias"
)]
#[non_exhaustive]
pub struct DocumentTypeConflict {
    /// Country of the type that was to be added; nothing for every country.
    pub country: Option<Region>,
    /// The code or alias that is taken, or whose 18-bit hash is.
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

fn built_in() -> Vec<DocumentType> {
    let region = |code: &[u8; 2]| Region::known(*code);
    let (pe, es, co, cl) = (region(b"PE"), region(b"ES"), region(b"CO"), region(b"CL"));
    let (ar, br, mx, ec) = (region(b"AR"), region(b"BR"), region(b"MX"), region(b"EC"));
    let passport = DocumentType {
        country: None,
        id: None,
        ..DocumentType::new(ANY, "PASSPORT", passport::passport)
            .aliases(&["PASAPORTE", "PASSAPORTE", "PASS", "PAS", "PSP", "PPT"])
            .source("ICAO Doc 9303, part 4")
    };
    vec![
        DocumentType::new(pe, "RUC", peru::ruc)
            .aliases(&["REGISTROUNICODECONTRIBUYENTES"])
            .source("SUNAT, Decreto Legislativo 943 and Resolución 210-2004/SUNAT")
            .inferred(),
        DocumentType::new(pe, "DNI", peru::dni)
            .aliases(&["CUI", "LE", "DOCUMENTONACIONALDEIDENTIDAD"])
            .source("RENIEC, Ley 26497; verification character as printed on the card")
            .inferred_like(|number| number.len() >= 8),
        DocumentType::new(pe, "CE", peru::foreigner_card)
            .aliases(&["CARNETEXTRANJERIA", "CARNEDEEXTRANJERIA", "CARNETDEEXTRANJERIA", "CEX"])
            .source("Superintendencia Nacional de Migraciones, Decreto Legislativo 1350")
            .inferred_like(peru::infers_foreigner_card),
        DocumentType::new(es, "DNI", spain::dni)
            .aliases(&["DOCUMENTONACIONALDEIDENTIDAD"])
            .source("Real Decreto 1553/2005, article 11")
            .inferred_like(|number| number.len() >= 8),
        DocumentType::new(es, "NIE", spain::nie)
            .aliases(&["NUMERODEIDENTIDADDEEXTRANJERO", "TIE"])
            .source("Real Decreto 557/2011, article 206; Orden INT/2058/2008")
            .inferred(),
        DocumentType::new(es, "CIF", spain::cif).source("Orden EHA/451/2008").inferred(),
        DocumentType::new(es, "NIF", spain::nif)
            .aliases(&["NUMERODEIDENTIFICACIONFISCAL", "VAT"])
            .source("Real Decreto 1065/2007, articles 19 to 22; Orden EHA/451/2008")
            .inferred(),
        DocumentType::new(co, "CC", colombia::cedula)
            .aliases(&["CEDULA", "CEDULADECIUDADANIA", "CEDULACIUDADANIA", "NUIP"])
            .source("Registraduría Nacional del Estado Civil, Resolución 3571 de 2003")
            .inferred_like(colombia::infers_cedula),
        DocumentType::new(co, "NIT", colombia::nit)
            .aliases(&["RUT", "NUMERODEIDENTIFICACIONTRIBUTARIA"])
            .source("DIAN, Orden Administrativa 4 de 1989")
            .inferred(),
        DocumentType::new(cl, "RUT", chile::rut)
            .aliases(&["RUN", "CI", "CEDULA", "CEDULADEIDENTIDAD", "ROLUNICOTRIBUTARIO"])
            .source("Servicio de Impuestos Internos, DFL 3 de 1969; Registro Civil, DS 18 de 1973")
            .inferred(),
        DocumentType::new(ar, "CUIT", argentina::cuit)
            .aliases(&["CUIL", "CDI"])
            .source("AFIP, Resolución General 10/1997; ANSES, Ley 24.013 for the CUIL")
            .inferred(),
        DocumentType::new(ar, "DNI", argentina::dni)
            .aliases(&["DOCUMENTONACIONALDEIDENTIDAD", "DU"])
            .source("RENAPER, Ley 17.671")
            .inferred_like(argentina::infers_dni),
        DocumentType::new(br, "CPF", brazil::cpf)
            .aliases(&["CADASTRODEPESSOASFISICAS", "CIC"])
            .source("Receita Federal, Instrução Normativa RFB 2.172/2024")
            .inferred_like(|number| number.len() == 11),
        DocumentType::new(br, "CNPJ", brazil::cnpj)
            .aliases(&["CADASTRONACIONALDAPESSOAJURIDICA"])
            .source("Receita Federal, Instrução Normativa RFB 2.229/2024")
            .inferred_like(|number| number.len() == 14),
        DocumentType::new(mx, "CURP", mexico::curp)
            .aliases(&["CLAVEUNICADEREGISTRODEPOBLACION"])
            .source("RENAPO, Instructivo normativo para la asignación de la CURP, DOF 18-10-2021")
            .inferred(),
        DocumentType::new(mx, "RFC", mexico::rfc)
            .aliases(&["REGISTROFEDERALDECONTRIBUYENTES"])
            .source("SAT, Código Fiscal de la Federación, article 27, and its check-digit annex")
            .inferred(),
        DocumentType::new(ec, "RUC", ecuador::ruc)
            .aliases(&["REGISTROUNICODECONTRIBUYENTES"])
            .source("SRI, Reglamento a la Ley del RUC, articles 4 to 7")
            .inferred_like(|number| number.len() == 13),
        DocumentType::new(ec, "CI", ecuador::cedula)
            .aliases(&["CEDULA", "CEDULADEIDENTIDAD", "CEDULADECIUDADANIA", "CC", "DNI"])
            .source("Registro Civil, Ley Orgánica de Gestión de la Identidad, article 93")
            .inferred_like(|number| number.len() == 10),
        passport,
    ]
}
