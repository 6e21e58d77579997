//! The contract's table, row by row; CORS; gRPC. And a gate from a text, for every test of this room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::problem::{Asked, Challenge, Dialect, answer, closes, row};
use super::{cors, jwks};
use crate::config::{Config, Files, check};
use crate::gate::{Gate, Hint, Reason, Refusal, RequestId};
use crate::principal::Entitlement;
use crate::secret::Secret;
use crate::token::{KeyRing, VerifiedTokens};
use crate::wire::{Field, RequestHead, Scheme, Version};

#[test]
fn every_reason_has_the_row_of_the_contract() {
    const NONE: Challenge = Challenge::None;
    const BAD: Challenge = Challenge::InvalidToken;
    const LACKS: Challenge = Challenge::InsufficientScope;
    let table = [
        ("request_malformed", 400, NONE),
        ("request_ambiguous", 400, NONE),
        ("headers_too_large", 431, NONE),
        ("body_too_large", 413, NONE),
        ("request_timeout", 408, NONE),
        ("route_unknown", 404, NONE),
        ("method_refused", 405, NONE),
        ("token_missing", 401, Challenge::Bare),
        ("token_oversized", 401, BAD),
        ("token_malformed", 401, BAD),
        ("token_type_refused", 401, BAD),
        ("issuer_unknown", 401, BAD),
        ("algorithm_refused", 401, BAD),
        ("key_unknown", 401, BAD),
        ("issuer_unavailable", 503, NONE),
        ("signature_invalid", 401, BAD),
        ("claim_invalid", 401, BAD),
        ("token_expired", 401, BAD),
        ("token_not_yet_valid", 401, BAD),
        ("token_lifetime_exceeded", 401, BAD),
        ("audience_mismatch", 401, BAD),
        ("token_revoked", 401, BAD),
        ("product_missing", 403, LACKS),
        ("scope_missing", 403, LACKS),
        ("tenant_mismatch", 403, LACKS),
        ("rate_limited", 429, NONE),
        ("overloaded", 503, NONE),
        ("upstream_unavailable", 502, NONE),
        ("upstream_timeout", 504, NONE),
    ];
    let ours = Reason::ALL.map(|reason| {
        let row = row(reason);
        (reason.as_str(), row.status.as_u16(), row.challenge)
    });
    assert_eq!(ours, table);
}

