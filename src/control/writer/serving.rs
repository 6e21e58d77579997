//! What serves now, and what it was made of: a configuration, the keys of its issuers, and the gate that both make. Each
//! change ends in a whole new gate. Reads no file and waits for nobody.

use std::collections::HashMap;
use std::sync::Arc;

use super::leaving::LeavingKeys;
use super::own_keys;
use super::prepare::Prepared;
use crate::config::Config;
use crate::config::model::KeySource;
use crate::control::certificates::Certificates;
use crate::control::event::{Arrival, DistrustError};
use crate::control::fetchers::Fetchers;
use crate::control::files::Readings;
use crate::control::hook::HookClients;
use crate::control::keys::Keys;
use crate::control::ledger::Ledger;
use crate::control::live::Live;
use crate::control::names::Names;
use crate::control::status::Board;
use crate::control::surroundings::Surroundings;
use crate::gate::Gate;
use crate::token::{IssuerTerms, KeyRing, KeySet, VerifiedTokens};

/// What others see of the world.
#[derive(Clone)]
pub(in crate::control) struct Views {
    pub(in crate::control) gate: Arc<Live<Gate>>,
    pub(in crate::control) keys: Arc<Keys>,
    pub(in crate::control) names: Arc<Names>,
    pub(in crate::control) certificates: Arc<Live<Certificates>>,
    pub(in crate::control) hooks: Arc<Live<HookClients>>,
    pub(in crate::control) readings: Arc<Live<Readings>>,
    pub(in crate::control) board: Arc<Board>,
    pub(in crate::control) ledger: Arc<Ledger>,
}

/// The present, with the only hand that changes it.
pub(in crate::control) struct Serving {
    pub(super) around: Surroundings,
    pub(in crate::control) views: Views,
    verified: Arc<VerifiedTokens>,
    pub(super) config: Arc<Config>,
    /// What every issuer publishes, distrusted keys included.
    sets: HashMap<Arc<str>, Arc<KeySet>>,
    pub(super) fetchers: Fetchers,
    /// The gate's own keys that verify no longer, as they were last published.
    gone: Vec<String>,
    leaving: LeavingKeys,
    pub(super) generation: u64,
}

impl Serving {
    /// Publishes generation 1.
    pub(in crate::control) fn begin(
        around: Surroundings,
        names: Arc<Names>,
        ledger: Ledger,
        verified: Arc<VerifiedTokens>,
        mut prepared: Prepared,
    ) -> Self {
        // Nobody has loaded it yet: the first publication replaces it before `begin` ends.
        let empty = Gate::assemble(
            prepared.config.clone(),
            &KeyRing::default(),
            verified.clone(),
        );
        let gate = Arc::new(Live::new(Arc::new(empty)));
        let readings = std::mem::take(&mut prepared.readings);
        let views = Views {
            keys: Arc::new(Keys::new(gate.clone())),
            gate,
            names,
            certificates: Arc::new(Live::new(Arc::default())),
            hooks: Arc::new(Live::new(Arc::default())),
            readings: Arc::new(Live::new(Arc::new(readings))),
            board: Arc::default(),
            ledger: Arc::new(ledger),
        };
        let mut serving = Self {
            around,
            views,
            verified,
            config: prepared.config.clone(),
            sets: HashMap::new(),
            fetchers: Fetchers::default(),
            gone: Vec::new(),
            leaving: LeavingKeys::default(),
            generation: 0,
        };
        serving.adopt(prepared);
        serving
    }

    /// Makes a prepared configuration the one that serves.
    pub(super) fn adopt(&mut self, mut prepared: Prepared) {
        let (before, after) = (&self.config.identity, &prepared.config.identity);
        self.leaving.follow(before, after, self.around.clock.now());
        let before = std::mem::replace(&mut self.config, prepared.config);
        let config = self.config.clone();
        // Another issuer under a known name has nothing to do with the keys of the one before.
        self.views.ledger.retain(|name| {
            let [was, is] = [&before, &config].map(|config| config.issuer(name));
            is.is_some_and(|is| was.is_none_or(|was| was.terms.issuer == is.terms.issuer))
        });
        let is_configured = |name: &str| config.issuer(name).is_some();
        for newcomer in &mut prepared.newcomers {
            self.fetchers.bring_up_to_date(newcomer);
        }
        self.fetchers
            .retain(|name| config.issuer(name).is_some_and(|issuer| issuer.is_remote()));
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
        self.views.board.retain_issuers(is_configured);
        self.views.board.unresolved(prepared.unresolved);
        self.views.names.forget(&config);
        self.views.keys.publish(self.fetchers.flights());
        for (listener, at) in prepared.certificates.expiries() {
            self.around
                .telemetry
                .metrics()
                .certificate_expiry(listener, at);
        }
        self.views.certificates.publish(prepared.certificates);
        self.views.hooks.publish(prepared.hooks);
        self.publish();
    }

    /// Lets keys serve that a refresher brought. The word of one that was replaced meanwhile does not count.
    pub(super) fn accept(&mut self, arrival: Arrival) {
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

    /// Never again trusts a key. Returns whether anybody knows it; nothing is written down yet.
    pub(super) fn distrust(&mut self, issuer: &str, kid: &str) -> Result<bool, DistrustError> {
        let terms = self.terms(issuer).ok_or(DistrustError::IssuerUnknown)?;
        let known = self.views.ledger.distrust(&terms, kid)?;
        self.publish();
        Ok(known)
    }

    /// Lets go of the gate's own keys whose last token, or assertion, has expired.
    pub(super) fn retire(&mut self) {
        let now = self.around.clock.now();
        if self.leaving.retire(now) {
            self.publish();
        }
        let gone = own_keys::gone(&self.config, &self.views.ledger, now);
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
        let gate = gate.publishing(self.leaving.jwks());
        self.generation += 1;
        self.views.gate.publish(Arc::new(gate));
        self.views
            .board
            .published(self.generation, self.around.clock.now());
        metrics.generation(self.generation);
    }

    /// The terms of the issuer that has this name in the configuration.
    fn terms(&self, issuer: &str) -> Option<Arc<IssuerTerms>> {
        Some(self.config.issuer(issuer)?.terms.clone())
    }
}
