//! What of leads or persons gives no key, counted and told with the first of each kind; types of documents that no table
//! knows; values that stand in suspiciously many of them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use guardrails::page::{Body, Section, Table};
use identity_matching::{
    Evidence, Field, KeyKind, Masked, Normalised, Reading, Record, Unusable, UnusableReason,
};
use serde::{Deserialize, Serialize};

use crate::cli::{Console, Failure};
use crate::given::Given;
use crate::service::Database;

/// How many are named for each field and reason, and how many types of documents and frequent values.
const LISTED: usize = 5;
/// Most names of types that are counted each by itself.
const TYPES_MAX: usize = 1_000;
/// How many values are counted at once: one that stands in more than every 1024th record is always found.
const WATCHED: usize = 1_024;
/// From how many records on a value is suspicious.
const SUSPICIOUS: u64 = 25;

/// Counts what of leads or persons gives no key, by field and reason, and what else is odd about their values.
///
/// Of a value that gives no key an example is kept masked; other values are not kept. Memory is bounded.
///
/// ```
/// use identity_matching::{Normalised, Normaliser, Region};
/// use reference_runners::people::Given;
/// use reference_runners::unusable::UnusableValues;
///
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let given = Given { phone: Some("12"), ..Given::default() };
/// let mut buffer = Normalised::default();
/// let mut unusable = UnusableValues::of("leads");
/// unusable.add("L1", &given, given.normalise(&normaliser, &mut buffer));
/// let report = unusable.report();
/// assert_eq!((report.unusable[0].field.as_str(), report.unusable[0].values_total), ("phone", 1));
/// assert_eq!(report.unusable[0].listed, ["L1"]);
/// # Ok::<(), identity_matching::UnknownRegion>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnusableValues {
    whose: &'static str,
    records: u64,
    rows: BTreeMap<(Field, UnusableReason), Counted>,
    /// Names of types that no table knows.
    types: BTreeMap<String, u64>,
    frequent: Frequent,
}

#[derive(Clone, Debug, Default)]
struct Counted {
    total: u64,
    listed: Vec<String>,
    examples: Vec<String>,
}

/// What is odd about the values of leads or persons.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ValueReport {
    /// Whose values they are: `leads` or `persons`.
    #[serde(skip_deserializing)]
    pub whose: &'static str,
    /// How many records were read.
    pub records_total: u64,
    /// Values that give no key, or a doubtful one, by field and reason.
    pub unusable: Vec<UnusableRow>,
    /// Types of documents that are in no table, most frequent first: their numbers are kept as they are, and a lead only
    /// finds a person under the same name of the type.
    pub unknown_document_types: Vec<UnknownType>,
    /// Values that stand in suspiciously many records, most frequent first: perhaps fillers, never taken for such.
    pub frequent_values: Vec<FrequentValue>,
}

/// The values of one field that give no key for one reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnusableRow {
    /// The field, such as `phone`.
    pub field: Field,
    /// Why they give no key.
    pub reason: UnusableReason,
    /// How many there are, exactly.
    pub values_total: u64,
    /// The first leads or persons that have one.
    pub listed: Vec<String>,
    /// The first of the values, masked.
    pub examples: Vec<String>,
    /// What is wrong, and what would make such a value usable.
    #[serde(skip_deserializing)]
    pub remedy: &'static str,
}

/// A type of documents that is in no table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnknownType {
    /// Its name as it is written.
    pub name: String,
    /// How many documents have it.
    pub documents_total: u64,
}

/// A value that stands in suspiciously many records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrequentValue {
    /// The field, such as `phone`.
    pub field: Field,
    /// The value, masked.
    pub value: String,
    /// In how many records it stands, at least.
    pub records_at_least: u64,
    /// Whether it gives no key.
    pub unusable: bool,
}

impl UnusableValues {
    /// Begins to count those of `whose`: `leads` or `persons`.
    #[must_use]
    pub fn of(whose: &'static str) -> Self {
        Self {
            whose,
            records: 0,
            rows: BTreeMap::new(),
            types: BTreeMap::new(),
            frequent: Frequent::default(),
        }
    }

    /// Counts what is odd about one record of a lead or a person.
    pub fn add(&mut self, whom: &str, given: &Given<'_>, record: &Normalised) {
        let opaque = record.keys().iter().any(|held| held.reading.contains(Reading::OPAQUE));
        self.count(whom, given, record.unusable(), opaque);
    }

