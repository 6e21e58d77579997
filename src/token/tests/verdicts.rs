//! Whole tokens and what is said of them.

use super::issuer::{NOW, TestIssuer, good_claims, hs256, hs256_verifier, verify};
use crate::token::{Algorithm, Source};

#[test]
fn a_good_token_of_each_signing_algorithm_is_verified() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
        Algorithm::Rs256,
    ] {
        let issuer = TestIssuer::new(algorithm);
        let verified = issuer.verify(&issuer.sign(&good_claims())).unwrap();
        let principal = verified.principal();
        assert_eq!(&*principal.subject, "alice");
        assert_eq!(principal.tenant.as_deref(), Some("acme"));
        assert_eq!(principal.session.as_deref(), Some("s-1"));
        assert_eq!(principal.client.as_deref(), Some("web"));
        assert_eq!(principal.token_id.as_deref(), Some("t-1"));
        assert_eq!(
            principal.products.iter().collect::<Vec<_>>(),
            ["crm", "wiki"]
        );
        assert_eq!(verified.kid(), Some(issuer.key.kid()));
        assert_eq!(verified.source(), Source::Signature);
    }
}

#[test]
fn a_good_hmac_token_is_verified() {
    let token = hs256(r#"{"alg":"HS256"}"#, &good_claims().to_string());
    assert!(verify(&hs256_verifier(), &token, NOW).is_ok());
}
