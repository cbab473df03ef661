//! The table of an index in sixteen parts, so that several threads can fill it.
//!
//! A part takes the keys whose hash says so, in the order of the rows: which thread fills it, and how many
//! there are, leaves no trace.

#![expect(clippy::cast_possible_truncation, reason = "a part has a number below sixteen")]

use std::{num::NonZeroUsize, thread};

use super::{
    rows::{RowId, Rows},
    table::{Probe, Table},
};
use crate::index::{IndexKey, key::Tags};

/// How many keys are looked up at once, so that their cache misses overlap.
pub(in crate::index) const GROUP: usize = 32;

const COUNT: usize = 16;

/// Says how much room a new table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::index) enum Room {
    /// As much as its keys need.
    Exact,
    /// Half as much again.
    ToGrow,
}

#[derive(Clone, Debug)]
pub(in crate::index) struct Shards {
    tables: Vec<Table>,
}

impl Default for Shards {
    fn default() -> Self {
        Self { tables: vec![Table::with_room(0); COUNT] }
    }
}

/// Returns the part of a hash; its bits are none of the tag's, and too low to matter for the bucket.
#[inline]
fn shard(hash: u64) -> usize {
    (hash >> 8) as usize % COUNT
}

impl Shards {
    /// Makes the table of all rows.
    pub(in crate::index) fn of(rows: &Rows, room: Room, threads: NonZeroUsize) -> Self {
        let mut counts = [0_usize; COUNT];
        for held in rows.ids().flat_map(|id| rows.keys(id)) {
            counts[shard(held.key.hash())] += 1;
        }
        let with_room = |&count: &usize| match room {
            Room::Exact => Table::with_room(count),
            Room::ToGrow => Table::with_room(count * 3 / 2 + 8),
        };
        let mut tables: Vec<Table> = counts.iter().map(with_room).collect();
        let share = COUNT.div_ceil(threads.get());
        if share == COUNT {
            fill(&mut tables, 0, rows);
            return Self { tables };
        }
        thread::scope(|scope| {
            for (part, tables) in tables.chunks_mut(share).enumerate() {
                scope.spawn(move || fill(tables, part * share, rows));
            }
        });
        Self { tables }
    }

    pub(in crate::index) fn has_room(&self, more: usize) -> bool {
        self.tables.iter().all(|table| table.has_room(more))
    }

    pub(in crate::index) fn keys(&self) -> usize {
        self.tables.iter().map(Table::keys).sum()
    }

    pub(in crate::index) fn bytes(&self) -> usize {
        self.tables.iter().map(Table::bytes).sum()
    }

    /// Finds a key's place and asks the processor to fetch it.
    #[inline]
    pub(in crate::index) fn prefetch(&self, key: IndexKey) -> Probe {
        let hash = key.hash();
        let shard = shard(hash);
        let mut probe = self.tables[shard].prefetch(hash);
        probe.shard = shard as u8;
        probe
    }

    #[inline]
    fn table(&self, probe: Probe) -> &Table {
        &self.tables[usize::from(probe.shard)]
    }

    #[inline]
    pub(in crate::index) fn prefetch_row(&self, probe: Probe, rows: &Rows) {
        self.table(probe).prefetch_row(probe, rows);
    }

    #[inline]
    pub(in crate::index) fn get(
        &self,
        probe: Probe,
        key: IndexKey,
        rows: &Rows,
    ) -> Option<&[RowId]> {
        self.table(probe).get(probe, key, rows)
    }

    /// Notes all keys of a person's row; there must be room.
    pub(in crate::index) fn insert_row(&mut self, person: RowId, rows: &Rows) {
        let tags = Tags::of(rows.keys(person).map(|held| held.key.hash()));
        for held in rows.keys(person) {
            let probe = self.prefetch(held.key);
            let ambiguous = tags.is_ambiguous(held.key.hash());
            let table = &mut self.tables[usize::from(probe.shard)];
            table.insert(probe, held.key, person, ambiguous, rows);
        }
    }

    pub(in crate::index) fn remove(&mut self, key: IndexKey, person: RowId, rows: &Rows) {
        self.tables[shard(key.hash())].remove(key, person, rows);
    }

    pub(in crate::index) fn shared<'a>(
        &'a self,
        rows: &'a Rows,
    ) -> impl Iterator<Item = (IndexKey, &'a [RowId])> {
        self.tables.iter().flat_map(|table| table.shared(rows))
    }
}

/// A key on its way into a table.
#[derive(Clone, Copy)]
struct Arrival {
    key: IndexKey,
    person: RowId,
    ambiguous: bool,
    table: usize,
    probe: Probe,
}

/// Fills some of the parts, the first of which is `first`.
fn fill(tables: &mut [Table], first: usize, rows: &Rows) {
    let mut group: Vec<Arrival> = Vec::with_capacity(GROUP);
    let mut held: Vec<(IndexKey, u64)> = Vec::new();
    let settle = |tables: &mut [Table], group: &mut Vec<Arrival>| {
        for Arrival { key, person, ambiguous, table, probe } in group.drain(..) {
            tables[table].insert(probe, key, person, ambiguous, rows);
        }
    };
    for person in rows.ids() {
        held.clear();
        held.extend(rows.keys(person).map(|held| (held.key, held.key.hash())));
        let tags = Tags::of(held.iter().map(|&(_, hash)| hash));
        for &(key, hash) in &held {
            let table = shard(hash).wrapping_sub(first);
            if table >= tables.len() {
                continue;
            }
            let ambiguous = tags.is_ambiguous(hash);
            let probe = tables[table].prefetch(hash);
            group.push(Arrival { key, person, ambiguous, table, probe });
            if group.len() == GROUP {
                settle(tables, &mut group);
            }
        }
    }
    settle(tables, &mut group);
    tables.iter_mut().for_each(Table::shrink);
}
