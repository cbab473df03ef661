//! A subject, as it is looked up and compared.

use super::IndexKey;
use crate::{
    key::HeldKey,
    kinds::Normalised,
    weak::{BirthDate, BlockingKey, Name},
};

/// Borrows what deciding needs of one normalised subject.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubjectView<'a> {
    pub(crate) keys: &'a [HeldKey],
    pub(crate) blocking: &'a [BlockingKey],
    pub(crate) name: Option<&'a Name>,
    pub(crate) birth_date: Option<BirthDate>,
}

impl<'a> SubjectView<'a> {
    /// Makes the view of a subject of which nothing but its strong keys is known, each key once.
    #[must_use]
    pub fn of_keys(keys: &'a [HeldKey]) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Lists the keys that are looked up for the subject, strong and blocking.
    #[inline]
    pub(crate) fn index_keys(self) -> impl Iterator<Item = IndexKey> + 'a {
        let strong = self.keys.iter().map(|held| IndexKey::from(held.key));
        strong.chain(self.blocking.iter().map(|&key| IndexKey::from(key)))
    }
}

impl<'a> From<&'a Normalised> for SubjectView<'a> {
    fn from(subject: &'a Normalised) -> Self {
        Self {
            keys: subject.keys(),
            blocking: subject.blocking_keys(),
            name: subject.name(),
            birth_date: subject.birth_date(),
        }
    }
}
