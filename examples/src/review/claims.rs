//! Claims that name a lead and a person become links on request, and a load of either kind is undone.

use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::{
    CorrectionSink, Decider, LeadStore, NewReviewPacket, PersonKey, Review, ReviewDecision,
    ReviewEffect, ReviewLoad, ReviewRefusal, ReviewStore, ReviewUndone, SourcePk,
};
use serde::Serialize;

use super::digest::digest;
use crate::cli::Failure;
use crate::service::Database;

/// What became of claims that name a lead and a person.
#[derive(Debug, Default, Serialize)]
pub struct Claimed {
    /// The load's id, by which it is undone; none where nothing changed.
    pub load: Option<String>,
    /// Leads that are linked now.
    pub linked_total: u64,
    /// Leads that were linked to the person already.
    pub unchanged_total: u64,
    /// Claims that could not be taken, with why.
    pub refused: Vec<(String, String)>,
}

#[derive(QueryableByName)]
struct Claim {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    person_key: String,
}

/// Makes links of the claims that name a lead and a person, in one transaction: a load of decisions like any other, of a
/// packet that nobody was asked about.
///
/// # Errors
///
/// A mapping that does not say whom a claim is for, a name that may not decide, and the database's.
pub fn claims(decider: Decider<'_>, service: &mut Database) -> Result<Claimed, Failure> {
    let written = service.claims_of_persons()?;
    let listed = service.queue().reviewers()?;
    if !listed.is_empty() && !listed.iter().any(|name| name == decider.by) {
        return Err(Failure::new(format_args!("{} is not on the list of reviewers", decider.by))
            .remedy("give a name of the list with --by, or add the name with `queue_admin reviewer add`"));
    }
    service.transaction(|service| {
        let mut done = Claimed::default();
        let taken = open_claims(&written, service, &mut done)?;
        let packet = packet_of(&taken, &service.wake_secret()?);
        let mut cases: Vec<(SourcePk, String)> = Vec::with_capacity(taken.len());
        let mut reviews = Vec::with_capacity(taken.len());
        for claim in &taken {
            let lead = SourcePk::new(claim.source_pk.as_str())?;
            let person = PersonKey::new(claim.person_key.as_str())?;
            let why = format!("claim {}: {}", claim.id, decider.reason);
            let decision = ReviewDecision::Link(person);
            let review = Review::new(&packet, lead.clone(), "claim", decision, decider.by);
            reviews.push(review.with_comment(why));
            cases.push((lead, "claim".to_owned()));
        }
        if reviews.is_empty() {
            return Ok(done);
        }
        let mut issued = NewReviewPacket::new(&packet, decider.by, "claims", cases);
        issued.reviews_needed = 0;
        service.queue().issue_review(&issued)?;
        let receipt =
            service.queue().load_reviews(&ReviewLoad::new(decider.by, reviews).partial())?;
        for (at, refusal) in &receipt.refused {
            let why = match refusal {
                ReviewRefusal::Matched => "its lead is linked to another person",
                ReviewRefusal::Twice => "another claim names its lead with another person",
                ReviewRefusal::Rejected => "its person was rejected for the lead",
                other => other.message(),
            };
            done.refused.push((taken[*at].id.clone(), why.to_owned()));
        }
        done.refused.sort_unstable();
        done.linked_total = receipt.linked;
        done.unchanged_total += receipt.unchanged;
        done.load = receipt.load;
        Ok(done)
    })
}

/// Reads the claims that can be decisions: of a lead that the queue knows, and a person who is there and not linked to it
/// yet.
fn open_claims(
    written: &str,
    service: &mut Database,
    done: &mut Claimed,
) -> Result<Vec<Claim>, Failure> {
    let claims: Vec<Claim> = service.load(written)?;
    let persons: Vec<&str> = claims.iter().map(|claim| claim.person_key.as_str()).collect();
    let known = service.person_records(&persons)?;
    let mut taken = Vec::new();
    for claim in claims {
        let lead = SourcePk::new(claim.source_pk.as_str())?;
        let Some(record) = service.queue().lead(&lead)? else {
            done.refused
                .push((claim.id, "the queue does not know its lead; seed first".to_owned()));
            continue;
        };
        if record.link.is_some_and(|link| link.person_key.as_str() == claim.person_key) {
            done.unchanged_total += 1;
        } else if known.contains_key(&claim.person_key) {
            taken.push(claim);
        } else {
            done.refused.push((claim.id, "nobody has the key of its person".to_owned()));
        }
    }
    Ok(taken)
}

/// Makes the key of the packet that claims are kept as, of what they say.
fn packet_of(claims: &[Claim], secret: &[u8; 32]) -> String {
    let parts = claims.iter().flat_map(|claim| [&claim.id, &claim.source_pk, &claim.person_key]);
    format!("claims-{}", digest(secret, parts.map(String::as_str)))
}

/// Undoes a load: links, rejected pairs and the persons that it made; a dry run takes that back.
///
/// # Errors
///
/// A load that is not known or was changed since, and the database's; nothing is undone then.
pub fn undo(
    load: &str,
    decider: Decider<'_>,
    service: &mut Database,
    dry_run: bool,
) -> Result<ReviewUndone, Failure> {
    service.attempt(dry_run, |service| {
        let reviews = service.queue().reviews()?;
        let made: Vec<String> = reviews
            .into_iter()
            .filter(|review| review.load == load && review.decision == ReviewDecision::NEW_PERSON)
            .filter(|review| review.effect == ReviewEffect::Applied)
            .filter_map(|review| review.person_key.map(|key| key.to_string()))
            .collect();
        let undone = service.queue().undo_reviews(load, decider)?;
        CorrectionSink::undo(service, load, decider.by)?;
        for person in made {
            service.remove_person(&person)?;
        }
        Ok(undone)
    })
}
