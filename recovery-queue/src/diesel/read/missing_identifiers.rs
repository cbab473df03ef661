//! Which kinds of identifiers the failed leads lack, by the evidence that their resolver left.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use guardrails::facts::FactsResult;
use guardrails::recovery::LackCount;

use crate::diesel::read::facts::StoreFacts;

/// The kinds whose keys are looked for.
const KINDS: [&str; 3] = ["document", "phone", "email"];

#[derive(QueryableByName)]
struct Lacks {
    #[diesel(sql_type = Text)]
    reason: String,
    /// The kinds, separated by blanks.
    #[diesel(sql_type = Text)]
    kinds: String,
    /// Those of the kinds of which a value stands among what is unusable.
    #[diesel(sql_type = Text)]
    unread: String,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

impl StoreFacts<'_> {
    /// Counts the failed leads by reason, by the kinds that they hold no key of, and by those of them of which they gave a
    /// value that could not be read; each lead counts once.
    ///
    /// The evidence is that of `identity-matching`: its keys stand before what is unusable. A mark such as
    /// `"kind":"phone"` cannot stand inside a JSON string, whose quotes are escaped; so a look at the text
    /// is exact, and cheaper than parsing it. Leads whose evidence has another form are not counted.
    pub(crate) fn lacks(&self) -> FactsResult<Vec<LackCount>> {
        let find = if self.is_sqlite() { "instr" } else { "strpos" };
        let lacked = KINDS.map(|kind| {
            format!("CASE WHEN {find}(keys, '\"kind\":\"{kind}\"') = 0 THEN '{kind} ' ELSE '' END")
        });
        let unread = KINDS.map(|kind| {
            format!(
                "CASE WHEN {find}(keys, '\"kind\":\"{kind}\"') = 0 \
                     AND {find}(unusable, '\"field\":\"{kind}\"') > 0 THEN '{kind} ' ELSE '' END"
            )
        });
        // What is unusable stands between the keys and the candidates.
        let rows: Vec<Lacks> = self.read(&format!(
            "SELECT reason, kinds, unread, count(*) AS leads FROM ( \
                 SELECT reason, {} AS kinds, {} AS unread FROM ( \
                     SELECT reason, substr(evidence, 1, {find}(evidence, '\"unusable\":[')) AS keys, \
                         substr(evidence, {find}(evidence, '\"unusable\":['), \
                             CASE WHEN {find}(evidence, '\"candidates\":[') > {find}(evidence, '\"unusable\":[') \
                             THEN {find}(evidence, '\"candidates\":[') - {find}(evidence, '\"unusable\":[') \
                             ELSE length(evidence) END) AS unusable \
                     FROM {{ns}}queue_settled WHERE status = 2 AND {find}(evidence, '\"keys\":[') > 0 \
                     AND {find}(evidence, '\"unusable\":[') > 0) e) k \
             WHERE kinds <> '' GROUP BY reason, kinds, unread",
            lacked.join(" || "),
            unread.join(" || "),
        ))?;
        let mut lacks: Vec<LackCount> = rows
            .into_iter()
            .map(|row| {
                let leads = u64::try_from(row.leads).unwrap_or(0);
                LackCount::new(row.reason, row.kinds.split_whitespace(), leads)
                    .unread(row.unread.split_whitespace())
            })
            .collect();
        // Most leads first, and in one order on every server.
        lacks.sort_by(|a, b| {
            let order =
                |lack: &LackCount| (lack.reason.clone(), lack.kinds.clone(), lack.unread.clone());
            b.leads.cmp(&a.leads).then_with(|| order(a).cmp(&order(b)))
        });
        Ok(lacks)
    }
}
