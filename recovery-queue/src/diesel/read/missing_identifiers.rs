//! Which kinds of identifiers the failed leads lack, by the evidence that their resolver left.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use guardrails::facts::FactsResult;
use guardrails::recovery::LackCount;

use crate::diesel::conn::database::Param;
use crate::diesel::read::facts::StoreFacts;

/// A kind whose keys are looked for, the mark of its keys, and that of its fields.
struct Kind(&'static str, &'static str, &'static str);

const KINDS: [Kind; 3] = [
    Kind("document", r#""kind":"document""#, r#""field":"document""#),
    Kind("phone", r#""kind":"phone""#, r#""field":"phone""#),
    Kind("email", r#""kind":"email""#, r#""field":"email""#),
];

/// Settled leads per statement.
const PAGE: i64 = 10_000;

#[derive(QueryableByName)]
struct Settled {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    /// Of failed leads alone, as the evidence.
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    evidence: Option<String>,
}

/// The kinds that a lead holds no key of, and those of them of which it gave a value that could not be read.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Lack {
    kinds: [bool; KINDS.len()],
    unread: [bool; KINDS.len()],
}

impl Lack {
    /// Reads evidence; `None` where it has another form, and where no kind is lacking.
    ///
    /// The evidence is that of `identity-matching`: its keys stand before what is unusable, and that before the candidates.
    /// A mark such as `"kind":"phone"` cannot stand inside a JSON string, whose quotes are escaped; so a look at the text
    /// is exact, and cheaper than parsing it.
    fn of(evidence: &str) -> Option<Self> {
        let (keys, rest) = evidence.split_once("\"unusable\":[")?;
        if !keys.contains("\"keys\":[") {
            return None;
        }
        let unusable = rest.split_once("\"candidates\":[").map_or(rest, |(unusable, _)| unusable);
        let kinds = KINDS.map(|Kind(_, key, _)| !keys.contains(key));
        let unread =
            KINDS.map(|Kind(_, key, field)| !keys.contains(key) && unusable.contains(field));
        kinds.contains(&true).then_some(Self { kinds, unread })
    }

    fn names(of: [bool; KINDS.len()]) -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().zip(of).filter_map(|(Kind(name, ..), is)| is.then_some(name))
    }
}

impl StoreFacts<'_> {
    /// Counts the failed leads by reason, by the kinds that they hold no key of, and by those of them of which they gave a
    /// value that could not be read; each lead counts once. Leads whose evidence has another form are not counted.
    ///
    /// The evidence is read page by page and looked at here: databases take ten times as long for the same looks.
    pub(crate) fn lacks(&self) -> FactsResult<Vec<LackCount>> {
        // A page is a range of the primary key: no planner has a choice that it could make by statistics.
        let sql = "SELECT s.lead_id, CASE WHEN s.status = 2 THEN s.reason END AS reason, \
                 CASE WHEN s.status = 2 THEN s.evidence END AS evidence \
             FROM (SELECT * FROM {ns}queue_settled WHERE lead_id > $1 ORDER BY lead_id LIMIT $2) s \
             ORDER BY s.lead_id";
        let mut counts: BTreeMap<(String, Lack), u64> = BTreeMap::new();
        let mut last = i64::MIN;
        loop {
            let rows: Vec<Settled> = self.read_with(sql, &[Param::Int(last), Param::Int(PAGE)])?;
            let Some(end) = rows.last() else { break };
            last = end.lead_id;
            for row in rows {
                let (Some(reason), Some(evidence)) = (row.reason, row.evidence) else { continue };
                if let Some(lack) = Lack::of(&evidence) {
                    *counts.entry((reason, lack)).or_default() += 1;
                }
            }
        }
        let mut lacks: Vec<LackCount> = counts
            .into_iter()
            .map(|((reason, lack), leads)| {
                LackCount::new(reason, Lack::names(lack.kinds), leads)
                    .unread(Lack::names(lack.unread))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_read_from_the_keys_and_what_is_unread_from_between_them_and_the_candidates()
     {
        let lack = |evidence: &str| {
            Lack::of(evidence).map(|lack| {
                let names = |of| Lack::names(of).collect::<Vec<_>>().join(" ");
                (names(lack.kinds), names(lack.unread))
            })
        };
        let told = |kinds: &str, unread: &str| Some((kinds.to_owned(), unread.to_owned()));
        let phone = r#"{"kind":"phone","value":"***"}"#;
        let bad = |field: &str| format!(r#"{{"source":{{"field":"{field}","position":0}}}}"#);
        let evidence = |keys: &str, unusable: &str, candidates: &str| {
            format!(r#"{{"keys":[{keys}],"unusable":[{unusable}],"candidates":[{candidates}]}}"#)
        };
        assert_eq!(lack(&evidence(phone, "", "")), told("document email", ""));
        assert_eq!(
            lack(&evidence("", &bad("email"), phone)),
            told("document phone email", "email")
        );
        assert_eq!(lack(&evidence(phone, &bad("phone"), "")), told("document email", ""));
        assert_eq!(lack(&evidence("", "", &bad("email"))), told("document phone email", ""));
        let all = KINDS.map(|Kind(_, key, _)| format!("{{{key}}}")).join(",");
        assert_eq!(lack(&evidence(&all, &bad("email"), "")), None);
        assert_eq!(lack(r#"{"unusable":[]}"#), None, "no list of keys");
        assert_eq!(lack(r#"{"keys":[]}"#), None, "no list of what is unusable");
        assert_eq!(lack(r#"{"keys":[],"unusable":[]}"#), told("document phone email", ""));
        assert_eq!(lack("not JSON"), None);
    }
}
