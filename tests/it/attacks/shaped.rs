//! Tokens that another parser might read: each is no compact JWS of the one spelling, or says what no claim may.

use serde_json::json;

use super::forge::{Forge, KID, claims, claims_value, encoded};
use super::rows::{Rows, header};
use crate::support::now;

/// What wraps, nests, encrypts or extends is not read.
pub(super) fn wrappers(rows: &mut Rows, forge: &Forge) {
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
pub(super) fn duplicates(rows: &mut Rows, forge: &Forge) {
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
pub(super) fn encodings(rows: &mut Rows, forge: &Forge) {
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
pub(super) fn numbers(rows: &mut Rows, forge: &Forge) {
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
pub(super) fn claims_of_a_wrong_type(rows: &mut Rows, forge: &Forge) {
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
