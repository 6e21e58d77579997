//! What upstreams hear: nothing that a client forged, everything that was verified, on every path.

use serde_json::json;

use crate::support::{Gateway, Issuer, Upstream};

struct House {
    gateway: Gateway,
    issuer: Issuer,
    upstream: Upstream,
}

fn house() -> House {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let config = format!(
        r#"
[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[products.crm]

[upstreams.app]
servers = ["{app}"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"

[routes.known]
path = "/known/*"
access = "authenticated"
forward_token = true
upstream = "app"

[routes.public]
path = "/public/*"
access = "public"
upstream = "app"

[routes.shadow]
path = "/shadow/*"
product = "crm"
mode = "shadow"
upstream = "app"
"#,
        app = upstream.address
    );
    let gateway = Gateway::start(&config, &[("jwks.json", &issuer.jwks())]);
    House {
        gateway,
        issuer,
        upstream,
    }
}

/// The values of one header in what the upstream got.
fn values<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let fields = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    fields
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

const MANAGED: [&str; 7] = [
    "Subject",
    "Issuer",
    "Tenant",
    "Session",
    "Scopes",
    "Products",
    "Assertion",
];

#[test]
fn an_identity_header_of_a_client_never_arrives_in_any_spelling_on_any_route() {
    let house = house();
    let bearer = house.issuer.bearer();
    for path in ["/crm/x", "/known/x", "/public/x", "/shadow/x"] {
        for name in MANAGED.iter().chain(&["Anything"]) {
            let spellings = [
                format!("X-Identity-{name}"),
                format!("x-identity-{}", name.to_lowercase()),
                format!("X_Identity_{name}"),
                format!("x-identity_{name}"),
                format!("X-IDENTITY-{}", name.to_uppercase()),
            ];
            for spelling in spellings {
                let forged = format!("{spelling}: forged");
                let answer = house.gateway.get(path, &[&bearer, &forged, &forged]);
                assert_eq!(answer.status, 200, "{path} {spelling}");
                assert!(
                    !house.upstream.last().contains("forged"),
                    "{path} {spelling}: {}",
                    house.upstream.last()
                );
            }
        }
    }
}

#[test]
fn every_identity_header_is_the_claim_or_nothing() {
    let house = house();
    let claims = [
        ("Subject", "sub"),
        ("Tenant", "tenant"),
        ("Session", "sid"),
        ("Scopes", "scope"),
    ];
    let expected = [
        ("Subject", "u_1"),
        ("Tenant", "acme"),
        ("Session", "s_1"),
        ("Scopes", "crm.read"),
        ("Products", "crm"),
    ];
    let told = |token: String, path: &str| {
        let answer = house.gateway.get(
            path,
            &[
                &format!("Authorization: Bearer {token}"),
                "X-Identity-Tenant: forged",
            ],
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        house.upstream.last()
    };
    let request = told(house.issuer.token(json!({})), "/crm/x");
    for (name, value) in expected {
        assert_eq!(
            values(&request, &format!("X-Identity-{name}")),
            [value],
            "{request}"
        );
    }
    assert_eq!(
        values(&request, "X-Identity-Issuer"),
        ["https://auth.example.com"]
    );
    for (name, claim) in claims.into_iter().skip(1) {
        let request = told(house.issuer.token(json!({ claim: null })), "/crm/x");
        assert!(
            values(&request, &format!("X-Identity-{name}")).is_empty(),
            "{request}"
        );
    }
    for path in ["/public/x", "/shadow/x"] {
        let token = if path == "/public/x" {
            house.issuer.token(json!({}))
        } else {
            "not.a.token".to_owned()
        };
        let request = told(token, path);
        assert!(!request.to_lowercase().contains("x-identity-"), "{request}");
    }
}

#[test]
fn authorization_goes_on_only_where_the_route_says_so() {
    let house = house();
    let bearer = house.issuer.bearer();
    for (path, passes) in [
        ("/crm/x", false),
        ("/public/x", false),
        ("/shadow/x", false),
        ("/known/x", true),
    ] {
        house.gateway.get(path, &[&bearer]);
        assert_eq!(
            !values(&house.upstream.last(), "authorization").is_empty(),
            passes,
            "{path}"
        );
    }
}

#[test]
fn connection_cannot_take_a_managed_header_away() {
    let house = house();
    let bearer = house.issuer.bearer();
    for named in [
        "X-Identity-Subject",
        "x_identity_subject",
        "authorization",
        "Host",
        "X-Forwarded-For",
        "X-Request-Id",
    ] {
        let mut client = house.gateway.client();
        let answer = client.get("/crm/x", &[&bearer, &format!("Connection: close, {named}")]);
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (400, "request_ambiguous"),
            "{named}"
        );
    }
    let answer = house
        .gateway
        .get("/crm/x", &[&bearer, "Connection: X-Mine", "X-Mine: hop"]);
    assert_eq!(answer.status, 200);
    assert!(values(&house.upstream.last(), "x-mine").is_empty());
}

#[test]
fn where_a_request_came_from_is_told_by_the_gate_alone() {
    let house = house();
    let forged = [
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-Host: evil",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Prefix: /evil",
        "X_Forwarded_For: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "X-Original-URL: /evil",
        "X-HTTP-Method-Override: DELETE",
        "X_Other: evil",
    ];
    assert_eq!(house.gateway.get("/public/x", &forged).status, 200);
    let request = house.upstream.last();
    assert!(
        !["6.6.6.6", "evil", "gopher", "DELETE"]
            .iter()
            .any(|word| request.contains(word)),
        "{request}"
    );
    assert_eq!(values(&request, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&request, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&request, "x-forwarded-host"), ["api.example.com"]);
    assert_eq!(values(&request, "x-real-ip"), ["127.0.0.1"]);
}

#[test]
fn a_request_keeps_its_id_and_its_trace_or_gets_new_ones() {
    let house = house();
    let id = "0192f1a4-7b2c-7d3e-8f40-123456789abc";
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = house.gateway.get(
        "/public/x",
        &[
            &format!("X-Request-Id: {id}"),
            &format!("traceparent: {trace}"),
            "tracestate: a=b",
        ],
    );
    assert_eq!(answer.field("x-request-id"), Some(id));
    let request = house.upstream.last();
    assert_eq!(values(&request, "x-request-id"), [id]);
    assert_eq!(
        values(&request, "traceparent")[0].split('-').nth(1),
        trace.split('-').nth(1)
    );
    assert_eq!(values(&request, "tracestate"), ["a=b"]);

    // A later version is read as far as this one goes (Trace Context §4.3).
    for (later, passed) in [
        (format!("cc{}", &trace[2..]), true),
        (format!("cc{}-what-the-future-brings", &trace[2..]), true),
        (format!("cc{}.what", &trace[2..]), false),
        (format!("{trace}-more"), false),
        (format!("ff{}", &trace[2..]), false),
    ] {
        let field = format!("traceparent: {later}");
        house.gateway.get("/public/x", &[&field, "tracestate: a=b"]);
        let request = house.upstream.last();
        assert_eq!(
            values(&request, "traceparent") == [trace],
            passed,
            "{later}"
        );
        assert_eq!(values(&request, "tracestate") == ["a=b"], passed, "{later}");
    }

    for odd in [
        "X-Request-Id: 1",
        "X-Request-Id: <script>",
        "traceparent: 00-0-0-0",
    ] {
        let answer = house.gateway.get("/public/x", &[odd]);
        let fresh = answer.field("x-request-id").expect("an id").to_owned();
        assert_eq!(fresh.len(), 36);
        let request = house.upstream.last();
        assert_eq!(values(&request, "x-request-id"), [fresh]);
        assert_eq!(values(&request, "traceparent").len(), 1);
        assert!(!values(&request, "traceparent")[0].starts_with("00-0-"));
    }
}

#[test]
fn what_the_upstream_says_under_the_prefix_is_not_passed_on() {
    let house = house();
    let answer = house.gateway.get("/public/x", &[]);
    assert_eq!(answer.field("x-upstream"), Some("yes"));
    assert_eq!(answer.field("x-identity-subject"), None);
}
