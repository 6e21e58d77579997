//! `[sessions]`: what is minted, how long it lives, with which keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::read::{any_url, claim_path, host};
use super::session_client::clients;
use super::session_edge::{claims_hook, cookie, limits, login_hook};
use crate::config::model::{SessionStoreKind, Sessions};
use crate::config::names::Known;
use crate::config::table::Table;
use crate::config::units::hex;
use crate::config::value::Value;
use crate::secret::Secret;
use crate::session::{Grant, KeyFile, RefreshKeys, ScheduledKey, SigningKeys};
use crate::token::ClaimPath;

/// Bytes of a refresh key.
const REFRESH_KEY_BYTES: usize = 32;

/// Reads `[sessions]`.
pub(in crate::config) fn sessions<'w>(table: &Table<'w>, known: &Known<'w>) -> Option<Sessions> {
    let help = "write the `iss` of minted tokens: issuer = \"https://auth.example.com\"";
    let issuer = table.need("issuer", help, issuer);
    let help = "say whom minted tokens are for: audience = \"https://api.example.com\"";
    let audience = table.need("audience", help, Value::line);
    let help = "make one with `tollgate key generate`: signing_keys = [\"file:sign.pem\"]";
    let signing_keys = table.need("signing_keys", help, signing_keys);
    let help = "make one with `openssl rand -base64 32`: refresh_keys = [\"file:refresh.key\"]";
    let refresh_keys = table.need("refresh_keys", help, refresh_keys);
    let life = Life::read(table);
    let (claims_hook, claims_stale_ok) =
        claims_hook(table.table("claims_hook", "sessions.claims_hook").as_ref());
    let login_hook = table
        .table("login_hook", "sessions.login_hook")
        .and_then(|table| login_hook(&table));
    let cookie = table
        .table("cookie", "sessions.cookie")
        .and_then(|table| cookie(&table));
    Some(Sessions {
        hosts: table.read_or("hosts", Vec::new(), |value| value.some(host)),
        access_lifetime: life.access,
        access_lifetime_max: life.access,
        access_jitter: life.jitter,
        grace: life.grace,
        lost_reply_window: life.lost_reply_window,
        idle_lifetime: life.idle,
        absolute_lifetime: life.absolute,
        max_replays: life.max_replays,
        sessions_per_subject_max: table.read_or("sessions_per_subject_max", 50, |value| {
            value.count(1..=10_000)
        }) as u32,
        products: products(table),
        store: store(table),
        login_hook,
        claims_hook,
        claims_stale_ok,
        cookie,
        limits: limits(table.table("limits", "sessions.limits").as_ref()),
        clients: clients(table, known),
        issuer: Arc::from(issuer?),
        audience: audience?.into(),
        signing_keys: signing_keys?,
        refresh_keys: refresh_keys?,
    })
}

/// An issuer has no query: its path is where its metadata is looked for (RFC 8414 §2, §3.1).
fn issuer(value: &Value<'_>) -> Option<Box<str>> {
    let text = any_url(value)?;
    if !text.contains('?') {
        return Some(text);
    }
    let help = "write scheme, host and perhaps a path: \"https://auth.example.com\"";
    value.refuse("url_invalid", "an issuer has no query", help)
}

/// The keys of every entry; where the first entry lies, for `tollgate key rotate`.
fn signing_keys(value: &Value<'_>) -> Option<SigningKeys> {
    let mut files = Vec::new();
    let mut known = Vec::new();
    let sets = value.some(|entry| {
        files.push(entry.secret_path());
        let set = signing_set(entry)?;
        for scheduled in &set {
            once(entry, &mut known, scheduled.key.kid().to_owned())?;
        }
        Some(set)
    })?;
    Some(SigningKeys::new(sets, files.swap_remove(0)))
}

fn signing_set(value: &Value<'_>) -> Option<Vec<ScheduledKey>> {
    match KeyFile::parse(&value.secret()?) {
        Ok(file) => Some(file.into_keys()),
        Err(why) => {
            let message = format!("`{}` has no usable signing key: {why}", value.key);
            let help = "make one with `tollgate key generate`";
            value.refuse("signing_key_invalid", message, help)
        }
    }
}

/// The active one first.
fn refresh_keys(value: &Value<'_>) -> Option<Vec<Secret>> {
    let mut known = Vec::new();
    value.some(|entry| {
        let key = refresh_key(entry)?;
        // By the name that tokens know it by.
        let alone = RefreshKeys::new(std::slice::from_ref(&key)).ok()?;
        once(entry, &mut known, alone.active())?;
        Some(key)
    })
}

/// Refuses a key that stands before in the same list.
fn once<K: PartialEq>(value: &Value<'_>, known: &mut Vec<K>, key: K) -> Option<()> {
    if known.contains(&key) {
        let message = format!("`{}` has this key already", value.key);
        return value.refuse("key_repeated", message, "remove one of the two");
    }
    known.push(key);
    Some(())
}

/// How long things live.
struct Life {
    access: Duration,
    jitter: f64,
    grace: Duration,
    lost_reply_window: Duration,
    idle: Duration,
    absolute: Duration,
    max_replays: u32,
}

