//! A house that is told by others what ended, and what they tell it.

use serde_json::{Value, json};

use super::house::{FORM, House};
use crate::support::{ADMIN_TOKEN, Answer, Client, Gateway, Issuer, now};

pub(super) const JSON: &str = "application/json";
pub(super) const SECEVENT: &str = "application/secevent+jwt";
pub(super) const BACKCHANNEL: &str = "/oidc/backchannel-logout";
pub(super) const SSF: &str = "/events/ssf";
pub(super) const GLOBAL: &str = "/admin/global-token-revocation";
pub(super) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
pub(super) const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
pub(super) const IDP: &str = "https://idp.example.com";

/// A house that also takes tokens of an issuer `main`.
pub(super) struct Told {
    pub(super) house: House,
    pub(super) issuer: Issuer,
    /// Where the issuer's keys lie.
    _folder: tempfile::TempDir,
}

impl Told {
    pub(super) fn new() -> Self {
        let issuer = Issuer::new(IDP);
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("main.jwks.json");
        std::fs::write(&keys, issuer.jwks()).unwrap();
        let table = format!(
            "[issuers.main]\nissuer = \"{IDP}\"\naudiences = [\"https://api.example.com\"]\nalgorithms = [\"ES256\"]\n\
             jwks_file = \"{}\"\n[sessions]",
            keys.display()
        );
        Self {
            house: House::with(|config| config.replacen("[sessions]", &table, 1)),
            issuer,
            _folder: folder,
        }
    }

    /// An access token of the issuer's session `sid`.
    pub(super) fn token(&self, sid: &str) -> String {
        self.issuer.token(json!({ "sid": sid }))
    }

    pub(super) fn logout_token(&self, changes: Value) -> String {
        self.issuer.key.sign("logout+jwt", &logout_claims(changes))
    }

    pub(super) fn event(&self, name: &str, subject: Value) -> String {
        let claims = self.event_claims(name, subject, json!({}));
        self.issuer.key.sign("secevent+jwt", &claims)
    }

    pub(super) fn event_claims(&self, name: &str, subject: Value, changes: Value) -> Value {
        let event = format!("{CAEP}{name}");
        let claims = json!({
            "iss": IDP, "aud": "https://api.example.com", "iat": now(), "sub": "u_1", "sid": "s_1",
            "jti": format!("{name} {subject}"), "sub_id": null, "events": { event: { "event_timestamp": now() } },
        });
        let named = with(claims, json!({ "sub_id": subject }));
        with(named, changes)
    }

    pub(super) fn logout(&self, token: &str) -> Answer {
        self.tell(BACKCHANNEL, FORM, &format!("logout_token={token}"))
    }

    pub(super) fn push(&self, token: &str) -> Answer {
        self.tell(SSF, SECEVENT, token)
    }

    pub(super) fn tell(&self, path: &str, content_type: &str, body: &str) -> Answer {
        let fields = format!("Host: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n");
        self.post(path, &fields, content_type, body)
    }

    pub(super) fn post(&self, path: &str, fields: &str, content_type: &str, body: &str) -> Answer {
        post(&self.house.gateway, path, fields, content_type, body)
    }
}

pub(super) fn post(
    gateway: &Gateway,
    path: &str,
    fields: &str,
    content_type: &str,
    body: &str,
) -> Answer {
    let mut client = Client::connect(gateway.admin);
    client.send(format!(
        "POST {path} HTTP/1.1\r\n{fields}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    client.answer_to("POST").expect("an answer")
}

pub(super) fn logout_claims(changes: Value) -> Value {
    let claims = json!({
        "iss": IDP, "aud": "https://api.example.com", "sub": "u_1", "sid": "s_1",
        "iat": now(), "exp": now() + 120, "jti": "l_1", "events": { LOGOUT_EVENT: {} },
    });
    with(claims, changes)
}

/// `claims` with `changes` laid over them; `null` takes a claim away.
fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().expect("an object of changes") {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// That a logout token was refused as OpenID Connect Back-Channel Logout 1.0 §2.8 has it.
pub(super) fn refused(answer: &Answer) {
    super::house::fails(answer, 400, "invalid_request");
}

/// That an event was refused as RFC 8935 §2.3 has it.
pub(super) fn fails(answer: &Answer, err: &str) {
    assert_eq!(answer.status, 400, "{answer:?}: {:?}", answer.text());
    let said = answer.json();
    assert_eq!(said["err"], err, "{said}");
    assert!(said["description"].is_string());
    assert_eq!(answer.field("cache-control"), Some("no-store"));
}
