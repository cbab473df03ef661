//! Connected components.

use std::collections::BTreeMap;

use crate::index::RowId;

/// Joins persons into groups: a disjoint-set forest (Galler and Fischer, 1964).
#[derive(Debug, Default)]
pub(super) struct Groups {
    parents: BTreeMap<RowId, RowId>,
}

impl Groups {
    fn root(&mut self, mut person: RowId) -> RowId {
        let mut path = Vec::new();
        while let Some(&parent) = self.parents.get(&person).filter(|&&parent| parent != person) {
            path.push(person);
            person = parent;
        }
        for passed in path {
            self.parents.insert(passed, person);
        }
        person
    }

    /// Puts two persons, and all that they are joined with, into one group.
    pub(super) fn join(&mut self, left: RowId, right: RowId) {
        let (left, right) = (self.root(left), self.root(right));
        self.parents.entry(left).or_insert(left);
        self.parents.insert(right, left);
    }

    /// Lists the groups.
    pub(super) fn into_lists(mut self) -> Vec<Vec<RowId>> {
        let persons: Vec<RowId> = self.parents.keys().copied().collect();
        let mut lists: BTreeMap<RowId, Vec<RowId>> = BTreeMap::new();
        for person in persons {
            lists.entry(self.root(person)).or_default().push(person);
        }
        lists.into_values().collect()
    }
}