    /// Counts what is odd about a record, as the evidence of its decision tells it.
    pub fn add_decided(&mut self, whom: &str, record: &Record, evidence: &Evidence) {
        let opaque = evidence.keys.iter().any(|key| key.opaque);
        self.count(whom, &Given::of(record), &evidence.unusable, opaque);
    }

    fn count(&mut self, whom: &str, given: &Given<'_>, unusable: &[Unusable], opaque: bool) {
        self.records += 1;
        for value in unusable {
            let field = value.source.field;
            let row = self.rows.entry((field, value.reason)).or_default();
            row.total += 1;
            if row.listed.len() < LISTED && row.listed.last().is_none_or(|last| last != whom) {
                row.listed.push(whom.to_owned());
                // Of joined records only the first value is at hand.
                let first = raw(given, field).filter(|_| value.source.position == 0);
                row.examples.extend(first.map(|text| masked(field, text)));
            }
        }
        if let Some(name) = given.document_type.filter(|_| opaque) {
            self.count_type(name);
        }
        for field in [Field::PHONE, Field::DOCUMENT, Field::EMAIL] {
            let unusable = unusable.iter().any(|value| value.source.field == field);
            if let Some(text) = raw(given, field).map(str::trim).filter(|text| !text.is_empty()) {
                self.frequent.add(field, text, unusable);
            }
        }
    }

    fn count_type(&mut self, name: &str) {
        // A column that holds numbers instead of types is not repeated.
        let numeral = name.bytes().filter(u8::is_ascii_digit).count() > 3;
        let name: String =
            if numeral { "(a number)".to_owned() } else { name.trim().chars().take(40).collect() };
        let full = self.types.len() >= TYPES_MAX && !self.types.contains_key(&name);
        *self.types.entry(if full { "(others)".to_owned() } else { name }).or_default() += 1;
    }

    /// Returns what was counted.
    #[must_use]
    pub fn report(&self) -> ValueReport {
        let unusable = self.rows.iter().map(|(&(field, reason), row)| UnusableRow {
            field,
            reason,
            values_total: row.total,
            listed: row.listed.clone(),
            examples: row.examples.clone(),
            remedy: reason.remedy(),
        });
        let mut types: Vec<UnknownType> = self
            .types
            .iter()
            .map(|(name, &documents_total)| UnknownType { name: name.clone(), documents_total })
            .collect();
        types.sort_by_key(|row| std::cmp::Reverse(row.documents_total));
        ValueReport {
            whose: self.whose,
            records_total: self.records,
            unusable: unusable.collect(),
            unknown_document_types: types,
            frequent_values: self.frequent.suspicious(),
        }
    }
}

impl ValueReport {
    /// Tells on stderr what is odd; nothing where nothing is.
    pub fn tell(&self, console: &Console) {
        for row in &self.unusable {
            let more = if row.values_total > row.listed.len() as u64 { ", …" } else { "" };
            let what = match row.reason {
                UnusableReason::LikelyTypo | UnusableReason::MixedScripts => "doubtful values",
                _ => "values that give no key",
            };
            console.note(format_args!(
                "{}: {what}: {} × {} {} ({}), such as {} of {}{more}",
                self.whose,
                row.values_total,
                row.field,
                row.reason.code(),
                row.remedy,
                row.examples.first().map_or("one", String::as_str),
                row.listed.join(", "),
            ));
        }
        for row in self.unknown_document_types.iter().take(LISTED) {
            console.note(format_args!(
                "{}: {} × document type {:?}, which is in no table: such a number is kept as it is and finds only \
                 persons under the same name; correct the type, or add it as a name of a known one",
                self.whose, row.documents_total, row.name,
            ));
        }
        for row in self.frequent_values.iter().take(LISTED) {
            console.note(format_args!(
                "{}: the {} {} stands in at least {} of them: if it is a filler, list it among the policy's \
                 placeholders",
                self.whose, row.field, row.value, row.records_at_least,
            ));
        }
    }

    fn is_empty(&self) -> bool {
        self.unusable.is_empty()
            && self.unknown_document_types.is_empty()
            && self.frequent_values.is_empty()
    }
}

