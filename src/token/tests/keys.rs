//! Documents of keys: which keys serve, which are skipped, and what the operator hears of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::token::{Algorithm, KeySet, SigningKey};

pub(super) fn parse(keys: &[Value], algorithms: &[Algorithm]) -> (KeySet, Vec<String>) {
    let document = json!({ "keys": keys }).to_string();
    KeySet::parse(document.as_bytes(), algorithms).unwrap()
}

pub(super) fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate_pem(algorithm).unwrap()).unwrap()
}

/// A public JWK with `changes` merged in; `"\0"` removes a member.
pub(super) fn jwk_with(key: &SigningKey, changes: &Value) -> Value {
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
    let read = |bytes| {
        let mut document = br#"{"keys":[]}"#.to_vec();
        document.resize(bytes, b' ');
        KeySet::parse(&document, &Algorithm::ALL)
    };
    assert!(read(KeySet::DOCUMENT_BYTES_MAX).is_ok());
    assert!(read(KeySet::DOCUMENT_BYTES_MAX + 1).is_err());
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
fn coordinates_whose_border_was_moved_are_no_point() {
    let key = new_key(Algorithm::Es256);
    let jwk = key.public_jwk();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [bytes("x"), bytes("y")].concat();
    let (x, y) = point.split_at(31);
    let moved = json!({"x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
    let (keys, warnings) = parse(&[jwk_with(&key, &moved)], &[Algorithm::Es256]);
    assert!(keys.is_empty() && warnings.len() == 1, "{warnings:?}");
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
fn an_even_modulus_is_told_as_such() {
    let key = new_key(Algorithm::Rs256);
    let jwk = key.public_jwk();
    let mut n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    *n.last_mut().unwrap() &= 0xfe;
    let even = jwk_with(&key, &json!({ "n": URL_SAFE_NO_PAD.encode(n) }));
    let (keys, warnings) = parse(&[even], &[Algorithm::Rs256]);
    assert!(
        keys.is_empty() && warnings[0].contains("even"),
        "{warnings:?}"
    );
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
