//! What an issuer tells of itself: every rule of a logout token and of a security event token, a row each.

use std::sync::Arc;

use serde_json::{Value, json};

use super::issuer::{NOW, TestIssuer, cache, hs256, hs256_verifier, terms, verifier};
use crate::time::Timestamp;
use crate::token::{
    Algorithm, BearerToken, EventForm, IssuerEvent, KeyRing, KeySet, Named, TokenError, Verifier,
    WantedKey,
};

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const CLAIMS: &str = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change";
const CREDENTIAL: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
const STREAM: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

#[test]
fn a_good_logout_token_names_its_session_or_else_its_subject() {
    for (changes, ends) in [
        (json!({}), session("s-1")),
        (json!({ "sub": null }), session("s-1")),
        (json!({ "sid": null }), subject("alice")),
        (
            json!({ "aud": ["x", "https://api.example.com"] }),
            session("s-1"),
        ),
        (
            json!({ "events": { LOGOUT: {}, "https://x.example": { "a": 1 } } }),
            session("s-1"),
        ),
        (json!({ "sub_id": 7 }), session("s-1")),
        (json!({ "exp": NOW - 4, "iat": NOW - 100 }), session("s-1")),
        (json!({ "iat": NOW + 5 }), session("s-1")),
    ] {
        let event = logout(&changes).unwrap();
        assert_eq!(event.ends, [ends], "{changes}");
        assert_eq!((&*event.issuer_name, &*event.id), ("main", "j-1"));
    }
    let event = logout(&json!({})).unwrap();
    assert_eq!(event.expires_at, Some(Timestamp::from_secs(NOW + 125)));
}

#[test]
fn a_logout_token_that_lacks_something_is_none() {
    use TokenError::{AudienceMismatch, Expired, IssuerUnknown, LifetimeExceeded, NotYetValid};
    for (changes, error) in [
        (json!({ "iss": "https://auth.example.com/" }), IssuerUnknown),
        (json!({ "iss": null }), IssuerUnknown),
        (
            json!({ "aud": "https://other.example.com" }),
            AudienceMismatch,
        ),
        (json!({ "exp": NOW - 5, "iat": NOW - 100 }), Expired),
        (json!({ "iat": NOW + 6 }), NotYetValid),
        (json!({ "nbf": NOW + 6 }), NotYetValid),
        (json!({ "exp": NOW + 3601 }), LifetimeExceeded),
    ] {
        assert_eq!(logout(&changes).unwrap_err(), error, "{changes}");
    }
    for changes in [
        json!({ "nonce": "n" }),
        json!({ "nonce": null_in_json() }),
        json!({ "aud": null }),
        json!({ "iat": null }),
        json!({ "iat": "now" }),
        json!({ "exp": null }),
        json!({ "exp": -1 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "sub": null, "sid": null }),
        json!({ "sid": 7 }),
        json!({ "sid": "" }),
        json!({ "sub": "" }),
        json!({ "sub": ["alice"] }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": [LOGOUT] }),
        json!({ "events": LOGOUT }),
        json!({ "events": { LOGOUT: true } }),
        json!({ "events": { LOGOUT: null_in_json() } }),
        json!({ "events": { REVOKED: {} } }),
    ] {
        let error = logout(&changes).unwrap_err();
        assert!(
            matches!(error, TokenError::ClaimInvalid(_)),
            "{changes}: {error:?}"
        );
    }
}

#[test]
fn no_other_type_is_an_event_and_an_event_is_no_other_type() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let claims = with(logout_claims(), &json!({ "client_id": "web" }));
    for (typ, expected) in [
        ("logout+jwt", true),
        ("application/logout+jwt", true),
        ("Logout+JWT", true),
        ("JWT", false),
        ("at+jwt", false),
        ("secevent+jwt", false),
        ("", false),
    ] {
        let token = issuer.key.sign(typ, &claims);
        let found = verify(&issuer.verifier(), &token, EventForm::Logout);
        assert_eq!(found.is_ok(), expected, "{typ}");
        let error = issuer.verify(&token).err();
        let is_bearer = ["JWT", "at+jwt"].contains(&typ);
        assert_eq!(error == Some(TokenError::TypeRefused), !is_bearer, "{typ}");
    }
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, issuer.key.kid());
    let token = issuer.key.sign_text(&header, &claims.to_string());
    let found = verify(&issuer.verifier(), &token, EventForm::Logout);
    assert_eq!(found, Err(TokenError::TypeRefused), "without `typ`");
}

