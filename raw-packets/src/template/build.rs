//! Templates made in code, validated as one that is read.

use rust_decimal::Decimal;

use super::draft::{Draft, KpiRule, RowRule};
use super::{Bound, CellType, Choice, Column, Fill, Role, Template, TemplateError, Text};

/// A builder of templates; what it builds is checked like a template that is read.
///
/// ```
/// use raw_packets::{CellType, Column, Fill, KpiRule, Template, TemplateBuilder, Text};
///
/// let template = TemplateBuilder::new("library-visits", Text::same("Visits to libraries"))
///     .keys("library", "month", "period", "form")
///     .column(Column::capture("visits", CellType::Integer).required().unit("visits").at_least(0, "negative", 70))
///     .evidence("signed_on", "proof", 10)
///     .kpi(KpiRule::new("kpi:visits", "visits".parse()?))
///     .default_granularity("month")
///     .build()?;
/// assert_eq!(template.columns().len(), 7);
/// assert_eq!(template.to_json().parse::<Template>()?, template);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TemplateBuilder {
    draft: Draft,
}

impl TemplateBuilder {
    /// Begins a template; its records are filed under its name until told otherwise.
    pub fn new(name: impl Into<String>, title: Text) -> Self {
        let name = name.into();
        let word = name.replace('-', "_");
        Self {
            draft: Draft {
                name,
                version: 1,
                title,
                instructions: Text::default(),
                record_prefix: word.clone(),
                default_source_id: word,
                default_granularity: "year".to_owned(),
                evidence_date: String::new(),
                evidence_quote: String::new(),
                columns: Vec::new(),
                rules: Vec::new(),
                kpis: Vec::new(),
            },
        }
    }

    /// Begins a template of rows, whose packets have as many rows as a service gives them.
    ///
    /// ```
    /// use raw_packets::{CellType, Column, Role, TemplateBuilder, Text};
    ///
    /// let mut order = Column::capture("order_id", CellType::Text).required();
    /// order.role = Role::Key;
    /// let template = TemplateBuilder::of_rows("order-questions", Text::same("Questions on orders"))
    ///     .column(order)
    ///     .column(Column::capture("answer", CellType::Text).one_of(["keep", "cancel"]))
    ///     .build()?;
    /// assert!(template.is_of_rows());
    /// # Ok::<(), raw_packets::TemplateError>(())
    /// ```
    pub fn of_rows(name: impl Into<String>, title: Text) -> Self {
        let mut begun = Self::new(name, title);
        begun.draft.record_prefix.clear();
        begun.draft.default_source_id.clear();
        begun.draft.default_granularity.clear();
        begun
    }

    /// Sets the version, which grows when columns change.
    pub fn version(mut self, version: u32) -> Self {
        self.draft.version = version;
        self
    }

    /// Tells the person who fills the packet in what to do.
    pub fn instructions(mut self, instructions: Text) -> Self {
        self.draft.instructions = instructions;
        self
    }

