//! Saving and loading an index: hashed under a secret, versioned, checked to the last byte.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `IDMINDEX` |
//! | 4 | [`FORMAT_VERSION`] |
//! | 12 | the secret's mark, to tell a wrong secret from a damaged file |
//! | 1 | the blocking keys that were left out, one bit each |
//! | 8 | how many persons follow |
//! | … | each person: key text, keys with their forms, names, dates of birth |
//! | 16 | `SipHash-1-3` of all before, under the secret |
//!
//! Numbers are little-endian. Loading reads the persons and makes the table anew, so that nothing in a file can
//! lead a lookup astray.

use std::io::{self, Read, Write};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::{
    InMemoryIndex, IndexError, IndexKey,
    build::finish,
    memory::Intake,
    row::{PersonKey, Profile, Rows},
};
use crate::{
    birth_date::BirthDate,
    blocking::BlockingKind,
    key::{HashKey, KeyForm},
    name::Name,
};

/// The version of the file format; a file of another version is refused.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"IDMINDEX";
const FORMS: [KeyForm; 3] = [KeyForm::Exact, KeyForm::Derived, KeyForm::Alias];

/// Reports that an index could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be read or written.
    #[error("the index file could not be read or written")]
    Io {
        /// The system's own error.
        #[from]
        source: io::Error,
    },
    /// The file is something else.
    #[error("the file is no identity index: it does not begin with IDMINDEX")]
    NotAnIndex,
    /// The file is of another version of this format.
    #[error(
        "the index file has version {found}, and this program reads version {FORMAT_VERSION}: build the index anew from the population"
    )]
    OtherVersion {
        /// The file's version.
        found: u32,
    },
    /// The file, or the index that is to be saved, was made with another secret.
    #[error("the index was made with another secret: give the one that it was saved with")]
    WrongSecret,
    /// The file ends too early or was changed.
    #[error("the index file is damaged ({what}): build the index anew from the population")]
    Damaged {
        /// What does not fit.
        what: &'static str,
    },
    /// The file's persons do not fit an index.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Says what becomes of weak evidence when an index is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakEvidence {
    /// It is left out: the loaded index finds no candidate by plate, name or last digits.
    LeaveOut,
    /// Names and dates of birth are written as they are: the file then is personal data.
    Plain,
}