#[test]
fn an_event_is_signed_by_the_issuers_own_key_and_algorithm() {
    let (issuer, other) = (
        TestIssuer::new(Algorithm::Es256),
        TestIssuer::new(Algorithm::Es256),
    );
    let claims = logout_claims();
    let unknown = TokenError::KeyUnknown {
        issuer_name: "main".into(),
        wanted: WantedKey::Unseen,
    };
    let stolen_name = format!(
        r#"{{"alg":"ES256","kid":"{}","typ":"logout+jwt"}}"#,
        issuer.key.kid()
    );
    let confused = r#"{"alg":"HS256","typ":"logout+jwt"}"#;
    let unsigned = r#"{"alg":"none","typ":"logout+jwt"}"#;
    let text = claims.to_string();
    for (token, error) in [
        (other.key.sign("logout+jwt", &claims), unknown),
        (
            other.key.sign_text(&stolen_name, &text),
            TokenError::SignatureInvalid,
        ),
        (hs256(confused, &text), TokenError::AlgorithmRefused),
        (hs256(unsigned, &text), TokenError::AlgorithmRefused),
    ] {
        let found = verify(&issuer.verifier(), &token, EventForm::Logout);
        assert_eq!(found, Err(error));
    }
    let found = verify(
        &hs256_verifier(),
        &hs256(confused, &text),
        EventForm::Logout,
    );
    assert!(found.is_ok(), "an issuer of shared secrets may say so");
    let keys = KeySet::from_signing_keys([&issuer.key]).distrusting(&[issuer.key.kid()]);
    let distrusting = verifier(
        terms("main", "https://auth.example.com", &[Algorithm::Es256]),
        keys,
    );
    let token = issuer.key.sign("logout+jwt", &claims);
    let found = verify(&distrusting, &token, EventForm::Logout);
    assert!(found.is_err(), "a distrusted key has no say");
}

#[test]
fn a_security_event_names_whose_tokens_end() {
    let iss = "https://auth.example.com";
    let iss_sub = json!({ "format": "iss_sub", "iss": iss, "sub": "bob" });
    let opaque = |id: &str| json!({ "format": "opaque", "id": id });
    let both = json!({ "format": "complex", "session": opaque("s-2"), "user": iss_sub });
    let by_mail = json!({ "format": "email", "email": "bob@example.com" });
    let strange = json!({ "format": "complex", "session": opaque("s-2"), "user": by_mail });
    for (event, sub_id, ends) in [
        (REVOKED, json!(null), vec![session("s-1")]),
        (REVOKED, iss_sub.clone(), vec![subject("bob")]),
        (REVOKED, opaque("s-2"), vec![session("s-2")]),
        (REVOKED, both.clone(), vec![session("s-2")]),
        (REVOKED, strange.clone(), vec![session("s-2")]),
        (CREDENTIAL, strange, vec![session("s-2")]),
        (
            REVOKED,
            json!({ "format": "complex", "user": opaque("bob") }),
            vec![subject("bob")],
        ),
        (CLAIMS, json!(null), vec![subject("alice")]),
        (CLAIMS, iss_sub, vec![subject("bob")]),
        (CREDENTIAL, both.clone(), vec![subject("bob")]),
        (CREDENTIAL, opaque("s-2"), vec![session("s-2")]),
        (STREAM, json!({ "format": "opaque" }), vec![]),
    ] {
        let changes = json!({ "events": { event: {} }, "sub_id": sub_id });
        assert_eq!(security(&changes).unwrap().ends, ends, "{changes}");
    }
    let changes = json!({ "events": { REVOKED: {}, CLAIMS: {} }, "sub_id": both });
    let ends = security(&changes).unwrap().ends;
    assert_eq!(ends, [session("s-2"), subject("bob")]);
}

#[test]
fn an_event_names_its_own_subject_where_the_token_names_none() {
    let opaque = |id: &str| json!({ "format": "opaque", "id": id });
    let user = |id: &str| json!({ "format": "complex", "user": opaque(id) });
    let events =
        json!({ REVOKED: { "subject": opaque("s-2") }, CLAIMS: { "subject": user("bob") } });
    let own = json!({ "events": events, "sub": null, "sid": null });
    let ends = security(&own).unwrap().ends;
    assert_eq!(ends, [session("s-2"), subject("bob")]);
    let beside = json!({ "events": events, "sub": null, "sid": null, "sub_id": user("eve") });
    assert_eq!(security(&beside).unwrap().ends, [subject("eve")]);
    let unknown = json!({ "events": { REVOKED: { "subject": "bob" } } });
    assert!(security(&unknown).is_err());
}

#[test]
fn an_event_counts_as_a_use_of_its_key() {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let keys = KeySet::from_signing_keys([&issuer.key]);
    let mut ring = KeyRing::default();
    let keys = Arc::new(keys);
    ring.insert("main".into(), keys.clone());
    let verifier = Verifier::new(vec![Arc::new(issuer.terms.clone())], &ring, cache());
    let token = issuer.key.sign("logout+jwt", &logout_claims());
    verify(&verifier, &token, EventForm::Logout).unwrap();
    let usage = keys.keys().next().unwrap().usage();
    assert_eq!(
        (usage.count(), usage.last_used()),
        (1, Some(Timestamp::from_secs(NOW)))
    );
}

