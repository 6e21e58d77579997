//! What is counted and remembered of calls. It outlives configurations: a reload forgives nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::limits::Limits;
use crate::session::{TimedId, Unkept};

/// Counts and memories of calls, shared by all configurations of one process.
#[derive(Clone, Default)]
pub struct Kept {
    pub(super) limits: Arc<Limits>,
    pub(super) seen: Seen,
    pub(super) unkept: Arc<Unkept>,
}

/// Which generation of a session was seen last, and when the store may hear of the next one.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) last: Arc<Cache<TimedId, u64>>,
    rests_until: Arc<Mutex<Option<Instant>>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            last: Arc::new(Cache::new(SESSIONS_MAX)),
            rests_until: Arc::default(),
        }
    }
}

impl Seen {
    /// Tells the store nothing for a while: it did not answer.
    pub(super) fn rest(&self) {
        *self.lock() = Some(Instant::now() + REST);
    }

    /// Whether the store is told nothing at present.
    pub(super) fn rests(&self) -> bool {
        self.lock().is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hot sessions; a colder one costs a write that changes nothing.
const SESSIONS_MAX: usize = 100_000;
/// Requests go on while the store is out of order, and not each of them shall try it.
const REST: Duration = Duration::from_secs(1);
