use crate::Remedy;
use crate::facts::{LackCount, ReasonCount};
use crate::finding::count_of;

/// Lists the failed leads with what each lacks, for the person who works through them.
const WORK_LIST: &str = "verify_guardrails --only impact --work-list work_list.csv";
/// The kinds of identifiers as people call them, by what each decides best.
const KINDS: [(&str, &str); 3] = [
    ("document", "a document number"),
    ("phone", "a phone number"),
    ("email", "an e-mail address"),
];

/// What to do about each reason that a lead stays in the backlog.
#[derive(Debug, Clone, Default)]
pub(super) struct Remedies {
    own: Vec<(String, String, Option<String>)>,
}

impl Remedies {
    pub(super) fn set(&mut self, reason: &str, action: &str, command: Option<&str>) {
        self.own.retain(|(known, ..)| known != reason);
        self.own.push((reason.to_owned(), action.to_owned(), command.map(str::to_owned)));
    }

    /// Gives the remedies for the parts of a backlog; the one that frees most leads comes first.
    pub(super) fn ranked(&self, parts: &[ReasonCount], lacking: &[LackCount]) -> Vec<Remedy> {
        let mut remedies: Vec<Remedy> =
            parts.iter().flat_map(|part| self.of(part, lacking)).collect();
        // Stable: of equals, the reason with more leads and the stronger identifier come first.
        remedies.sort_by_key(|remedy| std::cmp::Reverse(remedy.frees));
        remedies
    }

    fn of(&self, part: &ReasonCount, lacking: &[LackCount]) -> Vec<Remedy> {
        if let Some((_, action, command)) =
            self.own.iter().find(|(known, ..)| *known == part.reason)
        {
            let remedy = Remedy::new(action).frees(part.leads);
            return vec![match command {
                Some(command) => remedy.command(command),
                None => remedy,
            }];
        }
        let leads = count_of(part.leads, "lead");
        let (waits, has) = if part.leads == 1 { ("waits", "has") } else { ("wait", "have") };
        let remedy = |action: String| Remedy::new(action).frees(part.leads);
        let mut remedies = match part.reason.as_str() {
            "NO_CANDIDATES" => vec![
                remedy(format!(
                    "{leads} {has} identifiers that no known person has: import the persons that are missing, then recover."
                ))
                .command(WORK_LIST),
            ],
            "CONFLICT_MULTIPLE_CANDIDATES" => {
                let conflicts = count_of(part.leads, "conflict");
                vec![
                    remedy(format!(
                        "{conflicts} {waits} for a person's decision: choose between the candidates, then import the decisions as claims."
                    ))
                    .command(WORK_LIST),
                ]
            }
            "WEAK_MATCH_ONLY" => vec![
                remedy(format!(
                    "{leads} with weak evidence alone {waits} for a person's look: import what holds as claims."
                ))
                .command(WORK_LIST),
            ],
            "LEAD_NOT_FOUND" => vec![
                remedy(format!(
                    "{leads} {has} no record any more: find out why the backlog still names them."
                ))
                .command(WORK_LIST),
            ],
            "ERROR" => vec![
                remedy(format!(
                    "{leads} {has} met a technical error too often: mend its cause, which the log of the run names; a seed tries them again."
                ))
                .command("seed_queue"),
            ],
            "MISSING_IDENTIFIERS" => Vec::new(),
            "pending" => vec![
                remedy(format!("{leads} {waits} for {}: recover.", if part.leads == 1 { "its turn" } else { "their turn" }))
                    .command("recover_leads"),
            ],
            "not_in_queue" => vec![
                remedy(format!("{leads} of the backlog {waits} to be seeded.")).command("seed_queue"),
            ],
            other => vec![remedy(format!("Look at the {leads} that failed as {other}."))],
        };
        remedies.extend(asked_for(part, lacking));
        if remedies.is_empty() {
            // Nothing says which kind: each would do.
            remedies.push(
                remedy(format!(
                    "{leads} {waits} for a document number, a phone number or an e-mail address."
                ))
                .command(WORK_LIST),
            );
        }
        remedies
    }
}

/// What to ask the leads of a reason for: every kind where they have none, else the document alone, which
/// decides between persons.
fn asked_for(part: &ReasonCount, lacking: &[LackCount]) -> Vec<Remedy> {
    let kinds = match part.reason.as_str() {
        "MISSING_IDENTIFIERS" => &KINDS[..],
        "NO_CANDIDATES" | "CONFLICT_MULTIPLE_CANDIDATES" | "WEAK_MATCH_ONLY" => &KINDS[..1],
        _ => &[],
    };
    let of_which = match part.reason.as_str() {
        "NO_CANDIDATES" => " of those without candidates",
        "CONFLICT_MULTIPLE_CANDIDATES" => " in conflict",
        "WEAK_MATCH_ONLY" => " of those with weak evidence",
        _ => "",
    };
    kinds
        .iter()
        .filter_map(|(kind, name)| {
            let lack = lacking
                .iter()
                .find(|lack| lack.reason == part.reason && lack.kind == *kind && lack.leads > 0)?;
            let waits = if lack.leads == 1 { "waits" } else { "wait" };
            let leads = count_of(lack.leads, "lead");
            Some(
                Remedy::new(format!(
                    "{leads}{of_which} {waits} for {name}: ask for it, then import the lead again."
                ))
                .command(WORK_LIST)
                .frees(lack.leads),
            )
        })
        .collect()
}
