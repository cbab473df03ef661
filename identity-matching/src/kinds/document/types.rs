//! The built-in document types: their codes, names, official codes and sources.
//!
//! Official codes of types: Peru, SUNAT catalogue 06 and PLAME table 3; Argentina, AFIP table of document types; Colombia,
//! DIAN, Resolución 042/2020, annex; Ecuador, SRI, Ficha técnica de comprobantes electrónicos, table 6, and Anexo
//! Transaccional Simplificado, table 2 (`01` to `03`), and Superintendencia de Bancos, Manual técnico de estructuras de
//! datos, table 4 (`C`, `R`, `P`); Costa Rica, Ministerio de Hacienda, Resolución DGT-R-48-2016; El Salvador, Ministerio de Hacienda, CAT-022; Dominican Republic,
//! DGII, Norma General 07-2018; Paraguay, SIFEN, Manual técnico; Uruguay, DGI, Formato CFE; Bolivia, SIN, catalogue of
//! document types.

use std::sync::LazyLock;

use super::table::{DocumentType, DocumentTypes};
use super::{
    argentina, bolivia, brazil, chile, colombia, costa_rica, dominican_republic, ecuador,
    el_salvador, guatemala, honduras, italy, mexico, panama, paraguay, passport, peru, portugal,
    spain, uruguay, venezuela,
};
use crate::text::Region;

static BUILT_IN: LazyLock<DocumentTypes> = LazyLock::new(|| {
    let table = built_in().into_iter().fold(DocumentTypes::empty(), |table, kind| {
        table.with(kind).expect("a test adds every built-in type")
    });
    GROUPS.iter().fold(table, |table, &(country, name, codes)| {
        table.with_name(Region::known(*country), name, codes).expect("a test adds every name")
    })
});

impl DocumentTypes {
    /// Returns the table of all types that this crate knows.
    #[must_use]
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }
}

/// Names of a country that stand for several types, of which the number decides.
const GROUPS: &[(&[u8; 2], &str, &[&str])] = &[
    (b"AR", "TAX ID", &["CUIT"]),
    (b"BO", "3", &["PASSPORT"]),
    (b"BR", "TAX ID", &["CPF", "CNPJ"]),
    (b"BR", "VAT", &["CPF", "CNPJ"]),
    (b"CL", "TAX ID", &["RUT"]),
    (b"CO", "TAX ID", &["NIT"]),
    (b"CR", "CEDULA", &["CPF", "CPJ"]),
    (b"CR", "TAX ID", &["CPF", "CPJ", "DIMEX"]),
    (b"DO", "3", &["PASSPORT"]),
    (b"EC", "1", &["RUC"]),
    (b"EC", "2", &["CI"]),
    (b"EC", "3", &["PASSPORT"]),
    (b"EC", "C", &["CI"]),
    (b"EC", "R", &["RUC"]),
    (b"EC", "TAX ID", &["RUC"]),
    (b"ES", "TAX ID", &["NIF"]),
    (b"MX", "TAX ID", &["RFC"]),
    (b"PE", "TAX ID", &["RUC"]),
    (b"PY", "2", &["PASSPORT"]),
    (b"PY", "TAX ID", &["RUC"]),
    (b"SV", "3", &["PASSPORT"]),
    (b"UY", "5", &["PASSPORT"]),
];

fn built_in() -> Vec<DocumentType> {
    let mut types = Vec::new();
    let parts = [peru_and_spain, colombia_and_chile, argentina_and_brazil, mexico_and_ecuador];
    for part in parts.into_iter().chain([andes_and_south, central_america, europe]) {
        types.extend(part());
    }
    types.push(
        DocumentType::of_any_country("PASSPORT", passport::passport)
            .aliases(&[
                "PASAPORTE",
                "PASSAPORTE",
                "PASS",
                "PAS",
                "PSP",
                "PASSPORT NUMBER",
                "FOREIGN PASSPORT",
                "PASSEPORT",
                "PASSAPORTO",
                "REISEPASS",
                "TRAVEL DOCUMENT",
                "DOCUMENTO DE VIAJE",
                "PP",
                "P",
            ])
            .source("ICAO Doc 9303, part 4, whose code of the document is P"),
    );
    types
}

const fn region(code: [u8; 2]) -> Region {
    Region::known(code)
}

