//! One person as a store outside memory keeps it.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | how many keys follow |
//! | 17 each | the key, hashed, and its form |
//! | 1 | whether weak evidence follows |
//! | … | names and dates of birth, encrypted |
//!
//! Numbers are little-endian.

use super::Seal;
use crate::{
    index::{IndexKey, IndexedPerson, PersonKey, Profile},
    key::KeyForm,
    kinds::Normalised,
    weak::{BirthDate, Name},
};

const FORMS: [KeyForm; 3] = [KeyForm::Exact, KeyForm::Derived, KeyForm::Alias];

/// What a store of a population keeps of one person: hashed keys, and weak evidence that is encrypted when
/// it is written.
///
/// A store of one's own keeps the bytes beside the person's key, and a list of holders for each key of
/// [`keys`](Self::keys).
///
/// ```
/// use identity_matching::{HashKey, Normaliser, Record, index::{Seal, StoredPerson}};
///
/// let seal = Seal::new(HashKey::new([7; 16]));
/// let ana = Record {
///     phones: vec!["+51987654321".into()],
///     name: Some("Ana Rojas".into()),
///     ..Record::default()
/// };
/// let mut person = StoredPerson::default();
/// person.add(&Normaliser::default().normalise(&ana), &seal);
/// let bytes = person.to_bytes("P1", &seal);
/// assert_eq!(StoredPerson::from_bytes(&bytes, "P1", &seal)?, person);
/// assert!(StoredPerson::from_bytes(&bytes, "P2", &seal).is_err());
/// # Ok::<(), identity_matching::index::DamagedPerson>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPerson {
    keys: Vec<PersonKey>,
    profile: Profile,
}

/// The error where bytes are not what a store keeps of this person under this secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is kept of a person is damaged ({what}): build the index anew from the population")]
pub struct DamagedPerson {
    /// What does not fit.
    pub what: &'static str,
}

impl StoredPerson {
    /// Adds one record; the order of records leaves no trace.
    pub fn add(&mut self, record: &Normalised, seal: &Seal) {
        let keys = PersonKey::of(record);
        self.keys.extend(keys.map(|held| PersonKey { key: seal.key(held.key), ..held }));
        self.keys.sort_unstable();
        self.keys.dedup_by_key(|held| held.key);
        self.profile.merge(&Profile::of(record));
    }

    /// Adds what another state of the same person holds, under the same seal.
    pub fn merge(&mut self, other: &Self) {
        self.keys.extend_from_slice(&other.keys);
        self.keys.sort_unstable();
        self.keys.dedup_by_key(|held| held.key);
        self.profile.merge(&other.profile);
    }

    /// Makes it of what an index holds, its keys hashed already.
    pub(in crate::index) fn from_parts(keys: Vec<PersonKey>, profile: Profile) -> Self {
        Self { keys, profile }
    }

    pub(in crate::index) fn into_parts(self) -> (Vec<PersonKey>, Profile) {
        (self.keys, self.profile)
    }

    /// Lists the hashed keys, strong and blocking, sorted and each once.
    #[must_use]
    pub fn keys(&self) -> &[PersonKey] {
        &self.keys
    }

    /// Returns the view that a matcher sees.
    #[must_use]
    pub fn view<'a>(&'a self, person: &'a str) -> IndexedPerson<'a> {
        IndexedPerson::new(person, &self.keys, (!self.profile.is_empty()).then_some(&self.profile))
    }

    /// Returns the bytes to keep; equal persons have equal bytes under one secret.
    #[must_use]
    pub fn to_bytes(&self, person: &str, seal: &Seal) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(5 + 17 * self.keys.len());
        put_length(&mut bytes, self.keys.len());
        for held in &self.keys {
            bytes.extend_from_slice(&held.key.to_bytes());
            bytes.push(held.form as u8);
        }
        bytes.push(u8::from(!self.profile.is_empty()));
        if !self.profile.is_empty() {
            let mut plain = Vec::new();
            put_length(&mut plain, self.profile.names.len());
            for name in &self.profile.names {
                put_length(&mut plain, name.as_str().len());
                plain.extend_from_slice(name.as_str().as_bytes());
            }
            for date in &self.profile.birth_dates {
                plain.extend_from_slice(&date.as_u32().to_le_bytes());
            }
            bytes.extend_from_slice(&seal.encrypt(person, &plain));
        }
        bytes
    }

    /// Reads the bytes that [`to_bytes`](Self::to_bytes) gave for the same person under the same secret.
    ///
    /// # Errors
    ///
    /// [`DamagedPerson`] for any other bytes.
    pub fn from_bytes(bytes: &[u8], person: &str, seal: &Seal) -> Result<Self, DamagedPerson> {
        let mut rest = bytes;
        let count = take_length(&mut rest)?;
        let mut keys = Vec::with_capacity(count.min(rest.len() / 17));
        for _ in 0..count {
            let key = IndexKey::from_bytes(*take::<16>(&mut rest)?).ok_or(damaged("a key"))?;
            let [form] = *take(&mut rest)?;
            let form = *FORMS.get(usize::from(form)).ok_or(damaged("the form of a key"))?;
            keys.push(PersonKey { key, form });
        }
        keys.sort_unstable();
        keys.dedup_by_key(|held| held.key);
        let profile = match *take(&mut rest)? {
            [0] if rest.is_empty() => Profile::default(),
            [1] => {
                let plain = seal.decrypt(person, rest).ok_or(damaged("the weak evidence"))?;
                read_profile(&plain)?
            }
            _ => return Err(damaged("the weak evidence")),
        };
        Ok(Self { keys, profile })
    }
}

fn read_profile(plain: &[u8]) -> Result<Profile, DamagedPerson> {
    let mut rest = plain;
    let mut profile = Profile::default();
    for _ in 0..take_length(&mut rest)? {
        let length = take_length(&mut rest)?;
        let (text, after) = rest.split_at_checked(length).ok_or(damaged("a name"))?;
        rest = after;
        let name = std::str::from_utf8(text).ok().and_then(|text| Name::parse(text).ok());
        profile.names.push(name.ok_or(damaged("a name"))?);
    }
    while !rest.is_empty() {
        let date = u32::from_le_bytes(*take(&mut rest)?);
        let text = format!("{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100);
        let date = BirthDate::parse(&text, None).map_err(|_| damaged("a date"))?;
        profile.birth_dates.push(date);
    }
    Ok(profile)
}

fn damaged(what: &'static str) -> DamagedPerson {
    DamagedPerson { what }
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    // A person's records are counted in thousands at most; what does not fit is refused when it is read.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
}

fn take_length(rest: &mut &[u8]) -> Result<usize, DamagedPerson> {
    let length = u32::from_le_bytes(*take(rest)?);
    usize::try_from(length).map_err(|_| damaged("a length"))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], DamagedPerson> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or(damaged("it ends too early"))?;
    *rest = after;
    Ok(first)
}
