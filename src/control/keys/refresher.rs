//! Keeps one issuer's keys as its provider has them. Alone: what another provider does is none of its concern. Hands keys
//! to the world's writer and publishes nothing itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::discovery::Address;
use super::fetch::{FETCH_TIMEOUT, Fetched, Fetcher, Unfetched};
use super::flight::{Cargo, Cause, Flight};
use super::held::{Held, Holding};
use super::kept::Kept;
use super::pace::{self, RETRY_FIRST};
use super::source;
use crate::config::model::{Issuer, RemoteKeys};
use crate::control::entropy::chance;
use crate::control::event::{Arrival, Event};
use crate::control::fetchers::FetchTerms;
use crate::control::surroundings::Surroundings;
use crate::telemetry::RefreshOutcome;
use crate::token::KeySet;

/// How often the age of kept keys is looked at.
const EXPIRY_STEP: Duration = Duration::from_secs(60);

/// The background work for one remote issuer.
pub(in crate::control) struct Refresher {
    issuer: Arc<Issuer>,
    keys: RemoteKeys,
    epoch: u64,
    fetcher: Fetcher,
    flight: Arc<Flight>,
    around: Surroundings,
    held: Holding,
    /// The keys of the last document that could be read.
    last: Arc<KeySet>,
    address: Address,
    failures: u32,
    due: Instant,
}

/// What a refresh brought.
enum Refreshed {
    /// Another document, and whether there is a key in it that the last one did not have.
    Replaced(Arc<KeySet>, Cargo),
    /// The document that is held.
    Unchanged,
    /// Nothing; the text is for the operator.
    Failed(String),
}

impl Refreshed {
    fn outcome(&self) -> RefreshOutcome {
        match self {
            Self::Replaced(..) => RefreshOutcome::Fetched,
            Self::Unchanged => RefreshOutcome::Unchanged,
            Self::Failed(_) => RefreshOutcome::Failed,
        }
    }
}

impl Refresher {
    /// Prepares to fetch by `terms`. Asks nobody yet.
    ///
    /// # Errors
    /// A text for the operator when no fetch could ever succeed.
    pub(in crate::control) fn new(
        terms: &FetchTerms,
        epoch: u64,
        around: Surroundings,
    ) -> Result<Self, String> {
        let (issuer, keys) = (terms.issuer.clone(), terms.keys.clone());
        let home = keys.jwks_url.as_deref().unwrap_or(&issuer.terms.issuer);
        let home = source::parse(home, keys.plain_http)?;
        Ok(Self {
            fetcher: Fetcher::new(&keys, home, terms.ca.as_deref())?,
            flight: Arc::new(Flight::new(keys.cooldown)),
            issuer,
            keys,
            epoch,
            around,
            held: Holding::default(),
            last: Arc::default(),
            address: Address::default(),
            failures: 0,
            due: Instant::now(),
        })
    }

    /// Tells this refresher from the others that its issuer had.
    pub(in crate::control) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What requests wait at.
    pub(in crate::control) fn flight(&self) -> Arc<Flight> {
        self.flight.clone()
    }

    /// The issuer's name in the configuration.
    pub(in crate::control) fn name(&self) -> &Arc<str> {
        &self.issuer.terms.name
    }

    /// What was fetched, for a refresher that takes over.
    pub(in crate::control) fn held(&self) -> Holding {
        self.held.clone()
    }

    /// Goes on with what another refresher of the same source held: its keys, if any can still be used.
    pub(in crate::control) fn inherit(&mut self, held: Holding) -> Option<Arc<KeySet>> {
        let keys = self.read(&held.get()?.document).ok()?;
        self.held = held;
        self.last = keys.clone();
        Some(keys)
    }

