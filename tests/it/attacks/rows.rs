//! The table of attacks. Each row is a token that a sound gate refuses, and the one reason for it.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::Attack;
use super::forge::{
    Forge, HMAC_SECRET, KID, claims, claims_value, encoded, hmac_signed, signing_input,
};
use crate::support::now;

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    let mut rows = Rows(Vec::new());
    confusion(&mut rows, forge);
    keys(&mut rows, forge);
    signatures(&mut rows, forge);
    wrappers(&mut rows, forge);
    duplicates(&mut rows, forge);
    encodings(&mut rows, forge);
    numbers(&mut rows, forge);
    claims_of_a_wrong_type(&mut rows, forge);
    rows.0
}

struct Rows(Vec<Attack>);

impl Rows {
    fn add(&mut self, name: impl Into<String>, token: String, reason: &'static str) {
        self.0.push(Attack {
            name: name.into(),
            token,
            reason,
        });
    }
}

fn header(alg: &str) -> String {
    json!({ "alg": alg, "typ": "at+jwt", "kid": KID }).to_string()
}

/// The algorithm is the operator's and the key's, never the token's.
fn confusion(rows: &mut Rows, forge: &Forge) {
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
fn keys(rows: &mut Rows, forge: &Forge) {
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
fn signatures(rows: &mut Rows, forge: &Forge) {
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

/// What wraps, nests, encrypts or extends is not read.
fn wrappers(rows: &mut Rows, forge: &Forge) {
    let members = [
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!("b64")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("cty", json!("jwt")),
        ("cty", json!("application/jwt")),
    ];
    for (name, value) in members {
        let header =
            json!({ "alg": "RS256", "typ": "at+jwt", "kid": KID, name: value }).to_string();
        rows.add(
            format!("{name}: {value}"),
            forge.rsa.sign(&header, &claims("rsa")),
            "token_malformed",
        );
    }
    let good = forge.rsa.sign(&header("RS256"), &claims("rsa"));
    rows.add(
        "five parts",
        format!("{good}.{}.{}", encoded("x"), encoded("y")),
        "token_malformed",
    );
    rows.add(
        "four parts",
        format!("{good}.{}", encoded("x")),
        "token_malformed",
    );
    rows.add(
        "two parts",
        good.rsplit_once('.').unwrap().0.to_owned(),
        "token_malformed",
    );
    rows.add(
        "a token in a token",
        forge.rsa.sign(&header("RS256"), &good),
        "token_malformed",
    );
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "application/secevent+jwt",
        "identity+jwt",
        "at+jwt ",
        "",
    ] {
        let header = json!({ "alg": "RS256", "typ": typ, "kid": KID }).to_string();
        rows.add(
            format!("typ {typ:?}"),
            forge.rsa.sign(&header, &claims("rsa")),
            "token_type_refused",
        );
    }
}

/// A member that stands twice has two meanings.
fn duplicates(rows: &mut Rows, forge: &Forge) {
    let good = claims("rsa");
    for header in [
        format!(r#"{{"alg":"RS256","alg":"RS256","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"none","alg":"RS256","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"x","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"RS256","\u0061lg":"none","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"RS256","typ":"JWT","typ":"at+jwt","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{KID}","x":{{"a":1,"a":2}}}}"#),
    ] {
        rows.add(
            format!("header {header}"),
            forge.rsa.sign(&header, &good),
            "token_malformed",
        );
    }
    for member in [
        "\"sub\":\"admin\"",
        "\"exp\":9999999999",
        "\"iss\":\"https://x\"",
        "\"products\":[\"all\"]",
        "\"\\u0073ub\":\"admin\"",
    ] {
        let twice = format!("{{{member},{}", &good[1..]);
        rows.add(
            format!("claims with {member} before"),
            forge.rsa.sign(&header("RS256"), &twice),
            "token_malformed",
        );
        let twice = format!("{},{member}}}", &good[..good.len() - 1]);
        rows.add(
            format!("claims with {member} behind"),
            forge.rsa.sign(&header("RS256"), &twice),
            "token_malformed",
        );
    }
    let nested = format!(r#"{{"app":{{"a":1,"a":2}},{}"#, &good[1..]);
    rows.add(
        "a nested member twice",
        forge.rsa.sign(&header("RS256"), &nested),
        "token_malformed",
    );
}

/// One strict encoding, one strict JSON.
fn encodings(rows: &mut Rows, forge: &Forge) {
    let good = forge.rsa.sign(&header("RS256"), &claims("rsa"));
    let parts: Vec<&str> = good.split('.').collect();
    for (name, token) in [
        (
            "padding",
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        ),
        ("padding behind", format!("{good}==")),
        ("a line end behind", format!("{good}%0A")),
        ("standard alphabet +", good.replace('-', "+") + "+"),
        ("standard alphabet /", good.replace('_', "/") + "/"),
        ("an empty header", format!(".{}.{}", parts[1], parts[2])),
        ("empty claims", format!("{}..{}", parts[0], parts[2])),
        ("dots alone", "..".to_owned()),
        ("many dots", ".".repeat(4000)),
        ("one part", parts[0].to_owned()),
        ("unpaired character", format!("{good}AAA")),
        ("an apostrophe", format!("'{good}'")),
    ] {
        rows.add(name, token, "token_malformed");
    }
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let neighbour = alphabet
        .chars()
        .nth(alphabet.find(last).unwrap() ^ 1)
        .unwrap();
    rows.add(
        "a last character with loose bits",
        format!("{}{neighbour}", &good[..good.len() - 1]),
        "token_malformed",
    );
    for text in [
        "[]",
        "null",
        "1",
        "\"x\"",
        "",
        "{",
        "{}{}",
        "{'alg':'RS256'}",
        "\u{feff}{\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",}",
        "{\"alg\":\"RS256\"} x",
    ] {
        rows.add(
            format!("header {text:?}"),
            forge.rsa.sign(text, &claims("rsa")),
            "token_malformed",
        );
    }
    for text in [
        "[]",
        "null",
        "{\"exp\":NaN}",
        "{\"exp\":Infinity}",
        "{\"exp\":01}",
        "{\"exp\":0x1}",
        "{/**/}",
        "{} {}",
    ] {
        rows.add(
            format!("claims {text:?}"),
            forge.rsa.sign(&header("RS256"), text),
            "token_malformed",
        );
    }
    let deep = format!(
        "{{\"x\":{}1{},{}",
        "[".repeat(1000),
        "]".repeat(1000),
        &claims("rsa")[1..]
    );
    rows.add(
        "claims a thousand deep",
        forge.rsa.sign(&header("RS256"), &deep),
        "token_malformed",
    );
    let invalid = format!(
        "{}.{}.{}",
        parts[0],
        encoded(b"{\"sub\":\"\xff\xfe\"}"),
        parts[2]
    );
    rows.add("claims that are no UTF-8", invalid, "token_malformed");
    let mut large = claims_value("rsa");
    large["pad"] = "x".repeat(8000).into();
    rows.add(
        "over 8 KiB",
        forge.rsa.sign(&header("RS256"), &large.to_string()),
        "token_oversized",
    );
    large["pad"] = "x".repeat(1_000_000).into();
    rows.add(
        "a megabyte",
        forge.rsa.sign(&header("RS256"), &large.to_string()),
        "headers_too_large",
    );
}

/// Times are numbers of this age.
fn numbers(rows: &mut Rows, forge: &Forge) {
    let mut with = |name: &str, number: &str, reason| {
        let mut claims = claims_value("rsa");
        claims[name] = "NUMBER".into();
        let text = claims.to_string().replace("\"NUMBER\"", number);
        rows.add(
            format!("{name} {number}"),
            forge.rsa.sign(&header("RS256"), &text),
            reason,
        );
    };
    for number in [
        "\"1999999999\"",
        "true",
        "null",
        "[]",
        "{}",
        "-1",
        "1e30",
        "99999999999999999999",
        "9223372036854775808",
        "1e18",
    ] {
        with("exp", number, "claim_invalid");
    }
    for number in ["\"1\"", "true", "[1]", "-1", "1e30"] {
        with("nbf", number, "claim_invalid");
        with("iat", number, "claim_invalid");
    }
    with("exp", "0", "token_expired");
    with("exp", &(now() - 100).to_string(), "token_expired");
    with("nbf", &(now() + 300).to_string(), "token_not_yet_valid");
    with("iat", &(now() + 300).to_string(), "token_not_yet_valid");
    with(
        "exp",
        &(now() + 999_999).to_string(),
        "token_lifetime_exceeded",
    );
}

/// A claim of another type is not an absent claim.
fn claims_of_a_wrong_type(rows: &mut Rows, forge: &Forge) {
    let changes = [
        ("sub", json!(1)),
        ("sub", json!("")),
        ("sub", json!(null)),
        ("sub", json!(["u_1"])),
        ("sub", json!("a\nb")),
        ("sub", json!("a\u{0}")),
        ("aud", json!(1)),
        ("aud", json!([1, "https://api.example.com"])),
        ("aud", json!({})),
        ("aud", json!(null)),
        ("products", json!(7)),
        ("products", json!(true)),
        ("products", json!([1])),
        ("products", json!([["crm"]])),
        ("scope", json!(1)),
        ("scope", json!({})),
        ("tenant", json!(["acme"])),
        ("tenant", json!("a\r\nb")),
        ("sid", json!(1)),
        ("jti", json!({})),
        ("cnf", json!({ "jkt": "x" })),
        ("cnf", json!({ "x5t#S256": "x" })),
        ("cnf", json!("x")),
    ];
    for (name, value) in changes {
        let mut claims = claims_value("rsa");
        claims[name] = value.clone();
        rows.add(
            format!("{name}: {value}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "claim_invalid",
        );
    }
    for name in ["sub", "aud", "exp"] {
        let mut claims = claims_value("rsa");
        claims.as_object_mut().unwrap().remove(name);
        rows.add(
            format!("no {name}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "claim_invalid",
        );
    }
    for audience in [
        json!("https://api.example.com/"),
        json!("https://other.example.com"),
        json!([]),
        json!(["HTTPS://API.EXAMPLE.COM"]),
        json!(""),
    ] {
        let mut claims = claims_value("rsa");
        claims["aud"] = audience.clone();
        rows.add(
            format!("aud {audience}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "audience_mismatch",
        );
    }
    for products in [
        json!(["Crm"]),
        json!(["crm,billing"]),
        json!(["crm "]),
        json!(["crm", "x"].join("")),
        json!([]),
        json!({ "CRM": 1 }),
        json!("crmx"),
    ] {
        let mut claims = claims_value("rsa");
        claims["products"] = products.clone();
        rows.add(
            format!("products {products}"),
            forge.rsa.sign(&header("RS256"), &claims.to_string()),
            "product_missing",
        );
    }
}
