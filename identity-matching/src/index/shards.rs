//! The table of an index in sixteen parts, so that several threads can fill it.
//!
//! A part takes the keys whose hash says so, in the order of the rows: which thread fills it, and how many
//! there are, leaves no trace.

#![expect(clippy::cast_possible_truncation, reason = "a part has a number below sixteen")]

use std::{num::NonZeroUsize, thread};

use super::{
    IndexKey, PersonId,
    row::Rows,
    table::{Probe, Table},
};

/// How many keys are looked up at once, so that their cache misses overlap.
pub(super) const GROUP: usize = 32;

const COUNT: usize = 16;

/// Says how much room a new table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// As much as its keys need.
    Exact,
    /// Half as much again.
    ToGrow,
}

#[derive(Clone, Debug)]
pub(super) struct Shards {
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
    pub(super) fn of(rows: &Rows, room: Room, threads: NonZeroUsize) -> Self {
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

    pub(super) fn has_room(&self, more: usize) -> bool {
        self.tables.iter().all(|table| table.has_room(more))
    }

    pub(super) fn keys(&self) -> usize {
        self.tables.iter().map(Table::keys).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(Table::bytes).sum()
    }

    /// Finds a key's place and asks the processor to fetch it.
    #[inline]
    pub(super) fn prefetch(&self, key: IndexKey) -> Probe {
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
    pub(super) fn prefetch_row(&self, probe: Probe, rows: &Rows) {
        self.table(probe).prefetch_row(probe, rows);
    }

    #[inline]
    pub(super) fn get(&self, probe: Probe, key: IndexKey, rows: &Rows) -> Option<&[PersonId]> {
        self.table(probe).get(probe, key, rows)
    }

    pub(super) fn insert(&mut self, key: IndexKey, person: PersonId, rows: &Rows) {
        let probe = self.prefetch(key);
        self.tables[usize::from(probe.shard)].insert(probe, key, person, rows);
    }

    pub(super) fn remove(&mut self, key: IndexKey, person: PersonId, rows: &Rows) {
        self.tables[shard(key.hash())].remove(key, person, rows);
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = (IndexKey, &[PersonId])> {
        self.tables.iter().flat_map(Table::shared)
    }
}

/// Fills some of the parts, the first of which is `first`.
fn fill(tables: &mut [Table], first: usize, rows: &Rows) {
    let mut group = [(IndexKey::from_bits(0), PersonId(0), Probe::default(), 0_usize); GROUP];
    let mut filled = 0;
    let flush = |tables: &mut [Table], group: &[(IndexKey, PersonId, Probe, usize)]| {
        for &(key, id, probe, table) in group {
            tables[table].insert(probe, key, id, rows);
        }
    };
    for id in rows.ids() {
        for held in rows.keys(id) {
            let hash = held.key.hash();
            let table = shard(hash).wrapping_sub(first);
            if table >= tables.len() {
                continue;
            }
            group[filled] = (held.key, id, tables[table].prefetch(hash), table);
            filled += 1;
            if filled == GROUP {
                flush(tables, &group);
                filled = 0;
            }
        }
    }
    flush(tables, &group[..filled]);
}
