//! The rows of groups that an engine joined.

use std::fs::File;

use super::rows::{self, Format, GROUPS, Rows};
use crate::cli::Failure;

/// A column of [`GROUPS`], in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupColumn {
    /// The key of the lead.
    Lead,
    /// What the row is: 0 for the lead, 1 for the count of a key, 2 for a person.
    Part,
    /// The higher half of a key.
    Hi,
    /// The lower half of a key.
    Lo,
    /// How many persons hold a key; in the lead's own row, how many rows follow.
    Holders,
    /// The key of a person.
    Person,
    /// The record, sealed.
    Sealed,
    /// What the record was made by.
    Stamp,
}

impl GroupColumn {
    fn name(self) -> &'static str {
        GROUPS[self as usize].name
    }
}

/// Reads groups; a stream may name their columns in any order, and more.
pub struct GroupReader {
    rows: Box<dyn Rows>,
    row: u64,
}

impl std::fmt::Debug for GroupReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupReader").field("row", &self.row).finish_non_exhaustive()
    }
}

impl GroupReader {
    /// Reads the header of a stream; every column must be there.
    ///
    /// # Errors
    ///
    /// A stream of another form, and columns that are missing, twice there or of another type, named.
    pub fn open(format: Format, input: File) -> Result<Self, Failure> {
        let wanted: Vec<_> = GROUPS.iter().map(|column| (column.name, column.kind)).collect();
        let opened = rows::open(format, &wanted, input)?;
        let missing: Vec<&str> = GROUPS
            .iter()
            .zip(&opened.has)
            .filter_map(|(column, has)| (!has).then_some(column.name))
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(format_args!(
                "the rows lack the columns {}; they have {}",
                missing.join(", "),
                opened.names
            ))
            .remedy("select the columns by these names, as the SQL beside this program does"));
        }
        Ok(Self { rows: opened.rows, row: 0 })
    }

    /// Moves on to the next row; tells whether there is one.
    ///
    /// # Errors
    ///
    /// As [`Rows::advance`].
    pub fn advance(&mut self) -> Result<bool, Failure> {
        let found = self.rows.advance()?;
        self.row += u64::from(found);
        Ok(found)
    }

    /// Returns the number of the row, from 1; a header does not count.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Returns a text of the row.
    ///
    /// # Errors
    ///
    /// A blank, named by its column.
    pub fn text(&self, column: GroupColumn) -> Result<&str, Failure> {
        self.rows.text(column as usize).ok_or_else(|| {
            Failure::new(format_args!("`{}` is blank", column.name()))
                .remedy("join the rows as the SQL beside this program does")
        })
    }

    /// Returns a number of the row.
    ///
    /// # Errors
    ///
    /// A blank, or a text that is no number; named by its column.
    pub fn int(&self, column: GroupColumn) -> Result<i64, Failure> {
        self.rows.int(column as usize).ok_or_else(|| {
            Failure::new(format_args!("`{}` holds no whole number of 64 bits", column.name()))
                .remedy("hand the column over as a 64-bit integer")
        })
    }

    /// Returns a count of the row.
    ///
    /// # Errors
    ///
    /// As [`int`](Self::int), and a negative number.
    pub fn count(&self, column: GroupColumn) -> Result<u64, Failure> {
        let count = self.int(column)?;
        u64::try_from(count).map_err(|_| {
            Failure::new(format_args!("`{}` is {count}, and counts rows", column.name()))
                .remedy("join the rows as the SQL beside this program does")
        })
    }
}
