//! The tables, and how older ones become them. Times are milliseconds since the epoch.

use rusqlite::TransactionBehavior;

use super::db::Db;

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings the tables to [`VERSION`], in one transaction. Returns the version that the file then has: a later one is left
/// alone.
pub(super) fn migrate(connection: &mut Db) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let missing = STEPS.get(usize::try_from(found).unwrap_or(usize::MAX)..);
    let Some(missing) = missing.filter(|steps| !steps.is_empty()) else {
        return Ok(found);
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(VERSION)
}

/// From each version to the next. A step that was released is never changed.
const STEPS: [&str; 3] = [
    "
CREATE TABLE session(
  sid TEXT PRIMARY KEY,                  -- UUIDv7: when the session began
  state TEXT NOT NULL,                   -- 'active', or why it was revoked
  revoked_at INTEGER,
  generation INTEGER NOT NULL,           -- of the only live refresh token
  key BLOB NOT NULL,                     -- id of the master key it was derived with
  rotated_at INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,            -- 1: an access token of this generation was seen
  replays INTEGER NOT NULL,
  context BLOB NOT NULL,
  foreign_count INTEGER NOT NULL, foreign_generation INTEGER NOT NULL, foreign_since INTEGER NOT NULL,
  idle_until INTEGER NOT NULL, ends_at INTEGER NOT NULL, idle_lifetime INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,           -- the earlier of idle_until and ends_at
  subject TEXT NOT NULL, client TEXT NOT NULL, transport TEXT NOT NULL,
  salt BLOB NOT NULL,                    -- derives nothing without the master key
  claims TEXT NOT NULL,                  -- JSON: what access tokens say
  granted_at INTEGER NOT NULL,
  handle BLOB,                           -- the identity service's, sealed
  label TEXT NOT NULL, user_agent TEXT NOT NULL, address TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX session_subject ON session(subject, state);
CREATE INDEX session_expiry ON session(expires_at);
CREATE INDEX session_revoked ON session(revoked_at) WHERE revoked_at IS NOT NULL;
CREATE TABLE revlog(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, value TEXT NOT NULL, issuer TEXT,
  cutoff INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE INDEX revlog_expiry ON revlog(expires_at);
CREATE TABLE used_once(digest BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_expiry ON used_once(expires_at);
CREATE TABLE clock(one INTEGER PRIMARY KEY CHECK(one = 1), last INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES(1, 0);
",
    // A rotation moves `expires_at`; an index on it would be written each time, in two places.
    "
ALTER TABLE session ADD COLUMN expires_hour INTEGER NOT NULL DEFAULT 0; -- of expires_at, since the epoch
UPDATE session SET expires_hour = expires_at / 3600000;
DROP INDEX session_expiry;
CREATE INDEX session_expiry ON session(expires_hour);
",
    "
ALTER TABLE clock ADD COLUMN rested INTEGER NOT NULL DEFAULT 0; -- 1: the last process stopped, and saw nothing later
ALTER TABLE clock ADD COLUMN latest_end INTEGER NOT NULL DEFAULT 0;     -- no session that was ever written ends later
UPDATE clock SET latest_end = (SELECT coalesce(max(ends_at), 0) FROM session);
",
];
