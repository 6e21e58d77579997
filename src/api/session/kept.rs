//! What is counted and remembered of calls. It outlives configurations: a reload forgives nobody.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::limits::Limits;
use crate::session::TimedId;

/// Counts and memories of calls, shared by all configurations of one process.
#[derive(Clone, Default)]
pub struct Kept {
    pub(super) limits: Arc<Limits>,
    pub(super) seen: Seen,
}

/// Which generation of a session was seen last.
#[derive(Clone)]
pub(super) struct Seen(pub(super) Arc<Cache<TimedId, u64>>);

impl Default for Seen {
    fn default() -> Self {
        Self(Arc::new(Cache::new(SESSIONS_MAX)))
    }
}

/// Hot sessions; a colder one costs a write that changes nothing.
const SESSIONS_MAX: usize = 100_000;
