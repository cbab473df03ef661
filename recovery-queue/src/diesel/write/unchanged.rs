//! The leads of a view that need nothing done, on SQLite: the view is read once, and each is told by its number alone.
//!
//! To stage a backlog as text costs several times what it costs to read it. So the view is read beside the keys of the
//! known leads first: a lead that is open here, that says nothing new and has nothing wrong with it is marked in memory
//! (nine bytes a lead). What is left is staged: new leads, changed ones, those that failed long enough ago or are held
//! elsewhere, and those that cannot be taken. On PostgreSQL the rows would travel to the program, so all are staged.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType, SqliteValue};

use crate::diesel::conn::database::failed;
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::staged::{Asked, Unchanged};
use crate::diesel::write::view::BacklogView;
use crate::diesel::write::view_values::key_text;
use crate::model::error::StoreError;

const READ: &str = "the look at the backlog";

/// A lead of this backlog that the seed would withdraw if the view did not hold it.
const OPEN: u8 = 1;
/// A lead that needs nothing done while its version stays as it is.
const QUIET: u8 = 2;
/// A lead that the view holds, and that needs nothing done.
const SEEN: u8 = 4;
/// A lead that the view holds, and that is staged.
const STAGED: u8 = 8;

/// Rows per statement that writes numbers or keys.
const CHUNK: usize = 2000;

/// Looks for what is unchanged; writes the keys to be staged into `rq_wanted` and the open leads that the view does not
/// hold into `rq_absent`. Gives none where the whole view is better staged: much is new, or nothing is known yet.
pub(crate) fn find(
    connection: &mut SqliteConnection,
    names: &Names,
    view: &BacklogView,
    asked: &Asked,
) -> Result<Option<Unchanged>, StoreError> {
    let found = look(connection, names, view, asked).map_err(failed(READ))?;
    let Some((unchanged, known, wanted)) = found else { return Ok(None) };
    write(connection, names, &known, &wanted).map_err(failed(READ))?;
    Ok(Some(unchanged))
}

/// The known leads by their numbers, which begin at `first`.
#[derive(Default)]
struct Known {
    first: i64,
    states: Vec<u8>,
    /// The digest of each lead's version.
    versions: Vec<u64>,
}

impl Known {
    fn at(&self, id: i64) -> Option<usize> {
        usize::try_from(id - self.first).ok().filter(|at| *at < self.states.len())
    }

    fn numbers(&self, is: impl Fn(u8) -> bool) -> Vec<i64> {
        let here = |(number, state): (i64, &u8)| is(*state).then_some(number);
        (self.first..).zip(&self.states).filter_map(here).collect()
    }
}

/// Reads the known leads; none where there are none, or where few of the numbers up to the last are still in use.
fn known(
    connection: &mut SqliteConnection,
    names: &Names,
    asked: &Asked,
) -> QueryResult<Option<Known>> {
    type Range = (Nullable<BigInt>, Nullable<BigInt>, BigInt);
    type Lead =
        (BigInt, Nullable<Binary>, BigInt, Nullable<Integer>, Nullable<BigInt>, Nullable<BigInt>);
    type Read = (i64, Version, i64, Option<i32>, Option<i64>, Option<i64>);
    let sql = "SELECT min(id), max(id), count(*) FROM {ns}queue_lead";
    let (first, last, count): (Option<i64>, Option<i64>, i64) =
        diesel::dsl::sql::<Range>(&names.sql(sql)).get_result(connection)?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
    let length = usize::try_from(last - first + 1).ok();
    let Some(length) = length.filter(|_| last - first < count.saturating_mul(8)) else {
        return Ok(None);
    };
    let mut known = Known { first, states: vec![0; length], versions: vec![0; length] };
    let sql = "SELECT l.id, l.lead_version, l.backlog_id, s.status, s.backlog_id, s.settled_at \
         FROM {ns}queue_lead l LEFT JOIN {ns}queue_settled s ON s.lead_id = l.id";
    let leads = diesel::dsl::sql::<Lead>(&names.sql(sql))
        .load_iter::<Read, DefaultLoadingMode>(connection)?;
    for lead in leads {
        let (id, version, backlog, status, settled_in, settled_at) = lead?;
        let Some(at) = known.at(id) else { continue };
        let here = backlog == asked.backlog_id;
        known.versions[at] = version.0;
        known.states[at] = match status {
            None if here => OPEN | QUIET,
            Some(2) if settled_in == Some(asked.backlog_id) => {
                let rests = here && settled_at.is_some_and(|settled| settled > asked.rested);
                if rests { OPEN | QUIET } else { OPEN }
            }
            _ => 0,
        };
    }
    Ok(Some(known))
}

