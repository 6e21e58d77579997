//! Who is believed to be a client, and what a client may say of tokens that are not its own.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::flows::claims;
use super::grants::assertion;
use super::house::{House, ORIGIN};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GRANT: &str = "grant_type=client_credentials";

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

#[tokio::test]
async fn a_confidential_client_is_nobody_without_its_own_one_proof() {
    let house = House::build().await;
    let proof = assertion(&house, "a", |_| {});
    let somebody = assertion(&house, "b", |claims| claims["sub"] = "somebody".into());
    let other_type = assertion(&house, "c", |_| {}).replace("jwt-bearer", "saml2-bearer");
    let (good, encoded) = (
        basic("batch:secret-of-server"),
        basic("batch:secret%2Dof%2Dserver"),
    );
    for (authorization, more, status, error) in [
        ("", "client_id=batch", 401, "invalid_client"),
        ("", "client_id=batch&client_secret=", 401, "invalid_client"),
        (
            "",
            "client_id=batch&client_secret=wrong",
            401,
            "invalid_client",
        ),
        ("", "client_id=partner", 401, "invalid_client"),
        (
            "",
            "client_id=partner&client_secret=secret-of-server",
            401,
            "invalid_client",
        ),
        (
            "",
            &format!("client_id=mobile&{proof}"),
            401,
            "invalid_client",
        ),
        (
            "",
            &format!("client_id=partner&{somebody}"),
            401,
            "invalid_client",
        ),
        ("", &other_type, 400, "invalid_request"),
        (&good, "client_id=mobile", 400, "invalid_request"),
        (
            &good,
            "client_secret=secret-of-server",
            400,
            "invalid_request",
        ),
        (&good, &proof, 400, "invalid_request"),
        (
            "",
            "client_id=server&client_secret=secret-of-server",
            400,
            "unauthorized_client",
        ),
        ("", "client_id=mobile", 400, "unauthorized_client"),
    ] {
        let body = format!("{GRANT}&{more}");
        let fields = [FORM, ("authorization", authorization)];
        let fields = &fields[..1 + usize::from(!authorization.is_empty())];
        let answer = house.send("POST", "/oauth/token", fields, &body).await;
        answer.fails(status, error);
        assert_eq!(answer.field("set-cookie"), None);
    }
    for authorization in [&good, &encoded] {
        let fields = [FORM, ("authorization", authorization)];
        let answer = house.send("POST", "/oauth/token", &fields, GRANT).await;
        assert_eq!(answer.status(), 200);
    }
    let body = format!("{GRANT}&client_id=partner&{proof}");
    assert_eq!(house.form("/oauth/token", &body).await.status(), 200);
    // It verifies for a leeway behind its end, and so long it was used before.
    house.wait(75);
    house.login().await;
    let again = house.form("/oauth/token", &body).await;
    again.fails(401, "invalid_client");
    assert!(house.events.has(crate::session::Event::AssertionReplay));
}

#[tokio::test]
async fn two_clients_may_call_their_assertions_alike() {
    let house = House::with(TWIN).await;
    for client in ["partner", "twin"] {
        let proof = assertion(&house, "same", |claims| {
            claims["iss"] = client.into();
            claims["sub"] = client.into();
        });
        let answer = house
            .form("/oauth/token", &format!("{GRANT}&{proof}"))
            .await;
        assert_eq!(answer.status(), 200, "{client}");
    }
}

const TWIN: &str = r#"
[sessions.clients.twin]
type = "confidential"
auth = "private_key_jwt"
jwks_file = "partner.jwks.json"
grants = ["client_credentials"]
products = ["crm"]
"#;

#[tokio::test]
async fn a_client_of_tokens_of_its_own_refreshes_no_session() {
    let house = House::build().await;
    let token = house.login().await.text("refresh_token");
    let proof = assertion(&house, "a", |_| {});
    let body = format!("grant_type=refresh_token&refresh_token={token}&{proof}");
    let refused = house.form("/oauth/token", &body).await;
    refused.fails(400, "unauthorized_client");
    let dead = house
        .form(
            "/oauth/token",
            "grant_type=refresh_token&client_id=mobile&refresh_token=tgr_x",
        )
        .await;
    dead.fails(400, "invalid_grant");
    assert_eq!(dead.field("set-cookie"), None, "no cookie was meant");
    assert_eq!(house.refresh(&token).await.status(), 200);
}

