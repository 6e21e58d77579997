//! The OAuth endpoints.

use std::time::Duration;

use super::flows::claims;
use super::house::{Answer, House, ORIGIN};
use crate::session::{Event, Revocation, Revoked, TimedId};

/// What is wrong with an assertion, made at a second.
type Change = fn(&mut serde_json::Value, u64);

pub(super) fn assertion(
    house: &House,
    id: &str,
    change: impl FnOnce(&mut serde_json::Value),
) -> String {
    let now = house.now().as_secs();
    let mut claims = serde_json::json!({
        "iss": "partner", "sub": "partner", "aud": "https://auth.example.com",
        "iat": now, "exp": now + 60, "jti": id,
    });
    change(&mut claims);
    let assertion = house.partner.sign("JWT", &claims);
    format!(
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    )
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own_with_an_assertion_used_once() {
    let house = House::build().await;
    let proof = assertion(&house, "a", |_| {});
    let body = format!("grant_type=client_credentials&scope=crm.read&{proof}");
    let answer = house.form("/oauth/token", &body).await;
    assert_eq!(answer.status(), 200, "{}", answer.json());
    assert!(answer.json().get("refresh_token").is_none());
    let said = claims(&answer.text("access_token"));
    assert_eq!(said["sub"], "partner");
    assert_eq!(said["scope"], "crm.read");
    assert_eq!(said["products"], serde_json::json!(["crm"]));
    house
        .form("/oauth/token", &body)
        .await
        .fails(401, "invalid_client");
    assert!(house.events.has(Event::AssertionReplay));
}

#[tokio::test]
async fn nobody_logs_in_through_a_client_that_has_tokens_of_its_own_alone() {
    let house = House::build().await;
    let fields = [
        ("content-type", "application/json"),
        ("origin", ORIGIN),
        ("x-tollgate-csrf", "1"),
        // batch:secret-of-server
        ("authorization", "Basic YmF0Y2g6c2VjcmV0LW9mLXNlcnZlcg=="),
    ];
    let answer = house.send("POST", "/auth/login", &fields, "{}").await;
    answer.fails(400, "unauthorized_client");
    let fields = [
        ("content-type", "application/x-www-form-urlencoded"),
        fields[3],
    ];
    let body = "grant_type=client_credentials";
    let answer = house.send("POST", "/oauth/token", &fields, body).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn assertions_for_others_or_for_too_long_prove_nothing() {
    let house = House::build().await;
    let now = house.now().as_secs();
    let rows: [(&str, Change); 5] = [
        ("aud", |claims, _| {
            claims["aud"] = "https://other.example".into()
        }),
        ("exp", |claims, now| claims["exp"] = (now + 7200).into()),
        ("past", |claims, now| claims["exp"] = (now - 60).into()),
        ("sub", |claims, _| claims["sub"] = "mobile".into()),
        ("jti", |claims, _| {
            drop(claims.as_object_mut().map(|all| all.remove("jti")))
        }),
    ];
    for (name, change) in rows {
        let proof = assertion(&house, name, |claims| change(claims, now));
        let body = format!("grant_type=client_credentials&{proof}");
        let answer = house.form("/oauth/token", &body).await;
        assert_eq!(answer.status(), 401, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_is_given_back_ends_its_session_for_its_own_client_alone() {
    let house = House::build().await;
    let login = house.login().await;
    let token = login.text("refresh_token");
    for body in [
        format!("client_id=web&token={token}"),
        "client_id=mobile&token=garbage".to_owned(),
        format!("client_id=mobile&token={token}x"),
    ] {
        assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    }
    assert!(house.counts(&login.text("access_token")).await);
    let body = format!("client_id=mobile&token={token}");
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    assert!(!house.counts(&login.text("access_token")).await);
    house.refresh(&token).await.fails(400, "invalid_grant");
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
}

#[tokio::test]
async fn an_access_token_that_is_given_back_ends_alone() {
    let house = House::build().await;
    let login = house.login().await;
    let body = format!("client_id=mobile&token={}", login.text("access_token"));
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    assert!(!house.counts(&login.text("access_token")).await);
    assert_eq!(
        house.refresh(&login.text("refresh_token")).await.status(),
        200
    );
}

#[tokio::test]
async fn whoever_gives_an_access_token_back_got_the_reply_that_carried_it() {
    let house = House::build().await;
    let first = house.login().await.text("refresh_token");
    let second = house.refresh(&first).await;
    let body = format!("client_id=mobile&token={}", second.text("access_token"));
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    confirmed(&house, &second).await;
    house.wait(5);
    house.refresh(&first).await.fails(400, "invalid_grant");
    assert!(house.events.has(Event::Reuse));
}

#[tokio::test]
async fn whoever_asks_for_the_list_of_devices_got_the_reply_that_carried_the_token() {
    let house = House::build().await;
    let first = house.login().await.text("refresh_token");
    let second = house.refresh(&first).await;
    assert!(house.counts(&second.text("access_token")).await);
    confirmed(&house, &second).await;
}

#[tokio::test]
async fn a_client_that_was_revoked_may_ask_anew_in_the_same_millisecond() {
    let house = House::build().await;
    let ask = async |id| {
        let proof = assertion(&house, id, |_| {});
        let body = format!("grant_type=client_credentials&{proof}");
        house.form("/oauth/token", &body).await.text("access_token")
    };
    let counts = async |id, token: &str| {
        let proof = assertion(&house, id, |_| {});
        let body = format!("token={token}&{proof}");
        house.form("/oauth/introspect", &body).await.json()["active"] == true
    };
    let before = ask("a").await;
    assert!(counts("b", &before).await);
    let revocation = Revocation {
        what: Revoked::Client("partner".into()),
        issuer: None,
        cutoff: house.now(),
        expires_at: house.now().plus(Duration::from_secs(600)),
    };
    house.api.deny(&revocation).await.unwrap();
    assert!(!counts("c", &before).await);
    assert!(counts("d", &ask("e").await).await);
}

#[tokio::test]
async fn introspection_tells_and_confirms() {
    let house = House::build().await;
    let first = house.login().await;
    let second = house.refresh(&first.text("refresh_token")).await;
    let proof = assertion(&house, "i", |_| {});
    let body = format!("token={}&{proof}", second.text("access_token"));
    let told = house.form("/oauth/introspect", &body).await.json();
    assert_eq!(told["active"], true);
    assert_eq!(told["sub"], "u_1");
    let proof = assertion(&house, "j", |_| {});
    let told = house
        .form("/oauth/introspect", &format!("token=garbage&{proof}"))
        .await;
    assert_eq!(told.json(), serde_json::json!({ "active": false }));
    confirmed(&house, &second).await;
    house.wait(5);
    house
        .refresh(&first.text("refresh_token"))
        .await
        .fails(400, "invalid_grant");
}

#[tokio::test]
async fn the_metadata_is_one_document_and_its_keys_verify() {
    let house = House::build().await;
    let a = house
        .send("GET", "/.well-known/openid-configuration", &[], "")
        .await;
    let b = house
        .send("GET", "/.well-known/oauth-authorization-server", &[], "")
        .await;
    assert_eq!(a.json(), b.json());
    assert_eq!(a.text("issuer"), "https://auth.example.com");
    assert_eq!(a.field("access-control-allow-origin"), Some("*"));
    let keys = house
        .send("GET", "/.well-known/jwks.json", &[], "")
        .await
        .json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
    assert!(house.revocations.is_empty());
    assert!(house.config.sessions.is_some());
}

/// Waits until the store has heard that the tokens of an answer arrived.
async fn confirmed(house: &House, answer: &Answer) {
    let sid = claims(&answer.text("access_token"))["sid"].clone();
    let sid = TimedId::parse(sid.as_str().unwrap()).unwrap();
    let session = async || house.api.service.load(sid).await.unwrap().unwrap();
    let confirmed = async {
        while !session().await.confirmed {
            tokio::task::yield_now().await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), confirmed);
    within.await.unwrap();
}