fn peru_and_spain() -> Vec<DocumentType> {
    let (pe, es) = (region(*b"PE"), region(*b"ES"));
    vec![
        DocumentType::new(pe, "RUC", peru::ruc)
            .aliases(&["REGISTRO UNICO DE CONTRIBUYENTES", "6", "VAT", "TAXPAYER ID"])
            .source("SUNAT, Decreto Legislativo 943 and Resolución 210-2004/SUNAT")
            .inferred_like(|number| number.len() >= 11),
        DocumentType::new(pe, "DNI", peru::dni)
            .aliases(&[
                "CUI",
                "LE",
                "DNIE",
                "DOCUMENTO NACIONAL",
                "DOCUMENTO NACIONAL DE IDENTIDAD",
                "LIBRETA ELECTORAL",
                "NATIONAL ID",
                "NATIONAL IDENTITY CARD",
                "NATIONAL IDENTITY DOCUMENT",
                "1",
            ])
            .source("RENIEC, Ley 26497; verification character as printed on the card")
            .with_seconds(peru::dni_of_nine)
            .inferred_like(|number| number.len() >= 8),
        DocumentType::new(pe, "CE", peru::foreigner_card)
            .aliases(&[
                "CARNET EXTRANJERIA",
                "CEX",
                "C EXTRANJERIA",
                "CARNE",
                "FOREIGN ID",
                "FOREIGN ID CARD",
                "FOREIGN RESIDENT CARD",
                "RESIDENT CARD",
                "RESIDENCE CARD",
                "ALIEN CARD",
                "4",
            ])
            .source("Superintendencia Nacional de Migraciones, Decreto Legislativo 1350")
            .inferred_like(peru::infers_foreigner_card),
        DocumentType::new(pe, "PTP", passport::digits(6, 12))
            .aliases(&["PERMISO TEMPORAL DE PERMANENCIA", "F"])
            .source("Superintendencia Nacional de Migraciones, Decreto Supremo 002-2017-IN"),
        DocumentType::new(pe, "CPP", passport::digits(6, 12))
            .aliases(&["CARNE DE PERMISO TEMPORAL DE PERMANENCIA", "H"])
            .source("Superintendencia Nacional de Migraciones, Resolución 121-2021"),
        DocumentType::new(pe, "CDI", passport::signs(4, 15))
            .aliases(&["CEDULA DIPLOMATICA", "CEDULA DIPLOMATICA DE IDENTIDAD", "A"])
            .source("SUNAT, catalogue 06"),
        DocumentType::new(pe, "PASSPORT", passport::passport)
            .aliases(&["PASAPORTE", "PASS", "PAS", "PSP", "7"])
            .source("ICAO Doc 9303, part 4; SUNAT, catalogue 06"),
        DocumentType::new(es, "DNI", spain::dni)
            .aliases(&[
                "DOCUMENTO NACIONAL",
                "DOCUMENTO NACIONAL DE IDENTIDAD",
                "DNIE",
                "NATIONAL ID",
            ])
            .source("Real Decreto 1553/2005, article 11")
            .inferred_like(|number| number.len() >= 8),
        DocumentType::new(es, "NIE", spain::nie)
            .aliases(&[
                "NUMERO DE IDENTIDAD DE EXTRANJERO",
                "TIE",
                "TARJETA DE IDENTIDAD DE EXTRANJERO",
                "FOREIGN ID",
                "TARJETA DE RESIDENCIA",
                "PERMISO DE RESIDENCIA",
                "NUMERO DE IDENTIFICACION DE EXTRANJERO",
            ])
            .source("Real Decreto 557/2011, article 206; Orden INT/2058/2008")
            .inferred(),
        DocumentType::new(es, "CIF", spain::cif).source("Orden EHA/451/2008").inferred(),
        DocumentType::new(es, "NIF", spain::nif)
            .aliases(&["NUMERO DE IDENTIFICACION FISCAL", "VAT", "NIF-IVA"])
            .source("Real Decreto 1065/2007, articles 19 to 22; Orden EHA/451/2008")
            .inferred(),
    ]
}

