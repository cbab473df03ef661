//! Finding the records of one person among all rows.
//!
//! Each row gives half a hash of its person's key and its own place in one word; sorted, the rows of one person
//! lie side by side. Sorting is linear in memory, so it beats a hash table that no cache holds, and it splits
//! over threads by bits of the hash.

#![expect(clippy::cast_possible_truncation, reason = "hashes are cut on purpose")]

use std::{num::NonZeroUsize, thread};

use super::rows::{RowId, Rows};

/// Lists the rows that share a person key, in groups of two or more, by their first rows; the number of threads
/// leaves no trace.
pub(in crate::index) fn same_person(rows: &Rows, threads: NonZeroUsize) -> Vec<Vec<RowId>> {
    let ids: Vec<RowId> = rows.ids().collect();
    let parts = threads.get();
    let share = ids.len().div_ceil(parts).max(1);
    let hashed: Vec<Vec<Vec<u64>>> = on_threads(ids.chunks(share), |ids| {
        let mut split = vec![Vec::with_capacity(ids.len() / parts + ids.len() / 16); parts];
        for &id in ids {
            let hash = hash(rows.person(id));
            split[hash as u32 as usize % parts].push(hash >> 32 << 32 | u64::from(id.get()));
        }
        split
    });
    drop(ids);
    let mut groups: Vec<Vec<RowId>> = on_threads(0..parts, |part| {
        let mut words: Vec<u64> = hashed.iter().flat_map(|split| &split[part]).copied().collect();
        words.sort_unstable();
        let mut groups = Vec::new();
        for run in words.chunk_by(|one, next| one >> 32 == next >> 32) {
            if run.len() > 1 {
                split_run(run, rows, &mut groups);
            }
        }
        groups
    })
    .concat();
    groups.sort_unstable();
    groups
}

/// Splits rows with equal half hashes by the texts themselves.
fn split_run(run: &[u64], rows: &Rows, groups: &mut Vec<Vec<RowId>>) {
    let mut ids: Vec<RowId> = run.iter().map(|&word| RowId::new(word as u32)).collect();
    ids.sort_by_key(|&id| (rows.person(id), id));
    let same = ids.chunk_by(|&one, &next| rows.person(one) == rows.person(next));
    groups.extend(same.filter(|same| same.len() > 1).map(<[_]>::to_vec));
}

/// Does each piece of work on a thread of its own, the only one on this.
fn on_threads<T: Send, R: Send>(
    work: impl ExactSizeIterator<Item = T>,
    one: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    if work.len() < 2 {
        return work.map(one).collect();
    }
    let one = &one;
    thread::scope(|scope| {
        let running: Vec<_> = work.map(|work| scope.spawn(move || one(work))).collect();
        let ended = running.into_iter().map(|running| match running.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect()
    })
}

/// Hashes a person's key by `SipHash`, which spreads any texts.
fn hash(person: &str) -> u64 {
    siphasher::sip::SipHasher13::new().hash(person.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_person_with_several_rows_is_found_on_any_number_of_threads(
            persons in proptest::collection::vec(0..30_u8, 0..60),
            threads in 1..5_usize,
        ) {
            let mut rows = Rows::new(false);
            let mut expected = std::collections::BTreeMap::<u8, Vec<RowId>>::new();
            for &person in &persons {
                let id = rows.push(&format!("P{person}"), std::iter::empty(), None).unwrap();
                expected.entry(person).or_default().push(id);
            }
            let mut expected: Vec<_> =
                expected.into_values().filter(|records| records.len() > 1).collect();
            expected.sort_unstable();
            prop_assert_eq!(same_person(&rows, threads.try_into().unwrap()), expected);
        }
    }
}
