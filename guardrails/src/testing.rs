//! The conformance suite for implementations of [`RecoveryFacts`] and [`Tables`] (feature `testing`).

use crate::facts::{FactsError, FactsResult, Offenders, Query, Tables};
use crate::recovery::{Invariant, RecoveryFacts};

/// Asserts what [`RecoveryFacts`] promises of every implementation, on whatever data it stands.
///
/// Families that are left out are passed over. Run it on facts with data in every family, while
/// something else writes to the same database: then it also proves the single snapshot.
///
/// ```
/// use guardrails::facts::Offender;
/// use guardrails::recovery::{InMemoryFacts, Invariant};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()).with_offenders(
///     Invariant::MATCHED_HAS_LINK,
///     3,
///     vec![Offender::new("b", "no link"), Offender::new("a", "no link")],
/// );
/// guardrails::testing::conformance(&facts);
/// ```
///
/// # Panics
///
/// When a promise is broken; the message says which.
pub fn conformance(facts: &dyn RecoveryFacts) {
    let (queue, ledger) = (provided(facts.queue()), provided(facts.ledger()));
    let (snapshot, migrations) = (facts.snapshot(), provided(facts.migrations()));
    offenders_are_counted_exactly_whatever_the_limit(facts);
    counts_add_up(facts);
    days_join(facts);
    runs_come_newest_first(facts);
    ages_cover_everything_once(facts);
    what_is_lacked_is_lacked_by_failed_leads(facts);
    assert_eq!(facts.snapshot(), snapshot, "the snapshot changed between two answers");
    assert_eq!(provided(facts.queue()), queue, "the queue moved within one snapshot");
    assert_eq!(provided(facts.ledger()), ledger, "the ledger moved within one snapshot");
    assert_eq!(provided(facts.migrations()), migrations, "migrations moved within one snapshot");
}

fn provided<T>(answer: FactsResult<T>) -> Option<T> {
    match answer {
        Ok(given) => Some(given),
        Err(FactsError::NotProvided { .. }) => None,
        Err(error) => panic!("facts could not be read: {error:?}"),
    }
}

fn offenders_are_counted_exactly_whatever_the_limit(facts: &dyn RecoveryFacts) {
    for invariant in Invariant::BUILT_IN {
        let ask = |limit| provided(facts.offenders(invariant, limit));
        let Some(all) = ask(usize::MAX) else { continue };
        assert_eq!(
            all.total,
            all.listed.len() as u64,
            "{invariant}: not all listed without a limit"
        );
        assert!(
            all.listed.is_sorted_by(|a, b| a.key <= b.key),
            "{invariant}: the listing is not in the order of the keys"
        );
        if let Some(population) = all.population {
            assert!(all.total <= population, "{invariant}: more offenders than rows");
        }
        for limit in [0, 1, 2, all.listed.len()] {
            let listed = all.listed.iter().take(limit).cloned().collect();
            let cut = Some(Offenders { listed, ..all.clone() });
            assert_eq!(
                ask(limit),
                cut,
                "{invariant}: a limit of {limit} changes more than the listing"
            );
        }
    }
}

fn counts_add_up(facts: &dyn RecoveryFacts) {
    let Some(queue) = provided(facts.queue()) else { return };
    let by_reason: u64 = queue.reasons.iter().map(|reason| reason.leads).sum();
    assert_eq!(by_reason, queue.failed, "the reasons do not add up to the failed leads");
    assert!(
        queue.reasons.is_sorted_by(|a, b| a.leads >= b.leads),
        "the reasons do not come with most leads first"
    );
    assert!(queue.backlog_not_in_queue <= queue.backlog, "more unseeded leads than leads");
}

fn days_join(facts: &dyn RecoveryFacts) {
    let Some(ledger) = provided(facts.ledger()) else { return };
    for pair in ledger.days.windows(2) {
        assert_eq!(pair[0].day.succ_opt(), Some(pair[1].day), "the days have a gap");
    }
}

fn runs_come_newest_first(facts: &dyn RecoveryFacts) {
    let Some(runs) = provided(facts.runs(100)) else { return };
    assert!(runs.len() <= 100, "more runs than asked for");
    assert!(
        runs.is_sorted_by(|a, b| a.started_at >= b.started_at),
        "the runs do not come newest first"
    );
    assert_eq!(
        provided(facts.runs(1)).map(|one| one.first().cloned()),
        Some(runs.first().cloned()),
        "a limit of one gives another run than the newest"
    );
}

fn ages_cover_everything_once(facts: &dyn RecoveryFacts) {
    let Some(ageing) = provided(facts.ageing()) else { return };
    for pair in ageing.windows(2) {
        assert_eq!(pair[0].below_days, Some(pair[1].from_days), "the ages have a gap");
    }
    if let (Some(first), Some(last)) = (ageing.first(), ageing.last()) {
        assert_eq!(
            (first.from_days, last.below_days),
            (0, None),
            "the ages do not cover everything"
        );
    }
}

fn what_is_lacked_is_lacked_by_failed_leads(facts: &dyn RecoveryFacts) {
    let (Some(lacking), Some(queue)) = (provided(facts.lacking()), provided(facts.queue())) else {
        return;
    };
    for part in &queue.reasons {
        let of_reason = lacking.iter().filter(|lack| lack.reason == part.reason);
        let lack: u64 = of_reason.map(|lack| lack.leads).sum();
        assert!(lack <= part.leads, "more leads lack something than failed as {}", part.reason);
    }
    for lack in &lacking {
        assert!(!lack.kinds.is_empty(), "a lead lacks no kind of identifier: {}", lack.reason);
        let known = queue.reasons.iter().any(|part| part.reason == lack.reason);
        assert!(known, "leads lack something, but none failed as {}", lack.reason);
    }
}

/// Asserts what [`Tables`] promises of every implementation: exact totals, binds, and no way to write.
///
/// # Panics
///
/// When a promise is broken; the message says which.
pub fn tables_conformance(facts: &dyn Tables) {
    let ask = |sql: &str, limit| facts.query(&Query::new(sql), limit);
    let count = |sql: &str, limit| ask(sql, limit).map(|found| (found.total, found.listed));
    let two = "SELECT 'a', 'first' UNION ALL SELECT 'b', 'second'";
    let (total, listed) = count(two, 1).expect("a reading query runs");
    assert_eq!(
        (total, listed.len()),
        (2, 1),
        "a query's total is not exact when its listing is cut"
    );
    let nasty = "it's $1; --\"";
    let bound = facts
        .query(&Query::new("SELECT CAST($1 AS TEXT), CAST($2 AS TEXT)").bind(nasty).bind("b"), 1);
    let bound = bound.expect("a query with binds runs");
    assert_eq!(
        (bound.listed[0].key.as_str(), bound.listed[0].reason.as_str()),
        (nasty, "b"),
        "a bind does not come back as it is"
    );
    let writes = [
        "CREATE TABLE guardrails_must_not_write (a INTEGER)",
        "SELECT 1; CREATE TABLE guardrails_must_not_write (a INTEGER)",
        "SELECT 'a') x; CREATE TABLE guardrails_must_not_write (a INTEGER); --",
        "COMMIT",
        "",
    ];
    for sql in writes {
        assert!(
            matches!(ask(sql, 1), Err(FactsError::Refused { .. })),
            "a query that is no single reading statement was not refused: {sql}"
        );
    }
    assert!(count(two, 1).is_ok(), "after a refused query the snapshot is gone");
}
