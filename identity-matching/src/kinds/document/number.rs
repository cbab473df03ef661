//! The number of a document while it is read: a fixed buffer, so that reading allocates nothing.

use std::fmt;

use crate::key::Reading;
use crate::key::UnusableReason;
use crate::text;

/// The letters and digits of a document, in upper case and without separators.
///
/// Letters are `A` to `Z` and `Ñ`, and `&` counts as one, as some Mexican RFCs have it. `Debug` shows the
/// length alone.
#[derive(Clone, Copy)]
pub struct DocumentNumber {
    /// What lies behind `length` means nothing.
    bytes: [u8; Self::CAPACITY],
    length: u8,
    /// How many signs stood before each of the first dashes.
    dashes: [u8; 3],
    dash_count: u8,
    /// How many signs stood before each of the first blanks.
    blanks: [u8; 3],
    blank_count: u8,
    /// Whether the digits before the first dash stood in groups of three.
    grouped: bool,
}

impl DocumentNumber {
    /// Longest number in bytes; no document of any country comes near it.
    pub const CAPACITY: usize = 40;

    const EMPTY: Self = Self {
        bytes: [0; Self::CAPACITY],
        length: 0,
        dashes: [0; 3],
        dash_count: 0,
        blanks: [0; 3],
        blank_count: 0,
        grouped: false,
    };

    /// Most zeros that are taken for lost: a spreadsheet drops all, and few numbers begin with more.
    pub const LOST_ZEROS_MAX: usize = 3;

    /// Reads what was written: drops separators, folds case, digits and accents.
    ///
    /// ```
    /// use identity_matching::DocumentNumber;
    /// assert_eq!(DocumentNumber::compact("12.531.909-k")?.as_str(), "12531909K");
    /// # Ok::<(), identity_matching::UnusableReason>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnusableReason::TooLong`], and [`UnusableReason::Malformed`] for signs that no document has.
    pub fn compact(raw: &str) -> Result<Self, UnusableReason> {
        if raw.len() > text::LONGEST_VALUE {
            return Err(UnusableReason::TooLong);
        }
        if let Some(number) = Self::of_digits(raw.as_bytes()) {
            return Ok(number);
        }
        let mut number = Self { grouped: is_grouped(raw), ..Self::EMPTY };
        if raw.is_ascii() {
            number.take_ascii(raw.as_bytes())?;
        } else {
            number.take_folded(raw)?;
        }
        // No number ends in `&`: it stands between the letters of a Mexican company's.
        while number.as_bytes().last() == Some(&b'&') {
            number.truncate(number.len() - 1);
        }
        Ok(number)
    }

    /// Takes a number that is written as digits alone, as most are.
    pub(super) fn of_digits(raw: &[u8]) -> Option<Self> {
        if raw.is_empty() || !raw.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut number = Self::EMPTY;
        number.bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        number.length = u8::try_from(raw.len()).ok()?;
        Some(number)
    }

