//! Regions: the two-letter country codes that phones and documents are read by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Every code that [`Region::parse`] knows: ISO 3166-1 alpha-2, and the three exceptionally reserved or
/// user-assigned codes with an own numbering plan (Ascension, Tristan da Cunha, Kosovo).
const CODES: &str = "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT \
TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Which pairs of letters are codes, by [`Region::index`].
static KNOWN: [bool; 676] = {
    let codes = CODES.as_bytes();
    let mut known = [false; 676];
    let mut at = 0;
    while at < codes.len() {
        known[Region([codes[at], codes[at + 1]]).index() as usize] = true;
        at += 3;
    }
    known
};

/// A country or territory, by its two-letter code.
///
/// ```
/// use identity_matching::Region;
/// let peru: Region = "pe".parse()?;
/// assert_eq!(peru.as_str(), "PE");
/// assert!(Region::parse("XX").is_err());
/// # Ok::<(), identity_matching::UnknownRegion>(())
/// ```
///
/// Source of the codes: ISO 3166-1 alpha-2, plus `AC`, `TA` and `XK`, which have numbering plans.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region([u8; 2]);

impl Region {
    /// Reads a two-letter code, in either case and with blanks around it.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] when no such code is assigned.
    pub fn parse(code: &str) -> Result<Self, UnknownRegion> {
        let unknown = || UnknownRegion { code: code.chars().take(12).collect() };
        // Mostly there is no blank to trim.
        let letters = if code.len() == 2 { code } else { code.trim() };
        let &[first, second] = letters.as_bytes() else { return Err(unknown()) };
        let region = Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]);
        let letters = region.0.iter().all(u8::is_ascii_uppercase);
        if letters && KNOWN[usize::from(region.index())] { Ok(region) } else { Err(unknown()) }
    }

    /// Finds a region by its two or three letters, its number or its name in English, Spanish or Portuguese.
    ///
    /// ```
    /// use identity_matching::Region;
    /// for name in ["PE", "per", "604", "Perú", "República del Perú", "Peru (PE)"] {
    ///     assert_eq!(Region::from_name(name).map(|found| found.to_string()).as_deref(), Some("PE"), "{name}");
    /// }
    /// assert_eq!(Region::from_name("Atlantis"), None);
    /// ```
    ///
    /// Source: ISO 3166-1; names of the Unicode CLDR.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Ok(region) = Self::parse(name) {
            return Some(region);
        }
        if name.len() > super::LONGEST_VALUE {
            return None;
        }
        let folded = folded(name);
        let found = |wanted: &str| {
            let mut lines = super::region_names::NAMES.lines();
            let line = lines.find(|line| {
                let mut words = line.split(' ');
                words.next();
                words.any(|word| word == wanted)
            })?;
            Self::parse(line.get(..2)?).ok()
        };
        if wanted_is_number(&folded) {
            return found(&format!("{folded:0>3}"));
        }
        let whole = ["REPUBLICA", "REPUBLICADE", "REPUBLICADEL", "REPUBLICOF"]
            .iter()
            .filter_map(|title| folded.strip_prefix(title))
            .chain([folded.as_str()])
            .find_map(found);
        // `Peru (PE)`, `PE - Perú`.
        whole.or_else(|| {
            let mut parts = name.split(['(', ')', '-', '/', ',', '|']).map(str::trim);
            let parts = parts.by_ref().filter(|part| !part.is_empty() && *part != name.trim());
            parts.map(Self::from_name).find_map(|part| part)
        })
    }

    /// Stands where a type of documents is every country's; no country has the code.
    pub(crate) const NOBODY: Self = Self::known(*b"ZZ");

    /// Makes a region from a code known at compile time.
    pub(crate) const fn known(code: [u8; 2]) -> Self {
        assert!(code[0].is_ascii_uppercase() && code[1].is_ascii_uppercase());
        Self(code)
    }

    /// Returns the code in capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the code as a number below 676.
    pub(crate) const fn index(self) -> u16 {
        (self.0[0] - b'A') as u16 * 26 + (self.0[1] - b'A') as u16
    }

    /// Makes a region from what [`Region::index`] gave.
    pub(crate) const fn from_index(index: u16) -> Self {
        Self([b'A' + (index / 26 % 26) as u8, b'A' + (index % 26) as u8])
    }
}

/// Folds a name to unaccented capital letters and digits.
fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.nfkd()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

fn wanted_is_number(folded: &str) -> bool {
    (1..=3).contains(&folded.len()) && folded.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(code: &str) -> Result<Self, UnknownRegion> {
        Self::parse(code)
    }
}

impl TryFrom<String> for Region {
    type Error = UnknownRegion;

    fn try_from(code: String) -> Result<Self, UnknownRegion> {
        Self::parse(&code)
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.as_str().to_owned()
    }
}

/// The error where a region code is not assigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown region `{code}`: give an ISO 3166-1 alpha-2 code such as PE, ES or MX")]
#[non_exhaustive]
pub struct UnknownRegion {
    /// What was given, cut after twelve characters.
    pub code: String,
}
