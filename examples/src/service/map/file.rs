//! The mapping file.

use std::collections::BTreeMap;
use std::path::Path;

use identity_matching::{KeyKind, Normaliser};
use serde::Deserialize;

use super::name::{ColumnName, TableName};
use crate::cli::Failure;
use crate::files;

/// What a mapping file says.
///
/// ```
/// let map: reference_runners::service::TableMap = r#"
///     [leads]
///     table = "crm.leads"
///     source_pk = ["external_id", "id"]
///     lead_created_at = "created_at"
///     changed = "updated_at"
///     phone = "mobile"
///
///     [persons]
///     table = "crm.persons"
///     person_key = "id"
///     changed = "updated_at"
///
///     [[persons.more]]
///     table = "crm.person_phones"
///     person = "person_id"
///     phone = "number"
/// "#.parse()?;
/// assert!("[leads]\ntable = 'a.b.c'".parse::<reference_runners::service::TableMap>().is_err());
/// # Ok::<(), reference_runners::cli::Failure>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableMap {
    #[serde(default)]
    pub(super) backlog: BacklogMap,
    pub(super) leads: LeadMap,
    pub(super) persons: PersonMap,
    pub(super) claims: Option<ClaimMap>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BacklogMap {
    pub(super) view: Option<TableName>,
    pub(super) name: Option<String>,
}

/// The columns of leads and of persons that identify somebody.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct IdentityColumns {
    pub(super) phone: Option<ColumnName>,
    pub(super) document: Option<ColumnName>,
    pub(super) document_type: Option<ColumnName>,
    pub(super) document_country: Option<ColumnName>,
    pub(super) email: Option<ColumnName>,
    pub(super) full_name: Option<ColumnName>,
    pub(super) first_name: Option<ColumnName>,
    pub(super) middle_name: Option<ColumnName>,
    pub(super) last_name: Option<ColumnName>,
    pub(super) birth_date: Option<ColumnName>,
    pub(super) plate: Option<ColumnName>,
    /// Columns of the policy's own kinds, by their codes.
    #[serde(default)]
    pub(super) own: BTreeMap<KeyKind, ColumnName>,
}

impl IdentityColumns {
    /// Each column by what it means; those of own kinds are not among them.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &ColumnName)> {
        [
            ("phone", &self.phone),
            ("document", &self.document),
            ("document_type", &self.document_type),
            ("document_country", &self.document_country),
            ("email", &self.email),
            ("full_name", &self.full_name),
            ("first_name", &self.first_name),
            ("middle_name", &self.middle_name),
            ("last_name", &self.last_name),
            ("birth_date", &self.birth_date),
            ("plate", &self.plate),
        ]
        .into_iter()
        .filter_map(|(means, column)| Some((means, column.as_ref()?)))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a column, or a list of columns; a name has 1 to 63 bytes and no NUL"
)]
pub(super) enum OneOrMore {
    One(ColumnName),
    More(Vec<ColumnName>),
}

impl OneOrMore {
    pub(super) fn all(&self) -> &[ColumnName] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::More(columns) => columns,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct LeadMap {
    pub(super) table: TableName,
    pub(super) source_pk: OneOrMore,
    pub(super) id: Option<ColumnName>,
    pub(super) lead_created_at: Option<ColumnName>,
    #[serde(default, deserialize_with = "zone")]
    pub(super) time_zone: Option<chrono_tz::Tz>,
    pub(super) changed: Option<ColumnName>,
    /// Where corrected values go; left out, nowhere.
    pub(super) corrections: Option<CorrectionsMap>,
    #[serde(default)]
    pub(super) more: Vec<MoreMap>,
    #[serde(flatten)]
    pub(super) columns: IdentityColumns,
}

/// Where corrected values of leads go.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CorrectionsMap {
    /// Into the columns that hold the value that is corrected.
    Update,
}

