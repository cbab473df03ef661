//! Our phones against those of `phonenumbers`, the Python port of libphonenumber, where it is installed.
//!
//! `pip install phonenumbers` installs it. Where it is missing the test says so and is left out; under
//! `CI=true` it fails.

use std::collections::BTreeMap;
use std::process::Command;

use identity_matching::{KeyForm, NormaliseOptions, Normaliser, Record, Region, UnusableReason};

/// Prints region, E.164 form (`-` where the number is not valid) and a way to write it, for an example of each kind
/// of number in each region and for neighbours of it.
const SCRIPT: &str = "
import random
import phonenumbers as p
from phonenumbers import PhoneNumberFormat as F, PhoneNumberType as T
draw = random.Random(7)
for region in sorted(p.SUPPORTED_REGIONS):
    for kind in (T.MOBILE, T.FIXED_LINE, T.TOLL_FREE, T.VOIP):
        example = p.example_number_for_type(region, kind)
        if example is None:
            continue
        digits = p.national_significant_number(example)
        for _ in range(12):
            text = digits[:-4] + ''.join(draw.choice('0123456789') for _ in range(4))
            number = p.parse('+%d%s' % (example.country_code, text))
            e164 = p.format_number(number, F.E164)
            valid = e164 if p.is_valid_number(number) else '-'
            forms = [F.E164, F.INTERNATIONAL, F.RFC3966]
            if valid != '-' and p.is_valid_number_for_region(number, region):
                forms.append(F.NATIONAL)
            for form in forms:
                print(region, valid, p.format_number(number, form), sep='\\t')
";

#[test]
fn phones_are_those_of_the_python_port() {
    let printed = Command::new("python3").args(["-c", SCRIPT]).output();
    let Some(printed) = printed.ok().filter(|printed| printed.status.success()) else {
        let why = "phonenumbers is not installed: the comparison with it was LEFT OUT";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        // Past the harness, which keeps what a passing test prints to itself.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{why}\n").as_bytes());
        return;
    };
    let printed = String::from_utf8(printed.stdout).expect("python3 writes UTF-8");
    let mut normalisers: BTreeMap<&str, Normaliser> = BTreeMap::new();
    let (mut compared, mut differing) = (0, Vec::new());
    for line in printed.lines() {
        let [region, theirs, text] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("unexpected line {line}");
        };
        let normaliser = normalisers.entry(region).or_insert_with(|| {
            let options = Region::parse(region).map(NormaliseOptions::for_region);
            Normaliser::new(options.unwrap_or_default())
                .expect("a region alone contradicts nothing")
        });
        let read =
            normaliser.normalise(&Record { phones: vec![text.to_owned()], ..Record::default() });
        if read.unusable().iter().any(|value| value.reason == UnusableReason::Placeholder) {
            continue; // no question of a numbering plan
        }
        compared += 1;
        let exact = read.keys().iter().filter(|held| held.form == KeyForm::Exact);
        let exact: Vec<_> = exact.filter_map(|held| read.text(held.key)).collect();
        let agrees = if theirs == "-" { exact.is_empty() } else { exact == [theirs] };
        if !agrees {
            differing.push(format!("{line}: {exact:?} {:?}", read.unusable()));
        }
    }
    assert!(compared > 20_000, "{compared}");
    assert!(differing.is_empty(), "{} of {compared}: {differing:#?}", differing.len());
}
