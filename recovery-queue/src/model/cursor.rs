//! How far a run has come in each backlog.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// How far a run has come in each backlog.
///
/// Claims go forward only, so a run looks at no lead twice in a pass and reads neither the rows that it has just removed
/// nor, with several workers, those that another of them holds. A store numbers its backlogs as it likes; it takes them
/// [`in_turn`](Self::in_turn), claims what stands behind [`position`](Self::position), and then
/// [`advance`](Self::advance)s.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// Per backlog: the claim order of the last lead claimed.
    positions: BTreeMap<i64, Position>,
    /// How far all workers of the run have claimed, done or not.
    together: SharedCursor,
    /// Whether anything was claimed since the last look from the start, which is a look at everything.
    moved: bool,
    /// The backlog that was served last; the next one is served first.
    served: Option<i64>,
}

/// What the workers of one run know of each other's claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedCursor(Option<Arc<Claimed>>);

#[derive(Debug, Default)]
struct Claimed {
    /// Per backlog: how far they have claimed.
    positions: Mutex<BTreeMap<i64, Position>>,
    /// Held by the one that claims.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    turn: Mutex<()>,
}

impl SharedCursor {
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// Waits for the turn to claim.
    ///
    /// Two claims at once look at the same leads, and the second one waits for what the first has locked. Workers
    /// that wait for one flush of the log claim at once again and again, which cost two of them a tenth of their time.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn turn(&self) -> Option<std::sync::MutexGuard<'_, ()>> {
        self.0.as_ref().map(|all| all.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, body: impl FnOnce(&mut BTreeMap<i64, Position>) -> T) -> Option<T> {
        let all = self.0.as_ref()?;
        Some(body(&mut all.positions.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The place of a pending lead in the order of claims: by priority, then by age, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub(crate) priority: i64,
    pub(crate) lead_at: i64,
    pub(crate) lead_id: i64,
}

impl Position {
    /// The place before every lead.
    pub const START: Self = Self { priority: i64::MIN, lead_at: i64::MIN, lead_id: i64::MIN };

    /// Makes the place of a lead: its priority, its creation time, and the number that a store gave it.
    #[must_use]
    pub fn new(priority: i32, lead_at: DateTime<Utc>, lead_id: i64) -> Self {
        Self { priority: i64::from(priority), lead_at: lead_at.timestamp_micros(), lead_id }
    }
}

impl Cursor {
    /// Makes a cursor that stands before the first lead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the cursor of one worker among several.
    pub(crate) fn beside(together: &SharedCursor) -> Self {
        Self { together: together.clone(), ..Self::default() }
    }

    /// Makes a cursor that claims from the same place and tells nobody how it moves.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn alone(&self) -> Self {
        let mut alone = Self { together: SharedCursor::default(), ..self.clone() };
        let backlogs = self.together.change(|all| all.keys().copied().collect::<Vec<_>>());
        for backlog in backlogs.unwrap_or_default() {
            alone.positions.insert(backlog, self.position(backlog));
        }
        alone
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn together(&self) -> SharedCursor {
        self.together.clone()
    }

    pub(crate) fn at_start(&self) -> bool {
        !self.moved
    }

    /// Goes back to the start: leads that somebody gave back stand there.
    pub(crate) fn rewind(&mut self) {
        self.positions.clear();
        self.together.change(BTreeMap::clear);
        self.moved = false;
    }

    /// Gives the place after which the next claim looks.
    #[must_use]
    pub fn position(&self, backlog: i64) -> Position {
        let own = self.positions.get(&backlog).copied().unwrap_or(Position::START);
        if !self.moved {
            return own;
        }
        let others = self.together.change(|all| all.get(&backlog).copied()).flatten();
        others.map_or(own, |others| own.max(others))
    }

    /// Notes a claim: the backlog and its last lead. Others go on from there, whether or not this batch is committed.
    pub fn advance(&mut self, backlog: i64, last: Position) {
        self.moved = true;
        self.served = Some(backlog);
        self.positions.insert(backlog, last);
        self.together.change(|all| {
            let furthest = all.entry(backlog).or_insert(last);
            *furthest = last.max(*furthest);
        });
    }

    /// Orders backlogs so that the one after the last served comes first.
    #[must_use]
    pub fn in_turn(&self, mut backlogs: Vec<i64>) -> Vec<i64> {
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

    fn at(lead_id: i64) -> Position {
        Position { priority: 0, lead_at: 0, lead_id }
    }

    #[test]
    fn a_worker_goes_on_behind_what_another_holds_and_finds_it_from_the_start() {
        let together = SharedCursor::new();
        let (mut one, mut two) = (Cursor::beside(&together), Cursor::beside(&together));
        one.advance(1, at(10));
        assert_eq!(two.position(1), Position::START, "the first look is at everything");
        two.advance(1, at(5));
        assert_eq!(two.position(1), at(10));
        assert_eq!(one.position(1), at(10));
        assert_eq!(two.position(2), Position::START);
        two.rewind();
        assert!(two.at_start());
        one.advance(1, at(20));
        assert_eq!(two.position(1), Position::START);
        assert_eq!(one.position(1), at(20));
    }

    #[test]
    fn backlogs_are_served_in_turn() {
        let cursor = Cursor { served: Some(2), ..Cursor::default() };
        assert_eq!(cursor.in_turn(vec![1, 2, 3]), [3, 1, 2]);
    }
}
