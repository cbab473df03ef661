//! What a policy is refused for, at the edge of each limit: the last value that is allowed beside the first that is not.

use identity_matching::{
    Differ, Field, KeyKind, KindRules, MatchRule, OwnKindRules, Placeholders, Policy, PolicyError,
    PolicyRules, Rule,
};

/// Returns the path that is refused, and nothing for a policy that is allowed.
fn refused(change: impl FnOnce(&mut PolicyRules)) -> Option<String> {
    let mut rules = PolicyRules::default();
    change(&mut rules);
    Policy::new(rules).err().map(|error| match error {
        PolicyError::Rule { rule, value, remedy } => {
            assert!(!value.is_empty() && !remedy.is_empty(), "{rule}");
            rule
        }
        other => panic!("{other}"),
    })
}

#[track_caller]
fn refuses(path: &str, change: impl FnOnce(&mut PolicyRules)) {
    assert_eq!(refused(change).as_deref(), Some(path));
}

#[track_caller]
fn allows(change: impl FnOnce(&mut PolicyRules)) {
    assert_eq!(refused(change), None);
}

/// Reads a rule as a policy writes it: its name, and lists parted by commas.
fn rule(name: &str, require: &str, agree: &str, veto: &str) -> MatchRule {
    fn list<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
        text.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().unwrap()).collect()
    }
    MatchRule {
        require: list(require),
        agree: list(agree),
        veto: list(veto),
        ..MatchRule::named(name.parse().unwrap())
    }
}

fn granting(rule: MatchRule) -> MatchRule {
    MatchRule { grant: Some(identity_matching::Confidence::High), ..rule }
}

fn loyalty() -> KeyKind {
    "loyalty".parse().unwrap()
}

#[test]
fn a_version_has_1_to_64_characters_and_none_that_controls() {
    for version in ["", &"v".repeat(65), "1\n2", "\u{7}"] {
        refuses("version", |rules| version.clone_into(&mut rules.version));
    }
    for version in ["1", &"v".repeat(63), &"ñ".repeat(64)] {
        allows(|rules| version.clone_into(&mut rules.version));
    }
}

#[test]
fn a_precedence_lists_1_to_16_kinds_each_once() {
    let kinds = |count: usize| -> Vec<KeyKind> {
        (0..count).map(|at| format!("kind_{at}").parse().unwrap()).collect()
    };
    let listed = |count| {
        move |rules: &mut PolicyRules| {
            *rules = kinds(count).into_iter().fold(PolicyRules::default(), |rules, kind| {
                rules.with_kind(kind, KindRules::default())
            });
        }
    };
    allows(listed(13));
    refuses("precedence", listed(14));
    refuses("precedence", |rules| rules.precedence.clear());
    refuses("precedence", |rules| rules.precedence[2] = KeyKind::DOCUMENT);
    allows(|rules| *rules = PolicyRules::default().without_kind(KeyKind::EMAIL));
}

#[test]
fn caps_are_1_to_10000_and_the_second_at_least_the_first() {
    let caps = |max, more| {
        move |rules: &mut PolicyRules| {
            let phone = rules.kind_mut(KeyKind::PHONE);
            (phone.max_persons_per_key, phone.corroboration_cap) = (max, more);
        }
    };
    for (max, more) in [(1, 1), (1, 10_000), (10_000, 10_000), (7, 8)] {
        allows(caps(max, more));
    }
    refuses("kinds.phone.max_persons_per_key", caps(0, 5));
    refuses("kinds.phone.max_persons_per_key", caps(10_001, 10_001));
    refuses("kinds.phone.corroboration_cap", caps(1, 10_001));
    refuses("kinds.phone.corroboration_cap", caps(1, 0));
    refuses("kinds.phone.corroboration_cap", caps(8, 7));
    for cap in [0, 10_001] {
        refuses("weak.max_persons_per_key", |rules| rules.weak.max_persons_per_key = cap);
    }
    allows(|rules| rules.weak.max_persons_per_key = 1);
    for digits in [0, 5, 13] {
        refuses("weak.phone_tail_digits", |rules| rules.weak.phone_tail_digits = digits);
    }
    for digits in [6, 12] {
        allows(|rules| rules.weak.phone_tail_digits = digits);
    }
}

