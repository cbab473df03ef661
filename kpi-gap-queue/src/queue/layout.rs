//! Numbers every expected pair, so that a pair costs one byte and no string.

use std::{collections::HashMap, ops::Range};

use crate::{
    catalogue::{Catalogue, Kpi, Source},
    error::GapError,
    scope::MetricScope,
};

/// Numbers the pairs in the order of the queue: source id, KPI id, scope.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) sources: Vec<ExpectedSource>,
    pub(super) kpis: Vec<Kpi>,
    pub(super) scopes: Vec<MetricScope>,
    pub(super) pairs: usize,
    kpi_by_id: HashMap<String, u32>,
}

/// An expected source, with what the catalogue says of it.
#[derive(Debug)]
pub(super) struct ExpectedSource {
    pub(super) source_id: String,
    pub(super) seeded: Option<Source>,
    /// The KPIs that the source owes, ascending; `None` means all.
    owed: Option<Vec<u32>>,
    first_pair: usize,
}

impl Layout {
    pub(super) fn new(
        catalogue: &(impl Catalogue + ?Sized),
        scopes: &[MetricScope],
    ) -> Result<Self, GapError> {
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(GapError::NoScope);
        }

        let mut kpis = catalogue.kpis().map_err(GapError::Catalogue)?.into_owned();
        kpis.sort_unstable_by(|a, b| a.kpi_id.cmp(&b.kpi_id));
        check_ids("KPI", kpis.iter().map(|kpi| &kpi.kpi_id))?;
        let kpi_by_id: HashMap<String, u32> =
            (0..).zip(&kpis).map(|(at, kpi)| (kpi.kpi_id.clone(), at)).collect();

        let mut seeded = catalogue.sources().map_err(GapError::Catalogue)?.into_owned();
        seeded.sort_unstable_by(|a, b| a.source_id.cmp(&b.source_id));
        check_ids("source", seeded.iter().map(|source| &source.source_id))?;

        let mut expected = catalogue.expected_sources().map_err(GapError::Catalogue)?.into_owned();
        expected.sort_unstable();
        check_ids("expected source", expected.iter())?;

        let mut layout = Self { sources: Vec::new(), kpis, scopes, pairs: 0, kpi_by_id };
        let mut seeded = seeded.into_iter().peekable();
        for source_id in expected {
            while seeded.next_if(|source| source.source_id < source_id).is_some() {}
            let seeded = seeded.next_if(|source| source.source_id == source_id);
            layout.push(source_id, seeded)?;
        }
        Ok(layout)
    }

    fn push(&mut self, source_id: String, seeded: Option<Source>) -> Result<(), GapError> {
        let owed = match seeded.as_ref().and_then(|source| source.expected_kpis.as_ref()) {
            None => None,
            Some(ids) => {
                let find = |kpi_id: &String| {
                    self.kpi_by_id.get(kpi_id).copied().ok_or_else(|| GapError::UnknownKpi {
                        source_id: source_id.clone(),
                        kpi_id: kpi_id.clone(),
                    })
                };
                let mut owed = ids.iter().map(find).collect::<Result<Vec<_>, _>>()?;
                owed.sort_unstable();
                owed.dedup();
                Some(owed)
            }
        };
        let first_pair = self.pairs;
        let kpis = owed.as_ref().map_or(self.kpis.len(), Vec::len);
        self.pairs = kpis
            .checked_mul(self.scopes.len())
            .and_then(|pairs| first_pair.checked_add(pairs))
            .filter(|&pairs| u32::try_from(pairs).is_ok())
            .ok_or(GapError::TooManyPairs)?;
        self.sources.push(ExpectedSource { source_id, seeded, owed, first_pair });
        Ok(())
    }

    /// Returns the pairs of the sources, which follow one another.
    pub(super) fn pairs_of(&self, sources: Range<usize>) -> Range<usize> {
        let start_of = |at: usize| self.sources.get(at).map_or(self.pairs, |s| s.first_pair);
        start_of(sources.start)..start_of(sources.end)
    }

    /// Returns how many KPIs a source owes.
    pub(super) fn kpis_of(&self, source: usize) -> usize {
        self.sources[source].owed.as_ref().map_or(self.kpis.len(), Vec::len)
    }

    /// Returns the KPI that a source owes at a place of its own list.
    pub(super) fn kpi_at(&self, source: usize, place: usize) -> &Kpi {
        match &self.sources[source].owed {
            None => &self.kpis[place],
            Some(owed) => &self.kpis[owed[place] as usize],
        }
    }

    /// Returns the KPI with an id.
    pub(super) fn kpi(&self, kpi_id: &str) -> Option<&Kpi> {
        self.kpis.get(*self.kpi_by_id.get(kpi_id)? as usize)
    }

    /// Returns the first pair of a source and a KPI, that of the first scope, if it is owed.
    pub(super) fn first_pair(&self, source: usize, kpi_id: &str) -> Option<usize> {
        let kpi = *self.kpi_by_id.get(kpi_id)?;
        let source = &self.sources[source];
        let place = match &source.owed {
            None => kpi as usize,
            Some(owed) => owed.binary_search(&kpi).ok()?,
        };
        Some(source.first_pair + place * self.scopes.len())
    }

    /// Returns the expected source with an id.
    pub(super) fn source(&self, source_id: &str) -> Option<usize> {
        self.sources.binary_search_by(|source| source.source_id.as_str().cmp(source_id)).ok()
    }
}

/// Refuses ids that are blank, hold a bar or, being sorted, lie beside an equal one.
fn check_ids<'a>(
    kind: &'static str,
    ids: impl Iterator<Item = &'a String>,
) -> Result<(), GapError> {
    let mut before: Option<&String> = None;
    for id in ids {
        if id.trim().is_empty() || id.contains('|') {
            return Err(GapError::UnusableId { kind, id: id.clone() });
        }
        if before == Some(id) {
            return Err(GapError::DuplicateId { kind, id: id.clone() });
        }
        before = Some(id);
    }
    Ok(())
}
