//! Documents as people and programs write them, by kind; each table states the source of its right values. The sources of
//! the types themselves stand in the crate's table of types.

use identity_matching::{
    DocumentTypeId, DocumentTypes, KeyForm, Normalised, Normaliser, RawDocument, Record, Region,
    UnusableReason,
};
use proptest::prelude::*;

use crate::documents::region;

fn read(country: &str, kind: &str, number: &str) -> Normalised {
    let document = RawDocument {
        country: None,
        kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
        number: number.to_owned(),
    };
    Normaliser::for_region(region(country))
        .normalise(&Record { documents: vec![document], ..Record::default() })
}

/// Type and number of the keys of a form, but for the passport of an issuer that nobody named.
fn keys(country: &str, kind: &str, number: &str, form: KeyForm) -> Vec<String> {
    let read = read(country, kind, number);
    let types = DocumentTypes::built_in();
    let held = read.keys().iter().filter(|held| held.form == form);
    let named = |id: DocumentTypeId| types.code(id).unwrap_or("?").to_owned();
    let mut keys: Vec<String> = held
        .map(|held| {
            let kind = named(held.key.document_type().expect("a document"));
            format!("{kind} {}", read.text(held.key).expect("the record is at hand"))
        })
        .collect();
    keys.sort_unstable();
    keys
}

fn assert_exact(cases: &[(&str, &str, &str, &str)]) {
    for &(country, kind, number, expected) in cases {
        let exact = keys(country, kind, number, KeyForm::Exact);
        assert_eq!(exact, [expected], "{country} {kind:?} {number:?}");
    }
}

fn assert_unusable(cases: &[(&str, &str, &str, UnusableReason)]) {
    for &(country, kind, number, reason) in cases {
        let read = read(country, kind, number);
        assert!(read.keys().is_empty(), "{country} {kind:?} {number:?}: {read:?}");
        assert_eq!(read.unusable()[0].reason, reason, "{country} {kind:?} {number:?}");
    }
}

/// The official codes and names of the offices that the table of types states.
#[test]
fn a_type_is_known_by_its_names_and_official_codes() {
    assert_exact(&[
        ("PE", "1", "45678913", "DNI 45678913"),
        ("PE", "01", "7654329", "DNI 07654329"),
        ("PE", "1.0", "45678913", "DNI 45678913"),
        ("PE", "6", "20512333797", "RUC 20512333797"),
        ("PE", "4", "001234569", "CE 001234569"),
        ("PE", "7", "118123457", "PASSPORT 118123457"),
        ("AR", "96", "20123456", "DNI 20123456"),
        ("AR", "80", "20055361682", "CUIT 20055361682"),
        ("CO", "13", "79456128", "CC 79456128"),
        ("CO", "48", "5123457", "PPT 5123457"),
        ("EC", "05", "1714307103", "CI 1714307103"),
        ("EC", "04", "1792060346001", "RUC 1792060346001"),
        ("PE", "Carné de Extranjería", "001234569", "CE 001234569"),
        ("PE", "Carnet Ext.", "001234569", "CE 001234569"),
        ("PE", "Foreign ID", "001234569", "CE 001234569"),
        ("PE", "National ID", "45678913", "DNI 45678913"),
        ("PE", "Passport No.", "118123457", "PASSPORT 118123457"),
        ("PE", "D.N.I. N°", "45678913", "DNI 45678913"),
        ("PE", "DNI - Documento Nacional de Identidad", "45678913", "DNI 45678913"),
        ("PE", "Documento de identidad", "45678913", "DNI 45678913"),
        ("PE", "Libreta Electoral", "45678913", "DNI 45678913"),
        ("AR", "LE", "5536168", "DNI 05536168"),
        ("AR", "Libreta Cívica", "5536168", "DNI 05536168"),
        ("CO", "TI", "1020304056", "CC 1020304056"),
        ("CO", "Registro Civil", "1020304056", "CC 1020304056"),
        ("CO", "PPT", "5123457", "PPT 5123457"),
        ("CO", "PEP", "912345678901234", "PEP 912345678901234"),
        ("DE", "Aufenthaltstitel Nr", "C01X00T47", "? C01X00T47"),
        // Words that only qualify a type.
        ("PE", "DNI menor de edad", "45678913", "DNI 45678913"),
        ("PE", "DNI (vigente)", "45678913", "DNI 45678913"),
        ("PE", "RUC 10", "10456789141", "RUC 10456789141"),
        ("PE", "Pasaporte extranjero", "118123457", "PASSPORT 118123457"),
        ("CL", "Cédula de identidad chilena", "12.531.909-2", "RUT 125319092"),
        ("ES", "Permiso de residencia", "X2482300W", "NIE X2482300W"),
        ("BR", "Cadastro de Pessoa Física", "39053344705", "CPF 39053344705"),
        // A type of another country is none of this one's.
        ("PE", "Cédula chilena", "12.531.909-2", "? 125319092"),
    ]);
}

