//! A header and claims under a signature that holds: what is verified means the same to any reader of JSON, and is
//! remembered as it was.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tollgate::secret::Secret;
use tollgate::time::Timestamp;
use tollgate::token::{
    Algorithm, BearerToken, ClaimPath, IssuerTerms, KeyRing, KeySet, Source, VerifiedTokens,
    Verifier,
};

/// Claims in the corpus are made for this moment.
const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const LEEWAY: Duration = Duration::from_secs(5);
const SECRET: [u8; 32] = [7; 32];

static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);

pub(crate) fn check(header: &[u8], claims: &[u8]) {
    let token = sign(header, claims);
    let Ok(token) = BearerToken::from_compact(&token) else {
        return;
    };
    let Ok(verified) = VERIFIER.verify(token, None, NOW) else {
        return;
    };
    let header: Value = serde_json::from_slice(header).expect("a verified header is JSON");
    assert_eq!(header["alg"], "HS256");
    for refused in ["crit", "b64", "zip", "enc"] {
        assert!(header.get(refused).is_none());
    }
    let claims: Value = serde_json::from_slice(claims).expect("verified claims are JSON");
    let principal = verified.principal();
    assert_eq!(claims["iss"], *principal.issuer);
    assert_eq!(claims["sub"], *principal.subject);
    assert!(claims.get("cnf").is_none());
    assert!(!principal.subject.is_empty() && !principal.subject.contains(char::is_control));
    assert!(verified.expires_at().plus(LEEWAY) > NOW);
    let again = VERIFIER.verify(token, None, NOW).expect("verified before");
    assert_eq!(again.source(), Source::Cache);
    assert_eq!(again.principal(), principal);
}

fn sign(header: &[u8], claims: &[u8]) -> String {
    let (header, claims) = (
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims),
    );
    let input = format!("{header}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn verifier() -> Verifier {
    let path = |text| ClaimPath::parse(text).expect("a path");
    let terms = IssuerTerms {
        name: "main".into(),
        issuer: "https://auth.example.com".into(),
        audiences: vec!["https://api.example.com".into()],
        algorithms: vec![Algorithm::Hs256],
        types: vec!["at+jwt".into(), "JWT".into()],
        leeway: LEEWAY,
        lifetime_max: Duration::from_secs(3600),
        products: path("app.products"),
        scopes: path("scope"),
        tenant: path("tenant"),
    };
    let keys = KeySet::from_secrets(&[Secret::new(SECRET.to_vec())], &terms.algorithms);
    let mut ring = KeyRing::default();
    ring.insert(terms.name.clone(), Arc::new(keys.expect("a long secret")));
    let verified = Arc::new(VerifiedTokens::new(1000, [1; 32]));
    Verifier::new(vec![Arc::new(terms)], &ring, verified)
}
