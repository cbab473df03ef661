//! Numbers with a prefix too many, and of a numbering plan that was reformed: today's number behind them, as an alias.
//!
//! | what was written | read as | source |
//! |---|---|---|
//! | the country code twice, `+51 51 987…` | once | ITU-T E.164, which has none twice |
//! | `00` or `011` where the region dials otherwise | `+` | ITU-T E.123; NANPA |
//! | a mobile of another country of the language without its `+`, `58 414…` in Peru | with it | ITU-T E.164; WhatsApp, "How to use click to chat", by whose rule numbers stand in many files |
//! | a trunk `0` behind the country code, or in a plan that has none any more | without | ITU-T E.123, 2.4; Subtel, nine digits everywhere since 6 February 2016 |
//! | three zeros or more, of a fixed width | without | ITU-T E.164: no prefix has three |
//! | Argentina: `9`, area code and `15` together | without `15` | ENACOM, Plan Fundamental de Numeración Nacional |
//! | Argentina: area codes of four digits that became three | `4` and the number behind the new one | Secretaría de Comunicaciones, Resolución 25/2011; carried out by the CNC from November 2011 to May 2012 |
//! | Chile: mobiles of eight digits, Santiago with seven | `9` or `2` in front | Subtel, Plan Técnico Fundamental de Numeración, and nine digits everywhere since 6 February 2016 |
//! | Colombia: area code of one digit | `60` in front | CRC, Resolución 5826/2019, in force since 1 September 2021 |

use super::alias;
use super::number::{Outcome, Phone};
use super::plan;
use crate::key::Reading;
use crate::key::UnusableReason;
use crate::text::Region;

const CHILE: u16 = 56;
const COLOMBIA: u16 = 57;
const ARGENTINA: u16 = 54;

/// Reads digits that no plan assigns as they are; nothing where no form fits one.
pub(super) fn read(digits: &str, plus: bool, region: Option<Region>) -> Option<Outcome> {
    let mut fitting: Option<(Phone, Reading)> = None;
    let mut several = false;
    forms(digits, plus, region, &mut |international, mark| {
        let Ok(phone) = plan::number(international, true, None) else { return };
        match &fitting {
            None => fitting = Some((phone, mark)),
            Some((known, _)) => several |= known.e164() != phone.e164(),
        }
    });
    let (phone, mark) = fitting?;
    if several {
        return Some(Outcome::unusable(UnusableReason::Ambiguous));
    }
    let phone = Phone { reading: mark, ..phone };
    Some(match alias::subscriber(phone) {
        Some(subscriber) if mark == Reading::LEGACY_FORM => {
            Outcome::Subscriber { subscriber, country_code: phone.country_code, reading: mark }
        }
        _ => Outcome::Alias(phone),
    })
}

/// Lists the international numbers that may be meant.
fn forms(digits: &str, plus: bool, region: Option<Region>, form: &mut dyn FnMut(&str, Reading)) {
    let home = plan::country_code(region);
    let bare = digits.trim_start_matches('0');
    if !plus && digits.len() >= bare.len() + 3 && plan::number(bare, false, region).is_ok() {
        return form(&format!("{home}{bare}"), Reading::PADDING_DROPPED);
    }
    let dialled = ["00", "011"].iter().find_map(|prefix| digits.strip_prefix(prefix));
    if let Some(rest) = dialled {
        let rest = rest.trim_start_matches('0');
        form(rest, Reading::INTERNATIONAL_PREFIX);
        from_abroad(rest, form);
    }
    if plus {
        from_abroad(digits, form);
    } else if home > 0 {
        let code = home.to_string();
        if let Some(national) = digits.strip_prefix(&code) {
            behind_code(home, national, form);
        }
        let national = digits.strip_prefix('0').unwrap_or(digits);
        if national.len() < digits.len() {
            form(&format!("{code}{national}"), Reading::TRUNK_PREFIX);
            // A zero before the country code: `(051) 987…`.
            if national.starts_with(&code) {
                form(national, Reading::TRUNK_PREFIX);
            }
            legacy(home, digits, form);
        }
        legacy(home, national, form);
        if is_mobile_of_neighbour(digits, &code) {
            form(digits, Reading::COUNTRY_CODE);
        }
    }
}

/// Tells whether digits are a mobile number of a country from which people move to one another, behind its country code.
///
/// Twelve digits at least, as no number of the region's own has with a digit too many or an extension.
fn is_mobile_of_neighbour(digits: &str, home: &str) -> bool {
    const NEIGHBOURS: [&str; 12] =
        ["51", "52", "54", "55", "56", "57", "58", "591", "593", "595", "598", "351"];
    (12..=13).contains(&digits.len())
        && !digits.starts_with(home)
        && NEIGHBOURS.iter().any(|code| digits.starts_with(code))
        && plan::usage(digits, true, None) == Some(plan::Use::Mobile)
}

