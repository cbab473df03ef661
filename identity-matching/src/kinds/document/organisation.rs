//! Which numbers are those of organisations: an employer's number stands in the records of many persons, and is
//! none of theirs.
//!
//! Sources: SUNAT, Resolución 210-2004 (RUC `20…`); DIAN, Resolución 000070 of 2016 (NIT of legal persons from
//! 800.000.000 on); Receita Federal, IN 2.229/2024 (CNPJ); Orden EHA/451/2008 (Spanish NIF of legal persons); AFIP,
//! Resolución General 10/1997 (CUIT 30, 33, 34); SRI, Reglamento a la Ley del RUC (third digit 6 or 9); SAT, Código
//! Fiscal de la Federación, article 27 (RFC of twelve signs); SII (RUT of legal persons from 50.000.000 on).

use super::number::DocumentNumber;
use crate::{key::DocumentTypeId, text::Region};

const PE_RUC: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PE"), "RUC");
const CO_NIT: DocumentTypeId = DocumentTypeId::new(Region::known(*b"CO"), "NIT");
const BR_CNPJ: DocumentTypeId = DocumentTypeId::new(Region::known(*b"BR"), "CNPJ");
const ES_CIF: DocumentTypeId = DocumentTypeId::new(Region::known(*b"ES"), "CIF");
const AR_CUIT: DocumentTypeId = DocumentTypeId::new(Region::known(*b"AR"), "CUIT");
const EC_RUC: DocumentTypeId = DocumentTypeId::new(Region::known(*b"EC"), "RUC");
const MX_RFC: DocumentTypeId = DocumentTypeId::new(Region::known(*b"MX"), "RFC");
const CL_RUT: DocumentTypeId = DocumentTypeId::new(Region::known(*b"CL"), "RUT");

/// Tells whether a canonical number of a type is one of an organisation.
pub(super) fn is_number_of(kind: DocumentTypeId, number: &DocumentNumber) -> bool {
    let signs = number.as_bytes();
    match kind {
        BR_CNPJ | ES_CIF => true,
        PE_RUC => signs.starts_with(b"20"),
        CO_NIT => signs.len() == 10 && matches!(signs[0], b'8' | b'9'),
        AR_CUIT => [b"30", b"33", b"34"].iter().any(|prefix| signs.starts_with(*prefix)),
        EC_RUC => signs.len() == 13 && matches!(signs[2], b'6' | b'9'),
        MX_RFC => number.as_str().chars().count() == 12,
        CL_RUT => signs.len() == 9 && signs[0] >= b'5',
        _ => false,
    }
}
