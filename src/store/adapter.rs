//! The one store of a process, whichever kind it is, and how long it takes.

use std::sync::Arc;
use std::time::Instant;

use super::memory::MemoryStore;
use super::sqlite::{OpenError, SqliteStore};
use crate::config::model::SessionStoreKind;
use crate::session::{
    Change, Command, Committed, Observer, Revocations, Session, SessionStore, StoreError, TimedId,
};
use crate::time::{Clock, Timestamp};

/// The store of this process.
#[derive(Debug)]
pub struct Store {
    kind: Kind,
    observer: Watching,
}

#[derive(Debug)]
enum Kind {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
}

/// What a store needs from the house.
#[derive(Clone)]
pub struct Surroundings {
    /// What every store counts as revoked, itself and by others.
    pub revocations: Arc<Revocations>,
    /// The time of day, which a store only ever moves forward.
    pub clock: Arc<dyn Clock>,
    /// Hears how long operations take.
    pub observer: Arc<dyn Observer>,
}

impl Store {
    /// Opens the store. Everything that it knows to be revoked counts when this returns.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be opened, or is of a later version.
    pub fn open(kind: &SessionStoreKind, surroundings: Surroundings) -> Result<Self, OpenError> {
        let observer = Watching(surroundings.observer.clone());
        let kind = match kind {
            SessionStoreKind::Memory => Kind::Memory(MemoryStore::new(surroundings)),
            SessionStoreKind::Sqlite(path) => Kind::Sqlite(SqliteStore::open(path, surroundings)?),
        };
        Ok(Self { kind, observer })
    }
}

impl Store {
    /// A moment that has passed for certain: what an earlier process saw is not undone by a clock that was set back.
    pub fn passed(&self) -> Timestamp {
        match &self.kind {
            Kind::Memory(_) => Timestamp::default(),
            Kind::Sqlite(store) => store.passed(),
        }
    }

    /// The last word before a stop: nothing later than `now` was seen. After a stop without it the next process reckons
    /// with a little more.
    pub fn rest(&self, now: Timestamp) {
        if let Kind::Sqlite(store) = &self.kind {
            store.rest(now);
        }
    }
}

impl SessionStore for Store {
    async fn load(&self, session: TimedId) -> Result<Option<Session>, StoreError> {
        let begun = Instant::now();
        let loaded = match &self.kind {
            Kind::Memory(store) => store.load(session).await,
            Kind::Sqlite(store) => store.load(session).await,
        };
        self.observer.0.store("load", begun.elapsed());
        loaded
    }

    async fn live_of(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let begun = Instant::now();
        let live = match &self.kind {
            Kind::Memory(store) => store.live_of(subject).await,
            Kind::Sqlite(store) => store.live_of(subject).await,
        };
        self.observer.0.store("list", begun.elapsed());
        live
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let (begun, operation) = (Instant::now(), operation(&change.command));
        let committed = match &self.kind {
            Kind::Memory(store) => store.commit(change).await,
            Kind::Sqlite(store) => store.commit(change).await,
        };
        self.observer.0.store(operation, begun.elapsed());
        committed
    }
}

/// The metric's label.
fn operation(command: &Command) -> &'static str {
    match command {
        Command::Open { .. } => "open",
        Command::Rotate(_) => "rotate",
        Command::Revoke { .. } | Command::RevokeSubject { .. } => "revoke",
        Command::Confirm { .. } => "confirm",
        Command::Deny(_) => "deny",
        Command::UseOnce { .. } => "use_once",
    }
}

struct Watching(Arc<dyn Observer>);

impl std::fmt::Debug for Watching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}