/// What people call these documents beside their names in law.
#[test]
fn a_type_is_known_by_what_people_call_it() {
    assert_exact(&[
        ("PE", "Documento nacional", "45678913", "DNI 45678913"),
        ("PE", "Resident card", "001234569", "CE 001234569"),
        ("CL", "Carnet", "12531909-2", "RUT 125319092"),
        ("CL", "carné de identidad", "12531909-2", "RUT 125319092"),
        ("CL", "Cédula nacional de identidad", "12531909-2", "RUT 125319092"),
        ("CL", "DNI", "12531909-2", "RUT 125319092"),
        ("CO", "DNI", "79456128", "CC 79456128"),
        ("CO", "permiso protección temporal", "5123457", "PPT 5123457"),
        ("MX", "RFC con homoclave", "GODE561231GR8", "RFC GODE561231GR8"),
        ("PE", "Registro Único del Contribuyente", "20512333797", "RUC 20512333797"),
        ("EC", "Registro Único del Contribuyente", "1792060346001", "RUC 1792060346001"),
        ("PY", "CIP", "4827193", "CI 4827193"),
        ("PY", "Cédula de Identidad Civil", "4827193", "CI 4827193"),
        ("BO", "Carnet", "4871936", "CI 4871936"),
        ("AR", "Libreta Cívica", "F 5.536.168", "DNI 05536168"),
        ("AR", "LE", "M5536168", "DNI 05536168"),
        ("PE", "Travel document", "118123457", "PASSPORT 118123457"),
        ("PE", "Reisepass", "118123457", "PASSPORT 118123457"),
        ("PE", "C. Extranjería", "001234569", "CE 001234569"),
        ("PE", "CE", "CE001234569", "CE 001234569"),
        ("PE", "04 CARNET DE EXTRANJERIA", "001234569", "CE 001234569"),
        ("PE", "1 - DNI", "45678913", "DNI 45678913"),
        ("CO", "C. Ciudadanía", "79456128", "CC 79456128"),
        ("CO", "13 Cédula de ciudadanía", "79456128", "CC 79456128"),
    ]);
    // In Peru a cédula is a foreigner's, and nobody says whose.
    let foreign = read("PE", "Cédula", "45678913");
    assert!(
        foreign.keys()[0]
            .key
            .document_type()
            .is_some_and(|kind| { DocumentTypes::built_in().code(kind).is_none() })
    );
}

/// `º`, `ª` and `№` fold to letters (UAX 15), which belong to no number; `´` is typed for an apostrophe.
#[test]
fn a_sign_that_folds_to_a_letter_is_none_of_the_number() {
    assert_exact(&[
        ("PE", "DNI", "nº45678913", "DNI 45678913"),
        ("PE", "DNI", "DNI Nº45678913", "DNI 45678913"),
        ("PE", "CE", "C.E. nº001234569", "CE 001234569"),
        ("ES", "NIE", "NIE nºX2482300W", "NIE X2482300W"),
        ("PE", "DNI", "№45678913", "DNI 45678913"),
        ("CO", "CC", "79´456´128", "CC 79456128"),
        ("CO", "CC", "C.C. nª 79.456.128", "CC 79456128"),
    ]);
}

