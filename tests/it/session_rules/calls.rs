//! What counts at the API, and what a call hears that does not.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::house::{FORM, House, Tokens, claims, cookie, fails, house};
use super::keys::jwks;
use crate::support::Answer;

#[test]
fn the_api_takes_no_cookie_and_no_refresh_token_and_shows_neither_to_an_upstream() {
    let house = house();
    let cookie = cookie(&house.web("/auth/login", None, &[]));
    let jar = format!("Cookie: theme=dark; {cookie}; lang=de");
    assert_eq!(house.send("GET", "/crm/x", &[&jar], "").status, 401);
    assert_eq!(house.upstream.count(), 0);
    let tokens = house.login();
    let bearer = format!("Authorization: Bearer {}", tokens.access);
    assert_eq!(
        house.send("GET", "/crm/x", &[&jar, &bearer], "").status,
        200
    );
    let seen = house.upstream.last();
    assert!(
        !seen.contains("tgr_") && !seen.contains("tollgate_rt"),
        "{seen}"
    );
    assert!(
        seen.contains("theme=dark") && seen.contains("lang=de"),
        "{seen}"
    );
    assert_eq!(house.api(&tokens.refresh), 401);
    fails(&house.refresh(&tokens.access), 400, "invalid_grant");
    assert_eq!(
        house.refresh(&tokens.refresh).status,
        200,
        "the chain lives"
    );
}

#[test]
fn what_is_not_exactly_a_token_of_this_gate_is_refused() {
    let house = house();
    let good = claims(&house.login().access);
    let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": house.signing.kid() });
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = |typ: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = good.clone();
        change(&mut claims);
        house.signing.sign(typ, &claims)
    };
    let unsigned = format!("{}.{}.", encode(&header("none")), encode(&good));
    let confused = format!("{}.{}", encode(&header("HS256")), encode(&good));
    let public = jwks(&house);
    let public = serde_json::to_vec(&public.keys[0]).unwrap();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &public),
        confused.as_bytes(),
    );
    let confused = format!("{confused}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag));
    let now = house.clock.now();
    for (name, token) in [
        ("alg none", unsigned),
        ("HS256 with the public key", confused),
        ("unknown kid", house.partner.sign("at+jwt", &good)),
        ("typ", signed("JWT", &|_| {})),
        (
            "aud",
            signed("at+jwt", &|claims| {
                claims["aud"] = json!("https://other.example")
            }),
        ),
        (
            "nbf",
            signed("at+jwt", &|claims| claims["nbf"] = json!(now + 600)),
        ),
        (
            "exp",
            signed("at+jwt", &|claims| claims["exp"] = json!(now + 86_400)),
        ),
        (
            "20 KiB",
            signed("at+jwt", &|claims| claims["x"] = json!("x".repeat(20_000))),
        ),
    ] {
        assert_eq!(house.api(&token), 401, "{name}");
    }
    assert_eq!(house.upstream.count(), 0);
    assert_eq!(
        house.api(&signed("at+jwt", &|_| {})),
        200,
        "the table proves something"
    );
}

#[test]
fn a_purchase_is_felt_at_the_next_refresh_and_no_request_asks_for_it() {
    let house = house();
    house.service.answers(
        "/login",
        200,
        &json!({ "subject": "u_1", "products": ["billing"] }),
    );
    let tokens = house.login();
    assert_eq!(house.api(&tokens.access), 403);
    house
        .service
        .answers("/claims", 200, &json!({ "products": ["billing", "crm"] }));
    assert_eq!(house.api(&tokens.access), 403);
    assert_eq!(house.service.count("/claims"), 0);
    let tokens = house.rotated(&tokens.refresh);
    assert_eq!(house.service.count("/claims"), 1);
    for _ in 0..20 {
        assert_eq!(house.api(&tokens.access), 200);
    }
    assert_eq!(house.service.count("/claims"), 1);
}

fn behind_proxies(config: String) -> String {
    let listener = "[listeners.public]\naddress = \"ADDRESS\"\n\
        trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n";
    format!("{listener}{config}")
}

