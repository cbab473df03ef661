//! Telephone numbers as people and programs write them, by kind; each table states the source of its right values.

use identity_matching::{KeyForm, Normalised, Normaliser, Reading, Record, Region, UnusableReason};
use proptest::prelude::*;

fn read(region: &str, phone: &str) -> Normalised {
    let region = Region::parse(region).expect("a region of the test");
    Normaliser::for_region(region)
        .normalise(&Record { phones: vec![phone.into()], ..Record::default() })
}

/// The numbers that the keys of one value stand for, in one form.
fn numbers(region: &str, phone: &str, form: KeyForm) -> Vec<String> {
    let read = read(region, phone);
    let held = read.keys().iter().filter(|held| held.form == form && !held.key.is_subscriber());
    held.filter_map(|held| held.key.text()).collect()
}

fn exact(region: &str, phone: &str) -> Vec<String> {
    numbers(region, phone, KeyForm::Exact)
}

fn assert_exact(cases: &[(&str, &str, &str)]) {
    for &(region, phone, expected) in cases {
        assert_eq!(exact(region, phone), [expected], "{region} {phone:?}");
        assert!(read(region, phone).unusable().is_empty(), "{region} {phone:?}");
    }
}

/// No key, and this reason.
fn assert_unusable(cases: &[(&str, &str, UnusableReason)]) {
    for &(region, phone, expected) in cases {
        let read = read(region, phone);
        assert!(read.keys().is_empty(), "{region} {phone:?}: {read:?}");
        let reasons: Vec<_> = read.unusable().iter().map(|value| value.reason).collect();
        assert_eq!(reasons, [expected], "{region} {phone:?}");
    }
}

/// Binary64 holds whole numbers exactly up to 2⁵³ (IEEE 754); pandas, Java's `Double.toString` and exports of
/// spreadsheets write them as decimals or with an exponent.
#[test]
fn a_spreadsheets_number_is_its_whole_number_or_none() {
    assert_exact(&[
        ("PE", "986543217.0", "+51986543217"),
        ("PE", "986543217,00", "+51986543217"),
        ("PE", "+51986543217.0", "+51986543217"),
        ("PE", "9.86543217E8", "+51986543217"),
        ("PE", "9,86543217E+08", "+51986543217"),
        ("MX", "5.512348765E9", "+525512348765"),
        ("AT", "15346.0", "+4315346"),
        ("PE", "986,543,217", "+51986543217"),
        ("PE", "986’543’217", "+51986543217"),
        ("PE", "=\"986543217\"", "+51986543217"),
        ("PE", "'986543217", "+51986543217"),
        ("PE", "\u{1f}986543217", "+51986543217"),
        ("MX", "(55) 1234-8765.0", "+525512348765"),
    ]);
    // Bundesnetzagentur: eleven digits at most, so that thirteen carry the country code.
    assert_exact(&[
        ("DE", "4915123456798", "+4915123456798"),
        ("DE", "4917612345698", "+4917612345698"),
        ("DE", "491701234598", "+491701234598"),
        ("DE", "0151 23456798", "+4915123456798"),
        ("DE", "04915 123498", "+494915123498"),
    ]);
    assert_unusable(&[
        // A subscriber of Trujillo has the digits with the decimal's zero.
        ("PE", "4421234.0", UnusableReason::NotAssigned),
        ("CL", "61234567.0", UnusableReason::WrongLength),
        ("PE", "5.14567E10", UnusableReason::Rounded),
        ("PE", "5,19865E+10", UnusableReason::Rounded),
        ("PE", "986543217.5", UnusableReason::Malformed),
        ("PE", "01 613-500.0", UnusableReason::NotAssigned),
        // Zeros of a fixed width before a mobile, or Iran's country code behind `00`.
        ("PE", "00987123456", UnusableReason::Ambiguous),
    ]);
}

