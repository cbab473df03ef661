//! Suites declared in TOML (feature `toml`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::variables::{self, VariableFault};
use super::{ConfigError, Settings, Suite};
use crate::facts::Tables;
use crate::{
    ColumnType, QueryCheck, RuleError, RuleKind, Severity, TableCheck, TableRule, Threshold,
};

pub use super::variables::Variables;

/// The reason why a suite file cannot be used, and the place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclareError {
    /// The text is not TOML, or a key or value is not one that a suite knows.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong, and what would do.
        message: String,
    },
    /// The text is well-formed, but the suite that it declares cannot be: see the source.
    #[error("line {line}, column {column}: the suite cannot be made")]
    Config {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong with the suite.
        source: ConfigError,
    },
    /// A declared check cannot be: see the source.
    #[error("line {line}, column {column}: the check `{id}` cannot be made")]
    Rule {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The check's id.
        id: String,
        /// What is wrong with its rule.
        source: RuleError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    list: Option<usize>,
    checks: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    vars: BTreeMap<String, toml::Value>,
    #[serde(default)]
    check: BTreeMap<Spanned<String>, Declared>,
    #[serde(default)]
    query: BTreeMap<Spanned<String>, Declared>,
}

/// What stands under a check or a query; each takes its own of the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    expected: Option<String>,
    sql: Option<String>,
    population: Option<String>,
    kind: Option<Spanned<String>>,
    table: Option<String>,
    column: Option<String>,
    columns: Option<Spanned<Columns>>,
    values: Option<Vec<toml::Value>>,
    to: Option<String>,
    max_age: Option<String>,
    min: Option<u64>,
    max: Option<u64>,
    exact: Option<bool>,
    key: Option<String>,
    #[serde(rename = "where")]
    filter: Option<String>,
    severity: Option<Severity>,
    owner: Option<String>,
    warn: Option<Spanned<Limit>>,
    fail: Option<Spanned<Limit>>,
    expect_empty: Option<String>,
    #[serde(default)]
    sensitive: bool,
    time_limit_seconds: Option<Spanned<f64>>,
    #[serde(default)]
    tags: Vec<String>,
}

/// A threshold as a number or as text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a count such as 10, or a text such as \"2.5%\"")]
enum Limit {
    Count(i64),
    Text(String),
}

/// Columns by name, or each with its type.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of columns, or a table of columns and their types")]
enum Columns {
    Names(Vec<String>),
    Types(BTreeMap<String, ColumnType>),
}

const KINDS: &str = "missing, unique, accepted_values, relationships, freshness, row_count, schema";

/// Turns a byte offset into a place for people.
struct Places<'a>(&'a str);

impl Places<'_> {
    fn of(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.0.len());
        while !self.0.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.0[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn config(&self, at: std::ops::Range<usize>) -> impl Fn(ConfigError) -> DeclareError {
        let (line, column) = self.of(at.start);
        move |source| DeclareError::Config { line, column, source }
    }

    fn syntax(&self, at: std::ops::Range<usize>, message: String) -> DeclareError {
        let (line, column) = self.of(at.start);
        DeclareError::Syntax { line, column, message }
    }
}

