//! What the columns of a backlog's view mean: an instant, a priority, and what is wrong with either.

/// Expressions over a row of the view.
#[derive(Default)]
pub(crate) struct Values {
    /// The instant in microseconds since 1970, or the number of what is wrong with it below [`WRONG`]: worked out once,
    /// as `instant`, for `at` and `dated`.
    pub(crate) instant: String,
    pub(crate) priority: String,
    /// The number of what is wrong with the priority; 0 for nothing.
    pub(crate) ranked: String,
    pub(crate) version: String,
}

impl Values {
    /// The instant, from `instant`.
    pub(crate) fn at() -> String {
        format!("CASE WHEN instant > {WRONG} THEN instant END")
    }

    /// The number of what is wrong with the date, from `instant`; 0 for nothing.
    pub(crate) fn dated() -> String {
        format!("CASE WHEN instant < {WRONG} THEN {WRONG} - instant ELSE 0 END")
    }
}

/// What is wrong with a date is put below this instant, which lies before all years.
const WRONG: &str = "-4000000000000000000";

/// Reads a key out of a column of the user's: as text, compared byte for byte whatever the column's own collation.
pub(crate) fn key_text(sqlite: bool, column: &str) -> String {
    let bytes = if sqlite { "BINARY" } else { "\"C\"" };
    format!("CAST({column} AS TEXT) COLLATE {bytes}")
}

/// Gives the expressions for a view with these columns, each with its type; or what is wrong with it and what to do.
pub(crate) fn of(
    sqlite: bool,
    columns: &[(String, String)],
) -> Result<Values, (String, &'static str)> {
    let kind = |name: &str| columns.iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
    if columns.is_empty() {
        return Err(("it does not exist".to_owned(), "create it, or name another"));
    }
    if kind("lead_source_pk").is_none() {
        return Err((
            "it has no column lead_source_pk".to_owned(),
            "add it: COALESCE(external_id, id) as text",
        ));
    }
    let Some(date_kind) = kind("lead_date") else {
        return Err((
            "it has no column lead_date".to_owned(),
            "add it: when the lead came into being",
        ));
    };
    let instant = if sqlite { sqlite_instant() } else { postgres_instant(date_kind)? };
    let (priority, ranked) = match kind("lead_priority") {
        None => ("CAST(0 AS BIGINT)".to_owned(), "0".to_owned()),
        Some(_) if sqlite => sqlite_priority(),
        Some(kind) => postgres_priority(kind)?,
    };
    let version = if kind("lead_version").is_some() {
        "CAST(lead_version AS TEXT)"
    } else {
        "CAST(NULL AS TEXT)"
    };
    Ok(Values { instant, priority, ranked, version: version.to_owned() })
}

/// The parts of a text in ISO 8601 form: the day, and a time with a zone. The hours of a zone go to 14, as the world's do.
#[cfg(feature = "postgres")]
const ISO: [&str; 2] = [
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?",
];
#[cfg(feature = "postgres")]
const ZONE: &str = "(Z|z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)";

