//! The statements that a mapping means: leads by their keys, all persons, those that changed, the backlog.

use std::collections::BTreeMap;

use identity_matching::KeyKind;

use super::columns::{Column, TableColumns, own_values};
use super::file::{CorrectionsMap, IdentityColumns, OneOrMore, TableMap};
use super::mapped::{Change, LINKS, Looked, Mapped, Records};
use crate::cli::Failure;
use crate::service::OWN_FIELD;
use crate::service::database::{Database, Dialect};

/// The identity columns of a table, each read as text, in the order of a record.
struct Identity {
    columns: Vec<(&'static str, Column)>,
    /// Columns of own kinds.
    own: Vec<(KeyKind, Column)>,
}

impl Identity {
    fn of(found: &TableColumns, columns: &IdentityColumns) -> Result<Self, Failure> {
        let own = columns.own.iter();
        let own = own.map(|(kind, name)| Ok((*kind, found.text(name, kind.as_str())?)));
        let columns = columns.named();
        let columns = columns.map(|(means, name)| Ok((means, found.text(name, means)?)));
        Ok(Self {
            own: own.collect::<Result<_, Failure>>()?,
            columns: columns.collect::<Result<_, Failure>>()?,
        })
    }

    fn looked(&self, alias: &str) -> Vec<(String, String, String, String)> {
        let columns = self.columns.iter().map(|(means, column)| ((*means).to_owned(), column));
        let own = self.own.iter().map(|(kind, column)| (kind.to_string(), column));
        columns
            .chain(own)
            .map(|(means, column)| {
                (means, column.name.to_string(), column.kind.clone(), column.text(alias))
            })
            .collect()
    }

    fn select(&self, means: &str, alias: &str) -> String {
        let found = self.columns.iter().find(|(found, _)| *found == means);
        found.map_or_else(|| "NULL".to_owned(), |(_, column)| column.text(alias))
    }

    fn fields(&self, names: &[&str], alias: &str) -> String {
        let field =
            |means: &&str| format!("CAST({} AS TEXT) AS {means}", self.select(means, alias));
        names.iter().map(field).collect::<Vec<_>>().join(", ")
    }

    /// The whole name, which may lie in parts: `surnames, given names`.
    fn full_name(&self, alias: &str) -> String {
        let part = |means| format!("coalesce({}, '')", self.select(means, alias));
        let given = format!("trim({} || ' ' || {})", part("first_name"), part("middle_name"));
        let last = format!("trim({})", part("last_name"));
        format!(
            "coalesce({}, CASE WHEN {given} <> '' AND {last} <> '' \
             THEN replace({last}, ',', ' ') || ', ' || replace({given}, ',', ' ') \
             ELSE nullif({last} || {given}, '') END)",
            self.select("full_name", alias)
        )
    }

    fn lead_fields(&self, alias: &str) -> String {
        // A lead's whole name stands where the last name does: both are read as they are written.
        let fields = self.fields(
            &[
                "phone",
                "document",
                "document_type",
                "document_country",
                "email",
                "first_name",
                "middle_name",
            ],
            alias,
        );
        let last = format!(
            "coalesce({}, {})",
            self.select("last_name", alias),
            self.select("full_name", alias)
        );
        let rest = self.fields(&["birth_date", "plate"], alias);
        let own = own_values(&self.own, alias);
        format!("{fields}, CAST({last} AS TEXT) AS last_name, {rest}, {own} AS own_values")
    }

    fn person_fields(&self, alias: &str) -> String {
        let fields = self
            .fields(&["phone", "document", "document_type", "document_country", "email"], alias);
        let rest = self.fields(&["birth_date", "plate"], alias);
        let (name, own) = (self.full_name(alias), own_values(&self.own, alias));
        format!("{fields}, CAST({name} AS TEXT) AS full_name, {rest}, {own} AS own_values")
    }
}

/// The key of a lead: the first of its columns that is not empty.
struct LeadKey {
    columns: Vec<Column>,
}

impl LeadKey {
    fn of(found: &TableColumns, names: &OneOrMore) -> Result<Self, Failure> {
        let columns = names.all().iter().map(|name| found.text(name, "source_pk"));
        Ok(Self { columns: columns.collect::<Result<_, Failure>>()? })
    }

    fn text(&self, alias: &str) -> String {
        let parts: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("nullif({}, '')", column.text(alias)))
            .collect();
        if parts.len() == 1 { parts.concat() } else { format!("coalesce({})", parts.join(", ")) }
    }

