//! What a document type does with a number.

use std::ops::Range;

use super::number::DocumentNumber;
use crate::key::UnusableReason;
use crate::key::{DocumentTypeId, KeyForm, Reading};

/// Reads the numbers of one document type.
///
/// Implemented by every function of this signature. A type that this crate does not know needs no fork:
///
/// ```
/// use identity_matching::{
///     DocumentNumber, DocumentReading, DocumentType, DocumentTypes, NormaliseOptions, Normaliser,
///     RawDocument, Record, Region, UnusableReason,
/// };
///
/// /// An identity card of six digits, whose last is the sum of the others modulo ten.
/// fn card(number: &mut DocumentNumber) -> Result<DocumentReading, UnusableReason> {
///     number.require_digits()?;
///     let restored = number.restore_zeros(6)?;
///     let digits = number.as_bytes().iter().map(|byte| byte - b'0');
///     let sum: u8 = digits.take(5).sum();
///     if number.as_bytes()[5] != b'0' + sum % 10 {
///         return Err(UnusableReason::WrongCheckDigit);
///     }
///     Ok(DocumentReading::verified().with(restored))
/// }
///
/// let andorra = Region::parse("AD")?;
/// let types = DocumentTypes::built_in().with(DocumentType::new(andorra, "CARD", card))?;
/// let options = NormaliseOptions::for_region(andorra).with_document_types(types);
/// let read = Normaliser::new(options)?.normalise(&Record {
///     documents: vec![RawDocument::typed("AD", "card", "10-203/6")],
///     ..Record::default()
/// });
/// assert_eq!(read.keys()[0].key.text().as_deref(), Some("102036"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait DocumentRule: Send + Sync {
    /// Brings `number`, upper-case letters and digits, into canonical form, or says why it is none.
    ///
    /// The same canonical number must come out of every writing of one document, and reading it again
    /// must not change it. Must not panic for any input.
    fn read(&self, number: &mut DocumentNumber) -> Result<DocumentReading, UnusableReason>;
}

impl<F> DocumentRule for F
where
    F: Fn(&mut DocumentNumber) -> Result<DocumentReading, UnusableReason> + Send + Sync,
{
    fn read(&self, number: &mut DocumentNumber) -> Result<DocumentReading, UnusableReason> {
        self(number)
    }
}

/// How a rule read a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentReading {
    /// [`KeyForm::Exact`], or [`KeyForm::Alias`] when something was added that nobody wrote.
    pub form: KeyForm,
    /// What was restored or verified.
    pub reading: Reading,
    /// The type that the number really is of, where one code stands for several.
    pub kind: Option<DocumentTypeId>,
    /// Whether the number is an organisation's, which is no person's own and never matches by itself.
    pub organisation: bool,
    /// The part that a person's number is in, without prefix and check digits: a placeholder when it is one
    /// digit repeated or a run. The whole number by default.
    pub body: Option<Range<usize>>,
    /// Type and part of a document that the number carries, such as the DNI in a RUC `10…`.
    pub carried: Option<(DocumentTypeId, Range<usize>)>,
}

impl DocumentReading {
    /// Makes the reading of a number that has no check digit.
    #[must_use]
    pub const fn unverified() -> Self {
        Self {
            form: KeyForm::Exact,
            reading: Reading::new(),
            kind: None,
            organisation: false,
            body: None,
            carried: None,
        }
    }

    /// Makes the reading of a number whose check digit was verified.
    #[must_use]
    pub const fn verified() -> Self {
        Self { reading: Reading::CHECK_VERIFIED, ..Self::unverified() }
    }

    /// Adds marks.
    #[must_use]
    pub fn with(mut self, marks: Reading) -> Self {
        self.reading = self.reading.with(marks);
        self
    }

    /// Sets the part that a person's number is in.
    #[must_use]
    pub fn with_body(mut self, body: Range<usize>) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the document that the number carries.
    #[must_use]
    pub fn carrying(mut self, kind: DocumentTypeId, part: Range<usize>) -> Self {
        self.carried = Some((kind, part));
        self
    }

    /// Says that something was added that nobody wrote, such as a missing check letter.
    #[must_use]
    pub fn completed(mut self) -> Self {
        self.form = KeyForm::Alias;
        self.with(Reading::COMPLETED)
    }

    /// Says that the number is not what was written, though it may be what is meant.
    #[must_use]
    pub const fn supposed(mut self) -> Self {
        self.form = KeyForm::Alias;
        self
    }

    /// Says that the number is an organisation's.
    #[must_use]
    pub fn of_organisation(mut self) -> Self {
        self.organisation = true;
        self
    }

    /// Sets the type that the number really is of.
    #[must_use]
    pub fn of_kind(mut self, kind: DocumentTypeId) -> Self {
        self.kind = Some(kind);
        self
    }
}

/// Takes another reading of a number, where a check digit that fits by chance is the only proof of the first.
pub(super) type Second<'a> = dyn FnMut(DocumentNumber, DocumentReading) + 'a;

/// What a rule comes to.
pub(super) type Outcome = Result<DocumentReading, UnusableReason>;
