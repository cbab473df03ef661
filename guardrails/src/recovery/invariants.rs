//! The checks of one or two invariants each.

use super::{Invariant, RecoveryFacts};
use crate::facts::{FactsError, Offenders};
use crate::{Check, CheckError, Description, Finding, Remedy, Severity};

/// A check that counts what breaks an invariant, or two that belong together.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::facts::Offender;
/// use guardrails::recovery::{InMemoryFacts, Invariant, InvariantCheck};
/// use guardrails::{Remedy, Suite};
///
/// const NO_CLAIM_TWICE: Invariant = Invariant::named("no_claim_twice");
/// let check = InvariantCheck::new("no_claim_twice", "no claim is imported twice")
///     .part(NO_CLAIM_TWICE, "claims stand twice")
///     .cause("the file was imported under two names")
///     .remedy(Remedy::new("Remove one of the two files."));
/// let facts = InMemoryFacts::new("s", "2026-03-01T00:00:00Z".parse().unwrap())
///     .with_offenders(NO_CLAIM_TWICE, 9, vec![Offender::new("c1", "in two files")]);
/// let report = Suite::new("claims").with(check).unwrap().run(&facts, &StoppedClock);
/// assert_eq!(report.checks[0].actual, "1 of 9 claims stand twice (11.11 %)");
/// ```
#[derive(Debug, Clone)]
pub struct InvariantCheck {
    id: &'static str,
    expected: &'static str,
    column: Option<&'static str>,
    severity: Severity,
    where_empty: Option<&'static str>,
    /// Whether the parts are about the same rows, which then count once.
    same_rows: bool,
    parts: Vec<Part>,
    causes: Vec<&'static str>,
    remedies: Vec<Remedy>,
    /// The command that looks at one offender; its key is put behind it.
    looks_at: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
struct Part {
    invariant: Invariant,
    what: &'static str,
    /// The figure that counts this part alone, and what to do about it.
    apart: Option<(&'static str, Remedy)>,
}

impl InvariantCheck {
    /// Makes a check without parts of what holds when it passes.
    #[must_use]
    pub fn new(id: &'static str, expected: &'static str) -> Self {
        Self {
            id,
            expected,
            column: None,
            severity: Severity::Error,
            where_empty: None,
            same_rows: false,
            parts: Vec::new(),
            causes: Vec::new(),
            remedies: Vec::new(),
            looks_at: None,
        }
    }

    /// Counts what breaks an invariant; `what` completes the sentence "3 of 40 …".
    #[must_use]
    pub fn part(mut self, invariant: Invariant, what: &'static str) -> Self {
        self.parts.push(Part { invariant, what, apart: None });
        self
    }

    /// Counts what breaks an invariant apart from the other parts: under a figure of its own, with its own remedy.
    #[must_use]
    pub fn part_apart(
        mut self,
        invariant: Invariant,
        what: &'static str,
        figure: &'static str,
        remedy: Remedy,
    ) -> Self {
        self.parts.push(Part { invariant, what, apart: Some((figure, remedy)) });
        self
    }

    /// Sets the severity that the check has by default.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Names the column that the check looks at.
    #[must_use]
    pub fn column(mut self, column: &'static str) -> Self {
        self.column = Some(column);
        self
    }

    /// Says what an empty population means.
    #[must_use]
    pub fn where_empty(mut self, means: &'static str) -> Self {
        self.where_empty = Some(means);
        self
    }

    /// Says that all parts are about the same rows, so that the population counts them once.
    #[must_use]
    pub fn of_the_same_rows(mut self) -> Self {
        self.same_rows = true;
        self
    }

    /// Adds a likely cause.
    #[must_use]
    pub fn cause(mut self, cause: &'static str) -> Self {
        self.causes.push(cause);
        self
    }

    /// Adds a remedy for any offender.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// Adds the command that looks at the first offender: its key is put behind `command`.
    #[must_use]
    pub fn looks_at(mut self, action: &'static str, command: &'static str) -> Self {
        self.looks_at = Some((action, command));
        self
    }
}

impl<F: RecoveryFacts + ?Sized> Check<F> for InvariantCheck {
    fn id(&self) -> &str {
        self.id
    }

