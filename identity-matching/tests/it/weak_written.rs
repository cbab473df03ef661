//! Names, plates and dates as people and programs write them; each table states the source of its right values.

use identity_matching::{BirthDate, Name, NormaliseOptions, Normaliser, Plate, Record};

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
    ] {
        assert_eq!(BirthDate::parse(written, Some(region("PE"))), Ok(expected), "{written}");
    }
    assert_eq!(BirthDate::parse("01/02/1990", None).unwrap().as_u32(), 19_900_201);
    assert_eq!(BirthDate::parse("01/02/1990", Some(region("US"))).unwrap().as_u32(), 19_900_102);
    // Two digits do not tell the century, and runs are fillers.
    for written in ["21-mar-87", "12345", "987123456", "21 mar mar 1987", "13/13/1987"] {
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
    ] {
        assert_eq!(Plate::parse(written), Ok(expected), "{written}");
    }
    assert!(Plate::parse("ABC-912; XYZ-123").is_err(), "two plates are none");
}

/// Contran, Resolução 780/2019, annex: the fifth sign of a plate became a letter.
#[test]
fn a_plate_of_before_mercosur_blocks_with_its_new_form() {
    let blocking = |plate: &str| {
        let record = Record { plate: Some(plate.into()), ..Record::default() };
        Normaliser::new(NormaliseOptions::default()).normalise(&record).blocking_keys().to_vec()
    };
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
    ] {
        let similarity = Name::parse(written).unwrap().similarity(&full);
        assert!(similarity >= 0.8, "{written}: {similarity}");
    }
    assert_eq!(Name::parse("Fco. Hdez."), Name::parse("Francisco Hernandez"));
}
