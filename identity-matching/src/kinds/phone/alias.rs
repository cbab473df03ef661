//! Subscribers behind the legacy forms of a number, where E.164 gives one line several.
//!
//! | country | forms of one line | subscriber | source |
//! |---|---|---|---|
//! | Argentina | with and without the mobile `9`; `15` behind the area code | without `9` | ENACOM, Plan Fundamental de Numeración Nacional |
//! | Mexico | `+52 1`, `044`, `045`, `01` before the ten digits, abolished on 3 August 2019 | the ten digits | IFT, Plan Técnico Fundamental de Numeración |
//! | Brazil | mobiles of eight digits, given a leading `9` from 2012 to 2016 | nine digits | Anatel, Resolução 553/2010 |

use super::number::Phone;

const ARGENTINA: u16 = 54;
const BRAZIL: u16 = 55;
const MEXICO: u16 = 52;

/// Returns the subscriber of an assigned number, for countries in which a line has several forms.
pub(super) fn subscriber(phone: Phone) -> Option<u64> {
    let national = phone.national;
    match (phone.country_code, phone.national_length) {
        (ARGENTINA, 11) if national / 10_000_000_000 == 9 => {
            Some(u64::from(ARGENTINA) * 10_000_000_000 + national % 10_000_000_000)
        }
        (ARGENTINA | MEXICO, 10) => Some(phone.e164()),
        (BRAZIL, 11) if national / 100_000_000 % 10 == 9 => Some(phone.e164()),
        _ => None,
    }
}

/// Returns today's national number behind a legacy form that is no longer assigned.
pub(super) fn modernise(country_code: u16, national: &str) -> Option<String> {
    match (country_code, national.as_bytes()) {
        (MEXICO, _) => {
            let today = ["1", "01", "044", "045", "52"]
                .iter()
                .find_map(|prefix| national.strip_prefix(prefix).filter(|rest| rest.len() == 10))?;
            Some(today.to_owned())
        }
        (BRAZIL, [_, _, b'6'..=b'9', ..]) if national.len() == 10 => {
            Some(format!("{}9{}", &national[..2], &national[2..]))
        }
        _ => None,
    }
}