fn colombia_and_chile() -> Vec<DocumentType> {
    let (co, cl) = (region(*b"CO"), region(*b"CL"));
    vec![
        DocumentType::new(co, "CC", colombia::cedula)
            .aliases(&[
                "CEDULA",
                "CEDULA DE CIUDADANIA",
                "C CIUDADANIA",
                "NUIP",
                "DNI",
                "NATIONAL ID",
                "CITIZENSHIP CARD",
                "13",
                "91",
            ])
            .source("Registraduría Nacional del Estado Civil, Resolución 3571 de 2003")
            .inferred_like(colombia::infers_cedula),
        DocumentType::new(co, "NIT", colombia::nit)
            .aliases(&["RUT", "NUMERO DE IDENTIFICACION TRIBUTARIA", "VAT", "31"])
            .source("DIAN, Orden Administrativa 4 de 1989")
            .with_seconds(colombia::nit_without_check)
            .inferred(),
        DocumentType::new(co, "TI", colombia::minor)
            .aliases(&["TARJETA DE IDENTIDAD", "12"])
            .source("Decreto 1260 de 1970; Registraduría, Resolución 3571 de 2003"),
        DocumentType::new(co, "RC", colombia::minor)
            .aliases(&["REGISTRO CIVIL", "REGISTRO CIVIL DE NACIMIENTO", "11"])
            .source("Decreto 1260 de 1970; Registraduría, Resolución 3571 de 2003"),
        DocumentType::new(co, "CE", passport::digits(3, 10))
            .aliases(&[
                "CEDULA DE EXTRANJERIA",
                "CEX",
                "C EXTRANJERIA",
                "FOREIGN ID",
                "22",
                "TARJETA DE EXTRANJERIA",
                "21",
            ])
            .source("Migración Colombia, Decreto 1067 de 2015"),
        DocumentType::new(co, "PEP", passport::digits(9, 15))
            .aliases(&["PERMISO ESPECIAL DE PERMANENCIA", "47"])
            .source("Ministerio de Relaciones Exteriores, Resolución 5797 de 2017"),
        DocumentType::new(co, "PPT", passport::digits(5, 10))
            .aliases(&["PERMISO POR PROTECCION TEMPORAL", "PT", "48"])
            .source("Migración Colombia, Decreto 216 de 2021 and Resolución 971 de 2021"),
        DocumentType::new(co, "PASSPORT", passport::passport)
            .aliases(&["PASAPORTE", "PASS", "PAS", "PA", "41"])
            .source("ICAO Doc 9303, part 4; DIAN, table of document types"),
        DocumentType::new(cl, "RUT", chile::rut)
            .aliases(&[
                "RUN",
                "CI",
                "DNI",
                "CARNET",
                "CARNET DE IDENTIDAD",
                "CEDULA",
                "CEDULA DE IDENTIDAD",
                "CEDULA NACIONAL",
                "CEDULA NACIONAL DE IDENTIDAD",
                "ROL UNICO TRIBUTARIO",
                "ROL UNICO NACIONAL",
                "NATIONAL ID",
                "VAT",
                "IPE",
            ])
            .source("Servicio de Impuestos Internos, DFL 3 de 1969; Registro Civil, DS 18 de 1973")
            .with_seconds(chile::without_check)
            .inferred(),
    ]
}

fn argentina_and_brazil() -> Vec<DocumentType> {
    let (ar, br) = (region(*b"AR"), region(*b"BR"));
    vec![
        DocumentType::new(ar, "CUIT", argentina::cuit)
            .aliases(&["CUIL", "CDI", "VAT", "80", "86", "87", "CLAVE UNICA DE IDENTIFICACION TRIBUTARIA"])
            .source("AFIP, Resolución General 10/1997; ANSES, Ley 24.013 for the CUIL")
            .inferred(),
        DocumentType::new(ar, "DNI", argentina::dni)
            .aliases(&[
                "DOCUMENTO NACIONAL", "DOCUMENTO NACIONAL DE IDENTIDAD", "DU", "DOCUMENTO UNICO", "LE", "LC", "LIBRETA DE ENROLAMIENTO",
                "LIBRETA CIVICA", "DNI EXTRANJERO", "NATIONAL ID", "89", "90", "96",
            ])
            .source("RENAPER, Ley 17.671/1968, under which the numbers of the libretas are those of the DNI")
            .inferred_like(argentina::infers_dni),
        DocumentType::new(ar, "PASSPORT", passport::passport)
            .aliases(&["PASAPORTE", "PASS", "PAS", "94"])
            .source("ICAO Doc 9303, part 4; AFIP, table of document types"),
        DocumentType::new(br, "CPF", brazil::cpf)
            .aliases(&["CADASTRO DE PESSOAS FISICAS", "CADASTRO DE PESSOA FISICA", "CIC", "NATIONAL ID"])
            .source("Receita Federal, Instrução Normativa RFB 2.172/2024")
            .inferred_like(|number| (9..=11).contains(&number.len())),
        DocumentType::new(br, "CNPJ", brazil::cnpj)
            .aliases(&["CADASTRO NACIONAL DA PESSOA JURIDICA", "CADASTRO NACIONAL DE PESSOAS JURIDICAS", "CGC"])
            .source("Receita Federal, Instrução Normativa RFB 2.229/2024")
            .inferred_like(|number| number.len() == 14),
        DocumentType::new(br, "RG", passport::signs(4, 14))
            .aliases(&["REGISTRO GERAL", "CARTEIRA DE IDENTIDADE", "CEDULA DE IDENTIDADE", "IDENTIDADE"])
            .source("Lei 7.116/1983; the issuing office behind it is no part of the number"),
        DocumentType::new(br, "RNE", passport::signs(6, 10))
            .aliases(&["RNM", "CRNM", "REGISTRO NACIONAL MIGRATORIO", "REGISTRO NACIONAL DE ESTRANGEIRO", "FOREIGN ID"])
            .source("Polícia Federal, Lei 13.445/2017"),
        DocumentType::new(br, "CNH", passport::digits(8, 11))
            .aliases(&["CARTEIRA NACIONAL DE HABILITACAO", "HABILITACAO"])
            .source("Contran, Resolução 886/2021"),
    ]
}