/// Servicio de Impuestos Internos: a body of nine digits is a provisional number's, which begins with 100; Migraciones: a
/// carné has nine digits.
#[test]
fn grouping_and_padding_by_programs_change_no_number() {
    assert_exact(&[
        ("CL", "RUT", "125.319.092", "RUT 125319092"),
        ("CL", "RUT", "125,319,092", "RUT 125319092"),
    ]);
    assert_unusable(&[("CL", "RUT", "125.319.093", UnusableReason::WrongCheckDigit)]);
    let provisional = keys("CL", "RUT", "100.123.456", KeyForm::Alias);
    assert_eq!(provisional, ["RUT 1001234567"]);
    assert_eq!(keys("PE", "CE", "000001234569", KeyForm::Alias), ["CE 001234569"]);
}

#[test]
fn a_field_of_several_types_is_decided_by_the_number() {
    assert_exact(&[
        ("BR", "CPF/CNPJ", "39053344705", "CPF 39053344705"),
        ("BR", "VAT", "16727230000197", "CNPJ 16727230000197"),
        ("ES", "DNI/NIE", "X2482300W", "NIE X2482300W"),
        ("ES", "NIF/CIF", "B58378431", "CIF B58378431"),
        ("CO", "CC/NIT", "79456128", "CC 79456128"),
        ("CL", "RUT/RUN", "125319092", "RUT 125319092"),
        ("PE", "DNI o CE", "45678913", "DNI 45678913"),
        ("PE", "DNI / RUC", "20512333797", "RUC 20512333797"),
    ]);
    // Nine digits of a company's range are nobody's cédula.
    assert_eq!(keys("CO", "CC/NIT", "900456781", KeyForm::Exact), [""; 0]);
    assert_eq!(keys("CO", "CC/NIT", "900456781", KeyForm::Alias), ["NIT 9004567816"]);
    assert_eq!(keys("CO", "CC/NIT", "900456781-6", KeyForm::Exact), ["NIT 9004567816"]);
    // A cédula, or a NIT of the citizen 7945612 with its verification digit 9.
    assert_eq!(keys("CO", "CC/NIT", "79456129", KeyForm::Exact), [""; 0]);
    let both = keys("CO", "CC/NIT", "79456129", KeyForm::Alias);
    assert_eq!(both, ["CC 7945612", "CC 79456129", "NIT 79456129"]);
}

/// One of ten numbers has a last digit that fits by chance: it proves nothing where another reading is as likely.
#[test]
fn a_check_digit_that_fits_by_chance_is_no_proof() {
    for (country, kind, number, expected) in [
        (
            "CO",
            "NIT",
            "79456000",
            &["CC 7945600", "CC 79456000", "NIT 79456000", "NIT 794560005"][..],
        ),
        ("CO", "NIT", "800197002", &["NIT 800197002", "NIT 8001970022"]),
        ("CO", "NIT", "800.197.011", &["NIT 8001970119"]),
        ("CO", "NIT", "800197268", &["NIT 8001972684"]),
        ("CL", "RUT", "12.531.001", &["RUT 12531001K"]),
        ("CL", "RUT", "12531001", &["RUT 012531001", "RUT 12531001K"]),
        ("CL", "RUT", "12531909", &["RUT 125319092"]),
        ("PE", "DNI", "001234507", &["CE 001234507", "DNI 00123450", "DNI 01234507"]),
        ("PE", "", "001234515", &["CE 001234515", "DNI 00123451"]),
        ("PE", "DNI", "045678003", &["DNI 04567800", "DNI 45678003"]),
        ("PE", "DNI", "045678912", &["DNI 45678912"]),
        ("ES", "NIE", "X2482300", &["NIE X2482300W"]),
    ] {
        assert_eq!(keys(country, kind, number, KeyForm::Exact), [""; 0], "{country} {number}");
        assert_eq!(keys(country, kind, number, KeyForm::Alias), expected, "{country} {number}");
    }
    // A dash says which it is.
    assert_exact(&[
        ("CO", "", "7.945.612-9", "NIT 79456129"),
        ("CO", "CC", "79.456.129-6", "CC 79456129"),
        ("CL", "RUT", "1.253.100-1", "RUT 012531001"),
        ("CL", "RUT", "100.123.456-7", "RUT 1001234567"),
        ("PE", "DNI", "00123450-7", "DNI 00123450"),
    ]);
    assert_eq!(keys("CO", "", "7.945.612-9", KeyForm::Derived), ["CC 7945612"]);
}

