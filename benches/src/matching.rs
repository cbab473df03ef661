//! Generated persons and leads for the matching benches: the same rows for us and for the peers.
//!
//! 93 % of persons have a phone, 90 % a document, 70 % an e-mail, and 4 % of the phones are shared by a family of
//! two. 70 % of leads are known persons; a lead gives a phone in 85 %, a document in 60 %, an e-mail in 55 % of
//! cases, and 5 % of its phones are new. With hubs, thousands of persons and leads share a few values.

use std::fmt::Write;

/// One row of a generated file: any of the three identifiers, in canonical form.
#[derive(Clone, Debug, Default)]
pub struct Identifiers {
    /// The phone as nine digits.
    pub phone: Option<u32>,
    /// The document as eight digits.
    pub document: Option<u32>,
    /// The e-mail's number; its address is `u{number}@mail{number % 50}.pe`.
    pub email: Option<u32>,
}

/// Draws numbers from a fixed seed: `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// Starts at a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws a number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((((bits ^ (bits >> 31)) >> 32) * u64::from(end)) >> 32).unwrap_or(0)
    }

    /// Is true in so many of a hundred cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// Spreads a person's number over nine or eight digits, so that neighbours share nothing.
fn spread(number: u32, digits: u32) -> u32 {
    // Both factors are odd and no multiple of five, so no two numbers below the power of ten collide.
    let modulus = 10_u64.pow(digits);
    u32::try_from((u64::from(number) * 48_271_373 + 12_345_679) % modulus).unwrap_or(0)
}

fn phone_of(number: u32) -> u32 {
    900_000_000 + spread(number, 8)
}

fn document_of(number: u32) -> u32 {
    spread(number, 8)
}

const GIVEN: [&str; 32] = [
    "María", "José", "Luis", "Carmen", "Juan", "Rosa", "Carlos", "Ana", "Jorge", "Julia", "Víctor",
    "Elena", "Miguel", "Luz", "Manuel", "Gloria", "César", "Milagros", "Pedro", "Flor", "Walter",
    "Yolanda", "Percy", "Maribel", "Edwin", "Roxana", "Raúl", "Fiorella", "Hugo", "Nélida",
    "Freddy", "Wilfredo",
];
const SURNAMES: [&str; 48] = [
    "Quispe",
    "Flores",
    "Sánchez",
    "Rodríguez",
    "García",
    "Rojas",
    "Huamán",
    "Chávez",
    "Mamani",
    "Vásquez",
    "López",
    "Ramos",
    "Torres",
    "Díaz",
    "Gonzales",
    "Pérez",
    "Mendoza",
    "Espinoza",
    "Ramírez",
    "Fernández",
    "Castillo",
    "Condori",
    "Gutiérrez",
    "Ruiz",
    "Vargas",
    "Cruz",
    "Castro",
    "Silva",
    "Reyes",
    "Romero",
    "Salazar",
    "Rivera",
    "Palomino",
    "Choque",
    "Apaza",
    "Zapata",
    "Ccama",
    "Yupanqui",
    "Valverde",
    "Saavedra",
    "Villanueva",
    "Ticona",
    "Benavides",
    "Carhuapoma",
    "Ochoa",
    "Paucar",
    "Izquierdo",
    "Zevallos",
];

/// Draws a name of one or two given names and two surnames, the first ones of each list more often.
pub fn name(draw: &mut Draw) -> String {
    let mut of = |names: &[&'static str]| {
        let few = draw.below(u32::try_from(names.len()).unwrap_or(1)) + 1;
        names[draw.below(few) as usize]
    };
    let (given, father, mother) = (of(&GIVEN), of(&SURNAMES), of(&SURNAMES));
    let second = of(&GIVEN);
    if draw.chance(60) {
        format!("{given} {second} {father} {mother}")
    } else {
        format!("{given} {father} {mother}")
    }
}

/// Draws a date of birth of seventy years.
pub fn birth_date(draw: &mut Draw) -> String {
    let (year, month, day) = (1940 + draw.below(70), 1 + draw.below(12), 1 + draw.below(28));
    format!("{year}-{month:02}-{day:02}")
}

/// Draws a plate of Peru.
pub fn plate(draw: &mut Draw) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut letter = || {
        let at = draw.below(26) as usize;
        &LETTERS[at..=at]
    };
    let letters = [letter(), letter(), letter()].concat();
    format!("{letters}-{:03}", draw.below(1_000))
}

/// How many persons and leads of each hub value.
const HUBS: u32 = 3_000;

/// Generates persons, one after the other.
pub fn persons(count: u32, hubs: bool) -> impl Iterator<Item = Identifiers> {
    let mut draw = Draw::new(1);
    (0..count).map(move |at| {
        let family = at > 0 && draw.chance(4);
        let owner = if family { at - 1 } else { at };
        let phone = draw.chance(93).then(|| phone_of(owner));
        let mut person = Identifiers {
            phone,
            document: draw.chance(90).then(|| document_of(at)),
            email: draw.chance(70).then_some(at),
        };
        if hubs && at % (count / HUBS).max(1) == 0 {
            person.phone = Some(987_651_234);
        }
        if hubs && at % (count / HUBS).max(1) == 1 {
            person.email = Some(u32::MAX);
        }
        person
    })
}

/// Generates leads for so many persons, one after the other, each with the number of the person it is.
pub fn leads(
    count: u32,
    persons: u32,
    hubs: bool,
) -> impl Iterator<Item = (Option<u32>, Identifiers)> {
    let mut draw = Draw::new(2);
    (0..count).map(move |at| {
        let known = draw.chance(70);
        // Strangers have numbers of their own, above all persons.
        let number = if known { draw.below(persons) } else { persons + at };
        let new = draw.chance(5);
        let phone = if new { persons + count + at } else { number };
        let mut lead = Identifiers {
            phone: draw.chance(85).then(|| phone_of(phone)),
            document: draw.chance(60).then(|| document_of(number)),
            email: draw.chance(55).then_some(number),
        };
        if hubs && at % (count / HUBS).max(1) == 0 {
            lead.phone = Some(987_651_234);
        }
        if hubs && at % (count / HUBS).max(1) == 1 {
            lead.email = Some(u32::MAX);
        }
        (known.then_some(number), lead)
    })
}

/// Appends one CSV row: key, phone, document, e-mail; `raw` writes them as people do.
pub fn write_row(out: &mut String, key: u32, row: &Identifiers, raw: bool) {
    let _ = write!(out, "{key},");
    if let Some(phone) = row.phone {
        let (first, middle, last) = (phone / 1_000_000, phone / 1_000 % 1_000, phone % 1_000);
        let _ = match (raw, phone % 4) {
            (false, _) => write!(out, "+51{phone}"),
            (true, 0) => write!(out, "{phone}"),
            (true, 1) => write!(out, "{first} {middle:03} {last:03}"),
            (true, 2) => write!(out, "+51 {first}-{middle:03}-{last:03}"),
            (true, _) => write!(out, "0051{phone}"),
        };
    }
    out.push(',');
    if let Some(document) = row.document {
        let _ = write!(out, "{document:08}");
    }
    out.push(',');
    if let Some(email) = row.email {
        let upper = if raw && email % 3 == 0 { "U" } else { "u" };
        let _ = write!(out, "{upper}{email}@mail{}.pe", email % 50);
    }
    out.push('\n');
}
