//! The persons and leads of the sample.

use chrono::NaiveDate;

/// What a lead of the sample is like, and so what a matcher should say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// A known person who gives the document, and perhaps more.
    Document,
    /// A known person who gives only the phone, in one of its written forms.
    Phone,
    /// A known person who gives only the e-mail.
    Email,
    /// The phone of one person with the e-mail of another.
    Conflict,
    /// A family's phone that too many persons share, and nothing else that is known.
    SharedPhone,
    /// A known phone with somebody else's document.
    Contradicted,
    /// Identifiers that no person has.
    Stranger,
    /// Nothing, or only placeholders.
    Nothing,
    /// A known person whose lead is claimed already.
    Claimed,
}

pub(super) struct Person {
    pub(super) key: String,
    pub(super) phone: Option<String>,
    pub(super) document: Option<String>,
    pub(super) email: Option<String>,
    pub(super) first: &'static str,
    pub(super) last: [&'static str; 2],
    pub(super) born: NaiveDate,
    pub(super) plate: Option<String>,
}

impl Person {
    pub(super) fn full_name(&self) -> String {
        format!("{} {} {}", self.first, self.last[0], self.last[1])
    }
}

#[derive(Default)]
pub(super) struct Lead {
    pub(super) phone: String,
    pub(super) document: String,
    pub(super) document_type: &'static str,
    pub(super) email: String,
    pub(super) name: Option<(&'static str, String)>,
    pub(super) born: Option<NaiveDate>,
    pub(super) plate: String,
    pub(super) truth: String,
}

/// Every third lead came from a form that gave it an id of its own.
pub(super) fn external_id(at: usize) -> Option<String> {
    at.is_multiple_of(3).then(|| format!("web-{at:06}"))
}

pub(super) fn id(at: usize) -> String {
    format!("L{at:06}")
}

pub(super) fn source_pk(at: usize) -> String {
    external_id(at).unwrap_or_else(|| id(at))
}
