//! The session side of one configuration: what its endpoints share.

use std::sync::Arc;
use std::time::Duration;

use super::bearer::OwnTokens;
use super::call::Call;
use super::clients::Clients;
use super::hooks::Hooks;
use super::kept::Kept;
use super::own_keys::OwnKeys;
use crate::config::Config;
use crate::config::model::{Client, Sessions};
use crate::control::{self, HookClients};
use crate::session::{
    AccessMinter, AccessTerms, Entropy, Event, Observer, Occasion, RefreshKeys, Revocations,
    SessionService, Terms,
};
use crate::store::Store;
use crate::time::Clock;

/// The session side of one configuration.
pub struct SessionApi {
    pub(super) config: Arc<Config>,
    pub(super) service: Arc<SessionService<Store>>,
    pub(super) minter: AccessMinter,
    pub(super) keys: OwnKeys,
    pub(super) tokens: OwnTokens,
    pub(super) clients: Clients,
    pub(super) hooks: Hooks,
    pub(super) kept: Kept,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What the session side needs from the house. All of it outlives configurations.
#[derive(Clone)]
pub struct Surroundings {
    /// Where sessions are kept.
    pub store: Arc<Store>,
    /// What counts no longer.
    pub revocations: Arc<Revocations>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
    /// What is counted and remembered of calls.
    pub kept: Kept,
}

impl SessionApi {
    /// The session side of `config`, which asks `hooks`; `None` without `[sessions]`.
    pub fn new(config: &Arc<Config>, hooks: HookClients, around: Surroundings) -> Option<Self> {
        let sessions = config.sessions.as_ref()?;
        let keys = RefreshKeys::new(&sessions.refresh_keys);
        let keys = keys.expect("refresh keys were found to differ when the file was checked");
        let service = SessionService::new(
            around.store,
            keys,
            around.revocations.clone(),
            around.observer.clone(),
            sessions.access_lifetime_max + REMEMBER_BEYOND,
            sessions.claims_stale_ok,
            around.kept.unkept.clone(),
        );
        let own_keys = OwnKeys::new(sessions, around.revocations.clone());
        Some(Self {
            service: Arc::new(service),
            minter: minter(sessions),
            tokens: OwnTokens::new(config, own_keys.clone(), around.revocations),
            keys: own_keys,
            clients: Clients::new(sessions),
            hooks: Hooks::new(hooks),
            kept: around.kept,
            observer: around.observer,
            clock: around.clock,
            config: config.clone(),
        })
    }

    pub(super) fn tell(&self, event: Event, call: &Call<'_>, occasion: Occasion<'_>) {
        let request_id = call.from.request_id.as_str();
        self.observer.session(
            event,
            &Occasion {
                request_id,
                ..occasion
            },
        );
    }

    pub(super) fn sessions(&self) -> &Sessions {
        let sessions = self.config.sessions.as_ref();
        sessions.expect("there is no session side without [sessions]")
    }

    /// The terms of rotation of one client's sessions.
    pub(super) fn terms(&self, client: &Client) -> Terms {
        let sessions = self.sessions();
        Terms {
            grace: sessions.grace,
            lost_reply_window: client
                .lost_reply_window
                .unwrap_or(sessions.lost_reply_window),
            replays_max: sessions.max_replays,
        }
    }
}

/// The system's entropy.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let fresh = control::fresh::<32>();
            chunk.copy_from_slice(&fresh[..chunk.len()]);
        }
    }
}

fn minter(sessions: &Sessions) -> AccessMinter {
    let terms = AccessTerms {
        issuer: sessions.issuer.clone(),
        audience: sessions.audience.clone(),
        lifetime: sessions.access_lifetime,
        jitter: sessions.access_jitter,
        products: sessions.products.clone(),
    };
    AccessMinter::new(terms)
}

/// A revocation is remembered beyond the life of an access token: its leeway, and clocks that differ.
const REMEMBER_BEYOND: Duration = Duration::from_secs(60);
