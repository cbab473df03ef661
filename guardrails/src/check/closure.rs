use crate::{Check, CheckError, Description, Finding};

/// A check made of a closure; see [`closure`].
pub struct ClosureCheck<E> {
    id: String,
    description: Description,
    evaluate: E,
}

impl<E> std::fmt::Debug for ClosureCheck<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClosureCheck").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes a check of a closure over a service's own facts.
///
/// ```
/// use guardrails::facts::Offenders;
/// use guardrails::recovery::{InMemoryFacts, RecoveryFacts};
/// use guardrails::{Check, Description, Finding, closure};
///
/// let none = Description::counting("no lead is withdrawn");
/// let check = closure("none_withdrawn", none, |facts: &InMemoryFacts, _list| {
///     let queue = facts.queue()?;
///     Ok(Finding::counted(Offenders::counted(queue.withdrawn, queue.backlog), "leads are withdrawn"))
/// });
/// assert_eq!(Check::<InMemoryFacts>::id(&check), "none_withdrawn");
/// ```
pub fn closure<F: ?Sized, E>(
    id: impl Into<String>,
    description: Description,
    evaluate: E,
) -> ClosureCheck<E>
where
    E: Fn(&F, usize) -> Result<Finding, CheckError> + Send + Sync,
{
    ClosureCheck { id: id.into(), description, evaluate }
}

impl<F: ?Sized, E> Check<F> for ClosureCheck<E>
where
    E: Fn(&F, usize) -> Result<Finding, CheckError> + Send + Sync,
{
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        (self.evaluate)(facts, list)
    }
}
