//! What is wrong with a file, where, and what to do.

/// One problem of a file: where it is, what is wrong, and how to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{file}: line {line}, column {column}: {problem}{}; {remedy}", shown(.value))]
#[non_exhaustive]
pub struct FileProblem {
    /// The name of the file as the caller gave it.
    pub file: Box<str>,
    /// The line, the first being 1.
    pub line: u64,
    /// The column: its name in a table; its number and the field in JSON.
    pub column: Box<str>,
    /// The value that is wrong, cut to 60 characters; blank where nothing is there.
    pub value: Box<str>,
    /// What is wrong.
    pub problem: Box<str>,
    /// What to do about it.
    pub remedy: Box<str>,
}

fn shown(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" (`{value}`)") }
}

impl FileProblem {
    pub(super) fn new(
        (file, line): (&str, u64),
        column: impl Into<String>,
        value: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        const MOST: usize = 60;
        let mut cut: String =
            value.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if value.chars().nth(MOST).is_some() {
            cut.push('…');
        }
        Self {
            file: file.into(),
            line,
            column: column.into().into(),
            value: cut.into(),
            problem: problem.into().into(),
            remedy: remedy.into().into(),
        }
    }
}
