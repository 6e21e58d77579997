//! The world as the composition root sees it: started once, then driven until the end.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join3;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::certificates::Certificates;
use super::entropy::{chance, fresh};
use super::event::{EVENTS_MAX, Event, Handle};
use super::hook::HookClients;
use super::keys::Keys;
use super::ledger::Ledger;
use super::live::Live;
use super::names::{self, Names};
use super::state::StateDir;
use super::status::Board;
use super::surroundings::Surroundings;
use super::watch;
use super::writer::{Occasion, Publisher, Serving, StartError, Views, prepare, read};
use crate::gate::Gate;
use crate::telemetry::Telemetry;
use crate::time::Clock;
use crate::token::VerifiedTokens;

/// How long the start waits for keys and addresses.
const START_PATIENCE: Duration = Duration::from_secs(2);
/// How long a resolver may think about one name in the background.
const RESOLVER_PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether a new configuration has names without an address.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many verified tokens are remembered.
const VERIFIED_TOKENS_MAX: usize = 65_536;

/// Everything that changes while the gateway serves, with its single writer.
pub struct World {
    publisher: Publisher,
    events: mpsc::Receiver<Event>,
    handle: Handle,
    views: Views,
    warnings: String,
}

impl World {
    /// Loads the configuration at `path`, restores what an earlier process kept, asks every provider for its keys and
    /// every resolver for addresses, together for at most two seconds, and publishes generation 1. An issuer whose keys
    /// are not there by then is served later.
    ///
    /// # Errors
    /// [`StartError`]: nothing is served.
    pub async fn start(
        path: PathBuf,
        clock: Arc<dyn Clock>,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, StartError> {
        let loaded = read(path.clone(), clock.now()).await;
        let loaded = loaded.map_err(StartError::Load)?;
        let state = loaded.config.server.state_dir.clone().map(StateDir::new);
        let unusable = |text| StartError::Unusable {
            text,
            readings: loaded.files.readings(),
        };
        let ledger = Ledger::open(state.clone()).map_err(unusable)?;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let handle = Handle(sender.clone());
        let around = Surroundings {
            clock,
            telemetry: telemetry.clone(),
            state,
            events: sender,
        };
        let names = Arc::new(Names::new());
        let occasion = Occasion::start(START_PATIENCE);
        let prepared = prepare(loaded, occasion, around.clone(), names.clone()).await?;
        let warnings = prepared.warnings.clone();
        let verified = Arc::new(VerifiedTokens::new(VERIFIED_TOKENS_MAX, fresh()));
        telemetry.metrics().verified_tokens(verified.clone());
        let serving = Serving::begin(around, names, ledger, verified, prepared);
        Ok(Self {
            views: serving.views.clone(),
            publisher: Publisher::new(path, serving),
            events,
            handle,
            warnings,
        })
    }

    /// Writes down what a restart must know. Whoever only asks leaves nothing behind.
    pub async fn keep(&self) {
        self.publisher.keep().await;
    }

    /// What requests are judged by.
    pub fn gate(&self) -> Arc<Live<Gate>> {
        self.views.gate.clone()
    }

    /// What requests with an unknown key ask.
    pub fn keys(&self) -> Arc<Keys> {
        self.views.keys.clone()
    }

    /// Where servers are.
    pub fn names(&self) -> Arc<Names> {
        self.views.names.clone()
    }

    /// What listeners show.
    pub fn certificates(&self) -> Arc<Live<Certificates>> {
        self.views.certificates.clone()
    }

    /// Whom the session side asks. Those of a configuration are there before its gate is.
    pub fn hooks(&self) -> Arc<Live<HookClients>> {
        self.views.hooks.clone()
    }

    /// The facts for `/readyz` and `/api/status`.
    pub fn board(&self) -> Arc<Board> {
        self.views.board.clone()
    }

    /// What became of every key.
    pub fn ledger(&self) -> Arc<Ledger> {
        self.views.ledger.clone()
    }

    /// Asks the writer to act.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The warnings of the configuration, rendered; empty when there is none.
    pub fn warnings(&self) -> &str {
        &self.warnings
    }

    /// Drives everything until `shutdown` ends: issuers, names, file changes, signals, and the writer itself. Without it
    /// the world stands still. Needs a tokio runtime with I/O and time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            publisher,
            events,
            handle,
            views,
            ..
        } = self;
        let watched = watch::changes(handle.clone(), views.readings.clone());
        let background = join3(watched, watch::signals(handle), resolve(views));
        tokio::select! {
            () = publisher.run(events, shutdown) => {}
            _ = background => {}
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World(..)")
    }
}

/// Resolves the names of whatever serves, again and again.
async fn resolve(views: Views) {
    let mut failures: u32 = 0;
    loop {
        let due = Instant::now() + names::pause(failures, chance());
        // A name that a new configuration brought, and nobody knows, does not wait for those that have addresses. While
        // another has none either, they are looked up together.
        while Instant::now() < due && (failures > 0 || !views.board.lacks_addresses()) {
            sleep_until(due.min(Instant::now() + LOOK_EVERY)).await;
        }
        let gate = views.gate.load();
        let unresolved = views.names.resolve(gate.config(), RESOLVER_PATIENCE).await;
        failures = match unresolved.is_empty() {
            true => 0,
            false => failures.saturating_add(1),
        };
        if views.gate.is_current(&gate) {
            views.board.unresolved(unresolved);
        }
    }
}
