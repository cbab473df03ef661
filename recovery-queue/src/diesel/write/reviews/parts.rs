//! What the statements on cases and decisions share.

use std::collections::BTreeMap;

pub(crate) const REVIEW: &str = "the load of reviews";

/// How many rows a statement takes; each has a few binds.
pub(crate) const CHUNK: usize = 500;

/// Writes `($1, $2), ($3, $4)` for rows of so many binds each.
pub(crate) fn places(rows: usize, binds: usize) -> String {
    let row = |at: usize| {
        let of: Vec<String> = (1..=binds).map(|bind| format!("${}", at * binds + bind)).collect();
        format!("({})", of.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Appends to a list of a map.
pub(crate) fn by<K: Ord, V>(rows: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut map: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in rows {
        map.entry(key).or_default().push(value);
    }
    map
}
