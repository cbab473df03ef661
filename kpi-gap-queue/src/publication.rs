//! When a source publishes, and therefore since when a gap is overdue.

use std::{fmt, str::FromStr};

use chrono::{Datelike as _, Days, Months, NaiveDate};

use crate::scope::MetricScope;

/// The length of a period, as granularities and publication frequencies write it.
///
/// ```
/// use kpi_gap_queue::Frequency;
///
/// let quarter: Frequency = "quarter".parse()?;
/// let (first, last) = quarter.period_of("2025-05-20".parse()?).expect("far from the end of time");
/// assert_eq!((first.to_string(), last.to_string()), ("2025-04-01".into(), "2025-06-30".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Frequency {
    /// One day.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months, from January, April, July or October.
    Quarter,
    /// Six calendar months, from January or July.
    HalfYear,
    /// A calendar year.
    Year,
}

impl Frequency {
    /// Lists every frequency, the shortest period first.
    pub const ALL: [Self; 6] =
        [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::HalfYear, Self::Year];

    /// Returns the word for the frequency.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
        }
    }

    /// Returns the first and the last day of the period that holds a day.
    ///
    /// `None` at the ends of the calendar, some 262,000 years from now.
    #[must_use]
    pub fn period_of(self, day: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let of_months = |months: u32| {
            let first_month = day.month0() / months * months;
            let first = NaiveDate::from_ymd_opt(day.year(), first_month + 1, 1)?;
            Some((first, first.checked_add_months(Months::new(months))?.pred_opt()?))
        };
        match self {
            Self::Day => Some((day, day)),
            Self::Week => {
                let days = u64::from(day.weekday().num_days_from_monday());
                let first = day.checked_sub_days(Days::new(days))?;
                Some((first, first.checked_add_days(Days::new(6))?))
            }
            Self::Month => of_months(1),
            Self::Quarter => of_months(3),
            Self::HalfYear => of_months(6),
            Self::Year => of_months(12),
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Frequency {
    type Err = UnknownFrequency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|frequency| frequency.as_str() == text)
            .ok_or_else(|| UnknownFrequency { text: text.to_owned() })
    }
}

/// The error for a text that names no [`Frequency`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no frequency; use one of day, week, month, quarter, half_year, year")]
pub struct UnknownFrequency {
    /// The text that was read.
    pub text: String,
}

/// The publication calendar of a source: how often, and how long after the end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Publication {
    /// The length of the period that one edition covers.
    pub frequency: Frequency,
    /// The days between the end of that period and its publication.
    pub delay_days: u16,
}

impl Publication {
    /// Returns the day on which the values of a scope are due.
    ///
    /// In a period, that is the end of the edition that covers the last day of the period, plus the
    /// delay; a period date may be any day of its period. Where the granularity is left out or is no
    /// [`Frequency`], the period is that of one edition. In a scope without a date it is the day of the
    /// newest edition that is out as of `as_of`.
    ///
    /// ```
    /// use kpi_gap_queue::{Frequency, MetricScope, Publication};
    ///
    /// let yearbook = Publication { frequency: Frequency::Year, delay_days: 90 };
    /// let today = "2026-11-20".parse()?;
    /// let quarter = MetricScope::period("2025-06-30".parse()?, "quarter");
    /// assert_eq!(yearbook.due_on(&quarter, today), Some("2026-03-31".parse()?));
    /// assert_eq!(yearbook.due_on(&MetricScope::all_time(), today), Some("2026-03-31".parse()?));
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    #[must_use]
    pub fn due_on(&self, scope: &MetricScope, as_of: NaiveDate) -> Option<NaiveDate> {
        let delay = Days::new(u64::from(self.delay_days));
        let Some(date) = scope.period_date() else {
            // The edition of the period that holds the newest day that can have been covered.
            let covered = as_of.checked_sub_days(delay)?;
            let (first, last) = self.frequency.period_of(covered)?;
            let last = if last == covered { last } else { first.pred_opt()? };
            return last.checked_add_days(delay);
        };
        let period = scope.period_granularity().and_then(|word| word.parse().ok());
        let (_, period_end) = period.unwrap_or(self.frequency).period_of(date)?;
        let (_, edition_end) = self.frequency.period_of(period_end)?;
        edition_end.checked_add_days(delay)
    }
}

/// The day since which the pairs of a source are due in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct GapTiming {
    /// The day on which the values are due.
    pub due_on: NaiveDate,
    /// The days since then; negative while the day is yet to come.
    pub age_days: i64,
}

impl GapTiming {
    pub(crate) fn new(due_on: NaiveDate, as_of: NaiveDate) -> Self {
        Self { due_on, age_days: (as_of - due_on).num_days() }
    }

    /// Tells whether the day has passed.
    #[must_use]
    pub const fn is_overdue(&self) -> bool {
        self.age_days > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(number: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(number).unwrap()
    }

    proptest! {
        #[test]
        fn periods_hold_their_day_and_follow_one_another(
            number in 1..1_000_000_i32, frequency in prop::sample::select(Frequency::ALL.to_vec()),
        ) {
            let (first, last) = frequency.period_of(day(number)).unwrap();
            prop_assert!(first <= day(number) && day(number) <= last);
            prop_assert_eq!(frequency.period_of(first), Some((first, last)));
            prop_assert_eq!(frequency.period_of(last), Some((first, last)));
            let (next, _) = frequency.period_of(last.succ_opt().unwrap()).unwrap();
            prop_assert_eq!(next, last.succ_opt().unwrap());
        }

        #[test]
        fn without_a_date_the_newest_edition_is_out_and_the_next_is_not(
            number in 1000..1_000_000_i32,
            frequency in prop::sample::select(Frequency::ALL.to_vec()),
            delay_days in 0..400_u16,
        ) {
            let publication = Publication { frequency, delay_days };
            let as_of = day(number);
            let due = publication.due_on(&MetricScope::all_time(), as_of).unwrap();
            prop_assert!(due <= as_of);
            let covered = due.checked_sub_days(Days::new(delay_days.into())).unwrap();
            let (_, next) = frequency.period_of(covered.succ_opt().unwrap()).unwrap();
            prop_assert!(next.checked_add_days(Days::new(delay_days.into())).unwrap() > as_of);
        }

        #[test]
        fn the_ends_of_the_calendar_do_not_panic(
            frequency in prop::sample::select(Frequency::ALL.to_vec()), delay_days: u16,
        ) {
            let publication = Publication { frequency, delay_days };
            for end in [NaiveDate::MIN, NaiveDate::MAX] {
                let _ = publication.due_on(&MetricScope::all_time(), end);
                let _ = publication.due_on(&MetricScope::period(end, "year"), end);
            }
        }
    }
}
