//! Sessions in memory: gone with the process. For tests and for trying things out.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Surroundings;
use crate::session::{
    Change, Command, Committed, Revocation, Revocations, Rows, Session, SessionStore, State,
    StoreError, TimedId, Use, apply,
};
use crate::time::Timestamp;

/// Keeps sessions in memory.
#[derive(Debug)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    surroundings: Surroundings,
}

#[derive(Debug, Default)]
struct Tables {
    sessions: HashMap<TimedId, Session>,
    used: HashMap<[u8; 32], Timestamp>,
    /// Revoked by the change that is being made.
    revoked: Vec<Revocation>,
    /// Everything that was revoked before.
    revocations: Arc<Revocations>,
    /// The time of the last change: time never runs backwards here.
    last: Timestamp,
    swept_at: Timestamp,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(surroundings: Surroundings) -> Self {
        let tables = Tables {
            revocations: surroundings.revocations.clone(),
            ..Tables::default()
        };
        Self {
            tables: Mutex::new(tables),
            surroundings,
        }
    }

    /// No statement of a change can fail, so a panic elsewhere leaves the tables whole.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MemoryStore {
    async fn load(&self, session: TimedId) -> Result<Option<Session>, StoreError> {
        Ok(self.lock().sessions.get(&session).cloned())
    }

    async fn live_of(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut tables = self.lock();
        let now = self.surroundings.clock.now().max(tables.last);
        let Ok(live) = Rows::live_of(&mut *tables, subject, now);
        Ok(live)
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let mut tables = self.lock();
        let revocations = &self.surroundings.revocations;
        let mut at = self.surroundings.clock.now().max(tables.last);
        // What begins here begins after every cutoff, also within one millisecond.
        if matches!(change.command, Command::Open { .. }) {
            at = revocations.beginning(at);
        }
        let Ok(outcome) = apply(&mut *tables, change, at);
        tables.last = at;
        revocations.revoke_all(std::mem::take(&mut tables.revoked), at);
        if at.since(tables.swept_at) >= SWEEP_EVERY {
            tables.sweep(at);
            revocations.expire(at);
        }
        let observer = &self.surroundings.observer;
        observer.revocations(revocations.len(), Duration::ZERO);
        Ok(Committed { at, outcome })
    }
}

impl Tables {
    fn sweep(&mut self, now: Timestamp) {
        self.swept_at = now;
        self.used.retain(|_, expires_at| now < *expires_at);
        self.sessions.retain(|_, session| match session.state {
            State::Active => now < session.expires_at().plus(KEPT_AFTER_END),
            State::Revoked { at, .. } => now < at.plus(KEPT_AFTER_END),
        });
    }
}

impl Rows for Tables {
    type Error = Infallible;

    fn find(&mut self, session: TimedId) -> Result<Option<Session>, Infallible> {
        Ok(self.sessions.get(&session).cloned())
    }

    fn save(&mut self, session: &Session) -> Result<(), Infallible> {
        self.sessions.insert(session.id, session.clone());
        Ok(())
    }

    fn live_of(&mut self, subject: &str, now: Timestamp) -> Result<Vec<Session>, Infallible> {
        let all = self.sessions.values();
        let live = all.filter(|session| *session.subject == *subject && session.is_live(now));
        let mut live: Vec<Session> = live.cloned().collect();
        live.sort_by_key(|session| session.id);
        Ok(live)
    }

    fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    fn latest_end(&mut self) -> Result<Timestamp, Infallible> {
        let ends = self.sessions.values().map(|session| session.ends_at);
        Ok(ends.max().unwrap_or_default())
    }

    fn log(&mut self, revocation: Revocation) -> Result<(), Infallible> {
        self.revoked.push(revocation);
        Ok(())
    }

    fn use_once(&mut self, digest: [u8; 32], expires_at: Timestamp) -> Result<Use, Infallible> {
        Ok(match self.used.insert(digest, expires_at) {
            None => Use::First,
            Some(_) => Use::Again,
        })
    }
}

const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// A dead session is remembered for a day: who comes with its token is told apart from noise.
pub(super) const KEPT_AFTER_END: Duration = Duration::from_secs(24 * 60 * 60);
