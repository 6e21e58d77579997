//! Tokens that nobody minted: each known way of making one, and the reason that meets it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::issuer::{NOW, TestIssuer, cache, good_claims, terms, verify};
use crate::token::{Algorithm, KeyRing, KeySet, SigningKey, TokenError, Verifier, WantedKey};

/// Asserts that `issuer` refuses `token` with `expected`.
#[track_caller]
fn check(issuer: &TestIssuer, token: &str, expected: &TokenError) {
    assert_eq!(&issuer.verify(token).unwrap_err(), expected, "{token}");
}

fn key_unknown() -> TokenError {
    TokenError::KeyUnknown {
        issuer_name: "main".into(),
        wanted: WantedKey::Unseen,
    }
}

fn signed(header: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let input = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(good_claims().to_string())
    );
    let signature = URL_SAFE_NO_PAD.encode(sign(&input));
    format!("{input}.{signature}")
}

fn with_signature(token: &str, signature: &[u8]) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_public_key_is_never_an_hmac_secret() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
        let mut issuer = TestIssuer::new(algorithm);
        for secret in spellings_of(&issuer.key) {
            for (name, hash) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
            ] {
                for kid in [json!(issuer.key.kid()), json!("\0")] {
                    let mut header = json!({"alg": name, "typ": "at+jwt"});
                    if kid != "\0" {
                        header["kid"] = kid;
                    }
                    let key = hmac::Key::new(hash, &secret);
                    let token = signed(&header, |input| {
                        hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
                    });
                    check(&issuer, &token, &TokenError::AlgorithmRefused);
                    // Not even where the operator allows both families over one published set.
                    issuer.terms.algorithms = Algorithm::ALL.to_vec();
                    check(&issuer, &token, &TokenError::AlgorithmRefused);
                    issuer.terms.algorithms = vec![algorithm];
                }
            }
        }
    }
}

/// The public key in every form that somebody might take for a secret.
fn spellings_of(key: &SigningKey) -> Vec<Vec<u8>> {
    let jwk = key.public_jwk();
    let raw: Vec<u8> = ["x", "y", "n"]
        .into_iter()
        .filter_map(|name| jwk[name].as_str())
        .flat_map(|text| URL_SAFE_NO_PAD.decode(text).unwrap())
        .collect();
    let base64 = STANDARD.encode(&raw);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----");
    let mut spellings = vec![
        raw.clone(),
        [&[4], &raw[..]].concat(),
        base64.into_bytes(),
        jwk.to_string().into_bytes(),
        key.kid().as_bytes().to_vec(),
        Vec::new(),
    ];
    for white in ["", "\n", " ", "\r\n", "\t"] {
        spellings.push(format!("{pem}{white}").into_bytes());
        spellings.push(format!("{white}{pem}").into_bytes());
    }
    spellings
}

#[test]
fn no_algorithm_is_not_an_algorithm() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    for alg in ["none", "None", "NONE", "nOnE", "none ", ""] {
        let token = signed(&json!({ "alg": alg }), |_| vec![0; 64]);
        check(&issuer, &token, &TokenError::AlgorithmRefused);
        let (input, _) = token.rsplit_once('.').unwrap();
        let bare = issuer.verify(&format!("{input}."));
        assert!(matches!(bare, Err(TokenError::Malformed(_))));
    }
}