    /// For each column the condition that it is the key, and that the key is listed: each can use its own index.
    fn listed<'a>(&'a self, alias: &'a str) -> impl Iterator<Item = String> + 'a {
        self.columns.iter().enumerate().map(move |(at, column)| {
            let blank = self.columns[..at]
                .iter()
                .map(|before| format!(" AND nullif({}, '') IS NULL", before.text(alias)));
            format!("{}{}", column.is_listed(alias), blank.collect::<String>())
        })
    }
}

impl Mapped {
    /// Looks every table and column of a mapping up, and writes its statements.
    ///
    /// # Errors
    ///
    /// A table or column that is not there, and a type that cannot be read.
    pub(super) fn resolve(database: &mut Database, map: &TableMap) -> Result<Self, Failure> {
        let found = database.columns_of(&map.leads.table)?;
        let key = LeadKey::of(&found, &map.leads.source_pk)?;
        let id = found.text(map.lead_id(), "id")?;
        let mut looked = Vec::new();
        let corrections = match map.leads.corrections {
            Some(CorrectionsMap::Update) => corrections(database, map, (&found, &key, &id))?,
            None => BTreeMap::new(),
        };
        let leads = leads(database, map, (&found, &key, &id), &mut looked)?;
        let (persons, changes) = persons(database, map, &mut looked)?;
        let derived = match &map.backlog.view {
            Some(_) => None,
            None => Some(derived(database, map, (&found, &key, &id))?),
        };
        let claims = claims(database, map, (&found, &key, &id))?;
        let backlog = map.backlog(database.dialect() == Dialect::Sqlite)?;
        let person_view = database.person_view(map)?;
        Ok(Self {
            map: map.clone(),
            leads,
            persons,
            backlog,
            corrections,
            derived,
            claims,
            changes,
            person_view,
            looked,
        })
    }
}

/// The table of leads, their key, and the column by which other tables name them.
type LeadTable<'a> = (&'a TableColumns, &'a LeadKey, &'a Column);

/// Writes the statement that reads listed leads, with a part for each table and each column of the key.
fn leads(
    database: &mut Database,
    map: &TableMap,
    (found, key, id): LeadTable<'_>,
    looked: &mut Vec<Looked>,
) -> Result<String, Failure> {
    let leads = &map.leads;
    let identity = Identity::of(found, &leads.columns)?;
    let (table, source_pk, fields) =
        (leads.table.quoted(), key.text("m"), identity.lead_fields("m"));
    let mut columns = identity.looked("m");
    for (means, column) in
        [("lead_created_at", &leads.lead_created_at), ("changed", &leads.changed)]
    {
        if let Some(name) = column {
            let column = found.text(name, means)?;
            let kind = column.kind.clone();
            columns.push((means.to_owned(), name.to_string(), kind, column.text("m")));
        }
    }
    let key_columns: Vec<_> = key.columns.iter().map(|column| column.name.as_str()).collect();
    looked.push(Looked {
        section: "leads",
        table: leads.table.to_string(),
        from: format!("{table} m"),
        key: source_pk.clone(),
        key_named: "source_pk",
        key_columns: key_columns.join(", "),
        is_unique: true,
        columns,
        rows: format!("SELECT coalesce({source_pk}, '') AS source_pk, {fields} FROM {table} m"),
    });
    let listed = key.listed("m");
    let mut parts: Vec<_> = listed
        .map(|listed| {
            format!("SELECT {source_pk} AS source_pk, {fields} FROM {table} m WHERE {listed}")
        })
        .collect();
    for more in &leads.more {
        let columns = database.columns_of(&more.table)?;
        let identity = Identity::of(&columns, &more.columns)?;
        let (fields, theirs) = (identity.lead_fields("t"), more.table.quoted());
        let whose = match (&more.lead, &more.source_pk) {
            (Some(lead), _) => ("lead", lead),
            (None, Some(pk)) => ("source_pk", pk),
            (None, None) => continue,
        };
        let (named, name) = whose;
        let column = columns.text(name, named)?;
        let text = column.text("t");
        if named == "lead" {
            let same = column.equals("t", id, "m");
            parts.extend(key.listed("m").map(|listed| {
                format!(
                    "SELECT {source_pk} AS source_pk, {fields} FROM {table} m JOIN {theirs} t ON {same} WHERE {listed}"
                )
            }));
        } else {
            parts.push(format!(
                "SELECT {text} AS source_pk, {fields} FROM {theirs} t WHERE {} AND {text} IS NOT NULL",
                column.is_listed("t"),
            ));
        }
        looked.push(Looked {
            section: "leads.more",
            table: more.table.to_string(),
            from: format!("{theirs} t"),
            rows: format!("SELECT coalesce({text}, '') AS source_pk, {fields} FROM {theirs} t"),
            key: text,
            key_named: named,
            key_columns: name.to_string(),
            is_unique: false,
            columns: identity.looked("t"),
        });
    }
    Ok(parts.join("\nUNION ALL\n"))
}

