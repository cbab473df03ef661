//! Ends statements of SQLite that run past a deadline, which SQLite has no setting for.
//!
//! SQLite asks a connection's progress handler every so many steps whether to go on. Diesel keeps the
//! connection's handle to itself, so the handler is set while SQLite opens the connection, by an automatic
//! extension. The deadline lies in the thread that runs the statement: the handler takes no pointer, and a
//! statement without a deadline costs one look at a thread-local value per thousand steps.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::Once;
use std::time::Instant;

/// Steps of SQLite's virtual machine between two looks at the clock: some ten microseconds.
const STEPS: c_int = 1_000;

static INSTALLED: Once = Once::new();

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    static OPENING: Cell<bool> = const { Cell::new(false) };
}

/// Opens a connection whose statements can be ended.
pub(crate) fn interruptible<T>(open: impl FnOnce() -> T) -> T {
    hook::install();
    let _back = Restore::set(&OPENING, true);
    open()
}

/// Runs statements on this thread that SQLite ends as interrupted when the deadline is over.
pub(crate) fn until<T>(deadline: Option<Instant>, statements: impl FnOnce() -> T) -> T {
    let _back = Restore::set(&DEADLINE, deadline);
    statements()
}

/// Puts a thread's value back, also when the work between panics.
struct Restore<T: Copy + 'static>(&'static std::thread::LocalKey<Cell<T>>, T);

impl<T: Copy + 'static> Restore<T> {
    fn set(key: &'static std::thread::LocalKey<Cell<T>>, value: T) -> Self {
        Self(key, key.replace(value))
    }
}

impl<T: Copy + 'static> Drop for Restore<T> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

#[allow(unsafe_code)] // The only way to a progress handler; nothing in it outlives or shares anything.
mod hook {
    use std::ffi::{c_char, c_void};

    use libsqlite3_sys::{
        SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension, sqlite3_progress_handler,
    };

    use super::{DEADLINE, INSTALLED, Instant, OPENING, STEPS, c_int};

    pub(crate) fn install() {
        // SAFETY: `opened` has the signature that SQLite calls an extension's entry point with (bindings of
        // older versions declare it without arguments, hence the cast), it is a plain function that lives
        // for ever, and SQLite guards its list of extensions by a mutex.
        INSTALLED.call_once(|| unsafe {
            #[allow(clippy::missing_transmute_annotations)] // the target differs between versions
            sqlite3_auto_extension(Some(std::mem::transmute(opened as *const ())));
        });
    }

    /// Called by SQLite, on the opening thread, for every connection of the process.
    unsafe extern "C" fn opened(
        db: *mut sqlite3,
        _: *mut *mut c_char,
        _: *const sqlite3_api_routines,
    ) -> c_int {
        if OPENING.try_with(std::cell::Cell::get).unwrap_or(false) {
            // SAFETY: SQLite passes the connection that it is opening; the handler takes no argument.
            unsafe { sqlite3_progress_handler(db, STEPS, Some(over), std::ptr::null_mut()) };
        }
        SQLITE_OK
    }

    /// Called by SQLite, on the thread of the statement; anything but zero ends it.
    unsafe extern "C" fn over(_: *mut c_void) -> c_int {
        let deadline = DEADLINE.try_with(std::cell::Cell::get).ok().flatten();
        c_int::from(deadline.is_some_and(|deadline| Instant::now() >= deadline))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sqlite::SqliteConnection;

    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                           SELECT count(*) FROM n;";

    fn open() -> SqliteConnection {
        interruptible(|| SqliteConnection::establish(":memory:").unwrap())
    }

    #[test]
    fn an_endless_statement_is_ended_and_its_transaction_goes_on() {
        let mut connection = open();
        connection.batch_execute("CREATE TABLE a (x); BEGIN; SELECT * FROM a;").unwrap();
        let soon = Instant::now().checked_add(Duration::from_millis(5));
        let ended = until(soon, || connection.batch_execute(ENDLESS)).unwrap_err();
        assert_eq!(ended.to_string(), "interrupted");
        // `COMMIT` would be refused if the transaction were gone.
        connection.batch_execute("SELECT * FROM a; COMMIT;").unwrap();
    }

    #[test]
    fn a_deadline_that_was_left_binds_nobody_and_other_connections_never() {
        let past = Some(Instant::now());
        let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) \
                    SELECT count(*) FROM n;";
        let mut other = SqliteConnection::establish(":memory:").unwrap();
        until(past, || other.batch_execute(long)).unwrap();
        let mut ours = open();
        assert!(until(past, || ours.batch_execute(long)).is_err());
        ours.batch_execute(long).unwrap();
    }
}
