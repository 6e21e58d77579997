//! Every row of the reasons table, provoked over a socket: body, header, metric and log line say the same word.

use serde_json::{Value, json};
use tollgate::gate::Reason;

use super::house::house;
use crate::support::now;

#[test]
fn what_is_not_one_request_is_refused_and_closed() {
    let house = house();
    let answer = house.raw(b"GET /crm HTTP/1.1\r\nHost : api.example.com\r\n\r\n");
    house.expect(&answer, Reason::RequestMalformed, 400, None);

    let answer = house.raw(b"GET /crm HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n");
    house.expect(&answer, Reason::RequestAmbiguous, 400, None);

    let large = format!(
        "GET /crm HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    house.expect(
        &house.raw(large.as_bytes()),
        Reason::HeadersTooLarge,
        431,
        None,
    );

    house.expect(
        &house.raw(b"GET /crm HTTP/1.1\r\nHost: a\r\n"),
        Reason::RequestTimeout,
        408,
        None,
    );
    assert_eq!(house.upstream.count(), 0);
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let house = house();
    let bearer = house.issuer.bearer();
    let mut client = house.gateway.client();
    client.try_send(format!(
        "POST /crm HTTP/1.1\r\nHost: a\r\n{bearer}\r\nContent-Length: 2000\r\n\r\n{}",
        "x".repeat(2000)
    ));
    let answer = client.answer().expect("an answer");
    house.expect(&answer, Reason::BodyTooLarge, 413, None);
    // Before the token is asked for.
    let mut client = house.gateway.client();
    client.send("POST /crm HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n");
    let answer = client.answer().expect("an answer");
    assert_eq!((answer.status, &*answer.reason()), (413, "body_too_large"));
    assert_eq!(house.upstream.count(), 0);
}

#[test]
fn an_unknown_route_and_an_unknown_method_are_told_apart() {
    let house = house();
    house.expect(
        &house.gateway.get("/nowhere", &[]),
        Reason::RouteUnknown,
        404,
        None,
    );
    let answer = house.gateway.client().request("DELETE", "/crm", &[]);
    house.expect(&answer, Reason::MethodRefused, 405, None);
    assert_eq!(answer.field("allow"), Some("GET, POST"));
    let mut client = house.gateway.client();
    let answer = client.request("DELETE", "/.well-known/identity-jwks.json", &[]);
    house.expect(&answer, Reason::MethodRefused, 405, None);
    assert_eq!(answer.field("allow"), Some("GET, HEAD"));
}

#[test]
fn every_fault_of_a_token_has_its_word() {
    let house = house();
    let answer = house.gateway.get("/crm", &[]);
    house.expect(&answer, Reason::TokenMissing, 401, Some(""));
    let answer = house.gateway.get("/crm", &["Authorization: Basic dTpw"]);
    house.expect(&answer, Reason::TokenMissing, 401, Some(""));

    let oversized = format!("{}.b.c", "a".repeat(9000));
    house.expect(
        &house.with_token("/crm", &oversized),
        Reason::TokenOversized,
        401,
        Some("invalid_token"),
    );
    house.expect(
        &house.with_token("/crm", "a.b"),
        Reason::TokenMalformed,
        401,
        Some("invalid_token"),
    );

    let (good, key) = (house.issuer.claims(), &house.issuer.key);
    let other_type = key.sign("logout+jwt", &good);
    house.expect(
        &house.with_token("/crm", &other_type),
        Reason::TokenTypeRefused,
        401,
        Some("invalid_token"),
    );

    let soon = now() + 3600;
    let rows: [(Value, Reason); 7] = [
        (
            json!({ "iss": "https://evil.example.com" }),
            Reason::IssuerUnknown,
        ),
        (json!({ "sub": null }), Reason::ClaimInvalid),
        (
            json!({ "exp": now() - 60, "iat": now() - 120 }),
            Reason::TokenExpired,
        ),
        (json!({ "nbf": soon }), Reason::TokenNotYetValid),
        (
            json!({ "exp": now() + 100_000 }),
            Reason::TokenLifetimeExceeded,
        ),
        (
            json!({ "aud": "https://other.example.com" }),
            Reason::AudienceMismatch,
        ),
        (json!({ "cnf": { "jkt": "x" } }), Reason::ClaimInvalid),
    ];
    for (changes, reason) in rows {
        let answer = house.with_token("/crm", &house.issuer.token(changes));
        house.expect(&answer, reason, 401, Some("invalid_token"));
    }

    let forged = house.stranger.key.sign("at+jwt", &good);
    house.expect(
        &house.with_token("/crm", &forged),
        Reason::KeyUnknown,
        401,
        Some("invalid_token"),
    );
    let (head, _signature) = house
        .issuer
        .token(json!({}))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let unsigned = format!("{head}.{}", "A".repeat(86));
    house.expect(
        &house.with_token("/crm", &unsigned),
        Reason::SignatureInvalid,
        401,
        Some("invalid_token"),
    );
    let none = none_token(&good);
    house.expect(
        &house.with_token("/crm", &none),
        Reason::AlgorithmRefused,
        401,
        Some("invalid_token"),
    );
    assert_eq!(house.upstream.count(), 0);
}