/// The instant of `lead_date`, or the number of what is wrong with it below [`WRONG`], by the type of its column.
#[cfg(feature = "postgres")]
fn postgres_instant(kind: &str) -> Result<String, (String, &'static str)> {
    let micros = |instant: &str| format!("CAST(extract(epoch FROM {instant}) * 1000000 AS BIGINT)");
    let in_calendar = |instant: &str| {
        format!("({instant} >= '0001-01-01 00:00:00+00' AND {instant} < '10000-01-01 00:00:00+00')")
    };
    let typed = |instant: &str| {
        format!(
            "CASE WHEN lead_date IS NULL THEN NULL WHEN NOT isfinite(lead_date) THEN {WRONG} - 6 \
             WHEN NOT {} THEN {WRONG} - 7 ELSE {} END",
            in_calendar("lead_date"),
            micros(instant)
        )
    };
    match kind {
        // A date is its midnight in UTC, whatever the zone of the session.
        "date" => Ok(typed("CAST(lead_date AS timestamp)")),
        "timestamp with time zone" => Ok(typed("lead_date")),
        "text" => {
            let [day, time] = ISO;
            // Blanks that fill a column of fixed length, and a type that compares without case, are left behind.
            let text = "CAST(lead_date AS TEXT)";
            let part =
                |from: u8, length: u8| format!("substr({text}, {from}, {length}) COLLATE \"C\"");
            let (year, month, day_of_month) = (part(1, 4), part(6, 2), part(9, 2));
            // The last day of its month, reckoned without a text that is no date being read as one.
            let day_exists = format!(
                "CAST({day_of_month} AS INT) <= extract(day FROM \
                 make_date(CAST({year} AS INT), CAST({month} AS INT), 1) + interval '1 month - 1 day')"
            );
            let rest = format!("substr({text}, 17)");
            // Cut to microseconds as everywhere, and never rounded up to them.
            let instant = format!(
                "CAST(CASE WHEN length({text}) = 10 THEN {text} || 'T00:00:00Z' WHEN length({text}) <= 27 THEN {text} \
                 ELSE regexp_replace({text}, '([.][0-9]{{6}})[0-9]+', '\\1') END AS timestamptz)"
            );
            // What is dear comes last: few dates lie at the end of a month, or at either end of the calendar, where a
            // zone leads out of it.
            Ok(format!(
                "CASE WHEN lead_date IS NULL THEN NULL WHEN {text} !~ '^{day}({time}{ZONE}?)?$' THEN {WRONG} - 3 \
                 WHEN {year} = '0000' THEN {WRONG} - 7 \
                 WHEN CASE WHEN {day_of_month} > '28' THEN NOT {day_exists} ELSE false END THEN {WRONG} - 3 \
                 WHEN length({text}) > 10 AND translate({rest}, 'Zz+-', '') = {rest} THEN {WRONG} - 4 \
                 WHEN CASE WHEN {year} IN ('0001', '9999') THEN NOT {} ELSE false END THEN {WRONG} - 7 \
                 ELSE {} END",
                in_calendar(&instant),
                micros(&instant)
            ))
        }
        "timestamp without time zone" => Err((
            "lead_date is a timestamp without a zone".to_owned(),
            "say which zone it means: lead_date AT TIME ZONE 'America/Lima'",
        )),
        other => Err((
            format!("lead_date has the type {other}"),
            "make it a date, a timestamp with time zone, or a text",
        )),
    }
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unnecessary_wraps, reason = "as the one for PostgreSQL")]
fn postgres_instant(_: &str) -> Result<String, (String, &'static str)> {
    Ok(sqlite_instant())
}

/// The instant of `lead_date`, or the number of what is wrong with it below [`WRONG`].
///
/// The two usual forms are told by SQLite's own reading, which gives back the very text; the others are taken to pieces
/// at ten times the cost. Without a modifier, SQLite of before 3.46 gives a 30th of February back as it stands.
fn sqlite_instant() -> String {
    let fraction = "CAST(substr(rtrim(substr(lead_date, 21), 'Z') || '000000', 1, 6) AS INTEGER)";
    let day_exists =
        "(substr(lead_date, 9, 2) < '29' OR date(lead_date, '+0 days') = substr(lead_date, 1, 10))";
    let (at, problem) = any_sqlite_date();
    format!(
        "CASE WHEN lead_date IS NULL THEN NULL \
         WHEN strftime('%Y-%m-%dT%H:%M:%S', lead_date) = substr(lead_date, 1, 19) \
             AND ltrim(substr(lead_date, 20), '.0123456789') = 'Z' AND lead_date > '0001' \
             AND substr(lead_date, 12, 2) < '24' AND {day_exists} THEN \
             unixepoch(substr(lead_date, 1, 19)) * 1000000 + CASE WHEN length(lead_date) > 20 THEN {fraction} ELSE 0 END \
         WHEN lead_date COLLATE BINARY = date(lead_date) AND lead_date > '0001' AND {day_exists} THEN \
             unixepoch(lead_date) * 1000000 \
         ELSE CASE {problem} WHEN 0 THEN {at} WHEN 3 THEN {WRONG} - 3 WHEN 4 THEN {WRONG} - 4 \
             ELSE {WRONG} - 7 END END"
    )
}

