//! How far two reviewers agree beyond what chance would give.

use std::collections::BTreeMap;

use serde::Serialize;

/// How far two reviewers of the same cases agree: Cohen's kappa, with its interval.
///
/// Kappa is (p₀ − pₑ) / (1 − pₑ): p₀ is the share of cases decided alike, pₑ the share that would be by chance, from how
/// often each reviewer decides what. 1 is full agreement, 0 what chance gives. The interval of 95 % takes the large-sample
/// standard error, so it says little of a few dozen cases. Sources: J. Cohen, "A coefficient of agreement for nominal
/// scales", Educational and Psychological Measurement 20 (1960), 37–46; J. L. Fleiss, J. Cohen and B. S. Everitt, "Large
/// sample standard errors of kappa and weighted kappa", Psychological Bulletin 72 (1969), 323–327.
///
/// ```
/// use recovery_queue::ReviewerAgreement;
///
/// // 20 cases both link, 15 neither, 15 in which they differ.
/// let pairs = std::iter::repeat_n(("link", "link"), 20)
///     .chain(std::iter::repeat_n(("none", "none"), 15))
///     .chain(std::iter::repeat_n(("link", "none"), 5))
///     .chain(std::iter::repeat_n(("none", "link"), 10));
/// let agreement = ReviewerAgreement::of(pairs).unwrap();
/// assert_eq!((agreement.cases, agreement.alike), (50, 35));
/// assert!((agreement.kappa.unwrap() - 0.4).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReviewerAgreement {
    /// Cases that both decided.
    pub cases: u64,
    /// Of them those decided alike.
    pub alike: u64,
    /// Cohen's kappa; `None` where both decided everything in one and the same way, of which chance leaves nothing.
    pub kappa: Option<f64>,
    /// The lower end of the interval of 95 %.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// The quantile of the normal distribution for 95 % on both sides.
const Z: f64 = 1.959_963_984_540_054;

impl ReviewerAgreement {
    /// Computes it from pairs of decisions, the first reviewer's and the second's; `None` without a pair.
    #[must_use]
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        Self::counted(pairs.into_iter().map(|pair| (pair, 1)))
    }

    /// Computes it from counts of such pairs; `None` without a pair.
    #[must_use]
    pub fn counted<'a>(pairs: impl IntoIterator<Item = ((&'a str, &'a str), u64)>) -> Option<Self> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (pair, cases) in pairs {
            *counts.entry(pair).or_default() += cases;
        }
        let cases: u64 = counts.values().sum();
        if cases == 0 {
            return None;
        }
        let n = cases as f64;
        let (mut first, mut second): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) =
            Default::default();
        for ((one, other), count) in &counts {
            *first.entry(one).or_default() += *count as f64 / n;
            *second.entry(other).or_default() += *count as f64 / n;
        }
        let of =
            |shares: &BTreeMap<&str, f64>, word: &str| shares.get(word).copied().unwrap_or(0.0);
        let alike: u64 = counts.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
        let observed = alike as f64 / n;
        let expected: f64 = first.iter().map(|(word, share)| share * of(&second, word)).sum();
        let left = 1.0 - expected;
        if left < 1e-12 {
            return Some(Self { cases, alike, kappa: None, low: None, high: None });
        }
        let kappa = (observed - expected) / left;
        let (mut same, mut other) = (0.0, 0.0);
        for ((a, b), count) in &counts {
            let share = *count as f64 / n;
            if a == b {
                same += share * (1.0 - (of(&first, a) + of(&second, a)) * (1.0 - kappa)).powi(2);
            } else {
                other += share * (of(&second, a) + of(&first, b)).powi(2);
            }
        }
        let variance = (same + (1.0 - kappa).powi(2) * other
            - (kappa - expected * (1.0 - kappa)).powi(2))
            / (n * left * left);
        let half = Z * variance.max(0.0).sqrt();
        let (low, high) = ((kappa - half).max(-1.0), (kappa + half).min(1.0));
        Some(Self { cases, alike, kappa: Some(kappa), low: Some(low), high: Some(high) })
    }
}

#[cfg(test)]
mod tests {
    use super::ReviewerAgreement;

    fn table(rows: &[[u64; 3]]) -> ReviewerAgreement {
        let words = ["a", "b", "c"];
        let pairs = rows.iter().zip(words).flat_map(|(row, one)| {
            row.iter().zip(words).flat_map(move |(count, other)| {
                std::iter::repeat_n((one, other), usize::try_from(*count).unwrap())
            })
        });
        ReviewerAgreement::of(pairs).unwrap()
    }

    /// The table of Fleiss, Cohen and Everitt (1969): 200 cases, kappa 0.429, standard error 0.0543.
    #[test]
    fn the_interval_is_that_of_the_paper() {
        let found = table(&[[106, 10, 4], [22, 28, 10], [2, 12, 6]]);
        assert_eq!((found.cases, found.alike), (200, 140));
        assert!((found.kappa.unwrap() - 0.4286).abs() < 1e-3, "{found:?}");
        let error = (found.high.unwrap() - found.low.unwrap()) / 2.0 / 1.96;
        assert!((error - 0.054).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn full_agreement_is_one_and_one_word_alone_gives_no_kappa() {
        let full = table(&[[5, 0, 0], [0, 5, 0], [0, 0, 5]]);
        assert_eq!((full.kappa, full.low, full.high), (Some(1.0), Some(1.0), Some(1.0)));
        assert_eq!(table(&[[5, 0, 0]]).kappa, None);
        assert_eq!(ReviewerAgreement::of([]), None);
    }
}