/// The section of a page that shows what is odd about the values of leads and persons.
#[derive(Clone, Debug)]
pub struct ValueSection(pub Vec<ValueReport>);

impl ValueSection {
    /// The heading, on every page that shows such values.
    pub const HEADING: &str = "Values that were not understood";
}

impl Section for ValueSection {
    fn heading(&self) -> &'static str {
        Self::HEADING
    }

    fn body(&self, _: &guardrails::SuiteReport) -> Body {
        self.0.iter().fold(Body::default(), |body, report| report.show(body, "this run"))
    }
}

impl ValueReport {
    /// Adds the tables of what is odd to a page; nothing where nothing is.
    fn show(&self, mut body: Body, run: &str) -> Body {
        if self.is_empty() {
            return body;
        }
        let named = self.unusable.iter().any(|row| !row.listed.is_empty());
        let caption = format!("Of {} {} read in {run}", self.records_total, self.whose);
        let head = ["Field", "Reason", "Values", "What to do", "Such as", "Of"];
        let shown = if named { head.len() } else { 4 };
        let table = self.unusable.iter().fold(
            Table::new(caption, head.into_iter().take(shown)).numbers(2..3),
            |table, row| {
                let cells = [
                    row.field.to_string(),
                    row.reason.code().to_owned(),
                    row.values_total.to_string(),
                    row.remedy.to_owned(),
                    row.examples.first().cloned().unwrap_or_default(),
                    row.listed.join(", "),
                ];
                table.row(cells.into_iter().take(shown))
            },
        );
        body = body.table(&table);
        let types = self.unknown_document_types.iter().take(LISTED).fold(
            Table::new(
                format!("Document types of {} that are in no table", self.whose),
                ["Type", "Documents"],
            )
            .numbers_from(1),
            |table, row| table.row([row.name.clone(), row.documents_total.to_string()]),
        );
        body = body.table(&types);
        let frequent = self.frequent_values.iter().take(LISTED).fold(
            Table::new(
                format!("Values that stand in many of the {}", self.whose),
                ["Field", "Value", "At least"],
            )
            .numbers_from(2),
            |table, row| {
                table.row([
                    row.field.to_string(),
                    row.value.clone(),
                    row.records_at_least.to_string(),
                ])
            },
        );
        body.table(&frequent)
    }
}

/// What a run counted, as the database keeps it for those who look later.
///
/// It names no lead and no person, and holds no value of a single one of them: whoever is forgotten is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptReport {
    run_id: i64,
    report: ValueReport,
}

impl KeptReport {
    const SIDES: [(&str, &str); 2] =
        [("leads", "values_of_leads"), ("persons", "values_of_persons")];

    /// Keeps what a run counted in the place of what an earlier one did; a run that read nobody leaves that standing.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn keep(
        service: &mut Database,
        run_id: i64,
        reports: &[ValueReport],
    ) -> Result<(), Failure> {
        for report in reports.iter().filter(|report| report.records_total > 0) {
            let side = Self::SIDES.into_iter().find(|(whose, _)| *whose == report.whose);
            let Some((_, name)) = side else { continue };
            let mut report = report.clone();
            for row in &mut report.unusable {
                row.listed.clear();
                row.examples.clear();
            }
            service.keep(name, &serde_json::to_string(&Self { run_id, report })?)?;
        }
        Ok(())
    }

    /// Reads what was kept of leads and of persons; what another version kept is left out.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn read(service: &mut Database) -> Result<Vec<Self>, Failure> {
        let mut found = Vec::new();
        for (whose, name) in Self::SIDES {
            let text = service.kept(name)?.unwrap_or_default();
            let Ok(mut kept) = serde_json::from_str::<Self>(&text) else { continue };
            kept.report.whose = whose;
            for row in &mut kept.report.unusable {
                row.remedy = row.reason.remedy();
            }
            found.push(kept);
        }
        Ok(found)
    }

    /// Adds the tables of what is odd to a page; nothing where nothing is.
    #[must_use]
    pub fn show(&self, body: Body) -> Body {
        self.report.show(body, &format!("run {}", self.run_id))
    }
}