impl<F: Tables + ?Sized> Suite<F> {
    /// Makes a suite from TOML (feature `toml`), over facts in tables.
    ///
    /// `built_in` holds the checks that the program brings along; `checks` chooses among them (left out: all).
    /// `[check.ID]` sets how one is weighed or, with a `kind`, declares a check of a table; `[query.ID]` adds
    /// a query of the user's own. Kinds are those of [`RuleKind`]. All take `warn`, `fail`, `severity`,
    /// `owner`, `tags`, `sensitive`, `expect_empty` and `time_limit_seconds`.
    ///
    /// `${name}` stands for a variable of `[vars]`, which `variables` overrides. In `sql`, `population` and
    /// `where` its value is bound as text; elsewhere it is filled in.
    ///
    /// ```
    /// use guardrails::Suite;
    /// use guardrails::facts::Tables;
    /// use std::error::Error;
    ///
    /// let declared = |text| Suite::<dyn Tables>::from_toml(text, Suite::new("none"), &[].into());
    /// let suite = declared(
    ///     r#"
    ///     name = "billing"
    ///     vars = { since = "2026-01-01" }
    ///
    ///     [check.invoice_names_customer]
    ///     kind = "missing"
    ///     table = "invoices"
    ///     column = "customer_id"
    ///     where = "issued_on >= ${since}"
    ///     warn = 0            # more than none
    ///     fail = "100, 2.5%"  # more than 100, or more than 2.5 % of the invoices
    ///     tags = ["hourly"]
    ///
    ///     [query.claims_have_person]
    ///     expected = "every claim names a person"
    ///     sql = "SELECT claim_id, 'no person' FROM claims WHERE person_key IS NULL"
    ///     population = "SELECT count(*) FROM claims"
    ///     severity = "warn"
    ///     "#,
    /// )
    /// .unwrap();
    /// assert_eq!(suite.ids().collect::<Vec<_>>(), ["invoice_names_customer", "claims_have_person"]);
    ///
    /// let error = declared("checks = [\n  \"drian\",\n]").unwrap_err();
    /// assert!(error.to_string().starts_with("line 2, column 3"), "{error}");
    /// assert!(error.source().unwrap().to_string().starts_with("unknown check `drian`"));
    /// ```
    pub fn from_toml(
        text: &str,
        built_in: Self,
        variables: &Variables,
    ) -> Result<Self, DeclareError> {
        let places = Places(text);
        let file: File = toml::from_str(text).map_err(|error| {
            places.syntax(error.span().unwrap_or(0..0), error.message().trim().to_owned())
        })?;
        let mut values: Variables =
            file.vars.iter().map(|(name, value)| (name.clone(), scalar(value))).collect();
        for (name, value) in variables {
            if values.insert(name.clone(), value.clone()).is_none() {
                let known = values.keys().filter(|known| *known != name).cloned();
                let known = known.collect::<Vec<_>>().join(", ");
                let message = format!("no variable `{name}` stands under [vars]; known: {known}");
                return Err(places.syntax(0..0, message));
            }
        }
        let mut suite = match &file.checks {
            None => built_in,
            Some(chosen) => {
                for id in chosen {
                    if !built_in.ids().any(|known| known == id.get_ref()) {
                        return Err(places.config(id.span())(built_in.unknown(id.get_ref())));
                    }
                }
                built_in.only(chosen.iter().map(Spanned::get_ref)).map_err(places.config(0..0))?
            }
        };
        suite = suite.named(file.name.as_deref().unwrap_or("suite"));
        suite = suite.list(file.list.unwrap_or(Self::DEFAULT_LIST));
        // In the order of the file: what stands first is reported first.
        let mut check: Vec<_> = file.check.into_iter().collect();
        check.sort_by_key(|(id, _)| id.span().start);
        for (id, declared) in check {
            suite = declared.add_to(suite, &id, &places, &values)?;
        }
        let mut query: Vec<_> = file.query.into_iter().collect();
        query.sort_by_key(|(id, _)| id.span().start);
        for (id, declared) in query {
            let at = places.config(id.span());
            let (check, settings) = declared.query(&id, &places, &values)?;
            suite = suite.with_settings(check, settings).map_err(at)?;
        }
        suite.variables = file.vars.keys().filter_map(|name| values.remove_entry(name)).collect();
        Ok(suite)
    }
}

