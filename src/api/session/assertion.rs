//! `private_key_jwt`: a client proves itself with a signed assertion (RFC 7523 §2.2, §3), each of them once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::config::model::{Client, ClientAuth, ClientKind, Sessions};
use crate::control;
use crate::time::Timestamp;
use crate::token::{
    BearerToken, ClaimPath, IssuerTerms, KeyRing, Verified, VerifiedTokens, Verifier,
};

/// Verifies assertions. Each client is an issuer of its own: its keys verify nobody else's.
#[derive(Debug)]
pub(super) struct Assertions {
    verifiers: HashMap<Arc<str>, Verifier>,
}

impl Assertions {
    pub(super) fn new(sessions: &Sessions) -> Self {
        let verified = Arc::new(VerifiedTokens::new(CACHED_MAX, control::fresh()));
        let verifiers = sessions.clients.iter().filter_map(|client| {
            let ClientKind::Confidential(ClientAuth::PrivateKeyJwt { jwks }) = &client.kind else {
                return None;
            };
            let mut ring = KeyRing::default();
            ring.insert(client.id.clone(), jwks.clone());
            let terms = Arc::new(terms(sessions, client));
            let verifier = Verifier::new(vec![terms], &ring, verified.clone());
            Some((client.id.clone(), verifier))
        });
        Self {
            verifiers: verifiers.collect(),
        }
    }

    pub(super) fn verify(
        &self,
        client: &Client,
        assertion: &str,
        now: Timestamp,
    ) -> Option<Verified> {
        let token = BearerToken::from_compact(assertion).ok()?;
        let verified = self.verifiers.get(&client.id)?.verify(token, None, now);
        verified
            .ok()
            .filter(|verified| *verified.principal().subject == *client.id)
    }
}

/// The subject that an assertion claims: enough to know whose keys to try, and nothing more.
pub(super) fn subject(assertion: &str) -> Option<String> {
    let claims = assertion.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

/// The audience is this server: by its issuer, or by an endpoint that takes assertions (RFC 7523 §3).
fn terms(sessions: &Sessions, client: &Client) -> IssuerTerms {
    let base = sessions.issuer.trim_end_matches('/');
    let endpoints = ENDPOINTS.map(|endpoint| format!("{base}{endpoint}").into());
    IssuerTerms {
        name: client.id.clone(),
        issuer: client.id.clone(),
        audiences: [(*sessions.issuer).into()]
            .into_iter()
            .chain(endpoints)
            .collect(),
        algorithms: ClientAuth::ALGORITHMS.into(),
        types: vec!["JWT".into(), "client-authentication+jwt".into()],
        leeway: LEEWAY,
        lifetime_max: LIFETIME_MAX,
        products: ClaimPath::of("products"),
        scopes: ClaimPath::of("scope"),
        tenant: ClaimPath::of("tenant"),
    }
}

/// What `client_assertion_type` must say.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Some libraries name the endpoint that they call, others the token endpoint wherever they call.
const ENDPOINTS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
pub(super) const LEEWAY: Duration = Duration::from_secs(30);
/// Some libraries make them an hour long.
const LIFETIME_MAX: Duration = Duration::from_secs(70 * 60);
const CACHED_MAX: usize = 1000;
