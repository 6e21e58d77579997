//! Which series live: those of names that the configuration has. Counts nothing.

use std::collections::{HashMap, HashSet};

use super::{Metrics, UNKNOWN, lock};
use crate::config::Config;
use crate::gate::Endpoint;
use crate::policy::Route;
use crate::principal::Entitlement;
use crate::session::OWN_ISSUER;
use crate::time::Timestamp;

impl Metrics {
    /// Follows a new configuration: series of names that it no longer has are dropped.
    pub fn configure(&self, config: &Config, now: Timestamp) {
        let routes = config
            .routes
            .iter()
            .map(|route| (&*route.name, product_of(route)));
        let routes: HashMap<&str, &str> = routes.collect();
        let route =
            |name: &str| routes.contains_key(name) || name == UNKNOWN || Endpoint::is_label(name);
        let wants = |name: &str, product: &str| routes.get(name).is_none_or(|p| *p == product);
        let upstream = |name: &str| config.upstreams.contains_key(name);
        let issuer =
            |name: &str| [UNKNOWN, OWN_ISSUER].contains(&name) || config.issuer(name).is_some();
        let fetched = |name: &str| config.issuer(name).is_some_and(|one| one.is_remote());
        let listener = |name: &str| config.listeners.iter().any(|l| *l.name == *name);
        let families = &self.families;
        // A handle goes with its series, or what it counts when the product is wanted again is shown nowhere.
        self.routes
            .retain(|name, handle| route(name) && routes.get(name).is_none_or(|p| handle.wants(p)));
        self.upstreams.retain(|name, _| upstream(name));
        self.issuers.retain(|name, _| issuer(name));
        families.requests.retain(|[name, _]| route(name));
        families
            .decisions
            .retain(|[name, product, ..]| route(name) && wants(name, product));
        families.request_duration.retain(|[name]| route(name));
        families.upstream_duration.retain(|[name]| upstream(name));
        families
            .upstream_connections
            .retain(|[name, _]| upstream(name));
        families
            .token_verifications
            .retain(|[name, ..]| issuer(name));
        families.issuer_keys.retain(|[name]| issuer(name));
        families.issuer_refresh.retain(|[name, _]| issuer(name));
        families.key_alarms.retain(|[name, _]| issuer(name));
        families.handshakes_failed.retain(|[name]| listener(name));
        lock(&self.certificates).retain(|name, _| listener(name));
        families.certificate_expiry.retain(|[name]| listener(name));
        self.configure_servers(config);
        let mut refreshed = lock(&self.refreshed);
        refreshed.retain(|name, _| fetched(name));
        for issuer in config.issuers.iter().filter(|issuer| issuer.is_remote()) {
            refreshed.entry((*issuer.terms.name).into()).or_insert(now);
        }
        // Keys that come with the configuration now have no age. Behind what a scrape reads, or it would bring that back.
        families.issuer_refresh_age.retain(|[name]| fetched(name));
    }

    /// A server is used until a connection to it fails.
    fn configure_servers(&self, config: &Config) {
        let upstreams = config.upstreams.values();
        let servers: HashSet<(&str, String)> = upstreams
            .flat_map(|upstream| {
                let labels = upstream.servers.iter().map(ToString::to_string);
                labels.map(|label| (&*upstream.name, label))
            })
            .collect();
        let healthy = &self.families.upstream_healthy;
        healthy.retain(|[name, server]| servers.contains(&(&**name, server.to_string())));
        for (name, server) in &servers {
            if healthy.find([name, server]).is_none() {
                healthy.with([name, server]).set(1);
            }
        }
    }
}

fn product_of(route: &Route) -> &str {
    let product = route.requirement.product();
    product.map_or("", Entitlement::as_str)
}
