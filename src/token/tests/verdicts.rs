//! Whole tokens and what is said of them.

use serde_json::{Value, json};

use super::issuer::{NOW, TestIssuer, claims_with, good_claims, hs256, hs256_verifier, verify};
use crate::token::{Algorithm, Source, TokenError};

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

#[test]
fn each_wrong_claim_has_its_reason() {
    let invalid =
        |result: Result<_, TokenError>| matches!(result, Err(TokenError::ClaimInvalid(_)));
    let verifier = hs256_verifier();
    let check = |changes: Value| {
        let token = hs256(r#"{"alg":"HS256"}"#, &claims_with(&changes).to_string());
        verify(&verifier, &token, NOW)
    };
    for name in ["exp", "aud", "sub"] {
        assert!(invalid(check(json!({ name: "\0" }))), "no {name}");
    }
    assert!(invalid(check(json!({"exp": "1700000600"}))));
    assert!(invalid(check(json!({"cnf": null}))));
    assert_eq!(
        check(json!({"iss": "\0"})).unwrap_err(),
        TokenError::IssuerUnknown
    );
    assert_eq!(
        check(json!({"exp": NOW - 5, "iat": NOW - 60})).unwrap_err(),
        TokenError::Expired
    );
    assert!(check(json!({"exp": NOW - 4, "iat": NOW - 60})).is_ok());
    assert_eq!(
        check(json!({"nbf": NOW + 6})).unwrap_err(),
        TokenError::NotYetValid
    );
    assert_eq!(
        check(json!({"exp": NOW + 3601})).unwrap_err(),
        TokenError::LifetimeExceeded
    );
    assert_eq!(
        check(json!({"aud": "x"})).unwrap_err(),
        TokenError::AudienceMismatch
    );
}
