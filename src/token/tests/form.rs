//! Form and header: what is refused before anybody asks whose token it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::issuer::{NOW, good_claims, hs256, hs256_verifier, verify};
use crate::time::Timestamp;
use crate::token::{BearerToken, TokenError};

/// Signs the header over good claims, so that nothing but the header can be at fault.
#[track_caller]
fn check_header(header: &str, expected: Result<(), TokenError>) {
    let found = verify(
        &hs256_verifier(),
        &hs256(header, &good_claims().to_string()),
        NOW,
    );
    match (found, expected) {
        (Err(TokenError::Malformed(_)), Err(TokenError::Malformed(_))) => {}
        (found, expected) => assert_eq!(found.map(|_| ()), expected, "{header}"),
    }
}

const MALFORMED: Result<(), TokenError> = Err(TokenError::Malformed(""));

#[track_caller]
fn check_malformed(token: &str) {
    let found = verify(&hs256_verifier(), token, NOW);
    assert!(
        matches!(found, Err(TokenError::Malformed(_))),
        "{token}: {found:?}"
    );
}

#[test]
fn a_token_has_exactly_three_parts_and_none_is_empty() {
    let token = hs256(r#"{"alg":"HS256"}"#, &good_claims().to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        unreachable!("a compact token has three parts")
    };
    for token in [
        header.to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{header}.{claims}.{claims}.{claims}.{signature}"),
        "..".to_owned(),
        ".".repeat(8000),
    ] {
        check_malformed(&token);
    }
}

#[test]
fn a_character_that_no_compact_jws_has_is_malformed() {
    let token = hs256(r#"{"alg":"HS256"}"#, &good_claims().to_string());
    let (head, tail) = token.split_at(5);
    for odd in [
        " ", "\t", "=", "+", "/", ",", "\0", "ä", "\"", "\u{7f}", ",Bearer ",
    ] {
        check_malformed(&format!("{head}{odd}{tail}"));
        check_malformed(&format!("{token}{odd}"));
        check_malformed(&format!("{odd}{token}"));
    }
    let not_text = [token.as_bytes(), &[0xff, 0xfe]].concat();
    let value = [b"Bearer ".as_slice(), &not_text].concat();
    let bearer = BearerToken::parse(&value).unwrap();
    let found = hs256_verifier().verify(bearer, None, Timestamp::from_secs(NOW));
    assert!(matches!(found.unwrap_err().error, TokenError::Malformed(_)));
}

#[test]
fn base64url_has_one_spelling() {
    let token = hs256(r#"{"alg":"HS256"}"#, &good_claims().to_string());
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    // 43 characters carry 258 bits for 256: the last one has two bits that decoding would drop.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(signature.chars().last().unwrap()).unwrap();
    for dropped in 1..4 {
        let twin = alphabet.as_bytes()[last | dropped] as char;
        check_malformed(&format!("{signing_input}.{}{twin}", &signature[..42]));
    }
    check_malformed(&format!("{signing_input}.{signature}AA"));
}

#[test]
fn header_and_claims_are_strict_json_objects() {
    let header = r#"{"alg":"HS256"}"#;
    let good = good_claims().to_string();
    let inner = good.trim_matches(['{', '}']);
    for claims in [
        "null".to_owned(),
        "[]".to_owned(),
        format!("[{good}]"),
        format!("\"{good}\""),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("\u{feff}{good}"),
        format!("{{{inner},}}"),
        format!("{{{inner},\"x\":NaN}}"),
        format!("{{{inner},\"x\":Infinity}}"),
        format!("{{{inner},\"x\":01}}"),
        format!("{{{inner},\"x\":+1}}"),
        format!("{{{inner},\"x\":1e999}}"),
        format!("{{{inner},\"x\":\"\\ud800\"}}"),
        format!("{{{inner},\"x\":\"\\x41\"}}"),
        format!("{{{inner},\"x\":'y'}}"),
        format!("{{{inner},/* */\"x\":1}}"),
        // Once more in another spelling, at the top and below it.
        format!("{{{inner},\"sub\":\"bob\"}}"),
        format!("{{{inner},\"s\\u0075b\":\"bob\"}}"),
        format!("{{{inner},\"a\":{{\"b\":[{{\"c\":1,\"\\u0063\":2}}]}}}}"),
        format!("{{{inner},\"\":1,\"\":2}}"),
        // Deep.
        format!("{{{inner},\"x\":{}1{}}}", "[".repeat(32), "]".repeat(32)),
        format!(
            "{{{inner},\"x\":{}1{}}}",
            "{\"x\":".repeat(32),
            "}".repeat(32)
        ),
        format!("{{{inner},\"x\":{}", "[".repeat(3000)),
    ] {
        check_malformed(&hs256(header, &claims));
    }
    let depth = format!("{{{inner},\"x\":{}1{}}}", "[".repeat(30), "]".repeat(30));
    assert!(verify(&hs256_verifier(), &hs256(header, &depth), NOW).is_ok());
}

#[test]
fn claims_that_are_no_text_are_malformed() {
    let token = hs256(r#"{"alg":"HS256"}"#, &good_claims().to_string());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let claims = URL_SAFE_NO_PAD.encode(b"{\"sub\":\"\xff\xfe\"}");
    check_malformed(&format!("{header}.{claims}.{signature}"));
}

#[test]
fn a_header_that_asks_for_more_than_a_signature_is_malformed() {
    for header in [
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","\u0063rit":["b64"]}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"HS256","cty":"JWT"}"#,
        r#"{"alg":"HS256","cty":"jwt"}"#,
        r#"{"alg":"HS256","cty":"application/jwt"}"#,
        r#"{"alg":"HS256","cty":"APPLICATION/JWT"}"#,
        r#"{"alg":"HS256","cty":"application/json"}"#,
        r#"{"alg":"HS256","cty":7}"#,
        r#"{"alg":"HS256","kid":7}"#,
        r#"{"alg":"HS256","kid":null}"#,
        r#"{"alg":"HS256","kid":["a"]}"#,
        r#"{"alg":"HS256","typ":7}"#,
        r#"{"alg":"HS256","typ":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":null}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256"}{}"#,
        r#"["HS256"]"#,
    ] {
        check_header(header, MALFORMED);
    }
}

#[test]
fn a_header_may_carry_what_is_never_looked_at() {
    for header in [
        r#"{"alg":"HS256","jku":"https://evil.example.com/jwks","x5u":"file:///etc/passwd"}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"x5c":["AAAA"],"x5t":7}"#,
        r#"{"alg":"HS256","kid":"../../../dev/null"}"#,
        r#" { "alg" : "HS256" } "#,
    ] {
        check_header(header, Ok(()));
    }
}

#[test]
fn the_type_is_one_of_the_issuers() {
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/JWT",
    ] {
        check_header(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), Ok(()));
    }
    for typ in [
        "",
        "id+jwt",
        "logout+jwt",
        "dpop+jwt",
        "JOSE",
        "text/jwt",
        "application/x/jwt",
        "JWT ",
    ] {
        check_header(
            &format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#),
            Err(TokenError::TypeRefused),
        );
    }
}

#[test]
fn the_algorithm_is_one_of_the_issuers() {
    for alg in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", " HS256", "HS384", "HS512", "RS256",
        "ES256", "EdDSA", "ES256K", "HS1", "A256KW", "RSA-OAEP", "dir",
    ] {
        check_header(
            &format!(r#"{{"alg":"{alg}"}}"#),
            Err(TokenError::AlgorithmRefused),
        );
    }
}
