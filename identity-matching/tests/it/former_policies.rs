//! Policies of the former form: each of their fields is refused with the new form that means the same.

use identity_matching::{
    AddressUse, Agree, Confidence, Differ, Field, KeyKind, Policy, PolicyError, PolicyRules, Rule,
};

/// Reads the new form that the refusal of a former policy writes out.
fn rewritten(former: &str) -> PolicyRules {
    let error = Policy::from_toml(former).unwrap_err();
    let said = error.to_string();
    let PolicyError::Former { written } = error else { panic!("{former}: {said}") };
    assert!(said.ends_with(&written), "the message carries the new form");
    Policy::from_toml(&written).unwrap().into()
}

/// Asserts what a former policy means, as a change of today's default.
#[track_caller]
fn means(former: &str, change: impl FnOnce(&mut PolicyRules)) {
    let mut rules = PolicyRules::default();
    change(&mut rules);
    let expected: PolicyRules = Policy::new(rules).unwrap().into();
    assert_eq!(rewritten(former), expected, "{former}");
}

fn without(name: &Rule) -> impl FnOnce(&mut PolicyRules) {
    move |rules| rules.rules.retain(|rule| rule.name != *name)
}

#[test]
fn kinds_were_sections_with_caps_and_switches() {
    means("version = \"7\"\n[phone]", |rules| rules.version = "7".into());
    means("[phone]\nenabled = true\nequivalents = true", |_| ());
    means("[document]\nmax_persons_per_key = 2\ncorroboration_cap = 9", |rules| {
        let document = rules.kind_mut(KeyKind::DOCUMENT);
        (document.max_persons_per_key, document.corroboration_cap) = (2, 9);
    });
    means("[email]\nmax_persons_per_key = 4", |rules| {
        rules.kind_mut(KeyKind::EMAIL).max_persons_per_key = 4;
    });
    means("[phone]\ncorroboration_cap = 7", |rules| {
        rules.kind_mut(KeyKind::PHONE).corroboration_cap = 7;
    });
    means("[phone]\nequivalents = false", without(&Rule::PHONE_ALIAS));
    means("[document]\nequivalents = false", without(&Rule::DOCUMENT_DERIVED));
    for kind in KeyKind::BUILT_IN {
        means(&format!("[{kind}]\nenabled = false"), |rules| {
            *rules = std::mem::take(rules).without_kind(kind);
        });
    }
    means("precedence = [\"phone\", \"document\", \"email\"]\n[phone]", |rules| {
        rules.precedence.swap(0, 1);
        rules.rules[..4].rotate_left(2);
    });
    // A kind that was switched off stood in the precedence all the same.
    means("precedence = [\"email\", \"phone\", \"document\"]\n[phone]\nenabled = false", |rules| {
        *rules = std::mem::take(rules).without_kind(KeyKind::PHONE);
        rules.precedence.swap(0, 1);
        rules.rules[..3].rotate_left(2);
    });
}

#[test]
fn contradictions_were_a_section() {
    let documents = Differ::Kind(KeyKind::DOCUMENT);
    means("[contradiction]\ndocument = true\nbirth_date = false", |_| ());
    means("[contradiction]\ndocument = false", |rules| {
        for rule in &mut rules.rules {
            rule.veto.retain(|differ| *differ != documents);
        }
    });
    means("[contradiction]\nbirth_date = true", |rules| {
        for rule in &mut rules.rules {
            if rule.name != Rule::NAME_BIRTH_DATE {
                rule.veto.push(Differ::BirthDate);
            }
        }
    });
    // A rule that asks for a name as similar as that has no use for the veto.
    for (below, of_plate, of_date) in [(0.66, false, false), (0.7, true, false), (0.81, true, true)]
    {
        means(&format!("[contradiction]\nname_similarity_below = {below}"), |rules| {
            for (at, rule) in rules.rules.iter_mut().enumerate() {
                if at < 5 || if at == 6 { of_date } else { of_plate } {
                    rule.veto.push(Differ::Name(below));
                }
            }
        });
    }
    means("[contradiction]\nexempt_documents = [\"PE DNI\"]", |rules| {
        rules.kind_mut(KeyKind::DOCUMENT).exempt = Some(vec!["PE DNI".into()]);
    });
    // Nothing is exempt of a kind that is not used.
    means("[document]\nenabled = false\n[contradiction]\nexempt_documents = [\"DNI\"]", |rules| {
        *rules = std::mem::take(rules).without_kind(KeyKind::DOCUMENT);
    });
}

#[test]
fn weak_evidence_was_a_section_of_each_rule() {
    means("[phone]\n[weak]\nphone_tail_digits = 7\nmax_persons_per_key = 12", |rules| {
        rules.weak.phone_tail_digits = 7;
        rules.weak.max_persons_per_key = 12;
    });
    for (section, name) in [
        ("plate_name", &Rule::PLATE_NAME),
        ("name_birth_date", &Rule::NAME_BIRTH_DATE),
        ("phone_tail", &Rule::PHONE_TAIL),
        ("email", &Rule::EMAIL_WEAK),
    ] {
        means(&format!("[weak.{section}]\nenabled = true"), |_| ());
        means(&format!("[weak.{section}]\nenabled = false"), without(name));
        means(&format!("[weak.{section}]\nmin_name_similarity = 0.9"), |rules| {
            for agree in &mut rules.rule_mut(name).unwrap().agree {
                match agree {
                    Agree::Name(least) | Agree::NameWhereGiven(least) => *least = 0.9,
                    _ => {}
                }
            }
        });
    }
}

#[test]
fn grades_were_a_table_by_rule() {
    means("[accept]\nDOCUMENT_EXACT = \"high\"\nPLATE_NAME = \"low\"", |rules| {
        for rule in &mut rules.rules {
            rule.grant = None;
        }
        rules.rule_mut(&Rule::DOCUMENT_EXACT).unwrap().grant = Some(Confidence::High);
        rules.rule_mut(&Rule::PLATE_NAME).unwrap().grant = Some(Confidence::Low);
    });
}

#[test]
fn addresses_and_placeholders_stay() {
    let former = "[phone]\n[addresses]\nroles = \"weak\"\n[placeholders]\nphones = [\"987654312\"]\n\
                  documents = [\"45678913\"]\nemails = [\"@own-company.pe\"]";
    means(former, |rules| {
        rules.addresses.roles = AddressUse::Weak;
        for (field, value) in [
            (Field::PHONE, "987654312"),
            (Field::DOCUMENT, "45678913"),
            (Field::EMAIL, "@own-company.pe"),
        ] {
            rules.placeholders = std::mem::take(&mut rules.placeholders).with(field, [value]);
        }
    });
}

#[test]
fn what_a_former_policy_could_not_say_either_is_refused_as_it_is() {
    let refused = |text| Policy::from_toml(text).unwrap_err();
    // A value that nothing can mean, by its new place.
    let said = refused("[phone]\nmax_persons_per_key = 0").to_string();
    assert!(said.contains("`kinds.phone.max_persons_per_key`"), "{said}");
    // A list of rules beside sections of kinds is of neither form.
    for text in
        ["rules = []\n[phone]", "[phone]\nmost = 3", "[weak.plate_name]\nlike = 0.7", "[phones]"]
    {
        assert!(matches!(refused(text), PolicyError::Syntax { .. }), "{text}");
    }
    let json = Policy::from_json("{\"phone\": {\"enabled\": false}}").unwrap_err();
    assert!(matches!(json, PolicyError::Former { .. }));
}
