//! The end: a signal, readiness red, what is in flight finishes, and then nothing is waited for.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora_core::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::control::Board;
use crate::proxy::Edge;

/// How long what the end of the drain cuts may take to say so.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);
/// How often the drain looks whether it is over.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Waits for SIGTERM, SIGINT or SIGQUIT, and begins the drain.
pub(super) struct Signals {
    /// Taken when it is waited for.
    heard: Mutex<Option<Heard>>,
    board: Arc<Board>,
    edge: Arc<Edge>,
    told: SyncSender<()>,
}

/// What tells the process to stop, from the moment on at which this is made.
struct Heard {
    terminate: Signal,
    interrupt: Signal,
    /// The word for a clean stop elsewhere, which images and units carry over.
    quit: Signal,
}

/// The other end: whoever waits for the drain.
pub(super) struct Stopping(Receiver<()>);

impl Signals {
    /// From now on a stop is heard, whenever it is waited for: nobody who sees the process serve can kill it by asking it
    /// to stop. `runtime` lives as long as the process.
    ///
    /// # Errors
    /// When the system lets nobody hear signals.
    pub(super) fn new(
        runtime: &Runtime,
        board: Arc<Board>,
        edge: Arc<Edge>,
    ) -> io::Result<(Self, Stopping)> {
        let _context = runtime.enter();
        let heard = Heard {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        };
        let (told, stopping) = sync_channel(1);
        let signals = Self {
            heard: Mutex::new(Some(heard)),
            board,
            edge,
            told,
        };
        Ok((signals, Stopping(stopping)))
    }

    fn heard(&self) -> Option<Heard> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.take()
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut heard = self.heard().expect("a server waits for its end once");
        tokio::select! {
            _ = heard.terminate.recv() => {}
            _ = heard.interrupt.recv() => {}
            _ = heard.quit.recv() => {}
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
    /// Returns once the process was told to stop and nothing is in flight. What is so for longer than `drain` is cut then,
    /// and has a moment to say so.
    pub(super) fn wait(&self, edge: &Edge) {
        // A sender that is gone will not tell any more.
        let _ = self.0.recv();
        let deadline = edge.drain() + LAST_WORDS_MAX;
        while edge.in_flight() + edge.connections_to_end() > 0 && Instant::now() < deadline {
            std::thread::sleep(LOOK_INTERVAL);
        }
        let (cut, silent) = (edge.cut(), edge.in_flight());
        if cut + silent > 0 {
            // What is silent ends with the process, and has no line in the access log.
            tracing::warn!(cut, silent, "the drain is over before what was in flight");
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