/// What is wrong with a text, by its number, and the instant where nothing is: SQLite itself would take a 30th of February for a day in March.
fn any_sqlite_date() -> (String, String) {
    let digits = |form: &str| form.replace('#', "[0-9]");
    let (day, time) = (digits("####-##-##"), digits("[T ]##:##*"));
    // The zone as SQLite reads it, with minutes and a colon; what is before it, without a fraction of a second.
    let tail = "ltrim(substr(lead_date, 17), ':.0123456789')";
    let zone = format!(
        "CASE WHEN length({tail}) = 3 THEN {tail} || ':00' \
         WHEN length({tail}) = 5 THEN substr({tail}, 1, 3) || ':' || substr({tail}, 4) ELSE {tail} END"
    );
    let clock = format!("substr(lead_date, 17, length(lead_date) - 16 - length({tail}))");
    let seconds = format!("CASE WHEN {clock} = '' THEN '' ELSE substr({clock}, 1, 3) END");
    let instant = format!(
        "CASE WHEN length(lead_date) = 10 THEN unixepoch(lead_date) \
         ELSE unixepoch(substr(lead_date, 1, 16) || {seconds} || {zone}) END"
    );
    // At either end of the calendar a zone leads out of it, and SQLite reads none.
    let in_any_year = instant.replace("lead_date", "('2000' || substr(lead_date, 5))");
    let fraction = format!("substr({clock}, 5)");
    let at_least_one = digits(".#*");
    let two_digits = digits(":##");
    let problem = format!(
        "CASE WHEN lead_date IS NULL THEN 0 \
         WHEN typeof(lead_date) <> 'text' OR substr(lead_date, 1, 10) NOT GLOB '{day}' THEN 3 \
         WHEN substr(lead_date, 1, 4) = '0000' THEN \
             CASE WHEN date('2000' || substr(lead_date, 5, 6)) IS NULL THEN 3 ELSE 7 END \
         WHEN date(substr(lead_date, 1, 10), '+0 days') IS NOT substr(lead_date, 1, 10) THEN 3 \
         WHEN length(lead_date) = 10 THEN 0 \
         WHEN substr(lead_date, 11) NOT GLOB '{time}' OR substr(lead_date, 12, 2) > '23' \
           OR substr({clock}, 1, 3) NOT GLOB CASE WHEN {clock} = '' THEN '' ELSE '{two_digits}' END \
           OR ({fraction} <> '' AND {fraction} GLOB '*[^0-9]*') \
           OR (length({clock}) > 3 AND substr({clock}, 4) NOT GLOB '{at_least_one}') \
           OR {tail} NOT GLOB CASE length({tail}) WHEN 0 THEN '' WHEN 1 THEN '[Zz]' WHEN 3 THEN '{}' \
                WHEN 5 THEN '{}' WHEN 6 THEN '{}' ELSE '' END \
           OR {in_any_year} IS NULL THEN 3 \
         WHEN {tail} = '' THEN 4 \
         WHEN {instant} IS NULL OR {instant} < -62135596800 THEN 7 ELSE 0 END",
        digits("[+-]##"),
        digits("[+-]####"),
        digits("[+-]##:##"),
    );
    let at = format!(
        "CASE WHEN length(lead_date) = 10 THEN {instant} * 1000000 \
         ELSE {instant} * 1000000 + CAST(substr({fraction} || '000000', 1, 6) AS INTEGER) END"
    );
    (at, problem)
}

/// The priority and the number of what is wrong with it.
fn sqlite_priority() -> (String, String) {
    let whole = "CASE typeof(lead_priority) WHEN 'null' THEN 1 WHEN 'integer' THEN 1 \
         WHEN 'real' THEN abs(lead_priority) < 9e15 AND lead_priority = CAST(lead_priority AS INTEGER) \
         WHEN 'text' THEN CAST(CAST(lead_priority AS INTEGER) AS TEXT) = CAST(lead_priority AS TEXT) \
         ELSE 0 END";
    (
        "COALESCE(CAST(lead_priority AS INTEGER), 0)".to_owned(),
        format!("CASE WHEN {whole} THEN 0 ELSE 9 END"),
    )
}

