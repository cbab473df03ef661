//! Finds keys of leads that are written in more than one way.

use guardrails::facts::{FactsError, FactsResult, Invariant, Offenders};

use crate::diesel::read::facts::StoreFacts;
use crate::model::backlog::{ViewName, check_identifier};
use crate::model::error::ConfigError;

/// Names a column of the user's that holds keys of leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    table: ViewName,
    column: String,
}

impl KeyColumn {
    pub(crate) fn new(table: &str, column: &str) -> Result<Self, ConfigError> {
        check_identifier("key column", column)?;
        Ok(Self { table: ViewName::new(table)?, column: column.to_owned() })
    }

    /// Selects its keys as `key`, with `place`.
    fn keys(&self) -> String {
        format!(
            "SELECT CAST(\"{column}\" AS TEXT) AS key, '{table}' AS place FROM {quoted} \
             WHERE \"{column}\" IS NOT NULL",
            column = self.column,
            table = self.table.name(),
            quoted = self.table.quoted(),
        )
    }
}

/// What is left of a key without case, blanks around it, a trailing `.0` and leading zeros.
fn plain(column: &str) -> String {
    let x = format!("lower(trim({column}))");
    format!(
        "ltrim(CASE WHEN {x} LIKE '%.0' THEN substr({x}, 1, length({x}) - 2) ELSE {x} END, '0')"
    )
}

impl StoreFacts<'_> {
    /// Finds keys that are another's in another spelling, blank keys, and rows whose lead is gone.
    ///
    /// The queue's own tables hold a key once, in `queue_lead`, and refer to it by number. So what can differ
    /// is the backlog, the user's tables, and two spellings that both came into the queue; of those the later
    /// one is odd.
    pub(crate) fn odd_keys(&self, limit: usize) -> FactsResult<Offenders> {
        let mut places: Vec<String> = self.key_columns().iter().map(KeyColumn::keys).collect();
        if let Some(view) = self.view() {
            places.push(format!(
                "SELECT CAST(lead_source_pk AS TEXT) AS key, 'the backlog' AS place FROM {view}"
            ));
        }
        if places.is_empty() {
            return Err(FactsError::not_provided(Invariant::SourcePkInOneFormat));
        }
        let elsewhere = places.join(" UNION ALL ");
        let (of_key, of_lead) = (plain("o.key"), plain("l.source_pk"));
        let gone = [
            ("queue_settled s", "s.lead_id", "a settled row"),
            ("queue_link s", "s.lead_id", "a link"),
            ("queue_person s", "s.origin_lead_id", "an origin"),
        ]
        .map(|(table, lead, what)| {
            format!(
                "SELECT 'lead no. ' || {lead} AS key, '{what} whose lead the queue does not hold' AS reason \
                 FROM {{ns}}{table} WHERE {lead} IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {{ns}}queue_lead l WHERE l.id = {lead})"
            )
        })
        .join(" UNION ALL ");
        // Keys that the queue holds as they are need no second look: few others are left to compare.
        let odd = format!(
            "WITH others AS (SELECT key, min(place) AS place FROM ({elsewhere}) e \
                 WHERE NOT EXISTS (SELECT 1 FROM {{ns}}queue_lead l WHERE l.source_pk = e.key) GROUP BY key), \
             forms AS (SELECT o.key, o.place, {of_key} AS form FROM others o), \
             leads AS (SELECT form, id, source_pk, min(id) OVER (PARTITION BY form) AS first FROM \
                 (SELECT {of_lead} AS form, l.id, l.source_pk FROM {{ns}}queue_lead l) x) \
             SELECT key, 'a blank key in ' || place AS reason FROM forms WHERE trim(key) = '' \
             UNION ALL SELECT key, 'written in ' || place || ', the queue writes it in another way' \
                 FROM forms WHERE trim(key) <> '' AND form IN (SELECT form FROM leads) \
             UNION ALL SELECT key, 'written in ' || place || ', and in another way elsewhere' \
                 FROM (SELECT key, place, form, count(*) OVER (PARTITION BY form) AS n FROM forms) f \
                 WHERE n > 1 AND trim(key) <> '' AND form NOT IN (SELECT form FROM leads) \
             UNION ALL SELECT source_pk, 'the queue holds it in another spelling, too' FROM leads \
                 WHERE id > first \
             UNION ALL {gone}"
        );
        // All distinct keys: the queue's are distinct already.
        let population = format!(
            "(SELECT source_pk FROM {{ns}}queue_lead UNION ALL SELECT DISTINCT key FROM ({elsewhere}) e \
             WHERE NOT EXISTS (SELECT 1 FROM {{ns}}queue_lead l WHERE l.source_pk = e.key)) k"
        );
        self.offending(&odd, &population, limit)
    }
}
