//! Names of columns as people write them.

use crate::value::label_key;

/// What columns are called where they are not called as this table calls them, by their [`label_key`]: hints,
/// never guesses.
///
/// English, Spanish and Portuguese, as spreadsheets and CRMs of the region name them.
const KNOWN_AS: [(&str, &[&str]); 14] = [
    (
        "id",
        &[
            "leadid",
            "idlead",
            "recordid",
            "recordidcontact",
            "contactid",
            "idderegistro",
            "idderegistrocontacto",
            "iddoregistro",
            "iddecontacto",
            "iddecontato",
            "iddelcontacto",
            "codigo",
        ],
    ),
    (
        "person_key",
        &["personid", "idpersona", "customerid", "clientid", "clienteid", "idcliente", "idpessoa"],
    ),
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
            "telefono2",
            "telefonocelular",
            "telefonodecontacto",
            "numerodetelefono",
            "numerodecelular",
            "celular1",
            "phone1",
            "mobilenumber",
            "mobilephonenumber",
            "cellphone",
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
            "nifnie",
            "dninie",
            "nifcif",
            "cpfcnpj",
            "dniruc",
            "ndedocumento",
            "nodedocumento",
            "nrodedocumento",
            "documentodeidentidad",
            "numerodeidentificacion",
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
    (
        "full_name",
        &[
            "nombrecompleto",
            "nombreyapellidos",
            "apellidosynombres",
            "nomecompleto",
            "razonsocial",
            "fullname",
            "name",
        ],
    ),
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
            "datadecriacao",
            "createdate",
            "createdtime",
            "fechadealta",
            "fechaderegistro",
            "submissiondate",
        ],
    ),
];

/// Returns the column that is often called so.
pub(super) fn suggestion(key: &str) -> Option<&'static str> {
    let known = KNOWN_AS.iter().find(|(_, names)| names.contains(&key));
    known.map(|(column, _)| *column)
}

/// What stands within the names of a column, longest first where one holds another: `Celular del cliente`, `Primary Email`.
const WITHIN: [(&str, &[&str]); 6] = [
    ("id", &["leadid", "idlead", "recordid", "idderegistro", "iddoregistro", "codigo"]),
    ("email", &["email", "correo", "mail"]),
    (
        "phone",
        &[
            "telefon", "telefone", "celular", "whatsapp", "movil", "mobile", "phone", "fono",
            "contacto",
        ],
    ),
    (
        "document",
        &[
            "documento",
            "document",
            "identidad",
            "identificacion",
            "idnumber",
            "nationalid",
            "cedula",
            "dni",
            "ruc",
            "numdoc",
            "nrodoc",
        ],
    ),
    ("person_key", &["personid", "idpersona", "customerid", "idcliente", "clienteid"]),
    ("birth_date", &["nacimiento", "nascimento", "birth"]),
];

/// Returns the column that a name of a header beyond doubt may mean, by a word within it.
pub(super) fn likely(key: &str) -> Option<&'static str> {
    let holds = |words: &&[&str]| words.iter().any(|word| key.contains(word));
    WITHIN.iter().find(|(_, words)| holds(words)).map(|(column, _)| *column)
}

/// Says whether a text is plainly a name of a column, and so nobody's value.
///
/// `credible` says that the row around it is a header beyond doubt. Otherwise a word in a row of a file without a
/// header may be a person's name.
pub(super) fn may_be_told(name: &str, credible: bool) -> bool {
    let key = label_key(name);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let short = name.chars().count() <= 40 && digits < 4 && !name.contains('@');
    let machine = name.contains('_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
    let shown = name.chars().all(|c| !c.is_control());
    !key.is_empty() && short && shown && (credible || machine || suggestion(&key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_is_often_called_is_suggested_however_it_is_written() {
        for name in ["Teléfono móvil", "TELEFONO_MOVIL", "telefonoMovil"] {
            assert_eq!(suggestion(&label_key(name)), Some("phone"), "{name}");
        }
        assert_eq!(suggestion(&label_key("Color")), None);
    }

    #[test]
    fn a_word_within_a_name_tells_what_a_column_may_be() {
        for (name, column) in [
            ("Celular del cliente", "phone"),
            ("N° de celular", "phone"),
            ("Celular/WhatsApp", "phone"),
            ("Home Phone", "phone"),
            ("fono", "phone"),
            ("Dirección de correo electrónico", "email"),
            ("Primary Email", "email"),
            ("Endereço de e-mail", "email"),
            ("Número de identificación", "document"),
            ("documento_identidad", "document"),
            ("DNI/RUC", "document"),
            ("ID Number", "document"),
            ("national_id", "document"),
            ("Lead Id", "id"),
            ("Record ID - Contact", "id"),
            ("ID de registro - Contacto", "id"),
            ("Id cliente", "person_key"),
            ("Data de nascimento do titular", "birth_date"),
        ] {
            assert_eq!(likely(&label_key(name)), Some(column), "{name}");
        }
        assert_eq!(likely(&label_key("Color")), None);
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
