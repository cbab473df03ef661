//! Cases given out to people, and their decisions applied and undone, each in one transaction.

mod apply;
mod parts;
mod stand;
mod state;
mod undo;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use self::parts::{CHUNK, REVIEW};
use crate::diesel::borrowed::BorrowedStore;
use crate::diesel::conn::database::{Database, failed, now};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::transaction::Begin;
use crate::diesel::conn::typed::{insert_rows, typed};
use crate::diesel::read::{review_figures, reviews};
use crate::diesel::store::SqlStore;
use crate::diesel::tables::{
    queue_review_case, queue_review_packet, queue_reviewer, queue_reviewer_change,
};
use crate::diesel::write::lead_rows::remove;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::links::Decider;
use crate::model::review::figures::ReviewFigures;
use crate::model::review::judge;
use crate::model::review::{
    NewReviewPacket, ReviewCase, ReviewLoad, ReviewLoadRow, ReviewReceipt, ReviewRow, ReviewUndone,
    ReviewerChange,
};
use crate::store::reviews::ReviewStore;

fn issue(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    packet: &NewReviewPacket,
) -> Result<(), StoreError> {
    const ISSUE: &str = "the record of a review packet";
    judge::check_packet(packet)?;
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let leads: Vec<&str> = packet.cases.iter().map(|(lead, _)| lead.as_str()).collect();
    let ids = state::ids(db, names, &leads)?;
    if let Some((lead, _)) = packet.cases.iter().find(|(lead, _)| !ids.contains_key(lead.as_str()))
    {
        return Err(StoreError::NotFound { what: "lead", key: lead.to_string() });
    }
    let row = (
        queue_review_packet::packet.eq(&packet.packet),
        queue_review_packet::reviewer.eq(packet.reviewer.as_deref()),
        queue_review_packet::issued_at.eq(now),
        queue_review_packet::issued_by.eq(&packet.issued_by),
        queue_review_packet::policy.eq(&packet.policy),
        queue_review_packet::is_full.eq(i64::from(packet.full)),
        queue_review_packet::reviews_needed.eq(i64::from(packet.reviews_needed)),
    );
    let insert = diesel::insert_into(queue_review_packet::table)
        .values(row)
        .on_conflict(queue_review_packet::packet)
        .do_nothing();
    if typed!(db, names, execute, insert).map_err(failed(ISSUE))? == 0 {
        return Ok(());
    }
    let made = queue_review_packet::table.filter(queue_review_packet::packet.eq(&packet.packet));
    let id: i64 = typed!(db, names, get_result, made.select(queue_review_packet::id))
        .map_err(failed(ISSUE))?;
    for cases in packet.cases.chunks(CHUNK) {
        let rows = cases.iter().map(|(lead, fingerprint)| {
            (
                queue_review_case::packet_id.eq(id),
                queue_review_case::lead_id.eq(ids[lead.as_str()]),
                queue_review_case::fingerprint.eq(fingerprint),
            )
        });
        insert_rows!(db, names, queue_review_case, rows, on_conflict_do_nothing())
            .map_err(failed(ISSUE))?;
    }
    Ok(())
}

/// Applies a load, or says what it would refuse.
fn load(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    load: &ReviewLoad,
    apply: bool,
) -> Result<ReviewReceipt, StoreError> {
    judge::check_load(load)?;
    if apply {
        seed::lock(db, names)?;
    }
    let now = now(db, clock)?;
    let judged = state::judge(db, names, load)?;
    let mut receipt = ReviewReceipt { unchanged: judged.unchanged, ..ReviewReceipt::default() };
    receipt.refused = judged.refused;
    let is_kept_out = load.strict && !receipt.refused.is_empty();
    if is_kept_out || judged.taken.is_empty() {
        return Ok(receipt);
    }
    if !apply {
        judge::count(load, &judged.taken, &mut receipt);
        return Ok(receipt);
    }
    apply::apply(db, names, now, load, &judged.taken, &mut receipt)?;
    Ok(receipt)
}

