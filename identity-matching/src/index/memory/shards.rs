//! The table of an index in sixteen parts, so that several threads can fill it.
//!
//! A part takes the keys whose hash says so, in the order of the rows: which thread fills it, and how many
//! there are, leaves no trace.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part has a number below sixteen, and an estimate is positive and bounded"
)]

use std::{num::NonZeroUsize, thread};

use super::{
    rows::{RowId, Rows},
    table::{Probe, Table},
};
use crate::index::{IndexKey, key::Tags};

/// How many keys are looked up at once, so that their cache misses overlap.
pub(in crate::index) const GROUP: usize = 32;

const COUNT: usize = 16;

/// How much room a new table has.
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
        // A row has fewer keys than words.
        let mut counts = [(); COUNT].map(|()| Distinct::of_at_most(rows.words() / COUNT));
        for held in rows.ids().flat_map(|id| rows.keys(id)) {
            let hash = held.key.hash();
            counts[shard(hash)].add(hash);
        }
        let held = counts.each_ref().map(|counted| counted.added);
        let room = match room {
            Room::Exact => counts.map(|counted| counted.estimate()),
            Room::ToGrow => held.map(|count| count * 3 / 2 + 8),
        };
        // An estimate that was too small is found out, and all keys have room then.
        Self::filled(rows, room, threads)
            .or_else(|| Self::filled(rows, held, threads))
            .unwrap_or_default()
    }

    /// Makes tables with so much room and fills them; nothing where it was too little.
    fn filled(rows: &Rows, room: [usize; COUNT], threads: NonZeroUsize) -> Option<Self> {
        let mut tables: Vec<Table> = room.into_iter().map(Table::with_room).collect();
        let share = COUNT.div_ceil(threads.get());
        let whole = if share == COUNT {
            fill(&mut tables, 0, rows)
        } else {
            thread::scope(|scope| {
                let parts = tables.chunks_mut(share).enumerate();
                let running: Vec<_> = parts
                    .map(|(part, tables)| scope.spawn(move || fill(tables, part * share, rows)))
                    .collect();
                running.into_iter().map(thread::ScopedJoinHandle::join).fold(
                    true,
                    |whole, ended| match ended {
                        Ok(filled) => whole && filled,
                        Err(panic) => std::panic::resume_unwind(panic),
                    },
                )
            })
        };
        whole.then_some(Self { tables })
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

/// Estimates how many different hashes there are among many, by which of so many bits they hit (Whang, Vander-Zanden and
/// Taylor, "A linear-time probabilistic counting algorithm for database applications", 1990).
struct Distinct {
    bits: Vec<u64>,
    added: usize,
}

impl Distinct {
    fn of_at_most(hashes: usize) -> Self {
        Self { bits: vec![0; hashes / 64 + 1], added: 0 }
    }

    fn add(&mut self, hash: u64) {
        // Mixed anew: a table places it by some of its bits, and the others are not even enough.
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let place = ((u128::from(mixed) * (self.bits.len() * 64) as u128) >> 64) as usize;
        self.bits[place / 64] |= 1 << (place % 64);
        self.added += 1;
    }

    /// Returns a number that is hardly ever too small, and no greater than that of all hashes.
    fn estimate(&self) -> usize {
        let bits = (self.bits.len() * 64) as f64;
        let free = self.bits.iter().map(|word| word.count_zeros() as usize).sum::<usize>();
        if free == 0 {
            return self.added;
        }
        let estimated = -bits * (free as f64 / bits).ln();
        let spread = (bits * ((estimated / bits).exp() - estimated / bits - 1.0)).sqrt();
        ((estimated + 4.0 * spread).ceil().max(1.0) as usize).min(self.added)
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

/// Fills some of the parts, the first of which is `first`; gives `false` where one has too little room.
fn fill(tables: &mut [Table], first: usize, rows: &Rows) -> bool {
    let mut group: Vec<Arrival> = Vec::with_capacity(GROUP);
    let mut held: Vec<(IndexKey, u64)> = Vec::new();
    let settle = |tables: &mut [Table], group: &mut Vec<Arrival>| {
        group.drain(..).all(|Arrival { key, person, ambiguous, table, probe }| {
            let has_room = !tables[table].is_full();
            if has_room {
                tables[table].insert(probe, key, person, ambiguous, rows);
            }
            has_room
        })
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
            if group.len() == GROUP && !settle(tables, &mut group) {
                return false;
            }
        }
    }
    let whole = settle(tables, &mut group);
    tables.iter_mut().for_each(Table::shrink);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        index::memory::PersonKey,
        key::{HashKey, Key, KeyForm},
    };

    #[test]
    fn an_estimate_is_near_the_number_of_different_hashes_and_too_small_a_table_is_told() {
        for (different, times) in [(1, 500), (700, 1), (50_000, 1), (20_000, 4)] {
            let mut counted = Distinct::of_at_most(different * times * 2);
            for n in (0..times).flat_map(|_| 0..different) {
                let key = Key::email(&format!("{n}@x.pe"), HashKey::default());
                counted.add(IndexKey::from(key).hash());
            }
            let estimate = counted.estimate();
            let most = different + different / 12 + 40;
            assert!((different..=most).contains(&estimate), "{estimate} of {different}");
        }
        let mut rows = Rows::new(false);
        for n in 0..5_000 {
            let key = IndexKey::from(Key::email(&format!("{n}@x.pe"), HashKey::default()));
            let held = PersonKey { key, form: KeyForm::Exact };
            rows.push(&format!("P{n}"), std::iter::once(held), None).unwrap();
        }
        assert!(Shards::filled(&rows, [100; COUNT], NonZeroUsize::MIN).is_none());
        assert!(Shards::filled(&rows, [500; COUNT], NonZeroUsize::MIN).is_some());
        assert_eq!(Shards::of(&rows, Room::Exact, NonZeroUsize::MIN).keys(), 5_000);
    }
}
