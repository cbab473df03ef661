//! Names, plates and dates as people and programs write them; each table states the source of its right values.

use identity_matching::{BirthDate, BlockingKey, Name, Normaliser, Plate, Record, UnusableReason};

use crate::documents::region;

/// ECMA-376, part 1, 18.17.4.1, for the serial number of a day.
#[test]
fn a_date_is_one_in_any_of_its_writings() {
    let expected = BirthDate::parse("1987-03-21", None).unwrap();
    for written in [
        "21/03/1987",
        "03/21/1987",
        "21-mar-1987",
        "21 de marzo de 1987",
        "21 de março de 1987",
        "March 21, 1987",
        "21st March 1987",
        "19870321.0",
        "31857",
        "31857.0",
        "31857.25",
        "1987-03-21T05:00:00Z",
        "1987/3/21",
        "'21/03/1987",
        "21031987",
        "31857,0",
        "3.1857E4",
        "F. Nac.: 21/03/1987",
        "nacido 21/03/1987",
        "Sábado, 21 de marzo de 1987",
        "Mar 21 1987 12:00AM",
        "21/III/1987",
        "21|03|1987",
        "21_03_1987",
        "21/03/1987 (37 años)",
        "21-mar-87",
        "21/03/87",
        "3/21/87",
        "87-03-21",
        "21 de marzo 87",
    ] {
        assert_eq!(BirthDate::parse(written, Some(region("PE"))), Ok(expected), "{written}");
    }
    assert_eq!(BirthDate::parse("01/02/1990", None).unwrap().as_u32(), 19_900_201);
    assert_eq!(BirthDate::parse("01/02/1990", Some(region("US"))).unwrap().as_u32(), 19_900_102);
    // Microsoft, "Change the date system, format, or two-digit year interpretation": to 29 of this century.
    assert_eq!(BirthDate::parse("21-mar-03", None).unwrap().as_u32(), 20_030_321);
    assert_eq!(BirthDate::parse("01/02/30", None).unwrap().as_u32(), 19_300_201);
    // Runs are fillers.
    for written in
        ["mar-87", "21 87 mar", "87/21/03", "12345", "987123456", "21 mar mar 1987", "13/13/1987"]
    {
        assert!(BirthDate::parse(written, None).is_err(), "{written}");
    }
}

#[test]
fn a_plate_is_one_with_any_separator_and_words_around_it() {
    let expected = Plate::parse("ABC912").unwrap();
    for written in [
        "ABC_912",
        "ABC·912",
        "ABC:912",
        "Placa: ABC-912",
        "placa ABC 912",
        "ABC-912 (auto)",
        "ABC*912",
        "\"ABC-912\"",
        "ABC,912",
        "abc-912 camioneta",
        "PLACA N° ABC-912",
        "PL. ABC912",
        "Toyota ABC-912",
        "KIA ABC-912",
        "auto ABC-912 rojo",
    ] {
        assert_eq!(Plate::parse(written), Ok(expected), "{written}");
    }
    for (written, expected) in [
        ("matrícula 1234 BCD", "1234BCD"),
        ("PPU BBCL-12", "BBCL12"),
        ("BBCL12-5", "BBCL12"),
        ("J-V-J-V-0-0-1", "JVJV001"),
        ("AB1234-K", "AB1234"),
        ("PL 1234", "PL1234"),
        ("ABC-12-34", "ABC1234"),
    ] {
        assert_eq!(Plate::parse(written), Plate::parse(expected), "{written}");
    }
    for filler in ["0 km", "0KM", "S/P", "nuevo", "sin placas", "en trámite"] {
        assert_eq!(Plate::parse(filler), Err(UnusableReason::Placeholder), "{filler}");
    }
}

fn blocking(plate: &str) -> Vec<BlockingKey> {
    let record = Record { plate: Some(plate.into()), ..Record::default() };
    Normaliser::default().normalise(&record).blocking_keys().to_vec()
}

#[test]
fn every_plate_of_a_value_finds_persons_or_is_told() {
    let mut both = [blocking("ABC912"), blocking("XYZ123")].concat();
    both.sort_unstable();
    for written in [
        "ABC-912 / XYZ-123",
        "ABC-912/XYZ-123",
        "ABC912, XYZ123",
        "ABC-912;XYZ-123",
        "ABC-912 y XYZ-123",
        "ABC912 XYZ123",
        "ABC-912 - XYZ-123",
        "ABC-912\nXYZ-123",
        "auto ABC-912 / moto XYZ-123",
    ] {
        assert_eq!(blocking(written), both, "{written}");
    }
    let record = Record { plate: Some("ABC-912; sin placa".into()), ..Record::default() };
    let read = Normaliser::default().normalise(&record);
    assert_eq!(read.plate(), Plate::parse("ABC912").ok());
    assert_eq!(read.unusable()[0].reason, UnusableReason::Placeholder);
}

/// Agencia Nacional de Tránsito, Ecuador: plates of three digits are printed with a zero in front.
#[test]
fn a_plate_of_three_digits_blocks_with_the_zero_in_front() {
    assert_eq!(blocking("PBC-123"), blocking("PBC-0123"));
    assert_ne!(blocking("PBC-1230"), blocking("PBC-123"));
}

/// Contran, Resolução 780/2019, annex: the fifth sign of a plate became a letter.
#[test]
fn a_plate_of_before_mercosur_blocks_with_its_new_form() {
    assert_eq!(blocking("ABC-1234"), blocking("ABC1C34"));
    assert_eq!(blocking("ABC-1034"), blocking("ABC1A34"));
    assert_ne!(blocking("ABC-1234"), blocking("ABC1D34"));
    assert_ne!(blocking("ABC1K34"), blocking("ABC1034"));
}

#[test]
fn a_name_is_one_whatever_a_program_did_to_it() {
    let full = Name::parse("Maria Fernanda Diaz Quispe").unwrap();
    for written in [
        "MarÃ\u{ad}a DÃ\u{ad}az Quispe",
        "Ma. Diaz Quispe",
        "Mª Díaz Quispe",
        "Mar?a D?az Quispe",
        "M. Diaz Quispe",
        "Mar¡a D¡az Quispe",
        "Mar&iacute;a D&#237;az Quispe",
        "Mar\\u00eda D\\u00edaz Quispe",
        "Sra. María Díaz Vda. de Quispe",
    ] {
        let similarity = Name::parse(written).unwrap().similarity(&full);
        assert!(similarity >= 0.8, "{written}: {similarity}");
    }
    assert_eq!(Name::parse("Fco. Hdez."), Name::parse("Francisco Hernandez"));
}
