//! Names of columns as people write them.

/// Returns what of a name tells it from others: its letters and digits, without case and accents.
///
/// `External ID`, `external-id` and `EXTERNAL_ID` are one name, as are `Teléfono` and `telefono`, however the
/// accent is composed.
pub(super) fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).filter_map(plain).collect()
}

fn plain(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'ª' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'º' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        letter if letter.is_alphanumeric() => letter,
        _ => return None,
    })
}

/// What columns are called where they are not called as this table calls them, folded: hints, never guesses.
///
/// English, Spanish and Portuguese, as spreadsheets and CRMs of the region name them.
const KNOWN_AS: [(&str, &[&str]); 12] = [
    (
        "phone",
        &[
            "telefono",
            "telefono1",
            "telefonomovil",
            "celular",
            "movil",
            "telefone",
            "fone",
            "mobile",
            "mobilephone",
            "phonenumber",
            "tel",
            "cel",
            "whatsapp",
        ],
    ),
    (
        "document",
        &[
            "documento",
            "dni",
            "nrodocumento",
            "numerodocumento",
            "numerodedocumento",
            "ndocumento",
            "cedula",
            "rut",
            "cpf",
            "nif",
            "documentnumber",
            "identificacion",
            "nid",
        ],
    ),
    ("document_type", &["tipodocumento", "tipodedocumento", "tipodoc", "doctype"]),
    ("document_country", &["paisdocumento", "paisdeldocumento", "pais", "country"]),
    (
        "email",
        &["correo", "correoelectronico", "mail", "emailaddress", "correo1", "emails", "eletronico"],
    ),
    ("first_name", &["nombre", "nombres", "nome", "primernombre", "firstname", "givenname"]),
    ("middle_name", &["segundonombre", "middlename"]),
    ("last_name", &["apellido", "apellidos", "sobrenome", "surname", "lastname", "familyname"]),
    ("full_name", &["nombrecompleto", "nomecompleto", "razonsocial", "fullname", "name"]),
    (
        "birth_date",
        &[
            "fechanacimiento",
            "fechadenacimiento",
            "datanascimento",
            "datadenascimento",
            "birthdate",
            "birthday",
            "dob",
        ],
    ),
    ("plate", &["placa", "patente", "matricula", "licenseplate", "dominio"]),
    (
        "lead_created_at",
        &[
            "fechacreacion",
            "fechadecreacion",
            "createdat",
            "createddate",
            "created",
            "fecharegistro",
            "datacriacao",
        ],
    ),
];

/// Returns the column that is often called so.
pub(super) fn suggestion(folded_name: &str) -> Option<&'static str> {
    let known = KNOWN_AS.iter().find(|(_, names)| names.contains(&folded_name));
    known.map(|(column, _)| *column)
}

/// Says whether a text is plainly a name of a column, and so nobody's value.
///
/// `credible` says that the row around it is a header beyond doubt. Otherwise a word in a row of a file without a
/// header may be a person's name.
pub(super) fn may_be_told(name: &str, credible: bool) -> bool {
    let folded = folded(name);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let short = name.chars().count() <= 40 && digits < 4 && !name.contains('@');
    let machine = name.contains('_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
    let shown = name.chars().all(|c| !c.is_control());
    !folded.is_empty() && short && shown && (credible || machine || suggestion(&folded).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_letters_and_digits() {
        for (one, other) in [
            ("External ID", "external_id"),
            ("\u{200b}Phone ", "phone"),
            ("Tele\u{301}fono", "TELÉFONO"),
            ("N° documento", "n-documento"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_eq!(suggestion(&folded("Teléfono móvil")), Some("phone"));
    }

    #[test]
    fn only_names_are_told_and_no_values() {
        assert!(may_be_told("telefono", false) && may_be_told("utm_source", false));
        assert!(may_be_told("Campaña de mayo", true));
        for value in ["Rosa Quispe", "987654321", "rosa@correo.pe", "45678912", "ROSA", ""] {
            assert!(!may_be_told(value, false), "{value}");
        }
        assert!(!may_be_told("987654321", true) && !may_be_told("rosa@correo.pe", true));
    }
}
