//! Which leads of a batch need an answer.

use chrono::{DateTime, Utc};

use crate::diesel::batch::settled::Claim;
use crate::diesel::read::rejected_pairs::Rejected;
use crate::model::key::SourcePk;
use crate::model::options::RecoverOptions;
use crate::model::resolver::ClaimedLead;

/// Says whether a lead's attempts are used up: it killed its process, or outlived its leases, each time.
pub(crate) fn is_used_up(claim: &Claim, options: &RecoverOptions) -> bool {
    claim.attempts >= i64::from(options.max_attempts)
}

/// Gives the leads of a batch that need an answer.
pub(crate) fn open_leads(
    claims: &[Claim],
    options: &RecoverOptions,
    rejected: &Rejected,
) -> Vec<ClaimedLead> {
    claims
        .iter()
        .filter(|claim| claim.person_id.is_none() && !is_used_up(claim, options))
        .map(|claim| ClaimedLead {
            source_pk: SourcePk::stored(claim.source_pk.clone()),
            lead_at: instant(claim.lead_at),
            lead_version: claim.lead_version.clone(),
            attempts: u32::try_from(claim.attempts).unwrap_or(u32::MAX),
            rejected: rejected.get(&claim.lead_id).cloned().unwrap_or_default(),
        })
        .collect()
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
