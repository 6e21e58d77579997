//! What is answered to whoever got in, and what follows.

use super::*;

#[tokio::test]
async fn readiness_tells_what_is_wrong() {
    let admin = admin(CONFIG);
    let ready = admin.json("GET", "/readyz", "").await;
    assert_eq!(ready.0, 200);
    assert_eq!(ready.1["status"], "ready");
    assert_eq!(ready.1["generation"], 7);
    assert_eq!(ready.1["last_reload"]["outcome"], "rejected");
    assert_eq!(ready.1["last_reload"]["text"], "no such product `<crn>`");
    assert_eq!(ready.1["issuers"][0]["state"], "stale");
    admin.acts().status.lock().unwrap().draining = true;
    let draining = admin.json("GET", "/readyz", "").await;
    assert_eq!(
        (draining.0, &draining.1["status"]),
        (503, &json!("draining"))
    );
    assert_eq!(admin.status("GET", "/livez", &[]).await, 200);
}

#[tokio::test]
async fn a_reload_says_how_it_ended() {
    let admin = admin(CONFIG);
    let (status, said) = admin.json("POST", "/api/reload", "{}").await;
    assert_eq!((status, &said["generation"]), (200, &json!(8)));
    admin.acts().reload.lock().unwrap().outcome = ReloadOutcome::Rejected;
    let (status, said) = admin.json("POST", "/api/reload", "{}").await;
    assert_eq!((status, &said["outcome"]), (422, &json!("rejected")));
    assert_eq!(said["diagnostics"], "fault");
    let (status, _) = admin.json("POST", "/api/reload", "{").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn exactly_one_thing_is_revoked() {
    let admin = admin(CONFIG);
    for (body, status) in [
        (r#"{"session": "s1"}"#, 200),
        (r#"{"subject": "alice", "issuer": "main"}"#, 200),
        (
            r#"{"client": "web", "issuer": "https://auth.example.com"}"#,
            200,
        ),
        (r#"{"token": "j1"}"#, 200),
        (r#"{"tenant": "acme"}"#, 200),
        (r#"{"entitlements": "alice"}"#, 200),
        (r#"{"key": "k1"}"#, 200),
        (r#"{"all": true}"#, 200),
        (r#"{"all": false}"#, 400),
        (r#"{"session": "s1", "subject": "alice"}"#, 400),
        (r#"{"session": ""}"#, 400),
        (r#"{"tenant": ""}"#, 400),
        (r#"{"session": 7}"#, 400),
        (r#"{"sesion": "s1"}"#, 400),
        (r#"{"issuer": "main"}"#, 400),
        ("{}", 400),
        ("", 400),
        (r#"{"session": "s1", "issuer": "other"}"#, 422),
        (r#"{"session": "s1", "issuer": "sessions"}"#, 422),
    ] {
        assert_eq!(
            admin.json("POST", "/api/revocations", body).await.0,
            status,
            "{body}"
        );
    }
    let (_, list) = admin.json("GET", "/api/revocations", "").await;
    assert_eq!(list["revocations"].as_array().unwrap().len(), 8);
    let expected = json!({
        "kind": "client", "value": "web", "issuer": "main", "cutoff_ms": 1000, "expires_at_ms": 2000,
    });
    assert_eq!(list["revocations"][2], expected);
}

#[tokio::test]
async fn an_issuers_name_goes_before_the_iss_of_another() {
    let legacy = "[issuers.legacy]\nissuer = \"main\"\naudiences = [\"api\"]\nalgorithms = [\"ES256\"]\n\
                  jwks_url = \"https://legacy.example.com/jwks\"\n";
    let admin = admin(&format!("{CONFIG}{legacy}"));
    for (named, meant) in [
        ("main", "main"),
        ("https://auth.example.com", "main"),
        ("legacy", "legacy"),
    ] {
        let wish = json!({ "subject": "alice", "issuer": named }).to_string();
        let (_, said) = admin.json("POST", "/api/revocations", &wish).await;
        assert_eq!(said["issuer"], meant, "{named}");
    }
}

#[tokio::test]
async fn a_list_with_the_right_elements_is_no_object() {
    let admin = admin(CONFIG);
    for (path, list) in [
        ("/api/keys/distrust", r#"["main", "k1"]"#),
        (
            "/api/revocations",
            r#"["s1", null, null, null, null, null, null]"#,
        ),
    ] {
        let (status, said) = admin.json("POST", path, list).await;
        assert_eq!(status, 400, "{path}: {said}");
    }
}

#[tokio::test]
async fn a_distrusted_key_has_an_issuer_that_exists() {
    let admin = admin(CONFIG);
    let path = "/api/keys/distrust";
    let (status, said) = admin
        .json("POST", path, r#"{"issuer": "main", "kid": "k1"}"#)
        .await;
    assert_eq!(
        (status, said),
        (200, json!({"generation": 8, "kept": true, "known": true}))
    );
    let (status, _) = admin
        .json("POST", path, r#"{"issuer": "x", "kid": "k1"}"#)
        .await;
    assert_eq!(status, 422);
    assert_eq!(admin.json("POST", path, r#"{"kid": "k1"}"#).await.0, 400);
}

#[tokio::test]
async fn an_explanation_has_its_steps_its_verdict_and_what_the_upstream_gets() {
    let admin = admin(CONFIG);
    let body = r#"{"method": "GET", "url": "/crm/x", "token": "a.b.c"}"#;
    let (status, said) = admin.json("POST", "/api/explain", body).await;
    let expected = json!({
        "verdict": "forward", "route": "crm",
        "upstream": {
            "name": "crm", "path": "/crm/x",
            "headers": [{"name": "X-Identity-Subject", "value": "alice"}],
        },
        "steps": [{"step": "path", "saw": "/crm/x"}],
    });
    assert_eq!((status, said), (200, expected));
    let body = r#"{"method": "GET", "url": "nonsense"}"#;
    let (status, said) = admin.json("POST", "/api/explain", body).await;
    assert_eq!((status, &said["detail"]), (400, &json!("no URL")));
    let body = r#"{"method": "GET", "url": "/crm/x", "token": "a.b.c", "claims": {}}"#;
    let (status, said) = admin.json("POST", "/api/explain", body).await;
    let both = json!("name a token or claims, not both");
    assert_eq!((status, &said["detail"]), (400, &both));
}

#[tokio::test]
async fn status_counts_routes_by_access() {
    let (_, said) = admin(CONFIG).json("GET", "/api/status", "").await;
    let routes = json!({"public": 0, "authenticated": 0, "entitled": 1, "shadow": 0});
    assert_eq!(said["routes"], routes);
    assert_eq!(said["listeners"][0]["address"], "127.0.0.1:8080");
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
}
