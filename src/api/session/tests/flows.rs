//! Login and refresh as clients live them.

use super::house::{Answer, House, TEXT};
use crate::session::Event;

#[tokio::test]
async fn a_login_is_delegated_and_answered_with_tokens() {
    let house = House::build().await;
    let answer = house.login().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.text("token_type"), "Bearer");
    assert_eq!(answer.text("scope"), "api read");
    assert!(answer.text("refresh_token").starts_with("tgr_"));
    assert_eq!(answer.json()["expires_in"], 120, "till the session's end");
    let (head, body) = house.service.asked().remove(0);
    assert_eq!(
        body,
        r#"{"client_id":"mobile","user":"ada","password":"x"}"#
    );
    for part in [
        "x-tollgate-signature: t=1700000000,v1=",
        "x-tollgate-client-id: mobile",
        "x-tollgate-client-ip: 192.0.2.7",
    ] {
        assert!(head.to_lowercase().contains(part), "{head}");
    }
    assert!(house.counts(&answer.text("access_token")).await);
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_says_however_long_the_identity_service_thought() {
    let house = House::build().await;
    house.ponder(20);
    let ends_as_told = |answer: &Answer| {
        let exp = claims(&answer.text("access_token"))["exp"].as_u64();
        let told = answer.json()["expires_in"].as_u64();
        assert_eq!(exp, told.map(|left| house.now().as_secs() + left));
    };
    let login = house.login().await;
    ends_as_told(&login);
    ends_as_told(&house.refresh(&login.text("refresh_token")).await);
}

