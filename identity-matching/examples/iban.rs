//! A bank account as a strong kind: an IBAN with its check digits, declared as data in a policy.
//!
//! `cargo run -p identity-matching --features toml --example iban`

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use std::error::Error;

use identity_matching::{
    DeterministicMatcher, KeyKind, Matcher, Normaliser, Policy, Record, Region,
    index::InMemoryIndex,
};

/// The whole policy: an account is a key of its own, below documents, and two accounts of one person are allowed.
const POLICY: &str = r#"
version = "accounts-1"
precedence = ["document", "iban", "phone", "email"]

[[own_kinds]]
code = "iban"
columns = ["iban", "account"]
characters = "letters_and_digits"
lengths = [15, 34]
check = "iban" # ISO 13616: the third and fourth sign, MOD 97-10

[kinds.iban]
max_persons_per_key = 2 # a joint account

[[rules]]
name = "DOCUMENT_EXACT"
require = ["document exact"]
grant = "high"

[[rules]]
name = "IBAN_EXACT"
require = ["iban exact"]
veto = ["document"]
grant = "high"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let iban: KeyKind = "iban".parse()?;
    let policy = Policy::from_toml(POLICY)?;
    let normaliser = Normaliser::new(policy.normalise_options(Region::parse("ES")?))?;

    let ana = Record::default().with(iban, "ES91 2100 0418 4502 0005 1332");
    let mut population = InMemoryIndex::builder();
    population.add("ANA", &normaliser.normalise(&ana))?;
    let matcher = DeterministicMatcher::new(population.build()?, normaliser, policy)?;

    let found = matcher.decide_one(&Record::default().with(iban, "es9121000418450200051332"))?;
    assert_eq!(found.outcome.person(), Some("ANA"));
    assert_eq!(found.outcome.rule().map(AsRef::as_ref), Some("IBAN_EXACT"));

    // One digit is wrong, which the check digits show: no key, and the reason is told.
    let typo = Record::default().with(iban, "ES91 2100 0418 4502 0005 1333");
    let nobody = matcher.explain(&typo)?;
    assert_eq!(nobody.decision.outcome.code(), "MISSING_IDENTIFIERS");
    println!("{nobody}");
    Ok(())
}

#[test]
fn an_account_decides_with_its_check_digits() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
