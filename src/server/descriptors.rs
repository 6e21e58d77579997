//! How many files and sockets the process may have open: as many as it is allowed to ask for, and a warning where that is
//! fewer than its listeners may want.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::Config;

/// A client's connection, and the one to an upstream that it may need.
const PER_CONNECTION: u64 = 2;
/// Listeners, logs, the store, fetches.
const OF_ITS_OWN: u64 = 128;

/// Raises the soft limit of open files to the hard one. What the system does not grant is left as it is.
pub(super) fn raise(config: &Config) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
        }
    }
    let allowed = getrlimit(Resource::Nofile).current;
    let wanted = wanted(config);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < wanted) {
        tracing::warn!(
            allowed,
            wanted,
            "fewer files may be open than connections_max asks for; raise `ulimit -Hn`"
        );
    }
}

/// What all listeners need when they are full.
fn wanted(config: &Config) -> u64 {
    let listeners = config.listeners.iter();
    let connections: u64 = listeners
        .map(|listener| u64::try_from(listener.connections_max).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    connections
        .saturating_mul(PER_CONNECTION)
        .saturating_add(OF_ITS_OWN)
}