/// As [`sqlite_priority`], by the type of the column.
fn postgres_priority(kind: &str) -> Result<(String, String), (String, &'static str)> {
    let whole = match kind {
        "smallint" | "integer" | "bigint" => {
            return Ok(("COALESCE(CAST(lead_priority AS BIGINT), 0)".to_owned(), "0".to_owned()));
        }
        // Not a number and the infinities fail the first comparison, so that none of them is cast.
        "numeric" | "real" | "double precision" => {
            "CASE WHEN lead_priority > -9e15 AND lead_priority < 9e15 \
             THEN lead_priority = trunc(lead_priority) ELSE false END"
        }
        "text" => "CAST(lead_priority AS TEXT) ~ '^(0|-?[1-9][0-9]{0,17})$'",
        other => {
            return Err((format!("lead_priority has the type {other}"), "make it an integer"));
        }
    };
    let value = if kind == "text" { "CAST(lead_priority AS TEXT)" } else { "lead_priority" };
    Ok((
        format!("CASE WHEN {whole} THEN CAST({value} AS BIGINT) ELSE 0 END"),
        format!("CASE WHEN lead_priority IS NULL OR {whole} THEN 0 ELSE 9 END"),
    ))
}

#[cfg(all(test, feature = "sqlite"))]
pub(super) mod tests {
    use std::cell::RefCell;

    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Nullable, Text};
    use diesel::sqlite::SqliteConnection;
    use proptest::prelude::*;

    use super::*;

    #[derive(QueryableByName, Debug, PartialEq)]
    pub(in crate::diesel::write) struct Read {
        #[diesel(sql_type = Nullable<BigInt>)]
        at: Option<i64>,
        #[diesel(sql_type = BigInt)]
        pub(in crate::diesel::write) problem: i64,
    }

    /// Reads a date by SQL: as the stage does, and piece by piece.
    pub(in crate::diesel::write) fn read(
        connection: &mut SqliteConnection,
        lead_date: &str,
    ) -> (Read, Read) {
        let mut ask = |sql: String| {
            diesel::sql_query(sql)
                .bind::<Text, _>(lead_date)
                .get_result(connection)
                .expect("the statement is sound")
        };
        let (at, problem) = (Values::at(), Values::dated());
        let quick = ask(format!(
            "SELECT {at} AS at, {problem} AS problem FROM (SELECT {} AS instant FROM \
             (SELECT $1 AS lead_date))",
            sqlite_instant()
        ));
        let (at, problem) = any_sqlite_date();
        let pieces = ask(format!(
            "SELECT CASE WHEN problem = 0 THEN at END AS at, problem FROM (SELECT {at} AS at, \
             {problem} AS problem FROM (SELECT $1 AS lead_date))"
        ));
        (quick, pieces)
    }

    /// Texts near to dates: the parts of one, some of them off.
    pub(in crate::diesel::write) fn near_dates() -> impl Strategy<Value = String> {
        let part = |parts: &'static [&'static str]| prop::sample::select(parts);
        (
            part(&["2026", "0001", "0000", "9999", "2024", "1900", "202", "+2026"]),
            part(&[
                "-01-05", "-02-29", "-02-30", "-12-31", "-00-10", "-13-01", "-04-31", "-1-1", "",
            ]),
            part(&["", "T", " ", "t", "  "]),
            part(&["10:00", "23:59", "24:00", "00:60", "1:00", ""]),
            part(&["", ":00", ":59", ":60", ":5"]),
            part(&["", ".5", ".999999", ".9999999", ".9996", ".", ".5.5", ".123456789"]),
            part(&[
                "Z", "z", "", "+00:00", "-05:00", "+0530", "-05", "+14:00", "+15:00", " Z", "Z ",
                "ZZ",
            ]),
        )
            .prop_map(|(y, d, t, h, s, f, z)| format!("{y}{d}{t}{h}{s}{f}{z}"))
    }

    #[test]
    fn a_date_that_is_told_at_once_is_the_one_that_is_taken_to_pieces() {
        let connection = RefCell::new(SqliteConnection::establish(":memory:").unwrap());
        proptest!(ProptestConfig::with_cases(4_000), |(date in near_dates())| {
            let (quick, pieces) = read(&mut connection.borrow_mut(), &date);
            prop_assert_eq!(quick, pieces, "{:?}", date);
        });
    }
}
