//! The single writer: one task that owns what requests are judged by. Every change is an event; each ends in a whole new
//! gate or in none. Fetches and reads nothing itself: whoever did sends it.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::interval;

use super::prepare::{self, Occasion, Prepared, StartError, prepare};
use super::reload::{self, Outcome, Reload, Waiting};
use super::serving::Serving;
use crate::control::event::{DistrustError, Distrusted, Event, Reloaded};
use crate::control::status::ReloadOutcome;

/// How long a reload waits for the keys and addresses of what is new.
const RELOAD_PATIENCE: Duration = Duration::from_secs(2);
/// How often the use of keys is written down.
const LEDGER_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether a signing key of the gate's own has served its time.
const RETIRE_EVERY: Duration = Duration::from_secs(5);

/// The owner of the world.
pub(in crate::control) struct Publisher {
    path: PathBuf,
    serving: Serving,
    epoch: u64,
}

impl Publisher {
    /// Takes over what serves. Nothing changes it before [`Publisher::run`].
    pub(in crate::control) fn new(path: PathBuf, serving: Serving) -> Self {
        Self {
            path,
            serving,
            epoch: 0,
        }
    }

    /// Writes down the keys that were fetched before [`Publisher::run`].
    pub(in crate::control) async fn keep(&self) {
        self.serving.fetchers.keep().await;
    }

    /// Carries out events until `shutdown` ends.
    pub(in crate::control) async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut shutdown = pin!(shutdown);
        let mut reload: Option<Reload> = None;
        let mut waiting: Waiting = None;
        let mut booking = interval(LEDGER_EVERY);
        let mut retiring = interval(RETIRE_EVERY);
        self.serving.fetchers.start();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(event) = events.recv() => match event {
                    Event::Keys(arrival) => {
                        self.serving.accept(arrival);
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
                    self.serving.fetchers.keep().await;
                    reload::tell(&reloaded, &self.serving.around, &self.serving.views.board, replies.unwrap_or_default());
                    self.serving.fetchers.start();
                }
                _ = booking.tick() => self.book().await,
                _ = retiring.tick() => self.serving.retire(),
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
            serving: Some(self.serving.config.clone()),
            incumbents: self.serving.fetchers.incumbents(),
            epoch: self.epoch,
            patience: RELOAD_PATIENCE,
        };
        let names = self.serving.views.names.clone();
        let (path, around) = (self.path.clone(), self.serving.around.clone());
        let work = async move {
            let now = around.clock.now();
            let loaded = prepare::read(path, now).await.map_err(StartError::Load)?;
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
                self.serving.views.readings.publish(Arc::new(readings));
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
            generation: self.serving.generation,
            text,
        }
    }

    /// A log file that was rotated is let go, whatever is wrong with the configuration.
    fn reopen_log(&self) {
        if let Err(error) = self
            .serving
            .around
            .telemetry
            .configure(&self.serving.config)
        {
            tracing::warn!(%error, "cannot open the access log anew; it goes on where it was");
        }
    }

    /// Lets a prepared configuration serve, and gives its warnings.
    fn switch(&mut self, mut prepared: Prepared) -> Result<String, String> {
        let readings = std::mem::take(&mut prepared.readings);
        self.serving.views.readings.publish(Arc::new(readings));
        let configured = self.serving.around.telemetry.configure(&prepared.config);
        configured.map_err(|error| format!("telemetry.access_log: {error}"))?;
        let warnings = std::mem::take(&mut prepared.warnings);
        self.serving.adopt(prepared);
        Ok(warnings)
    }

    /// Never again trusts a key, and writes that down.
    async fn distrust(&mut self, issuer: &str, kid: &str) -> Result<Distrusted, DistrustError> {
        let known = self.serving.distrust(issuer, kid)?;
        let generation = self.serving.generation;
        tracing::warn!(
            issuer,
            kid,
            known,
            generation,
            "a key is distrusted from now on"
        );
        let ledger = self.serving.views.ledger.clone();
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

    /// Writes down what became of the keys.
    async fn book(&self) {
        let ledger = self.serving.views.ledger.clone();
        let stored = spawn_blocking(move || ledger.store()).await;
        if let Ok(Err(error)) = stored {
            tracing::warn!(%error, "cannot write the key ledger");
        }
    }
}