#[tokio::test]
async fn a_token_is_introspected_by_confidential_clients_and_a_refresh_token_by_its_own() {
    let house = House::build().await;
    let secret = "client_id=server&client_secret=secret-of-server";
    let page = [FORM, ("origin", ORIGIN), ("x-tollgate-csrf", "1")];
    let login = house.send("POST", "/auth/login", &page, secret).await;
    let cookie = login.cookie();
    let token = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let told = async |token: &str, proof: &str| {
        let body = format!("token={token}&{proof}");
        house.form("/oauth/introspect", &body).await
    };
    let public = told(&token(&cookie), "client_id=mobile").await;
    public.fails(401, "invalid_client");
    let fields = [FORM, ("origin", ORIGIN)];
    let body = format!("token=x&{secret}");
    let page_asks = house
        .send("POST", "/oauth/introspect", &fields, &body)
        .await;
    page_asks.fails(403, "access_denied");
    assert_eq!(told(&token(&cookie), secret).await.json()["active"], true);
    let proof = assertion(&house, "a", |_| {});
    assert_eq!(told(&token(&cookie), &proof).await.json()["active"], false);
    let fields = [&page[..], &[("cookie", &*cookie)]].concat();
    let refreshed = house.send("POST", "/auth/refresh", &fields, secret).await;
    let newest = token(&refreshed.cookie());
    assert_eq!(told(&newest, secret).await.json()["active"], true);
    assert_eq!(told(&token(&cookie), secret).await.json()["active"], false);
    house.wait(31);
    assert_eq!(told(&newest, secret).await.json()["active"], false);
}

#[tokio::test]
async fn nobody_gives_back_what_is_anothers_or_in_a_cookie() {
    let house = House::build().await;
    let login = house.login().await;
    let access = login.text("access_token");
    let body = format!("client_id=web&token={access}");
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    assert!(house.counts(&access).await);
    let cookie = house.web_login().await.cookie();
    let (name, token) = cookie.split_once('=').unwrap();
    let body = format!("client_id=web&token={token}");
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    let spaced = format!("{name} = {token}");
    assert_eq!(house.web_refresh(&spaced).await.status(), 200);
    // A cookie holds no token of the other transport, at a logout either.
    let mobile = login.text("refresh_token");
    let cookie = format!("{name}={mobile}");
    let fields = [
        ("cookie", &*cookie),
        ("origin", ORIGIN),
        ("x-tollgate-csrf", "1"),
    ];
    let logout = house.send("POST", "/auth/logout", &fields, "").await;
    assert_eq!(logout.status(), 200);
    assert_eq!(house.refresh(&mobile).await.status(), 200);
}

#[tokio::test]
async fn a_token_that_was_given_back_is_dead_through_its_leeway() {
    let house = House::build().await;
    let proof = assertion(&house, "a", |_| {});
    let answer = house
        .form("/oauth/token", &format!("{GRANT}&{proof}"))
        .await;
    let token = answer.text("access_token");
    let active = async |id: &str| {
        let proof = assertion(&house, id, |_| {});
        let body = format!("token={token}&{proof}");
        house.form("/oauth/introspect", &body).await.json()["active"] == true
    };
    assert!(active("b").await);
    let proof = assertion(&house, "c", |_| {});
    let body = format!("token={token}&{proof}");
    assert_eq!(house.form("/oauth/revoke", &body).await.status(), 200);
    assert!(!active("d").await);
    let exp = claims(&token)["exp"].as_u64().unwrap();
    house.wait(exp - house.now().as_secs() + 1);
    house.revocations.expire(house.now());
    assert!(!active("e").await);
}

#[tokio::test]
async fn a_call_shows_one_token_and_a_body_that_no_foreign_page_sends() {
    let house = House::build().await;
    let access = house.login().await.text("access_token");
    let bearer = format!("Bearer {access}");
    let own = ("authorization", bearer.as_str());
    let two = format!("{bearer}, {bearer}");
    for fields in [vec![own, own], vec![("authorization", &two)]] {
        let answer = house.send("GET", "/auth/sessions", &fields, "").await;
        assert_eq!(
            (answer.status(), &*answer.text("reason")),
            (400, "request_ambiguous")
        );
    }
    for path in ["/auth/logout", "/auth/logout-all"] {
        let fields = [own, ("content-type", "text/plain")];
        let answer = house.send("POST", path, &fields, "x").await;
        answer.fails(415, "invalid_request");
    }
    assert!(house.counts(&access).await);
    let cookie = house.web_login().await.cookie();
    let fields = [("cookie", &*cookie), ("authorization", "Bearer x")];
    let answer = house.send("POST", "/auth/logout", &fields, "").await;
    assert_eq!(
        (answer.status(), &*answer.text("reason")),
        (401, "token_malformed")
    );
}

#[tokio::test]
async fn who_logs_out_everywhere_takes_the_cookie_of_the_page_along() {
    let house = House::build().await;
    let login = house.web_login().await;
    let (bearer, cookie) = (
        format!("Bearer {}", login.text("access_token")),
        login.cookie(),
    );
    let fields = [
        ("authorization", &*bearer),
        ("cookie", &*cookie),
        ("origin", ORIGIN),
        ("x-tollgate-csrf", "1"),
    ];
    let answer = house.send("POST", "/auth/logout-all", &fields, "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.field("set-cookie").unwrap().contains("Max-Age=0"));
}
