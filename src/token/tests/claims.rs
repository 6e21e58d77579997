//! Claims: types, values and times.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::{
    NOW, claims_with, good_claims, hs256, hs256_keys, hs256_verifier, terms, verifier, verify,
};
use crate::time::Timestamp;
use crate::token::{Algorithm, BearerToken, TokenError, Verified};

const HEADER: &str = r#"{"alg":"HS256"}"#;

fn verify_with(changes: &Value) -> Result<Verified, TokenError> {
    verify(
        &hs256_verifier(),
        &hs256(HEADER, &claims_with(changes).to_string()),
        NOW,
    )
}

#[track_caller]
fn check_invalid(changes: Value) {
    let found = verify_with(&changes);
    assert!(
        matches!(found, Err(TokenError::ClaimInvalid(_))),
        "{changes}: {found:?}"
    );
}

#[track_caller]
fn check(changes: Value, expected: Result<(), TokenError>) {
    assert_eq!(verify_with(&changes).map(|_| ()), expected, "{changes}");
}

#[test]
fn four_claims_are_required() {
    for name in ["exp", "aud", "sub"] {
        check_invalid(json!({ name: "\0" }));
        check_invalid(json!({ name: null }));
    }
    for iss in [
        json!("\0"),
        json!(null),
        json!(["https://auth.example.com"]),
        json!(7),
    ] {
        check(json!({ "iss": iss }), Err(TokenError::IssuerUnknown));
    }
    check_invalid(json!({"sub": ""}));
}

#[test]
fn the_issuer_is_named_exactly() {
    for iss in [
        "https://auth.example.com/",
        "https://auth.example.com ",
        "HTTPS://auth.example.com",
        "https://auth.example.co",
        "https://auth.example.com.evil.example",
        "",
    ] {
        check(json!({ "iss": iss }), Err(TokenError::IssuerUnknown));
    }
}

#[test]
fn a_claim_of_the_wrong_type_is_not_taken_for_an_absent_one() {
    let texts = ["sub", "sid", "jti", "client_id", "azp"];
    for name in texts {
        for value in [
            json!(null),
            json!(7),
            json!(true),
            json!(["x"]),
            json!({"x": "y"}),
        ] {
            check_invalid(json!({ name: value }));
        }
    }
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(null),
            json!("1700000600"),
            json!(true),
            json!([1_700_000_600]),
            json!({}),
            json!(-1),
            json!(-0.5),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e300),
            json!(253_402_300_800_u64),
            json!(1_700_000_600_000_u64),
            json!(-0.0),
        ] {
            check_invalid(json!({ name: value }));
        }
    }
    for aud in [
        json!(7),
        json!(true),
        json!({}),
        json!(["https://api.example.com", 7]),
        json!([[]]),
    ] {
        check_invalid(json!({ "aud": aud }));
    }
    for scope in [
        json!(7),
        json!(null),
        json!(["a", 7]),
        json!(["a b"]),
        json!([""]),
        json!({}),
    ] {
        check_invalid(json!({ "scope": scope }));
    }
    for tenant in [
        json!(null),
        json!(true),
        json!(1.5),
        json!(-1),
        json!(["acme"]),
        json!({}),
    ] {
        check_invalid(json!({ "tenant": tenant }));
    }
    for products in [
        json!(null),
        json!(7),
        json!(true),
        json!(["crm", 7]),
        json!([null]),
    ] {
        check_invalid(json!({ "products": products }));
    }
}

#[test]
fn a_control_character_in_a_text_that_upstreams_get_is_invalid() {
    for name in ["sub", "sid", "jti", "client_id", "azp", "tenant", "scope"] {
        for text in [
            "a\nb",
            "a\r\nX-Evil: 1",
            "a\0b",
            "a\tb",
            "\u{7f}",
            "a\u{85}b",
            "\u{1b}[0m",
        ] {
            check_invalid(json!({ name: text }));
        }
    }
    check_invalid(json!({"scope": ["a\nb"]}));
}

#[test]
fn a_text_whose_edges_no_header_carries_is_invalid() {
    for name in ["sub", "sid", "jti", "client_id", "azp", "tenant"] {
        for text in [" a", "a ", " "] {
            check_invalid(json!({ name: text }));
        }
    }
    check(json!({ "sub": "a b" }), Ok(()));
}

#[test]
fn a_bound_token_is_no_plain_bearer() {
    for cnf in [
        json!(null),
        json!({}),
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!("x"),
    ] {
        check_invalid(json!({ "cnf": cnf }));
    }
}

#[test]
fn a_token_lives_from_its_nbf_until_its_exp_within_the_leeway() {
    let over = |exp: Value| json!({"exp": exp, "iat": NOW - 60});
    check(over(json!(NOW - 4)), Ok(()));
    check(over(json!(NOW - 5)), Err(TokenError::Expired));
    check(over(json!(NOW as f64 - 4.5)), Ok(()));
    check(over(json!(NOW as f64 - 5.0)), Err(TokenError::Expired));
    check(json!({"exp": 0, "iat": 0}), Err(TokenError::Expired));
    for name in ["nbf", "iat"] {
        check(json!({ name: NOW + 5 }), Ok(()));
        check(json!({ name: NOW + 6 }), Err(TokenError::NotYetValid));
        check(
            json!({ name: NOW as f64 + 5.5 }),
            Err(TokenError::NotYetValid),
        );
    }
    check(
        json!({"nbf": NOW as f64 + 5.0005}),
        Err(TokenError::NotYetValid),
    );
    check(json!({"nbf": "\0", "iat": "\0"}), Ok(()));
}

