//! What breaks an invariant among rows that the caller names, all of them or those that were touched: the query that finds
//! the offenders, and the rows that they are counted among.
//!
//! Matched leads are named as `s`, origins as `p`. Each other row is found by its own index: no planner has a choice that
//! it could make by statistics.

/// The key of a matched lead.
const KEY: &str = "(SELECT l.source_pk FROM {ns}queue_lead l WHERE l.id = s.lead_id) AS key";

/// Matched leads whose person has no origin.
pub(crate) fn without_origin(matched: &str) -> [String; 2] {
    let found = format!(
        "SELECT {KEY}, 'its person has no origin' AS reason FROM {matched} \
         AND NOT EXISTS (SELECT 1 FROM {{ns}}queue_person p \
             WHERE p.id = s.person_id AND p.origin_lead_id IS NOT NULL)"
    );
    [found, matched.to_owned()]
}

/// Matched leads without a link.
pub(crate) fn without_link(matched: &str) -> [String; 2] {
    let found = format!(
        "SELECT {KEY}, 'matched without a link' AS reason FROM {matched} \
         AND NOT EXISTS (SELECT 1 FROM {{ns}}queue_link k WHERE k.lead_id = s.lead_id)"
    );
    [found, matched.to_owned()]
}

/// Matched leads whose link leads to another person, among those that have one.
pub(crate) fn linked_to_another(matched: &str) -> [String; 2] {
    let found = format!(
        "SELECT {KEY}, 'queue and link name different persons' AS reason FROM {matched} \
         AND s.person_id <> (SELECT k.person_id FROM {{ns}}queue_link k WHERE k.lead_id = s.lead_id)"
    );
    let linked = format!(
        "{matched} AND EXISTS (SELECT 1 FROM {{ns}}queue_link k WHERE k.lead_id = s.lead_id)"
    );
    [found, linked]
}

/// Origins whose lead is not linked to their person.
pub(crate) fn origin_without_link(origins: &str) -> [String; 2] {
    let found = format!(
        "SELECT p.person_key AS key, 'its first lead is not linked to it' AS reason FROM {origins} \
         AND NOT EXISTS (SELECT 1 FROM {{ns}}queue_link k \
             WHERE k.lead_id = p.origin_lead_id AND k.person_id = p.id)"
    );
    [found, origins.to_owned()]
}
