//! One connection to the file, and what is said when it fails.

use std::cell::Cell;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::session::StoreError;

/// The connection's type, for the files of this room.
pub(super) type Db = Connection;

/// Opens a connection that never loses what it committed.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Db> {
    let mut connection = Db::open(path)?;
    connection.busy_handler(Some(wait))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Plans do not depend on bound values, so no statement is planned again for them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Brings everything into the file itself and leaves the log beside it empty. What somebody else reads or writes just then
/// stays in the log.
pub(super) fn settle(connection: &Db) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Logs what went wrong, once, and tells the caller no more than that it did.
pub(super) fn unavailable(error: &rusqlite::Error) -> StoreError {
    tracing::error!(%error, "the session store failed");
    StoreError::Unavailable
}

/// Waits for another process's commit, and says whether to try once more. SQLite's own wait looks ten times a second in the
/// end, and misses the moments that a busy process leaves between two commits.
fn wait(tries: i32) -> bool {
    let now = Instant::now();
    if tries == 0 {
        SINCE.set(Some(now));
    }
    let goes_on = SINCE.get().is_none_or(|since| now < since + BUSY_MAX);
    if goes_on {
        thread::sleep(TRY_EVERY);
    }
    goes_on
}

thread_local! {
    /// Since when this thread waits: SQLite tells the number of tries alone, and on a busy machine one takes longer.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

const TRY_EVERY: Duration = Duration::from_millis(1);
/// How long a connection waits.
const BUSY_MAX: Duration = Duration::from_secs(2);