#[test]
fn a_security_event_needs_no_exp_but_one_that_is_there_counts() {
    let event = security(&json!({})).unwrap();
    assert_eq!(event.expires_at, None);
    assert!(security(&json!({ "iat": NOW - 86_400 })).is_ok());
    assert!(security(&json!({ "exp": NOW + 86_400 })).is_ok());
    let over = security(&json!({ "exp": NOW - 5 }));
    assert_eq!(over, Err(TokenError::Expired));
    let ahead = security(&json!({ "iat": NOW + 6 }));
    assert_eq!(ahead, Err(TokenError::NotYetValid));
}

#[test]
fn a_security_event_that_lacks_something_is_none() {
    let complex =
        |member: Value| json!({ "sub_id": with(json!({ "format": "complex" }), &member) });
    for changes in [
        json!({ "jti": null }),
        json!({ "iat": null }),
        json!({ "aud": null }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": { REVOKED: [] } }),
        json!({ "sub": null, "sid": null }),
        json!({ "sub_id": "bob" }),
        json!({ "sub_id": {} }),
        json!({ "sub_id": { "format": "email", "email": "bob@example.com" } }),
        json!({ "sub_id": { "format": "opaque" } }),
        json!({ "sub_id": { "format": "opaque", "id": "" } }),
        json!({ "sub_id": { "format": "iss_sub", "sub": "bob" } }),
        json!({ "sub_id": { "format": "iss_sub", "iss": "https://other.example.com", "sub": "bob" } }),
        json!({ "sub_id": { "format": "iss_sub", "iss": "https://auth.example.com" } }),
        complex(json!({})),
        complex(json!({ "tenant": { "format": "opaque", "id": "acme" } })),
        complex(json!({ "user": "bob" })),
        complex(json!({ "user": { "format": "email", "email": "bob@example.com" } })),
        complex(json!({
            "session": { "format": "opaque", "id": "s" },
            "user": { "format": "iss_sub", "iss": "https://other.example.com", "sub": "bob" },
        })),
        complex(json!({
            "session": { "format": "uri", "uri": "urn:s" }, "user": { "format": "opaque", "id": "bob" },
        })),
        complex(
            json!({ "session": { "format": "iss_sub", "iss": "https://auth.example.com", "sub": "s" } }),
        ),
    ] {
        let error = security(&changes).unwrap_err();
        assert!(
            matches!(error, TokenError::ClaimInvalid(_)),
            "{changes}: {error:?}"
        );
    }
    let others = security(&json!({ "aud": "https://other.example.com" }));
    assert_eq!(others, Err(TokenError::AudienceMismatch));
}

fn logout_claims() -> Value {
    json!({
        "iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "alice", "sid": "s-1",
        "iat": NOW, "exp": NOW + 120, "jti": "j-1", "events": { LOGOUT: {} },
    })
}

fn security_claims() -> Value {
    json!({
        "iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "alice", "sid": "s-1",
        "iat": NOW, "jti": "j-1", "events": { REVOKED: { "event_timestamp": NOW } },
    })
}

/// What stands for `null` itself: a plain one takes a member away.
fn null_in_json() -> Value {
    json!("\0")
}

/// `claims` with `changes` laid over them.
fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn logout(changes: &Value) -> Result<IssuerEvent, TokenError> {
    told(&with(logout_claims(), changes), EventForm::Logout)
}

fn security(changes: &Value) -> Result<IssuerEvent, TokenError> {
    told(&with(security_claims(), changes), EventForm::Security)
}

fn told(claims: &Value, form: EventForm) -> Result<IssuerEvent, TokenError> {
    let issuer = TestIssuer::new(Algorithm::Es256);
    let header = json!({ "alg": "ES256", "kid": issuer.key.kid(), "typ": form.typ() });
    let claims = claims.to_string().replace(r#""\u0000""#, "null");
    let token = issuer.key.sign_text(&header.to_string(), &claims);
    verify(&issuer.verifier(), &token, form)
}

fn verify(verifier: &Verifier, token: &str, form: EventForm) -> Result<IssuerEvent, TokenError> {
    let token = BearerToken::from_compact(token).unwrap();
    verifier
        .verify_event(token, form, Timestamp::from_secs(NOW))
        .map_err(|failure| failure.error)
}

fn session(name: &str) -> Named {
    Named::Session(name.into())
}

fn subject(name: &str) -> Named {
    Named::Subject(name.into())
}
