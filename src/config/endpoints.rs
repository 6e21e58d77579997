//! The paths that the gate answers itself, so that no route takes them. Which endpoint each is, `gate` knows.

/// Where the identity keys are, once there is a signing key.
pub const IDENTITY_JWKS_PATH: &str = "/.well-known/identity-jwks.json";

/// What the session side answers. Its paths and labels are here alone; the checks of routes, the decision and the metrics
/// read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEndpoint {
    /// A login by the identity service.
    Login,
    /// A rotation by cookie or body.
    Refresh,
    /// The end of one session.
    Logout,
    /// The end of all sessions of a subject.
    LogoutAll,
    /// The device list, and one device of it.
    Sessions,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// Token revocation (RFC 7009).
    Revoke,
    /// Token introspection (RFC 7662).
    Introspect,
    /// Authorization server metadata (RFC 8414), at both of its names.
    Metadata,
    /// The public keys of access tokens (RFC 7517 §5).
    Jwks,
}

impl SessionEndpoint {
    /// Where each answers; `{sid}` is one segment.
    pub const PATHS: [(&str, Self); 12] = [
        ("/auth/login", Self::Login),
        ("/auth/refresh", Self::Refresh),
        ("/auth/logout", Self::Logout),
        ("/auth/logout-all", Self::LogoutAll),
        ("/auth/sessions", Self::Sessions),
        ("/auth/sessions/{sid}", Self::Sessions),
        ("/oauth/token", Self::Token),
        ("/oauth/revoke", Self::Revoke),
        ("/oauth/introspect", Self::Introspect),
        ("/.well-known/oauth-authorization-server", Self::Metadata),
        ("/.well-known/openid-configuration", Self::Metadata),
        ("/.well-known/jwks.json", Self::Jwks),
    ];

    /// The endpoint at `path`, if there is one.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let mut paths = Self::PATHS.iter();
        paths
            .find(|(pattern, _)| match pattern.strip_suffix("{sid}") {
                Some(list) => path
                    .strip_prefix(list)
                    .is_some_and(|sid| !sid.contains('/')),
                None => path == *pattern,
            })
            .map(|(_, endpoint)| *endpoint)
    }

    /// The route label of metric and log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "auth.login",
            Self::Refresh => "auth.refresh",
            Self::Logout => "auth.logout",
            Self::LogoutAll => "auth.logout_all",
            Self::Sessions => "auth.sessions",
            Self::Token => "oauth.token",
            Self::Revoke => "oauth.revoke",
            Self::Introspect => "oauth.introspect",
            Self::Metadata => "well_known.metadata",
            Self::Jwks => "well_known.jwks",
        }
    }
}

/// Whether some path matches both patterns. `endpoint` has no `*`.
pub(super) fn meets(pattern: &str, endpoint: &str) -> bool {
    let is_parameter = |segment: &str| segment.starts_with('{');
    let (head, below) = match pattern.strip_suffix("/*") {
        Some(head) => (head, true),
        None => (pattern, false),
    };
    let mut wanted = endpoint.split('/');
    for segment in head.split('/') {
        let Some(other) = wanted.next() else {
            return false;
        };
        if segment != other && !is_parameter(segment) && !is_parameter(other) {
            return false;
        }
    }
    below || wanted.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{SessionEndpoint, meets};

    #[test]
    fn an_endpoint_answers_at_its_path_and_nowhere_else() {
        assert_eq!(
            SessionEndpoint::at("/auth/login"),
            Some(SessionEndpoint::Login)
        );
        assert_eq!(
            SessionEndpoint::at("/auth/sessions/7"),
            Some(SessionEndpoint::Sessions)
        );
        for path in [
            "/auth/{sid}",
            "/auth/login/",
            "/auth/sessions/7/8",
            "/Auth/login",
            "/auth",
        ] {
            assert_eq!(SessionEndpoint::at(path), None, "{path}");
        }
    }

    #[test]
    fn a_pattern_meets_an_endpoint_that_it_would_match() {
        let check = |pattern, endpoint, expected| {
            assert_eq!(meets(pattern, endpoint), expected, "{pattern} {endpoint}")
        };
        check("/auth/login", "/auth/login", true);
        check("/auth/*", "/auth/login", true);
        check("/auth/{x}", "/auth/login", true);
        check("/{x}/login", "/auth/login", true);
        check("/*", "/auth/login", true);
        check("/auth/sessions/mine", "/auth/sessions/{sid}", true);
        check("/auth/login/*", "/auth/login", true);
        check("/auth", "/auth/login", false);
        check("/auth/login/x", "/auth/login", false);
        check("/auth/login/", "/auth/login", false);
        check("/authors/*", "/auth/login", false);
    }
}
