//! Who gets in, and what they get.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::super::tests::{CONFIG, field, gate_of, gate_with};
use super::*;
use crate::control::{
    Busy, DistrustError, Distrusted, IssuerState, IssuerStatus, KeyOrigin, LastReload, LedgerView,
    ReloadOutcome, Reloaded, Status,
};
use crate::gate::{Explanation, Gate, Reason};
use crate::session::{Revocation, Revocations, Revoked, Session};
use crate::telemetry::{Health, Telemetry};
use crate::time::{Clock, SetClock, Timestamp};
use crate::token::{Algorithm, EventForm, IssuerEvent, KeyRing, TokenFailure};

mod events;

const ADDRESS: &str = "127.0.0.1:9901";
const TOKEN: &str = "Bearer 0123456789abcdef";
const NOW: u64 = 1_700_000_000;

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
}

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
        (r#"{"key": "k1"}"#, 200),
        (r#"{"all": true}"#, 200),
        (r#"{"all": false}"#, 400),
        (r#"{"session": "s1", "subject": "alice"}"#, 400),
        (r#"{"session": ""}"#, 400),
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
    assert_eq!(list["revocations"].as_array().unwrap().len(), 6);
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
async fn the_page_is_whole_without_a_script_and_escapes_what_it_shows() {
    let admin = admin(CONFIG);
    let page = admin.ask("GET", "/", &[], "").await;
    let policy = field(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    let html = text(&page);
    assert!(html.contains("tollgate is ready") && html.contains("generation 7"));
    assert!(html.contains("no such product `&#60;crn&#62;`") && !html.contains("<crn>"));
    assert!(!html.contains("{{") && !html.contains("<script"));
}

#[tokio::test]
async fn the_page_tells_since_when_an_issuers_keys_are_confirmed_and_why_no_longer() {
    let admin = admin(CONFIG);
    for (source, age_s, shown) in [
        (KeyOrigin::Remote, Some(90), "90 s ago"),
        (KeyOrigin::Remote, None, "never"),
        (KeyOrigin::Fixed, None, "with the configuration"),
    ] {
        {
            let mut status = admin.acts().status.lock().unwrap();
            (status.issuers[0].source, status.issuers[0].age_s) = (source, age_s);
        }
        let html = text(&admin.ask("GET", "/", &[], "").await);
        assert!(html.contains(&format!("<td>{shown}</td>")), "{html}");
        assert!(html.contains(">connection refused</td>"), "{html}");
    }
}

#[tokio::test]
async fn a_table_of_the_page_without_rows_says_that_there_are_none() {
    let admin = admin(CONFIG);
    let none = |columns| format!("<td class=\"quiet\" colspan=\"{columns}\">none</td>");
    let html = text(&admin.ask("GET", "/", &[], "").await);
    assert!(
        !html.contains(&none(4)) && html.contains(&none(2)),
        "{html}"
    );
    admin.acts().status.lock().unwrap().issuers.clear();
    let html = text(&admin.ask("GET", "/", &[], "").await);
    assert!(html.contains(&none(4)), "{html}");
}

#[tokio::test]
async fn an_upstream_whose_server_is_passed_over_is_told_of() {
    let admin = admin(CONFIG);
    admin.2.configure(admin.acts().gate.config()).unwrap();
    for (health, used, shown) in [
        (Health::Used, true, "none"),
        (Health::PassedOver, false, "<code>127.0.0.1:9101</code>"),
    ] {
        let metrics = admin.2.metrics();
        metrics.upstream_healthy("crm", "127.0.0.1:9101", health);
        let (_, said) = admin.json("GET", "/api/status", "").await;
        let upstreams = json!({ "crm": { "127.0.0.1:9101": used } });
        assert_eq!(said["upstreams"], upstreams);
        let html = text(&admin.ask("GET", "/", &[], "").await);
        let row = format!("<tr><td>crm</td><td class=\"number\">1</td><td>{shown}</td></tr>");
        assert!(html.contains(&row), "{html}");
    }
}

#[tokio::test]
async fn status_counts_routes_by_access() {
    let (_, said) = admin(CONFIG).json("GET", "/api/status", "").await;
    let routes = json!({"public": 0, "authenticated": 0, "entitled": 1, "shadow": 0});
    assert_eq!(said["routes"], routes);
    assert_eq!(said["listeners"][0]["address"], "127.0.0.1:8080");
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
}

/// Acts that remember, and answer what the test wants.
struct Pretended {
    gate: Arc<Gate>,
    status: Mutex<Status>,
    reload: Mutex<Reloaded>,
    revoked: Mutex<Vec<Revocation>>,
    unwritable: AtomicBool,
    clock: SetClock,
}

#[async_trait]
impl Acts for Arc<Pretended> {
    fn status(&self) -> Status {
        self.status.lock().unwrap().clone()
    }

    fn ledger(&self) -> LedgerView {
        LedgerView::default()
    }

    fn gate(&self) -> Arc<Gate> {
        self.gate.clone()
    }

    fn explain(&self, question: &Question) -> Result<Explanation, String> {
        if !question.url.starts_with('/') {
            return Err("no URL".into());
        }
        Ok(Explanation {
            steps: vec![("path", question.url.clone())],
            issuer: None,
            route: Some("crm".into()),
            verdict: "forward",
            reason: None::<Reason>,
            detail: None,
            upstream_path: Some(question.url.clone()),
            upstream: Some("crm".into()),
            fields: vec![("X-Identity-Subject".into(), "alice".into())],
        })
    }

    fn revocations(&self) -> Vec<Revocation> {
        self.revoked.lock().unwrap().clone()
    }

    async fn revoke(&self, what: Revoked, issuer: Option<Arc<str>>) -> Result<Revocation, String> {
        if self.unwritable.load(Ordering::SeqCst) {
            return Err("the disk is full".into());
        }
        let revocation = Revocation {
            what,
            issuer,
            cutoff: Timestamp::from_secs(1),
            expires_at: Timestamp::from_secs(2),
        };
        self.revoked.lock().unwrap().push(revocation.clone());
        Ok(revocation)
    }

    async fn sessions_of(&self, subject: &str) -> Result<Option<Vec<Session>>, String> {
        Ok((subject != "nobody's").then(Vec::new))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn verify_event(
        &self,
        token: &str,
        form: EventForm,
    ) -> Result<IssuerEvent, TokenFailure> {
        let revocations = Revocations::default();
        self.gate
            .verify_event(token, form, &revocations, self.now())
    }

    async fn reload(&self) -> Result<Reloaded, Busy> {
        Ok(self.reload.lock().unwrap().clone())
    }

    async fn distrust(
        &self,
        issuer: String,
        _: String,
    ) -> Result<Result<Distrusted, DistrustError>, Busy> {
        let distrusted = Distrusted {
            generation: 8,
            kept: true,
            known: true,
        };
        Ok((issuer == "main")
            .then_some(distrusted)
            .ok_or(DistrustError::IssuerUnknown))
    }
}

struct Fixture(Admin<Arc<Pretended>>, Arc<Pretended>, Arc<Telemetry>);

impl Fixture {
    fn acts(&self) -> &Pretended {
        &self.1
    }

    /// `fields` without a Host get the listener's address.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        if fields
            .iter()
            .all(|(name, _)| !matches!(*name, "host" | "x"))
        {
            request = request.header("host", ADDRESS);
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.0.answer(&request).await
    }

    /// The status of a request that shows `token`, if it is any.
    async fn shown(&self, method: &str, path: &str, token: &str) -> u16 {
        self.status(method, path, &[("authorization", token)]).await
    }

    /// The status alone, of a request whose body makes sense.
    async fn status(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
        let body = match path {
            "/api/revocations" => r#"{"session": "s1"}"#,
            "/admin/global-token-revocation" => {
                r#"{"sub_id": {"format": "iss_sub", "iss": "https://auth.example.com", "sub": "u"}}"#
            }
            "/api/explain" => r#"{"method": "GET", "url": "/"}"#,
            "/api/keys/distrust" => r#"{"issuer": "main", "kid": "k"}"#,
            _ => "{}",
        };
        let mut fields = fields.to_vec();
        fields.retain(|(name, value)| *name != "authorization" || !value.is_empty());
        fields.push(("content-type", "application/json"));
        self.ask(method, path, &fields, body)
            .await
            .status()
            .as_u16()
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let fields = [
            ("authorization", TOKEN),
            ("content-type", "application/json"),
        ];
        let answer = self.ask(method, path, &fields, body).await;
        let value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), value)
    }
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1)
    }
}

fn admin(config: &str) -> Fixture {
    admin_of(gate_of(config))
}

fn admin_of(gate: Gate) -> Fixture {
    let issuer = IssuerStatus {
        name: "main".into(),
        source: KeyOrigin::Remote,
        keys: 2,
        age_s: Some(90),
        last_error: Some("connection refused".into()),
        state: IssuerState::Stale,
    };
    let status = Status {
        generation: 7,
        loaded_at_ms: 0,
        last_reload: Some(LastReload {
            at_ms: 0,
            outcome: ReloadOutcome::Rejected,
            text: "no such product `<crn>`".into(),
        }),
        issuers: vec![issuer],
        unresolved: Vec::new(),
        draining: false,
    };
    let reload = Reloaded {
        outcome: ReloadOutcome::Ok,
        generation: 8,
        text: "fault".into(),
    };
    let acts = Arc::new(Pretended {
        gate: Arc::new(gate),
        status: Mutex::new(status),
        reload: Mutex::new(reload),
        revoked: Mutex::default(),
        unwritable: AtomicBool::new(false),
        clock: SetClock::at(Timestamp::from_secs(NOW)),
    });
    let telemetry = Arc::new(Telemetry::start(Arc::new(Stopped), [0; 32]).unwrap());
    Fixture(Admin::new(acts.clone(), telemetry.clone()), acts, telemetry)
}