#[test]
fn only_documents_are_exempt_and_only_by_type_or_by_country_and_type() {
    let exempt = |kind, name: &str| {
        let names = vec!["PASSPORT".to_owned(), name.to_owned()];
        move |rules: &mut PolicyRules| rules.kind_mut(kind).exempt = Some(names)
    };
    for name in ["DNI", "PE DNI", " pe  dni ", "7", "PE 7"] {
        allows(exempt(KeyKind::DOCUMENT, name));
    }
    for name in ["", " ", "-", "PE -", "QQ DNI", "DNI PE", "PE DNI 1", "PE DNI DNI"] {
        refuses("kinds.document.exempt[1]", exempt(KeyKind::DOCUMENT, name));
    }
    refuses("kinds.phone.exempt[0]", exempt(KeyKind::PHONE, "DNI"));
    allows(|rules| rules.kind_mut(KeyKind::PHONE).exempt = Some(Vec::new()));
}

#[test]
fn ratios_are_0_to_1_wherever_they_stand() {
    for ratio in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
        let agree = identity_matching::Agree::Name(ratio);
        let given = identity_matching::Agree::NameWhereGiven(ratio);
        refuses("tie_break", |rules| rules.tie_break = vec![agree]);
        refuses("tie_break", |rules| rules.tie_break = vec![given]);
        refuses("doubt.differ", |rules| rules.doubt.differ = vec![Differ::Name(ratio)]);
        refuses("rules.PLATE_NAME.agree", |rules| rules.rules[5].agree[1] = agree);
        refuses("rules.EMAIL_EXACT.veto", |rules| rules.rules[4].veto.push(Differ::Name(ratio)));
    }
    for ratio in [0.0, 1.0] {
        allows(|rules| rules.tie_break = vec![identity_matching::Agree::Name(ratio)]);
        allows(|rules| rules.doubt.differ = vec![Differ::Name(ratio)]);
    }
}

#[test]
fn a_kind_is_named_only_where_the_precedence_lists_it() {
    refuses("kinds.loyalty", |rules| *rules.kind_mut(loyalty()) = KindRules::default());
    refuses("kinds.email", |rules| {
        let kinds = rules.kinds.clone();
        *rules = PolicyRules::default().without_kind(KeyKind::EMAIL);
        rules.kinds = kinds;
    });
    refuses("rules.DOCUMENT_EXACT.require", |rules| rules.rules[0].require[0].kind = loyalty());
    let documents = Differ::Kind(KeyKind::DOCUMENT);
    let without = |change: fn(&mut PolicyRules)| {
        move |rules: &mut PolicyRules| {
            *rules = PolicyRules::default().without_kind(KeyKind::DOCUMENT);
            change(rules);
        }
    };
    allows(without(|_| ()));
    refuses(
        "doubt.differ",
        without(|rules| rules.doubt.differ.push(Differ::Kind(KeyKind::DOCUMENT))),
    );
    // A kind that contradicts nobody neither vetoes nor makes a match doubtful.
    refuses("doubt.differ", |rules| rules.doubt.differ.push(Differ::Kind(KeyKind::PHONE)));
    allows(|rules| rules.doubt.differ.push(documents));
    refuses("rules.PHONE_EXACT.veto", |rules| {
        rules.kind_mut(KeyKind::DOCUMENT).exclusive = Some(false);
    });
}

#[test]
fn placeholders_are_of_a_field_or_of_a_kind_that_is_used() {
    let listed = |field| {
        move |rules: &mut PolicyRules| {
            rules.placeholders = Placeholders::default().with(field, ["987654312"]);
        }
    };
    let own = Field::Identifier(loyalty());
    refuses("placeholders.loyalty", listed(own));
    for field in [Field::PHONE, Field::EMAIL, Field::Name, Field::Plate] {
        allows(listed(field));
    }
    allows(|rules| {
        *rules = PolicyRules::default().with_kind(loyalty(), KindRules::default());
        listed(own)(rules);
    });
    // Of a built-in kind they may be listed even where no rule uses it.
    allows(|rules| {
        *rules = PolicyRules::default().without_kind(KeyKind::EMAIL);
        listed(Field::EMAIL)(rules);
    });
}

