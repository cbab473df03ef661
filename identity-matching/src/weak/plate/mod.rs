//! Vehicle registration plates as weak evidence.

mod written;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::UnusableReason;
use crate::text::{LONGEST_VALUE, filler};

/// A vehicle registration plate: four to ten letters and digits, without separators.
///
/// ```
/// use identity_matching::Plate;
/// assert_eq!(Plate::parse("abc-912")?, Plate::parse("ABC 912")?);
/// # Ok::<(), identity_matching::UnusableReason>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Plate(u64);

impl Plate {
    /// Reads a plate; of several in one value, the first.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::TooLong`], [`UnusableReason::Blank`], [`UnusableReason::WrongLength`],
    /// [`UnusableReason::WrongAlphabet`] without any digit, [`UnusableReason::Malformed`] for letters of other scripts,
    /// and [`UnusableReason::Placeholder`] for `no tiene`, `0 km`, zeros alone, and one letter and one digit repeated.
    pub fn parse(raw: &str) -> Result<Self, UnusableReason> {
        let mut first = None;
        Self::parse_all(raw, |plate| {
            first.get_or_insert(plate);
        });
        first.unwrap_or(Err(UnusableReason::Blank))
    }

    /// Reads every plate of a value, or says why one gives none.
    pub(crate) fn parse_all(raw: &str, mut found: impl FnMut(Result<Self, UnusableReason>)) {
        if raw.len() > LONGEST_VALUE {
            return found(Err(UnusableReason::TooLong));
        }
        let plain =
            raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' '));
        // A dash before the last sign may part a check digit.
        let check = raw.len() > 1 && raw.as_bytes()[raw.len() - 2] == b'-';
        if plain && raw.len() <= 8 && !check {
            return found(Self::parse_signs(raw));
        }
        written::plates(raw, |text| found(Self::parse_signs(text)));
    }

    fn parse_signs(raw: &str) -> Result<Self, UnusableReason> {
        let mut signs = [0; 10];
        let mut length = 0;
        let mut fits = true;
        let mut known = true;
        for sign in raw.chars() {
            match u8::try_from(sign) {
                Ok(byte) if byte.is_ascii_alphanumeric() => {
                    match signs.get_mut(length) {
                        Some(slot) => *slot = byte.to_ascii_uppercase(),
                        None => fits = false,
                    }
                    length += 1;
                }
                // Whatever else stands between is a separator, but for letters and the signs between two plates.
                _ => known &= !sign.is_alphabetic() && !matches!(sign, ';' | '|'),
            }
        }
        let signs = &signs[..length.min(10)];
        if raw.trim().is_empty() {
            return Err(UnusableReason::Blank);
        }
        let digits = signs.iter().filter(|sign| sign.is_ascii_digit()).count();
        let none = || {
            filler::says_nothing(raw)
                || matches!(signs, b"0KM" | b"SP" | b"NUEVO" | b"NUEVA" | b"NOVO")
        };
        if digits <= 1 && none() {
            return Err(UnusableReason::Placeholder);
        }
        if !known {
            return Err(UnusableReason::Malformed);
        }
        if !fits || length < 4 {
            return Err(UnusableReason::WrongLength);
        }
        if is_placeholder(signs, digits) {
            return Err(UnusableReason::Placeholder);
        }
        if digits == 0 {
            return Err(UnusableReason::WrongAlphabet);
        }
        // Bijective base 37, so that no two plates of any length share a value.
        Ok(Self(signs.iter().fold(0, |packed, &sign| packed * 37 + value(sign))))
    }

    /// Returns what two plates of one vehicle have in common: of a Brazilian plate, the form of before Mercosur; of three
    /// letters and three digits behind a zero, as Ecuador writes them, the form without it.
    ///
    /// The fifth sign of a plate `ABC1234` became a letter, 0 to 9 by A to J: `ABC1C34`. Source: Contran, Resolução
    /// 780/2019, annex. Ecuador's plates have three letters and three digits, later ones four; forms for four digits have
    /// `PBC-0123` for `PBC-123`. That is how they are filled in, and no rule that was found: it makes weak candidates only.
    pub(crate) fn vehicle(self) -> u64 {
        let (signs, length) = self.signs();
        // From the last sign to the first: digit, digit, letter, digit, three letters.
        let digit = |at: usize| (1..=10).contains(&signs[at]);
        let letters = signs[4..7].iter().all(|&sign| sign > 10);
        let mercosur = length == 7
            && digit(0)
            && digit(1)
            && (11..=20).contains(&signs[2])
            && digit(3)
            && letters;
        if mercosur {
            return self.0 - 10 * 37 * 37;
        }
        // From the last sign to the first: three digits, a zero, three letters.
        let padded = length == 7 && (0..3).all(digit) && signs[3] == 1 && letters;
        if padded {
            let (tail, head) = (self.0 % 37_u64.pow(3), self.0 / 37_u64.pow(4));
            return head * 37_u64.pow(3) + tail;
        }
        self.0
    }

    /// Returns the plate as an integer, to be stored; never zero.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    fn signs(self) -> ([u8; 13], usize) {
        let mut signs = [0; 13];
        let mut length = 0;
        let mut rest = self.0;
        while rest > 0 && length < signs.len() {
            signs[length] = (rest % 37) as u8;
            rest /= 37;
            length += 1;
        }
        (signs, length)
    }
}

impl fmt::Display for Plate {
    /// Writes the plate without separators, `ABC123`: it leads to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signs, length) = self.signs();
        signs[..length].iter().rev().try_for_each(|&sign| {
            let sign = if sign <= 10 { b'0' + sign - 1 } else { b'A' + sign - 11 };
            write!(f, "{}", char::from(sign))
        })
    }
}

crate::weak::text_form!(Plate, Plate::parse, Plate::to_string);

impl fmt::Debug for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plate(…)")
    }
}

/// Digits are 1 to 10, letters 11 to 36.
fn value(sign: u8) -> u64 {
    u64::from(if sign.is_ascii_digit() { sign - b'0' + 1 } else { sign - b'A' + 11 })
}

/// Tells whether a plate is a filler: `ABC000`, `XXX999`.
fn is_placeholder(signs: &[u8], digits: usize) -> bool {
    let mut numerals = signs.iter().filter(|sign| sign.is_ascii_digit());
    let zeros = digits > 0 && numerals.all(|&sign| sign == b'0');
    let same = |part: &[u8]| part.windows(2).all(|pair| pair[0] == pair[1]);
    let letters = signs.iter().take_while(|sign| sign.is_ascii_uppercase()).count();
    let (head, tail) = signs.split_at(letters);
    zeros
        || tail.len() == digits && same(head) && same(tail)
        || digits == signs.len() && filler::is_repeated_or_run(signs)
}