fn mexico_and_ecuador() -> Vec<DocumentType> {
    let (mx, ec) = (region(*b"MX"), region(*b"EC"));
    vec![
        DocumentType::new(mx, "CURP", mexico::curp)
            .aliases(&["CLAVE UNICA DE REGISTRO DE POBLACION", "CLAVE UNICA", "NATIONAL ID"])
            .source("RENAPO, Instructivo normativo para la asignación de la CURP, DOF 18-10-2021")
            .inferred(),
        DocumentType::new(mx, "RFC", mexico::rfc)
            .aliases(&["REGISTRO FEDERAL DE CONTRIBUYENTES", "VAT"])
            .source("SAT, Código Fiscal de la Federación, article 27, and its check-digit annex")
            .inferred(),
        DocumentType::new(mx, "INE", passport::signs(9, 18))
            .aliases(&["IFE", "CLAVE DE ELECTOR", "CREDENCIAL PARA VOTAR", "CREDENCIAL DE ELECTOR"])
            .source("Instituto Nacional Electoral, Ley General de Instituciones y Procedimientos Electorales, article 156"),
        DocumentType::new(ec, "RUC", ecuador::ruc)
            .aliases(&["REGISTRO UNICO DE CONTRIBUYENTES", "VAT", "4"])
            .source("SRI, Reglamento a la Ley del RUC, articles 4 to 7")
            .inferred_like(|number| number.len() == 13),
        DocumentType::new(ec, "CI", ecuador::cedula)
            .aliases(&[
                "CEDULA", "CEDULA DE IDENTIDAD", "CEDULA DE CIUDADANIA", "CC", "DNI", "NUI", "NATIONAL ID", "5",
            ])
            .source("Registro Civil, Ley Orgánica de Gestión de la Identidad y Datos Civiles, 2016")
            .inferred_like(|number| matches!(number.len(), 9 | 10)),
        DocumentType::new(ec, "PASSPORT", passport::passport)
            .aliases(&["PASAPORTE", "PASS", "PAS", "6"])
            .source("ICAO Doc 9303, part 4; SRI, Ficha técnica, table 6"),
    ]
}

