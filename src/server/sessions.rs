//! The session side of whichever configuration serves. Its store and its revocations outlive configurations.

use std::sync::Arc;

use crate::api::session::{SessionApi, Surroundings};
use crate::config::Config;
use crate::control::{HookClients, Live};
use crate::session::OWN_ISSUER;
use crate::token::Verified;

/// The session side, put together anew when another configuration serves.
pub(super) struct SessionSide {
    around: Surroundings,
    hooks: Arc<Live<HookClients>>,
    current: Live<Current>,
}

struct Current {
    config: Arc<Config>,
    api: Option<Arc<SessionApi>>,
}

impl SessionSide {
    /// The session side of the first configuration. `hooks` are those of whichever serves.
    pub(super) fn new(
        config: &Arc<Config>,
        hooks: Arc<Live<HookClients>>,
        around: Surroundings,
    ) -> Self {
        let current = Current::of(config, &hooks, &around);
        Self {
            around,
            hooks,
            current: Live::new(Arc::new(current)),
        }
    }

    /// The session side of `config`; `None` when it has none. Whatever could fail of it did so before `config` served.
    pub(super) fn of(&self, config: &Arc<Config>) -> Option<Arc<SessionApi>> {
        let current = self.current.load();
        if Arc::ptr_eq(&current.config, config) {
            return current.api.clone();
        }
        // A call that began under a configuration that has been replaced meanwhile asks the hooks of its successor.
        let next = Current::of(config, &self.hooks, &self.around);
        let api = next.api.clone();
        self.current.publish(Arc::new(next));
        api
    }

    /// The last word to the store, before the process ends. A time that nobody believes is not remembered.
    pub(super) fn rest(&self) {
        let clock = &self.around.clock;
        if clock.is_sound() {
            self.around.store.rest(clock.now());
        }
    }

    /// To be told of every token that was accepted: one of the gate's own closes the tail of its predecessor.
    pub(super) fn seen(&self, config: &Arc<Config>, verified: &Verified) {
        if *verified.principal().issuer_name == *OWN_ISSUER
            && let Some(api) = self.of(config)
        {
            api.seen(verified);
        }
    }
}

impl Current {
    fn of(config: &Arc<Config>, hooks: &Live<HookClients>, around: &Surroundings) -> Self {
        let hooks = HookClients::clone(&hooks.load());
        Self {
            config: config.clone(),
            api: SessionApi::new(config, hooks, around.clone()).map(Arc::new),
        }
    }
}
