//! What other parties tell: what is answered to it, and what follows.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::token::{KeySet, SigningKey};

const FORM: &str = "application/x-www-form-urlencoded";
const SECEVENT: &str = "application/secevent+jwt";
const LOGOUT: &str = "/oidc/backchannel-logout";
const EVENTS: &str = "/events/ssf";

#[tokio::test]
async fn a_logout_is_heard_once_and_ends_a_session_of_its_issuer() {
    let (admin, key) = admin_with_key();
    let form = format!("logout_token={}", logout(&key, "j1"));
    let answer = tell(&admin, LOGOUT, FORM, &form).await;
    assert_eq!(
        (answer.status().as_u16(), text(&answer)),
        (200, String::new())
    );
    assert_eq!(field(&answer, "cache-control"), "no-store");
    let again = tell(&admin, LOGOUT, FORM, &form).await;
    assert_eq!(again.status(), 400);
    assert_eq!(field(&again, "cache-control"), "no-store");
    let said: Value = serde_json::from_slice(again.body()).unwrap();
    assert_eq!(said["error"], "invalid_request");
    let revoked = admin.acts().revoked.lock().unwrap().clone();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].what, Revoked::Session("s1".into()));
    assert_eq!(revoked[0].issuer.as_deref(), Some("main"));
}

#[tokio::test]
async fn a_logout_that_is_not_one_form_with_one_token_is_none() {
    let (admin, key) = admin_with_key();
    let token = logout(&key, "j1");
    let form = format!("logout_token={token}");
    for (content_type, body) in [
        ("application/json", form.clone()),
        ("", form.clone()),
        (FORM, token.clone()),
        (FORM, String::new()),
        (FORM, "logout_token=".to_owned()),
        (FORM, format!("{form}&{form}")),
        (FORM, format!("{form}&logout_token=")),
        (FORM, format!("{form}%zz")),
        (FORM, "logout_token=garbage".to_owned()),
        (FORM, format!("logout_token={}", "A".repeat(9000))),
    ] {
        let answer = tell(&admin, LOGOUT, content_type, &body).await;
        assert_eq!(answer.status(), 400, "{content_type} {body}");
        let said: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(said["error"], "invalid_request");
        assert!(!text(&answer).contains("garbage"));
    }
    assert!(admin.acts().revoked.lock().unwrap().is_empty());
    let more = format!("state=x&{form}");
    assert_eq!(tell(&admin, LOGOUT, FORM, &more).await.status(), 200);
}

#[tokio::test]
async fn a_logout_that_could_not_be_kept_may_be_told_again() {
    let (admin, key) = admin_with_key();
    let form = format!("logout_token={}", logout(&key, "j1"));
    admin.acts().unwritable.store(true, Ordering::SeqCst);
    let answer = tell(&admin, LOGOUT, FORM, &form).await;
    assert_eq!(
        (answer.status().as_u16(), &*field(&answer, "retry-after")),
        (503, "1")
    );
    admin.acts().unwritable.store(false, Ordering::SeqCst);
    assert_eq!(tell(&admin, LOGOUT, FORM, &form).await.status(), 200);
}

#[tokio::test]
async fn an_event_that_could_not_be_kept_ends_all_that_it_names_meanwhile() {
    let (admin, key) = admin_with_key();
    let [session_revoked, credential_change] = ["session-revoked", "credential-change"]
        .map(|name| format!("https://schemas.openid.net/secevent/caep/event-type/{name}"));
    let token = key.sign(
        "secevent+jwt",
        &event(json!({
            "sub_id": {
                "format": "complex",
                "session": { "format": "opaque", "id": "s1" },
                "user": { "format": "iss_sub", "iss": "https://auth.example.com", "sub": "alice" },
            },
            "events": { session_revoked: {}, credential_change: {} },
        })),
    );
    admin.acts().unwritable.store(true, Ordering::SeqCst);
    let answer = tell(&admin, EVENTS, SECEVENT, &token).await;
    assert_eq!(answer.status(), 503);
    let revoked = admin.acts().revoked.lock().unwrap().clone();
    let named: Vec<Revoked> = revoked.into_iter().map(|one| one.what).collect();
    let expected = [
        Revoked::Session("s1".into()),
        Revoked::Subject("alice".into()),
    ];
    assert_eq!(named, expected);
}

#[tokio::test]
async fn an_event_of_an_issuer_whose_keys_are_not_there_is_told_again_later() {
    let (_, key) = admin_with_key();
    let form = format!("logout_token={}", logout(&key, "j1"));
    let answer = tell(&admin(CONFIG), LOGOUT, FORM, &form).await;
    assert_eq!(answer.status(), 503);
}

