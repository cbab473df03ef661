//! A population that an engine has joined to its subjects: for each subject a group of rows, and no index at all.
//!
//! Where a population fits no machine, a warehouse or a cluster joins it: every record becomes rows of sealed
//! keys ([`look_ups`], [`StoredPerson::keys`]), the engine counts who holds each key and joins the persons that
//! hold a key which few hold, and [`JoinedIndex`] answers the matcher from those rows. The rules stay where they
//! are: the same matcher decides, over one chunk of groups at a time.
//!
//! What the engine must do, for each subject:
//!
//! 1. count the persons that hold each of its keys, each person once;
//! 2. of every key that no more than [`LookUp::list_up_to`] persons hold, join all of them;
//! 3. hand over the counts and the persons, each with all its records.
//!
//! Rows that are missing are noticed, since a key's holders are counted twice: by the engine and here.

mod error;
mod record;
mod stamp;

use std::collections::HashMap;

pub use self::{
    error::JoinError,
    record::{DamagedRecord, RecordDigest, SealedRecord},
    stamp::{Stamp, StampError},
};
use super::{
    CandidateIndex, CandidateRead, Holders, IndexError, IndexKey, IndexedPerson, PersonId, Seal,
    StoredPerson,
};
use crate::{key::KeyForm, kinds::Normalised, policy::Policy};

/// One key of a subject, and up to how many holders of it an engine joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// The key, sealed.
    pub key: IndexKey,
    /// How the subject holds it.
    pub form: KeyForm,
    /// The greatest number of holders of which the policy wants to know who they are; of a key that more persons
    /// hold, the engine joins the count alone.
    pub list_up_to: u32,
}

/// Lists what is looked up for a subject, strong keys and those of weak evidence, each once.
///
/// ```
/// use identity_matching::{HashKey, Normaliser, Policy, Record};
/// use identity_matching::index::{Seal, joined};
///
/// let lead = Record { phones: vec!["+51987654321".into()], ..Record::default() };
/// let lead = Normaliser::default().normalise(&lead);
/// let seal = Seal::new(HashKey::new([7; 16]));
/// let keys = joined::look_ups(&lead, &Policy::default(), &seal);
/// assert!(keys.iter().any(|key| key.list_up_to > 0 && !key.key.is_blocking()));
/// ```
#[must_use]
pub fn look_ups(subject: &Normalised, policy: &Policy, seal: &Seal) -> Vec<LookUp> {
    let strong = subject.keys().iter().map(|held| (IndexKey::from(held.key), held.form));
    let blocking = subject.blocking_keys().iter().map(|&key| (key.into(), KeyForm::Exact));
    let mut all: Vec<LookUp> = strong
        .chain(blocking)
        .map(|(key, form): (IndexKey, _)| LookUp {
            key: seal.key(key),
            form,
            list_up_to: match (key.kind(), key.blocking()) {
                (Some(kind), _) => policy.strong_list_limit(kind),
                (None, Some(key)) => policy.blocking_list_limit(key.kind()),
                (None, None) => 0,
            },
        })
        .collect();
    all.sort_unstable_by_key(|one| (one.key, one.form));
    all.dedup_by_key(|one| one.key);
    all
}

/// An index over the groups of one chunk of subjects.
///
/// Fill it with [`add`](Self::add), decide the chunk, and [`clear`](Self::clear) it for the next one: memory holds
/// one chunk. Decisions are those that an index of the whole population under the same seal would give.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, HashKey, Normaliser, Policy, Record, Rejections,
/// };
/// use identity_matching::index::{JoinedIndex, Seal, StoredPerson, joined};
///
/// let normaliser = Normaliser::default();
/// let record = Record { phones: vec!["+51987654321".into()], ..Record::default() };
/// let lead = normaliser.normalise(&record);
/// let seal = Seal::new(HashKey::new([7; 16]));
///
/// // What an engine hands over: who holds the lead's phone, counted and joined.
/// let mut ana = StoredPerson::default();
/// ana.add(&lead, &seal);
/// let keys = joined::look_ups(&lead, &Policy::default(), &seal);
/// let phone = keys.iter().find(|key| !key.key.is_blocking()).expect("the phone's key");
/// let tail = keys.iter().find(|key| key.key.is_blocking()).expect("its last digits");
/// let mut index = JoinedIndex::new(seal);
/// index.add(&keys, &[(phone.key, 1), (tail.key, 1)], [("P1", ana)])?;
///
/// let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())?;
/// let decisions = matcher.decide_normalised(&[lead], &Rejections::default())?;
/// assert_eq!(decisions[0].outcome.person(), Some("P1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JoinedIndex {
    seal: Seal,
    keys: HashMap<IndexKey, Joined>,
    persons: Vec<(Box<str>, StoredPerson)>,
    ids: HashMap<Box<str>, PersonId>,
    /// The persons of the group that is being added.
    group: Vec<PersonId>,
}

