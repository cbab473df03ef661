//! What the statements on cases and decisions share.

use std::collections::BTreeMap;

pub(crate) const REVIEW: &str = "the load of reviews";

/// How many rows or keys a statement takes.
pub(crate) const CHUNK: usize = 500;

/// Appends to a list of a map.
pub(crate) fn by<K: Ord, V>(rows: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut map: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in rows {
        map.entry(key).or_default().push(value);
    }
    map
}