    /// The keys that an earlier process kept, if they may still serve.
    pub(in crate::control) fn restore(&mut self) -> Option<Arc<KeySet>> {
        let state = self.around.state.as_ref()?;
        let now = self.around.clock.now();
        let kept = Kept::load(state, &self.issuer, &self.keys, now).and_then(|kept| {
            let read = |kept: Kept| Ok((self.read(kept.document())?, kept));
            kept.map(read).transpose()
        });
        match kept {
            Ok(Some((keys, kept))) => {
                self.held.put(Held {
                    document: kept.document().into(),
                    etag: None,
                    confirmed_at: kept.fetched_at(),
                    max_age: None,
                });
                let metrics = self.around.telemetry.metrics();
                metrics.issuer_refreshed(self.name(), kept.fetched_at());
                self.last = keys.clone();
                Some(keys)
            }
            Ok(None) => None,
            Err(why) => {
                tracing::warn!(issuer = %self.name(), "kept keys are not used: {why}");
                None
            }
        }
    }

    /// The first fetch, before anybody waits for it: the keys, if they arrived within `patience` and are not those that
    /// were restored.
    pub(in crate::control) async fn first(&mut self, patience: Duration) -> Option<Arc<KeySet>> {
        match self.refresh(Cause::Due, patience).await {
            Refreshed::Replaced(keys, _) => Some(keys),
            Refreshed::Unchanged | Refreshed::Failed(_) => None,
        }
    }

    /// Refreshes when it is time or when a request asks, until the task is dropped.
    pub(in crate::control) async fn run(mut self) {
        loop {
            tokio::select! {
                () = sleep_until(self.due) => {}
                () = self.flight.wished() => {}
                () = self.expiry() => {
                    if !self.is_over() {
                        continue;
                    }
                    // A provider that did not fail is asked once more.
                    if self.failures > 0 {
                        self.expire().await;
                        continue;
                    }
                }
            }
            let cause = self.flight.take_off();
            let cargo = match self.refresh(cause, FETCH_TIMEOUT).await {
                Refreshed::Replaced(keys, cargo) => {
                    self.hand_over(Some(keys)).await;
                    self.keep().await;
                    cargo
                }
                Refreshed::Unchanged => {
                    self.keep().await;
                    Cargo::Nothing
                }
                Refreshed::Failed(_) => Cargo::Nothing,
            };
            self.flight.land(cargo);
        }
    }

    /// Fetches once, for at most `patience`, and sets the time of the next.
    async fn refresh(&mut self, cause: Cause, patience: Duration) -> Refreshed {
        let attempt = timeout(patience, self.attempt()).await;
        let attempt = attempt.unwrap_or_else(|_| Err("no answer in time".to_owned().into()));
        let (refreshed, wished) = match attempt {
            Ok((refreshed, wished)) => (refreshed, wished),
            Err(unfetched) => (Refreshed::Failed(unfetched.why), unfetched.retry_after),
        };
        if cause == Cause::Wished && !matches!(refreshed, Refreshed::Replaced(..)) {
            // The key may be published elsewhere by now.
            self.address.doubt();
        }
        let (min, max) = (self.keys.refresh_min, self.keys.refresh_max);
        let pause = if let Refreshed::Failed(why) = &refreshed {
            self.failures = self.failures.saturating_add(1);
            self.address.doubt();
            tracing::warn!(issuer = %self.name(), error = %why, failures = self.failures, "cannot refresh the keys");
            self.held.fail(why);
            let pause = pace::retry(self.failures, min, chance());
            // Without keys all tokens are refused meanwhile: then we ask as often as anyway.
            let asked = wished.filter(|_| self.held.confirmed_at().is_some());
            let pause = pause.max(pace::left_alone(asked, max, self.keys.keys_stale_max));
            match cause {
                // Whoever sends unknown keys brings no try of our own forward: it counts towards the cool-down, too.
                Cause::Wished => pause.max(self.keys.cooldown.min(max)),
                Cause::Due => pause,
            }
        } else {
            self.failures = 0;
            pace::refresh(wished, min, max, self.keys.keys_stale_max, chance())
        };
        let metrics = self.around.telemetry.metrics();
        metrics.issuer_refresh(self.name(), refreshed.outcome(), self.around.clock.now());
        self.due = Instant::now() + pause;
        refreshed
    }