#[tokio::test]
async fn a_pushed_event_is_accepted_without_a_word_or_refused_by_one_of_rfc_8935() {
    let (admin, key) = admin_with_key();
    let (_, strange) = admin_with_key();
    let sign = |key: &SigningKey, changes| key.sign("secevent+jwt", &event(changes));
    for (token, err) in [
        (sign(&key, json!({ "jti": "one" })), None),
        // Sent again, it is answered as before (§2).
        (sign(&key, json!({ "jti": "one" })), None),
        (
            sign(&key, json!({ "iss": "https://x" })),
            Some("invalid_issuer"),
        ),
        (sign(&key, json!({ "aud": "x" })), Some("invalid_audience")),
        (sign(&strange, json!({})), Some("invalid_key")),
        (sign(&key, json!({ "events": {} })), Some("invalid_request")),
        (logout(&key, "two"), Some("invalid_request")),
        ("garbage".to_owned(), Some("invalid_request")),
    ] {
        let answer = tell(&admin, EVENTS, SECEVENT, &token).await;
        assert_eq!(field(&answer, "cache-control"), "no-store");
        match err {
            None => assert_eq!(
                (answer.status().as_u16(), text(&answer)),
                (202, String::new())
            ),
            Some(err) => {
                assert_eq!(answer.status(), 400, "{err}");
                assert_eq!(field(&answer, "content-language"), "en");
                let said: Value = serde_json::from_slice(answer.body()).unwrap();
                assert_eq!(said["err"], err);
                assert!(said["description"].is_string());
            }
        }
    }
    let token = sign(&key, json!({ "jti": "three" }));
    let answer = tell(&admin, EVENTS, "application/jwt", &token).await;
    assert_eq!(answer.status(), 400, "another content type");
    let revoked = admin.acts().revoked.lock().unwrap().clone();
    assert_eq!(revoked.len(), 1, "nothing follows twice");
    assert_eq!(revoked[0].what, Revoked::Subject("alice".into()));
}

#[tokio::test]
async fn an_event_that_never_expires_is_acted_on_once() {
    let (admin, key) = admin_with_key();
    let token = key.sign("secevent+jwt", &event(json!({})));
    for _ in 0..3 {
        let answer = tell(&admin, EVENTS, SECEVENT, &token).await;
        assert_eq!(answer.status(), 202);
        admin.acts().clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(admin.acts().revoked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_global_revocation_names_a_subject_of_an_issuer_that_exists() {
    let admin = admin(CONFIG);
    let path = "/admin/global-token-revocation";
    let named = |format: &str, iss: &str, sub: &str| {
        json!({ "sub_id": { "format": format, "iss": iss, "sub": sub } }).to_string()
    };
    let iss = "https://auth.example.com";
    for (body, status) in [
        (named("iss_sub", iss, "alice"), 204),
        (named("iss_sub", "main", "alice"), 400),
        (named("iss_sub", "https://other.example.com", "alice"), 400),
        (named("iss_sub", iss, ""), 400),
        (named("email", iss, "alice"), 400),
        (
            r#"{"sub_id": {"format": "opaque", "id": "alice"}}"#.to_owned(),
            400,
        ),
        (
            json!({ "sub_id": ["iss_sub", iss, "alice"] }).to_string(),
            400,
        ),
        (r#"{"subject": "alice"}"#.to_owned(), 400),
        ("{}".to_owned(), 400),
        (String::new(), 400),
    ] {
        let answer = tell(&admin, path, "application/json", &body).await;
        assert_eq!(answer.status(), status, "{body}");
    }
    let answer = tell(&admin, path, FORM, &named("iss_sub", iss, "alice")).await;
    assert_eq!(answer.status(), 415);
    let revoked = admin.acts().revoked.lock().unwrap().clone();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].what, Revoked::Subject("alice".into()));
    assert_eq!(revoked[0].issuer.as_deref(), Some("main"));
}

async fn tell(admin: &Fixture, path: &str, content_type: &str, body: &str) -> Response<Bytes> {
    let mut fields = vec![("host", ADDRESS), ("authorization", TOKEN)];
    if !content_type.is_empty() {
        fields.push(("content-type", content_type));
    }
    admin.ask("POST", path, &fields, body).await
}

/// An admin API whose issuer `main` has this key.
fn admin_with_key() -> (Fixture, SigningKey) {
    let key = SigningKey::from_pem(&SigningKey::generate_pem(Algorithm::Es256).unwrap()).unwrap();
    let mut ring = KeyRing::default();
    let keys = KeySet::from_signing_keys([&key]);
    ring.insert("main".into(), Arc::new(keys));
    (admin_of(gate_with(CONFIG, &ring)), key)
}

fn logout(key: &SigningKey, id: &str) -> String {
    let claims = json!({
        "iss": "https://auth.example.com", "aud": "https://api.example.com", "sid": "s1", "sub": "alice",
        "iat": NOW, "exp": NOW + 60, "jti": id,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    key.sign("logout+jwt", &claims)
}

fn event(changes: Value) -> Value {
    let mut claims = json!({
        "iss": "https://auth.example.com", "aud": "https://api.example.com", "iat": NOW, "jti": "j1",
        "sub_id": { "format": "iss_sub", "iss": "https://auth.example.com", "sub": "alice" },
        "events": { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}
