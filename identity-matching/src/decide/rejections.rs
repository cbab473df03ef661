//! Pairs that a person has looked at and rejected.

/// Pairs of a subject, by its position in a batch, and a person, by its key, that a person has rejected: they are
/// dropped before anything is judged.
///
/// ```
/// use identity_matching::Rejections;
///
/// let rejections: Rejections = [(0, "P1"), (2, "P7")].into_iter().collect();
/// assert!(rejections.hold(0, "P1") && !rejections.hold(1, "P1"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rejections {
    /// Sorted, each once.
    pairs: Vec<(usize, String)>,
}

impl Rejections {
    /// Tells whether a pair was rejected.
    #[must_use]
    pub fn hold(&self, subject: usize, person: &str) -> bool {
        let by = |(at, known): &(usize, String)| (*at, known.as_str()).cmp(&(subject, person));
        self.pairs.binary_search_by(by).is_ok()
    }

    /// Tells whether no pair was rejected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl<P: Into<String>> FromIterator<(usize, P)> for Rejections {
    fn from_iter<T: IntoIterator<Item = (usize, P)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter().map(|(subject, person)| (subject, person.into()));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self { pairs }
    }
}

impl std::fmt::Debug for Rejections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rejections({} pairs)", self.pairs.len())
    }
}
