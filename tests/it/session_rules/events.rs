//! Other parties end sessions: an issuer by a logout token or a pushed security event, an operator's other system by a
//! global revocation. All of them at the admin listener.

use serde_json::json;

use super::house::{FORM, house};
use super::told::{
    BACKCHANNEL, GLOBAL, IDP, JSON, LOGOUT_EVENT, SECEVENT, SSF, Told, fails, logout_claims, post,
    refused,
};
use crate::support::{ADMIN_TOKEN, Gateway, Issuer, Provider, ProviderAnswer, Upstream, now};

#[test]
fn a_logout_token_ends_the_access_tokens_of_its_session_on_the_next_request() {
    let mut told = Told::new();
    let (here, there) = (told.token("s_1"), told.token("s_2"));
    assert_eq!((told.house.api(&here), told.house.api(&there)), (200, 200));
    let answer = told.logout(&told.logout_token(json!({})));
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    for _ in 0..2 {
        let refused = told.house.bearer("GET", "/crm/x", &here);
        assert_eq!((refused.status, &*refused.reason()), (401, "token_revoked"));
        assert_eq!(told.house.api(&there), 200, "another session lives on");
        told.house.restart();
    }
}

#[test]
fn a_logout_token_without_a_session_ends_what_the_subject_has_and_not_what_it_gets() {
    let told = Told::new();
    let (one, two) = (told.token("s_1"), told.token("s_2"));
    let other = told.issuer.token(json!({ "sub": "u_2" }));
    let answer = told.logout(&told.logout_token(json!({ "sid": null })));
    assert_eq!(answer.status, 200);
    assert_eq!((told.house.api(&one), told.house.api(&two)), (401, 401));
    assert_eq!(told.house.api(&other), 200);
    told.house.clock.shift(2);
    let new = told.issuer.token(json!({ "iat": told.house.clock.now() }));
    assert_eq!(told.house.api(&new), 200);
}

#[test]
fn an_unsound_logout_token_is_refused_and_revokes_nothing() {
    let told = Told::new();
    let access = told.token("s_1");
    let strange = Issuer::new(IDP);
    let claims = logout_claims(json!({}));
    let now = now();
    let mut tokens = vec![
        told.issuer.key.sign("at+jwt", &claims),
        told.issuer.key.sign("JWT", &claims),
        told.issuer.key.sign("secevent+jwt", &claims),
        strange.key.sign("logout+jwt", &claims),
        access.clone(),
        "garbage".to_owned(),
        String::new(),
    ];
    tokens.extend(
        [
            json!({ "nonce": "n" }),
            json!({ "aud": "https://other.example.com" }),
            json!({ "iss": "https://other.example.com" }),
            json!({ "exp": now - 600, "iat": now - 700 }),
            json!({ "iat": now + 600, "exp": now + 700 }),
            json!({ "exp": null }),
            json!({ "iat": null }),
            json!({ "jti": null }),
            json!({ "sub": null, "sid": null }),
            json!({ "events": {} }),
            json!({ "events": { LOGOUT_EVENT: "x" } }),
        ]
        .map(|changes| told.logout_token(changes)),
    );
    for token in &tokens {
        refused(&told.logout(token));
    }
    let good = told.logout_token(json!({}));
    let form = format!("logout_token={good}");
    for (content_type, body) in [
        (FORM, format!("{form}&{form}")),
        (FORM, String::new()),
        (FORM, good.clone()),
        (JSON, json!({ "logout_token": good }).to_string()),
        ("text/plain", form.clone()),
    ] {
        refused(&told.tell(BACKCHANNEL, content_type, &body));
    }
    let list = told.house.gateway.admin_get("/api/revocations").json();
    assert_eq!(list["revocations"], json!([]));
    assert_eq!(told.house.api(&access), 200);
    assert_eq!(told.logout(&good).status, 200);
    refused(&told.logout(&good));
    let list = told.house.gateway.admin_get("/api/revocations").json();
    let revoked = list["revocations"].as_array().unwrap();
    assert_eq!(revoked.len(), 1, "the replay revoked nothing");
    assert_eq!(
        (
            &revoked[0]["kind"],
            &revoked[0]["value"],
            &revoked[0]["issuer"]
        ),
        (&json!("session"), &json!("s_1"), &json!("main"))
    );
}