fn andes_and_south() -> Vec<DocumentType> {
    let (bo, py, uy, ve) = (region(*b"BO"), region(*b"PY"), region(*b"UY"), region(*b"VE"));
    vec![
        DocumentType::new(bo, "CI", bolivia::cedula)
            .aliases(&[
                "CEDULA",
                "CEDULA DE IDENTIDAD",
                "CARNET",
                "CARNET DE IDENTIDAD",
                "DNI",
                "NATIONAL ID",
                "1",
            ])
            .source("SEGIP, Ley 145 de 2011")
            .inferred_like(|number| number.is_digits() && (6..=8).contains(&number.len())),
        DocumentType::new(bo, "NIT", passport::digits(6, 13))
            .aliases(&["NUMERO DE IDENTIFICACION TRIBUTARIA", "TAX ID", "5"])
            .source("Servicio de Impuestos Nacionales, RND 10-0009-11"),
        DocumentType::new(py, "RUC", paraguay::ruc)
            .aliases(&["REGISTRO UNICO DE CONTRIBUYENTES"])
            .source("DNIT, Ley 1352/1988 and Decreto 10122/1991")
            .with_seconds(paraguay::ruc_without_check)
            .inferred_like(|number| number.behind_dash() == Some(1)),
        DocumentType::new(py, "CI", passport::digits(5, 8))
            .aliases(&[
                "CEDULA",
                "CEDULA DE IDENTIDAD",
                "CEDULA DE IDENTIDAD CIVIL",
                "CIC",
                "CIP",
                "DNI",
                "NATIONAL ID",
                "1",
            ])
            .source("Policía Nacional, Departamento de Identificaciones, Ley 222/1993, article 6")
            .inferred_like(|number| number.behind_dash() != Some(1)),
        DocumentType::new(uy, "CI", uruguay::cedula)
            .aliases(&["CEDULA", "CEDULA DE IDENTIDAD", "DNI", "NATIONAL ID", "3"])
            .source("Dirección Nacional de Identificación Civil, Decreto-Ley 14.762")
            .inferred_like(|number| number.len() == 8),
        DocumentType::new(uy, "RUT", uruguay::rut)
            .aliases(&["RUC", "REGISTRO UNICO TRIBUTARIO", "TAX ID", "2"])
            .source("DGI, Resolución 688/992")
            .inferred_like(|number| number.len() == 12),
        DocumentType::new(ve, "CI", venezuela::cedula)
            .aliases(&["CEDULA", "CEDULA DE IDENTIDAD", "V", "E", "DNI", "NATIONAL ID"])
            .source("SAIME, Ley Orgánica de Identificación, 2014")
            .inferred(),
        DocumentType::new(ve, "RIF", venezuela::rif)
            .aliases(&[
                "REGISTRO UNICO DE INFORMACION FISCAL",
                "REGISTRO DE INFORMACION FISCAL",
                "TAX ID",
                "J",
                "G",
            ])
            .source("SENIAT, Providencia 0073/2006")
            .inferred_like(|number| {
                // A zero behind the letter is never lost: eight digits behind it are a cédula.
                !number.is_digits() && (number.len() == 10 || number.behind_dash() == Some(1))
            }),
    ]
}

