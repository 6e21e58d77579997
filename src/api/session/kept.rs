//! What is counted and remembered of calls. It outlives configurations: a reload forgives nobody.

use std::sync::Arc;

use super::limits::Limits;
use super::seen::Seen;

/// Counts and memories of calls, shared by all configurations of one process.
#[derive(Clone, Default)]
pub struct Kept {
    pub(super) limits: Arc<Limits>,
    pub(super) seen: Seen,
}
