//! The request's body on its way up, and the client after it.

use std::future::pending;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use crate::proxy::body::Source;
use crate::proxy::part::BodyFault;
use crate::proxy::relay::{Outlet, RelayFault, Terms, relay};

/// How far the request's body is.
pub(super) struct Upload {
    begun_at: Instant,
    /// When all of it had left, or the server wanted no more.
    over_at: OnceLock<Instant>,
    /// All of it left.
    is_whole: AtomicBool,
}

impl Upload {
    /// Nothing has left.
    pub(super) fn begun(begun_at: Instant) -> Self {
        Self {
            begun_at,
            over_at: OnceLock::new(),
            is_whole: AtomicBool::new(false),
        }
    }

    /// Sends the body, then watches the client. Ends with what is wrong with the client; a server that takes no more is
    /// for the answer to tell.
    pub(super) async fn run(
        &self,
        source: &mut Source<'_>,
        outlet: &mut Outlet<'_>,
        terms: &Terms<'_>,
        count: &mut u64,
    ) -> BodyFault {
        let is_empty = source.is_over();
        match relay(source, outlet, terms, count).await {
            Ok(()) => {
                // A head alone is over as soon as it was begun.
                let over_at = if is_empty {
                    self.begun_at
                } else {
                    Instant::now()
                };
                self.ends(over_at, true);
                source.gone().await;
                BodyFault::Cut
            }
            Err(RelayFault::From(fault)) => fault,
            Err(RelayFault::To(_)) => {
                self.ends(Instant::now(), false);
                pending().await
            }
        }
    }

    fn ends(&self, over_at: Instant, is_whole: bool) {
        self.is_whole.store(is_whole, Ordering::Relaxed);
        self.over_at.get_or_init(|| over_at);
    }

    /// Since when the server waits for nothing more.
    pub(super) fn over_at(&self) -> Option<Instant> {
        self.over_at.get().copied()
    }

    /// Whether all of it left.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }
}