#[test]
fn the_answer_says_what_the_table_says() {
    for reason in Reason::ALL {
        let answer = refused(Refusal::new(reason, "for the operator"));
        let row = row(reason);
        let document: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer.status(), row.status);
        assert_eq!(field(&answer, "content-type"), "application/problem+json");
        assert_eq!(field(&answer, "x-request-id"), id().as_str());
        assert_eq!(field(&answer, "cache-control"), "no-store");
        assert_eq!(field(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(document["reason"], reason.as_str());
        assert_eq!(document["title"], row.title);
        assert_eq!(document["status"], row.status.as_u16());
        assert_eq!(document["request_id"], id().as_str());
        assert!(!String::from_utf8_lossy(answer.body()).contains("operator"));
        let waits = answer.headers().contains_key("retry-after");
        let busy = matches!(row.status.as_u16(), 429 | 503);
        assert_eq!(waits, busy, "{reason:?}");
    }
}

#[test]
fn a_challenge_names_the_realm_and_the_error() {
    let of = |reason| field(&refused(Refusal::new(reason, "")), "www-authenticate");
    assert_eq!(
        of(Reason::TokenMissing),
        r#"Bearer realm="api.example.com""#
    );
    assert_eq!(
        of(Reason::TokenExpired),
        r#"Bearer realm="api.example.com", error="invalid_token", error_description="The token has expired""#
    );
    assert_eq!(of(Reason::IssuerUnavailable), "");
    let scopes = vec!["crm.read".into(), "crm\".\\write".into()];
    let refusal = with(Reason::ScopeMissing, Hint::Scopes(scopes));
    assert!(
        field(&refused(refusal), "www-authenticate").ends_with(r#", scope="crm.read crm.write""#)
    );
}

#[test]
fn a_realm_cannot_leave_its_quotes() {
    let id = id();
    let asked = Asked {
        host: Some("a\", error=\"x\r\nSet-Cookie: y"),
        ..asked(&id)
    };
    let refusal = Refusal::new(Reason::TokenMissing, "");
    let answer = answer(&refusal, gate().config(), &asked);
    assert_eq!(
        field(&answer, "www-authenticate"),
        r#"Bearer realm="a, error=xSet-Cookie: y""#
    );
}

#[test]
fn a_missing_product_says_where_it_can_be_had() {
    let product = Entitlement::parse("crm").unwrap();
    let answer = refused(with(Reason::ProductMissing, Hint::Product(product)));
    let document: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(document["product"], "crm");
    assert_eq!(document["title"], "CRM");
    assert_eq!(document["upgrade_url"], "https://example.com/pricing/crm");
}

#[test]
fn a_refused_method_lists_the_others() {
    let methods = vec!["GET".into(), "POST".into()];
    let answer = refused(with(Reason::MethodRefused, Hint::Allow(methods)));
    assert_eq!(field(&answer, "allow"), "GET, POST");
}

#[test]
fn only_what_cannot_be_framed_closes_the_connection() {
    let closing: Vec<_> = Reason::ALL.into_iter().filter(|r| closes(*r)).collect();
    assert_eq!(closing, Reason::ALL[..5]);
}

#[test]
fn grpc_clients_get_trailers_only() {
    for (reason, status) in [
        (Reason::RequestMalformed, "13"),
        (Reason::BodyTooLarge, "8"),
        (Reason::RouteUnknown, "12"),
        (Reason::MethodRefused, "12"),
        (Reason::TokenMissing, "16"),
        (Reason::TokenExpired, "16"),
        (Reason::ProductMissing, "7"),
        (Reason::IssuerUnavailable, "14"),
        (Reason::RateLimited, "14"),
        (Reason::UpstreamUnavailable, "14"),
        (Reason::UpstreamTimeout, "4"),
    ] {
        let id = id();
        let asked = Asked {
            dialect: Dialect::Grpc,
            ..asked(&id)
        };
        let answer = answer(&Refusal::new(reason, ""), gate().config(), &asked);
        assert_eq!(answer.status(), 200);
        assert_eq!(field(&answer, "content-type"), "application/grpc");
        assert_eq!(field(&answer, "grpc-status"), status, "{reason:?}");
        assert_eq!(field(&answer, "grpc-message"), reason.as_str());
        assert!(answer.body().is_empty());
    }
}

#[test]
fn grpc_is_told_by_its_content_type() {
    for (content_type, expected) in [
        ("application/grpc", Dialect::Grpc),
        ("application/grpc+proto", Dialect::Grpc),
        ("Application/GRPC; x=y", Dialect::Grpc),
        ("application/grpc-web", Dialect::Http),
        ("application/grpcs", Dialect::Http),
        ("application/json", Dialect::Http),
        ("", Dialect::Http),
    ] {
        assert_eq!(
            Dialect::of(Some(content_type.as_bytes())),
            expected,
            "{content_type}"
        );
    }
    assert_eq!(Dialect::of(None), Dialect::Http);
}

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

fn refused(refusal: Refusal) -> Response<Bytes> {
    answer(&refusal, gate().config(), &asked(&id()))
}

fn with(reason: Reason, hint: Hint) -> Refusal {
    Refusal {
        hint,
        ..Refusal::new(reason, "")
    }
}

fn asked(request_id: &RequestId) -> Asked<'_> {
    Asked {
        request_id,
        host: Some("api.example.com"),
        origin: None,
        dialect: Dialect::Http,
    }
}

fn id() -> RequestId {
    RequestId::fresh(7)
}

pub(super) fn field(answer: &Response<Bytes>, name: &str) -> String {
    let mut values = answer.headers().get_all(name).iter();
    let first = values
        .next()
        .map(|value| value.to_str().unwrap().to_owned());
    assert!(values.next().is_none(), "{name} stands twice");
    first.unwrap_or_default()
}

fn gate() -> Gate {
    gate_of(CONFIG)
}

/// The gate of a configuration whose issuer has no keys.
pub(super) fn gate_of(text: &str) -> Gate {
    gate_with(text, &KeyRing::default())
}

pub(super) fn gate_with(text: &str, keys: &KeyRing) -> Gate {
    let (config, _) = check(text, &NoFiles).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let verified = Arc::new(VerifiedTokens::new(16, [0; 32]));
    Gate::assemble(Arc::<Config>::new(config), keys, verified)
}

struct NoFiles;

impl Files for NoFiles {
    fn env(&self, _: &str) -> Result<Secret, String> {
        Ok(Secret::new(b"0123456789abcdef".to_vec()))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("there is no file {}", path.display()))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.into()
    }
}

pub(super) const CONFIG: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"

[admin]
address = "127.0.0.1:9901"
token = "env:ADMIN_TOKEN"
hosts = ["gate.internal"]

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
discovery = true

[products.crm]
title = "CRM"
upgrade_url = "https://example.com/pricing/crm"

[upstreams.crm]
servers = ["127.0.0.1:9101"]

[cors.app]
origins = ["https://app.example.com"]
headers = ["Authorization", "Content-Type"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "crm"
cors = "app"
"#;