#[test]
fn own_kinds_fit_values_and_are_told_from_one_another() {
    let own = OwnKindRules::of(loyalty());
    let used = |kinds: Vec<OwnKindRules>| {
        move |rules: &mut PolicyRules| {
            *rules = PolicyRules::default().with_kind(loyalty(), KindRules::default());
            rules.own_kinds = kinds;
        }
    };
    allows(used(vec![own.clone()]));
    refuses("own_kinds.loyalty", used(vec![own.clone(), own.clone()]));
    refuses("own_kinds.loyalty", used(vec![OwnKindRules { lengths: (9, 8), ..own }]));
}

#[test]
fn each_rule_has_a_name_of_its_own_and_one_grants_a_grade() {
    refuses("rules.DOCUMENT_EXACT.name", |rules| rules.rules[8].name = Rule::DOCUMENT_EXACT);
    refuses("rules", |rules| rules.rules.clear());
    refuses("rules", |rules| rules.rules.iter_mut().for_each(|rule| rule.grant = None));
    allows(|rules| rules.rules.iter_mut().skip(1).for_each(|rule| rule.grant = None));
}

#[test]
fn a_veto_of_what_the_rule_asks_for_is_refused() {
    let one = |require, agree, veto| {
        move |rules: &mut PolicyRules| {
            rules.rules = vec![granting(rule("ONE", require, agree, veto))];
        }
    };
    for (require, agree, veto) in [
        ("phone", "birth_date", "birth_date"),
        ("phone", "name >= 0.8", "name < 0.8"),
        ("phone", "name >= 0.8", "name < 0.5"),
        ("phone", "name >= 0.8 where given", "name < 0.8"),
        // The greatest ratio counts.
        ("phone", "name >= 0.6,name >= 0.9 where given", "name < 0.7"),
        ("phone,document exact", "", "document"),
    ] {
        refuses("rules.ONE.veto", one(require, agree, veto));
    }
    for (require, agree, veto) in [
        ("phone", "name >= 0.8", "name < 0.81"),
        ("phone", "name >= 0.8", "birth_date"),
        ("phone", "birth_date", "name < 0.5"),
        ("phone", "plate", "birth_date,document"),
        ("phone", "", "document"),
    ] {
        allows(one(require, agree, veto));
    }
}

#[test]
fn a_rule_without_keys_needs_evidence_by_which_somebody_is_looked_up() {
    let one = |agree| {
        move |rules: &mut PolicyRules| rules.rules = vec![granting(rule("ONE", "", agree, ""))]
    };
    for agree in [
        "",
        "name >= 0.8",
        "birth_date",
        "birth_date,name >= 0.8 where given",
        "name >= 0.8 where given",
    ] {
        refuses("rules.ONE.require", one(agree));
    }
    for agree in ["plate", "phone_tail", "address", "name >= 0.8,birth_date", "birth_date,plate"] {
        allows(one(agree));
    }
}

