//! The spans and events of all crates, captured while one process goes through both loops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use guardrails::clock::Monotonic;
use identity_matching::index::InMemoryIndex;
use identity_matching::{DeterministicMatcher, Normaliser, Policy, Record, Region};
use kpi_gap_queue::{GapOptions, GapQueue, InMemoryCatalogue, InMemoryMetrics, MetricScope};
use raw_packets::edge::{ReadLimits, read_packets, write_packets};
use raw_packets::{Accept, CheckOptions, LoadStamp, PacketOptions, PacketPlan, Template};
use recovery_queue::{
    BacklogLead, ClaimedLead, DatabaseUrl, InMemoryBacklog, MatcherResolver, OpenOptions,
    QueueStore, Recover, RecoverOptions, SeedOptions, SourcePk, SqlStore, StoreFacts, WakeKeys,
};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::outages;

#[derive(Default)]
struct Kept {
    /// The names of spans and events, each with its fields.
    names: BTreeMap<String, BTreeSet<String>>,
    /// All values, as text.
    values: Vec<String>,
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Kept>>);

struct Fields<'a>(&'a mut BTreeSet<String>, &'a mut Vec<String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned());
        self.1.push(format!("{value:?}"));
    }
}

impl Captured {
    fn keep(
        &self,
        metadata: &'static tracing::Metadata<'static>,
        record: impl Fn(&mut Fields<'_>),
    ) {
        let ours =
            ["guardrails", "identity_matching", "kpi_gap_queue", "raw_packets", "recovery_queue"];
        let crate_name = metadata.target().split("::").next().unwrap_or_default();
        if ours.contains(&crate_name) {
            let mut kept = self.0.lock().unwrap();
            let Kept { names, values } = &mut *kept;
            record(&mut Fields(names.entry(metadata.name().to_owned()).or_default(), values));
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Captured {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.keep(attributes.metadata(), |fields| attributes.record(fields));
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.keep(event.metadata(), |fields| event.record(fields));
    }
}

const PHONE: &str = "987654321";
const SOURCE_PK: &str = "LEAD-KEY-7";
const PERSON_KEY: &str = "PERSON-KEY-9";

fn the_data_loop(folder: &std::path::Path) {
    let catalogue =
        kpi_gap_queue::files::read_catalogue("the sample", include_bytes!("../data/catalog.json"))
            .unwrap();
    let catalogue: InMemoryCatalogue = catalogue.catalogue;
    let scope = MetricScope::new("2025-12-31".parse().ok(), Some("year"));
    let store = InMemoryMetrics::default();
    let queue = GapQueue::build(&catalogue, &store, &[scope], GapOptions::default()).unwrap();
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let plan =
        PacketPlan::new(&queue.report(at), &Template::official_review(), &PacketOptions::default())
            .unwrap();
    write_packets(folder, &plan).unwrap();
    let files = read_packets(folder, ReadLimits::default()).unwrap();
    let checked = plan.check(&files, CheckOptions::default());
    checked.load(Accept::Valid, &LoadStamp::new("a test", at)).unwrap();
}

fn the_identity_loop(folder: &std::path::Path) {
    let phone = |number: &str| Record { phones: vec![number.into()], ..Record::default() };
    let normaliser = Normaliser::for_region(Region::parse("PE").unwrap());
    let mut index = InMemoryIndex::builder();
    index.add(PERSON_KEY, &normaliser.normalise(&phone(PHONE))).unwrap();
    let matcher =
        DeterministicMatcher::new(index.build().unwrap(), normaliser.clone(), Policy::default())
            .unwrap();
    let url = DatabaseUrl::parse(folder.join("q.sqlite").to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    let lead = |key: &str| {
        BacklogLead::new(SourcePk::new(key).unwrap(), "2026-01-01T00:00:00Z".parse().unwrap())
    };
    let backlog = InMemoryBacklog::new("sign-ups", [lead(SOURCE_PK), lead("LEAD-KEY-8")]);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let source = |leads: &[ClaimedLead]| {
        let number = |lead: &ClaimedLead| {
            if lead.source_pk.as_str() == SOURCE_PK { PHONE } else { "912345678" }
        };
        Ok(leads.iter().map(|lead| Some(phone(number(lead)))).collect())
    };
    let keys = WakeKeys::new(normaliser, [7; 32]);
    let mut resolver = MatcherResolver::new(matcher, source).with_wake_keys(keys.clone());
    store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
    store.wake(&keys.of(&phone("912345678"))).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    guardrails::Suite::recovery().run(&facts, &Monotonic::start());
}

/// The rows `| name | kind | fields |` of the table in ARCHITECTURE.md.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../../ARCHITECTURE.md");
    let table = text.split("### Spans and events").nth(1).expect("the section is there");
    let codes =
        |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    table
        .lines()
        .take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            (codes(cells[1]).remove(0), codes(cells[3]).into_iter().collect())
        })
        .collect()
}

#[test]
fn every_span_and_event_is_documented_with_its_fields_and_names_nobody() {
    let captured = Captured::default();
    let folder = tempfile::tempdir().unwrap();
    let subscriber = tracing_subscriber::registry().with(captured.clone());
    let with_server = tracing::subscriber::with_default(subscriber, || {
        the_data_loop(&folder.path().join("packets"));
        the_identity_loop(folder.path());
        outages::of_a_run(folder.path());
        outages::of_a_server()
    });
    let kept = captured.0.lock().unwrap();
    let Kept { names, values } = &*kept;
    let documented = documented();
    for (name, fields) in names {
        assert_eq!(documented.get(name), Some(fields), "`{name}` in ARCHITECTURE.md");
    }
    for name in documented.keys() {
        // Where there is no PostgreSQL, no connection to it is lost or a pooler's.
        let of_a_server = ["batch_cut", "pooled", "rollback_lost", "time_limit_lost"];
        let left_out = !with_server
            && name.strip_prefix("recovery_queue.").is_some_and(|name| of_a_server.contains(&name));
        assert!(left_out || names.contains_key(name), "`{name}` is documented and was not met");
    }
    for value in values {
        for identifier in [PHONE, "LEAD-KEY", PERSON_KEY, "912345678", "TEAR"] {
            assert!(!value.contains(identifier), "{value}");
        }
    }
}
