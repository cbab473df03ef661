//! Values of leads that a person corrects: where they go is the service's.

use crate::model::key::SourcePk;

/// One corrected value of a lead's own record.
///
/// `Debug` shows the lead and the field alone: the values identify a person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Correction {
    /// The lead.
    pub source_pk: SourcePk,
    /// The field, as the service calls it, such as `phone`.
    pub field: String,
    /// What stands there; `None` = nothing.
    pub was: Option<String>,
    /// What is to stand there.
    pub value: String,
    /// Who corrected it.
    pub corrected_by: String,
}

impl Correction {
    /// Makes the correction of a field that holds `was`.
    pub fn new(
        source_pk: SourcePk,
        field: impl Into<String>,
        was: Option<String>,
        value: impl Into<String>,
        corrected_by: impl Into<String>,
    ) -> Self {
        let (field, value) = (field.into(), value.into());
        Self { source_pk, field, was, value, corrected_by: corrected_by.into() }
    }
}

impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Correction")
            .field("source_pk", &self.source_pk)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

/// Where corrected values of leads go: the service's own tables.
///
/// The queue keeps no identifier. A load of corrections calls this in the transaction in which
/// [`ReviewStore::load_reviews`](crate::ReviewStore::load_reviews) records the decisions
/// ([`ReviewDecision::Corrected`](crate::ReviewDecision::Corrected)) and makes the leads pending, so that both stay or
/// neither.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use recovery_queue::{Correction, CorrectionSink, SourcePk};
///
/// /// The phones of leads, and what loads replaced in them.
/// #[derive(Default)]
/// struct Phones(BTreeMap<SourcePk, String>, Vec<(String, Correction)>);
///
/// impl CorrectionSink for Phones {
///     type Error = String;
///
///     fn correct(&mut self, load: &str, corrections: &[Correction]) -> Result<(), String> {
///         for one in corrections {
///             if self.0.get(&one.source_pk) != one.was.as_ref() {
///                 return Err(format!("the phone of {} changed since", one.source_pk));
///             }
///             self.0.insert(one.source_pk.clone(), one.value.clone());
///             self.1.push((load.to_owned(), one.clone()));
///         }
///         Ok(())
///     }
///
///     fn undo(&mut self, load: &str, _: &str) -> Result<u64, String> {
///         let own = self.1.extract_if(.., |(of, _)| of == load).collect::<Vec<_>>();
///         for (_, one) in &own {
///             self.0.insert(one.source_pk.clone(), one.was.clone().unwrap_or_default());
///         }
///         Ok(own.len() as u64)
///     }
/// }
///
/// let lead = SourcePk::new("L-1")?;
/// let mut phones = Phones::default();
/// phones.0.insert(lead.clone(), "98765432O".into());
/// let fixed = Correction::new(lead.clone(), "phone", Some("98765432O".into()), "987654320", "ana");
/// phones.correct("load-1", &[fixed])?;
/// assert_eq!(phones.0[&lead], "987654320");
/// assert_eq!(phones.undo("load-1", "ana")?, 1);
/// assert_eq!(phones.0[&lead], "98765432O");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CorrectionSink {
    /// What goes wrong in the service's tables.
    type Error;

    /// Writes corrected values, and keeps under the load's id what they replace.
    ///
    /// # Errors
    /// A field that no longer holds what the correction says, or that cannot be written; the caller then takes the whole
    /// transaction back.
    fn correct(&mut self, load: &str, corrections: &[Correction]) -> Result<(), Self::Error>;

    /// Puts back what a load replaced, on behalf of somebody; gives how many values.
    ///
    /// # Errors
    /// A value that was changed since; nothing is to be put back then.
    fn undo(&mut self, load: &str, undone_by: &str) -> Result<u64, Self::Error>;
}
