//! Saving and loading an index: hashed under a secret, versioned, checked to the last byte.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `IDMINDEX` |
//! | 4 | [`FORMAT_VERSION`] |
//! | 12 | the secret's mark, to tell a wrong secret from a damaged file |
//! | 16 | the [`fingerprint`](NormaliseOptions::fingerprint) of the options that records were read by |
//! | 1 | the blocking keys that were left out, one bit each |
//! | 8 | how many persons follow |
//! | … | each person: key text, and what [`StoredPerson`] writes |
//! | 16 | `SipHash-1-3` of all before, under the secret |
//!
//! Numbers are little-endian. Loading reads the persons and makes the table anew, so that nothing in a file can
//! lead a lookup astray.

use std::io::{self, Read, Write};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::{Seal, StoredPerson};
use crate::{
    index::{
        IndexError,
        memory::{InMemoryIndex, IndexedPerson, RecordFilter, Rows, finish},
        person::{PersonKey, Profile},
    },
    key::HashKey,
    normalise::NormaliseOptions,
    weak::BlockingKind,
};

/// The version of the file format; a file of another version is refused.
pub const FORMAT_VERSION: u32 = 4;

const MAGIC: &[u8; 8] = b"IDMINDEX";

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
    /// The file's records, or those of the index that is to be saved, were read by other options.
    #[error(
        "the records of the index were read by other options (region, placeholders, addresses, phone digits): give the same options, or build the index anew from the population"
    )]
    OtherOptions,
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

/// What becomes of weak evidence when an index is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakEvidence {
    /// It is left out: the loaded index finds no candidate by plate, name or last digits.
    LeaveOut,
    /// Blocking keys are hashed as all keys, names and dates of birth are encrypted: the loaded index decides
    /// as the one that was saved, and without the secret nothing can be read.
    Encrypted,
}

