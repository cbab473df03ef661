//! What a text that names a database means; no message holds any part of a password.

use std::fmt;
use std::time::Duration;

use crate::diesel::conn::sqlite_file::SqliteFile;
use crate::model::error::ConfigError;

/// The address of a database: a file of SQLite or a server of PostgreSQL.
///
/// Shown, it is the file, or the server with its database: never a user, a password or an option.
///
/// ```
/// use recovery_queue::DatabaseUrl;
///
/// assert!(matches!(DatabaseUrl::parse("leads.sqlite")?, DatabaseUrl::Sqlite(_)));
/// let server = DatabaseUrl::parse("POSTGRES://ops:secret@localhost/crm?sslmode=require")?;
/// assert_eq!(server.to_string(), "postgres://localhost/crm");
/// let server = DatabaseUrl::parse("host=localhost dbname=crm user=ops password='my secret'")?;
/// assert_eq!(server.to_string(), "postgres://localhost/crm");
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(SqliteFile),
    /// A server of PostgreSQL.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL server: a URL or a connection string of libpq.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    shown: String,
    /// Whether it is a URL, and so takes further settings as one.
    is_url: bool,
    /// Whether it limits how long a connection may take to come about.
    has_timeout: bool,
}

impl PostgresUrl {
    /// Gives the text for libpq. It may hold a password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives the text for libpq, in which a connection is given up after a time, where it names no limit of its own.
    #[must_use]
    pub fn with_connect_timeout(&self, limit: Duration) -> String {
        if self.has_timeout {
            return self.text.clone();
        }
        // libpq counts in whole seconds, and takes 1 for 2.
        let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
        let mark = match (self.is_url, self.text.contains('?')) {
            (true, false) => '?',
            (true, true) => '&',
            (false, _) => ' ',
        };
        format!("{}{mark}connect_timeout={}", self.text, seconds.clamp(2, 86_400))
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.shown)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(url) => f.debug_tuple("Postgres").field(url).finish(),
        }
    }
}

/// Stands for whatever a message must not show.
const HIDDEN: &str = "…";
const ENCODE: &str =
    "write @ as %40, % as %25, / as %2F, : as %3A, ? as %3F, # as %23 and a space as %20";
const FORMS: &str =
    "give a path, sqlite:PATH, postgres://USER@HOST/DATABASE or host=HOST dbname=DATABASE";

fn refused(shown: &str, reason: &str, remedy: &'static str) -> ConfigError {
    ConfigError::new("database URL", shown, reason, remedy)
}

impl DatabaseUrl {
    /// Reads a path, `sqlite:PATH`, a URL of PostgreSQL (`postgres://…`, `postgresql://…`) or a connection string of
    /// libpq (`host=… dbname=…`). A scheme may be in upper case.
    ///
    /// Behind `sqlite:PATH` may stand `?mode=ro` (nothing is written), `?mode=rw` (the file must be there) or
    /// `?mode=rwc` (it is made where it is missing, as without a mode).
    ///
    /// # Errors
    /// Another scheme, an empty text, SQLite's in-memory name, and an address of a server that libpq would read in
    /// another way than it was meant, such as one whose password holds a bare `@`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.trim() != text {
            let reason = "it begins or ends with white space";
            return Err(refused(HIDDEN, reason, "remove the white space"));
        }
        match scheme(text) {
            Some((scheme, rest)) if is_postgres(scheme) => url(rest).map(Self::Postgres),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sqlite") => {
                let rest = rest.strip_prefix("//").unwrap_or(rest);
                file(rest, SqliteFile::parse)
            }
            Some((scheme, rest)) if rest.starts_with("//") => {
                Err(refused(&format!("{scheme}://{HIDDEN}"), "there is no such backend", FORMS))
            }
            _ if looks_like_conninfo(text) => connection_string(text).map(Self::Postgres),
            _ if text.contains("://") || text.contains('@') && text.contains([':', '/']) => {
                let reason =
                    "it looks like the address of a server and does not begin with postgres://";
                Err(refused(
                    HIDDEN,
                    reason,
                    "write postgres:// before it, or sqlite: before the name of a file",
                ))
            }
            _ => file(text, |path| Ok(SqliteFile::new(path))),
        }
    }
}

impl DatabaseUrl {
    /// Returns the same database for a reader: a file of SQLite is never made, and nothing in it is written.
    ///
    /// On PostgreSQL the role decides: a setting of the session would stay behind in a pooler.
    #[must_use]
    pub fn read_only(self) -> Self {
        match self {
            Self::Sqlite(file) => Self::Sqlite(file.read_only()),
            server @ Self::Postgres(_) => server,
        }
    }
}

fn is_postgres(scheme: &str) -> bool {
    ["postgres", "postgresql"].iter().any(|name| scheme.eq_ignore_ascii_case(name))
}

/// Cuts the scheme off; a single letter is a drive.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut chars = scheme.chars();
    let starts = chars.next().is_some_and(|first| first.is_ascii_alphabetic());
    let goes_on = chars.all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    (starts && goes_on && scheme.len() > 1).then_some((scheme, rest))
}

