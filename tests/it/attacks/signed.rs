//! Tokens that somebody else signed, or nobody: by another algorithm, another key, or a signature that is none.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::forge::{
    Forge, HMAC_SECRET, KID, claims, claims_value, encoded, hmac_signed, signing_input,
};
use super::rows::{Rows, header};

/// The algorithm is the operator's and the key's, never the token's.
pub(super) fn confusion(rows: &mut Rows, forge: &Forge) {
    for alg in [
        "none", "None", "NONE", "nOnE", "", "null", "RS256 ", " RS256", "rs256", "RS-256",
        "ES256K", "ES512", "HS1",
    ] {
        let token = format!(
            "{}.{}",
            signing_input(&header(alg), &claims("rsa")),
            encoded([0; 256])
        );
        rows.add(format!("alg {alg:?}"), token, "algorithm_refused");
        let token = format!("{}.", signing_input(&header(alg), &claims("rsa")));
        rows.add(
            format!("alg {alg:?} without a signature"),
            token,
            "token_malformed",
        );
    }
    let sizes = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ];
    for (form, secret) in forge.rsa.public_forms() {
        for (alg, algorithm) in sizes {
            let token = hmac_signed(algorithm, &secret, &header(alg), &claims("rsa"));
            rows.add(
                format!("{alg} with the public key as secret: {form}"),
                token,
                "algorithm_refused",
            );
        }
        let token = hmac_signed(
            hmac::HMAC_SHA256,
            &secret,
            &header("HS256"),
            &claims("hmac"),
        );
        rows.add(
            format!("HS256 of another issuer's public key: {form}"),
            token,
            "signature_invalid",
        );
    }
    for alg in [
        "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ] {
        rows.add(
            format!("RS256 that says {alg}"),
            forge.rsa.sign(&header(alg), &claims("rsa")),
            "algorithm_refused",
        );
    }
    rows.add(
        "PS256 that says RS256",
        forge.rsa.sign_pss(&header("RS256"), &claims("rsa")),
        "signature_invalid",
    );
    rows.add(
        "ES256 that says ES384",
        forge.ec.sign(&header("ES384"), &claims("ec")),
        "algorithm_refused",
    );
    rows.add(
        "EdDSA that says ES256",
        forge.ed.sign(&header("ES256"), &claims("ec")),
        "signature_invalid",
    );
    rows.add(
        "ES256 that says EdDSA",
        forge.ec.sign(&header("EdDSA"), &claims("ed")),
        "signature_invalid",
    );
    let longer = hmac_signed(
        hmac::HMAC_SHA384,
        HMAC_SECRET.as_bytes(),
        &header("HS384"),
        &claims("hmac"),
    );
    rows.add(
        "HS384 where HS256 is configured",
        longer,
        "algorithm_refused",
    );
    for alg in [
        json!(1),
        json!(null),
        json!(["RS256"]),
        json!({ "x": 1 }),
        json!(true),
    ] {
        let odd = json!({ "alg": alg, "kid": KID, "typ": "at+jwt" }).to_string();
        rows.add(
            format!("alg {alg}"),
            forge.rsa.sign(&odd, &claims("rsa")),
            "token_malformed",
        );
    }
    rows.add(
        "no alg",
        forge
            .rsa
            .sign(&json!({ "kid": KID }).to_string(), &claims("rsa")),
        "token_malformed",
    );
}

