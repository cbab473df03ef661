use crate::facts::Facts;
use crate::{Check, CheckError, Description, Finding};

/// A check made of a closure; see [`closure`].
pub struct ClosureCheck<F> {
    id: String,
    description: Description,
    evaluate: F,
}

impl<F> std::fmt::Debug for ClosureCheck<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClosureCheck").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes a check of a closure.
///
/// ```
/// use guardrails::facts::Offenders;
/// use guardrails::{Check, Description, Finding, closure};
///
/// let check = closure("none_withdrawn", Description::counting("no lead is withdrawn"), |facts, _| {
///     let withdrawn = facts.queue()?.withdrawn;
///     let offenders = Offenders { total: withdrawn, ..Offenders::default() };
///     Ok(Finding::counted(offenders, "leads are withdrawn"))
/// });
/// assert_eq!(check.id(), "none_withdrawn");
/// ```
pub fn closure<F>(id: impl Into<String>, description: Description, evaluate: F) -> ClosureCheck<F>
where
    F: Fn(&dyn Facts, usize) -> Result<Finding, CheckError> + Send + Sync,
{
    ClosureCheck { id: id.into(), description, evaluate }
}

impl<F> Check for ClosureCheck<F>
where
    F: Fn(&dyn Facts, usize) -> Result<Finding, CheckError> + Send + Sync,
{
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        (self.evaluate)(facts, list)
    }
}
