//! The kinds that a normaliser reads.

use std::sync::Arc;

use super::IdentifierKind;
use crate::key::KeyKind;

/// The error where a kind cannot be added to those that are there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KindConflict {
    /// Another kind has the code.
    #[error("the kind `{kind}` is there already: give the new one another code")]
    Code {
        /// The code that is taken.
        kind: KeyKind,
    },
    /// Another kind reads the column.
    #[error(
        "the column `{column}` of the kind `{kind}` is read by the kind `{other}` already: name another column"
    )]
    Column {
        /// The kind that was to be added.
        kind: KeyKind,
        /// The column that both claim.
        column: String,
        /// The kind that has it.
        other: KeyKind,
    },
    /// There are as many kinds as one normaliser reads.
    #[error("the kind `{kind}` is one too many: a normaliser reads {KINDS_MAX} kinds")]
    TooMany {
        /// The kind that was to be added.
        kind: KeyKind,
    },
}

/// Most kinds of one normaliser, with the built-in ones.
pub(crate) const KINDS_MAX: usize = 16;

/// Columns of records that are no kind's to claim.
const RECORD_COLUMNS: [(&str, KeyKind); 2] =
    [("document_type", KeyKind::DOCUMENT), ("document_country", KeyKind::DOCUMENT)];

/// The kinds of a service's own, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    own: Vec<Arc<dyn IdentifierKind>>,
}

impl Kinds {
    pub(crate) fn add(&mut self, added: Arc<dyn IdentifierKind>) -> Result<(), KindConflict> {
        let kind = added.code();
        if kind.is_built_in() || self.own.iter().any(|one| one.code() == kind) {
            return Err(KindConflict::Code { kind });
        }
        if self.own.len() + KeyKind::BUILT_IN.len() == KINDS_MAX {
            return Err(KindConflict::TooMany { kind });
        }
        let built_in = KeyKind::BUILT_IN.map(|kind| (kind.to_string(), kind));
        let record = RECORD_COLUMNS.map(|(column, kind)| (column.to_owned(), kind));
        let taken: Vec<(String, KeyKind)> = built_in
            .into_iter()
            .chain(record)
            .chain(self.own.iter().flat_map(|one| {
                let kind = one.code();
                one.columns().into_iter().map(move |column| (column, kind))
            }))
            .collect();
        for column in added.columns() {
            let same = |(other, _): &&(String, KeyKind)| other.eq_ignore_ascii_case(&column);
            if let Some((_, other)) = taken.iter().find(same) {
                return Err(KindConflict::Column { kind, column, other: *other });
            }
        }
        self.own.push(added);
        Ok(())
    }

    pub(crate) fn own(&self) -> &[Arc<dyn IdentifierKind>] {
        &self.own
    }
}
