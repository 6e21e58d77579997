//! Sets of keys: which key a signature is checked with, and what becomes of keys that are withdrawn or distrusted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::issuer::{HS_SECRET, NOW, TestIssuer, cache, good_claims, terms, verifier, verify};
use super::keys::{jwk_with, new_key, parse};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::{Algorithm, KeyRing, KeySet, SigningKey, TokenError, Verifier, WantedKey};

#[test]
fn a_token_without_kid_needs_the_only_key_of_its_algorithm() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let other = new_key(Algorithm::Es256);
    let edwards = new_key(Algorithm::EdDsa);
    let token = without_kid(&issuer.key);
    let verdict = |jwks: &[Value]| {
        let mut terms = issuer.terms.clone();
        terms.algorithms.push(Algorithm::EdDsa);
        let (keys, _) = parse(jwks, &terms.algorithms);
        verify(&verifier(terms, keys), &token, NOW).map(|_| ())
    };
    let ours = issuer.key.public_jwk();
    let unknown = Err(TokenError::KeyUnknown {
        issuer_name: "main".into(),
        wanted: WantedKey::Unseen,
    });
    assert_eq!(verdict(&[ours.clone(), edwards.public_jwk()]), Ok(()));
    assert_eq!(verdict(&[ours, other.public_jwk()]), unknown);
    assert_eq!(verdict(&[edwards.public_jwk()]), unknown);
}

/// A token of `key` whose header names no key.
fn without_kid(key: &SigningKey) -> String {
    let header = json!({"alg": key.algorithm().as_str()}).to_string();
    key.sign_text(&header, &good_claims().to_string())
}

#[test]
fn secrets_rotate_with_an_overlap() {
    let old = Secret::new(vec![1; 32]);
    let new = Secret::new(HS_SECRET.to_vec());
    let keys = KeySet::from_secrets(&[old, new], &[Algorithm::Hs256]).unwrap();
    assert_eq!(keys.len(), 2);
    let verifier = verifier(
        terms("main", "https://auth.example.com", &[Algorithm::Hs256]),
        keys,
    );
    let token = super::issuer::hs256(
        r#"{"alg":"HS256","kid":"whatever"}"#,
        &good_claims().to_string(),
    );
    assert!(verify(&verifier, &token, NOW).is_ok());
}

#[test]
fn a_secret_has_as_many_bytes_as_its_hash() {
    for (algorithm, bytes) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        let secret = |len| [Secret::new(vec![7; len])];
        assert!(KeySet::from_secrets(&secret(bytes), &[algorithm]).is_ok());
        let error = KeySet::from_secrets(&secret(bytes - 1), &[algorithm]).unwrap_err();
        assert!(error.starts_with("secret 1 is shorter"), "{error}");
    }
    assert!(KeySet::from_secrets(&[], &[Algorithm::Hs256]).is_err());
    assert!(KeySet::from_secrets(&[Secret::new(vec![7; 64])], &[Algorithm::Es256]).is_err());
}

#[test]
fn a_key_is_distrusted_by_kid_or_thumbprint() {
    let first = new_key(Algorithm::Es256);
    let second = new_key(Algorithm::Es256);
    let renamed = jwk_with(&second, &json!({"kid": "b"}));
    let (keys, _) = parse(&[first.public_jwk(), renamed], &[Algorithm::Es256]);
    assert_eq!(keys.distrusting(&["b"]).len(), 1);
    assert_eq!(keys.distrusting(&[second.kid(), first.kid()]).len(), 0);
    assert_eq!(keys.distrusting(&["c"]).len(), 2);
    assert_eq!(keys.distrusting::<&str>(&[]).len(), 2);
}

