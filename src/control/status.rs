//! What the gateway tells about itself: which generation serves, how its issuers' keys are, how the last reload ended.
//! Holds facts that others report; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;

use super::keys::Holding;
use crate::time::Timestamp;

/// A moment's facts, for `/readyz` and `/api/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The generation that serves; 1 is the first.
    pub generation: u64,
    /// When it began to serve, in milliseconds since the epoch.
    pub loaded_at_ms: u64,
    /// How the last reload ended; `None`: there was none.
    pub last_reload: Option<LastReload>,
    /// Every issuer, by name.
    pub issuers: Vec<IssuerStatus>,
    /// Names of servers that have no address yet.
    pub unresolved: Vec<String>,
    /// Whether the process is about to end.
    pub draining: bool,
}

impl Status {
    /// Whether the process takes new requests. An issuer without keys does not change that: it is refused alone, and
    /// everything else goes on.
    pub fn is_ready(&self) -> bool {
        self.generation > 0 && !self.draining
    }
}

/// How a reload ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastReload {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Whether the file serves now.
    pub outcome: ReloadOutcome,
    /// What `check` would print; for a file that serves, its warnings.
    pub text: String,
}

/// Whether a reloaded file serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReloadOutcome {
    /// It does.
    Ok,
    /// It does not; what served before still does.
    Rejected,
}

impl ReloadOutcome {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
        }
    }
}

/// One issuer's facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuerStatus {
    /// The name in the configuration.
    pub name: String,
    /// Whether its keys come with the configuration or from a provider.
    pub source: KeyOrigin,
    /// How many keys can be used.
    pub keys: usize,
    /// Seconds since the provider confirmed them; `None` for keys of the configuration, or when it never did.
    pub age_s: Option<u64>,
    /// Why the last fetch failed; `None` when it did not.
    pub last_error: Option<String>,
    /// What that means.
    pub state: IssuerState,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyOrigin {
    /// The configuration.
    Fixed,
    /// The provider.
    Remote,
}

/// What an issuer's tokens can hope for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerState {
    /// Its keys are as the provider has them.
    Fresh,
    /// Its keys are kept ones; the provider does not answer.
    Stale,
    /// It has no usable key: 503 for its tokens.
    Unavailable,
}

/// The board that facts are pinned to. Every method is short and waits for nobody.
#[derive(Debug, Default)]
pub struct Board {
    draining: AtomicBool,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    generation: u64,
    loaded_at: Timestamp,
    last_reload: Option<LastReload>,
    issuers: BTreeMap<Arc<str>, IssuerFacts>,
    unresolved: BTreeSet<String>,
}

#[derive(Debug)]
struct IssuerFacts {
    keys: usize,
    /// What its refresher holds; `None` for keys of the configuration.
    held: Option<Holding>,
}

impl Board {
    /// The facts at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        let facts = self.facts();
        Status {
            generation: facts.generation,
            loaded_at_ms: facts.loaded_at.as_millis(),
            last_reload: facts.last_reload.clone(),
            issuers: facts
                .issuers
                .iter()
                .map(|(name, issuer)| issuer.status(name, now))
                .collect(),
            unresolved: facts.unresolved.iter().cloned().collect(),
            draining: self.draining.load(Ordering::Acquire),
        }
    }

    /// From now on the process is about to end: readiness turns red.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(super) fn published(&self, generation: u64, now: Timestamp) {
        let mut facts = self.facts();
        facts.generation = generation;
        facts.loaded_at = now;
    }

    pub(super) fn reloaded(&self, reload: LastReload) {
        self.facts().last_reload = Some(reload);
    }

    pub(super) fn unresolved(&self, names: BTreeSet<String>) {
        self.facts().unresolved = names;
    }

    /// Whether a server has no address yet.
    pub(super) fn lacks_addresses(&self) -> bool {
        !self.facts().unresolved.is_empty()
    }

    /// Says how many keys of an issuer can be used, and what its refresher holds.
    pub(super) fn issuer(&self, issuer: Arc<str>, keys: usize, held: Option<Holding>) {
        let facts = IssuerFacts { keys, held };
        self.facts().issuers.insert(issuer, facts);
    }

    pub(super) fn retain_issuers(&self, is_configured: impl Fn(&str) -> bool) {
        self.facts().issuers.retain(|name, _| is_configured(name));
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts
            .lock()
            .expect("nobody panics while pinning a fact")
    }
}

impl IssuerFacts {
    fn status(&self, name: &str, now: Timestamp) -> IssuerStatus {
        let held = self.held.as_ref();
        let last_error = held.and_then(Holding::last_error);
        let confirmed_at = held.and_then(Holding::confirmed_at);
        IssuerStatus {
            name: name.to_owned(),
            source: match held {
                Some(_) => KeyOrigin::Remote,
                None => KeyOrigin::Fixed,
            },
            keys: self.keys,
            age_s: confirmed_at.map(|at| now.since(at).as_secs()),
            state: match (self.keys, &last_error) {
                (0, _) => IssuerState::Unavailable,
                (_, Some(_)) => IssuerState::Stale,
                (_, None) => IssuerState::Fresh,
            },
            last_error,
        }
    }
}
