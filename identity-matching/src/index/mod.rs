//! Who holds a key: the traits that a population stands behind, and their in-memory implementation.
//!
//! A [`CandidateIndex`] opens a read of one consistent state of the population and hands it over as a
//! [`CandidateRead`], which answers two questions and no more: for a batch of keys who holds them, and for a batch of
//! persons what they hold. Both take batches, may fail and push what they find into a closure, so that a database can
//! answer with two statements per batch, in a transaction that it begins and ends, and memory can answer without
//! copying.
//!
//! [`InMemoryIndex`] holds a population in about sixty bytes per person. Equal keys are stored once, with
//! the list of their holders, so a value that thousands share costs a counter.
//!
//! Who decides one set of subjects over a population that is read once makes [`SubjectKeys`] and a
//! [`RelevantBuilder`]: an index of those persons alone who can matter, with the same decisions.

#[cfg(feature = "sealed")]
pub mod joined;
mod key;
mod memory;
mod once;
mod person;
#[cfg(feature = "sealed")]
mod sealed;
mod subject;

#[cfg(feature = "sealed")]
pub use joined::JoinedIndex;
pub use key::IndexKey;
pub(crate) use memory::RowId;
pub use memory::{InMemoryIndex, InMemoryIndexBuilder, IndexedPerson, PersonKeys, SharedKey};
pub use once::{Glance, Relevant, RelevantBuilder, Remainder, SubjectFilter, SubjectKeys};
pub use person::{PersonKey, Profile};
#[cfg(feature = "sealed")]
pub use sealed::{DamagedPerson, FORMAT_VERSION, FileError, Seal, StoredPerson, WeakEvidence};
pub use subject::SubjectView;

/// Points at one person inside one index; of no meaning in another one or after an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(u64);

impl PersonId {
    /// Makes the id of a person from the number that an index gives it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number that the index gave.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Who holds one key.
#[derive(Clone, Copy, Debug)]
pub struct Holders<'a> {
    /// How many persons hold the key, whether they are listed or not; never zero.
    pub total: u32,
    /// The persons, each once, in any order; empty where `total` exceeds the limit that was asked for.
    pub persons: &'a [PersonId],
}

/// What is done within one read of a population.
pub type InRead<'a> = dyn FnMut(&mut dyn CandidateRead) -> Result<(), IndexError> + 'a;

/// A population of persons that can be asked who holds which key.
///
/// It is `Sync`, since batches are decided on several threads at once, each within a read of its own. Run
/// `identity_matching::conformance` (feature `testing`) against an own one.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use identity_matching::index::{
///     CandidateIndex, CandidateRead, Holders, IndexError, IndexKey, InRead, PersonId, PersonKey, IndexedPerson,
/// };
///
/// /// Persons by number, and who holds which key.
/// struct Plain {
///     persons: Vec<(String, Vec<PersonKey>)>,
///     holders: BTreeMap<IndexKey, Vec<PersonId>>,
/// }
///
/// impl CandidateIndex for Plain {
///     fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
///         look_up(&mut &*self) // Nothing changes meanwhile; a database begins a transaction here.
///     }
/// }
///
/// impl CandidateRead for &Plain {
///     fn holders(
///         &mut self,
///         keys: &[IndexKey],
///         limit: u32,
///         report: &mut dyn FnMut(usize, Holders<'_>),
///     ) -> Result<(), IndexError> {
///         for (at, key) in keys.iter().enumerate() {
///             if let Some(persons) = self.holders.get(key) {
///                 let total = u32::try_from(persons.len()).unwrap_or(u32::MAX);
///                 report(at, Holders { total, persons: if total > limit { &[] } else { persons } });
///             }
///         }
///         Ok(())
///     }
///
///     fn persons(
///         &mut self,
///         ids: &[PersonId],
///         report: &mut dyn FnMut(usize, IndexedPerson<'_>),
///     ) -> Result<(), IndexError> {
///         for (at, id) in ids.iter().enumerate() {
///             let person = usize::try_from(id.get()).ok().and_then(|number| self.persons.get(number));
///             let (key, keys) = person.ok_or(IndexError::UnknownPerson { id: id.get() })?;
///             report(at, IndexedPerson::new(key, keys, None));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait CandidateIndex: Send + Sync {
    /// Returns a key as this index holds it; by default unchanged.
    ///
    /// An index that holds hashes returns the hash. Every key that is looked up, and every key of a person that
    /// is compared, went through here.
    fn as_held(&self, key: IndexKey) -> IndexKey {
        key
    }

    /// Opens a read of one consistent state of the population, hands it to `look_up` once, and ends it, also where
    /// `look_up` fails or panics.
    ///
    /// An index that others may change meanwhile holds a transaction for as long.
    ///
    /// # Errors
    ///
    /// What `look_up` returns, and [`IndexError`] where the read can be neither begun nor ended.
    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError>;
}

/// One read of a population: all its answers are of one state.
pub trait CandidateRead {
    /// Reports the holders of each key that anybody holds, by the key's position in `keys`, which are as
    /// [`CandidateIndex::as_held`] gave them.
    ///
    /// Keys that nobody holds are not reported. Of a key that more than `limit` persons hold only the
    /// total is reported, so that its cost does not grow with its holders. The order of reports is free.
    ///
    /// # Errors
    ///
    /// [`IndexError`] where the population cannot be read; what was reported before counts for nothing.
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError>;

    /// Reports each person, by the position in `ids`; every id that [`holders`](Self::holders) gave is known.
    ///
    /// # Errors
    ///
    /// [`IndexError`] where the population cannot be read, or an id is not known.
    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<I: CandidateIndex + ?Sized> CandidateIndex for $pointer {
            fn as_held(&self, key: IndexKey) -> IndexKey {
                (**self).as_held(key)
            }

            fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
                (**self).read(look_up)
            }
        }
    )*};
}
forward!(&I, Box<I>, std::sync::Arc<I>);

/// Reports that a population could not be read or changed, by what the caller can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The store behind the index did not answer: try again later.
    #[error("the population could not be read: {reason}")]
    Unavailable {
        /// What the store said, without identifiers.
        reason: String,
        /// The store's own error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A person's id does not belong to this index, or belongs to an earlier state of it.
    #[error("person {id} is not in this index: ids do not outlive an update of their index")]
    UnknownPerson {
        /// The id.
        id: u64,
    },
    /// A person's key cannot be stored.
    #[error("a person's key of {length} bytes: use 1 to {max} bytes", max = person::MAX_PERSON_KEY)]
    PersonKey {
        /// The key's length in bytes.
        length: usize,
    },
    /// One person has more keys than a row can hold.
    #[error(
        "person {person:?} has {keys} keys: split the records that belong to different persons"
    )]
    TooManyKeys {
        /// The person's key.
        person: String,
        /// How many keys it has.
        keys: usize,
    },
    /// The index has reached its greatest size.
    #[error("the index is full at {persons} persons: split the population over several indexes")]
    Full {
        /// How many persons it holds.
        persons: usize,
    },
}

impl IndexError {
    /// Reports that the store behind an index did not answer, with the store's own error.
    ///
    /// Only the source holds what the store said, which may show a value: the message shows none of it.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let reason = "the store behind it did not answer".to_owned();
        Self::Unavailable { reason, source: Some(source.into()) }
    }
}