#[test]
fn words_are_no_numbers() {
    use UnusableReason::{Malformed, Placeholder};
    assert_unusable(&[
        ("PE", "PTP", "EN TRAMITE", Placeholder),
        ("PE", "OTRO", "NaN", Placeholder),
        ("PE", "OTRO", "NO PRESENTA", Placeholder),
        ("PE", "OTRO", "SIN DOC", Placeholder),
        ("PE", "OTRO", "EXTRAVIADO 2023", Placeholder),
        ("PE", "OTRO", "Juan Perez", Malformed),
        ("PE", "DNI", "00000001", Placeholder),
        ("CO", "CC", "0000007", Placeholder),
    ]);
}

#[test]
fn what_stands_around_a_number_is_no_part_of_it() {
    assert_exact(&[
        ("PE", "", "DNI: 45678913", "DNI 45678913"),
        ("PE", "", "D.N.I. 45678913", "DNI 45678913"),
        ("PE", "DNI", "DNI N° 45678913", "DNI 45678913"),
        ("PE", "DNI", "Nro. 45678913", "DNI 45678913"),
        ("PE", "DNI", "45678913 (DNI)", "DNI 45678913"),
        ("PE", "DNI", "DNI#45678913", "DNI 45678913"),
        ("PE", "DNI", "*45678913*", "DNI 45678913"),
        ("PE", "DNI", "[45678913]", "DNI 45678913"),
        ("PE", "DNI", "=\"07654329\"", "DNI 07654329"),
        ("PE", "DNI", "45678913 mamá", "DNI 45678913"),
        ("PE", "", "RUC-20512333797", "RUC 20512333797"),
        ("PE", "CE", "C.E. 001234569", "CE 001234569"),
        ("PE", "PASSPORT", "PAS 118123457", "PASSPORT 118123457"),
        ("PE", "PASSPORT", "Pasaporte N° 118123457", "PASSPORT 118123457"),
        ("ES", "DNI", "NIF: 54362315K", "DNI 54362315K"),
        ("ES", "NIF", "ES B-58378431", "CIF B58378431"),
        ("ES", "NIE", "ESX2482300W", "NIE X2482300W"),
        ("CO", "NIT", "CO8001972684", "NIT 8001972684"),
        ("EC", "RUC", "EC1714307103001", "RUC 1714307103001"),
        ("BR", "RG", "12.345.698-9 SSP/SP", "RG 123456989"),
        ("BO", "CI", "4567891 LP", "CI 4567891"),
        ("BO", "CI", "4567891-1A LP", "CI 45678911A"),
        ("MX", "RFC", "ÑUÑ&930714-8T4", "RFC ÑUÑ&9307148T4"),
        ("CL", "RUT", "RUT: 12.531.909-2 (Ana)", "RUT 125319092"),
        ("CO", "NIT", "NIT 900456781 DV 6", "NIT 9004567816"),
        ("CO", "", "NIT. 900.456.781 D.V.: 6", "NIT 9004567816"),
        ("ES", "DNI", "ES-54362315K", "DNI 54362315K"),
        ("ES", "DNI/NIE", "ES-X2482300W", "NIE X2482300W"),
    ]);
    // A letter that belongs to the number is not dropped, nor a check digit that does not fit.
    assert_unusable(&[
        ("ES", "DNI", "B-5837843", UnusableReason::WrongAlphabet),
        ("CL", "RUT", "RUT 12.531.909-K", UnusableReason::WrongCheckDigit),
        ("CL", "", "RUT: 12531909-k", UnusableReason::WrongCheckDigit),
    ]);
}

