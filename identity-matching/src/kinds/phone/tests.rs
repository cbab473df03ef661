//! The fast path against the slow one.

use proptest::prelude::*;

use super::number::{Outcome, Phone};
use super::plans::PLANS;
use super::{fast, written};
use crate::text::Region;

fn read_slowly(raw: &str, region: Option<Region>) -> Option<Phone> {
    let mut read = Vec::new();
    written::read(raw, region, &mut |found| read.push(found));
    match read[..] {
        [Outcome::Number(phone)] => Some(phone),
        _ => None,
    }
}

/// Numbers as people write them, most of them near to a plan of the table.
fn numbers() -> impl Strategy<Value = (String, Option<Region>)> {
    let number = (0..PLANS.len(), any::<usize>(), 6_usize..13, 0_usize..6, any::<u32>()).prop_map(
        |(at, seed, length, form, punctuation)| {
            let plan = &PLANS[at];
            let mut national = format!("{seed:020}")[20 - length..].to_owned();
            let (plan_length, ranges) = plan.lengths[seed % plan.lengths.len()];
            if seed % 4 != 0 {
                // A prefix of the table, or one beside it.
                let range = ranges[(seed / 7) % ranges.len()];
                let prefix = if seed % 3 == 0 { range[1] + 1 } else { range[0] };
                national = format!("{:020}", seed / 11)[20 - usize::from(plan_length)..].to_owned();
                national.replace_range(..4, &format!("{prefix:04}")[..4]);
            }
            let text = match form {
                0 => format!("+{}{national}", plan.code),
                1 => format!("00{}{national}", plan.code),
                2 => format!("{}{national}", plan.code),
                3 => format!("0{national}"),
                _ => national,
            };
            // Every second one is of digits alone, as most are.
            let punctuation = if seed / 13 % 2 == 0 { !0 } else { punctuation };
            let mut out = String::new();
            for (at, digit) in text.chars().enumerate() {
                out.push(digit);
                match punctuation >> (at % 28) & 0xf {
                    0 => out.push(' '),
                    1 => out.push('-'),
                    2 if at > 0 => out.push('.'),
                    3 if at > 0 => out.push_str(" ("),
                    4 if at > 0 => out.push(')'),
                    _ => {}
                }
            }
            (out, at)
        },
    );
    (number, 0..PLANS.len() * 3).prop_map(|((text, at), other)| {
        let region = match other {
            other if other < PLANS.len() => Some(Region::known(PLANS[other].region)),
            other if other % 5 == 0 => None,
            _ => Some(Region::known(PLANS[at].region)),
        };
        (text, region)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_fast_path_never_differs_from_libphonenumber((raw, region) in numbers()) {
        if let Some(phone) = fast::read(raw.as_bytes(), region) {
            prop_assert_eq!(Some(phone), read_slowly(&raw, region), "{} in {:?}", raw, region);
        }
    }

    #[test]
    fn the_fast_path_agrees_on_any_digits_and_punctuation(
        raw in "[+]?[0-9 ().+-]{5,20}", at in 0..PLANS.len()
    ) {
        let region = Some(Region::known(PLANS[at].region));
        if let Some(phone) = fast::read(raw.as_bytes(), region) {
            prop_assert_eq!(Some(phone), read_slowly(&raw, region), "{} in {:?}", raw, region);
        }
    }
}

#[test]
fn every_prefix_of_the_table_is_assigned_by_libphonenumber() {
    // A multiplicative sequence, so that the digits behind the prefix differ from one to the next.
    let mut tail = 1_u64;
    for plan in PLANS {
        for &(length, ranges) in plan.lengths {
            for prefix in ranges.iter().flat_map(|&[first, last]| first..=last) {
                tail = tail * 48_271 % 2_147_483_647;
                let digits = usize::from(length) - 4;
                let rest = &format!("{tail:020}")[20 - digits..];
                let raw = format!("+{}{prefix}{rest}", plan.code);
                let phone = fast::read(raw.as_bytes(), None);
                assert!(phone.is_some(), "{raw}");
                assert_eq!(phone, read_slowly(&raw, None), "{raw}");
            }
        }
    }
}

#[test]
fn the_usual_forms_take_the_fast_path() {
    let peru = Region::known(*b"PE");
    for raw in ["987 654 321", "+51-987654321", "0051987654321", "51987654321", "(987) 654.321"] {
        let phone = fast::read(raw.as_bytes(), Some(peru)).expect(raw);
        assert_eq!(phone.e164(), 51_987_654_321, "{raw}");
    }
}
