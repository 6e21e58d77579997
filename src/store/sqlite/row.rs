//! One session as one row, and back.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Error, Row, Statement, named_params};

use crate::session::{
    Context, Device, ForeignReplays, KeyId, Salt, Session, State, TimedId, Transport, Why,
};
use crate::time::Timestamp;

/// Writes every column.
pub(super) const UPSERT: &str = "
INSERT OR REPLACE INTO session(
  sid, state, revoked_at, generation, key, rotated_at, confirmed, replays, context,
  foreign_count, foreign_generation, foreign_since, idle_until, ends_at, idle_lifetime, expires_at,
  subject, client, transport, salt, claims, granted_at, handle, label, user_agent, address)
VALUES(
  :sid, :state, :revoked_at, :generation, :key, :rotated_at, :confirmed, :replays, :context,
  :foreign_count, :foreign_generation, :foreign_since, :idle_until, :ends_at, :idle_lifetime, :expires_at,
  :subject, :client, :transport, :salt, :claims, :granted_at, :handle, :label, :user_agent, :address)";

/// Writes a session with [`UPSERT`].
pub(super) fn write(statement: &mut Statement<'_>, session: &Session) -> rusqlite::Result<()> {
    let (state, revoked_at) = match session.state {
        State::Active => (ACTIVE, None),
        State::Revoked { at, why } => (why.as_str(), Some(millis(at))),
    };
    let claims = serde_json::to_string(&session.grant).expect("a grant becomes JSON");
    statement.execute(named_params! {
        ":sid": session.id.to_string(),
        ":state": state,
        ":revoked_at": revoked_at,
        ":generation": session.generation.cast_signed(),
        ":key": session.key.0,
        ":rotated_at": millis(session.rotated_at),
        ":confirmed": session.confirmed,
        ":replays": session.replays,
        ":context": session.context.0,
        ":foreign_count": session.foreign.count,
        ":foreign_generation": session.foreign.generation.cast_signed(),
        ":foreign_since": millis(session.foreign.since),
        ":idle_until": millis(session.idle_until),
        ":ends_at": millis(session.ends_at),
        ":idle_lifetime": i64::try_from(session.idle_lifetime.as_millis()).unwrap_or(i64::MAX),
        ":expires_at": millis(session.expires_at()),
        ":subject": &*session.subject,
        ":client": &*session.client,
        ":transport": match session.transport {
            Transport::Cookie => COOKIE,
            Transport::Body => BODY,
        },
        ":salt": session.salt.0,
        ":claims": claims,
        ":granted_at": millis(session.granted_at),
        ":handle": session.handle.as_deref(),
        ":label": &*session.device.label,
        ":user_agent": &*session.device.user_agent,
        ":address": &*session.device.address,
    })?;
    Ok(())
}

/// Reads a row of `SELECT * FROM session`.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: TimedId::parse(&text(row, "sid")?).ok_or_else(|| unreadable("sid"))?,
        state: state(row)?,
        generation: row.get::<_, i64>("generation")?.cast_unsigned(),
        key: KeyId(row.get("key")?),
        rotated_at: moment(row, "rotated_at")?,
        confirmed: row.get("confirmed")?,
        replays: row.get("replays")?,
        context: Context(row.get("context")?),
        foreign: ForeignReplays {
            count: row.get("foreign_count")?,
            generation: row.get::<_, i64>("foreign_generation")?.cast_unsigned(),
            since: moment(row, "foreign_since")?,
        },
        idle_until: moment(row, "idle_until")?,
        ends_at: moment(row, "ends_at")?,
        idle_lifetime: Duration::from_millis(moment(row, "idle_lifetime")?.as_millis()),
        subject: text(row, "subject")?.into(),
        client: text(row, "client")?.into(),
        transport: match &*text(row, "transport")? {
            COOKIE => Transport::Cookie,
            BODY => Transport::Body,
            _ => return Err(unreadable("transport")),
        },
        salt: Salt(row.get("salt")?),
        grant: serde_json::from_str(&text(row, "claims")?).map_err(|_| unreadable("claims"))?,
        granted_at: moment(row, "granted_at")?,
        handle: row.get::<_, Option<Vec<u8>>>("handle")?.map(Into::into),
        device: Device {
            label: text(row, "label")?.into(),
            user_agent: text(row, "user_agent")?.into(),
            address: text(row, "address")?.into(),
        },
    })
}

fn state(row: &Row<'_>) -> rusqlite::Result<State> {
    let word = text(row, "state")?;
    if word == ACTIVE {
        return Ok(State::Active);
    }
    let why = Why::ALL.into_iter().find(|why| why.as_str() == word);
    Ok(State::Revoked {
        at: moment(row, "revoked_at")?,
        why: why.ok_or_else(|| unreadable("state"))?,
    })
}

fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    row.get(column)
}

fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(column)?;
    Ok(Timestamp::from_millis(millis.max(0).cast_unsigned()))
}

/// SQLite counts with a sign; the end of its time is far enough.
pub(super) fn millis(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_millis()).unwrap_or(i64::MAX)
}

fn unreadable(column: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, format!("unreadable {column}").into())
}

/// `state` of a session that is not revoked.
pub(super) const ACTIVE: &str = "active";
const COOKIE: &str = "cookie";
const BODY: &str = "body";
