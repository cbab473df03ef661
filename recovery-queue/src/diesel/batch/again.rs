//! A batch looks again, as it settles, at what may have changed since its leads were claimed.
//!
//! A lead that has left its backlog meanwhile (a claim came, the lead was removed) is not linked: it is withdrawn, as
//! the next seed would withdraw it. A lead that was matched to a person who is gone by now is not linked either: it fails
//! as [`PersonGone`](FailReason::PersonGone). Each look is one statement of the transaction that settles the batch.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::diesel::batch::hook::AfterSettle;
use crate::diesel::batch::settled::{BATCH, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::presence::{Looks, Relation};
use crate::diesel::read::rejected_pairs::Rejected;
use crate::model::error::StoreError;
use crate::model::resolver::FailReason;

/// What a store keeps for the batches that it settles.
#[derive(Default)]
pub(crate) struct Settling {
    pub(crate) after_settle: Option<AfterSettle>,
    pub(crate) looks: Looks,
    /// The version of the database when the next leads were begun ahead.
    #[cfg(feature = "sqlite")]
    pub(crate) begun_at: Option<i64>,
}

#[derive(QueryableByName)]
struct Views {
    #[diesel(sql_type = Nullable<Text>)]
    view_schema: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    view_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    person_schema: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    person_view: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    person_column: Option<String>,
}

/// Gives the view of a backlog, where it was seeded from one, and that of the persons, where one is recorded.
fn views(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
) -> Result<(Option<Relation>, Option<Relation>), StoreError> {
    let sql = "SELECT b.view_schema, b.view_name, persons.view_schema AS person_schema, \
             persons.view_name AS person_view, persons.key_column AS person_column \
         FROM {ns}queue_backlog b LEFT JOIN {ns}queue_person_view persons ON 1 = 1 WHERE b.id = $1";
    let rows: Vec<Views> =
        db.query_prepared(&names.sql(sql), &[Param::Int(backlog_id)]).map_err(failed(BATCH))?;
    let Some(row) = rows.into_iter().next() else { return Ok((None, None)) };
    let backlog = row.view_schema.zip(row.view_name);
    let persons = row.person_schema.zip(row.person_view).zip(row.person_column);
    Ok((
        backlog.map(|(schema, name)| Relation::new(schema, name, "lead_source_pk")),
        persons.map(|((schema, name), column)| Relation::new(schema, name, column)),
    ))
}

/// Refuses matches to persons whom somebody has rejected for the lead.
pub(crate) fn refuse_rejected(settled: &mut [Settled], rejected: &Rejected) {
    if rejected.is_empty() {
        return;
    }
    for lead in settled {
        let Verdict::Matched { person_key, .. } = &lead.verdict else { continue };
        let theirs = rejected.get(&lead.claim.lead_id);
        if theirs.is_some_and(|theirs| theirs.iter().any(|person| person.as_str() == person_key)) {
            let (reason, wake_keys) = (FailReason::Rejected, Vec::new());
            lead.verdict = Verdict::Failed { reason, evidence: None, wake_keys };
        }
    }
}

/// Looks again, and changes what is written of the leads that have left and of those whose person is gone.
pub(crate) fn look(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &mut [Settled],
    looks: &mut Looks,
) -> Result<(), StoreError> {
    let (backlog, persons) = views(db, names, context.backlog_id)?;
    if let Some(backlog) = backlog {
        // What is linked has left the backlog by its link.
        let asked: Vec<usize> = (0..settled.len())
            .filter(|&at| !matches!(settled[at].verdict, Verdict::AlreadyLinked))
            .collect();
        let keys: Vec<&str> =
            asked.iter().map(|&at| settled[at].claim.source_pk.as_str()).collect();
        for gone in looks.absent(db, &backlog, &keys)? {
            settled[asked[gone]].verdict = Verdict::Withdrawn;
        }
    }
    if let Some(persons) = persons {
        let mut matched: Vec<(String, usize)> = settled
            .iter()
            .enumerate()
            .filter_map(|(at, lead)| match &lead.verdict {
                Verdict::Matched { person_key, .. } => Some((person_key.clone(), at)),
                _ => None,
            })
            .collect();
        matched.sort_unstable();
        let groups: Vec<_> = matched.chunk_by(|one, other| one.0 == other.0).collect();
        let keys: Vec<&str> = groups.iter().map(|group| group[0].0.as_str()).collect();
        for gone in looks.absent(db, &persons, &keys)? {
            for &(_, at) in groups[gone] {
                let (reason, wake_keys) = (FailReason::PersonGone, Vec::new());
                settled[at].verdict = Verdict::Failed { reason, evidence: None, wake_keys };
            }
        }
    }
    Ok(())
}