impl ReviewStore for BorrowedStore<'_> {
    fn reviewers(&mut self) -> Result<Vec<String>, StoreError> {
        reviews::reviewers(&mut self.db, &self.names)
    }

    fn set_reviewer(
        &mut self,
        name: &str,
        may_decide: bool,
        decider: Decider<'_>,
    ) -> Result<bool, StoreError> {
        const LIST: &str = "the change of the list of reviewers";
        decider.check()?;
        judge::check_text("reviewer", name)?;
        let (names, clock) = (&self.names, self.clock);
        let changed = self.db.transaction(LIST, |db| {
            let now = now(db, clock)?;
            let changed = if may_decide {
                let row = (
                    queue_reviewer::name.eq(name),
                    queue_reviewer::added_at.eq(now),
                    queue_reviewer::added_by.eq(decider.by),
                );
                let insert = diesel::insert_into(queue_reviewer::table)
                    .values(row)
                    .on_conflict(queue_reviewer::name)
                    .do_nothing();
                typed!(db, names, execute, insert)
            } else {
                remove!(db, names, queue_reviewer.name, [name])
            }
            .map_err(failed(LIST))?;
            if changed > 0 {
                let row = (
                    queue_reviewer_change::name.eq(name),
                    queue_reviewer_change::may_decide.eq(i64::from(may_decide)),
                    queue_reviewer_change::changed_at.eq(now),
                    queue_reviewer_change::changed_by.eq(decider.by),
                    queue_reviewer_change::comment.eq(decider.reason),
                );
                let insert = diesel::insert_into(queue_reviewer_change::table).values(row);
                typed!(db, names, execute, insert).map_err(failed(LIST))?;
            }
            Ok(changed)
        })?;
        Ok(changed > 0)
    }

    fn reviewer_changes(&mut self) -> Result<Vec<ReviewerChange>, StoreError> {
        reviews::reviewer_changes(&mut self.db, &self.names)
    }

    fn review_loads(&mut self) -> Result<Vec<ReviewLoadRow>, StoreError> {
        reviews::loads(&mut self.db, &self.names)
    }

    fn issue_review(&mut self, packet: &NewReviewPacket) -> Result<(), StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the record of a review packet", |db| issue(db, names, clock, packet))
    }

    fn review_cases(&mut self) -> Result<Vec<ReviewCase>, StoreError> {
        reviews::cases(&mut self.db, &self.names)
    }

    fn load_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction_as(Begin::Batch, REVIEW, |db| self::load(db, names, clock, load, true))
    }

    fn check_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db
            .transaction_as(Begin::Snapshot, REVIEW, |db| self::load(db, names, clock, load, false))
    }

    fn undo_reviews(
        &mut self,
        load: &str,
        decider: Decider<'_>,
    ) -> Result<ReviewUndone, StoreError> {
        decider.check()?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction_as(Begin::Batch, "the undoing of reviews", |db| {
            seed::lock(db, names)?;
            let now = now(db, clock)?;
            undo::undo(db, names, now, load, decider)
        })
    }

    fn reviews(&mut self) -> Result<Vec<ReviewRow>, StoreError> {
        reviews::reviews(&mut self.db, &self.names)
    }

    fn review_figures(&mut self, as_of: DateTime<Utc>) -> Result<ReviewFigures, StoreError> {
        review_figures::read(&mut self.db, &self.names, as_of)
    }
}

impl ReviewStore for SqlStore {
    fn reviewers(&mut self) -> Result<Vec<String>, StoreError> {
        self.borrowed().reviewers()
    }

    fn set_reviewer(
        &mut self,
        name: &str,
        may_decide: bool,
        decider: Decider<'_>,
    ) -> Result<bool, StoreError> {
        self.borrowed().set_reviewer(name, may_decide, decider)
    }

    fn reviewer_changes(&mut self) -> Result<Vec<ReviewerChange>, StoreError> {
        self.borrowed().reviewer_changes()
    }

    fn review_loads(&mut self) -> Result<Vec<ReviewLoadRow>, StoreError> {
        self.borrowed().review_loads()
    }

    fn issue_review(&mut self, packet: &NewReviewPacket) -> Result<(), StoreError> {
        self.borrowed().issue_review(packet)
    }

    fn review_cases(&mut self) -> Result<Vec<ReviewCase>, StoreError> {
        self.borrowed().review_cases()
    }

    fn load_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        self.borrowed().load_reviews(load)
    }

    fn check_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        self.borrowed().check_reviews(load)
    }

    fn undo_reviews(
        &mut self,
        load: &str,
        decider: Decider<'_>,
    ) -> Result<ReviewUndone, StoreError> {
        self.borrowed().undo_reviews(load, decider)
    }

    fn reviews(&mut self) -> Result<Vec<ReviewRow>, StoreError> {
        self.borrowed().reviews()
    }

    fn review_figures(&mut self, as_of: DateTime<Utc>) -> Result<ReviewFigures, StoreError> {
        self.borrowed().review_figures(as_of)
    }
}