    async fn attempt(&mut self) -> Result<(Refreshed, Option<Duration>), Unfetched> {
        let (issuer, etag) = (&self.issuer.terms.issuer, self.held.etag());
        let fetched = self
            .address
            .fetch(&self.fetcher, issuer, &self.keys, etag.as_ref())
            .await?;
        let now = self.around.clock.now();
        let (document, etag, max_age) = match fetched {
            Fetched::Unchanged { max_age } => {
                let max_age = self.held.confirm(now, max_age);
                return Ok((Refreshed::Unchanged, max_age));
            }
            Fetched::Document {
                body,
                etag,
                max_age,
            } => (body, etag, max_age),
        };
        let refreshed = if self.held.is(&document) {
            Refreshed::Unchanged
        } else {
            self.replaced(self.read(&document)?)
        };
        self.held.put(Held {
            document: document.into(),
            etag,
            confirmed_at: now,
            max_age,
        });
        Ok((refreshed, max_age))
    }

    fn replaced(&mut self, keys: Arc<KeySet>) -> Refreshed {
        let cargo = match keys.adds_to(&self.last) {
            true => Cargo::NewKeys,
            false => Cargo::Nothing,
        };
        self.last = keys.clone();
        Refreshed::Replaced(keys, cargo)
    }

    /// Reads a document; one without any usable key is as bad as none.
    fn read(&self, document: &[u8]) -> Result<Arc<KeySet>, String> {
        let (keys, odd) = KeySet::parse(document, &self.issuer.terms.algorithms)?;
        for why in &odd {
            tracing::warn!(issuer = %self.name(), "{why}");
        }
        if keys.is_empty() {
            return Err(format!(
                "none of the {} published keys can be used",
                odd.len()
            ));
        }
        Ok(Arc::new(keys))
    }

    /// Gives keys to the world's writer and waits until they serve.
    async fn hand_over(&self, keys: Option<Arc<KeySet>>) {
        let (landed, serving) = oneshot::channel();
        let arrival = Arrival {
            issuer: self.name().clone(),
            epoch: self.epoch,
            keys,
            landed,
        };
        if self.around.events.send(Event::Keys(arrival)).await.is_ok() {
            // An error is the writer's way to say that it is done.
            let _ = serving.await;
        }
    }

    /// Writes down what is held, so that it survives a restart.
    pub(in crate::control) async fn keep(&self) {
        let (Some(state), Some(held)) = (self.around.state.clone(), self.held.get()) else {
            return;
        };
        let Some(kept) = Kept::new(&self.issuer, &self.keys, &held.document, held.confirmed_at)
        else {
            return;
        };
        let name = self.name().clone();
        let stored = tokio::task::spawn_blocking(move || kept.store(&state, &name)).await;
        if let Ok(Err(error)) = stored {
            tracing::warn!(issuer = %self.name(), %error, "cannot keep the keys for a restart");
        }
    }

    /// Ends when what is held may no longer serve.
    async fn expiry(&self) {
        match self.life_left() {
            // In steps: the clock of the day and the timer need not go equally fast.
            Some(left) => sleep(left.min(EXPIRY_STEP)).await,
            None => std::future::pending().await,
        }
    }

    /// Takes keys out of service that no provider has confirmed for too long.
    async fn expire(&mut self) {
        tracing::warn!(issuer = %self.name(), "the keys are older than keys_stale_max and serve no longer");
        self.held.clear();
        self.hand_over(None).await;
    }

    /// Whether what is held may serve no longer without another word from its provider.
    fn is_over(&self) -> bool {
        self.life_left().is_some_and(|left| left.is_zero())
    }

    /// How long what is held may serve yet without another word from its provider.
    fn life_left(&self) -> Option<Duration> {
        let stale_max = match self.failures {
            // Nobody is asked without a pause, however short the keys' life is.
            0 => self.keys.keys_stale_max.max(RETRY_FIRST),
            _ => self.keys.keys_stale_max,
        };
        self.held.life_left(stale_max, self.around.clock.now())
    }
}
