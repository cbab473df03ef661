//! What of leads or persons gives no key: counted, and told with the first of each kind.

use std::collections::BTreeMap;

use identity_matching::{Field, Normalised, UnusableReason};
use serde::Serialize;

use crate::cli::Console;

/// How many are named for each field and reason.
const LISTED: usize = 5;

/// Counts the values of leads or persons that give no key, by field and reason.
///
/// The values themselves are not kept. Memory holds a few keys for each field and reason.
///
/// ```
/// use identity_matching::{Normaliser, Record, Region};
/// use reference_runners::unusable::UnusableValues;
///
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let record = Record { phones: vec!["12".to_owned()], ..Record::default() };
/// let mut unusable = UnusableValues::of("persons");
/// unusable.add("P1", &normaliser.normalise(&record));
/// let told = unusable.rows();
/// assert_eq!((told[0].field.as_str(), told[0].values_total), ("phone", 1));
/// assert_eq!(told[0].persons_listed, ["P1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnusableValues {
    whose: &'static str,
    rows: BTreeMap<(Field, UnusableReason), (u64, Vec<String>)>,
}

/// The values of one field that give no key for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct UnusableRow<'a> {
    /// The field, such as `phone`.
    pub field: Field,
    /// Why they give no key.
    pub reason: UnusableReason,
    /// How many there are, exactly.
    pub values_total: u64,
    /// The first persons that have one.
    pub persons_listed: &'a [String],
    /// What is wrong, and what would make such a value usable.
    pub remedy: &'static str,
}

impl UnusableValues {
    /// Begins to count those of `whose`: `leads` or `persons`.
    #[must_use]
    pub fn of(whose: &'static str) -> Self {
        Self { whose, rows: BTreeMap::new() }
    }

    /// Counts what of one record of a person gives no key.
    pub fn add(&mut self, person: &str, record: &Normalised) {
        for value in record.unusable() {
            let row = self.rows.entry((value.source.field, value.reason)).or_default();
            row.0 += 1;
            if row.1.len() < LISTED && row.1.last().is_none_or(|last| last != person) {
                row.1.push(person.to_owned());
            }
        }
    }

    /// Returns the counts by field and reason.
    #[must_use]
    pub fn rows(&self) -> Vec<UnusableRow<'_>> {
        let rows = self.rows.iter();
        rows.map(|(&(field, reason), (values_total, persons))| UnusableRow {
            field,
            reason,
            values_total: *values_total,
            persons_listed: persons,
            remedy: reason.remedy(),
        })
        .collect()
    }

    /// Tells on stderr what gives no key; nothing where everything does.
    pub fn tell(&self, console: &Console) {
        for row in self.rows() {
            let more =
                if row.values_total > row.persons_listed.len() as u64 { ", …" } else { "" };
            console.note(format_args!(
                "{}: values that give no key: {} × {} {} ({}), such as of {}{more}",
                self.whose,
                row.values_total,
                row.field,
                row.reason.code(),
                row.remedy,
                row.persons_listed.join(", "),
            ));
        }
    }
}
