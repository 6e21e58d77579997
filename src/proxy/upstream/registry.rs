//! Every upstream's state, which outlives the gates: a reload that leaves an upstream as it was keeps its counts and its
//! connections, and one that drops it lets both go.

use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;

use super::connect::Connector;
use super::server::Server;
use crate::config::model::{ServerAddress, Upstream};
use crate::control::Live;
use crate::gate::Gate;
use crate::proxy::edge::World;
use crate::telemetry::{Health, UpstreamHandle};

/// All upstreams.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Upstreams {
    by_name: RwLock<HashMap<Arc<str>, Arc<State>>>,
}

/// One upstream as it fares.
#[derive(Debug)]
pub(super) struct State {
    pub(super) upstream: Arc<Upstream>,
    pub(super) servers: Vec<Arc<Server>>,
    pub(super) connector: Arc<Connector>,
    pub(super) counts: Arc<UpstreamHandle>,
}

impl Upstreams {
    /// The state of `upstream`; made anew where the configuration changed.
    pub(super) fn state(&self, upstream: &Arc<Upstream>, world: &World) -> Arc<State> {
        let known = {
            let states = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
            states.get(&upstream.name).cloned()
        };
        match known {
            Some(state) if Arc::ptr_eq(&state.upstream, upstream) => state,
            known => {
                let state = Arc::new(State::following(upstream, known.as_deref(), world));
                self.keep(&state, &world.gate);
                state
            }
        }
    }

    /// Keeps a state that is new, and none of an upstream that is configured no longer: its own may be one, for a request
    /// under an earlier gate.
    fn keep(&self, state: &Arc<State>, gate: &Live<Gate>) {
        let mut states = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        states.insert(state.upstream.name.clone(), state.clone());
        gate.look(|gate| states.retain(|name, _| gate.config().upstreams.contains_key(name)));
    }
}

impl State {
    /// Servers that are spoken to as before, and trusted for the same reason, are the same servers.
    fn following(upstream: &Arc<Upstream>, old: Option<&Self>, world: &World) -> Self {
        let metrics = world.telemetry.metrics();
        let old = old.filter(|old| {
            old.upstream.protocol == upstream.protocol && old.upstream.tls == upstream.tls
        });
        let kept = |address: &ServerAddress| {
            old.and_then(|old| old.servers.iter().find(|server| server.address == *address))
        };
        Self {
            servers: upstream
                .servers
                .iter()
                .map(|address| {
                    kept(address).cloned().unwrap_or_else(|| {
                        let server = Server::new(address, &world.names);
                        metrics.upstream_healthy(&upstream.name, &server.label, Health::Used);
                        server
                    })
                })
                .collect(),
            connector: old.map_or_else(Arc::default, |old| old.connector.clone()),
            counts: metrics.upstream(&upstream.name),
            upstream: upstream.clone(),
        }
    }
}
