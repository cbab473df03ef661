//! What runs decided, lead by lead, as the database has it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::Param;
use crate::diesel::read::snapshot::SqlSnapshot;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::rows::Status;

/// Rows per statement.
const PAGE: i64 = 5_000;

/// One settled lead, and how it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The lead.
    pub source_pk: SourcePk,
    /// Matched, failed, or withdrawn: it had left the backlog as its batch was settled.
    pub status: Status,
    /// The run that settled it.
    pub run_id: RunId,
    /// The person that it is matched to.
    pub person_key: Option<PersonKey>,
    /// The rule that decided, of a matched lead.
    pub rule: Option<String>,
    /// How sure the match is.
    pub confidence: Option<String>,
    /// Why it failed, as the code that is stored.
    pub reason: Option<String>,
    /// The evidence as JSON, where the resolver gave some.
    pub evidence: Option<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = BigInt)]
    status: i64,
    #[diesel(sql_type = BigInt)]
    run_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    person_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    confidence: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    evidence: Option<String>,
}

impl SqlSnapshot<'_> {
    /// Hands over every lead that `run` has settled, or a run of recovery after `after`, each once; in the
    /// order in which the leads came into being. Gives the newest of these runs.
    ///
    /// A file of what a run decided is written from here: it holds what was committed and nothing else. `after` is the
    /// last run whose decisions were written, so that those of a run that was killed come with the next.
    ///
    /// # Errors
    /// The database's.
    pub fn decisions(
        &mut self,
        run: RunId,
        after: RunId,
        each: &mut dyn FnMut(Decision),
    ) -> Result<RunId, StoreError> {
        let (mut newest, mut last) = (run.max(after), i64::MIN);
        loop {
            let sql = format!(
                "SELECT s.lead_id, l.source_pk, s.status, s.run_id, h.person_key, k.rule, k.confidence, s.reason, \
                     COALESCE(k.evidence, s.evidence) AS evidence \
                 FROM (SELECT * FROM {{ns}}queue_settled WHERE lead_id > $1 AND run_id IN \
                     (SELECT id FROM {{ns}}queue_run WHERE kind = 'recover' AND (id = $2 OR id > $3)) ORDER BY lead_id LIMIT $4) s {} {} {} ORDER BY s.lead_id",
                self.found_by_index("queue_lead", "l", "l.id = s.lead_id"),
                self.found_by_index("queue_person", "h", "h.id = s.person_id"),
                self.found_by_index("queue_link", "k", "k.lead_id = s.lead_id AND s.status = 1"),
            );
            let params =
                [Param::Int(last), Param::Int(run.0), Param::Int(after.0), Param::Int(PAGE)];
            let rows: Vec<Row> = self.query(&sql, &params)?;
            let Some(end) = rows.last() else { return Ok(newest) };
            last = end.lead_id;
            for row in rows {
                newest = newest.max(RunId(row.run_id));
                each(Decision {
                    source_pk: SourcePk::stored(row.source_pk),
                    status: match row.status {
                        1 => Status::Matched,
                        2 => Status::Failed,
                        _ => Status::Withdrawn,
                    },
                    run_id: RunId(row.run_id),
                    person_key: row.person_key.map(PersonKey::stored),
                    rule: row.rule,
                    confidence: row.confidence,
                    reason: row.reason,
                    evidence: row.evidence,
                });
            }
        }
    }
}
