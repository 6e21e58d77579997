//! The refreshers of all remote issuers: which run, which are new, which may stay when the configuration changes.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::keys::{Flight, Flights, Holding, Refresher};
use crate::config::Files;
use crate::config::model::{Issuer, RemoteKeys};
use crate::secret::Secret;
use crate::token::KeySet;

/// The refreshers of the configuration that serves, by the issuer's name.
#[derive(Default)]
pub(super) struct Fetchers(HashMap<Arc<str>, Fetcher>);

/// One issuer's refresher. It ends when this is dropped.
struct Fetcher {
    terms: FetchTerms,
    epoch: u64,
    held: Holding,
    flight: Arc<Flight>,
    waiting: Option<Box<Refresher>>,
    task: Option<Task>,
}

/// A task that ends with its owner.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A refresher that the serving configuration does not have yet.
pub(super) struct Newcomer {
    pub(super) refresher: Refresher,
    /// The keys that it has already.
    pub(super) keys: Option<Arc<KeySet>>,
    pub(super) terms: FetchTerms,
}

/// What is known of the running refreshers while another configuration is prepared.
pub(super) type Incumbents = HashMap<Arc<str>, (FetchTerms, Holding)>;

impl Fetchers {
    /// What another configuration may go on with.
    pub(super) fn incumbents(&self) -> Incumbents {
        let known = |fetcher: &Fetcher| (fetcher.terms.clone(), fetcher.held.clone());
        let fetchers = self.0.iter();
        fetchers
            .map(|(name, fetcher)| (name.clone(), known(fetcher)))
            .collect()
    }

    /// Ends the refreshers of issuers that are no longer remote or no longer configured.
    pub(super) fn retain(&mut self, is_remote: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_remote(name));
    }

    /// Lets a newcomer go on with what the refresher of the same source, whatever the issuer was called, fetched later than
    /// the newcomer did: what a provider said earlier brings no key back that it took away meanwhile.
    pub(super) fn bring_up_to_date(&self, newcomer: &mut Newcomer) {
        let mut incumbents = self.0.values();
        let incumbent = incumbents.find(|one| one.terms.is_same_source(&newcomer.terms));
        if let Some(Fetcher { held, .. }) = incumbent
            && held.confirmed_at() > newcomer.refresher.held().confirmed_at()
            && let Some(keys) = newcomer.refresher.inherit(held.copy())
        {
            newcomer.keys = Some(keys);
        }
    }

    /// Takes a newcomer in; one of the same name ends. Nobody drives it before [`Fetchers::start`].
    pub(super) fn insert(&mut self, refresher: Refresher, terms: FetchTerms) {
        let fetcher = Fetcher {
            terms,
            epoch: refresher.epoch(),
            held: refresher.held(),
            flight: refresher.flight(),
            task: None,
            waiting: None,
        };
        let name = refresher.name().clone();
        let waiting = Some(Box::new(refresher));
        self.0.insert(name, Fetcher { waiting, ..fetcher });
    }

    /// Writes down what those hold that nobody drives yet.
    pub(super) async fn keep(&self) {
        let waiting = self.0.values().filter_map(|one| one.waiting.as_deref());
        join_all(waiting.map(Refresher::keep)).await;
    }

    /// Drives every refresher that nobody drives yet, as tasks of the current runtime.
    pub(super) fn start(&mut self) {
        for fetcher in self.0.values_mut() {
            if let Some(refresher) = fetcher.waiting.take() {
                fetcher.task = Some(Task(tokio::spawn(refresher.run())));
            }
        }
    }

    /// Whether the refresher of that epoch is the one of `issuer`.
    pub(super) fn is_current(&self, issuer: &str, epoch: u64) -> bool {
        self.0
            .get(issuer)
            .is_some_and(|fetcher| fetcher.epoch == epoch)
    }

    /// What the refresher of `issuer` holds.
    pub(super) fn held(&self, issuer: &str) -> Option<Holding> {
        Some(self.0.get(issuer)?.held.clone())
    }

    /// What requests wait at.
    pub(super) fn flights(&self) -> Flights {
        let flight =
            |(name, fetcher): (&Arc<str>, &Fetcher)| (name.clone(), fetcher.flight.clone());
        self.0.iter().map(flight).collect()
    }
}

/// Everything that a fetch depends on.
#[derive(Clone)]
pub(super) struct FetchTerms {
    pub(super) issuer: Arc<Issuer>,
    pub(super) keys: RemoteKeys,
    pub(super) ca: Option<Arc<[u8]>>,
}

impl FetchTerms {
    /// Reads the certificate bundle, if one is named.
    ///
    /// # Errors
    /// A text for the operator.
    pub(super) fn read(
        issuer: &Arc<Issuer>,
        keys: &RemoteKeys,
        files: &impl Files,
    ) -> Result<Self, String> {
        let ca = keys
            .ca
            .as_deref()
            .map(|path| files.read(path))
            .transpose()?;
        Ok(Self {
            issuer: issuer.clone(),
            keys: keys.clone(),
            ca: ca.map(Into::into),
        })
    }

    /// Whether a refresher of the one does what one of the other would.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let (mine, yours) = (&self.keys, &other.keys);
        self.is_same_source(other)
            && self.issuer.terms.algorithms == other.issuer.terms.algorithms
            && mine.refresh_min == yours.refresh_min
            && mine.refresh_max == yours.refresh_max
            && mine.cooldown == yours.cooldown
            && mine.keys_stale_max == yours.keys_stale_max
            && mine.plain_http == yours.plain_http
            && self.ca == other.ca
            && same_headers(&mine.headers, &yours.headers)
    }

    /// Whether a document of the one is a document of the other.
    pub(super) fn is_same_source(&self, other: &Self) -> bool {
        self.issuer.terms.issuer == other.issuer.terms.issuer
            && self.keys.jwks_url == other.keys.jwks_url
    }
}

fn same_headers(mine: &[(Box<str>, Secret)], yours: &[(Box<str>, Secret)]) -> bool {
    let mut pairs = mine.iter().zip(yours);
    mine.len() == yours.len() && pairs.all(|(a, b)| a.0 == b.0 && a.1.matches(b.1.expose()))
}
