//! One column of a template: its part in the packet, its type and its constraints.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One column of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The label in the header, unique in the template.
    pub name: String,
    /// Who writes the column.
    pub role: Role,
    /// The type of a cell.
    #[serde(rename = "type")]
    pub cell_type: CellType,
    /// What the column is called for people.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// What the column is prefilled with; `None` leaves it blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
    /// Whether a returned cell must not be blank.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The unit of a number, such as `days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// The smallest number of characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<usize>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Bound>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Bound>,
    /// The only texts allowed; empty allows any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Choice>,
}

impl Column {
    /// Finds the choice that a text means: its value, or what it is called in any language.
    #[must_use]
    pub fn choice(&self, text: &str) -> Option<&Choice> {
        self.one_of.iter().find(|choice| choice.words().contains(&text))
    }
}

/// One text that a column allows, with its name in each language.
///
/// A workbook offers it as it is called in its language. A returned cell may hold the value or what it is called in any
/// language; an answer always gives the value. In JSON it is a text, or a `value` with a `label` by language.
///
/// ```
/// use raw_packets::Choice;
///
/// let choice: Choice =
///     serde_json::from_str(r#"{ "value": "later", "label": { "en": "later", "es": "más tarde" } }"#)?;
/// assert_eq!(choice.label.es, "más tarde");
/// assert_eq!(serde_json::from_str::<Choice>("\"later\"")?, Choice::from("later"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenChoice", into = "WrittenChoice")]
pub struct Choice {
    /// What an answer gives.
    pub value: String,
    /// What it is called for people.
    pub label: Text,
}

/// How a choice is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenChoice {
    Same(String),
    Labelled(LabelledChoice),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledChoice {
    value: String,
    label: Text,
}

impl Choice {
    /// Makes a choice with what it is called for people.
    #[must_use]
    pub fn new(value: impl Into<String>, label: Text) -> Self {
        Self { value: value.into(), label }
    }

    /// Lists the texts that mean it.
    pub(crate) fn words(&self) -> [&str; 3] {
        [&self.value, &self.label.en, &self.label.es]
    }
}

impl From<&str> for Choice {
    /// Makes a choice that is called what it is in every language.
    fn from(value: &str) -> Self {
        Self::new(value, Text::same(value))
    }
}

impl From<WrittenChoice> for Choice {
    fn from(written: WrittenChoice) -> Self {
        match written {
            WrittenChoice::Same(value) => value.as_str().into(),
            WrittenChoice::Labelled(LabelledChoice { value, label }) => Self { value, label },
        }
    }
}

impl From<Choice> for WrittenChoice {
    fn from(Choice { value, label }: Choice) -> Self {
        if label.en == value && label.es == value {
            return Self::Same(value);
        }
        Self::Labelled(LabelledChoice { value, label })
    }
}

/// The role of a column: who writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Part of the row's identity: issued, and it must come back unchanged.
    Key,
    /// Written, or corrected, by the person who fills the packet in.
    Capture,
    /// Shown to that person; a change is noted and ignored.
    Context,
}

/// The type of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellType {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// An exact decimal number.
    Decimal,
    /// A day, written `YYYY-MM-DD`.
    Date,
    /// An address that starts with `https://` or `http://`.
    Url,
}

impl CellType {
    /// Says whether the cell holds a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal)
    }
}

/// The value that a column is prefilled with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fill {
    /// The id of the source in the catalogue.
    Source,
    /// The date that stands for the period, such as 2025-12-31; blank for all time.
    PeriodDate,
    /// The period's granularity.
    PeriodGranularity,
    /// Where the source publishes.
    SourceUrl,
    /// The id of the system that the source records are filed under.
    DefaultSourceId,
    /// The id of the source record: prefix, source, period and granularity.
    SourceRecordId,
    /// The source's name for people.
    SourceLabel,
    /// The body that publishes.
    Organismo,
    /// The raw metrics that the source is expected to publish, joined by commas.
    ExpectedMetrics,
    /// The KPIs expected of the source, joined by commas.
    KpisExpected,
    /// How many of those KPIs have a value already.
    KpisCoveredTotal,
    /// How many values are held for the source.
    MetricRowsTotal,
    /// The same text in every packet.
    Constant(String),
}

impl Fill {
    /// Says whether the fill counts what is held, which changes from issue to issue.
    pub(crate) const fn is_counter(&self) -> bool {
        matches!(self, Self::KpisCoveredTotal | Self::MetricRowsTotal)
    }
}

/// A bound of a number, with the reason that is given for a number beyond it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The bound itself.
    pub limit: Decimal,
    /// Whether the bound itself is out of bounds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// The reason in reports, in lower snake case.
    pub reason: String,
    /// The reason's priority in the fix queue.
    pub priority: u8,
}

/// A text for people in the languages that packets speak.
///
/// In JSON it is an object by language, or one text that is the same in all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "WrittenText")]
pub struct Text {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

/// How a text is written in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenText {
    Same(String),
    ByLanguage(ByLanguage),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByLanguage {
    en: String,
    es: String,
}

impl From<WrittenText> for Text {
    fn from(written: WrittenText) -> Self {
        match written {
            WrittenText::Same(text) => Self { en: text.clone(), es: text },
            WrittenText::ByLanguage(ByLanguage { en, es }) => Self { en, es },
        }
    }
}

/// The language of the texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// The error for a word that names no language that packets speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no language of packets; use en or es")]
pub struct UnknownLanguage {
    /// The word as given.
    pub word: String,
}

impl std::str::FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads `en` and `es`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "en" => Ok(Self::En),
            "es" => Ok(Self::Es),
            _ => Err(UnknownLanguage { word: word.to_owned() }),
        }
    }
}

impl Text {
    /// Returns the text in a language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Es => &self.es,
        }
    }

    /// Says whether there is no text in any language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.en.is_empty() && self.es.is_empty()
    }
}