/// A key is found by issuer and kid; the token brings none.
pub(super) fn keys(rows: &mut Rows, forge: &Forge) {
    let with_kid = |kid: &str| json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid }).to_string();
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "' OR 1=1 --",
        "http://127.0.0.1/jwks.json",
        "the-same-kid ",
        "THE-SAME-KID",
        "*",
        "",
        "the-same-kid\u{0}",
        "the-same-kid/../x",
        "${jndi:ldap://x}",
        "%74he-same-kid",
    ] {
        rows.add(
            format!("kid {kid:?}"),
            forge.stranger.sign(&with_kid(kid), &claims("rsa")),
            "key_unknown",
        );
    }
    for kid in [json!(1), json!(null), json!([KID]), json!({}), json!(true)] {
        let odd = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid }).to_string();
        rows.add(
            format!("kid {kid}"),
            forge.rsa.sign(&odd, &claims("rsa")),
            "token_malformed",
        );
    }
    let stranger: Value = serde_json::from_str(&forge.stranger.jwks).unwrap();
    let embedded = [
        ("jwk", stranger["keys"][0].clone()),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ];
    for (name, value) in embedded {
        let header =
            json!({ "alg": "RS256", "typ": "at+jwt", "kid": KID, name: value }).to_string();
        rows.add(
            format!("a key in `{name}`"),
            forge.stranger.sign(&header, &claims("rsa")),
            "signature_invalid",
        );
        let header = json!({ "alg": "RS256", "typ": "at+jwt", name: value }).to_string();
        rows.add(
            format!("a key in `{name}`, no kid"),
            forge.stranger.sign(&header, &claims("rsa")),
            "signature_invalid",
        );
    }
    rows.add(
        "B's key for A, same kid",
        forge.other.sign(&header("RS256"), &claims("rsa")),
        "signature_invalid",
    );
    rows.add(
        "A's key for B, same kid",
        forge.rsa.sign(&header("RS256"), &claims("other")),
        "signature_invalid",
    );
    rows.add(
        "nobody's key",
        forge.stranger.sign(&header("RS256"), &claims("rsa")),
        "signature_invalid",
    );
    for issuer in [
        "https://rsa.example.com/",
        "HTTPS://rsa.example.com",
        "https://rsa.example.com ",
        "https://rsa.example.com.evil.test",
        "",
    ] {
        let mut claims = claims_value("rsa");
        claims["iss"] = issuer.into();
        rows.add(
            format!("iss {issuer:?}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "issuer_unknown",
        );
    }
    for issuer in [
        json!(null),
        json!(1),
        json!(["https://rsa.example.com"]),
        json!({ "https://rsa.example.com": 1 }),
    ] {
        let mut claims = claims_value("rsa");
        claims["iss"] = issuer.clone();
        rows.add(
            format!("iss {issuer}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "issuer_unknown",
        );
    }
}

/// A signature has one length and one form.
pub(super) fn signatures(rows: &mut Rows, forge: &Forge) {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let (zero, mut one) = ([0_u8; 32], [0_u8; 32]);
    one[31] = 1;
    let pairs: [(&str, Vec<u8>); 8] = [
        ("r = s = 0", [zero, zero].concat()),
        ("r = 0, s = 1", [zero, one].concat()),
        ("r = 1, s = 0", [one, zero].concat()),
        ("r = s = 1", [one, one].concat()),
        ("r = s = n", [order.clone(), order.clone()].concat()),
        ("r = n, s = 1", [order.clone(), one.to_vec()].concat()),
        ("all ones", vec![0xff; 64]),
        ("DER of zeroes", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
    ];
    let input = signing_input(&header("ES256"), &claims("ec"));
    for (name, signature) in pairs {
        rows.add(
            format!("ES256 {name}"),
            format!("{input}.{}", encoded(signature)),
            "signature_invalid",
        );
    }
    for length in [1, 32, 63, 65, 72, 96, 128, 1024] {
        rows.add(
            format!("ES256 of {length} bytes"),
            format!("{input}.{}", encoded(vec![7; length])),
            "signature_invalid",
        );
    }
    let input = signing_input(&header("RS256"), &claims("rsa"));
    let good = forge.rsa.signature(input.as_bytes());
    let mut last_is_one = vec![0; 256];
    last_is_one[255] = 1;
    let changed: [(&str, Vec<u8>); 7] = [
        ("zeroes", vec![0; 256]),
        ("ones", vec![0xff; 256]),
        ("the number one", last_is_one),
        ("truncated", good[..255].to_vec()),
        ("a byte longer", [&good[..], &[0]].concat()),
        ("a zero before", [&[0], &good[..]].concat()),
        ("empty but for one byte", vec![0]),
    ];
    for (name, signature) in changed {
        rows.add(
            format!("RS256 {name}"),
            format!("{input}.{}", encoded(signature)),
            "signature_invalid",
        );
    }
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    rows.add(
        "RS256 one bit flipped",
        format!("{input}.{}", encoded(flipped)),
        "signature_invalid",
    );
    let richer = signing_input(&header("RS256"), &claims("rsa").replace("crm", "all"));
    rows.add(
        "claims changed under a good signature",
        format!("{richer}.{}", encoded(&good)),
        "signature_invalid",
    );
    let input = signing_input(&header("HS256"), &claims("hmac"));
    for length in [1, 16, 31, 33, 64] {
        rows.add(
            format!("HS256 of {length} bytes"),
            format!("{input}.{}", encoded(vec![0; length])),
            "signature_invalid",
        );
    }
    let input = signing_input(&header("EdDSA"), &claims("ed"));
    rows.add(
        "EdDSA of zeroes",
        format!("{input}.{}", encoded([0; 64])),
        "signature_invalid",
    );
}
