//! When something moved last, for those who watch while others move it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The moment at which something moved last; at first, the one at which this was made.
#[derive(Debug)]
pub(super) struct Moved {
    began: Instant,
    /// Milliseconds behind `began`.
    at_millis: AtomicU64,
}

impl Moved {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            at_millis: AtomicU64::new(0),
        }
    }

    /// Something moves.
    pub(super) fn moves(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at_millis.store(millis, Ordering::Relaxed);
    }

    /// When that was.
    pub(super) fn at(&self) -> Instant {
        self.began + Duration::from_millis(self.at_millis.load(Ordering::Relaxed))
    }
}
