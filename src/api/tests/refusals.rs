//! The contract's table, row by row, over HTTP and gRPC.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::house::{asked, field, gate, id};
use crate::api::problem::{Asked, Challenge, Dialect, answer, closes, row};
use crate::gate::{Hint, Reason, Refusal};
use crate::principal::Entitlement;

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

fn refused(refusal: Refusal) -> Response<Bytes> {
    answer(&refusal, gate().config(), &asked(&id()))
}

fn with(reason: Reason, hint: Hint) -> Refusal {
    Refusal {
        hint,
        ..Refusal::new(reason, "")
    }
}
