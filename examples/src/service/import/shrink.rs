//! The fuse of an import: a file that has shrunk too much since the last one is stopped.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use raw_packets::table::TableReport;

use crate::cli::Failure;
use crate::service::database::Database;

/// Files that lack fewer rows than this always pass.
const AT_LEAST: u64 = 100;

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    rows_taken: i64,
}

/// Says whether so many rows are too few, where the last import took `last`.
fn is_too_few(rows: u64, last: u64) -> bool {
    last.saturating_sub(rows) >= AT_LEAST && rows.saturating_mul(2) < last
}

/// Stops an import of far fewer rows than the last one took, unless that is allowed; records how many it took.
///
/// The first import has nothing to be compared with.
pub(super) fn mind_the_fuse(
    database: &mut Database,
    input: &'static str,
    report: &TableReport,
    allowed: bool,
) -> Result<(), Failure> {
    let rows = report.rows_read_total - report.rows_refused_total;
    let last: Option<Taken> =
        diesel::sql_query("SELECT rows_taken FROM input_sizes WHERE input = $1")
            .bind::<Text, _>(input)
            .get_result(&mut database.connection)
            .optional()?;
    if let Some(last) = last.map(|last| last.rows_taken.unsigned_abs())
        && is_too_few(rows, last)
        && !allowed
    {
        let what = format!(
            "{}: {rows} {input} can be read, and the last import took {last}; nothing was written",
            report.file
        );
        return Err(Failure::new(what).remedy(
            "look whether the file is whole; where so many are truly gone, or it is a part on purpose, say --allow-shrink",
        ));
    }
    diesel::sql_query(
        "INSERT INTO input_sizes (input, rows_taken) VALUES ($1, $2)
         ON CONFLICT (input) DO UPDATE SET rows_taken = excluded.rows_taken",
    )
    .bind::<Text, _>(input)
    .bind::<BigInt, _>(i64::try_from(rows)?)
    .execute(&mut database.connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_lose_half_of_its_rows_or_ninety_nine() {
        for (rows, last, stopped) in [
            (0, 99, false),
            (0, 100, true),
            (100, 200, false),
            (99, 200, true),
            (500, 0, false),
            (u64::MAX, u64::MAX, false),
        ] {
            assert_eq!(is_too_few(rows, last), stopped, "{rows} after {last}");
        }
    }
}
