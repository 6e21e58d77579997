//! Key sets: which keys serve, which are skipped, and what the operator hears of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::issuer::{HS_SECRET, NOW, TestIssuer, good_claims, terms, verifier, verify};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::{Algorithm, KeySet, SigningKey, TokenError, WantedKey};

fn parse(keys: &[Value], algorithms: &[Algorithm]) -> (KeySet, Vec<String>) {
    let document = json!({ "keys": keys }).to_string();
    KeySet::parse(document.as_bytes(), algorithms).unwrap()
}

fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate_pem(algorithm).unwrap()).unwrap()
}

/// A public JWK with `changes` merged in; `"\0"` removes a member.
fn jwk_with(key: &SigningKey, changes: &Value) -> Value {
    let mut jwk = key.public_jwk();
    for (name, value) in changes.as_object().unwrap() {
        if value == "\0" {
            jwk.as_object_mut().unwrap().remove(name);
        } else {
            jwk[name] = value.clone();
        }
    }
    jwk
}

#[test]
fn an_odd_key_is_skipped_and_the_rest_serve() {
    let good = new_key(Algorithm::Es256);
    let odd = new_key(Algorithm::Es256);
    let rsa = new_key(Algorithm::Rs256);
    let n = rsa.public_jwk()["n"].as_str().unwrap().to_owned();
    for jwk in [
        json!(7),
        json!([]),
        json!({}),
        json!({"kty": "oct", "k": "AAAA", "alg": "HS256"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        jwk_with(&odd, &json!({"kid": 7})),
        jwk_with(&odd, &json!({"kid": "k".repeat(1025)})),
        jwk_with(&odd, &json!({"alg": "ES384"})),
        jwk_with(&odd, &json!({"alg": "HS256"})),
        jwk_with(&odd, &json!({"alg": "none"})),
        jwk_with(&odd, &json!({"alg": 7})),
        jwk_with(&odd, &json!({"crv": "P-384"})),
        jwk_with(&odd, &json!({"crv": "P-521", "alg": "ES512"})),
        jwk_with(&odd, &json!({"crv": "secp256k1", "alg": "\0"})),
        jwk_with(&odd, &json!({"kty": "RSA"})),
        jwk_with(&odd, &json!({"x": good.public_jwk()["x"]})),
        jwk_with(&odd, &json!({"x": "\0"})),
        jwk_with(&odd, &json!({"x": "AAAA"})),
        jwk_with(
            &odd,
            &json!({"y": format!("{}=", odd.public_jwk()["y"].as_str().unwrap())}),
        ),
        jwk_with(&rsa, &json!({"n": n[..170]})),
        jwk_with(&rsa, &json!({"n": ""})),
        jwk_with(&rsa, &json!({"n": "AAAA"})),
        jwk_with(&rsa, &json!({"n": n.repeat(5)[..1368 * 5 / 4]})),
        jwk_with(&rsa, &json!({"e": "AQ"})),
        jwk_with(&rsa, &json!({"e": "AA"})),
        jwk_with(&rsa, &json!({"e": "BA"})),
        jwk_with(&rsa, &json!({"e": "AQAAAAAB"})),
    ] {
        let algorithms = [Algorithm::Es256, Algorithm::Rs256, Algorithm::Hs256];
        let (keys, warnings) = parse(&[jwk.clone(), good.public_jwk()], &algorithms);
        assert_eq!(keys.len(), 1, "{jwk}");
        assert_eq!(keys.keys().next().unwrap().kid(), Some(good.kid()));
        assert_eq!(warnings.len(), 1, "{jwk}");
        assert!(warnings[0].starts_with("key 1"), "{warnings:?}");
    }
}

#[test]
fn a_key_that_no_parser_reads_takes_no_other_with_it() {
    let good = new_key(Algorithm::Es256).public_jwk();
    let document = format!(r#"{{"keys":[{{"kty":"EC","kty":"RSA"}},{{"x":1e999}},{good}]}}"#);
    let (keys, warnings) = KeySet::parse(document.as_bytes(), &[Algorithm::Es256]).unwrap();
    assert_eq!((keys.len(), warnings.len()), (1, 2));
}

#[test]
fn a_key_for_something_else_is_no_news() {
    let key = new_key(Algorithm::Es256);
    for changes in [
        json!({"use": "enc"}),
        json!({"use": "SIG"}),
        json!({"use": "\0", "key_ops": ["sign"]}),
        json!({"use": "\0", "key_ops": []}),
        json!({"use": "\0", "key_ops": "verify"}),
    ] {
        let (keys, warnings) = parse(&[jwk_with(&key, &changes)], &[Algorithm::Es256]);
        assert!(keys.is_empty() && warnings.is_empty(), "{changes}");
    }
    let (keys, _) = parse(
        &[jwk_with(&key, &json!({"use": "\0", "key_ops": ["verify"]}))],
        &[Algorithm::Es256],
    );
    assert_eq!(keys.len(), 1);
}

#[test]
fn a_document_that_is_no_key_set_is_an_error() {
    for document in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "{\"keys\":[]} x",
        "<html>",
    ] {
        assert!(
            KeySet::parse(document.as_bytes(), &Algorithm::ALL).is_err(),
            "{document}"
        );
    }
    assert!(KeySet::parse(br#"{"keys":[],"keys":[]}"#, &Algorithm::ALL).is_err());
    assert!(
        KeySet::parse(br#"{"keys":[]}"#, &Algorithm::ALL)
            .unwrap()
            .0
            .is_empty()
    );
}

#[test]
fn a_document_over_its_limits_is_an_error() {
    let hundred = vec![json!({}); KeySet::KEYS_MAX];
    assert!(parse(&hundred, &Algorithm::ALL).0.is_empty());
    let document = json!({ "keys": vec![json!({}); KeySet::KEYS_MAX + 1] }).to_string();
    assert!(KeySet::parse(document.as_bytes(), &Algorithm::ALL).is_err());
    let document = format!("{{\"keys\":[]}}{}", " ".repeat(KeySet::DOCUMENT_BYTES_MAX));
    assert!(KeySet::parse(document.as_bytes(), &Algorithm::ALL).is_err());
}

#[test]
fn a_private_key_that_is_published_is_skipped() {
    let (key, rsa) = (new_key(Algorithm::Es256), new_key(Algorithm::Rs256));
    for (key, name) in [(&key, "d"), (&rsa, "d"), (&rsa, "p"), (&rsa, "qi")] {
        let algorithms = [Algorithm::Es256, Algorithm::Rs256];
        let (keys, warnings) = parse(&[jwk_with(key, &json!({ name: "AAAA" }))], &algorithms);
        assert!(keys.is_empty(), "{name}");
        assert!(warnings[0].contains("private key"), "{warnings:?}");
    }
}

#[test]
fn an_ed25519_key_of_small_order_is_skipped() {
    let beyond = ["ec", "ed", "ee", "ff"].map(|low| format!("{low}{}7f", "ff".repeat(30)));
    let order_eight = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let zero_and_one = ["00", "01"].map(|low| format!("{low}{}", "00".repeat(31)));
    let low = [&beyond[..], &zero_and_one, &order_eight.map(str::to_owned)].concat();
    for hex in low {
        let mut point: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        for sign in [0, 0x80] {
            point[31] |= sign;
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&point)});
            let (keys, warnings) = parse(&[jwk], &[Algorithm::EdDsa]);
            assert!(keys.is_empty(), "{hex}");
            assert!(warnings[0].contains("anybody"), "{warnings:?}");
        }
    }
    let sound = new_key(Algorithm::EdDsa).public_jwk();
    assert_eq!(parse(&[sound], &[Algorithm::EdDsa]).0.len(), 1);
}

#[test]
fn a_long_kid_is_shown_by_its_beginning() {
    let jwk = json!({"kty": "oct", "kid": "k".repeat(100_000)});
    let (_, warnings) = parse(&[jwk], &[Algorithm::Es256]);
    assert!(warnings[0].len() < 200, "{} bytes", warnings[0].len());
}

#[test]
fn an_rsa_key_without_alg_serves_each_configured_rsa_algorithm() {
    let key = new_key(Algorithm::Rs256);
    let jwk = jwk_with(&key, &json!({"alg": "\0"}));
    let configured = [Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es256];
    let (keys, _) = parse(&[jwk], &configured);
    let pinned: Vec<Algorithm> = keys.keys().map(|key| key.algorithm()).collect();
    assert_eq!(pinned, [Algorithm::Rs256, Algorithm::Ps512]);
    let (keys, _) = parse(&[key.public_jwk()], &configured);
    assert_eq!(keys.len(), 1);
}

#[test]
fn leading_zeros_of_a_modulus_are_forgiven() {
    let key = new_key(Algorithm::Rs256);
    let jwk = key.public_jwk();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let padded = URL_SAFE_NO_PAD.encode([&[0], &n[..]].concat());
    let (keys, _) = parse(
        &[jwk_with(&key, &json!({ "n": padded }))],
        &[Algorithm::Rs256],
    );
    let found = keys.keys().next().unwrap();
    assert_eq!(found.thumbprint(), Some(key.kid()));
}

#[test]
fn of_two_keys_with_one_name_the_first_serves() {
    let first = new_key(Algorithm::Es256);
    let second = new_key(Algorithm::Es256);
    let named = |key| jwk_with(key, &json!({"kid": "same"}));
    let (keys, warnings) = parse(&[named(&first), named(&second)], &[Algorithm::Es256]);
    assert_eq!(keys.len(), 1);
    assert_eq!(keys.keys().next().unwrap().thumbprint(), Some(first.kid()));
    assert!(warnings[0].contains("another key has its `kid`"));
    let (keys, warnings) = parse(&[named(&first), named(&first)], &[Algorithm::Es256]);
    assert_eq!((keys.len(), warnings.len()), (1, 0));
    let other = new_key(Algorithm::EdDsa);
    let (keys, warnings) = parse(
        &[named(&first), named(&other)],
        &[Algorithm::Es256, Algorithm::EdDsa],
    );
    assert_eq!((keys.len(), warnings.len()), (2, 0));
}

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
    }
    for keys in [&both, &alone] {
        let verifier = verifier(bad.terms.clone(), keys.distrusting(&[bad.key.kid()]));
        let nameless = verify(&verifier, &without_kid(&bad.key), NOW).unwrap_err();
        assert_eq!(nameless, TokenError::KeyDistrusted);
    }
}

#[test]
fn a_key_counts_its_use_and_counts_on_after_a_refresh() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let published = [issuer.key.public_jwk()];
    let keys = || parse(&published, &[Algorithm::Es256]).0;
    let mut ring = crate::token::KeyRing::default();
    let first = std::sync::Arc::new(keys());
    ring.insert("main".into(), first.clone());
    let verifier = crate::token::Verifier::new(
        vec![std::sync::Arc::new(issuer.terms.clone())],
        &ring,
        super::issuer::cache(),
    );
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
fn no_key_is_printed() {
    let keys = KeySet::from_secrets(&[Secret::new(HS_SECRET.to_vec())], &[Algorithm::Hs256]);
    let printed = format!("{:?}", keys.unwrap());
    assert!(!printed.contains("0123456789") && !printed.contains("48, 49, 50"));
    let key = new_key(Algorithm::Es256);
    assert!(!format!("{key:?}").contains("pair"));
}
