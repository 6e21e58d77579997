//! Heads that have one meaning, and those that are asked for something else than a route.

use std::sync::Arc;

use super::super::{Reason, Silent};
use super::house::{Fields, House, NOW, word};
use crate::config::IDENTITY_JWKS_PATH;
use crate::policy::{Methods, PathPattern};
use crate::token::{Algorithm, SigningKey};
use crate::wire::{RequestHead, Version};

#[test]
fn a_host_is_one_host() {
    let house = House::new();
    let rows: [(&Fields<'_>, &str, &str); 8] = [
        (
            &[("Host", "a"), ("Host", "a")],
            "/open/x",
            "request_ambiguous",
        ),
        (
            &[("Host", "a"), ("host", "b")],
            "/open/x",
            "request_ambiguous",
        ),
        (&[("Host", "a@b")], "/open/x", "request_ambiguous"),
        (&[("Host", "a/b")], "/open/x", "request_ambiguous"),
        (&[("Host", "a")], "http://b/open/x", "request_ambiguous"),
        (&[("Host", "a")], "http://a/open/x", "forward"),
        (&[("Host", "a")], "a:443", "request_ambiguous"),
        (&[("Host", "a")], "open/x", "request_ambiguous"),
    ];
    for (fields, target, expected) in rows {
        assert_eq!(house.word(target, fields), expected, "{target} {fields:?}");
    }
}

#[test]
fn connection_names_no_more_fields_than_a_head_has() {
    let house = House::new();
    let named = |count: usize| vec!["x"; count].join(", ");
    for (first, second, expected) in [
        (128, 0, "forward"),
        (129, 0, "headers_too_large"),
        (64, 64, "forward"),
        (64, 65, "headers_too_large"),
    ] {
        let (first, second) = (named(first), named(second));
        let fields = [("Connection", &*first), ("Connection", &*second)];
        assert_eq!(house.word("/open/x", &fields), expected);
    }
}

#[test]
fn two_credentials_are_refused_on_the_route_that_they_are_for() {
    let house = House::new();
    let two = [("Authorization", "Bearer a, Bearer b")];
    let query = [("Authorization", "Bearer a")];
    for (target, fields, route) in [
        ("/crm/x", two, Some("crm")),
        ("/crm/x?access_token=b", query, Some("crm")),
        ("/open/x", two, Some("open")),
        ("/nowhere", two, None),
    ] {
        let verdict = house.ask(target, &fields);
        let refusal = verdict.refusal().unwrap();
        assert_eq!(refusal.reason, Reason::RequestAmbiguous);
        let found = refusal.route.as_ref().map(|route| &*route.name);
        assert_eq!(found, route, "{target}");
    }
}

#[test]
fn two_credentials_at_what_the_gate_answers_itself_are_on_no_route() {
    let house = House::with(|config| {
        let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
        config.identity.signing_key = Some(Arc::new(SigningKey::from_pem(&pem).unwrap()));
        config.identity.issuer = Some("https://gate.example.com".into());
        Arc::make_mut(&mut config.routes[0]).path = PathPattern::parse("/*").unwrap();
    });
    let two = [("Authorization", "Bearer a, Bearer b")];
    for (target, is_on_one) in [(IDENTITY_JWKS_PATH, false), ("/any", true)] {
        let verdict = house.ask(target, &two);
        let refusal = verdict.refusal().unwrap();
        assert_eq!(refusal.route.is_some(), is_on_one, "{target}");
    }
}

#[test]
fn the_method_is_the_one_on_the_wire() {
    let house = House::new();
    for (method, target, reason) in [
        ("CONNECT", "api.example.com:443", Reason::RequestAmbiguous),
        ("connect", "/open/x", Reason::RequestAmbiguous),
        ("TRACE", "/open/x", Reason::MethodRefused),
        ("Trace", "/open/x", Reason::MethodRefused),
        ("GET", "*", Reason::RequestAmbiguous),
        ("options", "*", Reason::RequestAmbiguous),
    ] {
        let verdict = house.with_head(method, target, &[], |head| {
            house.gate.admit(head, &house.revocations, NOW, &mut Silent)
        });
        assert_eq!(word(&verdict), reason.as_str(), "{method} {target}");
    }
}

#[test]
fn connection_names_no_field_that_is_not_the_clients_to_remove() {
    let house = House::new();
    for name in [
        "Authorization",
        "Cookie",
        "Host",
        "X-Request-Id",
        "x_request_id",
        "traceparent",
        "TraceState",
        "X-Forwarded-For",
        "X_Real_IP",
        "X-Identity-Subject",
        "x_identity_anything",
    ] {
        let options = format!("close, {name}");
        let word = house.word("/open/x", &[("Connection", &options)]);
        assert_eq!(word, "request_ambiguous", "{name}");
    }
    assert_eq!(house.word("/open/x", &[("Connection", "X-Hop")]), "forward");
}

#[test]
fn only_http_1_0_may_leave_its_host_out() {
    let house = House::new();
    for (version, expected) in [
        (Version::Http10, "forward"),
        (Version::Http11, "request_malformed"),
        (Version::Http2, "request_malformed"),
    ] {
        let verdict = house.with_head("GET", "/open/x", &[], |head| {
            let fields = &[];
            let head = RequestHead {
                version,
                fields,
                ..*head
            };
            house
                .gate
                .admit(&head, &house.revocations, NOW, &mut Silent)
        });
        assert_eq!(word(&verdict), expected, "{version:?}");
    }
}

#[test]
fn a_preflight_is_a_page_that_asks_with_options_for_a_method_before_it_is_sent() {
    let house = House::with(|config| {
        for route in &mut config.routes {
            let route = Arc::make_mut(route);
            route.handling.cors = Some("pages".into());
            route.methods = Methods::Named(vec!["GET".into()]);
        }
    });
    let origin = ("Origin", "https://app.example.com");
    let wants = |method| ("Access-Control-Request-Method", method);
    let rows: [(&str, &str, &Fields<'_>, &str); 6] = [
        ("OPTIONS", "/crm", &[origin, wants("GET")], "answer"),
        ("OPTIONS", "/crm", &[origin, wants("DELETE")], "answer"),
        (
            "OPTIONS",
            "/nowhere",
            &[origin, wants("GET")],
            "route_unknown",
        ),
        ("OPTIONS", "/crm", &[wants("GET")], "method_refused"),
        ("OPTIONS", "/crm", &[origin], "method_refused"),
        ("GET", "/crm", &[origin, wants("GET")], "token_missing"),
    ];
    for (method, target, fields, expected) in rows {
        let verdict = house.with_head(method, target, fields, |head| {
            house.gate.admit(head, &house.revocations, NOW, &mut Silent)
        });
        assert_eq!(word(&verdict), expected, "{method} {target} {fields:?}");
    }
}