impl InMemoryIndex {
    /// Writes the index with every key replaced by its hash under `secret`.
    ///
    /// The persons' own keys are written as they are. An index that was loaded can be saved again only
    /// with the secret it was loaded with. Write to a temporary file and rename it.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`], or [`FileError::WrongSecret`].
    ///
    /// ```
    /// use identity_matching::{
    ///     HashKey, Normaliser, NormaliseOptions, Record,
    ///     index::{InMemoryIndex, WeakEvidence},
    /// };
    ///
    /// let ana = Record { phones: vec!["+51987654321".into()], ..Record::default() };
    /// let mut builder = InMemoryIndex::builder();
    /// builder.add("P1", &Normaliser::new(NormaliseOptions::default()).normalise(&ana))?;
    /// let mut file = Vec::new();
    /// builder.build()?.save(&mut file, HashKey::new([7; 16]), WeakEvidence::LeaveOut)?;
    /// assert_eq!(InMemoryIndex::load(&file[..], HashKey::new([7; 16]))?.len(), 1);
    /// assert!(InMemoryIndex::load(&file[..20], HashKey::new([7; 16])).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(
        &self,
        writer: impl Write,
        secret: HashKey,
        weak: WeakEvidence,
    ) -> Result<(), FileError> {
        if self.intake.seal.is_some_and(|sealed| sealed != secret) {
            return Err(FileError::WrongSecret);
        }
        let plain = weak == WeakEvidence::Plain;
        let left_out = |kind: &BlockingKind| !plain || self.intake.without.contains(kind);
        let mut out = Hashed::new(io::BufWriter::new(writer), secret);
        out.put(MAGIC)?;
        out.put(&FORMAT_VERSION.to_le_bytes())?;
        out.put(&mark(secret))?;
        let kinds = BlockingKind::ALL.iter().enumerate().filter(|(_, kind)| left_out(kind));
        out.put(&[kinds.fold(0_u8, |bits, (at, _)| bits | 1 << at)])?;
        out.put(&(self.len() as u64).to_le_bytes())?;
        for person in self.persons() {
            out.text(person.key())?;
            let kept =
                |held: &PersonKey| held.key.blocking().is_none_or(|key| !left_out(&key.kind()));
            let keys = || person.keys().filter(kept);
            out.count(keys().count())?;
            for held in keys() {
                let sealed = self.intake.seal.is_some();
                let key = if sealed { held.key } else { held.key.sealed(secret) };
                out.put(&key.to_bytes())?;
                out.put(&[held.form as u8])?;
            }
            let nothing = Profile::default();
            let profile = person.profile().filter(|_| plain).unwrap_or(&nothing);
            out.count(profile.names.len())?;
            profile.names.iter().try_for_each(|name| out.text(name.as_str()))?;
            out.count(profile.birth_dates.len())?;
            for date in &profile.birth_dates {
                out.put(&date.as_u32().to_le_bytes())?;
            }
        }
        let checksum = out.checksum();
        out.inner.write_all(&checksum)?;
        Ok(out.inner.flush()?)
    }

    /// Reads an index that [`save`](Self::save) wrote.
    ///
    /// The loaded index holds hashes only; it looks keys up by hashing them under the same secret, and can
    /// be updated like any other.
    ///
    /// # Errors
    ///
    /// [`FileError`]: whatever bytes it is given, it returns an index that was saved so, or an error.
    pub fn load(reader: impl Read, secret: HashKey) -> Result<Self, FileError> {
        let mut file = Hashed::new(io::BufReader::new(reader), secret);
        if &file.take::<8>()? != MAGIC {
            return Err(FileError::NotAnIndex);
        }
        let found = u32::from_le_bytes(file.take()?);
        if found != FORMAT_VERSION {
            return Err(FileError::OtherVersion { found });
        }
        if file.take::<12>()? != mark(secret) {
            return Err(FileError::WrongSecret);
        }
        let [left_out] = file.take()?;
        let without =
            BlockingKind::ALL.into_iter().enumerate().filter(|(at, _)| left_out >> at & 1 == 1);
        let intake =
            Intake { seal: Some(secret), without: without.map(|(_, kind)| kind).collect() };
        let persons = u64::from_le_bytes(file.take()?);
        let mut rows = Rows::new(true);
        let mut keys = Vec::new();
        for _ in 0..persons {
            let person = file.read_text()?;
            keys.clear();
            for _ in 0..file.length()? {
                let key = IndexKey::from_bytes(file.take()?).ok_or(damaged("a key"))?;
                let [form] = file.take()?;
                let form = *FORMS.get(usize::from(form)).ok_or(damaged("the form of a key"))?;
                keys.push(PersonKey { key, form });
            }
            keys.sort_unstable();
            keys.dedup_by_key(|held| held.key);
            let mut profile = Profile::default();
            for _ in 0..file.length()? {
                profile.names.push(Name::parse(&file.read_text()?).map_err(|_| damaged("a name"))?);
            }
            for _ in 0..file.length()? {
                let date = u32::from_le_bytes(file.take()?);
                let text =
                    format!("{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100);
                profile
                    .birth_dates
                    .push(BirthDate::parse(&text, None).map_err(|_| damaged("a date"))?);
            }
            rows.push(&person, keys.iter().copied(), (!profile.is_empty()).then_some(profile))?;
        }
        let expected = file.checksum();
        if file.take::<16>()? != expected {
            return Err(damaged("the checksum"));
        }
        finish(rows, intake, std::num::NonZeroUsize::MIN).map_err(FileError::from)
    }
}

fn damaged(what: &'static str) -> FileError {
    FileError::Damaged { what }
}

/// Returns bytes that tell one secret from another and give neither away.
fn mark(secret: HashKey) -> [u8; 12] {
    let hash = secret.hash96(b"identity index").to_be_bytes();
    hash[4..].try_into().expect("twelve of sixteen bytes")
}

/// Counts into the checksum all that passes through.
struct Hashed<F> {
    inner: F,
    hasher: SipHasher13,
}

impl<F> Hashed<F> {
    fn new(inner: F, secret: HashKey) -> Self {
        Self { inner, hasher: secret.hasher() }
    }

    fn checksum(&self) -> [u8; 16] {
        self.hasher.finish128().as_bytes()
    }
}

impl<W: Write> Hashed<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        std::hash::Hasher::write(&mut self.hasher, bytes);
        self.inner.write_all(bytes)
    }

    fn count(&mut self, count: usize) -> io::Result<()> {
        // A row holds fewer than 2¹⁹ words, so its parts are fewer too.
        let count = u32::try_from(count).map_err(io::Error::other)?;
        self.put(&count.to_le_bytes())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.count(text.len())?;
        self.put(text.as_bytes())
    }
}

impl<R: Read> Hashed<R> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        self.inner.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
            _ => error.into(),
        })?;
        std::hash::Hasher::write(&mut self.hasher, bytes);
        Ok(())
    }

    fn length(&mut self) -> Result<usize, FileError> {
        let length = u32::from_le_bytes(self.take()?);
        // Nothing that is counted in a file is as long; memory is bounded before it is taken.
        if length >= 1 << 19 {
            return Err(damaged("a length"));
        }
        Ok(length as usize)
    }

    fn read_text(&mut self) -> Result<String, FileError> {
        let mut bytes = vec![0; self.length()?];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged("a text"))
    }
}