/// Writes the statements that correct values of leads: of a phone, a document's number, an address and a value of an own
/// kind, where the column is one of text; of a document's type and country, where a lead can have no other document.
fn corrections(
    database: &mut Database,
    map: &TableMap,
    (found, key, id): LeadTable<'_>,
) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // A row of a table is a lead's only one in the first table alone; which document a type is of must be known.
    let only = map.leads.more.iter().all(|more| more.columns.document.is_none());
    let mut add = |found: &TableColumns, columns: &IdentityColumns, table: &str, whose: &str| {
        let named = columns.named().map(|(means, name)| (means.to_owned(), name));
        let own = columns.own.iter().map(|(kind, name)| (format!("{OWN_FIELD}{kind}"), name));
        for (means, name) in named.chain(own) {
            let column = found.text(name, &means)?;
            let (set, text) = (name.quoted(), column.text("t"));
            let held = match means.as_str() {
                "phone" | "document" | "email" => format!("{text} = $3"),
                own if own.starts_with(OWN_FIELD) => format!("{text} = $3"),
                "document_type" | "document_country" if only => {
                    format!("coalesce({text}, '') = coalesce($3, '')")
                }
                _ => continue,
            };
            if column.is_text() {
                all.entry(means)
                    .or_default()
                    .push(format!("UPDATE {table} AS t SET {set} = $2 WHERE ({whose}) AND {held}"));
            }
        }
        Ok::<_, Failure>(())
    };
    let table = map.leads.table.quoted();
    let listed: Vec<String> = key.listed("t").collect();
    add(found, &map.leads.columns, &table, &listed.join(" OR "))?;
    for more in &map.leads.more {
        let columns = database.columns_of(&more.table)?;
        let whose = match (&more.lead, &more.source_pk) {
            (Some(lead), _) => {
                let same = columns.text(lead, "lead")?.equals("t", id, "m");
                let listed: Vec<String> = key.listed("m").collect();
                let listed = listed.join(" OR ");
                format!("EXISTS (SELECT 1 FROM {table} m WHERE {same} AND ({listed}))")
            }
            (None, Some(pk)) => columns.text(pk, "source_pk")?.is_listed("t"),
            (None, None) => continue,
        };
        add(&columns, &more.columns, &more.table.quoted(), &whose)?;
    }
    Ok(all)
}

/// Writes the statements that read persons, and those that find who changed.
fn persons(
    database: &mut Database,
    map: &TableMap,
    looked: &mut Vec<Looked>,
) -> Result<(Vec<Records>, Vec<Change>), Failure> {
    let persons = &map.persons;
    let own = (&persons.table, &persons.person_key, &persons.changed, &persons.columns);
    let more = persons.more.iter().filter_map(|more| {
        Some((&more.table, more.person.as_ref()?, &more.changed, &more.columns))
    });
    let (mut records, mut changes) = (Vec::new(), Vec::new());
    for (table, key, changed, columns) in std::iter::once(own).chain(more) {
        let found = database.columns_of(table)?;
        let key = found.text(key, "person_key")?;
        let identity = Identity::of(&found, columns)?;
        let (name, person) = (table.quoted(), key.text("t"));
        let fields = identity.person_fields("t");
        let rows = format!("AS person_key, CAST(0 AS BIGINT) AS record, {fields} FROM {name} t");
        let mut columns = identity.looked("t");
        if let Some(column) = changed {
            let column = found.text(column, "changed")?;
            let kind = column.kind.clone();
            columns.push(("changed".to_owned(), column.name.to_string(), kind, column.text("t")));
            let all = format!(
                "SELECT DISTINCT {person} AS person_key FROM {name} t WHERE {person} <> ''"
            );
            changes.push(Change {
                mark_name: format!("changed {table} {}", column.name),
                mark: format!("SELECT coalesce({}, '') AS value FROM {name} t", column.mark("t")),
                past: format!("{all} AND {}", column.is_past("t")),
                all,
            });
        }
        let is_first = records.is_empty();
        looked.push(Looked {
            section: if is_first { "persons" } else { "persons.more" },
            table: table.to_string(),
            from: format!("{name} t"),
            key: person.clone(),
            key_named: if is_first { "person_key" } else { "person" },
            key_columns: key.name.to_string(),
            is_unique: false,
            columns,
            rows: format!("SELECT coalesce({person}, '') {rows}"),
        });
        records.push(Records {
            select: format!("SELECT {person} {rows} WHERE {person} <> ''"),
            listed: key.is_listed("t"),
        });
    }
    Ok((records, changes))
}

