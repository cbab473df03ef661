//! The history of links.

/// Writes the statement that keeps links in the history: `which` selects them; its first binds are when, by whom and why
/// they end.
pub(crate) fn keep_links(which: &str) -> String {
    format!(
        "INSERT INTO {{ns}}queue_link_history (lead_id, person_id, rule, confidence, decided_by, run_id, \
             linked_at, evidence, ended_at, ended_by, reason) \
         SELECT lead_id, person_id, rule, confidence, decided_by, run_id, linked_at, evidence, $1, $2, $3 \
         FROM {{ns}}queue_link WHERE {which} ORDER BY lead_id"
    )
}
