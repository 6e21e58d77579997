//! The request's body on its way up, and the client after it.

use std::future::pending;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::proxy::body::Source;
use crate::proxy::part::{BodyFault, Leave};
use crate::proxy::relay::{Outlet, RelayFault, Terms, relay};

/// How long a client that sends nothing more is taken for one that waits for an answer to begin. Hardly any is: most have
/// closed the connection, which cannot be told from it, and the server would work for nobody.
pub(in crate::proxy) const LISTENS_MAX: Duration = Duration::from_secs(1);

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
                if source.left().await == Leave::Hushed {
                    // Boxed: a timer needs room, and few requests need one.
                    Box::pin(sleep(LISTENS_MAX)).await;
                    if terms.patience.answered.load(Ordering::Relaxed) {
                        return pending().await;
                    }
                }
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
