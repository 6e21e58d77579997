//! Which requests the gate answers itself on a public listener. Their paths are the contract's.

use super::line::RequestLine;
use super::verdict::Endpoint;
use crate::config::Config;

/// The endpoints that one configuration serves.
#[derive(Debug)]
pub(super) struct Endpoints {
    sessions: Option<Vec<Box<str>>>,
    identity: bool,
}

impl Endpoints {
    /// The endpoints of the session side come with `[sessions]`, the identity keys with a signing key.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            sessions: config
                .sessions
                .as_ref()
                .map(|sessions| sessions.hosts.clone()),
            identity: config.identity.signing_key.is_some(),
        }
    }

    /// The endpoint that a request is for, whatever its method.
    pub(super) fn find(&self, line: &RequestLine<'_>) -> Option<Endpoint> {
        let path = line.path.as_str();
        if path == "/.well-known/identity-jwks.json" && self.identity {
            return Some(Endpoint::IdentityJwks);
        }
        let hosts = self.sessions.as_ref()?;
        let here = hosts.is_empty()
            || line
                .host
                .as_ref()
                .is_some_and(|host| hosts.iter().any(|name| **name == *host.as_str()));
        if here { session_endpoint(path) } else { None }
    }
}

/// The session endpoint at `path`, if there is one.
pub fn session_endpoint(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/auth/login" => Endpoint::Login,
        "/auth/refresh" => Endpoint::Refresh,
        "/auth/logout" => Endpoint::Logout,
        "/auth/logout-all" => Endpoint::LogoutAll,
        "/auth/sessions" => Endpoint::Sessions,
        "/oauth/token" => Endpoint::Token,
        "/oauth/revoke" => Endpoint::Revoke,
        "/oauth/introspect" => Endpoint::Introspect,
        "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => {
            Endpoint::Metadata
        }
        "/.well-known/jwks.json" => Endpoint::Jwks,
        _ => path
            .strip_prefix("/auth/sessions/")
            .filter(|sid| !sid.contains('/'))
            .map(|_| Endpoint::Sessions)?,
    })
}