#[test]
fn a_client_behind_trusted_proxies_is_known_by_its_own_address() {
    let house = House::with(behind_proxies);
    for (chain, expected) in [
        ("198.51.100.7, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
        ("unknown, 10.0.0.1", "10.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        let fields = [
            "Content-Type: application/json",
            &format!("X-Forwarded-For: {chain}"),
        ];
        let body = r#"{"client_id":"mobile"}"#;
        let login = house.send("POST", "/auth/login", &fields, body);
        let access = Tokens::of(&login).access;
        let list = house.bearer("GET", "/auth/sessions", &access).json();
        let mut listed = list["sessions"].as_array().unwrap().iter();
        let own = listed.find(|session| session["current"] == true).unwrap();
        assert_eq!(own["ip"], expected, "{chain}");
        let line = login
            .field("x-request-id")
            .map(|id| house.gateway.log_line(id))
            .unwrap();
        assert_eq!(line["peer"], "127.0.0.1");
        let client = line["client"].as_str().unwrap_or("127.0.0.1");
        assert_eq!(client, expected, "{line}");
    }
}

#[test]
fn an_address_over_its_limits_holds_up_no_other_though_the_user_is_the_same() {
    let house = House::with(|config| behind_proxies(config).replace("1000/s", "1/h"));
    let ask = |path, kind: &str, body: &str, address: &str| {
        let client = format!("X-Forwarded-For: {address}");
        let fields = [&format!("Content-Type: {kind}"), &*client];
        house.send("POST", path, &fields, body)
    };
    let login = |address: &str| {
        let body = r#"{"client_id":"mobile"}"#;
        ask("/auth/login", "application/json", body, address)
    };
    let token = Tokens::of(&login("203.0.113.1")).refresh;
    let refresh = |address: &str| {
        let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
        ask("/oauth/token", FORM, &body, address)
    };
    let over = |ask: &dyn Fn(&str) -> Answer| {
        let answers = (0..10).map(|_| ask("203.0.113.9"));
        let refused = answers.filter(|answer| answer.status == 429).last();
        fails(&refused.unwrap(), 429, "temporarily_unavailable");
        assert_eq!(ask("203.0.113.10").status, 200);
    };
    over(&login);
    over(&refresh);
}

#[test]
fn limits_outlive_a_reload() {
    let house = House::with(|config| config.replace(r#"login = "1000/s""#, r#"login = "1/m""#));
    let passed = (0..10).filter(|_| house.try_login().status == 200).count();
    assert_eq!(passed, 5, "the burst is five times the rate");
    assert_eq!(house.gateway.admin_post("/api/reload", "{}").status, 200);
    assert_eq!(house.try_login().status, 429);
}

#[test]
fn a_call_that_was_made_wrong_is_told_what_it_lacks() {
    let house = house();
    let (json, form) = ("Content-Type: application/json", "grant_type=refresh_token");
    let said = |answer: Answer| answer.json()["error_description"].to_string();
    let unnamed = house.send("POST", "/auth/login", &[json], "{}");
    fails(&unnamed, 401, "invalid_client");
    assert!(said(unnamed).contains("X-Client-Id"));
    let as_json = house.send(
        "POST",
        "/oauth/token",
        &[json, "X-Client-Id: mobile"],
        "{\"a\":1}",
    );
    fails(&as_json, 415, "invalid_request");
    assert!(said(as_json).ends_with("must be application/x-www-form-urlencoded\""));
    let as_text = house.send("POST", "/auth/login", &["Content-Type: text/plain"], form);
    assert!(said(as_text).contains("application/json or"));
    let page = ["X-Client-Id: web", json, "Origin: https://app.example.com"];
    let without_csrf = house.send("POST", "/auth/login", &page, "{}");
    fails(&without_csrf, 403, "access_denied");
    assert_eq!(
        said(without_csrf),
        "\"the header X-Tollgate-CSRF is missing\""
    );
    let no_page = house.send("POST", "/auth/refresh", &[json], "{}");
    fails(&no_page, 403, "access_denied");
    assert!(said(no_page).contains("/oauth/token"));
    let body = "client_id=mobile&grant_type=refresh_token";
    let incomplete = house.form("/oauth/token", body);
    fails(&incomplete, 400, "invalid_request");
    assert_eq!(
        said(incomplete),
        "\"the parameter refresh_token is missing\""
    );
    let elsewhere = ["X-Client-Id: web", json, "Origin: https://evil.example"];
    let elsewhere = house.send("POST", "/auth/login", &elsewhere, "{}");
    assert!(said(elsewhere).contains("origin"));
}

#[test]
fn a_refusal_at_the_gates_own_endpoints_is_logged_and_counted_with_its_reason() {
    let house = House::with(|config| config.replace(r#"login = "1000/s""#, r#"login = "1/m""#));
    let sessions = house.send("GET", "/auth/sessions", &[], "");
    let limited = (0..20)
        .map(|_| house.try_login())
        .find(|answer| answer.status == 429)
        .expect("the limit is reached");
    let other_method = house.send("GET", "/oauth/token", &[], "");
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let too_large = house.send("POST", "/oauth/revoke", &form, &"x".repeat(100 * 1024));
    for (answer, route, reason) in [
        (&sessions, "auth.sessions", "token_missing"),
        (&limited, "auth.login", "rate_limited"),
        (&other_method, "oauth.token", "method_refused"),
        (&too_large, "oauth.revoke", "body_too_large"),
    ] {
        let line = house
            .gateway
            .log_line(answer.field("x-request-id").unwrap());
        assert_eq!(line["reason"], reason, "{line}");
        assert_eq!(line["verdict"], "refuse", "{line}");
        let labels = [route, reason, "refuse"].map(|label| format!("\"{label}\""));
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert!(house.gateway.metric("tollgate_decisions_total", &labels) >= 1.0);
    }
}
