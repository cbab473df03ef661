//! Assigned numbers that nobody has: one digit repeated, runs, and those kept for fiction.

/// Tells whether an assigned national number is a placeholder.
///
/// One digit repeated: all of the number, or its last eight (`900000000`, `+55 11 99999-9999`). Runs: all of
/// the number, up or down, except `987654321`, which a Peruvian operator assigns like any other. And the
/// North American `555-0100` to `555-0199` and `555-1212`, kept for fiction and directory assistance
/// (source: ATIS-0300115).
pub(crate) fn is_phone(country_code: u16, national: u64, length: u8) -> bool {
    const REPEATED: u64 = 11_111_111;
    if country_code == 1 && matches!(national % 10_000_000, 5_550_100..=5_550_199 | 5_551_212) {
        return true;
    }
    // Most numbers are settled by their last two digits.
    let step = STEPS[(national % 100) as usize];
    if !matches!(step, 0 | 1 | 9) {
        return false;
    }
    if step == 0 && length >= 8 && (national % 100_000_000).is_multiple_of(REPEATED) {
        return true;
    }
    if national == 987_654_321 {
        return false;
    }
    let mut rest = national / 10;
    (2..length).all(|_| {
        let pair = STEPS[(rest % 100) as usize];
        rest /= 10;
        pair == step
    })
}

/// How far the last of two digits lies behind the first, modulo ten.
static STEPS: [u8; 100] = {
    let mut steps = [0; 100];
    let mut pair = 0;
    while pair < 100 {
        steps[pair as usize] = (pair % 10 + 10 - pair / 10) % 10;
        pair += 1_u8;
    }
    steps
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_digits_and_runs_are_placeholders() {
        for (national, length) in [
            (999_999_999, 9),
            (900_000_000, 9),
            (123_456_789, 9),
            (1_234_567_890, 10),
            (9_876_543_210, 10),
            (3_333_333, 7),
        ] {
            assert!(is_phone(51, national, length), "{national}");
        }
        for national in [987_654_321, 912_345_678, 987_123_456] {
            assert!(!is_phone(51, national, 9), "{national}");
        }
        assert!(is_phone(1, 2_025_550_123, 10));
    }
}