fn zone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<chrono_tz::Tz>, D::Error> {
    let name = String::deserialize(from)?;
    name.parse().map(Some).map_err(|_| {
        serde::de::Error::custom("there is no such time zone; write one such as America/Lima")
    })
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PersonMap {
    pub(super) table: TableName,
    pub(super) person_key: ColumnName,
    pub(super) changed: Option<ColumnName>,
    #[serde(default)]
    pub(super) more: Vec<MoreMap>,
    #[serde(flatten)]
    pub(super) columns: IdentityColumns,
}

/// A further table with rows of leads or of persons, such as one of phones.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct MoreMap {
    pub(super) table: TableName,
    pub(super) person: Option<ColumnName>,
    pub(super) lead: Option<ColumnName>,
    pub(super) source_pk: Option<ColumnName>,
    pub(super) changed: Option<ColumnName>,
    #[serde(flatten)]
    pub(super) columns: IdentityColumns,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimMap {
    pub(super) table: TableName,
    pub(super) id: Option<ColumnName>,
    pub(super) person: Option<ColumnName>,
    pub(super) lead: Option<ColumnName>,
    pub(super) source_pk: Option<ColumnName>,
}

/// How many columns a lead's key may come from; far above any real one, and it bounds the statements.
const KEY_COLUMNS_MAX: usize = 16;

/// How many further tables leads or persons may have; each is one more part of every statement.
const MORE_MAX: usize = 64;

/// What may stand in the sections that take identity columns, beside those.
const OF_TABLES: [(&str, &[&str]); 4] = [
    (
        "leads",
        &[
            "table",
            "source_pk",
            "id",
            "lead_created_at",
            "time_zone",
            "changed",
            "corrections",
            "more",
        ],
    ),
    ("persons", &["table", "person_key", "changed", "more"]),
    ("leads.more", &["table", "lead", "source_pk"]),
    ("persons.more", &["table", "person", "changed"]),
];

const IDENTITY: [&str; 12] = [
    "phone",
    "document",
    "document_type",
    "document_country",
    "email",
    "full_name",
    "first_name",
    "middle_name",
    "last_name",
    "birth_date",
    "plate",
    "own",
];

impl std::str::FromStr for TableMap {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let table: toml::Table = toml::from_str(text).map_err(|error| wrong(&error))?;
        unknown(&table)?;
        let map: Self = toml::from_str(text).map_err(|error| wrong(&error))?;
        map.check()?;
        Ok(map)
    }
}

/// Told with its place; the text around it may hold anything, but a mapping holds names alone.
fn wrong(error: &toml::de::Error) -> Failure {
    Failure::new(error.to_string().trim_end())
        .remedy("map_tables prints a mapping with every key, to begin with")
}

/// Refuses keys that mean nothing: a column under a misspelt name would be left out without a word.
fn unknown(table: &toml::Table) -> Result<(), Failure> {
    for (section, known) in OF_TABLES {
        let (section, more) = section.split_once('.').unwrap_or((section, ""));
        let Some(toml::Value::Table(found)) = table.get(section) else { continue };
        let parts: Vec<&toml::Table> = match found.get("more") {
            _ if more.is_empty() => vec![found],
            Some(toml::Value::Array(rows)) => {
                rows.iter().filter_map(toml::Value::as_table).collect()
            }
            _ => Vec::new(),
        };
        for key in parts.iter().flat_map(|part| part.keys()) {
            if !known.contains(&key.as_str()) && !IDENTITY.contains(&key.as_str()) {
                let names: Vec<_> = known.iter().chain(&IDENTITY).copied().collect();
                return Err(Failure::new(format_args!("[{section}]: there is no key {key}"))
                    .remedy(format_args!("take one of {}", names.join(", "))));
            }
        }
    }
    Ok(())
}