#[test]
fn a_kid_is_a_name_and_nothing_else() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let mallory = TestIssuer::new(Algorithm::Es256);
    for kid in [
        "",
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "' OR 1=1 --",
        "1; SELECT 1",
        "https://evil.example.com/jwks.json",
        "$(id)",
        "`id`",
        "| id",
        "a\u{0}b",
        "\u{202e}",
        "*",
        "%",
        "0",
        "null",
        "true",
        "{}",
        "..%2f..%2f",
        "main",
        "keys",
    ] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid}).to_string();
        for key in [&issuer.key, &mallory.key] {
            let token = key.sign_text(&header, &good_claims().to_string());
            check(&issuer, &token, &key_unknown());
        }
    }
    let long = json!({"alg": "ES256", "kid": "k".repeat(5000)}).to_string();
    let token = issuer.key.sign_text(&long, &good_claims().to_string());
    check(&issuer, &token, &key_unknown());
    let upper = issuer.key.kid().to_uppercase();
    let token = json!({"alg": "ES256", "kid": upper}).to_string();
    let token = issuer.key.sign_text(&token, &good_claims().to_string());
    check(&issuer, &token, &key_unknown());
}

#[test]
fn a_key_that_a_token_brings_along_is_never_used() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let mallory = TestIssuer::new(Algorithm::Es256);
    for (name, value) in [
        ("jwk", mallory.key.public_jwk()),
        ("jku", json!("https://evil.example.com/jwks.json")),
        ("x5u", json!("https://evil.example.com/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": mallory.key.kid()});
        header[name] = value;
        let claims = good_claims().to_string();
        let token = mallory.key.sign_text(&header.to_string(), &claims);
        check(&issuer, &token, &key_unknown());
        header["kid"] = json!(issuer.key.kid());
        let token = mallory.key.sign_text(&header.to_string(), &claims);
        check(&issuer, &token, &TokenError::SignatureInvalid);
        header.as_object_mut().unwrap().remove("kid");
        let token = mallory.key.sign_text(&header.to_string(), &claims);
        check(&issuer, &token, &TokenError::SignatureInvalid);
    }
}

#[test]
fn a_key_of_one_issuer_is_worth_nothing_to_another() {
    let ours = TestIssuer::new(Algorithm::Es256);
    let theirs = TestIssuer::new(Algorithm::Es256);
    let same_kid = |issuer: &TestIssuer| {
        let mut jwk = issuer.key.public_jwk();
        jwk["kid"] = json!("same");
        let document = json!({ "keys": [jwk] }).to_string();
        KeySet::parse(document.as_bytes(), &[Algorithm::Es256])
            .unwrap()
            .0
    };
    let partner = terms(
        "partner",
        "https://partner.example.com",
        &[Algorithm::Es256],
    );
    let mut ring = KeyRing::default();
    ring.insert("main".into(), same_kid(&ours).into());
    ring.insert("partner".into(), same_kid(&theirs).into());
    let both = vec![ours.terms.clone().into(), partner.into()];
    let verifier = Verifier::new(both, &ring, cache());
    let header = r#"{"alg":"ES256","kid":"same"}"#;
    for (key, iss, is_own) in [
        (&ours.key, "https://auth.example.com", true),
        (&theirs.key, "https://partner.example.com", true),
        (&theirs.key, "https://auth.example.com", false),
        (&ours.key, "https://partner.example.com", false),
    ] {
        let mut claims = good_claims();
        claims["iss"] = json!(iss);
        let verdict = verify(&verifier, &key.sign_text(header, &claims.to_string()), NOW);
        if is_own {
            assert_eq!(&*verdict.unwrap().principal().issuer, iss);
        } else {
            assert_eq!(verdict.unwrap_err(), TokenError::SignatureInvalid);
        }
    }
}

#[test]
fn signatures_of_nobody_do_not_verify() {
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let issuer = TestIssuer::new(Algorithm::Es256);
    let token = issuer.sign(&good_claims());
    let zero = vec![0; 32];
    let one = [vec![0; 31], vec![1]].concat();
    let full = vec![0xff; 32];
    for r in [&zero, &one, &order, &full] {
        for s in [&zero, &one, &order, &full] {
            let forged = with_signature(&token, &[&r[..], s].concat());
            check(&issuer, &forged, &TokenError::SignatureInvalid);
        }
    }
    for algorithm in [Algorithm::EdDsa, Algorithm::Es384, Algorithm::Rs256] {
        let issuer = TestIssuer::new(algorithm);
        let token = issuer.sign(&good_claims());
        let len = URL_SAFE_NO_PAD
            .decode(token.rsplit_once('.').unwrap().1)
            .unwrap()
            .len();
        for byte in [0, 1, 0xff] {
            let forged = with_signature(&token, &vec![byte; len]);
            check(&issuer, &forged, &TokenError::SignatureInvalid);
        }
    }
}