/// Two rules, of which the second fires or can never do so.
#[test]
fn a_rule_that_an_earlier_one_leaves_nothing_for_is_refused_and_no_other() {
    let strong = |require, agree, veto| granting(rule("FIRST", require, agree, veto));
    let second = |require, agree, veto| granting(rule("SECOND", require, agree, veto));
    let pair = |first: MatchRule, second: MatchRule| {
        let keep = granting(rule("LAST", "email exact", "plate,phone_tail,address", ""));
        move |rules: &mut PolicyRules| {
            rules.rules = vec![first, second];
            if rules.rules.iter().all(|rule| rule.grant.is_none()) {
                rules.rules.push(keep);
            }
        }
    };
    for (first, behind) in [
        (strong("phone", "", ""), second("phone", "", "")),
        (strong("phone", "", ""), second("phone exact", "", "")),
        (strong("phone exact", "", ""), second("phone exact", "", "")),
        (strong("phone", "", ""), second("phone,email", "", "")),
        (strong("phone,email", "", ""), second("email,document,phone exact", "", "")),
        (strong("phone", "", ""), second("phone", "birth_date", "")),
        (strong("phone", "name >= 0.8", ""), second("phone", "name >= 0.8", "")),
        (strong("phone", "name >= 0.8", ""), second("phone", "plate,name >= 0.9", "")),
        (strong("phone", "name >= 0.8 where given", ""), second("phone", "name >= 0.8", "")),
        (
            strong("phone", "name >= 0.8 where given", ""),
            second("phone", "name >= 0.9 where given", ""),
        ),
        (strong("phone", "", ""), second("phone", "", "document")),
        (strong("phone", "", "birth_date"), second("phone", "", "birth_date")),
        (strong("phone", "", "name < 0.5"), second("phone", "", "name < 0.6")),
        (strong("phone", "", "name < 0.5"), second("phone", "", "name < 0.5,document")),
        // Who shares a document differs in none.
        (strong("phone", "", "document"), second("phone,document", "", "")),
        (strong("", "plate", ""), second("", "plate,name >= 0.8", "")),
        (rule("FIRST", "phone", "", ""), rule("SECOND", "phone", "", "")),
        (strong("phone", "", ""), rule("SECOND", "phone", "", "")),
    ] {
        refuses("rules.SECOND.name", pair(first, behind));
    }
    for (first, behind) in [
        (strong("phone exact", "", ""), second("phone", "", "")),
        (strong("phone", "", ""), second("email", "", "")),
        (strong("phone,email", "", ""), second("phone", "", "")),
        (strong("phone", "birth_date", ""), second("phone", "", "")),
        (strong("phone", "birth_date", ""), second("phone", "plate", "")),
        (strong("phone", "name >= 0.9", ""), second("phone", "name >= 0.8", "")),
        (strong("phone", "name >= 0.8", ""), second("phone", "name >= 0.8 where given", "")),
        (
            strong("phone", "name >= 0.9 where given", ""),
            second("phone", "name >= 0.8 where given", ""),
        ),
        (strong("phone", "", "birth_date"), second("phone", "", "")),
        (strong("phone", "", "birth_date"), second("phone", "", "name < 0.5")),
        (strong("phone", "", "name < 0.6"), second("phone", "", "name < 0.5")),
        (strong("phone", "", "document"), second("phone,email", "", "")),
        (strong("", "plate", ""), second("phone", "plate", "")),
        (strong("phone", "plate", ""), second("", "plate", "")),
        (rule("FIRST", "phone", "", ""), second("phone", "", "")),
    ] {
        allows(pair(first, behind));
    }
}

#[test]
fn a_name_of_a_rule_has_1_to_64_signs_a_letter_first() {
    for name in ["A", "PHONE_EXACT", "P2", "A+B", &"R".repeat(64)] {
        assert_eq!(name.parse::<Rule>().unwrap().as_str(), name);
        assert_eq!(Rule::try_from(name).unwrap().to_string(), name);
    }
    for name in ["", "a", "Aa", "2P", "_A", "+A", "A B", "A-B", "Ñ", &"R".repeat(65)] {
        let error = name.parse::<Rule>().unwrap_err();
        assert_eq!(error.name, name.chars().take(64).collect::<String>());
        assert!(error.to_string().contains("a letter first"));
        assert!(Rule::try_from(name).is_err());
    }
    assert_eq!(
        format!("{:?} {:>4}|", Rule::new("A").unwrap(), Rule::new("B").unwrap()),
        "Rule(A)    B|"
    );
}

#[test]
fn conditions_are_read_as_they_are_written_and_nothing_else_is() {
    use identity_matching::{Agree, Require};
    for text in ["phone", "phone exact", "loyalty"] {
        assert_eq!(text.parse::<Require>().unwrap().to_string(), text);
    }
    for text in ["", "Phone exact", "phone any", "phone exact exact", "exact phone"] {
        assert_eq!(text.parse::<Require>().unwrap_err().text, text);
    }
    for text in
        ["name >= 0.8", "name >= 0.8 where given", "birth_date", "plate", "phone_tail", "address"]
    {
        assert_eq!(text.parse::<Agree>().unwrap().to_string(), text);
    }
    for text in
        ["", "name", "name > 0.8", "name >= x", "name >= x where given", "name >= 0.8 given"]
    {
        assert!(text.parse::<Agree>().unwrap_err().to_string().contains(&format!("`{text}`")));
    }
    for text in ["document", "birth_date", "name < 0.5"] {
        assert_eq!(text.parse::<Differ>().unwrap().to_string(), text);
    }
    for text in ["", "name <= 0.5", "name < x", "two words"] {
        assert!(text.parse::<Differ>().is_err(), "{text}");
    }
    let long = "x ".repeat(100).parse::<Differ>().unwrap_err();
    assert_eq!(long.text.len(), 64);
}
