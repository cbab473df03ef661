//! Suites declared in TOML (feature `toml`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Settings, Suite};
use crate::{QueryCheck, Severity, Threshold};

/// Why a suite file cannot be used, and where.
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
    /// The text is well-formed, but the suite that it declares cannot be.
    #[error("line {line}, column {column}: {source}")]
    Config {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong with the suite.
        source: ConfigError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    list: Option<usize>,
    checks: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    check: BTreeMap<Spanned<String>, Declared>,
    #[serde(default)]
    query: BTreeMap<Spanned<String>, DeclaredQuery>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    severity: Option<Severity>,
    owner: Option<String>,
    warn: Option<Spanned<Limit>>,
    fail: Option<Spanned<Limit>>,
    expect_empty: Option<String>,
    #[serde(default)]
    sensitive: bool,
    time_limit_seconds: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredQuery {
    expected: String,
    sql: String,
    population: Option<String>,
    severity: Option<Severity>,
    owner: Option<String>,
    warn: Option<Spanned<Limit>>,
    fail: Option<Spanned<Limit>>,
    expect_empty: Option<String>,
    #[serde(default)]
    sensitive: bool,
    time_limit_seconds: Option<Spanned<f64>>,
}

/// A threshold as a number or as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Limit {
    Count(i64),
    Text(String),
}

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

impl Suite {
    /// Makes a suite from TOML (feature `toml`).
    ///
    /// `checks` chooses among the built-in checks (left out: those of [`Suite::recovery`]),
    /// `[check.ID]` sets how one is weighed, `[query.ID]` adds a query of the user's own with the
    /// same settings. Checks made in code are added to the suite that comes out.
    ///
    /// ```
    /// use guardrails::Suite;
    ///
    /// let suite = Suite::from_toml(
    ///     r#"
    ///     name = "nightly"
    ///     checks = ["drain", "impact"]
    ///
    ///     [check.drain]
    ///     owner = "data team"
    ///     warn = 0            # more than none
    ///     fail = "100, 2.5%"  # more than 100, or more than 2.5 % of the matched leads
    ///     time_limit_seconds = 10
    ///
    ///     [query.claims_have_person]
    ///     expected = "every claim names a person"
    ///     sql = "SELECT claim_id, 'no person' FROM claims WHERE person_key IS NULL"
    ///     population = "SELECT count(*) FROM claims"
    ///     severity = "warn"
    ///     "#,
    /// )
    /// .unwrap();
    /// assert_eq!(suite.ids().collect::<Vec<_>>(), ["drain", "impact", "claims_have_person"]);
    ///
    /// let error = Suite::from_toml("checks = [\n  \"drian\",\n]").unwrap_err().to_string();
    /// assert!(error.starts_with("line 2, column 3: unknown check `drian`"), "{error}");
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, DeclareError> {
        let places = Places(text);
        let file: File = toml::from_str(text).map_err(|error| {
            places.syntax(error.span().unwrap_or(0..0), error.message().trim().to_owned())
        })?;
        let mut suite = match &file.checks {
            None => Self::recovery(),
            Some(chosen) => {
                let all = Self::all();
                for id in chosen {
                    if !all.ids().any(|known| known == id.get_ref()) {
                        return Err(places.config(id.span())(all.unknown(id.get_ref())));
                    }
                }
                all.only(chosen.iter().map(Spanned::get_ref)).map_err(places.config(0..0))?
            }
        };
        suite = suite.named(file.name.as_deref().unwrap_or("suite"));
        suite = suite.list(file.list.unwrap_or(Self::DEFAULT_LIST));
        for (id, declared) in file.check {
            let at = places.config(id.span());
            suite = suite.configure(id.get_ref(), declared.settings(&places)?).map_err(at)?;
        }
        for (id, declared) in file.query {
            let at = places.config(id.span());
            let (check, settings) = declared.check(id.into_inner(), &places)?;
            suite = suite.with_settings(check, settings).map_err(at)?;
        }
        Ok(suite)
    }
}

impl Declared {
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
                Duration::try_from_secs_f64(*limit.get_ref())
                    .map_err(|error| places.syntax(limit.span(), error.to_string()))
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
        })
    }
}

impl DeclaredQuery {
    fn check(
        self,
        id: String,
        places: &Places<'_>,
    ) -> Result<(QueryCheck, Settings), DeclareError> {
        let mut check = QueryCheck::new(id, self.expected, self.sql);
        if let Some(population) = self.population {
            check = check.population(population);
        }
        let declared = Declared {
            severity: self.severity,
            owner: self.owner,
            warn: self.warn,
            fail: self.fail,
            expect_empty: self.expect_empty,
            sensitive: self.sensitive,
            time_limit_seconds: self.time_limit_seconds,
        };
        Ok((check, declared.settings(places)?))
    }
}
