//! The end: a signal, readiness red, what is in flight finishes, and then nothing is waited for.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora_core::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{SignalKind, signal};

use crate::control::Board;
use crate::proxy::Edge;

/// How often the drain looks whether it is over.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Waits for SIGTERM or SIGINT, and begins the drain.
pub(super) struct Signals {
    board: Arc<Board>,
    edge: Arc<Edge>,
    told: SyncSender<()>,
}

/// The other end: whoever waits for the drain.
pub(super) struct Stopping(Receiver<()>);

impl Signals {
    pub(super) fn new(board: Arc<Board>, edge: Arc<Edge>) -> (Self, Stopping) {
        let (told, stopping) = sync_channel(1);
        (Self { board, edge, told }, Stopping(stopping))
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut terminate =
            signal(SignalKind::terminate()).expect("a process may listen for SIGTERM");
        let mut interrupt =
            signal(SignalKind::interrupt()).expect("a process may listen for SIGINT");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        self.board.drain();
        self.edge.drain();
        tracing::info!(in_flight = self.edge.in_flight(), "draining");
        // A full channel was told already.
        let _ = self.told.try_send(());
        ShutdownSignal::GracefulTerminate
    }
}

impl Stopping {
    /// Returns once the process was told to stop and nothing is in flight, at the latest `drain` after the signal:
    /// that of the configuration that serves then.
    pub(super) fn wait(&self, edge: &Edge) {
        // A sender that is gone will not tell any more.
        let _ = self.0.recv();
        let drain = edge.gate.look(|gate| gate.config().server.drain);
        let deadline = Instant::now() + drain;
        while edge.in_flight() > 0 && Instant::now() < deadline {
            std::thread::sleep(LOOK_INTERVAL);
        }
    }
}

/// Never stops by itself: ends with the process.
pub(super) struct Never;

#[async_trait]
impl ShutdownSignalWatch for Never {
    async fn recv(&self) -> ShutdownSignal {
        std::future::pending().await
    }
}
