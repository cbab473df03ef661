//! Identifiers as people write them, drawn at random.

use rand::{Rng, RngExt};

pub(super) fn one<T: Copy>(draw: &mut impl Rng, of: &[T]) -> T {
    of[draw.random_range(0..of.len())]
}

pub(super) fn mobile(draw: &mut impl Rng) -> String {
    format!("9{:08}", draw.random_range(10_000_000..90_000_000))
}

pub(super) fn dni(draw: &mut impl Rng) -> String {
    format!("{:08}", draw.random_range(1_000_000..80_000_000))
}

pub(super) fn plate(draw: &mut impl Rng) -> String {
    let letters: String = (0..3).map(|_| char::from(draw.random_range(b'A'..=b'Z'))).collect();
    format!("{letters}-{:03}", draw.random_range(100..1_000))
}

/// A Peruvian mobile in one of the forms in which people write it.
pub(super) fn written(draw: &mut impl Rng, phone: &str) -> String {
    let (a, rest) = phone.split_at(3);
    let (b, c) = rest.split_at(3);
    match draw.random_range(0..6) {
        0 => format!("+51 {a} {b} {c}"),
        1 => format!("0051{phone}"),
        2 => format!("51{phone}"),
        3 => format!("{a}-{b}-{c}"),
        4 => phone
            .chars()
            .map(|d| char::from_u32(d as u32 - '0' as u32 + '０' as u32).unwrap_or(d))
            .collect(),
        _ => phone.to_owned(),
    }
}

/// A DNI as people give it: plain, dotted, without its leading zero, or inside a taxpayer number.
pub(super) fn written_document(draw: &mut impl Rng, dni: &str) -> (String, &'static str) {
    match draw.random_range(0..5) {
        0 => (format!("{}.{}.{}", &dni[..2], &dni[2..5], &dni[5..]), "DNI"),
        1 => (dni.trim_start_matches('0').to_owned(), "DNI"),
        2 => (ruc(dni), "RUC"),
        _ => (dni.to_owned(), "DNI"),
    }
}

/// The taxpayer number of a natural person: `10`, the DNI and the check digit (modulo 11, SUNAT).
pub(super) fn ruc(dni: &str) -> String {
    let body = format!("10{dni}");
    let sum: u32 = body
        .bytes()
        .zip([5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{body}{}", (11 - sum % 11) % 10)
}

pub(super) fn written_email(draw: &mut impl Rng, email: &str) -> String {
    match draw.random_range(0..3) {
        0 => email.to_uppercase(),
        1 => match email.split_once('@') {
            Some((local, "gmail.com")) => {
                format!("{}+promo@googlemail.com", local.replace('.', ""))
            }
            _ => email.to_owned(),
        },
        _ => email.to_owned(),
    }
}

/// A name's letters without accents, for the local part of an address.
pub(super) fn plain(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|letter| match letter {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            'ó' => 'o',
            'ú' => 'u',
            'ñ' => 'n',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_taxpayer_number_ends_in_its_check_digit() {
        // 10 + 10000001: 1·5+0·4+1·3+0·2+0·7+0·6+0·5+0·4+0·3+1·2 = 10, and 11 − 10 = 1.
        assert_eq!(ruc("10000001"), "10100000011");
    }
}
