//! Reads: the consistent read of a whole store and the facts that checks ask of it.

#[cfg(feature = "guardrails")]
pub(crate) mod books;
pub(crate) mod decisions;
pub(crate) mod disagreements;
#[cfg(feature = "guardrails")]
pub(crate) mod facts;
#[cfg(feature = "guardrails")]
pub(crate) mod given_leads;
#[cfg(feature = "guardrails")]
pub(crate) mod key_format;
pub(crate) mod leads;
pub(crate) mod lookup;
#[cfg(feature = "guardrails")]
pub(crate) mod missing_identifiers;
pub(crate) mod presence;
pub(crate) mod records;
pub(crate) mod rejected_pairs;
pub(crate) mod review_figures;
pub(crate) mod reviews;
pub(crate) mod snapshot;
#[cfg(feature = "guardrails")]
pub(crate) mod time_limit;
#[cfg(feature = "guardrails")]
pub(crate) mod touched;
#[cfg(feature = "guardrails")]
pub(crate) mod user_query;