/// How many persons hold one key, and those that were joined.
#[derive(Debug, Default)]
struct Joined {
    total: u32,
    persons: Vec<PersonId>,
}

impl JoinedIndex {
    /// Makes an index of nobody, for keys under a seal.
    #[must_use]
    pub fn new(seal: Seal) -> Self {
        Self {
            seal,
            keys: HashMap::new(),
            persons: Vec::new(),
            ids: HashMap::new(),
            group: Vec::new(),
        }
    }

    /// Forgets the groups; memory is kept for the next chunk.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.persons.clear();
        self.ids.clear();
        self.group.clear();
    }

    /// Returns how many persons the groups of the chunk hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// Tells whether the groups hold nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Adds the group of one subject: what is looked up for it, how many persons hold each of these keys (none where
    /// nobody does), and the persons that were joined, each once with all its records.
    ///
    /// # Errors
    ///
    /// [`JoinError`] where the rows do not fit one another: a count of a key that the subject does not have, a key
    /// whose holders are not all there, a person who shares no key with the subject, and rows of one key or person
    /// that differ from those of another group. Nothing of the chunk may be decided then.
    pub fn add<P: AsRef<str>>(
        &mut self,
        look_ups: &[LookUp],
        counts: &[(IndexKey, u32)],
        persons: impl IntoIterator<Item = (P, StoredPerson)>,
    ) -> Result<(), JoinError> {
        for &(key, total) in counts {
            if !look_ups.iter().any(|one| one.key == key) {
                return Err(JoinError::ForeignKey { key: key.masked() });
            }
            let known = self.keys.entry(key).or_default();
            if total == 0 || known.total != 0 && known.total != total {
                let (one, other) = (known.total, total);
                return Err(JoinError::Counts { key: key.masked(), one, other });
            }
            known.total = total;
        }
        self.group.clear();
        for (person, stored) in persons {
            let id = self.person(person.as_ref(), stored)?;
            if self.group.contains(&id) {
                return Err(JoinError::Twice);
            }
            self.group.push(id);
        }
        let mut reached = vec![false; self.group.len()];
        for one in look_ups {
            let Some(joined) = self.keys.get_mut(&one.key) else { continue };
            let listed = joined.total <= one.list_up_to;
            let mut found = 0_u32;
            for (reached, &id) in reached.iter_mut().zip(&self.group) {
                let (_, stored) = &self.persons[place(id)];
                if stored.keys().binary_search_by_key(&one.key, |held| held.key).is_ok() {
                    *reached |= listed;
                    found += 1;
                    if listed && !joined.persons.contains(&id) {
                        joined.persons.push(id);
                    }
                }
            }
            if listed && found != joined.total || found > joined.total {
                let (key, counted) = (one.key.masked(), joined.total);
                return Err(JoinError::CutShort { key, counted, found });
            }
        }
        if reached.contains(&false) {
            return Err(JoinError::ForeignPerson);
        }
        Ok(())
    }

    /// Returns the id of a person within the chunk.
    fn person(&mut self, person: &str, stored: StoredPerson) -> Result<PersonId, JoinError> {
        if let Some(&id) = self.ids.get(person) {
            let known = &self.persons[place(id)].1;
            return if *known == stored { Ok(id) } else { Err(JoinError::PersonDiffers) };
        }
        let id = PersonId::new(self.persons.len() as u64);
        self.persons.push((person.into(), stored));
        self.ids.insert(person.into(), id);
        Ok(id)
    }
}

/// Returns the place of a person in the chunk.
fn place(id: PersonId) -> usize {
    usize::try_from(id.get()).unwrap_or(usize::MAX)
}

impl CandidateIndex for JoinedIndex {
    fn as_held(&self, key: IndexKey) -> IndexKey {
        self.seal.key(key)
    }

    fn read(&self, look_up: &mut super::InRead<'_>) -> Result<(), IndexError> {
        look_up(&mut &*self)
    }
}

impl CandidateRead for &JoinedIndex {
    /// Reports the counts of the engine; the persons of a key are known where the policy lists them.
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        for (at, key) in keys.iter().enumerate() {
            if let Some(joined) = self.keys.get(key).filter(|joined| joined.total > 0) {
                let total = joined.total;
                let persons = if total > limit { &[] } else { &joined.persons[..] };
                report(at, Holders { total, persons });
            }
        }
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        for (at, id) in ids.iter().enumerate() {
            let (key, person) =
                self.persons.get(place(*id)).ok_or(IndexError::UnknownPerson { id: id.get() })?;
            report(at, person.view(key));
        }
        Ok(())
    }
}