    /// Sets the first part of every source record's id.
    pub fn record_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.draft.record_prefix = prefix.into();
        self
    }

    /// Sets the system that the source records are filed under.
    pub fn default_source_id(mut self, id: impl Into<String>) -> Self {
        self.draft.default_source_id = id.into();
        self
    }

    /// Sets the granularity of a packet whose gap names none; `year` until told otherwise.
    pub fn default_granularity(mut self, granularity: impl Into<String>) -> Self {
        self.draft.default_granularity = granularity.into();
        self
    }

    /// Adds the four key columns that every template has: source, period, granularity and source record.
    pub fn keys(self, source: &str, period: &str, granularity: &str, record: &str) -> Self {
        self.column(Column::key(source, CellType::Text, Fill::Source))
            .column(Column::key(period, CellType::Date, Fill::PeriodDate))
            .column(Column::key(granularity, CellType::Text, Fill::PeriodGranularity))
            .column(Column::key(record, CellType::Text, Fill::SourceRecordId))
    }

    /// Adds the two columns of the evidence: its date, and a quotation of at least so many letters.
    pub fn evidence(mut self, date: &str, quote: &str, least: usize) -> Self {
        date.clone_into(&mut self.draft.evidence_date);
        quote.clone_into(&mut self.draft.evidence_quote);
        let mut quotation = Column::capture(quote, CellType::Text).required();
        quotation.min_length = Some(least);
        self.column(Column::capture(date, CellType::Date).required()).column(quotation)
    }

    /// Adds a column behind the others.
    pub fn column(mut self, column: Column) -> Self {
        self.draft.columns.push(column);
        self
    }

    /// Adds a rule that ties cells together.
    pub fn rule(mut self, rule: RowRule) -> Self {
        self.draft.rules.push(rule);
        self
    }

    /// Adds a KPI that a filled row yields.
    pub fn kpi(mut self, kpi: KpiRule) -> Self {
        self.draft.kpis.push(kpi);
        self
    }

    /// Validates the template.
    ///
    /// # Errors
    ///
    /// What makes it unsound, as of one that is read.
    pub fn build(self) -> Result<Template, TemplateError> {
        Template::try_from(self.draft)
    }
}

impl Column {
    fn new(name: &str, role: Role, cell_type: CellType, fill: Option<Fill>) -> Self {
        Self {
            name: name.to_owned(),
            role,
            cell_type,
            title: Text::default(),
            fill,
            required: role == Role::Key,
            unit: None,
            min_length: None,
            minimum: None,
            maximum: None,
            one_of: Vec::new(),
        }
    }

    /// Makes a column that identifies the row and has to come back as issued.
    #[must_use]
    pub fn key(name: &str, cell_type: CellType, fill: Fill) -> Self {
        Self::new(name, Role::Key, cell_type, Some(fill))
    }

    /// Makes a column that a person fills in.
    #[must_use]
    pub fn capture(name: &str, cell_type: CellType) -> Self {
        Self::new(name, Role::Capture, cell_type, None)
    }

    /// Makes a column that is shown to the person.
    #[must_use]
    pub fn context(name: &str, fill: Fill) -> Self {
        Self::new(name, Role::Context, CellType::Text, Some(fill))
    }

    /// Asks for the cell to be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Says what the column is called for people.
    #[must_use]
    pub fn titled(mut self, title: Text) -> Self {
        self.title = title;
        self
    }

    /// Sets the unit of a number.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<Text>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Sets the smallest number, and the reason and priority of one that is smaller.
    #[must_use]
    pub fn at_least(mut self, limit: impl Into<Decimal>, reason: &str, priority: u8) -> Self {
        let reason = reason.to_owned();
        self.minimum = Some(Bound { limit: limit.into(), exclusive: false, reason, priority });
        self
    }

    /// Sets the largest number, and the reason and priority of one that is larger.
    #[must_use]
    pub fn at_most(mut self, limit: impl Into<Decimal>, reason: &str, priority: u8) -> Self {
        let reason = reason.to_owned();
        self.maximum = Some(Bound { limit: limit.into(), exclusive: false, reason, priority });
        self
    }

    /// Allows these texts alone, each with what it is called in each language where that differs ([`Choice`]).
    #[must_use]
    pub fn one_of<T: Into<Choice>>(mut self, allowed: impl IntoIterator<Item = T>) -> Self {
        self.one_of = allowed.into_iter().map(Into::into).collect();
        self
    }
}

impl KpiRule {
    /// Makes the rule of a KPI with six decimals and no range.
    #[must_use]
    pub fn new(kpi_id: impl Into<String>, formula: crate::formula::Formula) -> Self {
        Self { kpi_id: kpi_id.into(), formula, minimum: None, maximum: None, decimals: 6 }
    }
}

impl Text {
    /// Makes a text that is the same in every language.
    #[must_use]
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en: text.clone(), es: text }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::same(text)
    }
}