/// A value of TOML as the text that is bound or filled in.
fn scalar(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Declared {
    fn add_to<F: Tables + ?Sized>(
        mut self,
        suite: Suite<F>,
        id: &Spanned<String>,
        places: &Places<'_>,
        values: &Variables,
    ) -> Result<Suite<F>, DeclareError> {
        let at = places.config(id.span());
        let name = id.get_ref();
        let Some(kind) = self.kind.take() else {
            if let Some(key) = self.first_left_over() {
                let message = match key {
                    "expected" | "sql" | "population" => {
                        format!("check `{name}`: `{key}` stands under [query.{name}]")
                    }
                    _ => format!("check `{name}`: `{key}` needs a `kind`, one of {KINDS}"),
                };
                return Err(places.syntax(id.span(), message));
            }
            return suite.configure(name, self.settings(places)?).map_err(at);
        };
        let raw = self.rule(&kind, id, places)?;
        let mut binds = Vec::new();
        let filled = filled(&raw, values, &mut binds)
            .map_err(|fault| places.syntax(id.span(), fault.in_words(values)))?;
        let check = TableCheck::new(name, filled).map_err(|source| {
            let (line, column) = places.of(id.span().start);
            DeclareError::Rule { line, column, id: name.clone(), source }
        })?;
        let check = binds.into_iter().fold(check, TableCheck::bind).declared_as(&raw);
        suite.with_settings(check, self.settings(places)?).map_err(at)
    }

    /// The first key that only a declared rule, or only a query, has and that was not taken.
    fn first_left_over(&self) -> Option<&'static str> {
        let given = [
            ("expected", self.expected.is_some()),
            ("sql", self.sql.is_some()),
            ("population", self.population.is_some()),
            ("kind", self.kind.is_some()),
            ("table", self.table.is_some()),
            ("column", self.column.is_some()),
            ("columns", self.columns.is_some()),
            ("values", self.values.is_some()),
            ("to", self.to.is_some()),
            ("max_age", self.max_age.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("exact", self.exact.is_some()),
            ("key", self.key.is_some()),
            ("where", self.filter.is_some()),
        ];
        given.into_iter().find_map(|(key, given)| given.then_some(key))
    }

    /// Takes the keys of a kind; one that it needs and lacks, or has and does not know, is named.
    fn rule(
        &mut self,
        kind: &Spanned<String>,
        id: &Spanned<String>,
        places: &Places<'_>,
    ) -> Result<TableRule, DeclareError> {
        let word = kind.get_ref().as_str();
        let wrong = |words: String| {
            let message = format!("check `{}`: a check of kind `{word}` {words}", id.get_ref());
            places.syntax(id.span(), message)
        };
        let text = |given: &mut Option<String>, key: &str| {
            given.take().ok_or_else(|| wrong(format!("needs `{key}`")))
        };
        let kind = match word {
            "missing" => RuleKind::Missing { column: text(&mut self.column, "column")? },
            "unique" => match (self.columns.take().map(Spanned::into_inner), self.column.take()) {
                (Some(Columns::Names(columns)), None) => RuleKind::Unique { columns },
                (None, Some(column)) => RuleKind::Unique { columns: vec![column] },
                _ => return Err(wrong("needs `columns` as a list, or `column`".to_owned())),
            },
            "accepted_values" => RuleKind::AcceptedValues {
                column: text(&mut self.column, "column")?,
                values: match self.values.take() {
                    Some(values) => values.iter().map(scalar).collect(),
                    None => return Err(wrong("needs `values`".to_owned())),
                },
            },
            "relationships" => RuleKind::Relationships {
                column: text(&mut self.column, "column")?,
                to: text(&mut self.to, "to")?,
            },
            "freshness" => RuleKind::Freshness {
                column: text(&mut self.column, "column")?,
                max_age: text(&mut self.max_age, "max_age")?,
            },
            "row_count" => RuleKind::RowCount { min: self.min.take(), max: self.max.take() },
            "schema" => match self.columns.take().map(Spanned::into_inner) {
                Some(Columns::Types(columns)) => {
                    RuleKind::Schema { columns, exact: self.exact.take().unwrap_or(false) }
                }
                _ => return Err(wrong("needs `columns` as a table of names and types".to_owned())),
            },
            _ => {
                let message = format!("unknown kind `{word}`; known are: {KINDS}");
                return Err(places.syntax(kind.span(), message));
            }
        };
        let mut rule = TableRule::new(text(&mut self.table, "table")?, kind);
        rule.key = self.key.take();
        rule.filter = self.filter.take();
        match self.first_left_over() {
            Some(key) => Err(wrong(format!("takes no `{key}`"))),
            None => Ok(rule),
        }
    }

    /// Takes the keys of a query; one that it lacks, or has and does not know, is named.
    fn query(
        mut self,
        id: &Spanned<String>,
        places: &Places<'_>,
        values: &Variables,
    ) -> Result<(QueryCheck, Settings), DeclareError> {
        let name = id.get_ref();
        let wrong = |words: String| places.syntax(id.span(), format!("query `{name}`: {words}"));
        let lacks = |key: &str| wrong(format!("a query needs `{key}`"));
        let expected = self.expected.take().ok_or_else(|| lacks("expected"))?;
        let written = self.sql.take().ok_or_else(|| lacks("sql"))?;
        let population = self.population.take();
        if let Some(key) = self.first_left_over() {
            return Err(wrong(format!("a query takes no `{key}`")));
        }
        let bound = |sql: &str| {
            variables::bind(sql, values)
                .map_err(|fault| places.syntax(id.span(), fault.in_words(values)))
        };
        let (sql, binds) = bound(&written)?;
        let mut check = QueryCheck::new(name, &expected, sql);
        check = binds.into_iter().fold(check, QueryCheck::bind);
        if let Some(population) = &population {
            let (sql, binds) = bound(population)?;
            check = check.population_with(sql, binds);
        }
        check = check.declared_as(&written, population.as_deref());
        Ok((check, self.settings(places)?))
    }

    fn settings(self, places: &Places<'_>) -> Result<Settings, DeclareError> {
        let threshold = |limit: Option<Spanned<Limit>>| {
            limit
                .map(|limit| {
                    let at = limit.span();
                    let text = match limit.into_inner() {
                        Limit::Count(count) => count.to_string(),
                        Limit::Text(text) => text,
                    };
                    text.parse::<Threshold>().map_err(|error| places.syntax(at, error.to_string()))
                })
                .transpose()
        };
        let time_limit = self
            .time_limit_seconds
            .map(|limit| {
                Duration::try_from_secs_f64(*limit.get_ref()).map_err(|_| {
                    let message = "a time limit is a number of seconds above 0, such as 30";
                    places.syntax(limit.span(), message.to_owned())
                })
            })
            .transpose()?;
        Ok(Settings {
            severity: self.severity,
            owner: self.owner,
            warn: threshold(self.warn)?,
            fail: threshold(self.fail)?,
            expect_empty: self.expect_empty,
            sensitive: self.sensitive,
            time_limit,
            tags: self.tags,
        })
    }
}

/// The rule with its variables: those of `where` as binds, all others as their values.
fn filled(
    rule: &TableRule,
    values: &Variables,
    binds: &mut Vec<String>,
) -> Result<TableRule, VariableFault> {
    let mut rule = rule.clone();
    for text in rule.texts_mut() {
        *text = variables::fill(text, values)?;
    }
    if let Some(filter) = &mut rule.filter {
        let (sql, bound) = variables::bind(filter, values)?;
        *filter = sql;
        *binds = bound;
    }
    Ok(rule)
}