/// IEEE 754 binary64, as for telephone numbers.
#[test]
fn a_spreadsheets_number_is_its_whole_number_or_none() {
    assert_exact(&[
        ("PE", "DNI", "45678913.0", "DNI 45678913"),
        ("PE", "DNI", "45678913,00", "DNI 45678913"),
        ("PE", "RUC", "2.0512333797E10", "RUC 20512333797"),
        ("PE", "CE", "1.234569E6", "CE 001234569"),
        ("PE", "PASSPORT", "1.18123457E8", "PASSPORT 118123457"),
        ("CO", "CC", "1'020.304.056", "CC 1020304056"),
        ("CO", "CC", "1`020.304.056", "CC 1020304056"),
        ("PE", "DNI", "45•678•913", "DNI 45678913"),
        ("BR", "", "5334472169", "CPF 05334472169"),
        ("EC", "", "104503214", "CI 0104503214"),
        ("EC", "CI", "01714307103", "CI 1714307103"),
        ("CL", "RUT", "0012531909-2", "RUT 125319092"),
        ("BR", "CPF", "000039053344705", "CPF 39053344705"),
        ("ES", "DNI", "0054362315K", "DNI 54362315K"),
    ]);
    assert_unusable(&[("PE", "RUC", "2,05123E+10", UnusableReason::Rounded)]);
}

#[test]
fn every_document_of_a_cell_is_read_or_told() {
    for number in [
        "45678913 / 20512333797",
        "45678913; 20512333797",
        "45678913, 20512333797",
        "45678913 y 20512333797",
        "45678913 20512333797",
        "45678913\n20512333797",
        "DNI 45678913 RUC 20512333797",
        "DNI: 45678913, RUC: 20512333797",
    ] {
        let exact = keys("PE", "", number, KeyForm::Exact);
        assert_eq!(exact, ["DNI 45678913", "RUC 20512333797"], "{number:?}");
    }
    let half = read("PE", "DNI", "45678913; 4571");
    assert_eq!(half.keys().len(), 1);
    assert_eq!(half.unusable()[0].reason, UnusableReason::WrongLength);
}

/// ISO 3166-1, and the names of the Unicode CLDR.
#[test]
fn a_country_is_known_by_its_letters_its_number_and_its_names() {
    for country in
        ["PE", "pe", "PER", "604", "Peru", "Perú", "República del Perú", "PE - Perú", "peruana"]
    {
        let read = Normaliser::default().normalise(&Record {
            documents: vec![RawDocument::typed(country, "DNI", "45678913")],
            ..Record::default()
        });
        let own = DocumentTypeId::new(region("PE"), "DNI");
        assert_eq!(read.keys()[0].key.document_type(), Some(own), "{country}");
    }
    for (name, code) in [
        ("Rep. Argentina", "AR"),
        ("Estado Plurinacional de Bolivia", "BO"),
        ("República Bolivariana de Venezuela", "VE"),
        ("República Oriental del Uruguay", "UY"),
        ("Estados Unidos Mexicanos", "MX"),
        ("Rep. Dom.", "DO"),
        ("dominicano", "DO"),
        ("costarricense", "CR"),
        ("hondureña", "HN"),
        ("CHI", "CL"),
        ("EE.UU.", "US"),
    ] {
        assert_eq!(Region::from_name(name), Some(region(code)), "{name}");
    }
}

/// ICAO Doc 9303: the issuer is part of what a passport is; the region of a record says nothing of it.
#[test]
fn a_passport_without_a_country_has_no_issuer() {
    let unnamed = read("PE", "PASSPORT", "AB123456");
    let named = Normaliser::for_region(region("PE")).normalise(&Record {
        documents: vec![RawDocument::typed("CO", "PASSPORT", "AB123456")],
        ..Record::default()
    });
    assert_eq!(unnamed.keys().len(), 1);
    let shared = named.keys().iter().find(|held| held.key == unnamed.keys()[0].key);
    assert_eq!(shared.map(|held| held.form), Some(KeyForm::Alias));
    assert_ne!(
        named.keys().iter().find(|held| held.form == KeyForm::Exact).unwrap().key,
        unnamed.keys()[0].key
    );
    // Nor does a country that is none; another document of an unknown country is none of the region's.
    let of = |country: &str, kind: &str| {
        Normaliser::for_region(region("PE")).normalise(&Record {
            documents: vec![RawDocument::typed(country, kind, "45678913")],
            ..Record::default()
        })
    };
    for country in ["Otro", "Extranjero", "N/A", "-"] {
        assert_eq!(of(country, "PASSPORT").keys().len(), 1, "{country}");
    }
    for country in ["Otro", "Extranjero", "XX"] {
        assert!(of(country, "DNI").keys().is_empty(), "{country}");
    }
    assert_eq!(of("n/a", "DNI").keys().len(), 1);
}