impl Life {
    fn read(table: &Table<'_>) -> Self {
        let seconds = Duration::from_secs;
        let mut life = Self {
            access: seconds(600),
            jitter: 0.05,
            grace: seconds(10),
            lost_reply_window: seconds(120),
            idle: seconds(14 * 86_400),
            absolute: seconds(30 * 86_400),
            max_replays: 20,
        };
        if let Some(access) = table.table("access_token", "sessions.access_token") {
            life.access = access.read_or("lifetime", life.access, Value::span);
            life.jitter = access.read_or("jitter", life.jitter, |value| value.fraction(0.0..=0.5));
            if life.access > seconds(24 * 3600) {
                let message = "access tokens live longer than 24h: a logout is felt as late by whoever verifies them elsewhere";
                access.warn("lifetime", "lifetime_long", message, "write \"10m\"");
            }
        }
        if let Some(refresh) = table.table("refresh_token", "sessions.refresh_token") {
            life.grace = refresh.read_or("grace", life.grace, Value::duration);
            life.lost_reply_window =
                refresh.read_or("lost_reply_window", life.lost_reply_window, Value::duration);
            life.idle = refresh.read_or("idle_lifetime", life.idle, Value::span);
            life.absolute = refresh.read_or("absolute_lifetime", life.absolute, Value::span);
            life.max_replays = refresh.read_or("max_replays", life.max_replays.into(), |value| {
                value.count(0..=1000)
            }) as u32;
            life.check(&refresh);
        }
        life
    }

    fn check(&self, table: &Table<'_>) {
        if self.idle > self.absolute {
            let message = "`idle_lifetime` is longer than `absolute_lifetime`: it never counts";
            table.warn(
                "idle_lifetime",
                "key_without_effect",
                message,
                "write the shorter one as `idle_lifetime`",
            );
        }
        if self.lost_reply_window < self.grace {
            let message = "`lost_reply_window` is shorter than `grace`: it never counts";
            table.warn(
                "lost_reply_window",
                "key_without_effect",
                message,
                "write grace = \"10s\" and lost_reply_window = \"2m\"",
            );
        }
    }
}

fn products(table: &Table<'_>) -> ClaimPath {
    let path = ClaimPath::of("products");
    match table.table("claims", "sessions.claims") {
        Some(claims) => claims.read_or("products", path, own_claim_path),
        None => path,
    }
}

/// Where the gate can put something: a claim that it writes itself takes the place of whatever stands there.
fn own_claim_path(value: &Value<'_>) -> Option<ClaimPath> {
    let path = claim_path(value)?;
    let is_written = |name: &str| Grant::RESERVED.contains(&name) || Grant::NAMED.contains(&name);
    if !is_written(&path.names()[0]) {
        return Some(path);
    }
    let message = format!(
        "`{}` is a claim that the gate writes itself",
        path.names()[0]
    );
    let help = "name one of its own: \"products\"";
    value.refuse("claim_path_invalid", message, help)
}

/// Where sessions are kept: in a file beside the configuration, unless it says otherwise.
fn store(sessions: &Table<'_>) -> SessionStoreKind {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Memory,
        Sqlite,
    }
    const WORDS: [(&str, Kind); 2] = [("sqlite", Kind::Sqlite), ("memory", Kind::Memory)];
    let beside = sessions.walk.files.resolve(Path::new("sessions.db"));
    let Some(table) = sessions.table("store", "sessions.store") else {
        return sqlite(sessions, beside);
    };
    let path = table.read_or("path", beside, Value::path);
    match table.read_or("kind", Kind::Sqlite, |value| value.word(&WORDS)) {
        Kind::Sqlite => sqlite(&table, path),
        Kind::Memory => {
            let message = "sessions are kept in memory: a restart logs everybody out";
            table.warn(
                "kind",
                "store_volatile",
                message,
                "write kind = \"sqlite\" outside of tests",
            );
            SessionStoreKind::Memory
        }
    }
}

/// A file for the sessions, if it can be one. A fault is where `table` names it, or else `table` itself.
fn sqlite(table: &Table<'_>, path: PathBuf) -> SessionStoreKind {
    if let Err(why) = table.walk.files.check_store(&path) {
        let help = "let whoever runs the gateway write in its folder, or name another: [sessions.store] path = \"…\"";
        let span = table.span_of("path");
        table.walk.refuse::<()>("store_unwritable", span, why, help);
    }
    SessionStoreKind::Sqlite(path)
}

/// 32 bytes behind a secret, as base64 in either alphabet or as hex.
fn refresh_key(value: &Value<'_>) -> Option<Secret> {
    let written = value.secret()?;
    let text = written.expose().trim_ascii();
    let decoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .into_iter()
        .filter_map(|alphabet| alphabet.decode(text).ok().map(Zeroizing::new))
        .find(|bytes| bytes.len() == REFRESH_KEY_BYTES)
        .map(|bytes| bytes.to_vec());
    decoded
        .or_else(|| hex(text))
        .filter(|bytes| bytes.len() == REFRESH_KEY_BYTES)
        .map(Secret::new)
        .or_else(|| {
            let message = "the refresh key is not 32 bytes in base64 or hex";
            value.refuse(
                "refresh_key_invalid",
                message,
                "make one with `openssl rand -base64 32`",
            )
        })
}