#[test]
fn a_distrusted_key_vouches_for_nothing_and_its_tokens_are_told_from_forgeries() {
    let (bad, good) = (TestIssuer::new(Algorithm::Es256), new_key(Algorithm::Es256));
    let (both, _) = parse(
        &[bad.key.public_jwk(), good.public_jwk()],
        &[Algorithm::Es256],
    );
    let mut forged = bad.sign(&good_claims());
    let last = forged.len() - 10;
    let other = if forged.as_bytes()[last] == b'A' {
        "B"
    } else {
        "A"
    };
    forged.replace_range(last..=last, other);
    let mut late = good_claims();
    late["exp"] = json!(NOW - 3600);
    late["iat"] = json!(NOW - 3700);
    let alone = parse(&[bad.key.public_jwk()], &[Algorithm::Es256]).0;
    let none = TokenError::IssuerUnavailable {
        issuer_name: "main".into(),
    };
    let unknown = TokenError::KeyUnknown {
        issuer_name: "main".into(),
        wanted: WantedKey::Unseen,
    };
    for (keys, otherwise) in [(&both, &unknown), (&alone, &none)] {
        let keys = keys.distrusting(&[bad.key.kid()]);
        let verifier = verifier(bad.terms.clone(), keys);
        let error = |token: &str| verify(&verifier, token, NOW).unwrap_err();
        assert_eq!(error(&bad.sign(&good_claims())), TokenError::KeyDistrusted);
        assert_eq!(error(&forged), *otherwise);
        assert_eq!(error(&bad.sign(&late)), TokenError::Expired);
        let stranger = new_key(Algorithm::Es256);
        assert_eq!(error(&stranger.sign("JWT", &good_claims())), *otherwise);
        let misnamed = json!({"alg": "ES256", "kid": "other"}).to_string();
        let misnamed = bad.key.sign_text(&misnamed, &good_claims().to_string());
        assert_eq!(error(&misnamed), *otherwise);
    }
    for keys in [&both, &alone] {
        let distrusting = keys.distrusting(&[bad.key.kid()]);
        let fewer = distrusting.without(&[good.kid().to_owned()]);
        let error = verify(
            &verifier(bad.terms.clone(), fewer),
            &bad.sign(&good_claims()),
            NOW,
        );
        assert_eq!(error.unwrap_err(), TokenError::KeyDistrusted);
        let verifier = verifier(bad.terms.clone(), distrusting);
        let nameless = verify(&verifier, &without_kid(&bad.key), NOW).unwrap_err();
        assert_eq!(nameless, TokenError::KeyDistrusted);
    }
}

#[test]
fn a_key_counts_its_use_and_counts_on_after_a_refresh() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let published = [issuer.key.public_jwk()];
    let keys = || parse(&published, &[Algorithm::Es256]).0;
    let mut ring = KeyRing::default();
    let first = Arc::new(keys());
    ring.insert("main".into(), first.clone());
    let verifier = Verifier::new(vec![Arc::new(issuer.terms.clone())], &ring, cache());
    let token = issuer.sign(&good_claims());
    for at in [NOW, NOW + 1, NOW + 2] {
        verify(&verifier, &token, at).unwrap();
    }
    assert!(verify(&verifier, &token, NOW + 9999).is_err());
    let refreshed = keys().succeeding(&first);
    let usage = refreshed.keys().next().unwrap().usage();
    assert_eq!(usage.count(), 3);
    assert_eq!(usage.last_used(), Some(Timestamp::from_secs(NOW + 2)));
    let unused = keys();
    let usage = unused.keys().next().unwrap().usage();
    assert_eq!((usage.count(), usage.last_used()), (0, None));
}

#[test]
fn no_key_is_printed() {
    let keys = KeySet::from_secrets(&[Secret::new(HS_SECRET.to_vec())], &[Algorithm::Hs256]);
    let printed = format!("{:?}", keys.unwrap());
    assert!(!printed.contains("0123456789") && !printed.contains("48, 49, 50"));
    let key = new_key(Algorithm::Es256);
    assert!(!format!("{key:?}").contains("pair"));
}