/// Made-up numbers, their check digits by the issuers' rules; python-stdnum agrees where it has the type.
#[test]
fn types_of_more_countries_have_their_canonical_number() {
    assert_exact(&[
        ("VE", "CI", "V-14.256.789", "CI 14256789"),
        ("VE", "CI", "E-84.123.456", "CI 84123456"),
        ("VE", "RIF", "V-11470283-4", "RIF V114702834"),
        ("PY", "RUC", "80028061-0", "RUC 800280610"),
        ("PY", "RUC", "9991603-7", "RUC 99916037"),
        ("PY", "CI", "3.456.987", "CI 3456987"),
        ("UY", "CI", "1.234.561-6", "CI 12345616"),
        ("UY", "RUT", "21-100342-001-7", "RUT 211003420017"),
        ("GT", "NIT", "576937-K", "NIT 576937K"),
        ("DO", "CEDULA", "001-1391882-7", "CEDULA 00113918827"),
        ("DO", "RNC", "1-01-85004-3", "RNC 101850043"),
        ("CR", "CPF", "3-0455-0175", "CPF 304550175"),
        ("CR", "CPF", "1-613-584", "CPF 106130584"),
        ("CR", "CPJ", "3-101-999999", "CPJ 3101999999"),
        ("HN", "DNI", "0801-1990-12347", "DNI 0801199012347"),
        ("PA", "CIP", "8-123-4567", "CIP 080123004567"),
        ("PA", "CIP", "PE-12-345", "CIP PE0012000345"),
        ("PA", "CIP", "8 123 4567", "CIP 080123004567"),
        ("PA", "CIP", "PE 12 345", "CIP PE0012000345"),
        // Tribunal Electoral de Panamá: AV and PI stand behind the province.
        ("PA", "CIP", "8-AV-123-456", "CIP 08AV0123000456"),
        ("PA", "CIP", "8AV-123-456", "CIP 08AV0123000456"),
        ("PA", "CIP", "12-PI-12-345", "CIP 12PI0012000345"),
        // SENIAT, Providencia 0073/2006: nine digits behind the letter; eight are a cédula, also where one would check.
        ("VE", "", "V-12345603", "CI 12345603"),
        ("VE", "", "V12345611", "CI 12345611"),
        ("VE", "", "V 12.345.628", "CI 12345628"),
        ("VE", "V", "12345637", "CI 12345637"),
        // ICAO Doc 9303, part 4; SRI, Anexo Transaccional Simplificado, table 2; Superintendencia de Bancos of Ecuador,
        // Manual técnico de estructuras de datos, table 4; Ministerio de Hacienda, CAT-022.
        ("PE", "P", "XDB123457", "PASSPORT XDB123457"),
        ("EC", "P", "XDB123457", "PASSPORT XDB123457"),
        ("EC", "C", "1713175071", "CI 1713175071"),
        ("EC", "02", "1713175071", "CI 1713175071"),
        ("EC", "03", "XDB123457", "PASSPORT XDB123457"),
        ("SV", "03", "XDB123457", "PASSPORT XDB123457"),
        ("BO", "3", "XDB123457", "PASSPORT XDB123457"),
        ("CO", "13", "79456128", "CC 79456128"),
        ("IT", "Cod. Fisc.", "RSSMRA85T10A562S", "CF RSSMRA85T10A562S"),
        ("SV", "NIT", "0614-050707-104-8", "NIT 06140507071048"),
        ("SV", "DUI", "00016297-5", "DUI 000162975"),
        ("PT", "NIF", "501 964 843", "NIF 501964843"),
        ("IT", "CF", "RCCMNL83S18D969H", "CF RCCMNL83S18D969H"),
        ("IT", "PIVA", "IT 00743110157", "PIVA 00743110157"),
        // Companies get numbers without a check digit that fits (SRI).
        ("EC", "RUC", "1793213777001", "RUC 1793213777001"),
    ]);
    assert_eq!(keys("VE", "RIF", "V-11470283-4", KeyForm::Derived), ["CI 11470283"]);
    assert_eq!(keys("PY", "RUC", "9991603-7", KeyForm::Derived), ["CI 9991603"]);
    assert_eq!(keys("HN", "RTN", "08011990123471", KeyForm::Derived), ["DNI 0801199012347"]);
    assert_unusable(&[
        ("VE", "RIF", "V-11470283-5", UnusableReason::WrongCheckDigit),
        ("PT", "NIF", "501964842", UnusableReason::WrongCheckDigit),
        ("IT", "CF", "RCCMNL83S18D969A", UnusableReason::WrongCheckDigit),
        ("PA", "CIP", "81234567", UnusableReason::Ambiguous),
    ]);
}

