//! Keys that their issuer took back: known by name, so that their tokens are told from those of nobody's key.

use serde_json::{Value, json};

use super::issuer::{NOW, TestIssuer, good_claims, terms, verifier, verify};
use super::keys::{jwk_with, new_key, parse};
use crate::token::{Algorithm, KeySet, TokenError, WantedKey};

#[test]
fn a_withdrawn_key_is_told_from_one_that_was_never_seen_until_it_returns() {
    let (old, new) = (TestIssuer::new(Algorithm::Es256), new_key(Algorithm::Es256));
    let set = |keys: &[Value]| parse(keys, &[Algorithm::Es256]).0;
    let (before, after) = (set(&[old.key.public_jwk()]), || set(&[new.public_jwk()]));
    let rotated = after().succeeding(&before);
    let later = after().succeeding(&rotated);
    let returned = set(&[old.key.public_jwk(), new.public_jwk()]).succeeding(&rotated);
    let unknown = |wanted| {
        let issuer_name = "main".into();
        Err(TokenError::KeyUnknown {
            issuer_name,
            wanted,
        })
    };
    let token = old.sign(&good_claims());
    let rows = [
        (after(), unknown(WantedKey::Unseen)),
        (
            rotated.distrusting(&["other"]),
            unknown(WantedKey::Withdrawn),
        ),
        (later, unknown(WantedKey::Withdrawn)),
        (returned, Ok(())),
    ];
    for (keys, expected) in rows {
        let verifier = verifier(old.terms.clone(), keys);
        assert_eq!(verify(&verifier, &token, NOW).map(drop), expected);
    }
}

#[test]
fn only_so_many_keys_are_known_as_withdrawn_and_none_that_still_serves() {
    let key = new_key(Algorithm::Es256);
    let set = |prefix: &str| {
        let kids = (0..KeySet::KEYS_MAX * 3 / 5).map(|at| format!("{prefix}{at}"));
        let jwks: Vec<_> = kids
            .map(|kid| jwk_with(&key, &json!({ "kid": kid })))
            .collect();
        parse(&jwks, &[Algorithm::Es256]).0
    };
    let (first, second) = (set("a"), set("b"));
    let second = second.succeeding(&first);
    let again = set("b").succeeding(&second);
    let third = set("c").succeeding(&again);
    let terms = terms("main", "https://auth.example.com", &[Algorithm::Es256]);
    let withdrawn = |keys: KeySet| {
        let verifier = verifier(terms.clone(), keys);
        let kids = ["a", "b"].iter().flat_map(|prefix| {
            (0..KeySet::KEYS_MAX)
                .map(move |at| json!({"alg": "ES256", "kid": format!("{prefix}{at}")}))
        });
        let errors = kids.map(|header| {
            let token = key.sign_text(&header.to_string(), &good_claims().to_string());
            verify(&verifier, &token, NOW).err()
        });
        let is_withdrawn = |error: &Option<TokenError>| {
            let wanted = WantedKey::Withdrawn;
            matches!(error, Some(TokenError::KeyUnknown { wanted: told, .. }) if *told == wanted)
        };
        errors.filter(is_withdrawn).count()
    };
    assert_eq!(withdrawn(again), KeySet::KEYS_MAX * 3 / 5);
    assert_eq!(withdrawn(third), KeySet::KEYS_MAX);
}
