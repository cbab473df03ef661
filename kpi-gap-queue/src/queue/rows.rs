//! Walks through the rows in the order of the queue without sorting them.

use std::borrow::Cow;

use super::gap_queue::{GapQueue, PairState};
use crate::{
    row::GapRow,
    scope::{metric_key, push_date},
    status::GapStatus,
};

/// The rows of a queue: priority descending, then source id, KPI id, period date,
/// granularity.
///
/// The pairs already lie in the order of everything but the priority, so that one walk per priority
/// gives the rows in order.
#[derive(Debug, Clone)]
pub struct Rows<'q> {
    queue: &'q GapQueue,
    /// The statuses of each priority that has rows, the greatest last.
    groups: Vec<Vec<GapStatus>>,
    next_pair: usize,
    source: usize,
    left: usize,
}

impl GapQueue {
    /// Walks through the rows in the order of the queue, up to the limit.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(self)
    }
}

impl<'q> Rows<'q> {
    fn new(queue: &'q GapQueue) -> Self {
        let policy = &queue.options.policy;
        let mut statuses: Vec<GapStatus> = GapStatus::ALL
            .into_iter()
            .filter(|status| status.is_actionable() || queue.options.include_ready)
            .collect();
        statuses.sort_by_key(|&status| policy.rule(status).priority);
        let groups = statuses
            .chunk_by(|&a, &b| policy.rule(a).priority == policy.rule(b).priority)
            .map(<[GapStatus]>::to_vec)
            .collect();
        let left = usize::try_from(queue.totals.queue_rows_total).unwrap_or(usize::MAX);
        Self { queue, groups, next_pair: 0, source: 0, left }
    }

    fn row(&self, pair: usize) -> GapRow<'q> {
        let queue = self.queue;
        let layout = &queue.layout;
        let scopes = layout.scopes.len();
        let within = pair - layout.pairs_of(self.source..self.source).start;
        let kpi = layout.kpi_at(self.source, within / scopes);
        let (date, granularity) = layout.scopes[within % scopes].parts();
        let source = &layout.sources[self.source];
        let state = queue.pairs[pair];
        let status = state.status();
        let rule = queue.options.policy.rule(status);
        let granularity = granularity.unwrap_or_default();

        let mut period_date = String::new();
        push_date(&mut period_date, date);
        let or_all = |text: &str| if text.is_empty() { "all".to_owned() } else { text.to_owned() };
        let seeded = |part: fn(&crate::Source) -> &String| {
            Cow::Borrowed(source.seeded.as_ref().map_or("", |seeded| part(seeded)))
        };
        GapRow {
            queue_key: Cow::Owned(format!(
                "{}|{}|{}|{}",
                source.source_id,
                kpi.kpi_id,
                or_all(&period_date),
                or_all(granularity)
            )),
            source_id: Cow::Borrowed(&source.source_id),
            kpi_id: Cow::Borrowed(&kpi.kpi_id),
            kpi_label: Cow::Borrowed(&kpi.label),
            period_date: Cow::Owned(period_date),
            period_granularity: Cow::Borrowed(granularity),
            label: seeded(|seeded| &seeded.label),
            organismo: seeded(|seeded| &seeded.organismo),
            source_url: seeded(|seeded| &seeded.source_url),
            metric_exists: state.has(PairState::METRIC),
            source_record_present: state.has(PairState::SOURCE_RECORD),
            evidence_present: state.has(PairState::EVIDENCE),
            metric_key: Cow::Owned(
                queue.counted.metric_key(pair, &kpi.kpi_id, &source.source_id).unwrap_or_default(),
            ),
            metric_key_expected: Cow::Owned(metric_key(
                &kpi.kpi_id,
                &source.source_id,
                date,
                granularity,
            )),
            status,
            priority: rule.priority,
            next_action: Cow::Borrowed(&rule.next_action),
        }
    }
}

impl<'q> Iterator for Rows<'q> {
    type Item = GapRow<'q>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let layout = &self.queue.layout;
        while let Some(statuses) = self.groups.last() {
            let rest = &self.queue.pairs[self.next_pair..];
            let Some(ahead) = rest.iter().position(|pair| statuses.contains(&pair.status())) else {
                self.groups.pop();
                (self.next_pair, self.source) = (0, 0);
                continue;
            };
            let pair = self.next_pair + ahead;
            while !layout.pairs_of(self.source..self.source + 1).contains(&pair) {
                self.source += 1;
            }
            self.next_pair = pair + 1;
            self.left -= 1;
            return Some(self.row(pair));
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Rows<'_> {}
