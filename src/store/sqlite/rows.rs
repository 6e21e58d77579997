//! The rows of one SQLite transaction.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::db::Db;
use super::row::{self, millis, moment};
use crate::session::{Revocation, Revocations, Revoked, Rows, Session, TimedId, Use};
use crate::time::Timestamp;

/// A transaction, and what it revoked so far.
pub(super) struct SqliteRows<'c> {
    pub(super) connection: &'c Db,
    /// Everything that was revoked before.
    pub(super) revocations: &'c Revocations,
    pub(super) revoked: Vec<Revocation>,
    /// The latest end of a session that was written.
    pub(super) latest_end: Timestamp,
}

impl Rows for SqliteRows<'_> {
    type Error = rusqlite::Error;

    fn find(&mut self, session: TimedId) -> rusqlite::Result<Option<Session>> {
        find(self.connection, session)
    }

    fn save(&mut self, session: &Session) -> rusqlite::Result<()> {
        self.latest_end = self.latest_end.max(session.ends_at);
        // Most writes are rotations: a session that is new or ended is met by no row and pays for both.
        let mut renew = self.connection.prepare_cached(row::RENEW)?;
        if row::write(&mut renew, session)? == 0 {
            row::write(&mut *self.connection.prepare_cached(row::UPSERT)?, session)?;
        }
        Ok(())
    }

    fn live_of(&mut self, subject: &str, now: Timestamp) -> rusqlite::Result<Vec<Session>> {
        live_of(self.connection, subject, now)
    }

    fn revocations(&self) -> &Revocations {
        self.revocations
    }

    fn latest_end(&mut self) -> rusqlite::Result<Timestamp> {
        let known = super::time::latest_end(self.connection)?;
        Ok(self.latest_end.max(known))
    }

    fn log(&mut self, revocation: Revocation) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO revlog(kind, value, issuer, cutoff, expires_at) VALUES(?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            revocation.what.kind(),
            revocation.what.value(),
            revocation.issuer.as_deref(),
            millis(revocation.cutoff),
            millis(revocation.expires_at),
        ])?;
        self.revoked.push(revocation);
        Ok(())
    }

    fn use_once(&mut self, digest: [u8; 32], expires_at: Timestamp) -> rusqlite::Result<Use> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO used_once VALUES(?, ?)")?;
        Ok(match insert.execute(params![digest, millis(expires_at)])? {
            0 => Use::Again,
            _ => Use::First,
        })
    }
}

/// One session by its name.
pub(super) fn find(connection: &Db, session: TimedId) -> rusqlite::Result<Option<Session>> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            row::columns!(),
            " FROM session WHERE sid = ?"
        ))?
        .query_row([session.to_string()], row::read)
        .optional()
}

/// The live sessions of a subject, the oldest first: names sort by time.
pub(super) fn live_of(
    connection: &Db,
    subject: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<Session>> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            row::columns!(),
            " FROM session WHERE subject = ? AND state = ? AND expires_at > ? ORDER BY sid"
        ))?
        .query_map(params![subject, row::ACTIVE, millis(now)], row::read)?
        .collect()
}

/// The first revocations behind `seq`, with their own.
pub(super) fn revoked_since(
    connection: &Db,
    seq: i64,
    rows_max: i64,
) -> rusqlite::Result<Vec<(i64, Option<Revocation>)>> {
    connection
        .prepare_cached(
            "SELECT seq, kind, value, issuer, cutoff, expires_at FROM revlog WHERE seq > ? ORDER BY seq LIMIT ?",
        )?
        .query_map([seq, rows_max], |row| {
            let (kind, value): (String, String) = (row.get(1)?, row.get(2)?);
            let issuer: Option<String> = row.get(3)?;
            let revocation = match Revoked::from_parts(&kind, &value) {
                Some(what) => Some(Revocation {
                    what,
                    issuer: issuer.map(Arc::from),
                    cutoff: moment(row.get(4)?),
                    expires_at: moment(row.get(5)?),
                }),
                None => None,
            };
            Ok((row.get(0)?, revocation))
        })?
        .collect()
}
