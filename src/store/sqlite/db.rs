//! One connection to the file, and what is said when it fails.

use std::path::Path;
use std::thread;
use std::time::Duration;

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
    if tries < TRIES_MAX {
        thread::sleep(TRY_EVERY);
    }
    tries < TRIES_MAX
}

const TRY_EVERY: Duration = Duration::from_millis(1);
/// Two seconds of them.
const TRIES_MAX: i32 = 2000;
