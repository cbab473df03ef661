//! How old the leads of the backlog are.

use std::sync::Arc;

use super::{LeadFigures, Section};
use crate::SuiteReport;
use crate::page::{Bar, Body, Table};
use crate::recovery::AgeBucket;
use crate::words::{count_of, grouped};

pub(super) struct Ageing(pub(super) Arc<LeadFigures>);

impl Section for Ageing {
    fn heading(&self) -> &'static str {
        "How old the backlog is"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        // A bucket without leads says nothing that the others do not.
        let held: Vec<&AgeBucket> =
            self.0.ageing.iter().filter(|bucket| bucket.leads > 0).collect();
        let most = held.iter().map(|bucket| bucket.leads).max().unwrap_or(0).max(1);
        let bars: Vec<Bar> = held
            .iter()
            .map(|bucket| Bar {
                label: age(bucket),
                value: grouped(bucket.leads.into()),
                share: bucket.leads as f64 / most as f64,
                link: None,
            })
            .collect();
        let table =
            Table::new("Open leads by age, youngest first", ["Age", "Leads"]).numbers_from(1);
        let table = held
            .iter()
            .fold(table, |table, bucket| table.row([age(bucket), grouped(bucket.leads.into())]));
        Body::default().bars("Open leads by age", &bars).folded_table("Table of the ages", &table)
    }
}

fn age(bucket: &AgeBucket) -> String {
    match (bucket.from_days, bucket.below_days) {
        (0, Some(1)) => "under a day".to_owned(),
        (0, Some(below)) => format!("under {below} days"),
        (from, Some(below)) if below == from + 1 => count_of(from, "day"),
        (from, Some(below)) => format!("{from} to {} days", below.saturating_sub(1)),
        (from, None) => format!("{} and more", count_of(from, "day")),
    }
}
