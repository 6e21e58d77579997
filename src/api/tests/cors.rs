//! What pages of other origins may ask and read.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::house::{CONFIG, asked, field, gate, gate_of, id};
use crate::api::problem::{Asked, answer};
use crate::api::{cors, jwks};
use crate::gate::{Gate, Reason, Refusal};
use crate::wire::{Field, RequestHead, Scheme, Version};

#[test]
fn scripts_of_listed_origins_can_read_why_they_were_refused() {
    let gate = gate();
    let route = &gate.config().routes[0];
    let id = id();
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://app.example.com.evil.com", false),
        ("https://evil.com?https://app.example.com", false),
        ("https://app.example.co", false),
        ("http://app.example.com", false),
        ("https://APP.example.com", false),
        ("null", false),
        ("", false),
    ] {
        let refusal = Refusal::new(Reason::TokenMissing, "").on(route);
        let asked = Asked {
            origin: Some(origin.as_bytes()),
            ..asked(&id)
        };
        let answer = answer(&refusal, gate.config(), &asked);
        let expected = if allowed { origin } else { "" };
        assert_eq!(field(&answer, "access-control-allow-origin"), expected);
        assert_eq!(field(&answer, "vary"), "Origin");
        assert!(
            !answer
                .headers()
                .contains_key("access-control-allow-credentials")
        );
    }
}

#[test]
fn a_preflight_is_answered_by_the_policy() {
    const APP: &str = "https://app.example.com";
    // origin, method, headers → status, Allow-Methods, Allow-Headers
    for (origin, method, headers, status, methods, names) in [
        (APP, "GET", "", 204, "GET, POST", ""),
        (
            APP,
            "POST",
            "Authorization, content-type",
            204,
            "GET, POST",
            "authorization, content-type",
        ),
        (APP, "POST", "authorization,x-other", 204, "GET, POST", ""),
        (
            APP,
            "DELETE",
            "authorization",
            204,
            "",
            "authorization, content-type",
        ),
        ("null", "GET", "", 403, "", ""),
        ("https://app.example.com.evil.com", "GET", "", 403, "", ""),
        ("https://xapp.example.com", "GET", "", 403, "", ""),
    ] {
        let gate = gate();
        let answer = preflight(&gate, &[origin], method, headers);
        assert_eq!(answer.status(), status, "{origin} {method} {headers}");
        assert_eq!(field(&answer, "access-control-allow-methods"), methods);
        assert_eq!(field(&answer, "access-control-allow-headers"), names);
        let allowed = if status == 204 { origin } else { "" };
        assert_eq!(field(&answer, "access-control-allow-origin"), allowed);
        assert!(field(&answer, "vary").starts_with("Origin, Access-Control-Request-Method"));
        assert!(
            !answer
                .headers()
                .contains_key("access-control-allow-credentials")
        );
    }
    assert_eq!(preflight(&gate(), &[APP, APP], "GET", "").status(), 403);
}

#[test]
fn a_policy_does_not_name_authorization_unless_it_is_listed() {
    let text = CONFIG.replace("\"Authorization\", ", "");
    let gate = gate_of(&text);
    let answer = preflight(&gate, &["https://app.example.com"], "GET", "authorization");
    assert_eq!(field(&answer, "access-control-allow-headers"), "");
}

#[test]
fn the_identity_keys_may_be_kept_and_read_by_any_page() {
    let gate = gate();
    let answer = jwks::identity(&gate);
    assert_eq!(answer.status(), 200);
    assert_eq!(field(&answer, "cache-control"), "public, max-age=300");
    assert_eq!(field(&answer, "access-control-allow-origin"), "*");
    assert!(serde_json::from_slice::<Value>(answer.body()).unwrap()["keys"].is_array());
}

fn preflight(gate: &Gate, origins: &[&str], method: &str, headers: &str) -> Response<Bytes> {
    let mut fields: Vec<_> = origins.iter().map(|o| ("origin", *o)).collect();
    fields.push(("access-control-request-method", method));
    if !headers.is_empty() {
        fields.push(("Access-Control-Request-Headers", headers));
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| Field {
            name,
            value: value.as_bytes(),
        })
        .collect();
    let head = RequestHead {
        version: Version::Http11,
        scheme: Scheme::Https,
        method: "OPTIONS",
        target: "/crm/x",
        authority: None,
        fields: &fields,
    };
    let methods = ["GET".into(), "POST".into()];
    cors::preflight(&gate.config().cors["app"], &methods, &head)
}
