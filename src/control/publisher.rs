//! The single writer: one task that owns what requests are judged by. Every change is an event; each ends in a whole new
//! gate or in none. Fetches and reads nothing itself: whoever did sends it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::interval;

use super::certificates::Certificates;
use super::event::{Arrival, DistrustError, Distrusted, Event, Reloaded};
use super::fetchers::Fetchers;
use super::files::Readings;
use super::keys::{Keys, Surroundings};
use super::ledger::Ledger;
use super::live::Live;
use super::names::Names;
use super::own_keys;
use super::prepare::{self, Occasion, Prepared, StartError, prepare};
use super::reload::{self, Outcome, Reload, Waiting};
use super::status::{Board, ReloadOutcome};
use crate::config::Config;
use crate::config::model::KeySource;
use crate::gate::Gate;
use crate::token::{IssuerTerms, KeyRing, KeySet, VerifiedTokens};

/// How long a reload waits for the keys and addresses of what is new.
const RELOAD_PATIENCE: Duration = Duration::from_secs(2);
/// How often the use of keys is written down.
const LEDGER_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether a signing key of the gate's own has served its time.
const RETIRE_EVERY: Duration = Duration::from_secs(5);

/// What others see of the world.
#[derive(Clone)]
pub(super) struct Views {
    pub(super) gate: Arc<Live<Gate>>,
    pub(super) keys: Arc<Keys>,
    pub(super) names: Arc<Names>,
    pub(super) certificates: Arc<Live<Certificates>>,
    pub(super) readings: Arc<Live<Readings>>,
    pub(super) board: Arc<Board>,
    pub(super) ledger: Arc<Ledger>,
}

/// The owner of the world.
pub(super) struct Publisher {
    path: PathBuf,
    around: Surroundings,
    views: Views,
    verified: Arc<VerifiedTokens>,
    config: Arc<Config>,
    /// What every issuer publishes, distrusted keys included.
    sets: HashMap<Arc<str>, Arc<KeySet>>,
    fetchers: Fetchers,
    /// The gate's own keys that verify no longer, as they were last published.
    gone: Vec<String>,
    generation: u64,
    epoch: u64,
}

impl Publisher {
    /// Publishes generation 1. Nothing changes it before [`Publisher::run`].
    pub(super) fn begin(
        path: PathBuf,
        around: Surroundings,
        names: Arc<Names>,
        ledger: Ledger,
        verified: Arc<VerifiedTokens>,
        prepared: Prepared,
    ) -> Self {
        // Nobody has loaded it yet: the first publication replaces it before `begin` ends.
        let empty = Gate::assemble(
            prepared.config.clone(),
            &KeyRing::default(),
            verified.clone(),
        );
        let gate = Arc::new(Live::new(Arc::new(empty)));
        let views = Views {
            keys: Arc::new(Keys::new(gate.clone())),
            gate,
            names,
            certificates: Arc::new(Live::new(Arc::default())),
            readings: Arc::new(Live::new(Arc::default())),
            board: Arc::default(),
            ledger: Arc::new(ledger),
        };
        let mut publisher = Self {
            path,
            around,
            views,
            verified,
            config: prepared.config.clone(),
            sets: HashMap::new(),
            fetchers: Fetchers::default(),
            gone: Vec::new(),
            generation: 0,
            epoch: 0,
        };
        publisher.adopt(prepared);
        publisher
    }

    /// What others see.
    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// Writes down the keys that were fetched before [`Publisher::run`].
    pub(super) async fn keep(&self) {
        self.fetchers.keep().await;
    }