#[test]
fn every_number_of_a_cell_is_read_or_told() {
    for phone in [
        "986543217;912345671",
        "986543217, 912345671",
        "986543217,912345671",
        "986543217 / 912345671",
        "986543217/912345671",
        "986543217 // 912345671",
        "986543217 - 912345671",
        "986543217 | 912345671",
        "986543217\n912345671",
        "986543217 & 912345671",
        "986543217 ::: 912345671",
        "986543217 y 912345671",
        "986543217 o 912345671",
        "986543217 912345671",
        "986 543 217 912 345 671",
        "casa 986543217 trabajo 912345671",
        "+51986543217+51912345671",
        "986543217 + 912345671",
        "986543217 + +51 912345671",
        "1) 986543217 2) 912345671",
        "1. 986543217 2. 912345671",
    ] {
        let mut both = exact("PE", phone);
        both.sort_unstable();
        assert_eq!(both, ["+51912345671", "+51986543217"], "{phone:?}");
        assert!(read("PE", phone).keys()[0].reading.contains(Reading::SPLIT), "{phone:?}");
    }
    // The second of these is abbreviated: it is told, and the first is read.
    let read = read("PE", "(01) 613-5000 / 5001");
    assert_eq!(read.keys()[0].key.text().as_deref(), Some("+5116135000"));
    assert_eq!(read.unusable()[0].reason, UnusableReason::WrongLength);
    // One number in a plan whose numbers have no fixed length.
    assert_exact(&[("DE", "030/123456", "+4930123456"), ("AT", "01 / 5346", "+4315346")]);
}

#[test]
fn words_around_a_number_are_no_part_of_it() {
    assert_exact(&[
        ("PE", "cel: 986543217", "+51986543217"),
        ("PE", "cel 1: 986543217", "+51986543217"),
        ("PE", "Tel1 986543217", "+51986543217"),
        ("PE", "Tel (2): 986543217", "+51986543217"),
        ("PE", "2) 986543217", "+51986543217"),
        ("PE", "Telf.: 986 543 217", "+51986543217"),
        ("PE", "RPM #986543217", "+51986543217"),
        ("PE", "986543217 (mamá)", "+51986543217"),
        ("PE", "986543217 WhatsApp", "+51986543217"),
        ("PE", "986543217 llamar a las 6", "+51986543217"),
        ("PE", "986543217 después de las 18:00", "+51986543217"),
        ("PE", "986543217 6pm", "+51986543217"),
        ("PE", "986543217 24h", "+51986543217"),
        ("DE", "030 123456 (Ana)", "+4930123456"),
        ("US", "(201) 265-8899 home", "+12012658899"),
        ("US", "1-800-FLOWERS", "+18003569377"),
        ("BR", "0xx11 96123-4567", "+5511961234567"),
        ("BR", "(11) 3003-1234", "+551130031234"),
    ]);
    // Letters never become digits, and never a digit too few.
    assert_unusable(&[
        ("DE", "030 12O4567", UnusableReason::Malformed),
        ("PE", "98654321O", UnusableReason::Malformed),
        ("DE", "030 123456O", UnusableReason::Malformed),
        ("US", "800 123 Ana", UnusableReason::WrongLength),
        ("PE", "DNI 44212345", UnusableReason::Malformed),
        ("PE", "no tiene celular", UnusableReason::Placeholder),
        ("PE", "sin teléfono fijo", UnusableReason::Placeholder),
        ("PE", "#¡VALOR!", UnusableReason::Placeholder),
    ]);
}

#[test]
fn an_extension_is_dropped_by_any_of_its_names() {
    assert_exact(&[
        ("PE", "01 613 5000 anexo 123", "+5116135000"),
        ("PE", "01 613 5000 anexos 123/124", "+5116135000"),
        ("PE", "016135000 #12", "+5116135000"),
        ("PE", "016135000x12", "+5116135000"),
        ("AR", "011 4345-2234 interno 5", "+541143452234"),
        ("BR", "(11) 3003-1234 ramal 12", "+551130031234"),
        ("BR", "(11) 3003-1234 r. 12", "+551130031234"),
        ("MX", "55 1234 8765 opc 2", "+525512348765"),
        ("ES", "912 345 678 ext 12", "+34912345678"),
        ("PE", "986543217;ext=12", "+51986543217"),
        ("PE", "016135000 (12)", "+5116135000"),
        // Without the brackets it is no number, so they hold a part of it.
        ("PE", "9865432 (17)", "+51986543217"),
    ]);
    let read = read("PE", "01 613 5000 anexo 123");
    assert!(read.keys()[0].reading.contains(Reading::EXTENSION_DROPPED));
}

