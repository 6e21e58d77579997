//! The world as the composition root sees it: started once, then driven until the end.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::certificates::Certificates;
use super::event::Handle;
use super::keys::Keys;
use super::live::Live;
use super::names::Names;
use super::status::Board;
use crate::gate::Gate;
use crate::telemetry::Metrics;
use crate::time::Clock;

/// Everything that changes while the gateway serves, with its single writer.
pub struct World {
    gate: Arc<Live<Gate>>,
    keys: Arc<Keys>,
    names: Arc<Names>,
    certificates: Arc<Live<Certificates>>,
    board: Arc<Board>,
    handle: Handle,
    warnings: String,
}

/// Why nothing can be served, in words for the operator.
#[derive(Debug)]
pub enum StartError {
    /// The configuration cannot be read or has faults.
    Load(super::load::LoadError),
    /// Something that it names cannot be used.
    Unusable(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::Unusable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StartError {}

impl World {
    /// Loads the configuration at `path`, restores what an earlier process kept, asks every provider for its keys and
    /// every name for its addresses, together for at most three seconds, and publishes generation 1. An issuer whose keys
    /// are not there by then is served later.
    ///
    /// # Errors
    /// [`StartError`]: nothing is served.
    pub async fn start(
        _path: PathBuf,
        _clock: Arc<dyn Clock>,
        _metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        unimplemented!()
    }

    /// What requests are judged by.
    pub fn gate(&self) -> Arc<Live<Gate>> {
        self.gate.clone()
    }

    /// What requests with an unknown key ask.
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.clone()
    }

    /// Where servers are.
    pub fn names(&self) -> Arc<Names> {
        self.names.clone()
    }

    /// What listeners show.
    pub fn certificates(&self) -> Arc<Live<Certificates>> {
        self.certificates.clone()
    }

    /// The facts for `/readyz` and `/api/status`.
    pub fn board(&self) -> Arc<Board> {
        self.board.clone()
    }

    /// Asks the writer to act.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The warnings of the configuration, rendered; empty when there is none.
    pub fn warnings(&self) -> &str {
        &self.warnings
    }

    /// Drives everything until `shutdown` ends: issuers, names, file changes, SIGHUP, and the writer itself.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
    }
}
