//! The paths that the gate answers itself, so that no route takes them. Which endpoint each is, `gate` knows.

/// Where the identity keys are, once there is a signing key.
pub const IDENTITY_JWKS_PATH: &str = "/.well-known/identity-jwks.json";

/// Where the session side answers, once there is one.
pub const SESSION_PATHS: [&str; 12] = [
    "/auth/login",
    "/auth/refresh",
    "/auth/logout",
    "/auth/logout-all",
    "/auth/sessions",
    "/auth/sessions/{sid}",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
];

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
    use super::meets;

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