#[test]
fn a_revoked_key_ends_nothing_any_more() {
    let told = Told::new();
    let body = json!({ "key": told.issuer.key.kid(), "issuer": "main" });
    let answer = told.tell("/api/revocations", JSON, &body.to_string());
    assert_eq!(answer.status, 200);
    refused(&told.logout(&told.logout_token(json!({}))));
    let event = told.event("session-revoked", json!(null));
    fails(&told.push(&event), "invalid_key");
}

#[test]
fn a_pushed_event_that_a_session_was_revoked_refuses_its_access_token_at_once() {
    let told = Told::new();
    let (here, there) = (told.token("s_1"), told.token("s_2"));
    let event = told.event(
        "session-revoked",
        json!({ "format": "opaque", "id": "s_1" }),
    );
    let answer = told.push(&event);
    assert_eq!((answer.status, answer.text()), (202, ""));
    assert_eq!((told.house.api(&here), told.house.api(&there)), (401, 200));
    // Sent again, it is answered as before (RFC 8935 §2) and revokes nothing more.
    assert_eq!(told.push(&event).status, 202);
    let list = told.house.gateway.admin_get("/api/revocations").json();
    assert_eq!(list["revocations"].as_array().map(Vec::len), Some(1));
    let subject = json!({ "format": "iss_sub", "iss": IDP, "sub": "u_1" });
    assert_eq!(
        told.push(&told.event("session-revoked", subject)).status,
        202
    );
    assert_eq!(told.house.api(&there), 401);
}

#[test]
fn changed_claims_end_the_tokens_that_say_otherwise_and_new_ones_pass() {
    for change in ["token-claims-change", "credential-change"] {
        let told = Told::new();
        let before = told.token("s_1");
        let subject = json!({
            "format": "complex",
            "session": { "format": "opaque", "id": "s_1" },
            "user": { "format": "iss_sub", "iss": IDP, "sub": "u_1" },
        });
        assert_eq!(told.push(&told.event(change, subject)).status, 202);
        assert_eq!(told.house.api(&before), 401);
        told.house.clock.shift(2);
        let after = told.issuer.token(json!({ "iat": told.house.clock.now() }));
        assert_eq!(told.house.api(&after), 200, "of the same session");
    }
}

#[test]
fn a_pushed_event_that_is_not_acceptable_is_refused_by_a_code_and_revokes_nothing() {
    let told = Told::new();
    let access = told.token("s_1");
    let claims = |changes| told.event_claims("session-revoked", json!(null), changes);
    let sign = |changes| told.issuer.key.sign("secevent+jwt", &claims(changes));
    let strange = Issuer::new(IDP);
    let logout = told.logout_token(json!({}));
    for (token, err) in [
        (
            sign(json!({ "iss": "https://x.example" })),
            "invalid_issuer",
        ),
        (
            sign(json!({ "aud": "https://x.example" })),
            "invalid_audience",
        ),
        (
            strange.key.sign("secevent+jwt", &claims(json!({}))),
            "invalid_key",
        ),
        (
            told.issuer.key.sign("JWT", &claims(json!({}))),
            "invalid_request",
        ),
        (sign(json!({ "jti": null })), "invalid_request"),
        (sign(json!({ "iat": now() + 600 })), "invalid_request"),
        (sign(json!({ "sub": null, "sid": null })), "invalid_request"),
        (
            sign(
                json!({ "sub_id": { "format": "iss_sub", "iss": "https://x.example", "sub": "u_1" } }),
            ),
            "invalid_request",
        ),
        (logout, "invalid_request"),
        ("garbage".to_owned(), "invalid_request"),
    ] {
        fails(&told.push(&token), err);
    }
    let good = sign(json!({}));
    fails(&told.tell(SSF, JSON, &good), "invalid_request");
    assert_eq!(told.house.api(&access), 200);
    let stream = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    let verification = sign(json!({ "events": { stream: { "state": "x" } }, "jti": "v" }));
    assert_eq!(told.push(&verification).status, 202);
    assert_eq!(told.house.api(&access), 200, "nothing follows from it");
    assert_eq!(told.push(&good).status, 202);
    assert_eq!(told.house.api(&access), 401);
}

