use crate::{SuiteReport, escape_json};

/// The reason why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The text is not the JSON of a report: see the line and column.
    #[error("not the JSON of a suite report, at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A text cannot be written as XML.
    #[cfg(feature = "junit")]
    #[error("the report cannot be written as JUnit XML")]
    Junit {
        /// What the writer said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<serde_json::Error> for FormatError {
    fn from(source: serde_json::Error) -> Self {
        Self::Json { line: source.line(), column: source.column(), source }
    }
}

/// Writes the report as indented JSON with a final line break; what cannot be seen is escaped ([`escape_json`]).
///
/// ```
/// use guardrails::{Suite, clock::StoppedClock, recovery::InMemoryFacts, format};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let report = Suite::recovery().run(&facts, &StoppedClock);
/// let json = format::json(&report).unwrap();
/// assert_eq!(format::read_json(&json).unwrap(), report);
/// ```
pub fn json(report: &SuiteReport) -> Result<String, FormatError> {
    let mut json = escape_json(&serde_json::to_string_pretty(report)?).into_owned();
    json.push('\n');
    Ok(json)
}

/// Reads what [`json()`] wrote.
pub fn read_json(json: &str) -> Result<SuiteReport, FormatError> {
    Ok(serde_json::from_str(json)?)
}

/// Returns the JSON Schema of what [`json()`] writes (feature `schema`); it is published beside the
/// crate as `schema/suite-report.schema.json`.
#[cfg(feature = "schema")]
pub fn json_schema() -> Result<String, FormatError> {
    let schema = schemars::schema_for!(SuiteReport);
    let mut json = serde_json::to_string_pretty(&schema)?;
    json.push('\n');
    Ok(json)
}