/// RFC 3966 for `tel:`; the help pages of `WhatsApp` for `wa.me`.
#[test]
fn links_and_messengers_hand_over_a_number() {
    assert_exact(&[
        ("PE", "51986543217@c.us", "+51986543217"),
        ("PE", "51986543217@s.whatsapp.net", "+51986543217"),
        ("PE", "https://wa.me/51986543217?text=hola", "+51986543217"),
        ("CL", "https://api.whatsapp.com/send?phone=51986543217", "+51986543217"),
        ("PE", "tel:%2B51986543217", "+51986543217"),
        ("PE", "tel:+51-986-543-217;ext=5", "+51986543217"),
    ]);
}

#[test]
fn any_sign_between_groups_of_digits_parts_them() {
    for sign in
        ["•", "·", "∙", "\u{2043}", "\u{1806}", "➖", "〜", "～", "~", ":", "*", "_", "\u{fffd}"]
    {
        let phone = format!("986{sign}543{sign}217");
        assert_eq!(exact("PE", &phone), ["+51986543217"], "{phone:?}");
    }
}

/// ITU-T E.123 and E.164 for prefixes; the plans named in the module `fixes` for the reforms.
#[test]
fn a_prefix_too_many_and_a_plan_before_its_reform_are_aliases() {
    for (region, phone, expected, mark) in [
        ("PE", "+5151986543217", "+51986543217", Reading::PREFIX_TWICE),
        ("PE", "5151986543217", "+51986543217", Reading::PREFIX_TWICE),
        ("PE", "0051 0051 986543217", "+51986543217", Reading::PREFIX_TWICE),
        ("BR", "+55 55 11 96123-4567", "+5511961234567", Reading::PREFIX_TWICE),
        ("CL", "+56 56 9 6123 4567", "+56961234567", Reading::PREFIX_TWICE),
        ("CO", "0057 300 1234567", "+573001234567", Reading::INTERNATIONAL_PREFIX),
        ("CO", "0034 612345678", "+34612345678", Reading::INTERNATIONAL_PREFIX),
        ("US", "0051 986 543 217", "+51986543217", Reading::INTERNATIONAL_PREFIX),
        ("PE", "011 51 986543217", "+51986543217", Reading::INTERNATIONAL_PREFIX),
        ("ES", "+34 (0) 612 345 678", "+34612345678", Reading::TRUNK_PREFIX),
        ("CL", "09 6123 4567", "+56961234567", Reading::TRUNK_PREFIX),
        ("CL", "+56 09 6123 4567", "+56961234567", Reading::TRUNK_PREFIX),
        ("CL", "02 2596 5611", "+56225965611", Reading::TRUNK_PREFIX),
        ("AR", "+54 9 011 4345-2234", "+5491143452234", Reading::TRUNK_PREFIX),
        ("PE", "(051) 986543217", "+51986543217", Reading::TRUNK_PREFIX),
        ("PE", "000986543217", "+51986543217", Reading::PADDING_DROPPED),
        ("CO", "+57 1 424 2400", "+576014242400", Reading::LEGACY_FORM),
        ("CO", "031 4242400", "+576014242400", Reading::LEGACY_FORM),
        ("CO", "(571) 4242400", "+576014242400", Reading::LEGACY_FORM),
        ("CL", "+56 2 596 5611", "+56225965611", Reading::LEGACY_FORM),
        ("CL", "9612 3456", "+56996123456", Reading::LEGACY_FORM),
        // A mobile of a neighbour without its `+`.
        ("PE", "58 414 8263917", "+584148263917", Reading::COUNTRY_CODE),
        ("PE", "593983627415", "+593983627415", Reading::COUNTRY_CODE),
        ("CO", "58-412-8263917", "+584128263917", Reading::COUNTRY_CODE),
        ("CL", "573158274906", "+573158274906", Reading::COUNTRY_CODE),
        ("ES", "573158274906", "+573158274906", Reading::COUNTRY_CODE),
    ] {
        assert_eq!(exact(region, phone), [""; 0], "{region} {phone}");
        assert_eq!(numbers(region, phone, KeyForm::Alias), [expected], "{region} {phone}");
        let read = read(region, phone);
        assert!(read.keys()[0].reading.contains(mark), "{region} {phone}: {read:?}");
    }
    assert_exact(&[
        ("PE", "0051+986543217", "+51986543217"),
        ("PE", "+51 +51986543217", "+51986543217"),
    ]);
    // Eleven digits may be a number of Lima and its extension; landlines and other countries need their `+`.
    assert_unusable(&[
        ("PE", "1 (305) 482-6317", UnusableReason::WrongLength),
        ("PE", "576017428395", UnusableReason::WrongLength),
        ("PE", "919876543210", UnusableReason::WrongLength),
    ]);
    // A mobile of eight digits, or a landline of Punta Arenas without its 2.
    assert_unusable(&[("CL", "6123 4567", UnusableReason::WrongLength)]);
    // The area of Argentina's 15 behind a 9.
    let shared = |phone| {
        read("AR", phone).keys().iter().find(|held| held.key.is_subscriber()).map(|held| held.key)
    };
    assert_eq!(shared("+54 9 11 15 4345-2234"), shared("+5491143452234"));
    assert_eq!(shared("03722 15 421234"), shared("+54 9 362 442-1234"));
    // San Nicolás, 03461 until April 2012; General Roca, 02941 until January 2012.
    assert_eq!(shared("03461 15 421234"), shared("+54 9 336 442-1234"));
    assert_eq!(shared("02941 42-1234"), shared("+54 298 442-1234"));
}

