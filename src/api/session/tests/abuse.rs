//! Who may not, does not, and nothing is spent on the way.

use super::super::call::network;
use super::house::{House, ORIGIN, TEXT};
use crate::session::Event;

#[tokio::test]
async fn a_cookie_counts_for_pages_of_a_listed_origin_alone() {
    let house = House::build().await;
    let cookie = house.web_login().await.cookie();
    let csrf = ("x-tollgate-csrf", "1");
    let own = ("cookie", cookie.as_str());
    for fields in [
        vec![own, csrf],
        vec![own, ("origin", ORIGIN)],
        vec![own, csrf, ("origin", "null")],
        vec![own, csrf, ("origin", "https://evil.example")],
        vec![
            own,
            csrf,
            ("origin", "https://app.example.com.evil.example"),
        ],
        vec![own, csrf, ("origin", "https://xapp.example.com")],
        vec![own, csrf, ("origin", ORIGIN), ("origin", ORIGIN)],
        vec![
            own,
            csrf,
            ("origin", ORIGIN),
            ("sec-fetch-site", "cross-site"),
        ],
        vec![own, csrf],
        vec![own, csrf, ("sec-fetch-site", "same-site")],
        vec![own, csrf, ("sec-fetch-site", "none")],
        vec![
            own,
            csrf,
            ("origin", ORIGIN),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        let answer = house.send("POST", "/auth/refresh", &fields, "").await;
        answer.fails(403, "access_denied");
        assert_eq!(answer.field("set-cookie"), None);
    }
    let get = house.send("GET", "/auth/refresh", &[own, csrf], "").await;
    assert_eq!(get.status(), 405);
    let twice = format!("{cookie}; {cookie}");
    house
        .web_refresh(&twice)
        .await
        .fails(400, "invalid_request");
    assert_eq!(house.web_refresh(&cookie).await.status(), 200);
    let same = [own, csrf, ("sec-fetch-site", "same-origin")];
    let answer = house.send("POST", "/auth/refresh", &same, "").await;
    assert_eq!(
        answer.status(),
        200,
        "some browsers send no Origin to their own"
    );
}

#[tokio::test]
async fn a_front_end_on_another_site_calls_where_the_cookie_goes_there() {
    let none = format!("origins = [\"{ORIGIN}\"]\nsame_site = \"none\"");
    let text = TEXT.replace(&format!("origins = [\"{ORIGIN}\"]"), &none);
    let house = House::of(&text).await;
    let cookie = house.web_login().await.cookie();
    let fields = [
        ("cookie", cookie.as_str()),
        ("x-tollgate-csrf", "1"),
        ("origin", ORIGIN),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = house.send("POST", "/auth/refresh", &fields, "").await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .field("set-cookie")
            .unwrap()
            .contains("; SameSite=None; Partitioned")
    );
}

#[test]
fn who_moves_within_a_network_is_the_same_caller() {
    let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
    assert!(same("192.0.2.7", "192.0.2.200"));
    assert!(same("::ffff:192.0.2.7", "192.0.2.8"));
    assert!(!same("192.0.2.7", "192.0.3.7"));
    assert!(same("2001:db8:1::1", "2001:db8:1:ffff::2"));
    assert!(!same("2001:db8:1::1", "2001:db8:2::1"));
}

#[tokio::test]
async fn only_a_page_of_a_listed_origin_hears_why_it_may_not_use_the_cookie() {
    let house = House::build().await;
    for (origin, told) in [
        (ORIGIN, "of another site"),
        ("https://evil.example", "this origin"),
    ] {
        let fields = [
            ("x-tollgate-csrf", "1"),
            ("origin", origin),
            ("sec-fetch-site", "cross-site"),
        ];
        let answer = house.send("POST", "/auth/refresh", &fields, "").await;
        answer.fails(403, "access_denied");
        let description = answer.text("error_description");
        assert!(description.contains(told), "{description}");
    }
}

#[tokio::test]
async fn a_page_may_use_a_body_client_only_if_it_is_listed() {
    let house = House::build().await;
    let body = r#"{"client_id":"mobile"}"#;
    let json = ("content-type", "application/json");
    for field in [
        ("origin", ORIGIN),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-dest", "empty"),
    ] {
        let answer = house
            .send("POST", "/auth/login", &[json, field], body)
            .await;
        answer.fails(403, "access_denied");
    }
    // What a program's fetch says of itself is no browser's.
    let mode = ("sec-fetch-mode", "cors");
    let program = house.send("POST", "/auth/login", &[json, mode], body).await;
    assert_eq!(program.status(), 200);
    for media in ["text/plain", "multipart/form-data"] {
        let sent = [("content-type", media)];
        let answer = house.send("POST", "/auth/login", &sent, body).await;
        answer.fails(415, "invalid_request");
    }
}

#[tokio::test]
async fn a_token_of_one_transport_is_void_at_the_other() {
    let house = House::build().await;
    let web = house.web_login().await;
    let token = web.cookie().split_once('=').unwrap().1.to_owned();
    let body = format!("grant_type=refresh_token&client_id=web&refresh_token={token}");
    house
        .form("/oauth/token", &body)
        .await
        .fails(400, "invalid_grant");
    assert!(house.events.has(Event::TransportMismatch));
    let mobile = house.login().await.text("refresh_token");
    let name = web.cookie().split_once('=').unwrap().0.to_owned();
    let answer = house.web_refresh(&format!("{name}={mobile}")).await;
    answer.fails(400, "invalid_grant");
    assert_eq!(answer.field("set-cookie"), None, "its chain lives");
    assert_eq!(house.refresh(&mobile).await.status(), 200);
    assert_eq!(house.web_refresh(&web.cookie()).await.status(), 200);
}

#[tokio::test]
async fn nothing_is_consumed_by_a_call_that_fails() {
    let house = House::build().await;
    let login = house.login().await;
    let token = login.text("refresh_token");
    let access = login.text("access_token");
    for (body, status, error) in [
        (
            format!("grant_type=refresh_token&refresh_token={token}"),
            401,
            "invalid_client",
        ),
        (
            format!("grant_type=refresh_token&client_id=nobody&refresh_token={token}"),
            401,
            "invalid_client",
        ),
        (
            format!(
                "grant_type=refresh_token&client_id=mobile&client_secret=x&refresh_token={token}"
            ),
            401,
            "invalid_client",
        ),
        (
            format!("grant_type=refresh_token&client_id=mobile&scope=admin&refresh_token={token}"),
            400,
            "invalid_scope",
        ),
        (
            format!("client_id=mobile&refresh_token={token}"),
            400,
            "invalid_request",
        ),
        (
            format!("grant_type=password&client_id=mobile&refresh_token={token}"),
            400,
            "unsupported_grant_type",
        ),
        (
            format!("grant_type=refresh_token&client_id=web&refresh_token={token}"),
            400,
            "invalid_grant",
        ),
        (
            "grant_type=refresh_token&client_id=mobile".to_owned(),
            400,
            "invalid_request",
        ),
        (
            format!("grant_type=refresh_token&client_id=mobile&refresh_token={access}"),
            400,
            "invalid_grant",
        ),
    ] {
        house.form("/oauth/token", &body).await.fails(status, error);
    }
    assert_eq!(house.refresh(&token).await.status(), 200);
}

#[tokio::test]
async fn the_cookie_of_a_confidential_client_counts_with_its_secret_alone() {
    let house = House::build().await;
    // server:secret-of-server, server:wrong
    let proof = "Basic c2VydmVyOnNlY3JldC1vZi1zZXJ2ZXI=";
    let page = [("origin", ORIGIN), ("x-tollgate-csrf", "1")];
    let fields = [&page[..], &[("authorization", proof)]].concat();
    let login = house.send("POST", "/auth/login", &fields, "").await;
    assert_eq!(login.status(), 200);
    let cookie = login.cookie();
    house.web_refresh(&cookie).await.fails(400, "invalid_grant");
    for (proof, status) in [("Basic c2VydmVyOndyb25n", 401), (proof, 200)] {
        let fields = [("cookie", &*cookie), ("authorization", proof)];
        let fields = [&page[..], &fields].concat();
        let answer = house.send("POST", "/auth/refresh", &fields, "").await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn no_browser_asks_its_user_for_the_secret_of_a_client() {
    let house = House::build().await;
    let named = [("x-client-id", "nobody")];
    let page = [("origin", ORIGIN), ("x-tollgate-csrf", "1")];
    let own = [("sec-fetch-site", "same-origin"), page[1]];
    let tries = [page[0], page[1], ("authorization", "Basic bm9ib2R5Og==")];
    for (from, challenge) in [
        (&[][..], Some(BASIC)),
        (&page, None),
        (&own, None),
        (&tries, Some(BASIC)),
    ] {
        for fields in [from.to_vec(), [from, &named].concat()] {
            let answer = house.send("POST", "/auth/login", &fields, "").await;
            answer.fails(401, "invalid_client");
            assert_eq!(answer.field("www-authenticate"), challenge);
        }
    }
}

const BASIC: &str = "Basic realm=\"oauth\"";

#[tokio::test]
async fn names_of_the_client_must_agree() {
    let house = House::build().await;
    let fields = [("content-type", "application/json"), ("x-client-id", "web")];
    let answer = house
        .send("POST", "/auth/login", &fields, r#"{"client_id":"mobile"}"#)
        .await;
    answer.fails(400, "invalid_request");
    let fields = [
        ("content-type", "application/json"),
        ("x-client-id", "mobile"),
    ];
    let answer = house
        .send("POST", "/auth/login", &fields, r#"{"user":"ada"}"#)
        .await;
    assert_eq!(answer.status(), 200);
    let answer = house
        .send("POST", "/auth/login", &fields, r#"["mobile"]"#)
        .await;
    answer.fails(400, "invalid_request");
}

#[tokio::test]
async fn preflights_are_answered_for_listed_origins() {
    let house = House::build().await;
    let asks = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-tollgate-csrf"),
        ]
    };
    let own = house
        .send("OPTIONS", "/auth/refresh", &asks(ORIGIN), "")
        .await;
    assert_eq!(own.status(), 204);
    assert_eq!(own.field("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(own.field("access-control-allow-credentials"), Some("true"));
    let headers = own.field("access-control-allow-headers").unwrap();
    for name in [
        "X-Tollgate-CSRF",
        "X-Request-Id",
        "traceparent",
        "tracestate",
    ] {
        assert!(headers.contains(name), "{headers}");
    }
    let foreign = house
        .send(
            "OPTIONS",
            "/auth/refresh",
            &asks("https://evil.example"),
            "",
        )
        .await;
    assert_eq!(foreign.field("access-control-allow-origin"), None);
    assert_eq!(foreign.status(), 403);
    for answer in [&own, &foreign] {
        assert_eq!(answer.field("vary"), Some("Origin"));
    }
    let oauth = house
        .send("OPTIONS", "/oauth/token", &asks(ORIGIN), "")
        .await;
    assert_eq!(oauth.field("access-control-allow-credentials"), None);
    assert_eq!(oauth.status(), 403);
}

#[tokio::test]
async fn a_page_of_a_body_client_reads_answers_and_never_with_credentials() {
    let house = House::with(PAGE_CLIENT).await;
    let page = ("origin", "https://page.example.com");
    let asks = [page, ("access-control-request-method", "POST")];
    for path in ["/auth/login", "/oauth/token"] {
        let answer = house.send("OPTIONS", path, &asks, "").await;
        assert_eq!(answer.status(), 204, "{path}");
        assert_eq!(answer.field("access-control-allow-origin"), Some(page.1));
        assert_eq!(answer.field("access-control-allow-credentials"), None);
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (client, status) in [("page", 400), ("mobile", 403)] {
        for path in ["/oauth/token", "/oauth/revoke"] {
            let body = format!("client_id={client}");
            let answer = house.send("POST", path, &[form, page], &body).await;
            assert_eq!(answer.status(), status, "{client} at {path}");
            assert_eq!(answer.field("vary"), Some("Origin"));
        }
    }
}

#[tokio::test]
async fn one_ipv6_network_logs_in_as_one_address() {
    let house = House::with("[sessions.limits]\nlogin = \"1/h\"\nrefresh = \"1/h\"\n").await;
    for path in ["/auth/login", "/oauth/token"] {
        let ask = async |address: &str| {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let answer = house.send_from(address, "POST", path, &form, "").await;
            answer.status()
        };
        for last in 1..=5 {
            assert_eq!(ask(&format!("2001:db8::{last}")).await, 401, "{path}");
        }
        assert_eq!(ask("2001:db8::6").await, 429, "{path}");
        assert_eq!(ask("2001:db8:0:1::6").await, 401, "{path}");
    }
}

#[tokio::test]
async fn every_endpoint_that_takes_a_token_has_a_limit() {
    let house = House::with("[sessions.limits]\nlogin = \"1/h\"\nrefresh = \"1/h\"\n").await;
    for _ in 0..5 {
        house
            .form("/oauth/token", "")
            .await
            .fails(401, "invalid_client");
        house
            .form("/auth/login", "")
            .await
            .fails(401, "invalid_client");
    }
    for path in [
        "/auth/login",
        "/auth/refresh",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
    ] {
        let answer = house.form(path, "").await;
        answer.fails(429, "temporarily_unavailable");
        assert!(answer.field("retry-after").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_body_is_read_to_its_limit_and_to_its_end() {
    let house = House::build().await;
    let json = [("content-type", "application/json")];
    let login = async |body: &str| {
        house
            .send("POST", "/auth/login", &json, body)
            .await
            .status()
    };
    let of_size = |bytes| format!("{:bytes$}", r#"{"client_id":"mobile"}"#);
    assert_eq!(login(&of_size(16 * 1024)).await, 200);
    assert_eq!(login(&of_size(16 * 1024 + 1)).await, 413);
    assert_eq!(login(r#"{"client_id":"mobile"} {}"#).await, 400);
    let pairs = |count: usize| format!("client_id=mobile&token=x{}", "&a=b".repeat(count - 2));
    assert_eq!(house.form("/oauth/revoke", &pairs(64)).await.status(), 200);
    let many = house.form("/oauth/revoke", &pairs(65)).await;
    many.fails(400, "invalid_request");
}

const PAGE_CLIENT: &str = r#"
[sessions.clients.page]
type = "public"
transport = "body"
origins = ["https://page.example.com"]
"#;