/// Returns what was written in a field.
fn raw<'a>(given: &Given<'a>, field: Field) -> Option<&'a str> {
    match field {
        Field::PHONE => given.phone,
        Field::DOCUMENT => given.document,
        Field::EMAIL => given.email,
        Field::Plate => given.plate,
        Field::BirthDate => given.birth_date,
        Field::Name => given.name.into_iter().flatten().next(),
        Field::Identifier(kind) => {
            given.own.values().find(|(own, _)| *own == kind).map(|(_, value)| value)
        }
        _ => None,
    }
}

/// Masks what was written in a field.
pub(crate) fn masked(field: Field, text: &str) -> String {
    let kind = match field {
        Field::Identifier(kind) => kind,
        _ => KeyKind::DOCUMENT,
    };
    Masked::new(kind, text).to_string()
}

/// The most frequent values, by the algorithm of Misra and Gries (*Finding repeated elements*, 1982): what is left of a
/// count is at most the true one. Values are compared by 64 bits of a hash, and kept, masked, once they are suspicious.
#[derive(Clone, Debug, Default)]
struct Frequent {
    counts: HashMap<u64, u64>,
    shown: BTreeMap<u64, FrequentValue>,
}

impl Frequent {
    fn add(&mut self, field: Field, text: &str, unusable: bool) {
        let mut hasher = DefaultHasher::new();
        field.hash(&mut hasher);
        text.bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
        let value = hasher.finish();
        if let Some(count) = self.counts.get_mut(&value) {
            *count += 1;
            if *count == SUSPICIOUS {
                self.shown.entry(value).or_insert_with(|| FrequentValue {
                    field,
                    value: masked(field, text),
                    records_at_least: 0,
                    unusable,
                });
            }
        } else if self.counts.len() < WATCHED {
            self.counts.insert(value, 1);
        } else {
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    fn suspicious(&self) -> Vec<FrequentValue> {
        let count = |value| self.counts.get(value).copied().unwrap_or_default();
        let mut found: Vec<FrequentValue> = self
            .shown
            .iter()
            .map(|(value, shown)| FrequentValue { records_at_least: count(value), ..shown.clone() })
            .filter(|shown| shown.records_at_least >= SUSPICIOUS)
            .collect();
        found.sort_by_key(|shown| std::cmp::Reverse(shown.records_at_least));
        found
    }
}

#[cfg(test)]
mod tests {
    use identity_matching::{Normaliser, Region};

    use super::*;

    fn counted(records: &[Given<'_>]) -> ValueReport {
        let normaliser = Normaliser::for_region(Region::parse("PE").unwrap());
        let mut buffer = Normalised::default();
        let mut values = UnusableValues::of("leads");
        for (at, given) in records.iter().enumerate() {
            values.add(&format!("L{at}"), given, given.normalise(&normaliser, &mut buffer));
        }
        values.report()
    }

    #[test]
    fn a_value_that_stands_in_many_records_is_told_and_masked() {
        let often = Given { phone: Some("consultar en recepción"), ..Given::default() };
        let numbers: Vec<String> = (0..3_000).map(|at| format!("98{:07}", at * 7 + 1)).collect();
        let mut records: Vec<Given<'_>> = numbers
            .iter()
            .map(|number| Given { phone: Some(number), ..Given::default() })
            .collect();
        for at in 0..312 {
            records.insert(at * 9, often);
        }
        let report = counted(&records);
        let [found] = &report.frequent_values[..] else { panic!("{report:?}") };
        assert!((290..=312).contains(&found.records_at_least), "{found:?}");
        assert!(found.unusable && !found.value.contains("consultar"), "{found:?}");
        assert_eq!(report.unusable[0].values_total, 312);
        assert!(!report.unusable[0].examples[0].contains("consultar"), "{report:?}");
    }

    #[test]
    fn types_in_no_table_are_counted_most_frequent_first() {
        let of = |name| Given {
            document: Some("4567891"),
            document_type: Some(name),
            ..Given::default()
        };
        let records = [of("Brevete"), of("Carné club"), of("Brevete"), of("DNI"), of("45678912")];
        let types = counted(&records).unknown_document_types;
        let told: Vec<_> =
            types.iter().map(|row| (row.name.as_str(), row.documents_total)).collect();
        assert_eq!(told, [("Brevete", 2), ("(a number)", 1), ("Carné club", 1)]);
    }
}