#[test]
fn a_signature_has_exactly_its_length() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
        Algorithm::Rs256,
    ] {
        let issuer = TestIssuer::new(algorithm);
        let token = issuer.sign(&good_claims());
        let signature = URL_SAFE_NO_PAD
            .decode(token.rsplit_once('.').unwrap().1)
            .unwrap();
        let len = signature.len();
        for wrong in [
            signature[..1].to_vec(),
            signature[..len - 1].to_vec(),
            signature[1..].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            [&signature[..], &signature[..]].concat(),
            vec![0x30; 4000],
        ] {
            let forged = with_signature(&token, &wrong);
            check(&issuer, &forged, &TokenError::SignatureInvalid);
        }
    }
}

#[test]
fn an_ecdsa_signature_in_asn_1_is_not_one_of_a_jws() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let token = issuer.sign(&good_claims());
    let fixed = URL_SAFE_NO_PAD
        .decode(token.rsplit_once('.').unwrap().1)
        .unwrap();
    let integer = |half: &[u8]| [&[0x02, 33, 0], half].concat();
    let body = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    let der = [&[0x30, body.len() as u8], &body[..]].concat();
    check(
        &issuer,
        &with_signature(&token, &der),
        &TokenError::SignatureInvalid,
    );
}

#[test]
fn a_key_checks_its_own_algorithm_alone() {
    let all = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ];
    for own in [
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ] {
        let mut issuer = TestIssuer::new(own);
        issuer.terms.algorithms = all.to_vec();
        for other in all.into_iter().filter(|other| *other != own) {
            let header = json!({"alg": other.as_str(), "kid": issuer.key.kid()}).to_string();
            let token = issuer.key.sign_text(&header, &good_claims().to_string());
            check(&issuer, &token, &TokenError::AlgorithmRefused);
            let nameless = json!({"alg": other.as_str()}).to_string();
            let token = issuer.key.sign_text(&nameless, &good_claims().to_string());
            check(&issuer, &token, &key_unknown());
        }
    }
}

#[test]
fn an_issuer_without_keys_is_unavailable_and_nothing_else_vouches() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let token = issuer.sign(&good_claims());
    for ring in [KeyRing::default(), {
        let mut ring = KeyRing::default();
        ring.insert("main".into(), KeySet::default().into());
        ring
    }] {
        let terms = vec![issuer.terms.clone().into()];
        let verifier = Verifier::new(terms, &ring, cache());
        let unavailable = TokenError::IssuerUnavailable {
            issuer_name: "main".into(),
        };
        assert_eq!(verify(&verifier, &token, NOW).unwrap_err(), unavailable);
        // An algorithm that the operator does not allow is told first: waiting would not help.
        let none = signed(&json!({"alg": "none"}), |_| vec![0; 64]);
        assert_eq!(
            verify(&verifier, &none, NOW).unwrap_err(),
            TokenError::AlgorithmRefused
        );
    }
}

#[test]
fn header_and_claims_of_two_tokens_do_not_mix() {
    let issuer = TestIssuer::new(Algorithm::EdDsa);
    let mut admin = good_claims();
    admin["sub"] = json!("admin");
    let (alice, admin) = (issuer.sign(&good_claims()), issuer.sign(&admin));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (alice, admin) = (parts(&alice), parts(&admin));
    let mixed = format!("{}.{}.{}", alice[0], admin[1], alice[2]);
    check(&issuer, &mixed, &TokenError::SignatureInvalid);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