impl TableMap {
    /// Reads a mapping file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and what in it means nothing, with its place.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        files::text(path)?.parse().map_err(|failure: Failure| failure.within(path.display()))
    }

    fn check(&self) -> Result<(), Failure> {
        let none = |what: &str, remedy: &str| Err(Failure::new(what).remedy(remedy));
        if self.leads.source_pk.all().is_empty() {
            return none("[leads]: source_pk names no column", "name the column of the lead's key");
        }
        if self.leads.source_pk.all().len() > KEY_COLUMNS_MAX {
            let what = format!("[leads]: source_pk names more than {KEY_COLUMNS_MAX} columns");
            return none(&what, "name the columns of which the first that is not empty is the key");
        }
        for (section, more) in [("leads", &self.leads.more), ("persons", &self.persons.more)] {
            if more.len() > MORE_MAX {
                let what = format!("[[{section}.more]]: there are more than {MORE_MAX} sections");
                return none(&what, "bring the further rows together in one view of yours");
            }
        }
        for more in &self.leads.more {
            if more.lead.is_some() == more.source_pk.is_some() {
                let what =
                    format!("[[leads.more]] {}: whose lead a row is, is not said", more.table);
                return none(
                    &what,
                    "give lead (holds the id of [leads]) or source_pk (holds the key)",
                );
            }
        }
        for more in &self.persons.more {
            if more.person.is_none() {
                let what = format!("[[persons.more]] {}: whose a row is, is not said", more.table);
                return none(
                    &what,
                    "give person: the column that holds the person_key of [persons]",
                );
            }
        }
        if self
            .claims
            .as_ref()
            .is_some_and(|claims| claims.lead.is_some() == claims.source_pk.is_some())
        {
            return none(
                "[claims]: which lead a claim is for, is not said",
                "give lead (holds the id of [leads]) or source_pk (holds the key)",
            );
        }
        if self.backlog.view.is_none() && self.leads.lead_created_at.is_none() {
            return none(
                "[leads]: lead_created_at is missing, and no backlog view is named",
                "name the column that says when a lead came into being, or a view in [backlog]",
            );
        }
        let (leads, persons) = (&self.leads, &self.persons);
        for (section, columns, more) in
            [("leads", &leads.columns, &leads.more), ("persons", &persons.columns, &persons.more)]
        {
            let named = |columns: &IdentityColumns| {
                columns.phone.is_some()
                    || columns.document.is_some()
                    || columns.email.is_some()
                    || !columns.own.is_empty()
            };
            if !named(columns) && !more.iter().any(|more| named(&more.columns)) {
                let what = format!("[{section}]: no column identifies anybody");
                return none(
                    &what,
                    "name a column of phone, document or email, or of a kind of your own",
                );
            }
        }
        Ok(())
    }

    /// Refuses columns of kinds that a normaliser does not read: their values would count for nothing.
    ///
    /// # Errors
    ///
    /// Such a column, with the kind.
    pub fn check_kinds(&self, normaliser: &Normaliser) -> Result<(), Failure> {
        let (leads, persons) = (&self.leads, &self.persons);
        for (section, columns, more) in
            [("leads", &leads.columns, &leads.more), ("persons", &persons.columns, &persons.more)]
        {
            let more = more.iter().map(|more| &more.columns);
            for kind in std::iter::once(columns).chain(more).flat_map(|columns| columns.own.keys())
            {
                if !normaliser.kinds().any(|known| known.code() == *kind) {
                    return Err(Failure::new(format_args!(
                        "[{section}]: own.{kind}: the policy has no kind `{kind}`"
                    ))
                    .remedy(
                        "name it in own_kinds of the policy (--policy), or leave the column out",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The column of leads by which other tables name a lead.
    pub(super) fn lead_id(&self) -> &ColumnName {
        let keys = self.leads.source_pk.all();
        self.leads.id.as_ref().unwrap_or(&keys[keys.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "[leads]\ntable = 'l'\nsource_pk = 'id'\nlead_created_at = 'at'\nphone = 'p'\n\
         [persons]\ntable = 'q'\nperson_key = 'id'\nemail = 'e'\n";

    #[test]
    fn what_means_nothing_is_refused_with_the_remedy() {
        WHOLE.parse::<TableMap>().unwrap();
        for (change, told) in [
            ("phone = 'p'\n", "fone = 'p'\n"),
            ("source_pk = 'id'\n", "source_pk = []\n"),
            ("lead_created_at = 'at'\n", ""),
            ("email = 'e'\n", "full_name = 'e'\n"),
            ("email = 'e'\n", "email = 'e'\n[[persons.more]]\ntable = 't'\nphone = 'n'\n"),
            ("email = 'e'\n", "email = 'e'\n[claims]\ntable = 'c'\n"),
            ("'l'", "'l.m.n'"),
            ("[persons]", "[people]"),
            ("source_pk = 'id'\n", "source_pk = ''\n"),
            ("source_pk = 'id'\n", &format!("source_pk = [{}]\n", "'id', ".repeat(17))),
            (
                "email = 'e'\n",
                &format!(
                    "email = 'e'\n{}",
                    "[[persons.more]]\ntable = 't'\nperson = 'p'\nphone = 'n'\n".repeat(65)
                ),
            ),
        ] {
            let text = WHOLE.replace(change, told);
            let said = text.parse::<TableMap>().unwrap_err().to_string();
            assert!(said.contains("what to do"), "{said}");
        }
    }
}