/// Writes the backlog: the leads with neither link nor claim.
fn derived(
    database: &mut Database,
    map: &TableMap,
    (found, key, id): LeadTable<'_>,
) -> Result<String, Failure> {
    let leads = &map.leads;
    let sqlite = database.dialect() == Dialect::Sqlite;
    let Some(created) = &leads.lead_created_at else {
        return Err(Failure::new("[leads]: lead_created_at is missing"));
    };
    let created = found.text(created, "lead_created_at")?;
    let date = match leads.time_zone {
        Some(_) if sqlite || !created.is_time_without_zone() => {
            return Err(Failure::new(format_args!(
                "[leads]: time_zone is for a timestamp without a zone, and {} is none",
                created.name
            ))
            .remedy("leave time_zone out"));
        }
        // The name of a zone that chrono knows: no quote is in it.
        Some(zone) => format!("{} AT TIME ZONE '{}'", created.raw("m"), zone.name()),
        None if created.is_time_without_zone() => {
            return Err(Failure::new(format_args!(
                "{}.{}: a timestamp without a zone means another moment elsewhere",
                leads.table, created.name
            ))
            .remedy("say which zone it means, such as time_zone = \"America/Lima\" in [leads]"));
        }
        None => created.raw("m"),
    };
    let version = match &leads.changed {
        Some(changed) => format!(", {} AS lead_version", found.text(changed, "changed")?.text("m")),
        None => String::new(),
    };
    let claimed = match &map.claims {
        None => String::new(),
        Some(claims) => {
            let columns = database.columns_of(&claims.table)?;
            let same = match (&claims.lead, &claims.source_pk) {
                (Some(lead), _) => columns.text(lead, "lead")?.equals("c", id, "m"),
                (None, Some(pk)) => {
                    format!("{} = {}", columns.text(pk, "source_pk")?.text("c"), key.text("m"))
                }
                (None, None) => {
                    return Err(Failure::new("[claims]: which lead a claim is for, is not said"));
                }
            };
            format!(" AND NOT EXISTS (SELECT 1 FROM {} c WHERE {same})", claims.table.quoted())
        }
    };
    Ok(format!(
        "SELECT {0} AS lead_source_pk, {date} AS lead_date{version} FROM {1} m \
         WHERE NOT EXISTS (SELECT 1 FROM {LINKS} k WHERE k.source_pk = {0}){claimed}",
        key.text("m"),
        leads.table.quoted()
    ))
}

/// Writes the statement that reads the claims, each with its lead's key and its person.
fn claims(
    database: &mut Database,
    map: &TableMap,
    (_, key, id): LeadTable<'_>,
) -> Result<Option<String>, Failure> {
    let Some(claims) = &map.claims else { return Ok(None) };
    let Some(person) = &claims.person else { return Ok(None) };
    let columns = database.columns_of(&claims.table)?;
    let person = columns.text(person, "person")?.text("c");
    let from = format!("{} c", claims.table.quoted());
    let (lead, from) = match (&claims.lead, &claims.source_pk) {
        (Some(lead), _) => {
            let same = columns.text(lead, "lead")?.equals("c", id, "m");
            (key.text("m"), format!("{from} JOIN {} m ON {same}", map.leads.table.quoted()))
        }
        (None, Some(pk)) => (columns.text(pk, "source_pk")?.text("c"), from),
        (None, None) => return Ok(None),
    };
    let named = match &claims.id {
        Some(id) => columns.text(id, "id")?.text("c"),
        None => format!("'of ' || {lead}"),
    };
    Ok(Some(format!(
        "SELECT {named} AS id, {lead} AS source_pk, {person} AS person_key FROM {from} \
         WHERE {lead} <> '' AND {person} <> '' ORDER BY 1, 2, 3"
    )))
}
