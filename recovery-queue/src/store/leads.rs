//! What a person looks up and does by hand with single leads and persons.

use crate::model::error::StoreError;
use crate::model::inconsistency::Inconsistency;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::lead::{Forget, Forgotten, LeadRecord, PersonRecord, Pruned, Reopen, Retention};
use crate::model::links::Decider;
use crate::model::resolver::FailReason;
use crate::model::rows::QueueRow;
use crate::model::store_action::StoreAction;

/// A store whose leads can be looked up, tried again, cancelled and forgotten one by one.
pub trait LeadStore {
    /// Gives everything that is known of a lead; `None` where the store does not know it.
    fn lead(&mut self, key: &SourcePk) -> Result<Option<LeadRecord>, StoreError>;

    /// Gives everything that is known of a person; `None` where the store does not know the person.
    fn person(&mut self, key: &PersonKey) -> Result<Option<PersonRecord>, StoreError>;

    /// Lists failed leads in the order of their keys, `limit` at most, those after the key `after`: all, or those of
    /// one reason. The last key of one list is the `after` of the next.
    fn failed(
        &mut self,
        reason: Option<&FailReason>,
        after: Option<&SourcePk>,
        limit: u32,
    ) -> Result<Vec<QueueRow>, StoreError>;

    /// Makes leads pending again; gives how many. A failed lead is counted as reopened, a cancelled one as arrived.
    ///
    /// # Errors
    /// Of [`Reopen::Keys`]: `NotFound` for a lead that the store does not know, `Conflict` for one that is matched, and
    /// for one that was withdrawn because it left its backlog; nothing is written then. A lead that is pending stays as
    /// it is.
    fn reopen_leads(&mut self, leads: Reopen<'_>, decider: Decider<'_>) -> Result<u64, StoreError>;

    /// Takes leads out of the work, though they may still be in the backlog; gives how many. They are withdrawn, and no
    /// seed brings them back: [`reopen_leads`](Self::reopen_leads) by key does.
    ///
    /// # Errors
    /// `NotFound` for a lead that the store does not know, `Conflict` for one that is matched; nothing is written then.
    fn cancel(&mut self, leads: &[SourcePk], decider: Decider<'_>) -> Result<u64, StoreError>;

    /// Forgets a lead or a person everywhere in the store, and proves it: afterwards each column that can hold the key
    /// is searched, and had one held it, nothing would be written.
    ///
    /// The ledger's figures stay. A lead that waits is counted as withdrawn; remove it from its backlog first, or the
    /// next seed brings it as a new one.
    ///
    /// Who did so and why is kept among the [`actions`](Self::actions), without the key.
    ///
    /// # Errors
    /// `NotFound` for a key that the store does not know, and a reason that names the key.
    fn forget(&mut self, whom: Forget<'_>, decider: Decider<'_>) -> Result<Forgotten, StoreError>;

    /// Says what disagrees about leads, by kind; nothing where all is sound. Reads only.
    ///
    /// A lead's state, its link, its person's origin, the ledger's sum and the backlog are compared.
    fn inconsistencies(&mut self) -> Result<Vec<Inconsistency>, StoreError>;

    /// Puts right what disagrees, in one transaction with the ledger's events and the leads' history; gives what was found.
    ///
    /// What each kind is brought to says [`InconsistencyKind`](crate::InconsistencyKind). Workers are waited for, and wait.
    fn reconcile(&mut self, decider: Decider<'_>) -> Result<Vec<Inconsistency>, StoreError>;

    /// Removes what is older than it is to be kept; where something was removed, that is kept among the
    /// [`actions`](Self::actions).
    fn prune(&mut self, retention: Retention, decider: Decider<'_>) -> Result<Pruned, StoreError>;

    /// Lists what was done by hand with the store as a whole, oldest first: backlogs that were held and resumed, what
    /// was removed, who had somebody forgotten.
    fn actions(&mut self) -> Result<Vec<StoreAction>, StoreError>;

    /// Records that a service has forgotten a lead or a person whom the store does not know, in tables of its own.
    ///
    /// # Errors
    /// A reason that names the key.
    fn record_forgotten(
        &mut self,
        whom: Forget<'_>,
        rows: u64,
        decider: Decider<'_>,
    ) -> Result<(), StoreError>;
}