#[test]
fn a_token_issued_after_its_end_has_expired_or_lies_ahead() {
    check(json!({"exp": 0}), Err(TokenError::Expired));
    check(
        json!({"exp": NOW - 60, "iat": NOW}),
        Err(TokenError::Expired),
    );
    check(json!({"iat": NOW + 601}), Err(TokenError::NotYetValid));
    check(json!({"iat": NOW, "exp": NOW - 4}), Ok(()));
}

#[test]
fn a_token_lives_no_longer_than_the_operator_allows() {
    check(json!({"exp": NOW + 3600}), Ok(()));
    check(
        json!({"exp": NOW + 3601}),
        Err(TokenError::LifetimeExceeded),
    );
    check(
        json!({"exp": NOW as f64 + 3600.5}),
        Err(TokenError::LifetimeExceeded),
    );
    check(
        json!({"iat": NOW - 3000, "exp": NOW + 601}),
        Err(TokenError::LifetimeExceeded),
    );
    check(json!({"iat": "\0", "exp": NOW + 3600}), Ok(()));
    check(
        json!({"iat": "\0", "exp": NOW + 3601}),
        Err(TokenError::LifetimeExceeded),
    );
    check(
        json!({"exp": 253_402_300_799_u64}),
        Err(TokenError::LifetimeExceeded),
    );
}

#[test]
fn the_audience_is_one_of_ours() {
    let ours = "https://api.example.com";
    check(json!({ "aud": [ours] }), Ok(()));
    check(json!({ "aud": ["other", ours] }), Ok(()));
    check(json!({ "aud": [ours, "other"] }), Ok(()));
    for aud in [
        json!("other"),
        json!(""),
        json!([]),
        json!(["other"]),
        json!(format!("{ours}/")),
        json!(format!("other {ours}")),
    ] {
        check(json!({ "aud": aud }), Err(TokenError::AudienceMismatch));
    }
}

#[test]
fn the_first_fault_in_the_order_of_reasons_is_told() {
    let all = json!({
        "sub": "", "exp": NOW - 60, "nbf": NOW + 60, "iat": NOW - 7200, "aud": "other",
    });
    check_invalid(all);
    let times = json!({"exp": NOW - 60, "nbf": NOW + 60, "iat": NOW - 7200, "aud": "other"});
    check(times, Err(TokenError::Expired));
    let times = json!({"nbf": NOW + 60, "iat": NOW - 7200, "aud": "other"});
    check(times, Err(TokenError::NotYetValid));
    let long = json!({"iat": NOW - 7200, "aud": "other"});
    check(long, Err(TokenError::LifetimeExceeded));
    let token = hs256(r#"{"alg":"HS256","typ":"x"}"#, r#"{"iss":"nobody"}"#);
    assert_eq!(
        verify(&hs256_verifier(), &token, NOW).unwrap_err(),
        TokenError::TypeRefused
    );
    let token = hs256(r#"{"alg":"none"}"#, r#"{"iss":"nobody"}"#);
    assert_eq!(
        verify(&hs256_verifier(), &token, NOW).unwrap_err(),
        TokenError::IssuerUnknown
    );
}

#[test]
fn an_issuer_that_does_not_count_here_is_told_before_anything_else_of_its_token() {
    let verifier = hs256_verifier();
    let expired = hs256(HEADER, &claims_with(&json!({"exp": NOW - 60})).to_string());
    let token = BearerToken::from_compact(&expired).unwrap();
    let now = Timestamp::from_secs(NOW);
    let error = |accepted: &[Arc<str>]| verifier.verify(token, Some(accepted), now).unwrap_err();
    assert_eq!(error(&["main".into()]).error, TokenError::Expired);
    assert_eq!(error(&["other".into()]).error, TokenError::IssuerUnknown);
}

#[test]
fn optional_texts_that_are_empty_say_nothing() {
    let verified = verify_with(&json!({
        "sid": "", "jti": "", "client_id": "", "azp": "spa", "tenant": "", "scope": "",
    }))
    .unwrap();
    let principal = verified.principal();
    assert_eq!(principal.session, None);
    assert_eq!(principal.token_id, None);
    assert_eq!(principal.client.as_deref(), Some("spa"));
    assert_eq!(principal.tenant, None);
    assert_eq!(principal.scopes, None);
}

#[test]
fn a_client_goes_by_its_client_id_where_azp_names_another() {
    let verified = verify_with(&json!({"client_id": "web", "azp": "spa"})).unwrap();
    assert_eq!(verified.principal().client.as_deref(), Some("web"));
}

#[test]
fn a_tenant_may_be_a_whole_number() {
    let verified = verify_with(&json!({"tenant": 42})).unwrap();
    assert_eq!(verified.principal().tenant.as_deref(), Some("42"));
}

#[test]
fn a_fraction_never_lengthens_a_life() {
    let verified = verify_with(&json!({"exp": NOW as f64 + 600.9999, "iat": NOW as f64 + 0.9999}));
    let verified = verified.unwrap();
    assert_eq!(verified.expires_at().as_millis(), (NOW + 600) * 1000 + 999);
    assert_eq!(verified.issued_at().unwrap().as_millis(), NOW * 1000 + 999);
}

#[test]
fn leeway_of_nothing_is_exact() {
    let mut strict = terms("main", "https://auth.example.com", &[Algorithm::Hs256]);
    strict.leeway = Duration::ZERO;
    let verifier = verifier(strict, hs256_keys());
    let token = hs256(HEADER, &good_claims().to_string());
    assert!(verify(&verifier, &token, NOW + 599).is_ok());
    assert_eq!(
        verify(&verifier, &token, NOW + 600).unwrap_err(),
        TokenError::Expired
    );
}