fn file(
    path: &str,
    read: impl FnOnce(&str) -> Result<SqliteFile, ConfigError>,
) -> Result<DatabaseUrl, ConfigError> {
    let name = path.split('?').next().unwrap_or_default();
    if name.is_empty() || name == ":memory:" || path.starts_with("file:") {
        let remedy = "give a path; for a queue in memory use InMemoryStore";
        return Err(refused(
            path.split(['?', '/']).next().unwrap_or_default(),
            "it names no file",
            remedy,
        ));
    }
    read(path).map(DatabaseUrl::Sqlite)
}

/// Reads what follows the scheme of a URL, by the rules of libpq.
fn url(rest: &str) -> Result<PostgresUrl, ConfigError> {
    let no = |reason| Err(refused(&format!("postgres:{HIDDEN}"), reason, ENCODE));
    let Some(place) = rest.strip_prefix("//") else {
        return no("two slashes must follow the scheme");
    };
    if place.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return no("it holds white space");
    }
    let mut parts = place.split('%');
    parts.next();
    for part in parts {
        let code = part.as_bytes().get(..2).unwrap_or_default();
        if code.len() < 2 || !code.iter().all(u8::is_ascii_hexdigit) || code == b"00" {
            return no("a % is not followed by the code of a character");
        }
    }
    // User and password end at the first @ that no slash precedes.
    let server = match place.find(['@', '/']) {
        Some(at) if place[at..].starts_with('@') => &place[at + 1..],
        _ => place,
    };
    if server.contains('@') {
        return no(
            "more than one @, or a / before it: the password or another part is not encoded",
        );
    }
    let (path, query) = server.split_once('?').unwrap_or((server, ""));
    let (hosts, database) = path.split_once('/').unwrap_or((path, ""));
    for host in hosts.split(',') {
        // An address of IP version 6 stands in brackets.
        let (name, port) = match host.rsplit_once(']') {
            Some((name, port)) => {
                (name.strip_prefix('[').unwrap_or("]"), port.strip_prefix(':').unwrap_or(port))
            }
            None => host.split_once(':').unwrap_or((host, "")),
        };
        let known = |c: char| c.is_alphanumeric() || "._-%:~".contains(c);
        if !name.chars().all(known) || !port.chars().all(|c| c.is_ascii_digit()) {
            return no("the host or its port is none: perhaps the password is not encoded");
        }
    }
    let settings: Vec<&str> = query.split('&').filter(|setting| !setting.is_empty()).collect();
    if !settings.iter().all(|setting| setting.contains('=')) {
        return no("a setting after the ? has no value");
    }
    Ok(PostgresUrl {
        text: format!("postgres://{place}"),
        shown: shown(hosts, database),
        is_url: true,
        has_timeout: settings.iter().any(|setting| setting.starts_with("connect_timeout=")),
    })
}

fn shown(hosts: &str, database: &str) -> String {
    if database.is_empty() {
        format!("postgres://{hosts}")
    } else {
        format!("postgres://{hosts}/{database}")
    }
}

/// What libpq takes in a connection string (its documentation, "Parameter Key Words").
const KEYWORDS: [&str; 50] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer",
    "oauth_scope",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "service",
    "servicefile",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslkeylogfile",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "user",
];

/// Says whether a text holds `KEYWORD=` anywhere.
fn looks_like_conninfo(text: &str) -> bool {
    text.split('=').rev().skip(1).any(|before| {
        let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
        KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
    })
}

/// Reads `keyword = value` pairs, by the rules of libpq.
fn connection_string(text: &str) -> Result<PostgresUrl, ConfigError> {
    let no = |reason| {
        let remedy = "write a value with a space as 'a b', and \\' and \\\\ for a quote and a backslash in it";
        Err(refused(HIDDEN, reason, remedy))
    };
    let (mut host, mut port, mut database, mut has_timeout) = (None, None, String::new(), false);
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let Some((keyword, after)) = rest.split_once('=') else {
            return no("a word has no value");
        };
        let keyword = keyword.trim();
        if !KEYWORDS.contains(&keyword) {
            return no("a word before a = is no keyword of libpq, in lower case");
        }
        let Some((value, after)) = value(after.trim_start()) else {
            return no("a quote is not closed");
        };
        rest = after;
        match keyword {
            "host" | "hostaddr" => host = host.or(Some(value)),
            "port" => port = Some(value),
            "dbname" => database = value,
            "connect_timeout" => has_timeout = true,
            _ => {}
        }
    }
    // libpq takes a URL for the name of the database, too; it may hold a password.
    if scheme(&database).is_some_and(|(scheme, _)| is_postgres(scheme))
        || looks_like_conninfo(&database)
    {
        return no("dbname is an address itself");
    }
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let shown = shown(&format!("{}{port}", host.unwrap_or_default()), &database);
    Ok(PostgresUrl { text: text.to_owned(), shown, is_url: false, has_timeout })
}

