use crate::facts::{Facts, FactsError, FactsResult, Invariant, Offenders};
use crate::{Check, CheckError, Description, Finding, Remedy};

/// Checks that 0 % of the matched leads are in the backlog.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drain;

/// Checks that no matched lead's person lacks an origin and no origin lacks its link.
#[derive(Debug, Clone, Copy, Default)]
pub struct OriginMissing;

/// Checks that a lead's key is written in one way in every table.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourcePkConsistency;

/// Checks that every matched lead has its link, to the person that the queue names.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdentityLinkIntegrity;

/// Checks that every actionable source has its packet.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacketsComplete;

/// Offenders against two invariants as one: populations and totals add up, the listings follow each
/// other. What the facts leave out is named in the second value.
fn both(
    facts: &dyn Facts,
    invariants: [Invariant; 2],
    list: usize,
) -> FactsResult<(Offenders, Option<String>)> {
    let mut sum = Offenders { population: Some(0), ..Offenders::default() };
    let mut missing = Vec::new();
    for invariant in invariants {
        match facts.offenders(invariant, list.saturating_sub(sum.listed.len())) {
            Ok(found) => {
                sum.population = sum.population.zip(found.population).map(|(a, b)| a + b);
                sum.total += found.total;
                sum.listed.extend(found.listed);
            }
            Err(error @ FactsError::NotProvided { .. }) => missing.push(error),
            Err(error) => return Err(error),
        }
    }
    if missing.len() == invariants.len() {
        return Err(missing.swap_remove(0));
    }
    Ok((sum, missing.first().map(ToString::to_string)))
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

fn partial(finding: Finding, missing: Option<String>) -> Finding {
    match missing {
        Some(why) => finding.partial(why),
        None => finding,
    }
}

impl Check for Drain {
    fn id(&self) -> &'static str {
        "drain"
    }

    fn describe(&self) -> Description {
        Description::counting("no matched lead is in the backlog").column("source_pk")
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let leaks = facts.offenders(Invariant::MatchedNotInBacklog, list)?;
        let leaked = leaks.total;
        let explain = leaks
            .listed
            .first()
            .map(|leak| format!("explain_match --source-pk={}", quoted(&leak.key)));
        let finding = Finding::counted(leaks, "matched leads are in the backlog");
        if leaked == 0 {
            return Ok(finding);
        }
        Ok(finding
            .cause("the backlog view does not read the identity links, or reads another key")
            .cause("a link was removed after the lead was matched")
            .remedy(Remedy {
                command: explain,
                ..Remedy::new("Look at the leaked leads one by one: key, link and claim.")
            })
            .remedy(
                Remedy::new("Record the leaks; a seed reports them and resets none.")
                    .command("seed_queue"),
            ))
    }
}

impl Check for OriginMissing {
    fn id(&self) -> &'static str {
        "origin_missing"
    }

    fn describe(&self) -> Description {
        Description::counting(
            "the person of every matched lead has an origin, and every origin its link",
        )
        .column("person_key")
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let invariants = [Invariant::MatchedHasOrigin, Invariant::OriginHasLink];
        let (found, missing) = both(facts, invariants, list)?;
        let offends = found.total > 0;
        let finding = partial(
            Finding::counted(found, "matched leads and origins lack the other side"),
            missing,
        );
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("rows were written or removed by something other than the recovery")
            .remedy(
                Remedy::new("Run the recovery: a missing origin corrects itself on the next run.")
                    .command("recover_leads"),
            ))
    }
}

impl Check for SourcePkConsistency {
    fn id(&self) -> &'static str {
        "source_pk_consistency"
    }

    fn describe(&self) -> Description {
        Description::counting("a lead's key is written in one way in every table")
            .column("source_pk")
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let odd = facts.offenders(Invariant::SourcePkInOneFormat, list)?;
        let offends = odd.total > 0;
        let finding = Finding::counted(odd, "keys are written in another way");
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("one import took the key from `id` and another from `external_id`")
            .cause("a spreadsheet rewrote the key: leading zeros, a trailing `.0`, blanks")
            .remedy(Remedy::new(
                "Write the key as COALESCE(external_id, id), as text and byte for byte, everywhere.",
            )))
    }
}

impl Check for IdentityLinkIntegrity {
    fn id(&self) -> &'static str {
        "identity_link_integrity"
    }

    fn describe(&self) -> Description {
        Description::counting("every matched lead has its link, to the same person")
            .column("person_key")
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let without = facts.offenders(Invariant::MatchedHasLink, list);
        let (found, missing) = match without {
            // Both speak of the matched leads, so the population is counted once.
            Ok(mut without) => {
                let left = list.saturating_sub(without.listed.len());
                match facts.offenders(Invariant::LinkToSamePerson, left) {
                    Ok(elsewhere) => {
                        without.total += elsewhere.total;
                        without.listed.extend(elsewhere.listed);
                        (without, None)
                    }
                    Err(error @ FactsError::NotProvided { .. }) => {
                        (without, Some(error.to_string()))
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        };
        let offends = found.total > 0;
        let finding = partial(
            Finding::counted(found, "matched leads lack their link or are linked elsewhere"),
            missing,
        );
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("links were removed or moved by something other than the recovery")
            .remedy(
                Remedy::new("Seed: a lead without link and claim comes back into the backlog.")
                    .command("seed_queue"),
            ))
    }
}

impl Check for PacketsComplete {
    fn id(&self) -> &'static str {
        "packets_complete"
    }

    fn describe(&self) -> Description {
        Description::counting("every actionable source has its packet, complete")
            .column("sanction_source_id")
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let found = facts.offenders(Invariant::PacketComplete, list)?;
        let offends = found.total > 0;
        let finding = Finding::counted(found, "actionable sources lack a complete packet");
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("a source is expected but not in the catalogue, so there is no template for it")
            .cause("a packet was not returned, or not filled in")
            .remedy(
                Remedy::new("Read the packets back and work through the fix queue.")
                    .command("check_packets"),
            ))
    }
}