    fn describe(&self) -> Description {
        let description = Description::counting(self.expected).severity(self.severity);
        match self.column {
            Some(column) => description.column(column),
            None => description,
        }
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let mut sum = Offenders { population: Some(0), ..Offenders::default() };
        let mut words = Vec::new();
        let mut counted = Vec::new();
        let mut missing = Vec::new();
        for part in &self.parts {
            let left = list.saturating_sub(sum.listed.len());
            match facts.offenders(part.invariant, left) {
                Ok(found) => {
                    let alone = Offenders { listed: Vec::new(), ..found };
                    words.push(Finding::counted(alone, part.what).summary().to_owned());
                    let both = sum.population.zip(found.population);
                    sum.population =
                        both.map(|(a, b)| if self.same_rows { a.max(b) } else { a + b });
                    sum.total += found.total;
                    sum.listed.extend(found.listed);
                    counted.push((part, found.total));
                }
                Err(error @ FactsError::NotProvided { .. }) => missing.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        if counted.is_empty() && !missing.is_empty() {
            return Err(missing.swap_remove(0).into());
        }
        let first = sum.listed.first().map(|offender| quoted(&offender.key));
        let offends = sum.total > 0;
        let mut finding = Finding::counted(sum, "").words(words.join("; "));
        if let Some(means) = self.where_empty {
            finding = finding.where_empty(means);
        }
        if let Some(error) = missing.first() {
            finding = finding.partial(error.to_string());
        }
        for (part, total) in counted {
            if let Some((figure, remedy)) = &part.apart {
                finding = finding.figure(*figure, total);
                if total > 0 {
                    finding = finding.remedy(remedy.clone());
                }
            }
        }
        if !offends {
            return Ok(finding);
        }
        finding = self.causes.iter().fold(finding, |finding, cause| finding.cause(*cause));
        if let Some((action, command)) = self.looks_at {
            let command = first.map(|key| format!("{command}{key}"));
            finding = finding.remedy(Remedy { command, ..Remedy::new(action) });
        }
        Ok(self.remedies.iter().cloned().fold(finding, Finding::remedy))
    }
}

/// A key as one word of a POSIX shell.
fn quoted(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c);
    if !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        format!("'{}'", key.replace('\'', r"'\''"))
    }
}

/// 0 % of the matched leads are in the backlog.
pub(super) fn drain() -> InvariantCheck {
    InvariantCheck::new("drain", "no matched lead is in the backlog")
        .part(Invariant::MATCHED_NOT_IN_BACKLOG, "matched leads are in the backlog")
        .where_empty("nothing to leak")
        .column("source_pk")
        .cause("the backlog view does not read the identity links, or reads another key")
        .cause("a link was removed after the lead was matched")
        .looks_at(
            "Look at the leaked leads one by one: key, link and claim.",
            "explain_match --source-pk=",
        )
        .remedy(
            Remedy::new(
                "Put right the leads whose link is gone: they are pending again. Where the link stands, mend the view: let it read the links by the same key.",
            )
            .command("queue_admin reconcile --why drain"),
        )
}

/// No matched lead's person lacks an origin, and no origin lacks its link.
pub(super) fn origin_missing() -> InvariantCheck {
    InvariantCheck::new(
        "origin_missing",
        "the person of every matched lead has an origin, and every origin its link",
    )
    .part_apart(
        Invariant::MATCHED_HAS_ORIGIN,
        "matched leads' persons have no origin",
        "matched_without_origin",
        Remedy::new("Run the recovery: it gives each such person the first lead as origin.")
            .command("recover_leads"),
    )
    .part_apart(
        Invariant::ORIGIN_HAS_LINK,
        "origins have no link to their person",
        "origins_without_link",
        Remedy::new("Put them right: each such origin moves to the person's first linked lead.")
            .command("queue_admin reconcile --why origin_missing"),
    )
    .where_empty("nothing is matched, so no origin can be missing")
    .column("person_key")
    .cause("rows were written or removed by something other than the recovery")
}

/// A lead's key is written in one way in every table.
pub(super) fn source_pk_consistency() -> InvariantCheck {
    InvariantCheck::new(
        "source_pk_consistency",
        "a lead's key is written in one way in every table",
    )
    .part(Invariant::SOURCE_PK_IN_ONE_FORMAT, "keys are written in another way")
    .where_empty("no table holds a key")
    .column("source_pk")
    .cause("one import took the key from `id` and another from `external_id`")
    .cause("a spreadsheet rewrote the key: leading zeros, a trailing `.0`, blanks")
    .remedy(Remedy::new(
        "Write the key as COALESCE(external_id, id), as text and byte for byte, everywhere.",
    ))
}

/// Every lead is in exactly one state.
pub(super) fn lead_state() -> InvariantCheck {
    InvariantCheck::new("lead_state", "every lead is in one state")
        .part(Invariant::LEDGER_AGREES_WITH_QUEUE, "leads are in no state or in several")
        .where_empty("the queue holds none of them")
        .column("source_pk")
        .cause("rows were written or removed by something other than the queue")
        .remedy(
            Remedy::new("Put them right: each is matched where it is linked, else pending.")
                .command("queue_admin reconcile --why ledger_balance"),
        )
}

/// Every matched lead has its link, to the person that the queue names.
pub(super) fn identity_link_integrity() -> InvariantCheck {
    InvariantCheck::new(
        "identity_link_integrity",
        "every matched lead has its link, to the same person",
    )
    .part(Invariant::MATCHED_HAS_LINK, "matched leads have no link")
    .part(Invariant::LINK_TO_SAME_PERSON, "links lead to another person than the queue names")
    .of_the_same_rows()
    .where_empty("nothing is matched, so no link can be missing")
    .column("person_key")
    .cause("links were removed or moved by something other than the recovery")
    .remedy(
        Remedy::new(
            "Put them right: a lead without its link is pending again; where the two differ, the link holds.",
        )
        .command("queue_admin reconcile --why identity_link_integrity"),
    )
}
