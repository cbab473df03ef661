//! Which kinds of identifiers the failed leads lack, by the evidence that their resolver left.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use guardrails::facts::{FactsResult, LackCount};

use crate::diesel::read::facts::StoreFacts;

#[derive(QueryableByName)]
struct Lacks {
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    document: i64,
    #[diesel(sql_type = BigInt)]
    phone: i64,
    #[diesel(sql_type = BigInt)]
    email: i64,
}

impl StoreFacts<'_> {
    /// Counts the failed leads without a key of each kind, per reason.
    ///
    /// The evidence is that of `identity-matching`: its keys stand before what is unusable. A mark such as
    /// `"kind":"phone"` cannot stand inside a JSON string, whose quotes are escaped; so a look at the text
    /// is exact, and cheaper than parsing it. Leads whose evidence has another form are not counted.
    pub(crate) fn lacks(&self) -> FactsResult<Vec<LackCount>> {
        let find = if self.is_sqlite() { "instr" } else { "strpos" };
        let without = |kind: &str| {
            format!(
                "CAST(sum(CASE WHEN {find}(keys, '\"kind\":\"{kind}\"') = 0 THEN 1 ELSE 0 END) AS BIGINT) \
                 AS {kind}"
            )
        };
        let rows: Vec<Lacks> = self.read(&format!(
            "SELECT reason, {}, {}, {} FROM ( \
                 SELECT reason, substr(evidence, 1, {find}(evidence, '\"unusable\":[')) AS keys \
                 FROM {{ns}}queue_settled WHERE status = 2 AND {find}(evidence, '\"keys\":[') > 0 \
                 AND {find}(evidence, '\"unusable\":[') > 0) e GROUP BY reason ORDER BY reason",
            without("document"),
            without("phone"),
            without("email"),
        ))?;
        Ok(rows
            .into_iter()
            .flat_map(|row| {
                [("document", row.document), ("phone", row.phone), ("email", row.email)].map(
                    |(kind, leads)| {
                        LackCount::new(row.reason.clone(), kind, u64::try_from(leads).unwrap_or(0))
                    },
                )
            })
            .filter(|lack| lack.leads > 0)
            .collect())
    }
}
