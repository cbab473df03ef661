use super::{LackCount, ReasonCount};
use crate::Remedy;
use crate::words::many;

/// Lists the failed leads with what each lacks, for the person who works through them.
const WORK_LIST: &str = "verify_guardrails --work-list work_list.csv";
/// The kinds of identifiers as people call them, by what each decides best.
const KINDS: [(&str, &str); 3] =
    [("phone", "phone"), ("document", "document"), ("email", "e-mail")];

/// Says what a fail reason means, in one sentence; nothing for one that this crate does not know.
///
/// ```
/// use guardrails::recovery::reason_in_words;
///
/// let words = reason_in_words("NO_CANDIDATES").unwrap();
/// assert_eq!(words, "The lead has identifiers, but no known person has any of them.");
/// ```
#[must_use]
pub fn reason_in_words(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "NO_CANDIDATES" => "The lead has identifiers, but no known person has any of them.",
        "MISSING_IDENTIFIERS" => "The lead gave no phone, document or e-mail that can be used.",
        "CONFLICT_MULTIPLE_CANDIDATES" => "Several persons fit, and nothing decides between them.",
        "WEAK_MATCH_ONLY" => {
            "Somebody fits by weak evidence alone, such as a shared phone or a name."
        }
        "LEAD_NOT_FOUND" => "The backlog names the lead, but its record is gone.",
        "PERSON_GONE" => "The lead was matched to a person who was gone by then.",
        "ERROR" => "A technical error came up at each try.",
        "REJECTED" => "A person said that none of the candidates is the lead.",
        "pending" => "The lead waits for its turn; the next run tries it.",
        "not_in_queue" => "The lead is in the backlog, but no seed has taken it in yet.",
        "cancelled" => "Somebody has taken the lead out of the work by hand.",
        "rejected" => "The lead's row in the backlog cannot be read, so a seed left it out.",
        _ => return None,
    })
}

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

    /// Gives the remedies for the parts of a backlog, the one that frees most leads first.
    ///
    /// They do not overlap: each lead counts once, under what would free it soonest.
    pub(super) fn ranked(&self, parts: &[ReasonCount], lacking: &[LackCount]) -> Vec<Remedy> {
        let mut remedies: Vec<Remedy> =
            parts.iter().flat_map(|part| self.of(part, lacking)).collect();
        // Stable: of equals, the reason with more leads comes first.
        remedies.sort_by_key(|remedy| std::cmp::Reverse(remedy.frees));
        remedies
    }

    fn of(&self, part: &ReasonCount, lacking: &[LackCount]) -> Vec<Remedy> {
        let own = self.own.iter().find(|(known, ..)| *known == part.reason);
        if let Some((_, action, command)) = own {
            let remedy = Remedy::new(action).frees(part.leads);
            return vec![Remedy { command: command.clone(), ..remedy }];
        }
        let one = part.leads == 1;
        let leads = many(part.leads, "lead");
        let (wait, have) = if one { ("waits", "has") } else { ("wait", "have") };
        let to_do = |words: String, command: &str| {
            vec![Remedy::new(words).command(command).frees(part.leads)]
        };
        match part.reason.as_str() {
            "NO_CANDIDATES" => no_candidates(part, lacking),
            "MISSING_IDENTIFIERS" => missing(part, lacking),
            "CONFLICT_MULTIPLE_CANDIDATES" => to_do(
                format!(
                    "{} {wait} for a person's decision: give them out with `export_review`, and load what was \
                     decided with `load_review`.",
                    many(part.leads, "conflict")
                ),
                "export_review --reasons CONFLICT_MULTIPLE_CANDIDATES",
            ),
            "WEAK_MATCH_ONLY" => to_do(
                format!(
                    "{leads} with weak evidence alone {wait} for a person's look: give them out with \
                     `export_review`, and load what was decided with `load_review`."
                ),
                "export_review --reasons WEAK_MATCH_ONLY",
            ),
            "LEAD_NOT_FOUND" => to_do(
                format!(
                    "{leads} {have} no record any more: find out why the backlog still names {}.",
                    if one { "it" } else { "them" }
                ),
                WORK_LIST,
            ),
            "ERROR" => to_do(
                format!(
                    "{leads} {have} met a technical error too often: mend its cause, which the log \
                     of the run names; then reopen {} and recover.",
                    if one { "it" } else { "them" }
                ),
                "queue_admin lead reopen --reason ERROR --why impact",
            ),
            "PERSON_GONE" => to_do(
                format!(
                    "{leads} fitted a person who was gone by then: reopen {} and recover with the persons as they \
                     are.",
                    if one { "it" } else { "them" }
                ),
                "queue_admin lead reopen --reason PERSON_GONE --why impact",
            ),
            "REJECTED" => to_do(
                format!(
                    "{leads} {have} candidates that a person has rejected: import the right person, or ask the lead \
                     for another identifier and import the lead again."
                ),
                WORK_LIST,
            ),
            "pending" => to_do(
                format!("{leads} {wait} for {} turn: recover.", if one { "its" } else { "their" }),
                "recover_leads",
            ),
            "rejected" => to_do(
                format!(
                    "{leads} of the backlog cannot be read: correct the rows that `rejected` lists, then seed."
                ),
                "verify_guardrails --only rejected",
            ),
            "cancelled" => to_do(
                format!(
                    "{leads} {} taken out of the work by hand: leave {} out of the backlog, or reopen {} by key.",
                    if one { "was" } else { "were" },
                    if one { "it" } else { "them" },
                    if one { "it" } else { "them" },
                ),
                WORK_LIST,
            ),
            "not_in_queue" => {
                to_do(format!("{leads} of the backlog {wait} to be seeded."), "seed_queue")
            }
            other => {
                to_do(format!("{leads} failed as {other}: look at what they wait for."), WORK_LIST)
            }
        }
    }
}