    fn take_ascii(&mut self, raw: &[u8]) -> Result<(), UnusableReason> {
        for &byte in raw {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'&' => self.push(byte)?,
                b'a'..=b'z' => self.push(byte - 32)?,
                b'-' => note(&mut self.dashes, &mut self.dash_count, self.length),
                b' ' => note(&mut self.blanks, &mut self.blank_count, self.length),
                b'.' | b'/' | b',' | b'_' | b':' | b'\'' | b'`' | b'(' | b')' | b'\t' | b'\r'
                | b'\n' => {}
                _ => return Err(UnusableReason::Malformed),
            }
        }
        Ok(())
    }

    fn take_folded(&mut self, raw: &str) -> Result<(), UnusableReason> {
        use unicode_normalization::UnicodeNormalization;
        let mut folded = String::with_capacity(raw.len());
        text::fold(raw, &mut folded);
        for character in folded.chars() {
            match character {
                'Ñ' | 'ñ' => "Ñ".bytes().try_for_each(|byte| self.push(byte))?,
                // Number signs, `N°` and `Nº`, are separators; `fold` makes the latter `No`.
                '°' | '·' | '•' | '∙' | '´' | '\u{2018}' | '\u{2019}' | '\u{fffd}' => {}
                _ if character.is_ascii() => self.take_ascii(&[character as u8])?,
                _ => {
                    // An accented letter is its letter; other scripts have no place in a number.
                    let letter = character.nfd().next().filter(char::is_ascii_alphabetic);
                    let letter = letter.ok_or(UnusableReason::WrongAlphabet)?;
                    self.push(letter.to_ascii_uppercase() as u8)?;
                }
            }
        }
        Ok(())
    }

    /// Returns how many signs stood behind the last dash; nothing where there is none or more than three.
    #[must_use]
    pub fn behind_dash(&self) -> Option<usize> {
        let last = usize::from(self.dash_count).checked_sub(1)?;
        self.len().checked_sub(usize::from(self.dashes[last])).filter(|&signs| signs > 0)
    }

    /// Tells whether the digits, up to the first dash, stood in groups of three: `12.531.909`.
    #[must_use]
    pub const fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Pads the parts between dashes, or between blanks where there is no dash, with zeros in front; nothing where there
    /// are not as many parts, or one is longer.
    pub fn pad_groups(&mut self, lengths: &[usize]) -> Option<Reading> {
        let (ends, count) = match self.dash_count {
            0 => (self.blanks, self.blank_count),
            count => (self.dashes, count),
        };
        if usize::from(count) + 1 != lengths.len() {
            return None;
        }
        let mut padded = Self::EMPTY;
        let mut start = 0;
        for (at, &length) in lengths.iter().enumerate() {
            let end = if at + 1 == lengths.len() { self.len() } else { usize::from(ends[at]) };
            let part = self.as_bytes().get(start..end)?;
            let missing = length.checked_sub(part.len())?;
            (0..missing).try_for_each(|_| padded.push(b'0')).ok()?;
            part.iter().try_for_each(|&byte| padded.push(byte)).ok()?;
            start = end;
        }
        let changed = padded.as_bytes() != self.as_bytes();
        *self = padded;
        Some(if changed { Reading::ZEROS_RESTORED } else { Reading::new() })
    }

    fn push(&mut self, byte: u8) -> Result<(), UnusableReason> {
        let slot = self.bytes.get_mut(usize::from(self.length)).ok_or(UnusableReason::TooLong)?;
        *slot = byte;
        self.length += 1;
        Ok(())
    }

    /// Returns the number as text: personal data.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the number as bytes: personal data.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// Returns the length in bytes; `Ñ` has two.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    /// Tells whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Tells whether there is a number, and of ASCII digits alone.
    #[must_use]
    pub fn is_digits(&self) -> bool {
        !self.is_empty() && self.as_bytes().iter().all(u8::is_ascii_digit)
    }

    /// Requires digits alone.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::WrongAlphabet`].
    pub fn require_digits(&self) -> Result<(), UnusableReason> {
        if self.is_digits() { Ok(()) } else { Err(UnusableReason::WrongAlphabet) }
    }

    /// Puts lost leading zeros back until the number has `length` bytes.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::WrongLength`] when more than [`Self::LOST_ZEROS_MAX`] are missing, or it is
    /// longer already.
    pub fn restore_zeros(&mut self, length: usize) -> Result<Reading, UnusableReason> {
        self.restore_zeros_at(0, length)
    }

    /// Puts lost leading zeros back, or drops those of a fixed width, until the number has `length` bytes.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::WrongLength`] when more than [`Self::LOST_ZEROS_MAX`] are missing, or other signs than zeros
    /// are too many.
    pub fn fit_zeros(&mut self, length: usize) -> Result<Reading, UnusableReason> {
        let Some(excess) = self.len().checked_sub(length).filter(|&excess| excess > 0) else {
            return self.restore_zeros(length);
        };
        if self.as_bytes()[..excess].iter().any(|&byte| byte != b'0') {
            return Err(UnusableReason::WrongLength);
        }
        self.drop_front(excess);
        Ok(Reading::PADDING_DROPPED)
    }

    /// Puts lost zeros back behind the first `at` bytes, as behind the letter of a Spanish NIE.
    ///
    /// # Errors
    ///
    /// As [`Self::restore_zeros`].
    pub fn restore_zeros_at(
        &mut self,
        at: usize,
        length: usize,
    ) -> Result<Reading, UnusableReason> {
        let held = self.len();
        let fits = at <= held && held <= length && length <= Self::CAPACITY;
        if !fits || length - held > Self::LOST_ZEROS_MAX {
            return Err(UnusableReason::WrongLength);
        }
        if length == held {
            return Ok(Reading::default());
        }
        self.bytes.copy_within(at..held, at + length - held);
        self.bytes[at..at + length - held].fill(b'0');
        self.set_len(length);
        Ok(Reading::ZEROS_RESTORED)
    }

    /// Drops all leading zeros but the last digit.
    pub fn drop_leading_zeros(&mut self) {
        let zeros = self.as_bytes().iter().take_while(|&&byte| byte == b'0').count();
        self.drop_front(zeros.min(self.len().saturating_sub(1)));
    }

    /// Drops the first `count` bytes.
    pub fn drop_front(&mut self, count: usize) {
        let held = self.len();
        let count = count.min(held);
        self.bytes.copy_within(count..held, 0);
        self.truncate(held - count);
    }

    /// Cuts the number after `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.set_len(length.min(self.len()));
    }

    /// Appends an upper-case ASCII letter or a digit.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::WrongAlphabet`] for any other byte, [`UnusableReason::TooLong`] when full.
    pub fn append(&mut self, byte: u8) -> Result<(), UnusableReason> {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' => self.push(byte),
            _ => Err(UnusableReason::WrongAlphabet),
        }
    }

    fn set_len(&mut self, length: usize) {
        self.length = u8::try_from(length).expect("the capacity fits one byte");
    }
}

/// Notes that a sign that parts stands behind `length` signs; the first three count, several in a row once.
fn note(places: &mut [u8; 3], count: &mut u8, length: u8) {
    let repeated = *count > 0 && places[usize::from(*count) - 1] == length;
    if let Some(slot) = places.get_mut(usize::from(*count))
        && length > 0
        && !repeated
    {
        *slot = length;
        *count += 1;
    }
}

/// Tells whether the digits of a text, up to its first dash, stand in groups of three.
fn is_grouped(raw: &str) -> bool {
    let head = raw.split('-').next().unwrap_or_default().trim();
    let Some(mark) = head.chars().find(|sign| !sign.is_ascii_digit()) else { return false };
    if !matches!(mark, '.' | ',' | '\'' | '`' | '´' | '’' | ' ' | '\u{a0}' | '\u{202f}') {
        return false;
    }
    let mut groups = head.split([mark, '.', ',', '\'', '’', '`']);
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && digits(first))
        && groups.all(|group| group.len() == 3 && digits(group))
}

impl PartialEq for DocumentNumber {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for DocumentNumber {}

impl fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentNumber({} bytes)", self.length)
    }
}
