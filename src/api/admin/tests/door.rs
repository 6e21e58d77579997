//! Who gets in.

use super::*;

#[tokio::test]
async fn reading_is_free_on_loopback_and_acting_needs_the_token() {
    let admin = admin(CONFIG);
    for (method, path, without, with) in [
        ("GET", "/livez", 200, 200),
        ("GET", "/readyz", 200, 200),
        ("GET", "/metrics", 200, 200),
        ("HEAD", "/metrics", 200, 200),
        ("GET", "/api/status", 200, 200),
        ("GET", "/", 200, 200),
        ("GET", "/api/revocations", 401, 200),
        ("POST", "/api/revocations", 401, 200),
        ("POST", "/api/explain", 401, 200),
        ("POST", "/api/reload", 401, 200),
        ("POST", "/api/keys/distrust", 401, 200),
        ("POST", "/admin/global-token-revocation", 401, 204),
        ("GET", "/admin/sessions?sub=alice", 401, 200),
        ("GET", "/admin/sessions?sub=nobody%27s", 401, 404),
        ("GET", "/admin/sessions?sub=", 401, 400),
        ("GET", "/admin/sessions?sub=alice&sub=bob", 401, 400),
        ("GET", "/admin/sessions", 401, 400),
        ("POST", "/oidc/backchannel-logout", 401, 400),
        ("POST", "/events/ssf", 401, 400),
        ("GET", "/oidc/backchannel-logout", 405, 405),
        ("POST", "/metrics", 405, 405),
        ("GET", "/api/reload", 405, 405),
        ("DELETE", "/api/revocations", 405, 405),
        ("GET", "/api", 404, 404),
        ("GET", "/livez/", 404, 404),
    ] {
        let ask = |token| admin.shown(method, path, token);
        assert_eq!(ask("").await, without, "{method} {path}");
        assert_eq!(ask("Bearer ").await, without, "{method} {path}");
        assert_eq!(
            ask("Bearer 0123456789abcdeF").await,
            without,
            "{method} {path}"
        );
        assert_eq!(
            ask("Bearer 0123456789abcde").await,
            without,
            "{method} {path}"
        );
        assert_eq!(
            ask("Basic 0123456789abcdef").await,
            without,
            "{method} {path}"
        );
        assert_eq!(ask(TOKEN).await, with, "{method} {path}");
    }
}

#[tokio::test]
async fn two_tokens_are_no_token() {
    let fields = [
        ("host", ADDRESS),
        ("authorization", TOKEN),
        ("authorization", TOKEN),
    ];
    let answer = admin(CONFIG).ask("POST", "/api/reload", &fields, "").await;
    assert_eq!(answer.status(), 401);
    assert_eq!(
        field(&answer, "www-authenticate"),
        "Bearer realm=\"tollgate admin\""
    );
}

#[tokio::test]
async fn without_a_configured_token_nobody_acts() {
    let admin = admin(&CONFIG.replace("token = \"env:ADMIN_TOKEN\"", ""));
    for (method, path, status) in [
        ("GET", "/readyz", 200),
        ("GET", "/api/status", 200),
        ("POST", "/api/reload", 403),
        ("POST", "/api/explain", 403),
        ("GET", "/api/revocations", 403),
        ("POST", "/admin/global-token-revocation", 403),
        ("POST", "/oidc/backchannel-logout", 403),
        ("POST", "/events/ssf", 403),
    ] {
        let with = admin.shown(method, path, TOKEN);
        assert_eq!(with.await, status, "{method} {path}");
    }
}

#[tokio::test]
async fn off_loopback_only_probes_and_metrics_need_no_token() {
    let admin = admin(&CONFIG.replace("127.0.0.1:9901", "0.0.0.0:9901"));
    for (path, without) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/api/status", 401),
        ("/", 401),
    ] {
        assert_eq!(admin.status("GET", path, &[]).await, without, "{path}");
        let with = admin.shown("GET", path, TOKEN);
        assert_eq!(with.await, 200, "{path}");
    }
    let readiness = admin.ask("GET", "/readyz", &[], "").await;
    assert!(
        !text(&readiness).contains("no such product"),
        "{}",
        text(&readiness)
    );
    assert!(!text(&readiness).contains("connection refused"));
}

#[tokio::test]
async fn a_name_that_is_not_ours_gets_nothing() {
    let admin = admin(CONFIG);
    for (host, status) in [
        (ADDRESS, 200),
        ("127.0.0.1", 200),
        ("10.1.2.3:80", 200),
        ("[::1]:9901", 200),
        ("[::1]", 200),
        ("localhost", 200),
        ("LOCALHOST:9901", 200),
        ("gate.internal:9901", 200),
        ("evil.example", 403),
        ("evil.example:9901", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("gate.internal.evil.example", 403),
        ("localhost:", 403),
        ("[evil]", 403),
        ("", 403),
    ] {
        for path in ["/livez", "/metrics", "/api/status", "/"] {
            let answer = admin.ask("GET", path, &[("host", host)], "").await;
            assert_eq!(answer.status(), status, "{host} {path}");
        }
    }
    let other = "http://evil.example/livez";
    let target = admin.ask("GET", other, &[("host", ADDRESS)], "").await;
    assert_eq!(target.status(), 403, "the two must agree");
    let twice = [("host", ADDRESS), ("host", ADDRESS)];
    assert_eq!(admin.ask("GET", "/livez", &twice, "").await.status(), 403);
    assert_eq!(
        admin
            .ask("GET", "/livez", &[("x", "no host")], "")
            .await
            .status(),
        403
    );
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing() {
    let admin = admin(CONFIG);
    for (origin, status) in [
        ("http://127.0.0.1:9901", 200),
        ("https://127.0.0.1:9901", 200),
        ("http://127.0.0.1:8080", 403),
        ("http://localhost:9901", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ] {
        let fields = [("origin", origin), ("authorization", TOKEN)];
        assert_eq!(
            admin.status("POST", "/api/reload", &fields).await,
            status,
            "{origin}"
        );
        assert_eq!(
            admin.status("GET", "/api/status", &fields).await,
            status,
            "{origin}"
        );
    }
    let own = ("origin", "http://127.0.0.1:9901");
    let two = [
        own,
        ("origin", "https://evil.example"),
        ("authorization", TOKEN),
    ];
    assert_eq!(admin.status("POST", "/api/reload", &two).await, 403);
}

#[tokio::test]
async fn a_form_is_no_act() {
    let admin = admin(CONFIG);
    for (content_type, body, status) in [
        ("application/json", "{}", 200),
        ("Application/JSON; charset=utf-8", "{}", 200),
        ("", "", 200),
        ("", "{}", 415),
        ("text/plain", "{}", 415),
        ("application/x-www-form-urlencoded", "", 415),
        ("application/jsonp", "{}", 415),
    ] {
        let mut fields = vec![("host", ADDRESS), ("authorization", TOKEN)];
        if !content_type.is_empty() {
            fields.push(("content-type", content_type));
        }
        let answer = admin.ask("POST", "/api/reload", &fields, body).await;
        assert_eq!(answer.status(), status, "{content_type} {body}");
    }
    let json = ("content-type", "application/json");
    let two = [("host", ADDRESS), ("authorization", TOKEN), json, json];
    let answer = admin.ask("POST", "/api/reload", &two, "{}").await;
    assert_eq!(answer.status(), 415);
}