/// What is to be staged.
#[derive(Default)]
struct Wanted {
    /// Known leads, by their numbers.
    known: Vec<i64>,
    /// Keys that no lead has.
    new: Vec<String>,
}

fn look(
    connection: &mut SqliteConnection,
    names: &Names,
    view: &BacklogView,
    asked: &Asked,
) -> QueryResult<Option<(Unchanged, Known, Wanted)>> {
    type Row = (Nullable<BigInt>, Nullable<Binary>, Nullable<Binary>, Nullable<Binary>, Integer);
    let Some(mut known) = known(connection, names, asked)? else { return Ok(None) };
    // Beyond so many, a second look at the view saves nothing.
    let most = known.states.len() / 8;
    let key = key_text(true, "v.lead_source_pk");
    let [version, sure] = view.told_by();
    let sql = names.sql(&format!(
        "SELECT l.id, CASE WHEN l.id IS NULL THEN {key} END, v.lead_date, {version}, {sure} FROM {} v \
         LEFT JOIN {{ns}}queue_lead l ON l.source_pk = {key}",
        view.quoted()
    ));
    let rows = diesel::dsl::sql::<Row>(&sql)
        .load_iter::<(Option<i64>, Key, Date, Version, i32), DefaultLoadingMode>(connection)?;
    let (mut unchanged, mut wanted) = (Unchanged::default(), Wanted::default());
    for row in rows {
        let (id, key, date, version, sure) = row?;
        let Some(at) = id.and_then(|id| known.at(id)) else {
            // A key that is none, or no text, is the affair of the whole stage.
            let Some(key) = key.0 else { return Ok(None) };
            wanted.new.push(key);
            if wanted.new.len() > most {
                return Ok(None);
            }
            continue;
        };
        let state = known.states[at];
        if state & STAGED != 0 {
            continue;
        }
        let quiet = state & QUIET != 0
            && known.versions[at] == version.0
            && date != Date::Doubtful
            && sure != 0;
        if quiet {
            if state & SEEN == 0 {
                unchanged.leads += 1;
            } else {
                unchanged.duplicates += 1;
            }
            unchanged.undated += u64::from(date == Date::None);
            known.states[at] |= SEEN;
        } else {
            // Rows that say different things of one lead are compared where all of them are staged.
            if state & SEEN != 0 || wanted.known.len() == most {
                return Ok(None);
            }
            wanted.known.extend(id);
            known.states[at] |= STAGED;
        }
    }
    unchanged.wanted = (wanted.known.len() + wanted.new.len()) as u64;
    Ok(Some((unchanged, known, wanted)))
}

/// Writes the keys to be staged and the numbers of the open leads that the view does not hold.
fn write(
    connection: &mut SqliteConnection,
    names: &Names,
    known: &Known,
    wanted: &Wanted,
) -> QueryResult<()> {
    let absent = known.numbers(|state| state & OPEN != 0 && state & (SEEN | STAGED) == 0);
    for chunk in absent.chunks(CHUNK) {
        let rows: Vec<String> = chunk.iter().map(|number| format!("({number})")).collect();
        let sql = format!("INSERT INTO temp.rq_absent (lead_id) VALUES {}", rows.join(","));
        diesel::sql_query(sql).execute(connection)?;
    }
    for chunk in wanted.known.chunks(CHUNK) {
        let numbers: Vec<String> = chunk.iter().map(i64::to_string).collect();
        let sql = names.sql(&format!(
            "INSERT INTO temp.rq_wanted (source_pk) SELECT l.source_pk FROM {{ns}}queue_lead l \
             WHERE l.id IN ({})",
            numbers.join(",")
        ));
        diesel::sql_query(sql).execute(connection)?;
    }
    for chunk in wanted.new.chunks(CHUNK) {
        let places = vec!["(?)"; chunk.len()].join(",");
        // A new lead may stand in the view more than once.
        let sql = format!("INSERT OR IGNORE INTO temp.rq_wanted (source_pk) VALUES {places}");
        let mut insert = diesel::sql_query(sql).into_boxed::<Sqlite>();
        for key in chunk {
            insert = insert.bind::<diesel::sql_types::Text, _>(key);
        }
        insert.execute(connection)?;
    }
    Ok(())
}

