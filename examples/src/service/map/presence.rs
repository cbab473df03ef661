//! Where the queue looks whether the person of a mapping is still there.

use recovery_queue::PersonView;

use super::file::TableMap;
use crate::cli::Failure;
use crate::service::database::Database;

impl Database {
    /// Gives the table of the operator's in which a run looks whether persons are still there; see
    /// [`set_person_view`](recovery_queue::SqlStore::set_person_view).
    #[must_use]
    pub fn mapped_persons(&self) -> Option<&PersonView> {
        self.map.as_ref()?.person_view.as_ref()
    }

    /// Gives the table in which each batch looks for the persons whom it links; none where that would read the table whole
    /// for each batch, or compare other texts than the mapping's keys.
    pub(super) fn person_view(&mut self, map: &TableMap) -> Result<Option<PersonView>, Failure> {
        let table = &map.persons.table;
        let key = self.columns_of(table)?.text(&map.persons.person_key, "person_key")?;
        if !key.is_cast_as_written() || self.is_indexed(table, key.name.as_str())? != Some(true) {
            return Ok(None);
        }
        // The queue takes fewer names than a mapping does.
        Ok(PersonView::new(&table.to_string(), key.name.as_str()).ok())
    }
}