/// Cuts one value off, with its quotes and backslashes resolved; `None` where a quote is not closed.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let quoted = text.starts_with('\'');
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if quoted => return Some((value, &text[at + 1..])),
            c if !quoted && c.is_whitespace() => return Some((value, &text[at..])),
            c => value.push(c),
        }
    }
    (!quoted).then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        DatabaseUrl::parse(text).unwrap().to_string()
    }

    #[test]
    fn every_form_of_an_address_is_read_and_shown_without_its_secrets() {
        for (text, place) in [
            ("leads.sqlite", "leads.sqlite"),
            ("sqlite://leads.sqlite", "leads.sqlite"),
            ("SQLITE:/var/leads.sqlite", "/var/leads.sqlite"),
            ("C:\\leads.sqlite", "C:\\leads.sqlite"),
            ("leads=all.sqlite", "leads=all.sqlite"),
            ("postgres://", "postgres://"),
            ("postgresql://u:p@h:5433/d?sslmode=require", "postgres://h:5433/d"),
            ("PostgreSQL://u:p#?!@h", "postgres://h"),
            ("postgres://u:%40%2F@h1:1,h2:2/d", "postgres://h1:1,h2:2/d"),
            ("postgres://u:p@[::1]:5432/d", "postgres://[::1]:5432/d"),
            ("postgres:///d?host=/run/postgresql&password=p", "postgres:///d"),
            ("postgres://%2Frun%2Fpostgresql/d", "postgres://%2Frun%2Fpostgresql/d"),
            ("host=h port=5433 dbname=d password=p", "postgres://h:5433/d"),
            ("dbname = 'a b' password = 'it\\'s'", "postgres:///a b"),
            ("service=crm", "postgres://"),
        ] {
            assert_eq!(shown(text), place, "{text}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused() {
        for text in [
            "",
            ":memory:",
            "sqlite:",
            "sqlite::memory:",
            "file:x?mode=memory",
            "mysql://u:SECRET@h/d",
            "jdbc:postgresql://h/d?password=SECRET",
            "postgres:/u:SECRET@h/d",
            "postgres:u:SECRET@h/d",
            "postgres//u:SECRET@h/d",
            "//u:SECRET@h/d",
            "u:SECRET@h/d",
            " postgres://u:SECRET@h/d",
            "postgres://u:SECRET@h/d\n",
            "postgres://u:SEC RET@h/d",
            "postgres://u:SEC@RET@h/d",
            "postgres://u:SEC%RET@h/d",
            "postgres://u:SEC/RET@h/d",
            "postgres://u:12/SECRET?x@h/d",
            "postgres://u:SECRET",
            "postgres://u:12/x?SECRET",
            "host=h password=my SECRET",
            "password='SECRET host=h",
            "host=h pasword=SECRET",
            "PASSWORD=SECRET host=h",
            "password=a SECRET=b",
            "dbname=postgres://u:SECRET@h/d",
        ] {
            let told = DatabaseUrl::parse(text).unwrap_err();
            let told = format!("{told} {told:?}");
            assert!(
                !["SECRET", "SEC", "RET"].iter().any(|part| told.contains(part)),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn a_limit_is_added_once_in_the_form_of_the_address() {
        let with = |text: &str| match DatabaseUrl::parse(text).unwrap() {
            DatabaseUrl::Postgres(url) => url.with_connect_timeout(Duration::from_millis(2500)),
            DatabaseUrl::Sqlite(_) => unreachable!(),
        };
        assert_eq!(with("postgres://h/d"), "postgres://h/d?connect_timeout=3");
        assert_eq!(with("POSTGRES://h/d?a=b"), "postgres://h/d?a=b&connect_timeout=3");
        assert_eq!(with("host=h"), "host=h connect_timeout=3");
        assert_eq!(with("host=h connect_timeout=9"), "host=h connect_timeout=9");
        assert_eq!(with("postgres://h/d?connect_timeout=9"), "postgres://h/d?connect_timeout=9");
    }

    proptest! {
        /// Whatever characters a password holds, bare or in quotes, no message shows four of them in a row.
        #[test]
        fn no_part_of_a_password_is_ever_shown(
            password in "[QXZJ]{4}[ @%/#?:=&'\\\\]{0,3}[QXZJ]{4}[ @%/#?:=&'\\\\]{0,2}[QXZJ]{4}",
            form in 0_usize..9,
        ) {
            let text = match form {
                0 => format!("postgres://u:{password}@h/d"),
                1 => format!("POSTGRESQL://u:{password}@h:5432/d?sslmode=prefer"),
                2 => format!("postgres:/u:{password}@h/d"),
                3 => format!("postgres://h/d?user=u&password={password}"),
                4 => format!("host=h dbname=d password={password}"),
                5 => format!("password='{password}' host=h"),
                6 => format!("u:{password}@h/d"),
                7 => format!("mysql://u:{password}@h/d"),
                _ => format!("host=h password = {password} dbname=d"),
            };
            let told = match DatabaseUrl::parse(&text) {
                Ok(url) => format!("{url} {url:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            for part in password.split(|c: char| !c.is_ascii_uppercase()).filter(|part| part.len() >= 4) {
                prop_assert!(!told.contains(part), "{}: {}", text, told);
            }
        }
    }
}
