//! One session as one row, and back.

use std::time::Duration;

use rusqlite::types::{FromSql, Type};
use rusqlite::{Error, Row, Statement, params};

use crate::session::{
    Context, Device, ForeignReplays, KeyId, Salt, Session, State, TimedId, Transport, Why,
};
use crate::time::Timestamp;

/// Every column, in the order in which [`write`] binds and [`read`] reads them.
macro_rules! columns {
    () => {
        "sid, state, revoked_at, generation, key, rotated_at, confirmed, replays, context,
  foreign_count, foreign_generation, foreign_since, idle_until, ends_at, idle_lifetime, expires_at,
  subject, client, transport, salt, claims, granted_at, handle, label, user_agent, address,
  expires_hour"
    };
}
pub(super) use columns;

/// Writes a session that is new, or whose state has changed.
pub(super) const UPSERT: &str = concat!(
    "INSERT OR REPLACE INTO session(",
    columns!(),
    ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
  ?24, ?25, ?26, ?27)"
);

/// Writes what may change of a session while its state stays, and the hour in which it expires: no index is touched.
pub(super) const RENEW: &str = "
UPDATE session SET
  generation = ?4, key = ?5, rotated_at = ?6, confirmed = ?7, replays = ?8, context = ?9,
  foreign_count = ?10, foreign_generation = ?11, foreign_since = ?12,
  idle_until = ?13, ends_at = ?14, idle_lifetime = ?15, expires_at = ?16,
  client = ?18, transport = ?19, salt = ?20, claims = ?21, granted_at = ?22, handle = ?23,
  label = ?24, user_agent = ?25, address = ?26
WHERE sid = ?1 AND state = ?2 AND revoked_at IS ?3 AND subject = ?17 AND expires_hour = ?27";

/// Writes a session with [`UPSERT`] or [`RENEW`]. Returns how many rows that changed.
pub(super) fn write(statement: &mut Statement<'_>, session: &Session) -> rusqlite::Result<usize> {
    let (state, revoked_at) = match session.state {
        State::Active => (ACTIVE, None),
        State::Revoked { at, why } => (why.as_str(), Some(millis(at))),
    };
    let transport = match session.transport {
        Transport::Cookie => COOKIE,
        Transport::Body => BODY,
    };
    let claims = serde_json::to_string(&session.grant).expect("a grant becomes JSON");
    statement.execute(params![
        session.id.to_string(),
        state,
        revoked_at,
        session.generation.cast_signed(),
        session.key.0,
        millis(session.rotated_at),
        session.confirmed,
        session.replays,
        session.context.0,
        session.foreign.count,
        session.foreign.generation.cast_signed(),
        millis(session.foreign.since),
        millis(session.idle_until),
        millis(session.ends_at),
        i64::try_from(session.idle_lifetime.as_millis()).unwrap_or(i64::MAX),
        millis(session.expires_at()),
        &*session.subject,
        &*session.client,
        transport,
        session.salt.0,
        claims,
        millis(session.granted_at),
        session.handle.as_deref(),
        &*session.device.label,
        &*session.device.user_agent,
        &*session.device.address,
        millis(session.expires_at()) / HOUR,
    ])
}

/// Reads a row of all [`columns`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    let mut cells = Cells { row, next: 0 };
    let id = TimedId::parse(cells.text()?).ok_or_else(|| unreadable("sid"))?;
    let state = state(&mut cells)?;
    let (generation, key, rotated_at) = (cells.count()?, KeyId(cells.value()?), cells.moment()?);
    let (confirmed, replays, context) = (cells.value()?, cells.value()?, Context(cells.value()?));
    let foreign = ForeignReplays {
        count: cells.value()?,
        generation: cells.count()?,
        since: cells.moment()?,
    };
    let (idle_until, ends_at) = (cells.moment()?, cells.moment()?);
    let idle_lifetime = Duration::from_millis(cells.moment()?.as_millis());
    let _expires_at = cells.moment()?;
    Ok(Session {
        id,
        state,
        generation,
        key,
        rotated_at,
        confirmed,
        replays,
        context,
        foreign,
        idle_until,
        ends_at,
        idle_lifetime,
        subject: cells.text()?.into(),
        client: cells.text()?.into(),
        transport: match cells.text()? {
            COOKIE => Transport::Cookie,
            BODY => Transport::Body,
            _ => return Err(unreadable("transport")),
        },
        salt: Salt(cells.value()?),
        grant: serde_json::from_str(cells.text()?).map_err(|_| unreadable("claims"))?,
        granted_at: cells.moment()?,
        handle: cells.value::<Option<Vec<u8>>>()?.map(Into::into),
        device: Device {
            label: cells.text()?.into(),
            user_agent: cells.text()?.into(),
            address: cells.text()?.into(),
        },
    })
}

fn state(cells: &mut Cells<'_, '_>) -> rusqlite::Result<State> {
    let word = cells.text()?;
    let revoked_at: Option<i64> = cells.value()?;
    if word == ACTIVE {
        return Ok(State::Active);
    }
    let why = Why::ALL.into_iter().find(|why| why.as_str() == word);
    Ok(State::Revoked {
        at: moment(revoked_at.ok_or_else(|| unreadable("revoked_at"))?),
        why: why.ok_or_else(|| unreadable("state"))?,
    })
}

/// The cells of a row, one after the other: to look each up by its name takes longer than to read it.
struct Cells<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r> Cells<'r, '_> {
    fn value<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    fn text(&mut self) -> rusqlite::Result<&'r str> {
        self.next += 1;
        let cell = self.row.get_ref(self.next - 1)?;
        cell.as_str().map_err(|_| unreadable("text"))
    }

    fn moment(&mut self) -> rusqlite::Result<Timestamp> {
        self.value().map(moment)
    }

    fn count(&mut self) -> rusqlite::Result<u64> {
        self.value().map(i64::cast_unsigned)
    }
}

pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.max(0).cast_unsigned())
}

/// SQLite counts with a sign; the end of its time is far enough.
pub(super) fn millis(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_millis()).unwrap_or(i64::MAX)
}

fn unreadable(column: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, format!("unreadable {column}").into())
}

/// Milliseconds of an hour: the step of `expires_hour`.
const HOUR: i64 = 3_600_000;
/// `state` of a session that is not revoked.
pub(super) const ACTIVE: &str = "active";
const COOKIE: &str = "cookie";
const BODY: &str = "body";
