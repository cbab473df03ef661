//! What is expected: sources, KPIs, and which source owes which KPI.

use std::{borrow::Cow, rc::Rc, sync::Arc};

use crate::{error::StoreError, publication::Publication};

/// A source that the catalogue describes.
///
/// Made by [`Source::new`]; every other field starts blank and may be set in place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Source {
    /// The id, unique in the catalogue, never blank, without `|`.
    pub source_id: String,
    /// The name that people read.
    pub label: String,
    /// The body that publishes the source.
    pub organismo: String,
    /// Where the source is published.
    pub source_url: String,
    /// The raw metrics that the source publishes.
    pub expected_metrics: Vec<String>,
    /// The KPIs that the source owes; `None` means every KPI of the catalogue.
    pub expected_kpis: Option<Vec<String>>,
    /// How often and how late the source publishes; `None` where that is not known.
    pub publication: Option<Publication>,
    /// Who acts on the gaps of the source.
    pub owner: Option<String>,
}

impl Source {
    /// Makes a source that has an id and nothing else.
    #[must_use]
    pub fn new(source_id: impl Into<String>) -> Self {
        Self { source_id: source_id.into(), ..Self::default() }
    }
}

/// A figure that sources should publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Kpi {
    /// The id, unique in the catalogue, never blank, without `|`.
    pub kpi_id: String,
    /// The name that people read.
    pub label: String,
    /// How the KPI is computed from raw metrics; the queue carries it and does not evaluate it.
    pub formula: String,
    /// Who acts on the gaps of the KPI where the source has no owner.
    pub owner: Option<String>,
}

impl Kpi {
    /// Makes a KPI that has an id and a label and no formula.
    #[must_use]
    pub fn new(kpi_id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { kpi_id: kpi_id.into(), label: label.into(), ..Self::default() }
    }
}

/// The expected sources, the described sources and the KPIs of a run.
///
/// Each method is called once per run, in any order. An in-memory catalogue lends what it holds; a
/// database hands over what it read.
pub trait Catalogue {
    /// Returns the ids of the sources that are expected to publish.
    fn expected_sources(&self) -> Result<Cow<'_, [String]>, StoreError>;

    /// Returns the sources that the catalogue describes, expected or not.
    fn sources(&self) -> Result<Cow<'_, [Source]>, StoreError>;

    /// Returns the KPIs.
    fn kpis(&self) -> Result<Cow<'_, [Kpi]>, StoreError>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<C: Catalogue + ?Sized> Catalogue for $pointer {
            fn expected_sources(&self) -> Result<Cow<'_, [String]>, StoreError> {
                (**self).expected_sources()
            }

            fn sources(&self) -> Result<Cow<'_, [Source]>, StoreError> {
                (**self).sources()
            }

            fn kpis(&self) -> Result<Cow<'_, [Kpi]>, StoreError> {
                (**self).kpis()
            }
        }
    )*};
}
forward!(&C, Box<C>, Rc<C>, Arc<C>);

/// A catalogue in memory.
///
/// ```
/// use kpi_gap_queue::{Catalogue, InMemoryCatalogue, Kpi, Source};
///
/// let catalogue = InMemoryCatalogue {
///     expected_sources: vec!["es:town".into()],
///     sources: vec![Source::new("es:town")],
///     kpis: vec![Kpi::new("kpi:waiting_days", "Waiting time (days)")],
/// };
/// assert_eq!(catalogue.kpis()?.len(), 1);
/// # Ok::<(), kpi_gap_queue::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InMemoryCatalogue {
    /// The ids of the sources that are expected to publish.
    pub expected_sources: Vec<String>,
    /// The sources that are seeded.
    pub sources: Vec<Source>,
    /// The KPIs.
    pub kpis: Vec<Kpi>,
}

impl Catalogue for InMemoryCatalogue {
    fn expected_sources(&self) -> Result<Cow<'_, [String]>, StoreError> {
        Ok(Cow::Borrowed(&self.expected_sources))
    }

    fn sources(&self) -> Result<Cow<'_, [Source]>, StoreError> {
        Ok(Cow::Borrowed(&self.sources))
    }

    fn kpis(&self) -> Result<Cow<'_, [Kpi]>, StoreError> {
        Ok(Cow::Borrowed(&self.kpis))
    }
}