fn from_abroad(digits: &str, form: &mut dyn FnMut(&str, Reading)) {
    let code = (1..=3).find_map(|length| {
        let code = digits.get(..length)?.parse().ok()?;
        plan::is_country_code(code).then_some(code)
    });
    if let Some(code) = code {
        behind_code(code, &digits[code.to_string().len()..], form);
    }
}

/// Lists what may be meant by a national number behind its country code.
fn behind_code(code: u16, national: &str, form: &mut dyn FnMut(&str, Reading)) {
    let own = code.to_string();
    let inner = national.trim_start_matches('0');
    if let Some(rest) = inner.strip_prefix(&own) {
        form(inner, Reading::PREFIX_TWICE);
        if let Some(rest) = rest.strip_prefix(&own) {
            form(&format!("{own}{rest}"), Reading::PREFIX_TWICE);
        }
    }
    if inner.len() < national.len() {
        form(&format!("{own}{inner}"), Reading::TRUNK_PREFIX);
    }
    if code == ARGENTINA
        && let Some(rest) = national.strip_prefix("90")
    {
        form(&format!("{own}9{rest}"), Reading::TRUNK_PREFIX);
    }
    legacy(code, national, form);
}

fn legacy(code: u16, national: &str, form: &mut dyn FnMut(&str, Reading)) {
    let mut today = |national: &str| form(&format!("{code}{national}"), Reading::LEGACY_FORM);
    if let Some(modern) = alias::modernise(code, national) {
        today(&modern);
    }
    match code {
        ARGENTINA => argentina(national, &mut today),
        CHILE => chile(national, &mut today),
        COLOMBIA => {
            // A carrier's digit behind the trunk prefix `0`.
            let carrier = national.len() == 9 && national.starts_with(['3', '5', '7', '9']);
            let national = if carrier { &national[1..] } else { national };
            if national.len() == 8 && national.starts_with(['1', '2', '4', '5', '6', '7', '8']) {
                today(&format!("60{national}"));
            }
        }
        _ => {}
    }
}

fn argentina(national: &str, today: &mut dyn FnMut(&str)) {
    /// Area codes of four digits, and those of three that took their place; the number got a `4` in front.
    ///
    /// Source: the CNC named 21 areas in three phases, of which 18 got three digits, and the new codes of the third phase
    /// (Formosa, Catamarca, La Rioja, San Nicolás, Tandil, Junín, Pilar, Escobar) on 1 April 2012. No published list was
    /// found for the pairs of the first two phases: they are the codes of these towns before and after, and each form
    /// must be a number of today's plan, as an alias.
    ///
    /// Not here: Bariloche (2944 to 294), whose numbers read the same before and after, and three areas whose code
    /// became another one of four digits (2011: Tartagal, San Pedro de Jujuy, Bell Ville), as the old forms are numbers of
    /// their neighbours today.
    const AREAS: [(&str, &str); 17] = [
        ("2293", "249"),
        ("2322", "230"),
        ("2362", "236"),
        ("2623", "263"),
        ("2627", "260"),
        ("2652", "266"),
        ("2941", "298"),
        ("2965", "280"),
        ("3461", "336"),
        ("3488", "348"),
        ("3717", "370"),
        ("3722", "362"),
        ("3732", "364"),
        ("3752", "376"),
        ("3783", "379"),
        ("3822", "380"),
        ("3833", "383"),
    ];
    let (mobile, number) = match national.strip_prefix('9') {
        Some(rest) if national.len() > 10 => ("9", rest),
        _ => ("", national),
    };
    let mut with_area = |mobile: &str, number: &str| {
        if let Some((old, area)) = AREAS.iter().find(|(old, _)| number.starts_with(old)) {
            today(&format!("{mobile}{area}4{}", &number[old.len()..]));
        } else if !mobile.is_empty() {
            today(&format!("{mobile}{number}"));
        }
    };
    let number = number.strip_prefix('0').filter(|rest| rest.len() == 12).unwrap_or(number);
    if number.len() == 10 {
        with_area(mobile, number);
    } else if number.len() == 12 {
        for area in 2..=4 {
            if number.get(area..area + 2) == Some("15") {
                with_area("9", &format!("{}{}", &number[..area], &number[area + 2..]));
            }
        }
    }
}

fn chile(national: &str, today: &mut dyn FnMut(&str)) {
    /// Area codes outside Santiago: behind them, eight digits may be a landline without its `2`.
    const AREAS: [&str; 23] = [
        "32", "33", "34", "35", "41", "42", "43", "44", "45", "51", "52", "53", "55", "57", "58",
        "61", "63", "64", "65", "67", "71", "72", "75",
    ];
    if national.len() != 8 {
        return;
    }
    if national.starts_with('2') {
        today(&format!("2{national}"));
    } else if national.starts_with(['5', '6', '7', '8', '9'])
        && !AREAS.iter().any(|area| national.starts_with(area))
        && !national.starts_with("73")
    {
        today(&format!("9{national}"));
    }
}
