//! The file's own time, which no clock sets back: changes are made at it, also by the next process.

use std::time::Duration;

use rusqlite::params;

use super::db::Db;
use super::row::{self, millis};
use crate::time::Timestamp;

/// The time of a transaction: the clock's, unless the file has seen a later one.
pub(super) fn begin(connection: &Db, clock: Timestamp) -> rusqlite::Result<Timestamp> {
    Ok(clock.max(moment(connection, "SELECT last FROM clock")?))
}

fn moment(connection: &Db, select: &str) -> rusqlite::Result<Timestamp> {
    let mut select = connection.prepare_cached(select)?;
    let millis: i64 = select.query_row([], |row| row.get(0))?;
    Ok(row::moment(millis))
}

/// Lets the file know what time it is, and that somebody is at work: a kill loses what he sees next. `latest_end`: of the
/// sessions that were written.
pub(super) fn end(connection: &Db, now: Timestamp, latest_end: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE clock SET last = max(last, ?), rested = 0, latest_end = max(latest_end, ?)",
        )?
        .execute([millis(now), millis(latest_end)])?;
    Ok(())
}

/// A moment at which every session has ended that was ever written.
pub(super) fn latest_end(connection: &Db) -> rusqlite::Result<Timestamp> {
    moment(connection, "SELECT latest_end FROM clock")
}

/// The last word of a process that stops: it has seen nothing later.
pub(super) fn rest(connection: &Db, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE clock SET last = max(last, ?), rested = 1",
        [millis(now)],
    )?;
    Ok(())
}

/// Takes the file's time over after a restart: if the clock now lies behind it, the file's time counts, and with it what an
/// earlier process that did not come to its last word may have seen since. Returns the moment that has certainly passed.
pub(super) fn resume(connection: &Db, clock: Timestamp) -> rusqlite::Result<Timestamp> {
    let behind = clock.plus(BEHIND_MAX);
    connection.execute(
        "UPDATE clock SET last = last + ? WHERE last > ? AND rested = 0",
        params![BEAT_EVERY.as_millis() as i64, millis(behind)],
    )?;
    begin(connection, Timestamp::default())
}

/// How often the file learns what time it is while nobody writes.
pub(super) const BEAT_EVERY: Duration = Duration::from_secs(5);
/// A login in the millisecond of a cutoff begins in the next one, and clocks are corrected: the file's time may lie ahead a
/// little without anybody having set one.
const BEHIND_MAX: Duration = Duration::from_secs(1);