proptest! {
    /// Blanks, labels and remarks around the written form never lead to another number.
    #[test]
    fn what_stands_around_a_number_never_makes_it_another(
        (region, number) in prop_oneof![
            (Just("PE"), "9[0-9]{8}"), (Just("PE"), "1[2-7][0-9]{6}"), (Just("ES"), "6[0-9]{8}"),
            (Just("CL"), "9[4-8][0-9]{7}"), (Just("MX"), "55[1-8][0-9]{7}"), (Just("DE"), "030[1-9][0-9]{4,7}"),
            (Just("AT"), "01[2-9][0-9]{3,7}"), (Just("AR"), "114[0-9]{7}"), (Just("CO"), "3[0-2][0-9]{8}"),
        ],
        before in prop::sample::select(vec!["", " ", "cel ", "Tel: ", "cel 1: ", "(", "'", "=", "Ana ", "WhatsApp "]),
        after in prop::sample::select(vec!["", " ", ")", " (Ana)", " casa", " ext 5", "*", ".0", " anexo 12", " WhatsApp", "O", "B"]),
    ) {
        let plain = exact(region, &number);
        let around = exact(region, &format!("{before}{number}{after}"));
        prop_assert!(around.is_empty() || around == plain, "{:?} and {:?}", around, plain);
    }

    #[test]
    fn a_blank_or_a_sign_in_it_never_makes_a_number_another(
        number in "9[0-9]{8}", at in 1..8_usize, sign in prop::sample::select(vec![" ", "-", "/", ",", ".", " - ", "·", "  "]),
    ) {
        let parted = format!("{}{sign}{}", &number[..at], &number[at..]);
        let (plain, parted) = (exact("PE", &number), exact("PE", &parted));
        prop_assert!(parted.is_empty() || parted == plain, "{:?} and {:?}", parted, plain);
    }
}
