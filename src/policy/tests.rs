//! The room against naive oracles: small worlds exhaustively, large ones at random.

mod decisions;
mod hosts;
mod oracle;
mod paths;
mod tables;

use std::sync::Arc;

use super::{Handling, HostPattern, Methods, Mode, PathPattern, Requirement, Route};

/// A route that matches `host` (`""` for any, `*.x` for a wildcard), `path` and `methods` (none for any).
fn route(name: &str, host: &str, path: &str, methods: &[&str]) -> Route {
    Route {
        name: name.into(),
        hosts: match host {
            "" => Vec::new(),
            _ => vec![match host.strip_prefix("*.") {
                Some(suffix) => HostPattern::Wildcard(suffix.into()),
                None => HostPattern::Exact(host.into()),
            }],
        },
        path: PathPattern::parse(path).unwrap(),
        methods: match methods {
            [] => Methods::Any,
            named => Methods::Named(named.iter().map(|name| (*name).into()).collect()),
        },
        requirement: Requirement::Public,
        scopes: Vec::new(),
        tenant: None,
        issuers: None,
        mode: Mode::Enforce,
        upstream: Arc::from("upstream"),
        handling: Handling::default(),
    }
}