fn central_america() -> Vec<DocumentType> {
    let (cr, r#do, gt) = (region(*b"CR"), region(*b"DO"), region(*b"GT"));
    let (hn, pa, sv) = (region(*b"HN"), region(*b"PA"), region(*b"SV"));
    vec![
        DocumentType::new(cr, "CPF", costa_rica::cedula)
            .aliases(&[
                "CEDULA FISICA",
                "CEDULA DE IDENTIDAD",
                "CEDULA DE PERSONA FISICA",
                "CI",
                "DNI",
                "NATIONAL ID",
                "1",
            ])
            .source(
                "Tribunal Supremo de Elecciones, Ley 3504; Ministerio de Hacienda, DGT-R-48-2016",
            )
            .inferred_like(|number| number.len() == 9 || number.behind_dash() == Some(4)),
        DocumentType::new(cr, "CPJ", costa_rica::company)
            .aliases(&["CEDULA JURIDICA", "CEDULA DE PERSONA JURIDICA", "2"])
            .source("Registro Nacional, Decreto 34691-J")
            .inferred(),
        DocumentType::new(cr, "DIMEX", costa_rica::dimex)
            .aliases(&["DOCUMENTO DE IDENTIDAD MIGRATORIO PARA EXTRANJEROS", "FOREIGN ID", "3"])
            .source("Dirección General de Migración y Extranjería, Ley 8764")
            .inferred(),
        DocumentType::new(r#do, "CEDULA", dominican_republic::cedula)
            .aliases(&[
                "CIE",
                "CEDULA DE IDENTIDAD Y ELECTORAL",
                "CEDULA DE IDENTIDAD",
                "CI",
                "DNI",
                "NATIONAL ID",
                "2",
            ])
            .source("Junta Central Electoral, Ley 8-92")
            .inferred_like(|number| number.len() == 11),
        DocumentType::new(r#do, "RNC", dominican_republic::rnc)
            .aliases(&[
                "REGISTRO NACIONAL DEL CONTRIBUYENTE",
                "REGISTRO NACIONAL DE CONTRIBUYENTES",
                "TAX ID",
                "1",
            ])
            .source("DGII, Ley 53 de 1970")
            .inferred_like(|number| number.len() == 9),
        DocumentType::new(gt, "DPI", guatemala::cui)
            .aliases(&[
                "CUI",
                "CODIGO UNICO DE IDENTIFICACION",
                "DOCUMENTO PERSONAL DE IDENTIFICACION",
                "DNI",
                "NATIONAL ID",
            ])
            .source("RENAP, Decreto 90-2005, article 61")
            .inferred_like(|number| number.len() == 13),
        DocumentType::new(gt, "NIT", guatemala::nit)
            .aliases(&["NUMERO DE IDENTIFICACION TRIBUTARIA", "TAX ID"])
            .source("SAT, Decreto 6-91, article 120")
            .inferred_like(|number| number.behind_dash() == Some(1)),
        DocumentType::new(hn, "DNI", honduras::dni)
            .aliases(&[
                "IDENTIDAD",
                "TARJETA DE IDENTIDAD",
                "DOCUMENTO NACIONAL DE IDENTIFICACION",
                "NATIONAL ID",
            ])
            .source("Registro Nacional de las Personas, Decreto 62-2004")
            .inferred_like(|number| number.len() == 13),
        DocumentType::new(hn, "RTN", honduras::rtn)
            .aliases(&["REGISTRO TRIBUTARIO NACIONAL", "TAX ID"])
            .source("Servicio de Administración de Rentas, Decreto 102")
            .inferred_like(|number| number.len() == 14),
        DocumentType::new(pa, "CIP", panama::cedula)
            .aliases(&[
                "CEDULA",
                "CEDULA DE IDENTIDAD PERSONAL",
                "CEDULA DE IDENTIDAD",
                "CI",
                "DNI",
                "NATIONAL ID",
            ])
            .source("Tribunal Electoral, Ley 108 de 1973")
            .inferred_like(|number| number.behind_dash().is_some()),
        DocumentType::new(sv, "DUI", el_salvador::dui)
            .aliases(&["DOCUMENTO UNICO DE IDENTIDAD", "DNI", "NATIONAL ID", "13"])
            .source("RNPN, Decreto Legislativo 581 de 2001")
            .inferred_like(|number| number.len() == 9),
        DocumentType::new(sv, "NIT", el_salvador::nit)
            .aliases(&["NUMERO DE IDENTIFICACION TRIBUTARIA", "TAX ID", "36"])
            .source(
                "Ministerio de Hacienda, Decreto Legislativo 79 de 1972 and Decreto 204 de 2021",
            )
            .inferred_like(|number| number.len() == 14),
    ]
}

fn europe() -> Vec<DocumentType> {
    let (it, pt) = (region(*b"IT"), region(*b"PT"));
    vec![
        DocumentType::new(it, "CF", italy::fiscal_code)
            .aliases(&["CODICE FISCALE", "COD FISCALE", "COD FISC", "TAX ID", "NATIONAL ID"])
            .source("Decreto ministeriale 23 dicembre 1976")
            .inferred_like(|number| number.len() == 16),
        DocumentType::new(it, "PIVA", italy::vat_number)
            .aliases(&["PARTITA IVA", "P IVA", "VAT", "IVA"])
            .source("Decreto ministeriale 23 dicembre 1976; DPR 633/1972, article 35")
            .inferred_like(|number| number.len() == 11),
        DocumentType::new(pt, "NIF", portugal::nif)
            .aliases(&[
                "NIPC",
                "CONTRIBUINTE",
                "NUMERO DE IDENTIFICACAO FISCAL",
                "NUMERO DE CONTRIBUINTE",
                "VAT",
                "TAX ID",
            ])
            .source("Decreto-Lei 14/2013")
            .inferred_like(|number| number.len() == 9),
        DocumentType::new(pt, "CC", portugal::citizen_card)
            .aliases(&["CARTAO DE CIDADAO", "CARTAO CIDADAO"])
            .source(
                "Lei 7/2007; Instituto dos Registos e do Notariado, document number of the card",
            )
            .inferred_like(|number| number.len() == 12),
        DocumentType::new(pt, "BI", portugal::civil_number)
            .aliases(&[
                "BILHETE DE IDENTIDADE",
                "NUMERO DE IDENTIFICACAO CIVIL",
                "NIC",
                "NATIONAL ID",
            ])
            .source("Lei 33/99"),
    ]
}