#[test]
fn a_global_revocation_ends_the_subjects_sessions() {
    let house = house();
    let (one, two) = (house.login(), house.login());
    house.service.answers(
        "/login",
        200,
        &json!({ "subject": "u_2", "products": ["crm"] }),
    );
    let other = house.login();
    let revoke = |iss: &str| {
        let body = json!({ "sub_id": { "format": "iss_sub", "iss": iss, "sub": "u_1" } });
        house.gateway.admin_post(GLOBAL, &body.to_string())
    };
    assert_eq!(revoke("https://nobody.example.com").status, 400);
    assert_eq!(house.api(&one.access), 200);
    let answer = revoke("https://auth.example.com");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    for tokens in [&one, &two] {
        assert_eq!(house.api(&tokens.access), 401);
        assert_eq!(house.refresh(&tokens.refresh).status, 400);
    }
    assert_eq!(house.api(&other.access), 200);
    assert_eq!(house.refresh(&other.refresh).status, 200);
}

#[test]
fn a_global_revocation_of_another_issuers_subject_spares_its_namesake() {
    let told = Told::new();
    let (theirs, own) = (told.token("s_1"), told.house.login());
    let body = json!({ "sub_id": { "format": "iss_sub", "iss": IDP, "sub": "u_1" } });
    let answer = told.tell(GLOBAL, JSON, &body.to_string());
    assert_eq!(answer.status, 204);
    assert_eq!(told.house.api(&theirs), 401);
    assert_eq!(told.house.api(&own.access), 200);
    for body in [
        json!({ "sub_id": { "format": "opaque", "id": "u_1" } }),
        json!({ "sub_id": { "format": "email", "email": "u_1@example.com" } }),
        json!({ "sub_id": { "format": "iss_sub", "iss": "main", "sub": "u_1" } }),
        json!({}),
    ] {
        assert_eq!(told.tell(GLOBAL, JSON, &body.to_string()).status, 400);
    }
}

#[test]
fn nobody_without_the_admin_token_or_from_another_origin_ends_anything() {
    let told = Told::new();
    let access = told.token("s_1");
    let logout = format!("logout_token={}", told.logout_token(json!({})));
    let event = told.event("session-revoked", json!(null));
    let global = json!({ "sub_id": { "format": "iss_sub", "iss": IDP, "sub": "u_1" } });
    let admin = format!("Authorization: Bearer {ADMIN_TOKEN}\r\n");
    for (path, content_type, body) in [
        (BACKCHANNEL, FORM, &*logout),
        (SSF, SECEVENT, &*event),
        (GLOBAL, JSON, &*global.to_string()),
    ] {
        let ask = |fields: &str, host: &str| {
            told.post(
                path,
                &format!("Host: {host}\r\n{fields}"),
                content_type,
                body,
            )
        };
        assert_eq!(ask("", "localhost").status, 401, "{path}");
        let wrong = "Authorization: Bearer wrong\r\n";
        assert_eq!(ask(wrong, "localhost").status, 401, "{path}");
        assert_eq!(ask(&admin, "evil.example").status, 403, "{path}");
        let foreign = format!("{admin}Origin: https://evil.example\r\n");
        assert_eq!(ask(&foreign, "localhost").status, 403, "{path}");
        let public = told.house.send("POST", path, &[], "");
        assert_eq!(public.status, 404, "{path} is not for the public");
    }
    assert_eq!(told.house.api(&access), 200);
}

#[test]
fn a_logout_by_a_key_that_was_published_a_moment_ago_is_understood() {
    let upstream = Upstream::start();
    let [old, new] = [(); 2].map(|()| Issuer::new(IDP));
    let provider = Provider::start(ProviderAnswer::Document(old.jwks()));
    let config = format!(
        "[issuers.main]\nissuer = \"{IDP}\"\naudiences = [\"https://api.example.com\"]\nalgorithms = [\"ES256\"]\n\
         jwks_url = \"{}/jwks\"\nrefresh = {{ min = \"1h\", max = \"1h\", cooldown = \"1h\" }}\n\
         [upstreams.app]\nservers = [\"{}\"]\n[routes.app]\npath = \"/app\"\naccess = \"authenticated\"\nupstream = \"app\"\n",
        provider.url(),
        upstream.address
    );
    let gateway = Gateway::start(&config, &[]);
    let bearer = old.bearer();
    assert_eq!(gateway.get("/app", &[&bearer]).status, 200);
    let both = json!({ "keys": [old.key.public_jwk(), new.key.public_jwk()] });
    provider.answer(ProviderAnswer::Document(both.to_string()));
    let token = new.key.sign("logout+jwt", &logout_claims(json!({})));
    let fields = format!("Host: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n");
    let answer = post(
        &gateway,
        BACKCHANNEL,
        &fields,
        FORM,
        &format!("logout_token={token}"),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(gateway.get("/app", &[&bearer]).status, 401);
}