#[tokio::test]
async fn the_identity_services_refusal_passes_and_its_faults_do_not() {
    let house = House::build().await;
    house.service.answers(403, r#"{"challenge":"otp"}"#);
    let step = house.login().await;
    assert_eq!(
        (step.status(), step.text("challenge").as_str()),
        (403, "otp")
    );
    for status in [400, 401, 409, 422, 429] {
        house.service.answers(status, "{}");
        assert_eq!(house.login().await.status(), status);
    }
    let long = format!(r#"{{"subject":"{}"}}"#, "u".repeat(256));
    for (status, body, expected) in [
        (500, "{}", 503),
        (402, "{}", 503),
        (423, "{}", 503),
        (428, "{}", 503),
        (404, "{}", 503),
        (302, "{}", 503),
        (200, "no json", 503),
        (200, "{}", 503),
        (200, r#"{"subject":""}"#, 503),
        (
            200,
            r#"["u_1",[],"api",null,null,null,null,null,null,null,null,null]"#,
            503,
        ),
        (200, r#"{"subject":"u "}"#, 502),
        (200, r#"{"subject":"u\n"}"#, 502),
        (200, &long, 502),
        (200, r#"{"subject":"u","idle_ttl":0}"#, 503),
        (200, r#"{"subject":"u","absolute_ttl":0}"#, 503),
        (200, r#"{"subject":"u","claims":{"sub":"root"}}"#, 502),
    ] {
        house.service.answers(status, body);
        assert_eq!(house.login().await.status(), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refresh_rotates_and_a_retry_gets_the_same_successor() {
    let house = House::build().await;
    let first = house.login().await;
    let second = house.refresh(&first.text("refresh_token")).await;
    assert_eq!(second.status(), 200);
    let again = house.refresh(&first.text("refresh_token")).await;
    assert_eq!(again.text("refresh_token"), second.text("refresh_token"));
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
    assert!(house.counts(&first.text("access_token")).await);
}

#[tokio::test]
async fn reuse_kills_the_chain_and_its_access_tokens_alone() {
    let house = House::build().await;
    let (first, other) = (house.login().await, house.login().await);
    let second = house.refresh(&first.text("refresh_token")).await;
    let third = house.refresh(&second.text("refresh_token")).await;
    let reuse = house.refresh(&first.text("refresh_token")).await;
    reuse.fails(400, "invalid_grant");
    assert!(house.events.has(Event::Reuse));
    house
        .refresh(&third.text("refresh_token"))
        .await
        .fails(400, "invalid_grant");
    assert!(!house.counts(&third.text("access_token")).await);
    assert!(house.counts(&other.text("access_token")).await);
    assert_eq!(
        house.refresh(&other.text("refresh_token")).await.status(),
        200
    );
}

#[tokio::test]
async fn a_purchase_is_felt_at_the_next_refresh_and_a_loss_ends_the_session() {
    let house = House::build().await;
    let first = house.login().await;
    house
        .service
        .answers(200, r#"{"products":["crm","billing"]}"#);
    let second = house.refresh(&first.text("refresh_token")).await;
    let claims = claims(&second.text("access_token"));
    assert_eq!(claims["products"], serde_json::json!(["crm", "billing"]));
    assert_eq!(claims["scope"], "api read");
    house.service.answers(410, "");
    house
        .refresh(&second.text("refresh_token"))
        .await
        .fails(400, "invalid_grant");
    assert!(!house.counts(&second.text("access_token")).await);
}

#[tokio::test]
async fn an_outage_is_bridged_for_a_while_and_consumes_nothing() {
    let house = House::build().await;
    let first = house.login().await;
    house.service.answers(500, "");
    house.wait(5);
    let second = house.refresh(&first.text("refresh_token")).await;
    assert_eq!(second.status(), 200);
    house.wait(6);
    let token = second.text("refresh_token");
    house
        .refresh(&token)
        .await
        .fails(503, "temporarily_unavailable");
    house
        .service
        .answers(200, r#"{"subject":"u_2","products":[]}"#);
    house
        .refresh(&token)
        .await
        .fails(503, "temporarily_unavailable");
    house.service.answers(204, "");
    assert_eq!(house.refresh(&token).await.status(), 200);
}

#[tokio::test]
async fn a_word_that_nothing_changed_begins_the_bridge_over_an_outage_anew() {
    let house = House::build().await;
    let first = house.login().await.text("refresh_token");
    house.service.answers(204, "");
    house.wait(9);
    let second = house.refresh(&first).await.text("refresh_token");
    house.service.answers(500, "");
    house.wait(9);
    assert_eq!(house.refresh(&second).await.status(), 200);
}

#[tokio::test]
async fn an_outage_is_bridged_to_the_last_moment_and_never_where_it_shall_not_be() {
    for (stale_ok, wait, status) in [("10s", 10, 200), ("10s", 11, 503), ("0s", 0, 503)] {
        let text = TEXT.replace("stale_ok = \"10s\"", &format!("stale_ok = {stale_ok:?}"));
        let house = House::of(&text).await;
        let token = house.login().await.text("refresh_token");
        house.service.answers(500, "");
        house.wait(wait);
        let answer = house.refresh(&token).await;
        assert_eq!(answer.status(), status, "{stale_ok} {wait}");
    }
}

#[tokio::test]
async fn the_identity_service_shortens_a_session_and_never_lengthens_one() {
    let house = House::build().await;
    for (said, expected) in [(7, "; Max-Age=7;"), (3600, "; Max-Age=30;")] {
        let answer = format!(r#"{{"subject":"u_1","products":[],"idle_ttl":{said}}}"#);
        house.service.answers(200, &answer);
        let login = house.web_login().await;
        let set = login.field("set-cookie").unwrap();
        assert!(set.contains(expected), "{set}");
    }
}

#[tokio::test]
async fn what_no_token_can_carry_opens_no_session_and_spoils_none() {
    let house = House::build().await;
    let mut token = house.login().await.text("refresh_token");
    let nested = |depth| {
        format!(
            r#""claims":{{"a":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let long_product = format!(r#""products":["{}"]"#, "p".repeat(257));
    for said in [
        r#""tenant":" acme""#,
        r#""tenant":"ac\nme""#,
        r#""scope":"api\nread""#,
        r#""claims":{"tenant":"acme "}"#,
        r#""claims":{"tenant":["acme"]}"#,
        r#""claims":{"azp":5}"#,
        r#""products":["crm","a,b"]"#,
        r#""products":["crm","crm pro"]"#,
        r#""products":["crm","crm\n"]"#,
        r#""products":["crm",""]"#,
        &long_product,
        &nested(32),
    ] {
        let said = format!(r#"{{"subject":"u_1",{said}}}"#);
        house.service.answers(200, &said);
        house.login().await.fails(502, "server_error");
        // The last word that could be used goes on to hold.
        let refreshed = house.refresh(&token).await;
        assert!(
            house.counts(&refreshed.text("access_token")).await,
            "{said}"
        );
        token = refreshed.text("refresh_token");
    }
    for said in [
        r#""tenant":"acme""#,
        r#""claims":{"tenant":5,"azp":"app"}"#,
        &nested(31),
    ] {
        let said = format!(r#"{{"subject":"u_1","products":["crm"],{said}}}"#);
        house.service.answers(200, &said);
        let opened = house.login().await;
        assert!(house.counts(&opened.text("access_token")).await, "{said}");
    }
}

/// No route takes a token that is longer than the gate reads.
#[tokio::test]
async fn what_the_claims_hook_adds_fits_into_a_token_with_what_stays_or_is_not_said() {
    let house = House::build().await;
    let say = |said: &str| house.service.answers(200, said);
    let long = |bytes| "a".repeat(bytes);
    let (claim, scope) = (long(3000), long(600));
    say(&format!(
        r#"{{"subject":"u_1","products":["crm"],"claims":{{"a":"{claim}"}},"scope":"{scope}"}}"#
    ));
    let mut token = house.login().await.text("refresh_token");
    for said in [
        format!(
            r#"{{"products":["{}"]}}"#,
            vec![long(200); 15].join("\",\"")
        ),
        format!(r#"{{"products":["crm"],"tenant":"{scope}"}}"#),
    ] {
        say(&said);
        let refreshed = house.refresh(&token).await;
        assert!(house.counts(&refreshed.text("access_token")).await);
        token = refreshed.text("refresh_token");
    }
    // What an escape makes of a subject counts as well.
    let subject = r#"\""#.repeat(255);
    say(&format!(
        r#"{{"subject":"{subject}","products":["crm"],"scope":"{scope}"}}"#
    ));
    house.login().await.fails(502, "server_error");
}

#[tokio::test]
async fn a_tenant_stays_until_the_claims_hook_says_that_there_is_none() {
    let house = House::build().await;
    let say = |tenant| {
        let said = format!(r#"{{"subject":"u_1","products":["crm"]{tenant}}}"#);
        house.service.answers(200, &said);
    };
    say(r#","tenant":"acme""#);
    let mut token = house.login().await.text("refresh_token");
    for (tenant, expected) in [
        ("", "acme".into()),
        (r#","tenant":null"#, serde_json::Value::Null),
    ] {
        say(tenant);
        let refreshed = house.refresh(&token).await;
        let said = claims(&refreshed.text("access_token"));
        assert_eq!(said["tenant"], expected);
        token = refreshed.text("refresh_token");
    }
    say(r#","claims":{"tenant":"acme","org":"o1"}"#);
    let token = house.login().await.text("refresh_token");
    say(r#","tenant":null"#);
    let refreshed = house.refresh(&token).await;
    let said = claims(&refreshed.text("access_token"));
    assert_eq!(said["tenant"], serde_json::Value::Null);
    assert_eq!(said["org"], "o1");
}

/// So some languages write an empty list. As a fault it would bridge an outage with what was taken away.
#[tokio::test]
async fn products_that_are_null_are_none() {
    let house = House::build().await;
    let held = house.login().await.text("refresh_token");
    let said = r#"{"subject":"u_1","products":null}"#;
    house.service.answers(200, said);
    for answer in [house.login().await, house.refresh(&held).await] {
        assert_eq!(answer.status(), 200);
        assert_eq!(
            claims(&answer.text("access_token"))["products"],
            serde_json::json!([])
        );
    }
}

/// It may know its earlier one no more, and end the session of whoever shows it.
#[tokio::test]
async fn the_newest_handle_is_shown_though_the_refresh_that_it_came_with_failed() {
    let house = House::build().await;
    let say = |scope: &str, handle: &str| {
        let said = format!(
            r#"{{"subject":"u_1","products":["crm"],"scope":"{scope}","refresh_handle":"{handle}"}}"#
        );
        house.service.answers(200, &said);
    };
    let shown = || {
        let (_, body) = house.service.asked().pop().unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["refresh_handle"].clone()
    };
    say("api read", "h0");
    let token = house.login().await.text("refresh_token");
    say("api", "h1");
    let narrowed =
        format!("grant_type=refresh_token&client_id=mobile&scope=read&refresh_token={token}");
    house
        .form("/oauth/token", &narrowed)
        .await
        .fails(400, "invalid_scope");
    assert_eq!(shown(), "h0");
    house.service.answers(204, "");
    let second = house.refresh(&token).await.text("refresh_token");
    assert_eq!(shown(), "h1");
    house.refresh(&second).await;
    assert_eq!(shown(), "h1", "the session kept it");
}

#[tokio::test]
async fn a_client_that_goes_on_asking_for_a_scope_that_was_taken_away_gets_the_rest() {
    let house = House::build().await;
    let say = |scope: &str| {
        let said = format!(r#"{{"subject":"u_1","products":["crm"],"scope":"{scope}"}}"#);
        house.service.answers(200, &said);
    };
    say("api read");
    let mut token = house.login().await.text("refresh_token");
    let ask = async |token: &str, scope: &str| {
        let form = format!(
            "grant_type=refresh_token&client_id=mobile&scope={scope}&refresh_token={token}"
        );
        house.form("/oauth/token", &form).await
    };
    for said in ["api", "api write", "api"] {
        say(said);
        let answer = ask(&token, "api+read").await;
        assert_eq!(answer.text("scope"), "api");
        token = answer.text("refresh_token");
    }
    for scope in ["read", "write", "api+admin"] {
        ask(&token, scope).await.fails(400, "invalid_scope");
    }
}

#[tokio::test]
async fn a_reload_forgets_no_handle_of_a_refresh_that_failed() {
    let mut house = House::build().await;
    let token = house.login().await.text("refresh_token");
    let said = r#"{"products":["crm"],"scope":"api","refresh_handle":"h1"}"#;
    house.service.answers(200, said);
    let narrowed =
        format!("grant_type=refresh_token&client_id=mobile&scope=read&refresh_token={token}");
    let refused = house.form("/oauth/token", &narrowed).await;
    refused.fails(400, "invalid_scope");
    house.reload();
    house.refresh(&token).await;
    let (_, shown) = house.service.asked().pop().unwrap();
    assert!(shown.contains(r#""refresh_handle":"h1""#), "{shown}");
}

#[tokio::test]
async fn another_subjects_claims_are_never_bridged() {
    let house = House::build().await;
    let token = house.login().await.text("refresh_token");
    let long = format!(r#"{{"subject":"{}"}}"#, "u".repeat(300));
    for said in [
        r#"{"subject":"u_2"}"#,
        r#"{"subject":""}"#,
        r#"{"subject":"u_2","claims":{"sub":"u_2"}}"#,
        &long,
    ] {
        house.service.answers(200, said);
        let answer = house.refresh(&token).await;
        answer.fails(503, "temporarily_unavailable");
    }
    house.service.answers(200, r#"{"subject":"u_1"}"#);
    assert_eq!(house.refresh(&token).await.status(), 200);
}

#[tokio::test]
async fn a_page_keeps_its_refresh_token_in_a_cookie() {
    let house = House::build().await;
    let login = house.web_login().await;
    assert_eq!(login.status(), 200);
    assert!(house.events.has(crate::session::Event::Login));
    assert!(login.json().get("refresh_token").is_none());
    let set = login.field("set-cookie").unwrap();
    for part in [
        "; Path=/auth;",
        "; Max-Age=30;",
        "; Secure;",
        "; HttpOnly;",
        "; SameSite=Strict",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert_eq!(
        login.field("access-control-allow-credentials"),
        Some("true")
    );
    let refreshed = house.web_refresh(&login.cookie()).await;
    assert_eq!(refreshed.status(), 200);
    assert_ne!(refreshed.cookie(), login.cookie());
    let fields = [
        ("cookie", &*login.cookie()),
        ("origin", super::house::ORIGIN),
        ("x-tollgate-csrf", "1"),
    ];
    let logout = house.send("POST", "/auth/logout", &fields, "").await;
    assert_eq!(logout.status(), 200, "a stale token logs out too");
    assert!(logout.field("set-cookie").unwrap().contains("Max-Age=0"));
    let dead = house.web_refresh(&refreshed.cookie()).await;
    dead.fails(400, "invalid_grant");
    assert!(dead.field("set-cookie").unwrap().contains("Max-Age=0"));
    assert!(!house.counts(&refreshed.text("access_token")).await);
}

pub(super) fn claims(token: &str) -> serde_json::Value {
    use base64::Engine;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    serde_json::from_slice(&claims).unwrap()
}