impl InMemoryIndex {
    /// Writes the index with every key replaced by its hash under `secret`.
    ///
    /// `options` are those of the normaliser that read the persons; leads that are matched to them must be read by the
    /// same. The persons' own keys are written as they are. An index that was loaded can be saved again only
    /// with the options and the secret it was loaded with. Write to a temporary file and rename it.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`], [`FileError::WrongSecret`] or [`FileError::OtherOptions`].
    ///
    /// ```
    /// use identity_matching::{
    ///     HashKey, Normaliser, NormaliseOptions, Record,
    ///     index::{InMemoryIndex, WeakEvidence},
    /// };
    ///
    /// let (options, secret) = (NormaliseOptions::default(), HashKey::new([7; 16]));
    /// let ana = Record { phones: vec!["+51987654321".into()], ..Record::default() };
    /// let mut builder = InMemoryIndex::builder();
    /// builder.add("P1", &Normaliser::new(options.clone())?.normalise(&ana))?;
    /// let mut file = Vec::new();
    /// builder.build()?.save(&mut file, &options, secret, WeakEvidence::LeaveOut)?;
    /// assert_eq!(InMemoryIndex::load(&file[..], &options, secret)?.len(), 1);
    /// assert!(InMemoryIndex::load(&file[..20], &options, secret).is_err());
    /// let mut other = options;
    /// other.phone_tail_digits = 9;
    /// assert!(InMemoryIndex::load(&file[..], &other, secret).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(
        &self,
        writer: impl Write,
        options: &NormaliseOptions,
        secret: HashKey,
        weak: WeakEvidence,
    ) -> Result<(), FileError> {
        let seal = Seal::new(secret);
        if self.filter.seal.as_ref().is_some_and(|held| *held != seal) {
            return Err(FileError::WrongSecret);
        }
        let options = options.fingerprint();
        if self.filter.options.is_some_and(|held| held != options) {
            return Err(FileError::OtherOptions);
        }
        let kept = weak == WeakEvidence::Encrypted;
        let left_out = |kind: &BlockingKind| !kept || self.filter.without.contains(kind);
        let mut out = Hashed::new(io::BufWriter::new(writer), secret);
        out.put(MAGIC)?;
        out.put(&FORMAT_VERSION.to_le_bytes())?;
        out.put(&seal.mark())?;
        out.put(&options)?;
        let kinds = BlockingKind::ALL.iter().enumerate().filter(|(_, kind)| left_out(kind));
        out.put(&[kinds.fold(0_u8, |bits, (at, _)| bits | 1 << at)])?;
        out.put(&(self.len() as u64).to_le_bytes())?;
        for person in self.persons() {
            let stored = self.stored(&person, &seal, &left_out, kept);
            out.put_chunk(person.key().as_bytes())?;
            out.put_chunk(&stored.to_bytes(person.key(), &seal))?;
        }
        let checksum = out.checksum();
        out.inner.write_all(&checksum)?;
        Ok(out.inner.flush()?)
    }

    fn stored(
        &self,
        person: &IndexedPerson<'_>,
        seal: &Seal,
        left_out: &impl Fn(&BlockingKind) -> bool,
        profile: bool,
    ) -> StoredPerson {
        let keys = person
            .keys()
            .filter(|held| held.key.blocking().is_none_or(|key| !left_out(&key.kind())))
            .map(|held| match self.filter.seal {
                Some(_) => held,
                None => PersonKey { key: seal.key(held.key), form: held.form },
            });
        let profile = person.profile().filter(|_| profile).unwrap_or_default();
        StoredPerson::from_parts(keys.collect(), profile)
    }

    /// Reads an index that [`save`](Self::save) wrote.
    ///
    /// `options` are those of the normaliser that reads the leads, and new persons. The loaded index holds hashes only; it looks keys up by hashing them under the same secret, and can
    /// be updated like any other.
    ///
    /// # Errors
    ///
    /// [`FileError`]: whatever bytes it is given, it returns an index that was saved so, or an error.
    pub fn load(
        reader: impl Read,
        options: &NormaliseOptions,
        secret: HashKey,
    ) -> Result<Self, FileError> {
        let mut file = Hashed::new(io::BufReader::new(reader), secret);
        if &file.take::<8>()? != MAGIC {
            return Err(FileError::NotAnIndex);
        }
        let found = u32::from_le_bytes(file.take()?);
        if found != FORMAT_VERSION {
            return Err(FileError::OtherVersion { found });
        }
        let seal = Seal::new(secret);
        if file.take::<12>()? != seal.mark() {
            return Err(FileError::WrongSecret);
        }
        let options = options.fingerprint();
        if file.take::<16>()? != options {
            return Err(FileError::OtherOptions);
        }
        let [left_out] = file.take()?;
        let without =
            BlockingKind::ALL.into_iter().enumerate().filter(|(at, _)| left_out >> at & 1 == 1);
        let filter = RecordFilter {
            seal: Some(seal.clone()),
            options: Some(options),
            without: without.map(|(_, kind)| kind).collect(),
        };
        let persons = u64::from_le_bytes(file.take()?);
        let mut rows = Rows::new(true);
        for _ in 0..persons {
            let person = String::from_utf8(file.take_chunk()?).map_err(|_| damaged("a text"))?;
            let stored = StoredPerson::from_bytes(&file.take_chunk()?, &person, &seal)
                .map_err(|error| damaged(error.what))?;
            let (keys, profile) = stored.into_parts();
            let profile: Option<Profile> = (!profile.is_empty()).then_some(profile);
            rows.push(&person, keys.iter().copied(), profile)?;
        }
        let expected = file.checksum();
        if file.take::<16>()? != expected {
            return Err(damaged("the checksum"));
        }
        finish(rows, filter, std::num::NonZeroUsize::MIN).map_err(FileError::from)
    }
}

fn damaged(what: &'static str) -> FileError {
    FileError::Damaged { what }
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

    fn put_chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.put(&length.to_le_bytes())?;
        self.put(bytes)
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

    /// Reads a length and so many bytes; memory is taken as bytes come, not as the length promises.
    fn take_chunk(&mut self) -> Result<Vec<u8>, FileError> {
        let length = u64::from(u32::from_le_bytes(self.take()?));
        let mut bytes = Vec::new();
        let read = (&mut self.inner).take(length).read_to_end(&mut bytes)?;
        if read as u64 != length {
            return Err(damaged("it ends too early"));
        }
        std::hash::Hasher::write(&mut self.hasher, &bytes);
        Ok(bytes)
    }
}
