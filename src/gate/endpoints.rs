//! Which requests the gate answers itself on a public listener. Their paths are the contract's.

use super::verdict::Endpoint;
use crate::config::{Config, IDENTITY_JWKS_PATH, SessionPaths};
use crate::policy::{Host, RequestPath};

/// The endpoints that one configuration serves.
#[derive(Debug)]
pub(super) struct Endpoints {
    sessions: Option<SessionEndpoints>,
    identity: bool,
}

#[derive(Debug)]
struct SessionEndpoints {
    /// Empty: any.
    hosts: Vec<Box<str>>,
    paths: SessionPaths,
}

impl Endpoints {
    /// The endpoints of the session side come with `[sessions]`, the identity keys with a signing key.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            sessions: config.sessions.as_ref().map(|sessions| SessionEndpoints {
                hosts: sessions.hosts.clone(),
                paths: SessionPaths::of(&sessions.issuer),
            }),
            identity: config.identity.signing_key.is_some(),
        }
    }

    /// The endpoint that a request is for, whatever its method.
    pub(super) fn find(&self, host: Option<&Host>, path: &RequestPath) -> Option<Endpoint> {
        let path = path.as_str();
        if self.identity && path == IDENTITY_JWKS_PATH {
            return Some(Endpoint::IdentityJwks);
        }
        let SessionEndpoints { hosts, paths } = self.sessions.as_ref()?;
        let here = hosts.is_empty()
            || host.is_some_and(|host| hosts.iter().any(|name| **name == *host.as_str()));
        if !here {
            return None;
        }
        paths.find(path).map(Endpoint::Session)
    }
}
