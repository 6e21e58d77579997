//! What the gate answers itself, and at which paths, so that no route takes them. How it answers, `api` knows.

/// Where the identity keys are, once there is a signing key.
pub const IDENTITY_JWKS_PATH: &str = "/.well-known/identity-jwks.json";

/// What the session side answers. Its paths and labels are here alone; the checks of routes, the decision and the metrics
/// read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEndpoint {
    /// A login by the identity service.
    Login,
    /// A rotation by cookie.
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
    /// Where each answers, whatever the issuer; `{sid}` is one segment.
    const PATHS: [(&str, Self); 12] = [
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

    /// Whether `label` is one that [`Self::as_str`] gives.
    #[must_use]
    pub fn is_label(label: &str) -> bool {
        let mut paths = Self::PATHS.iter();
        paths.any(|(_, endpoint)| endpoint.as_str() == label)
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

/// The paths at which the session side of one issuer answers.
#[derive(Debug)]
pub struct SessionPaths(Vec<(Box<str>, SessionEndpoint)>);

impl SessionPaths {
    /// The paths for `issuer`. One that has a path of its own is looked for below it and, as RFC 8414 §3.1 has it, with it
    /// behind the well-known name; what its metadata names lies below it too.
    #[must_use]
    pub fn of(issuer: &str) -> Self {
        let all = SessionEndpoint::PATHS.into_iter();
        let mut paths: Vec<(Box<str>, SessionEndpoint)> = all
            .map(|(path, endpoint)| (path.into(), endpoint))
            .collect();
        let below = path_of(issuer);
        if !below.is_empty() {
            let standard = SessionEndpoint::PATHS.into_iter();
            for (path, endpoint) in standard.filter(|(path, _)| !path.starts_with("/auth/")) {
                paths.push((format!("{below}{path}").into(), endpoint));
                if endpoint == SessionEndpoint::Metadata {
                    paths.push((format!("{path}{below}").into(), endpoint));
                }
            }
        }
        Self(paths)
    }

    /// The endpoint at `path`, if there is one.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<SessionEndpoint> {
        let mut paths = self.0.iter();
        paths
            .find(|(pattern, _)| match pattern.strip_suffix("{sid}") {
                Some(list) => path
                    .strip_prefix(list)
                    .is_some_and(|sid| !sid.is_empty() && !sid.contains('/')),
                None => path == &**pattern,
            })
            .map(|(_, endpoint)| *endpoint)
    }

    /// All of them; `{sid}` is one segment.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| &**path)
    }
}

/// The path of an issuer, without a slash at its end.
fn path_of(issuer: &str) -> &str {
    let behind = issuer.split_once("://").map_or("", |(_, rest)| rest);
    let path = behind.find('/').map_or("", |at| &behind[at..]);
    path.trim_end_matches('/')
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
    use super::{SessionEndpoint, SessionPaths, meets};

    #[test]
    fn an_endpoint_answers_at_its_path_and_nowhere_else() {
        let paths = SessionPaths::of("https://auth.example.com/");
        assert_eq!(paths.find("/auth/login"), Some(SessionEndpoint::Login));
        assert_eq!(
            paths.find("/auth/sessions/7"),
            Some(SessionEndpoint::Sessions)
        );
        for path in [
            "/auth/{sid}",
            "/auth/login/",
            "/auth/sessions/",
            "/auth/sessions/7/8",
            "/Auth/login",
            "/auth",
            "//oauth/token",
        ] {
            assert_eq!(paths.find(path), None, "{path}");
        }
    }

    #[test]
    fn an_issuer_with_a_path_is_found_below_it_and_behind_the_well_known_name() {
        let paths = SessionPaths::of("https://example.com/tenant/1");
        for (path, expected) in [
            (
                "/.well-known/oauth-authorization-server/tenant/1",
                Some(SessionEndpoint::Metadata),
            ),
            (
                "/tenant/1/.well-known/openid-configuration",
                Some(SessionEndpoint::Metadata),
            ),
            (
                "/tenant/1/.well-known/jwks.json",
                Some(SessionEndpoint::Jwks),
            ),
            ("/tenant/1/oauth/token", Some(SessionEndpoint::Token)),
            ("/oauth/token", Some(SessionEndpoint::Token)),
            ("/tenant/1/auth/login", None),
            ("/tenant/2/oauth/token", None),
            ("/.well-known/jwks.json/tenant/1", None),
        ] {
            assert_eq!(paths.find(path), expected, "{path}");
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