/// A key that no lead has; none where it is NULL, empty or no text.
#[derive(Debug, FromSqlRow)]
struct Key(Option<String>);

impl FromSql<Nullable<Binary>, Sqlite> for Key {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = std::str::from_utf8(value.read_blob()).ok();
        let sound = |text: &&str| !text.is_empty() && !text.contains('\0');
        Ok(Self(text.filter(sound).map(str::to_owned)))
    }

    fn from_nullable_sql(value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Self(None)), Self::from_sql)
    }
}

/// The digest of a version: two versions have one digest in one of 2^64 cases.
#[derive(Debug, FromSqlRow)]
struct Version(u64);

impl Version {
    fn of(bytes: Option<&[u8]>) -> Self {
        static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(DIGESTS.hash_one(bytes))
    }
}

impl FromSql<Nullable<Binary>, Sqlite> for Version {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::of(Some(value.read_blob())))
    }

    fn from_nullable_sql(value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Self::of(None)), Self::from_sql)
    }
}

/// What a date of the view is at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow)]
enum Date {
    /// There is none.
    None,
    /// It is an instant beyond doubt.
    Sound,
    /// The stage has to read it.
    Doubtful,
}

impl FromSql<Nullable<Binary>, Sqlite> for Date {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.value_type() == Some(SqliteType::Text);
        Ok(if text && is_sound(value.read_blob()) { Self::Sound } else { Self::Doubtful })
    }

    fn from_nullable_sql(value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Self::None), Self::from_sql)
    }
}

/// Says whether a text is a date, or an instant in UTC or with an offset, beyond doubt; the ends of the calendar are not.
fn is_sound(text: &[u8]) -> bool {
    let number = |range: std::ops::Range<usize>| {
        text.get(range)?.iter().try_fold(0_u32, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let is = |at: usize, set: &[u8]| text.get(at).is_some_and(|byte| set.contains(byte));
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    let last = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let dated = (2..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=last).contains(&day)
        && is(4, b"-")
        && is(7, b"-");
    if !dated || text.len() == 10 {
        return dated;
    }
    let timed = is(10, b"T ")
        && number(11..13).is_some_and(|hours| hours < 24)
        && is(13, b":")
        && number(14..16).is_some_and(|minutes| minutes < 60);
    let mut rest = 16;
    if is(16, b":") && number(17..19).is_some_and(|seconds| seconds < 60) {
        rest = 19;
        if is(19, b".") && text.get(20).is_some_and(u8::is_ascii_digit) {
            rest = 20 + text[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
    }
    let zone = &text[rest.min(text.len())..];
    let offset = zone.len() == 6
        && matches!(zone[0], b'+' | b'-')
        && number(rest + 1..rest + 3).is_some_and(|hours| hours <= 13)
        && zone[3] == b':'
        && number(rest + 4..rest + 6).is_some_and(|minutes| minutes < 60);
    timed && (zone == b"Z" || offset)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;
    use crate::diesel::write::view_values::tests::{near_dates, read};

    #[test]
    fn what_is_sound_at_first_sight_is_sound_to_the_stage() {
        let connection = RefCell::new(SqliteConnection::establish(":memory:").unwrap());
        for sound in [
            "2026-01-05",
            "2024-02-29",
            "2026-01-05T10:00Z",
            "2026-01-05T10:00:00Z",
            "2026-01-05 10:00:00.25+05:30",
        ] {
            assert!(is_sound(sound.as_bytes()), "{sound}");
        }
        proptest!(ProptestConfig::with_cases(4_000), |(date in near_dates())| {
            if is_sound(date.as_bytes()) {
                prop_assert_eq!(read(&mut connection.borrow_mut(), &date).0.problem, 0, "{:?}", date);
            }
        });
    }
}