/// Names kinds of identifiers as people call them.
fn names(kinds: &[String]) -> Vec<&str> {
    let known = KINDS.iter().filter(|(kind, _)| kinds.iter().any(|given| given == kind));
    let own = kinds.iter().map(String::as_str).filter(|k| KINDS.iter().all(|(kind, _)| kind != k));
    known.map(|(_, name)| *name).chain(own).collect()
}

/// Leads that gave values which nobody can read: they are corrected, not asked for.
fn unread(leads: u64, kinds: &[String]) -> Remedy {
    Remedy::new(format!(
        "{} gave a {} that cannot be read: correct what was written (`export_review --correct`, then `load_review \
         --correct`), or ask for it again and import the lead again; `explain_match` says why it cannot be read.",
        many(leads, "lead"),
        names(kinds).join(" or "),
    ))
    .command("export_review --correct")
    .frees(leads)
}

/// Leads without a usable identifier: those that gave none, and those that gave what cannot be read.
fn missing(part: &ReasonCount, lacking: &[LackCount]) -> Vec<Remedy> {
    let mut left = part.leads;
    let mut remedies = Vec::new();
    let of_part =
        lacking.iter().filter(|lack| lack.reason == part.reason && !lack.unread.is_empty());
    for lack in of_part {
        let leads = lack.leads.min(left);
        if leads > 0 {
            left -= leads;
            remedies.push(unread(leads, &lack.unread));
        }
    }
    if left > 0 {
        let asked = "gave no identifier: ask for any of phone, document, e-mail.";
        remedies.push(
            Remedy::new(format!("{} {asked}", many(left, "lead"))).command(WORK_LIST).frees(left),
        );
    }
    remedies
}

/// Leads whose identifiers nobody has: one that lacks a kind is asked for it, since it may be known by that one;
/// for the others only the person's own record is missing.
fn no_candidates(part: &ReasonCount, lacking: &[LackCount]) -> Vec<Remedy> {
    let mut left = part.leads;
    let mut remedies = Vec::new();
    for lack in lacking.iter().filter(|lack| lack.reason == part.reason && !lack.kinds.is_empty()) {
        let leads = lack.leads.min(left);
        if leads == 0 {
            continue;
        }
        left -= leads;
        if !lack.unread.is_empty() {
            remedies.push(unread(leads, &lack.unread));
            continue;
        }
        let names = names(&lack.kinds);
        let any = if names.len() > 1 { "any of " } else { "the " };
        remedies.push(
            Remedy::new(format!(
                "{} unknown by what they gave: ask for {any}{}, then import the lead again.",
                if leads == 1 {
                    "1 lead is".to_owned()
                } else {
                    format!("{} are", many(leads, "lead"))
                },
                names.join(", ")
            ))
            .command(WORK_LIST)
            .frees(leads),
        );
    }
    if left > 0 {
        let have = if left == 1 { "has" } else { "have" };
        remedies.push(
            Remedy::new(format!(
                "{} {have} identifiers that no known person has: import the persons that are missing, \
                 then recover.",
                many(left, "lead")
            ))
            .command(WORK_LIST)
            .frees(left),
        );
    }
    remedies
}