fn none_token(claims: &Value) -> String {
    use base64::Engine as _;
    let encode =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.AA",
        encode(&json!({ "alg": "none", "typ": "at+jwt" })),
        encode(claims)
    )
}

#[test]
fn an_issuer_without_keys_is_unavailable_and_never_a_401() {
    let house = house();
    let answer = house.with_token("/crm", &house.stranger.token(json!({})));
    house.expect(&answer, Reason::IssuerUnavailable, 503, None);
    assert!(answer.field("retry-after").is_some());
    assert_eq!(
        house.gateway.get("/crm", &[&house.issuer.bearer()]).status,
        200
    );
    let ready = house.gateway.admin_get("/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("dark"), "{}", ready.text());
}

#[test]
fn policy_says_what_is_missing() {
    let house = house();
    let answer = house.with_token(
        "/crm",
        &house.issuer.token(json!({ "products": ["billing"] })),
    );
    house.expect(
        &answer,
        Reason::ProductMissing,
        403,
        Some("insufficient_scope"),
    );
    let problem = answer.json();
    assert_eq!(problem["product"], "crm");
    assert_eq!(problem["title"], "CRM");
    assert_eq!(problem["upgrade_url"], "https://example.com/pricing/crm");

    let answer = house.with_token("/scoped", &house.issuer.token(json!({})));
    house.expect(
        &answer,
        Reason::ScopeMissing,
        403,
        Some("insufficient_scope"),
    );
    assert!(
        answer
            .field("www-authenticate")
            .is_some_and(|value| value.contains("scope=\"crm.write crm.read\""))
    );

    let answer = house.with_token("/tenants/other/x", &house.issuer.token(json!({})));
    house.expect(
        &answer,
        Reason::TenantMismatch,
        403,
        Some("insufficient_scope"),
    );
    assert_eq!(house.upstream.count(), 0);
    assert_eq!(
        house
            .with_token("/tenants/acme/x", &house.issuer.token(json!({})))
            .status,
        200
    );
}

#[test]
fn a_revoked_session_is_refused_on_the_next_request() {
    let house = house();
    let token = house.issuer.token(json!({ "sid": "s_revoked" }));
    assert_eq!(house.with_token("/crm", &token).status, 200);
    let told = house
        .gateway
        .admin_post("/api/revocations", r#"{"session": "s_revoked"}"#);
    assert!(told.status < 300, "{told:?}");
    house.expect(
        &house.with_token("/crm", &token),
        Reason::TokenRevoked,
        401,
        Some("invalid_token"),
    );
    assert_eq!(
        house
            .with_token("/crm", &house.issuer.token(json!({})))
            .status,
        200
    );
}

#[test]
fn an_upstream_that_is_gone_or_slow_has_its_word() {
    let house = house();
    let answer = house.gateway.get("/gone", &[]);
    assert!(matches!(answer.status, 502 | 503), "{answer:?}");
    house.expect(&answer, Reason::UpstreamUnavailable, answer.status, None);
    house.expect(
        &house.gateway.get("/slow", &[]),
        Reason::UpstreamTimeout,
        504,
        None,
    );
}
