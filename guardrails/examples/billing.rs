//! A billing service checks its own facts: five checks and a KPI, and the page of what they came to.
//!
//! `cargo run -p kpi-guardrails --example billing --features html > billing.html`

use std::error::Error;

use chrono::{DateTime, Days, NaiveDate, Utc};
use guardrails::clock::Monotonic;
use guardrails::facts::{Facts, Offender, Offenders, SnapshotInfo};
use guardrails::page::Page;
use guardrails::{Check, ConfigError, Description, Finding, KpiReading, Suite, closure};

/// One invoice, as the service's database gives it.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    /// Its number, such as `F-0001`.
    pub(crate) number: &'static str,
    /// Who is to pay it.
    pub(crate) customer: Option<&'static str>,
    /// What it asks for, in cents.
    pub(crate) cents: i64,
    /// What was paid of it, in cents.
    pub(crate) paid: i64,
    /// The day by which it is to be paid.
    pub(crate) due: NaiveDate,
}

/// What the service knows at one moment.
#[derive(Debug)]
pub(crate) struct Billing {
    /// When it was read.
    pub(crate) read_at: DateTime<Utc>,
    /// Every invoice.
    pub(crate) invoices: Vec<Invoice>,
}

impl Facts for Billing {
    fn snapshot(&self) -> SnapshotInfo {
        SnapshotInfo::new("billing-read", self.read_at)
    }
}

impl Billing {
    fn unpaid(&self) -> impl Iterator<Item = &Invoice> {
        self.invoices.iter().filter(|one| one.paid < one.cents)
    }

    fn with_number(&self, number: &str) -> usize {
        self.invoices.iter().filter(|one| one.number == number).count()
    }

    fn is_overdue(&self, invoice: &Invoice) -> bool {
        let last = invoice.due.checked_add_days(Days::new(30));
        invoice.paid < invoice.cents && last.is_some_and(|last| last < self.read_at.date_naive())
    }
}

/// A check of every invoice.
fn each(
    id: &str,
    must: &str,
    holds: fn(&Billing, &Invoice) -> bool,
) -> impl Check<Billing> + use<> {
    let fault = format!("invoices fail to {must}");
    closure(
        id,
        Description::counting(format!("all invoices {must}")),
        move |all: &Billing, list| {
            let wrong = all.invoices.iter().filter(|one| !holds(all, one));
            let wrong = wrong.map(|one| Offender::new(one.number, format!("due on {}", one.due)));
            let found = Offenders::of(wrong.collect(), Some(all.invoices.len() as u64), list);
            Ok(Finding::counted(found, &fault))
        },
    )
}

/// Five checks and the KPI.
pub(crate) fn suite() -> Result<Suite<Billing>, ConfigError> {
    let suite = Suite::new("billing")
        .with(each("customer", "name a customer", |_, one| one.customer.is_some()))?
        .with(each("amount", "ask for an amount", |_, one| one.cents > 0))?
        .with(each("paid", "take no more than they ask for", |_, one| one.paid <= one.cents))?
        .with(each("number", "have their own number", |all, one| all.with_number(one.number) == 1))?
        .with(each("overdue", "be paid within 30 days", |all, one| !all.is_overdue(one)))?;
    Ok(suite.kpi("unpaid invoices", |all: &Billing| {
        Ok(KpiReading::left(all.unpaid().count() as u64, "unpaid invoice"))
    }))
}

/// Sample facts with something wrong in them.
pub(crate) fn sample() -> Result<Billing, chrono::ParseError> {
    let invoice = |number, customer, cents, paid, due: &str| {
        Ok(Invoice { number, customer, cents, paid, due: due.parse()? })
    };
    Ok(Billing {
        read_at: "2026-03-01T06:00:00Z".parse()?,
        invoices: vec![
            invoice("F-0001", Some("C-7"), 12_100, 12_100, "2026-01-31")?,
            invoice("F-0002", Some("C-8"), 4_840, 0, "2025-12-31")?,
            invoice("F-0003", None, 9_900, 0, "2026-03-15")?,
            invoice("F-0004", Some("C-7"), 5_000, 5_500, "2026-02-28")?,
        ],
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let report = suite()?.run(&sample()?, &Monotonic::start());
    let page = Page::new("Billing", report).html();
    std::io::Write::write_all(&mut std::io::stdout(), page.as_bytes())?;
    Ok(())
}
