//! `catalog.json`: expected sources, seeded sources, KPIs.

use std::collections::HashMap;

use super::{
    json::{Document, Node, Object},
    problem::FileProblem,
};
use crate::{
    catalogue::{InMemoryCatalogue, Kpi, Source},
    publication::Publication,
};

/// A catalogue as it was read, with the keys that were ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogueFile {
    /// The catalogue.
    pub catalogue: InMemoryCatalogue,
    /// The keys that are not known, such as `sources[0].colour`, in byte order.
    pub keys_ignored: Vec<String>,
}

/// Reads a catalogue from the bytes of a JSON file that is called `file`.
///
/// The form is `{"expected_sources": [ids], "sources": [{"source_id", "label", "organismo",
/// "source_url", "expected_metrics": []}], "kpis": [{"kpi_id", "label", "formula"}]}`. A source may
/// also have `expected_kpis`, the ids of the KPIs that it owes (left out, it owes all),
/// `publication_frequency` (a [`Frequency`](crate::Frequency)) with `publication_delay_days` (0 where it
/// is left out), and, as a KPI may, an `owner`. Where `expected_sources` is left out, every source is
/// expected. Unknown keys are left aside and named.
///
/// The first problem ends it: bytes that are not JSON, a value of another type, an id that is
/// missing, blank, doubled, surrounded by spaces or holds a `|`, an owed KPI that is not defined.
///
/// ```
/// use kpi_gap_queue::files::read_catalogue;
///
/// let json = br#"{"sources": [{"source_id": "es:town"}],
///   "kpis": [{"kpi_id": "kpi:a"}, {"kpi_id": "kpi:a"}]}"#;
/// let problem = read_catalogue("catalog.json", json).unwrap_err();
/// assert_eq!(
///     problem.to_string(),
///     "catalog.json: line 2, column 44 (`kpis[1].kpi_id`): this KPI id is there twice, first in \
///      line 2 (`kpi:a`); keep one of them"
/// );
/// ```
pub fn read_catalogue(file: &str, bytes: &[u8]) -> Result<CatalogueFile, FileProblem> {
    let mut top = Document::parse(file, bytes)?.object()?;
    let mut ignored = Vec::new();

    let mut kpi_ids = Ids::new("KPI");
    let mut kpis = Vec::new();
    for node in top.list("kpis")?.unwrap_or_default() {
        let mut object = node.object()?;
        kpis.push(Kpi {
            kpi_id: kpi_ids.take(&object.required("kpi_id")?)?,
            label: object.text("label")?,
            formula: object.text("formula")?,
            owner: owner(&mut object)?,
        });
        ignored.extend(object.rest());
    }

    let mut source_ids = Ids::new("source");
    let mut sources = Vec::new();
    for node in top.list("sources")?.unwrap_or_default() {
        let mut object = node.object()?;
        sources.push(Source {
            source_id: source_ids.take(&object.required("source_id")?)?,
            label: object.text("label")?,
            organismo: object.text("organismo")?,
            source_url: object.text("source_url")?,
            expected_metrics: texts(&mut object, "expected_metrics")?,
            expected_kpis: owed(&mut object, &kpi_ids)?,
            publication: publication(&mut object)?,
            owner: owner(&mut object)?,
        });
        ignored.extend(object.rest());
    }

    let expected_sources = match top.list("expected_sources")? {
        None => sources.iter().map(|source| source.source_id.clone()).collect(),
        Some(nodes) => {
            let mut ids = Ids::new("expected source");
            nodes.iter().map(|node| ids.take(node)).collect::<Result<_, _>>()?
        }
    };
    ignored.extend(top.rest());
    ignored.sort_unstable();
    let catalogue = InMemoryCatalogue { expected_sources, sources, kpis };
    Ok(CatalogueFile { catalogue, keys_ignored: ignored })
}

fn owner(object: &mut Object<'_>) -> Result<Option<String>, FileProblem> {
    object.text("owner").map(|owner| Some(owner).filter(|owner| !owner.trim().is_empty()))
}

fn publication(object: &mut Object<'_>) -> Result<Option<Publication>, FileProblem> {
    let delay = object.take("publication_delay_days");
    let Some(node) = object.take("publication_frequency") else {
        return match delay {
            None => Ok(None),
            Some(delay) => Err(delay.problem(
                "a delay says nothing without a frequency",
                "add `publication_frequency`",
            )),
        };
    };
    let frequency = node.string()?.parse().map_err(|_| {
        node.problem("this is no frequency", "use day, week, month, quarter, half_year or year")
    })?;
    let delay_days = delay.map_or(Ok(0), |delay| {
        delay.number().map_err(|()| {
            delay.problem("this is not a number of days", "write a whole number from 0 to 65535")
        })
    })?;
    Ok(Some(Publication { frequency, delay_days }))
}

fn texts(object: &mut Object<'_>, name: &str) -> Result<Vec<String>, FileProblem> {
    object.list(name)?.unwrap_or_default().iter().map(Node::string).collect()
}

fn owed(object: &mut Object<'_>, known: &Ids) -> Result<Option<Vec<String>>, FileProblem> {
    let Some(nodes) = object.list("expected_kpis")? else { return Ok(None) };
    let mut owed = Ids::new("expected KPI");
    let find = |node: &Node<'_>| {
        let id = owed.take(node)?;
        if known.places.contains_key(&id) {
            return Ok(id);
        }
        Err(node.problem("this KPI is not defined", "define it under `kpis` or take it out here"))
    };
    nodes.iter().map(find).collect::<Result<_, _>>().map(Some)
}

/// The ids of one kind and the places at which they stand.
struct Ids {
    kind: &'static str,
    places: HashMap<String, usize>,
}

impl Ids {
    fn new(kind: &'static str) -> Self {
        Self { kind, places: HashMap::new() }
    }

    fn take(&mut self, node: &Node<'_>) -> Result<String, FileProblem> {
        let id = node.string()?;
        let kind = self.kind;
        if id.trim().is_empty() {
            return Err(node.problem(format!("the {kind} id is blank"), "give it an id"));
        }
        if id.trim() != id || id.contains('|') || id.contains(char::is_control) {
            return Err(node.problem(
                format!("the {kind} id cannot be part of a key"),
                "remove spaces around it, bars `|` and control characters",
            ));
        }
        if let Some(first) = self.places.insert(id.clone(), node.place()) {
            let first = node.line_of(first);
            return Err(node.problem(
                format!("this {kind} id is there twice, first in line {first}"),
                "keep one of them",
            ));
        }
        Ok(id)
    }
}
