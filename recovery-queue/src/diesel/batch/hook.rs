//! The service's own statements inside the transaction that settles a batch.

use crate::diesel::batch::settled::{Settled, Verdict};
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::lent::Conn;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::resolver::FailReason;
use crate::model::rows::Status;

/// What became of one lead of a batch that is about to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledLead {
    /// The lead.
    pub source_pk: SourcePk,
    /// Where it stands: matched, failed, withdrawn, or still pending after a technical error.
    pub status: Status,
    /// The person, when this batch matched it; absent where it had been linked before.
    pub person_key: Option<PersonKey>,
    /// Why it failed.
    pub reason: Option<FailReason>,
}

impl SettledLead {
    /// Makes a settled lead, to try a hook with.
    #[must_use]
    pub fn new(source_pk: SourcePk, status: Status) -> Self {
        Self { source_pk, status, person_key: None, reason: None }
    }
}

/// What a service does with the leads of a batch, on the connection and in the transaction that settles them.
pub(crate) type AfterSettle =
    Box<dyn FnMut(Conn<'_>, &[SettledLead]) -> diesel::QueryResult<()> + Send>;

impl From<&Settled> for SettledLead {
    fn from(settled: &Settled) -> Self {
        let (status, person_key, reason) = match &settled.verdict {
            Verdict::Matched { person_key, .. } => {
                (Status::Matched, Some(PersonKey::stored(person_key.clone())), None)
            }
            Verdict::AlreadyLinked => (Status::Matched, None, None),
            Verdict::Failed { reason, .. } => (Status::Failed, None, Some(reason.clone())),
            Verdict::Retry { .. } => (Status::Pending, None, None),
            Verdict::Withdrawn => (Status::Withdrawn, None, None),
        };
        let source_pk = SourcePk::stored(settled.claim.source_pk.clone());
        Self { source_pk, status, person_key, reason }
    }
}

/// Calls the hook, where there is one; its error rolls the batch back.
pub(crate) fn call(
    hook: Option<&mut AfterSettle>,
    db: &mut Database,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let Some(hook) = hook else { return Ok(()) };
    let leads: Vec<SettledLead> = settled.iter().map(SettledLead::from).collect();
    hook(db.conn(), &leads).map_err(failed("the hook after_settle"))
}
