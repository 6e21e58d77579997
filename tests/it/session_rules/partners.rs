//! Clients that speak for themselves.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::house::{Tokens, claims, fails, house, proof};

const GRANT: &str = "grant_type=client_credentials";

#[test]
fn a_partner_proves_itself_with_an_assertion_for_this_gate_used_once() {
    let house = house();
    let good = format!(
        "{GRANT}&scope=crm.read&{}",
        house.assertion("one", json!({}))
    );
    let tokens = Tokens::of(&house.form("/oauth/token", &good));
    let said = claims(&tokens.access);
    assert_eq!(
        (&said["sub"], &said["products"]),
        (&json!("partner"), &json!(["crm"]))
    );
    assert!(tokens.refresh.is_empty(), "no refresh token");
    assert_eq!(house.api(&tokens.access), 200);
    fails(&house.form("/oauth/token", &good), 401, "invalid_client");
    let now = house.clock.now();
    for (id, changes) in [
        ("aud", json!({ "aud": "https://other.example" })),
        ("exp", json!({ "exp": now + 7200 })),
        ("past", json!({ "exp": now - 60 })),
        ("iss", json!({ "iss": "mobile" })),
        ("sub", json!({ "sub": "mobile" })),
        ("nbf", json!({ "nbf": now + 600 })),
    ] {
        let body = format!("{GRANT}&{}", house.assertion(id, changes));
        for named in ["", "&client_id=partner"] {
            let answer = house.form("/oauth/token", &format!("{body}{named}"));
            fails(&answer, 401, "invalid_client");
            assert!(answer.field("www-authenticate").is_some(), "{id}{named}");
        }
    }
    let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": house.partner.kid() });
    let said = json!({
        "iss": "partner", "sub": "partner", "aud": "https://auth.example.com",
        "iat": now, "exp": now + 60, "jti": "confused",
    });
    let signed = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(said.to_string())
    );
    let public = house.partner.public_jwk().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
    let tag = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    let body = format!("{GRANT}&{}", proof(&format!("{signed}.{tag}")));
    fails(&house.form("/oauth/token", &body), 401, "invalid_client");
    let scope = format!(
        "{GRANT}&scope=admin&{}",
        house.assertion("scope", json!({}))
    );
    fails(&house.form("/oauth/token", &scope), 400, "invalid_scope");
}

#[test]
fn a_partner_that_may_only_speak_for_itself_opens_no_session_of_a_user() {
    let house = house();
    let body = format!("user=ada&password=x&{}", house.assertion("one", json!({})));
    let answer = house.form("/auth/login", &body);
    fails(&answer, 400, "unauthorized_client");
    assert_eq!(house.service.count("/login"), 0, "nobody was asked");
}

#[test]
fn the_metadata_names_the_algorithms_that_a_partner_may_sign_with() {
    let house = house();
    let document = house.gateway.get("/.well-known/openid-configuration", &[]);
    for endpoint in ["token", "revocation", "introspection"] {
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        let expected = json!(["ES256", "ES384", "PS256", "RS256", "EdDSA"]);
        assert_eq!(document.json()[name], expected);
    }
}

#[test]
fn an_assertion_that_was_used_stays_used_over_a_kill() {
    let mut house = house();
    let body = format!("{GRANT}&{}", house.assertion("one", json!({})));
    assert_eq!(house.form("/oauth/token", &body).status, 200);
    house.restart();
    fails(&house.form("/oauth/token", &body), 401, "invalid_client");
}

#[test]
fn a_client_that_is_revoked_loses_what_it_has_and_may_ask_anew() {
    let house = house();
    let ask = |id: &str| {
        let body = format!("{GRANT}&{}", house.assertion(id, json!({})));
        Tokens::of(&house.form("/oauth/token", &body)).access
    };
    let before = ask("before");
    assert_eq!(house.api(&before), 200);
    let body = json!({ "client": "partner" }).to_string();
    assert_eq!(
        house.gateway.admin_post("/api/revocations", &body).status,
        200
    );
    assert_eq!(house.api(&before), 401);
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(house.api(&ask("after")), 200);
}