    /// Carries out events until `shutdown` ends.
    pub(super) async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut shutdown = pin!(shutdown);
        let mut reload: Option<Reload> = None;
        let mut waiting: Waiting = None;
        let mut booking = interval(LEDGER_EVERY);
        let mut retiring = interval(RETIRE_EVERY);
        self.fetchers.start();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(event) = events.recv() => match event {
                    Event::Keys(arrival) => {
                        self.accept(arrival);
                        self.book().await;
                    }
                    Event::Distrust { issuer, kid, reply } => {
                        // Whoever asked may have gone; the key is distrusted all the same.
                        let _ = reply.send(self.distrust(&issuer, &kid).await);
                    }
                    Event::Reload { reply } => waiting.get_or_insert_default().extend(reply),
                },
                outcome = reload::ended(&mut reload) => {
                    let replies = reload.take().map(|reload| reload.replies);
                    let reloaded = self.conclude(outcome);
                    // Who hears that it is done may kill the process: a restart has what was fetched.
                    self.fetchers.keep().await;
                    reload::tell(&reloaded, &self.around, &self.views.board, replies.unwrap_or_default());
                    self.fetchers.start();
                }
                _ = booking.tick() => self.book().await,
                _ = retiring.tick() => self.retire(),
            }
            if reload.is_none()
                && let Some(replies) = waiting.take()
            {
                reload = Some(self.reload(replies));
            }
        }
        self.book().await;
    }

    /// Begins to prepare the file as it is now.
    fn reload(&mut self, replies: Vec<oneshot::Sender<Reloaded>>) -> Reload {
        self.epoch += 1;
        let occasion = Occasion {
            serving: Some(self.config.clone()),
            incumbents: self.fetchers.incumbents(),
            epoch: self.epoch,
            patience: RELOAD_PATIENCE,
        };
        let names = self.views.names.clone();
        let (path, around) = (self.path.clone(), self.around.clone());
        let work = async move {
            let loaded = prepare::read(path).await.map_err(StartError::Load)?;
            prepare(loaded, occasion, around, names).await
        };
        Reload::begin(work, replies)
    }

    /// Lets the prepared configuration serve, or says why it does not.
    fn conclude(&mut self, outcome: Outcome) -> Reloaded {
        let outcome = match outcome {
            Ok(Ok(prepared)) => self.switch(prepared),
            Ok(Err(error)) => {
                let readings = error.readings().clone();
                self.views.readings.publish(Arc::new(readings));
                Err(error.to_string())
            }
            Err(error) => Err(format!("the reload failed: {error}")),
        };
        let (outcome, text) = match outcome {
            Ok(warnings) => (ReloadOutcome::Ok, warnings),
            Err(text) => {
                self.reopen_log();
                (ReloadOutcome::Rejected, text)
            }
        };
        Reloaded {
            outcome,
            generation: self.generation,
            text,
        }
    }

    /// A log file that was rotated is let go, whatever is wrong with the configuration.
    fn reopen_log(&self) {
        if let Err(error) = self.around.telemetry.configure(&self.config) {
            tracing::warn!(%error, "cannot open the access log anew; it goes on where it was");
        }
    }

    /// Lets a prepared configuration serve, and gives its warnings.
    fn switch(&mut self, prepared: Prepared) -> Result<String, String> {
        self.views
            .readings
            .publish(Arc::new(prepared.readings.clone()));
        let configured = self.around.telemetry.configure(&prepared.config);
        configured.map_err(|error| format!("telemetry.access_log: {error}"))?;
        let warnings = prepared.warnings.clone();
        self.adopt(prepared);
        Ok(warnings)
    }

    /// Makes a prepared configuration the one that serves.
    fn adopt(&mut self, prepared: Prepared) {
        self.config = prepared.config;
        let config = self.config.clone();
        let find = |name: &str| config.issuers.iter().find(|one| *one.terms.name == *name);
        let is_configured = |name: &str| find(name).is_some();
        self.fetchers.retain(|name| {
            find(name).is_some_and(|issuer| matches!(issuer.keys, KeySource::Remote(_)))
        });
        self.sets.retain(|name, _| is_configured(name));
        for newcomer in prepared.newcomers {
            let name = newcomer.refresher.name().clone();
            self.fetchers.insert(newcomer.refresher, newcomer.terms);
            match newcomer.keys {
                Some(keys) => self.install(&name, keys),
                None => drop(self.sets.remove(&name)),
            }
        }
        for issuer in &config.issuers {
            if let KeySource::Fixed(keys) = &issuer.keys {
                self.install(&issuer.terms.name, keys.clone());
            }
        }
        self.views.ledger.retain(is_configured);
        self.views.board.retain_issuers(is_configured);
        self.views.board.unresolved(prepared.unresolved);
        self.views.names.forget(&config);
        self.views.keys.publish(self.fetchers.flights());
        self.views.readings.publish(Arc::new(prepared.readings));
        for (listener, at) in prepared.certificates.expiries() {
            self.around
                .telemetry
                .metrics()
                .certificate_expiry(listener, at);
        }
        self.views.certificates.publish(prepared.certificates);
        self.publish();
    }

    /// Lets keys serve that a refresher brought. The word of one that was replaced meanwhile does not count.
    fn accept(&mut self, arrival: Arrival) {
        if !self.fetchers.is_current(&arrival.issuer, arrival.epoch) {
            return;
        }
        match arrival.keys {
            Some(keys) => self.install(&arrival.issuer, keys),
            None => drop(self.sets.remove(&arrival.issuer)),
        }
        self.publish();
        drop(arrival.landed);
    }

    /// Replaces an issuer's set exactly. Keys that stay count their uses on.
    fn install(&mut self, issuer: &Arc<str>, keys: Arc<KeySet>) {
        let Some(terms) = self.terms(issuer) else {
            return;
        };
        let keys = match self.sets.get(issuer) {
            Some(previous) => Arc::new(keys.distrusting::<&str>(&[]).succeeding(previous)),
            None => keys,
        };
        let (now, held) = (self.around.clock.now(), self.fetchers.held(issuer));
        for (kid, alarm) in self.views.ledger.observe(&terms, &keys, held, now) {
            tracing::warn!(%issuer, kid, alarm = alarm.as_str(), "a key does what honest keys do not");
            let metrics = self.around.telemetry.metrics();
            metrics.key_alarm(issuer, alarm.as_str());
        }
        self.sets.insert(issuer.clone(), keys);
    }

    /// Never again trusts a key.
    async fn distrust(&mut self, issuer: &str, kid: &str) -> Result<Distrusted, DistrustError> {
        let terms = self.terms(issuer).ok_or(DistrustError::IssuerUnknown)?;
        let ledger = self.views.ledger.clone();
        let known = ledger.distrust(&terms, kid)?;
        self.publish();
        let generation = self.generation;
        tracing::warn!(
            issuer,
            kid,
            known,
            generation,
            "a key is distrusted from now on"
        );
        let written = spawn_blocking(move || ledger.store_distrusted()).await;
        match written {
            Ok(Ok(kept)) => Ok(Distrusted {
                generation,
                kept,
                known,
            }),
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot write the list of distrusted keys");
                Err(DistrustError::NotKept)
            }
            Err(_) => Err(DistrustError::NotKept),
        }
    }

    /// Lets go of the gate's own keys whose last token has expired.
    fn retire(&mut self) {
        let gone = own_keys::gone(&self.config, &self.views.ledger, self.around.clock.now());
        if gone != self.gone {
            tracing::info!(
                ?gone,
                "signing keys that no token needs any more verify no longer"
            );
            self.publish();
        }
    }

    /// Puts a gate together from everything that holds now, and lets it serve.
    fn publish(&mut self) {
        self.gone = own_keys::gone(&self.config, &self.views.ledger, self.around.clock.now());
        let metrics = self.around.telemetry.metrics();
        let mut ring = KeyRing::default();
        for issuer in &self.config.issuers {
            let name = &issuer.terms.name;
            let keys = self.sets.get(name);
            let trusted = keys.map(|keys| self.views.ledger.trusted(&issuer.terms.issuer, keys));
            let trusted = trusted.map(|keys| own_keys::without(keys, name, &self.gone));
            let usable = trusted.as_ref().map_or(0, |keys| keys.len());
            if let Some(keys) = trusted {
                ring.insert(name.clone(), keys);
            }
            metrics.issuer_keys(name, usable);
            let held = self.fetchers.held(name);
            self.views.board.issuer(name.clone(), usable, held);
        }
        let gate = Gate::assemble(self.config.clone(), &ring, self.verified.clone());
        self.generation += 1;
        self.views.gate.publish(Arc::new(gate));
        self.views
            .board
            .published(self.generation, self.around.clock.now());
        metrics.generation(self.generation);
    }

    /// The terms of the issuer that has this name in the configuration.
    fn terms(&self, issuer: &str) -> Option<Arc<IssuerTerms>> {
        let mut issuers = self.config.issuers.iter();
        let found = issuers.find(|one| *one.terms.name == *issuer);
        Some(found?.terms.clone())
    }

    /// Writes down what became of the keys.
    async fn book(&self) {
        let ledger = self.views.ledger.clone();
        let stored = spawn_blocking(move || ledger.store()).await;
        if let Ok(Err(error)) = stored {
            tracing::warn!(%error, "cannot write the key ledger");
        }
    }
}