proptest! {
    /// Blanks, labels and remarks around the written form never lead to another number.
    #[test]
    fn what_stands_around_a_document_never_makes_it_another(
        (country, kind, number) in prop_oneof![
            (Just("PE"), Just("DNI"), "[1-7][0-9]{7}"), (Just("PE"), Just(""), "[1-7][0-9]{7}"),
            (Just("PE"), Just("RUC"), "20[0-9]{9}"), (Just("ES"), Just("NIF"), "[0-9]{8}[A-Z]"),
            (Just("ES"), Just("NIF"), "[A-H][0-9]{8}"), (Just("CL"), Just("RUT"), "[0-9]{7,8}-[0-9K]"),
            (Just("CO"), Just("NIT"), "[0-9]{8,10}"), (Just("BR"), Just("CPF/CNPJ"), "[0-9]{11}"),
            (Just("PE"), Just("PASSPORT"), "[A-Z]{0,2}[0-9]{6,9}"), (Just("MX"), Just("RFC"), "[A-Z]{4}85(0[1-9])1[0-9][A-Z0-9]{3}"),
        ],
        before in prop::sample::select(vec!["", " ", "folio ", "N° ", "Nro. ", "(", "'", "=", "documento: ", "titular ", "OWN "]),
        after in prop::sample::select(vec!["", " ", ")", " (titular)", "*", " mamá", ".", " copia", ","]),
    ) {
        // The name of the type itself; another type's would say what the number is.
        let before = before.replace("OWN", kind.split('/').next().unwrap_or_default());
        let all = |number: &str| {
            let read = read(country, kind, number);
            read.keys().iter().map(|held| held.key).collect::<Vec<_>>()
        };
        let (plain, around) = (all(&number), all(&format!("{before}{number}{after}")));
        prop_assert!(around.iter().all(|key| plain.contains(key)), "{:?} and {:?}", around, plain);
    }
}

#[test]
fn an_ampersand_belongs_to_the_letters_of_a_company_alone() {
    // SAT, structure of the RFC of a company: three letters of its name, of which `&` may be one.
    for (written, number) in [
        ("&AB850101AB1", "RFC &AB850101AB1"),
        ("A&B850101AB1", "RFC A&B850101AB1"),
        ("RFC: AB&850101AB1", "RFC AB&850101AB1"),
    ] {
        assert_eq!(keys("MX", "RFC", written, KeyForm::Exact), [number], "{written}");
    }
    // Behind a number it is none of it, so that two ways of writing one give one key.
    for written in ["a17l1e&", "\0a17l1\u{fffd}e&", "A17L1E"] {
        assert_eq!(keys("CL", "MATRICULA", written, KeyForm::Exact), ["? A17L1E"], "{written:?}");
    }
}
