//! Vehicle registration plates as weak evidence.

use std::fmt;

/// Is a vehicle registration plate of up to twelve letters and digits, without separators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plate(u64);

impl Plate {
    /// Reads a plate; nothing when it has under four or over twelve letters and digits, or any other sign.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let mut packed = 0_u64;
        let mut length = 0;
        for byte in raw.bytes() {
            let digit = match byte.to_ascii_uppercase() {
                digit @ b'0'..=b'9' => digit - b'0' + 1,
                letter @ b'A'..=b'Z' => letter - b'A' + 11,
                b' ' | b'-' | b'.' => continue,
                _ => return None,
            };
            length += 1;
            if length > 12 {
                return None;
            }
            packed = packed * 37 + u64::from(digit);
        }
        (length >= 4).then_some(Self(packed))
    }

    /// Returns the plate as an integer, to be stored; never zero.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plate(…)")
    }
}
