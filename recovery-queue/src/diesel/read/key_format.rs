//! Finds keys of leads that are written in more than one way.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use guardrails::facts::{FactsError, FactsResult, Offenders};
use guardrails::recovery::Invariant;

use crate::diesel::read::facts::StoreFacts;
use crate::diesel::read::presence::Relation;
use crate::diesel::write::view_values::key_text;
use crate::model::backlog::check_identifier;

/// A recorded column of the service's that holds keys of leads.
#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    view_schema: String,
    #[diesel(sql_type = Text)]
    view_name: String,
    #[diesel(sql_type = Text)]
    key_column: String,
    /// Whether its keys are leads, rather than references to leads.
    #[diesel(sql_type = BigInt)]
    of_leads: i64,
}

impl Place {
    /// Selects its keys as `key`, with `place`.
    fn keys(&self, sqlite: bool) -> String {
        let Self { view_schema, view_name, key_column, .. } = self;
        let relation = Relation::new(view_schema.clone(), view_name.clone(), key_column.as_str());
        format!(
            "SELECT {} AS key, '{view_name}' AS place FROM {}",
            key_text(sqlite, &relation.column()),
            relation.quoted(),
        )
    }
}

/// What is left of a key without blanks around it, a trailing `.0` and leading zeros.
fn plain(column: &str) -> String {
    let x = format!("trim({column})");
    let whole =
        format!("CASE WHEN {x} LIKE '%.0' THEN substr({x}, 1, length({x}) - 2) ELSE {x} END");
    let bare = format!("ltrim({whole}, '0')");
    format!("CASE WHEN {bare} = '' AND {x} <> '' THEN '0' ELSE {bare} END")
}

/// Selects the keys of `unknown` that are blank, or another key's in another spelling.
///
/// The other keys are those of the queue and of `leads`, leads that it does not hold. One sort and no join: no planner
/// can take one side for short and read it once for each row of the other.
fn odd(unknown: &str, leads: Option<&str>, form: impl Fn(&str) -> String) -> String {
    let leads = leads.map_or_else(String::new, |leads| {
        format!("UNION ALL SELECT '', '', {}, 1 FROM ({leads}) n ", form("n.key"))
    });
    format!(
        "SELECT key, CASE WHEN trim(key) = '' THEN 'a blank key in ' || place \
             WHEN theirs = 2 THEN 'written in ' || place || ', the queue writes it in another way' \
             ELSE 'written in ' || place || ', and in another way elsewhere' END AS reason \
         FROM (SELECT key, place, whose, max(whose) OVER (PARTITION BY form) AS theirs, \
                 count(*) OVER (PARTITION BY form) AS keys \
             FROM (SELECT key, place, {} AS form, 0 AS whose FROM ({unknown}) o {leads}\
                 UNION ALL SELECT '', '', {}, 2 FROM {{ns}}queue_lead l) f) g \
         WHERE whose = 0 AND (trim(key) = '' OR theirs > 0 OR keys > 1)",
        form("o.key"),
        form("l.source_pk"),
    )
}

impl StoreFacts<'_> {
    /// Finds keys that are another's in another spelling, blank keys, and rows whose lead is gone.
    ///
    /// The queue's own tables hold a key once, in `queue_lead`, and refer to it by number. So what can differ
    /// is the backlog, the user's tables, and two spellings that both came into the queue; of those the later
    /// one is odd.
    pub(crate) fn odd_keys(&self, limit: usize) -> FactsResult<Offenders> {
        let (sqlite, view) = (self.is_sqlite(), self.view()?);
        let columns: Vec<Place> = self.read(
            "SELECT view_schema, view_name, key_column, of_leads FROM {ns}queue_key_column \
             ORDER BY view_schema, view_name, key_column",
        )?;
        for place in &columns {
            // The name stands in the statement as text, too, and a record may have been written by others.
            check_identifier("recorded table of keys", &place.view_name)
                .map_err(FactsError::unavailable)?;
        }
        let places = |leads: bool| {
            let of_kind = |column: &&Place| (column.of_leads != 0) == leads;
            let columns = columns.iter().filter(of_kind);
            let mut places: Vec<String> = columns.map(|column| column.keys(sqlite)).collect();
            if let Some(view) = view.as_ref().filter(|_| leads) {
                let key = key_text(sqlite, "lead_source_pk");
                places.push(format!("SELECT {key} AS key, 'the backlog' AS place FROM {view}"));
            }
            places
        };
        let (leads, references) = (places(true), places(false));
        if leads.is_empty() && references.is_empty() {
            return Err(FactsError::not_provided(Invariant::SOURCE_PK_IN_ONE_FORMAT.as_str()));
        }
        let mut found = vec![OF_THE_QUEUE.replace("{form}", &plain("l.source_pk")), gone()];
        let leads = self.unknown(&leads)?;
        let references = self.unknown(&references)?;
        let mut population = vec!["SELECT count(*) AS value FROM {ns}queue_lead".to_owned()];
        // Where the queue holds them all there is nothing to compare.
        if let Some(leads) = &leads {
            found.push(odd(leads, None, plain));
            population.push(format!("SELECT count(*) FROM ({leads}) u"));
        }
        if let Some(references) = &references {
            let strangers = match &leads {
                // What refers to a lead by its very key is no other spelling.
                Some(leads) => format!(
                    "SELECT key, min(place) AS place FROM (SELECT key, place, 0 AS lead \
                     FROM ({references}) r UNION ALL SELECT key, place, 1 FROM ({leads}) n) b \
                     GROUP BY key HAVING max(lead) = 0"
                ),
                None => references.clone(),
            };
            found.push(odd(&strangers, leads.as_deref(), |column| {
                format!("lower({})", plain(column))
            }));
            population.push(format!("SELECT count(*) FROM ({strangers}) w"));
        }
        // All distinct keys: the queue's are distinct already.
        let population = population.join(" UNION ALL ");
        let population =
            format!("SELECT CAST(sum(value) AS BIGINT) AS value FROM ({population}) p");
        self.offending_of(&found.join(" UNION ALL "), &population, limit)
    }

    /// Selects the keys of places that the queue does not hold, each once; nothing where there are none.
    fn unknown(&self, places: &[String]) -> FactsResult<Option<String>> {
        if places.is_empty() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT key, min(place) AS place FROM ({}) e WHERE key IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {{ns}}queue_lead l WHERE l.source_pk = e.key) GROUP BY key",
            places.join(" UNION ALL ")
        );
        let keys = self.count(&format!("SELECT count(*) AS value FROM ({sql}) u"))?;
        Ok((keys > 0).then_some(sql))
    }
}

/// Two spellings that both came into the queue. Of two keys with one form at least one is not its own form.
const OF_THE_QUEUE: &str = "SELECT source_pk AS key, 'the queue holds it in another spelling, too' AS reason \
     FROM (SELECT source_pk, id, min(id) OVER (PARTITION BY form) AS first FROM ( \
         SELECT l.id, l.source_pk, {form} AS form FROM {ns}queue_lead l WHERE {form} <> l.source_pk \
         UNION ALL SELECT (SELECT k.id FROM {ns}queue_lead k WHERE k.source_pk = f.form), f.form, f.form \
         FROM (SELECT DISTINCT {form} AS form FROM {ns}queue_lead l WHERE {form} <> l.source_pk) f) p \
     WHERE id IS NOT NULL) q WHERE id > first";

/// Rows that refer to a lead that is gone.
fn gone() -> String {
    [
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
    .join(" UNION ALL ")
}
