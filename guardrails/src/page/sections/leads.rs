//! The sections of a recovery in their order.

use std::sync::Arc;

use super::ageing::Ageing;
use super::burn_down::BurnDown;
use super::figures::LeadFigures;
use super::reasons::Reasons;
use super::runs::Runs;
use super::story::Story;
use super::throughput::Throughput;
use crate::page::Page;

impl Page {
    /// Adds the sections of a recovery: its story first, its plots and runs behind the guardrails.
    ///
    /// ```
    /// use guardrails::page::{LeadFigures, Page};
    /// use guardrails::recovery::{InMemoryFacts, QueueFacts};
    /// use guardrails::{Suite, clock::StoppedClock};
    ///
    /// let queue = QueueFacts { backlog: 3, pending: 3, ..QueueFacts::default() };
    /// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()).with_queue(queue);
    /// let report = Suite::recovery().run(&facts, &StoppedClock);
    /// let html = Page::new("Leads", report).leads(LeadFigures::read(&facts).unwrap()).html();
    /// assert!(html.contains("The KPI is red: 3 leads left"));
    /// ```
    #[must_use]
    pub fn leads(self, figures: LeadFigures) -> Self {
        let figures = Arc::new(figures);
        self.story(Story(Arc::clone(&figures)))
            .section(BurnDown(Arc::clone(&figures)))
            .section(Reasons(Arc::clone(&figures)))
            .section(Ageing(Arc::clone(&figures)))
            .section(Throughput(Arc::clone(&figures)))
            .section(Runs(figures))
    }
}
