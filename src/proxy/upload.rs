//! The request's body on its way up, and the client after it.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::body::{BodyFault, Source};
use super::relay::{Outlet, RelayFault, Terms, relay};

/// How far the request's body is.
#[derive(Default)]
pub(super) struct Upload {
    /// All of it left, or the server wants no more.
    is_over: AtomicBool,
    /// All of it left.
    is_whole: AtomicBool,
    over: Notify,
}

impl Upload {
    /// Sends the body, then watches the client. Ends with what is wrong with the client; a server that takes no more is
    /// for the answer to tell.
    pub(super) async fn run(
        &self,
        source: &mut Source<'_>,
        outlet: &mut Outlet<'_>,
        terms: &Terms<'_>,
        count: &mut u64,
    ) -> BodyFault {
        match relay(source, outlet, terms, count).await {
            Ok(()) => {
                self.ends(true);
                source.gone().await;
                BodyFault::Cut
            }
            Err(RelayFault::From(fault)) => fault,
            Err(RelayFault::To(_)) => {
                self.ends(false);
                pending().await
            }
        }
    }

    fn ends(&self, is_whole: bool) {
        self.is_whole.store(is_whole, Ordering::Relaxed);
        self.is_over.store(true, Ordering::Relaxed);
        self.over.notify_one();
    }

    /// Waits until the server had `patience` to answer after the request's last byte.
    pub(super) async fn unanswered(&self, patience: Duration) {
        self.over.notified().await;
        pingora_timeout::sleep(patience).await;
    }

    /// Whether the server waits for nothing more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether all of it left.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }
}
