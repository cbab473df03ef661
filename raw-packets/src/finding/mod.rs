//! What is wrong or odd with a returned packet, to the cell, and what to do about it.
//!
//! A [`Problem`] holds the facts of one cause; from it alone follow the code, the reason, the severity and
//! the sentences of a [`Finding`]. Each [`Code`] has a page of documentation.

mod code;
mod english;
mod problem;
mod reason;
mod spanish;
mod status;

use std::fmt;

use serde::Serialize;

pub use self::code::{Code, Severity};
pub(crate) use self::problem::{KpiFault, Problem, Whose, shortened};
pub use self::reason::Reason;
pub use self::status::PacketStatus;
use crate::template::Language;

/// One thing that is wrong, or odd, in a returned packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The file, as it was returned or, where it is missing, as it was issued.
    pub file: String,
    /// The row as a spreadsheet counts, the header being row 1.
    pub row: Option<u64>,
    /// The column's label.
    pub column: Option<String>,
    /// The cell as a spreadsheet names it, such as `G2`.
    pub cell: Option<String>,
    /// The value found, cut to 80 characters.
    pub value: Option<String>,
    /// Why the packet is refused, or what is noted.
    pub reason: Reason,
    /// The cause by name.
    pub code: Code,
    /// Whether the packet can be loaded all the same.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The value that the cell must have meant, where there is only one; it is offered, never
    /// applied silently.
    pub repair: Option<String>,
    /// The language of the message and the remedy.
    #[serde(skip)]
    pub language: Language,
}

/// How much of a value a finding shows, in characters.
const SHOWN: usize = 80;

impl Finding {
    pub(crate) fn new(language: Language, problem: &Problem<'_>) -> Self {
        let (message, remedy) = match language {
            Language::En => english::tell(problem),
            Language::Es => spanish::tell(problem),
        };
        let (code, reason) = (problem.code(), problem.reason());
        Self {
            file: String::new(),
            row: None,
            column: None,
            cell: None,
            value: None,
            reason,
            code,
            severity: code.severity(),
            message,
            remedy,
            repair: None,
            language,
        }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    pub(crate) fn with_value(mut self, value: &str) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        self.value = Some(shown);
        self
    }

    pub(crate) fn with_repair(mut self, repair: Option<String>) -> Self {
        self.repair = repair;
        self
    }

    /// Says whether the finding keeps the packet from being loaded.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [row_word, column_word, cell_word, only] = match self.language {
            Language::En => ["row", "column", "cell", "it can only mean"],
            Language::Es => ["fila", "columna", "celda", "solo puede ser"],
        };
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ", {row_word} {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", {column_word} `{column}`")?;
        }
        if let Some(cell) = &self.cell {
            write!(f, " ({cell_word} {cell})")?;
        }
        write!(f, ": {}: {}", self.reason, self.message)?;
        if let Some(value) = &self.value {
            write!(f, ": `{value}`")?;
        }
        write!(f, "; {}", self.remedy)?;
        if let Some(repair) = &self.repair {
            write!(f, " ({only} `{repair}`)")?;
        }
        Ok(())
    }
}
