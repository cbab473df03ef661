//! What a packet asks for, as data: key, capture and context columns, rules and KPI formulas.

mod build;
mod column;
mod draft;
mod labels;
mod validate;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::build::TemplateBuilder;
pub use self::column::{
    Bound, CellType, Choice, Column, Fill, Language, Role, Text, UnknownLanguage,
};
use self::draft::Draft;
pub use self::draft::{KpiRule, RowRule};
pub(crate) use self::labels::Labels;
pub use self::validate::TemplateError;
use crate::formula::Formula;

/// A kind of packet: its columns in order, its rules and the KPIs that it yields.
///
/// A template without KPIs, evidence and periods is one of rows ([`is_of_rows`](Self::is_of_rows)): its packets have as many
/// rows as a service gives them ([`RowPlan`](crate::RowPlan)), told from one another by its key columns.
///
/// A template can only be made by validating one, read from JSON or made with a [`TemplateBuilder`], so that whatever holds a `Template`
/// holds a sound one: names are unique, formulas read captured numbers, and the keys that make a
/// row's identity are there. The shipped ones are
/// [`Template::official_review`] and [`Template::municipal_survey`].
///
/// ```
/// use raw_packets::Template;
///
/// let template = Template::official_review();
/// assert_eq!(template.columns().len(), 18);
/// assert_eq!(template.columns()[6].name, "recurso_presentado_count");
///
/// let error = "{}".parse::<Template>().unwrap_err();
/// assert!(error.to_string().contains("name"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct Template {
    draft: Draft,
}

impl Template {
    /// Returns the template of the official review of sanctions, the default.
    ///
    /// # Panics
    ///
    /// Never: the shipped file is read in the crate's tests.
    #[must_use]
    pub fn official_review() -> Self {
        include_str!("../../templates/official-review.json")
            .parse()
            .expect("the shipped template is valid, as a test proves")
    }

    /// Returns the template of a monthly survey of municipal water services: five measures of which
    /// some may be blank, rules between them, and municipalities known by codes with leading zeros.
    ///
    /// # Panics
    ///
    /// Never: the shipped file is read in the crate's tests.
    #[must_use]
    pub fn municipal_survey() -> Self {
        include_str!("../../templates/municipal-survey.json")
            .parse()
            .expect("the shipped template is valid, as a test proves")
    }

    /// Returns the template's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// Returns the version of the template; it grows when columns change.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.draft.version
    }

    /// Says whether it is a template of rows: without KPIs, evidence and periods.
    #[must_use]
    pub fn is_of_rows(&self) -> bool {
        self.draft.is_of_rows()
    }

    /// Returns the title for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.draft.title
    }

    /// Returns what the person who fills the packet in is told.
    #[must_use]
    pub fn instructions(&self) -> &Text {
        &self.draft.instructions
    }

    /// Returns the first part of every source record id.
    #[must_use]
    pub fn record_prefix(&self) -> &str {
        &self.draft.record_prefix
    }

    /// Returns the id of the system that the source records are filed under by default.
    #[must_use]
    pub fn default_source_id(&self) -> &str {
        &self.draft.default_source_id
    }

    /// Returns the granularity of a packet whose gap names none.
    #[must_use]
    pub fn default_granularity(&self) -> &str {
        &self.draft.default_granularity
    }

    /// Returns the columns in the order in which a packet shows them.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.draft.columns
    }

    /// Returns the position of the column called `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.draft.columns.iter().position(|column| column.name == name)
    }

    /// Returns the position of the first column that is prefilled with `fill`.
    #[must_use]
    pub fn filled_with(&self, fill: &Fill) -> Option<usize> {
        self.draft.columns.iter().position(|column| column.fill.as_ref() == Some(fill))
    }

    /// Returns the name of the column with the date of the evidence.
    #[must_use]
    pub fn evidence_date(&self) -> &str {
        &self.draft.evidence_date
    }

    /// Returns the name of the column with the quoted evidence.
    #[must_use]
    pub fn evidence_quote(&self) -> &str {
        &self.draft.evidence_quote
    }

    /// Returns the rules that tie cells of one row together.
    #[must_use]
    pub fn rules(&self) -> &[RowRule] {
        &self.draft.rules
    }

    /// Returns the KPIs that a raw row yields.
    #[must_use]
    pub fn kpis(&self) -> &[KpiRule] {
        &self.draft.kpis
    }

    /// Writes the template as JSON, as it is read.
    ///
    /// # Panics
    ///
    /// Never: a template holds nothing that JSON has no form for.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a template is plain data")
    }

    /// Returns the template with the formula of `kpi_id` replaced, as a catalogue may define it.
    ///
    /// A KPI that the template does not know is added, with six decimals and no range. The result
    /// is validated anew: the formula may only read captured numbers.
    pub fn with_formula(&self, kpi_id: &str, formula: Formula) -> Result<Self, TemplateError> {
        let mut draft = self.draft.clone();
        match draft.kpis.iter_mut().find(|kpi| kpi.kpi_id == kpi_id) {
            Some(kpi) => kpi.formula = formula,
            None => draft.kpis.push(KpiRule::new(kpi_id, formula)),
        }
        Self::try_from(draft)
    }
}

impl TryFrom<Draft> for Template {
    type Error = TemplateError;

    fn try_from(draft: Draft) -> Result<Self, Self::Error> {
        validate::validate(&draft)?;
        Ok(Self { draft })
    }
}

impl From<Template> for Draft {
    fn from(template: Template) -> Self {
        template.draft
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    /// Reads a template from JSON.
    fn from_str(json: &str) -> Result<Self, Self::Err> {
        let draft: Draft = serde_json::from_str(json).map_err(|error| TemplateError::Json {
            line: error.line(),
            column: error.column(),
            problem: error.to_string(),
        })?;
        Self::try_from(draft)
    }
}
