//! How far a run has come in each backlog.

use std::collections::BTreeMap;

/// Marks how far a run has come in each backlog.
///
/// Claims go forward only, so a run looks at no lead twice in a pass and never wades through the rows that
/// it has just removed.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// Per backlog: the claim order of the last lead claimed.
    pub(crate) positions: BTreeMap<i64, Position>,
    /// The backlog that was served last; the next one is served first.
    pub(crate) served: Option<i64>,
}

/// The place of a pending lead in the claim order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) priority: i64,
    pub(crate) lead_at: i64,
    pub(crate) lead_id: i64,
}

impl Position {
    /// Comes before every lead.
    pub(crate) const START: Self =
        Self { priority: i64::MIN, lead_at: i64::MIN, lead_id: i64::MIN };
}

impl Cursor {
    /// Makes a cursor that stands before the first lead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn at_start(&self) -> bool {
        self.positions.is_empty()
    }

    pub(super) fn rewind(&mut self) {
        self.positions.clear();
    }

    pub(crate) fn position(&self, backlog: i64) -> Position {
        self.positions.get(&backlog).copied().unwrap_or(Position::START)
    }

    /// Orders backlogs so that the one after the last served comes first.
    pub(crate) fn in_turn(&self, mut backlogs: Vec<i64>) -> Vec<i64> {
        backlogs.sort_unstable();
        if let Some(served) = self.served {
            let next = backlogs.partition_point(|&id| id <= served);
            backlogs.rotate_left(next);
        }
        backlogs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlogs_are_served_in_turn() {
        let cursor = Cursor { served: Some(2), ..Cursor::default() };
        assert_eq!(cursor.in_turn(vec![1, 2, 3]), [3, 1, 2]);
    }
}
