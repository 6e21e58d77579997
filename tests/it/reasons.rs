//! Every row of the reasons table, provoked over a socket: body, header, metric and log line say the same word.

use std::net::TcpListener;

use serde_json::{Value, json};
use tollgate::gate::Reason;
use tollgate::token::{Algorithm, SigningKey};

use crate::support::{Answer, Client, Gateway, Issuer, Upstream, free_address, now};

struct House {
    gateway: Gateway,
    issuer: Issuer,
    stranger: Issuer,
    upstream: Upstream,
    /// Accepts connections and never answers.
    _silent: TcpListener,
}

fn house() -> House {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let stranger = Issuer::new("https://dark.example.com");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!(
        r#"
[listeners.public]
address = "ADDRESS"
header_timeout = "1s"
header_bytes_max = "16KiB"
body_bytes_max = "1KiB"

[identity]
signing_key = "file:identity.pem"
issuer = "https://gate.example.com"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[issuers.dark]
issuer = "https://dark.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_url = "http://{nobody}/jwks.json"

[products.crm]
title = "CRM"
upgrade_url = "https://example.com/pricing/crm"

[upstreams.app]
servers = ["{app}"]
[upstreams.gone]
servers = ["{nobody}"]
[upstreams.slow]
servers = ["{silent}"]
response_timeout = "300ms"

[routes.crm]
path = "/crm/*"
methods = ["GET", "POST"]
product = "crm"
upstream = "app"

[routes.scoped]
path = "/scoped"
access = "authenticated"
scopes = ["crm.write", "crm.read"]
upstream = "app"

[routes.tenant]
path = "/tenants/{{tenant}}/x"
access = "authenticated"
tenant = "path:tenant"
upstream = "app"

[routes.gone]
path = "/gone"
access = "public"
upstream = "gone"

[routes.trial]
path = "/trial"
product = "crm"
upstream = "gone"
mode = "shadow"

[routes.slow]
path = "/slow"
access = "public"
upstream = "slow"
"#,
        app = upstream.address,
        nobody = free_address(),
        silent = silent.local_addr().unwrap(),
    );
    let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
    let pem = std::str::from_utf8(pem.expose()).unwrap();
    let files = [("jwks.json", &*issuer.jwks()), ("identity.pem", pem)];
    let gateway = Gateway::start(&config, &files);
    House {
        gateway,
        issuer,
        stranger,
        upstream,
        _silent: silent,
    }
}

impl House {
    /// Checks one refusal in all the places that tell of it.
    fn expect(&self, answer: &Answer, reason: Reason, status: u16, challenge: Option<&str>) {
        assert_eq!(
            (answer.reason().as_str(), answer.status),
            (reason.as_str(), status),
            "{answer:?}"
        );
        let given = answer.field("www-authenticate");
        match challenge {
            None => assert_eq!(given, None),
            Some("") => assert!(given.is_some_and(
                |value| value.starts_with("Bearer realm=\"") && !value.contains("error")
            )),
            Some(error) => {
                let error = format!("error=\"{error}\"");
                assert!(given.is_some_and(|value| value.starts_with("Bearer ") && value.contains(&error)), "{given:?}");
            }
        }
        let line = self
            .gateway
            .log_line(answer.field("x-request-id").expect("an id"));
        assert_eq!(line["reason"], reason.as_str(), "{line}");
        assert_eq!(line["status"], status, "{line}");
        let labels = [format!("reason=\"{}\"", reason.as_str())];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert!(
            self.gateway.metric("tollgate_decisions_total", &labels) >= 1.0,
            "no metric for {}",
            reason.as_str()
        );
    }

    fn raw(&self, bytes: &[u8]) -> Answer {
        let mut client = self.gateway.client();
        client.try_send(bytes);
        let answer = client.answer().expect("a refusal is an answer");
        assert!(
            client.is_closed(),
            "a request that was not understood ends its connection"
        );
        answer
    }

    fn with_token(&self, path: &str, token: &str) -> Answer {
        self.gateway
            .get(path, &[&format!("Authorization: Bearer {token}")])
    }
}

#[test]
fn what_is_not_one_request_is_refused_and_closed() {
    let house = house();
    let answer = house.raw(b"GET /crm HTTP/1.1\r\nHost : api.example.com\r\n\r\n");
    house.expect(&answer, Reason::RequestMalformed, 400, None);

    let answer = house.raw(b"GET /crm HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n");
    house.expect(&answer, Reason::RequestAmbiguous, 400, None);

    let large = format!(
        "GET /crm HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    house.expect(
        &house.raw(large.as_bytes()),
        Reason::HeadersTooLarge,
        431,
        None,
    );

    house.expect(
        &house.raw(b"GET /crm HTTP/1.1\r\nHost: a\r\n"),
        Reason::RequestTimeout,
        408,
        None,
    );
    assert_eq!(house.upstream.count(), 0);
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let house = house();
    let bearer = house.issuer.bearer();
    let mut client = house.gateway.client();
    client.try_send(format!(
        "POST /crm HTTP/1.1\r\nHost: a\r\n{bearer}\r\nContent-Length: 2000\r\n\r\n{}",
        "x".repeat(2000)
    ));
    let answer = client.answer().expect("an answer");
    house.expect(&answer, Reason::BodyTooLarge, 413, None);
    // Before the token is asked for.
    let mut client = house.gateway.client();
    client.send("POST /crm HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n");
    let answer = client.answer().expect("an answer");
    assert_eq!((answer.status, &*answer.reason()), (413, "body_too_large"));
    assert_eq!(house.upstream.count(), 0);
}

#[test]
fn an_unknown_route_and_an_unknown_method_are_told_apart() {
    let house = house();
    house.expect(
        &house.gateway.get("/nowhere", &[]),
        Reason::RouteUnknown,
        404,
        None,
    );
    let answer = house.gateway.client().request("DELETE", "/crm", &[]);
    house.expect(&answer, Reason::MethodRefused, 405, None);
    assert_eq!(answer.field("allow"), Some("GET, POST"));
    let mut client = house.gateway.client();
    let answer = client.request("DELETE", "/.well-known/identity-jwks.json", &[]);
    house.expect(&answer, Reason::MethodRefused, 405, None);
    assert_eq!(answer.field("allow"), Some("GET, HEAD"));
}

#[test]
fn every_fault_of_a_token_has_its_word() {
    let house = house();
    let answer = house.gateway.get("/crm", &[]);
    house.expect(&answer, Reason::TokenMissing, 401, Some(""));
    let answer = house.gateway.get("/crm", &["Authorization: Basic dTpw"]);
    house.expect(&answer, Reason::TokenMissing, 401, Some(""));

    let oversized = format!("{}.b.c", "a".repeat(9000));
    house.expect(
        &house.with_token("/crm", &oversized),
        Reason::TokenOversized,
        401,
        Some("invalid_token"),
    );
    house.expect(
        &house.with_token("/crm", "a.b"),
        Reason::TokenMalformed,
        401,
        Some("invalid_token"),
    );

    let (good, key) = (house.issuer.claims(), &house.issuer.key);
    let other_type = key.sign("logout+jwt", &good);
    house.expect(
        &house.with_token("/crm", &other_type),
        Reason::TokenTypeRefused,
        401,
        Some("invalid_token"),
    );

    let soon = now() + 3600;
    let rows: [(Value, Reason); 7] = [
        (
            json!({ "iss": "https://evil.example.com" }),
            Reason::IssuerUnknown,
        ),
        (json!({ "sub": null }), Reason::ClaimInvalid),
        (
            json!({ "exp": now() - 60, "iat": now() - 120 }),
            Reason::TokenExpired,
        ),
        (json!({ "nbf": soon }), Reason::TokenNotYetValid),
        (
            json!({ "exp": now() + 100_000 }),
            Reason::TokenLifetimeExceeded,
        ),
        (
            json!({ "aud": "https://other.example.com" }),
            Reason::AudienceMismatch,
        ),
        (json!({ "cnf": { "jkt": "x" } }), Reason::ClaimInvalid),
    ];
    for (changes, reason) in rows {
        let answer = house.with_token("/crm", &house.issuer.token(changes));
        house.expect(&answer, reason, 401, Some("invalid_token"));
    }

    let forged = house.stranger.key.sign("at+jwt", &good);
    house.expect(
        &house.with_token("/crm", &forged),
        Reason::KeyUnknown,
        401,
        Some("invalid_token"),
    );
    let (head, _signature) = house
        .issuer
        .token(json!({}))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let unsigned = format!("{head}.{}", "A".repeat(86));
    house.expect(
        &house.with_token("/crm", &unsigned),
        Reason::SignatureInvalid,
        401,
        Some("invalid_token"),
    );
    let none = none_token(&good);
    house.expect(
        &house.with_token("/crm", &none),
        Reason::AlgorithmRefused,
        401,
        Some("invalid_token"),
    );
    assert_eq!(house.upstream.count(), 0);
}

fn none_token(claims: &Value) -> String {
    use base64::Engine as _;
    let encode =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.AA",
        encode(&json!({ "alg": "none", "typ": "at+jwt" })),
        encode(claims)
    )
}

#[test]
fn an_issuer_without_keys_is_unavailable_and_never_a_401() {
    let house = house();
    let answer = house.with_token("/crm", &house.stranger.token(json!({})));
    house.expect(&answer, Reason::IssuerUnavailable, 503, None);
    assert!(answer.field("retry-after").is_some());
    assert_eq!(
        house.gateway.get("/crm", &[&house.issuer.bearer()]).status,
        200
    );
    let ready = house.gateway.admin_get("/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("dark"), "{}", ready.text());
}

#[test]
fn policy_says_what_is_missing() {
    let house = house();
    let answer = house.with_token(
        "/crm",
        &house.issuer.token(json!({ "products": ["billing"] })),
    );
    house.expect(
        &answer,
        Reason::ProductMissing,
        403,
        Some("insufficient_scope"),
    );
    let problem = answer.json();
    assert_eq!(problem["product"], "crm");
    assert_eq!(problem["title"], "CRM");
    assert_eq!(problem["upgrade_url"], "https://example.com/pricing/crm");

    let answer = house.with_token("/scoped", &house.issuer.token(json!({})));
    house.expect(
        &answer,
        Reason::ScopeMissing,
        403,
        Some("insufficient_scope"),
    );
    assert!(
        answer
            .field("www-authenticate")
            .is_some_and(|value| value.contains("scope=\"crm.write crm.read\""))
    );

    let answer = house.with_token("/tenants/other/x", &house.issuer.token(json!({})));
    house.expect(
        &answer,
        Reason::TenantMismatch,
        403,
        Some("insufficient_scope"),
    );
    assert_eq!(house.upstream.count(), 0);
    assert_eq!(
        house
            .with_token("/tenants/acme/x", &house.issuer.token(json!({})))
            .status,
        200
    );
}

#[test]
fn whom_a_refusal_hit_stands_in_the_log() {
    let house = house();
    let subject = |answer: &Answer| {
        let request_id = answer.field("x-request-id").expect("an id");
        house.gateway.log_line(request_id)["subject"].clone()
    };
    let lacking = house.issuer.token(json!({ "products": ["billing"] }));
    let lacking = house.with_token("/crm", &lacking);
    let accepted = house.with_token("/crm", &house.issuer.token(json!({})));
    assert_eq!(accepted.status, 200);
    assert!(subject(&lacking).is_string());
    assert_eq!(subject(&lacking), subject(&accepted));
}

#[test]
fn the_log_has_the_path_alone_of_a_whole_url() {
    let house = house();
    let logged = |target: &str| {
        let mut client = house.gateway.client();
        client.send(format!(
            "GET {target} HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
        ));
        let answer = client.answer().expect("an answer");
        let request_id = answer.field("x-request-id").expect("an id");
        house.gateway.log_line(request_id)["path"].clone()
    };
    for (target, path) in [
        ("http://api.example.com/crm?token=hunter2", "/crm"),
        ("http://ada:hunter2@api.example.com/crm", "/crm"),
        ("http://api.example.com?token=hunter2", "/"),
        ("/crm/http://x/y", "/crm/http://x/y"),
    ] {
        assert_eq!(logged(target), path, "{target}");
    }
}

#[test]
fn a_revoked_session_is_refused_on_the_next_request() {
    let house = house();
    let token = house.issuer.token(json!({ "sid": "s_revoked" }));
    assert_eq!(house.with_token("/crm", &token).status, 200);
    let told = house
        .gateway
        .admin_post("/api/revocations", r#"{"session": "s_revoked"}"#);
    assert!(told.status < 300, "{told:?}");
    house.expect(
        &house.with_token("/crm", &token),
        Reason::TokenRevoked,
        401,
        Some("invalid_token"),
    );
    assert_eq!(
        house
            .with_token("/crm", &house.issuer.token(json!({})))
            .status,
        200
    );
}

#[test]
fn an_upstream_that_is_gone_or_slow_has_its_word() {
    let house = house();
    let answer = house.gateway.get("/gone", &[]);
    assert!(matches!(answer.status, 502 | 503), "{answer:?}");
    house.expect(&answer, Reason::UpstreamUnavailable, answer.status, None);
    house.expect(
        &house.gateway.get("/slow", &[]),
        Reason::UpstreamTimeout,
        504,
        None,
    );
}

#[test]
fn what_a_shadow_route_lets_pass_is_counted_and_logged_though_its_upstream_fails() {
    let house = house();
    let answer = house.gateway.get("/trial", &[]);
    house.expect(&answer, Reason::UpstreamUnavailable, 502, None);
    let body = "x".repeat(2000);
    let mut client = house.gateway.client();
    client.send(format!(
        "POST /trial HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n{body}"
    ));
    let too_large = client.answer().expect("an answer");
    house.expect(&too_large, Reason::BodyTooLarge, 413, None);
    let counted = |verdict: &str, reason: &str| {
        let labels = ["verdict", "reason"].into_iter().zip([verdict, reason]);
        let labels: Vec<String> = labels
            .map(|(name, word)| format!("{name}=\"{word}\""))
            .collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        house.gateway.metric("tollgate_decisions_total", &labels)
    };
    assert_eq!(counted("shadow", "token_missing"), 1.0);
    assert_eq!(counted("forward", "upstream_unavailable"), 1.0);
    assert_eq!(counted("shadow", "upstream_unavailable"), 0.0);
    let id = answer.field("x-request-id").unwrap();
    let line = house.gateway.log_line(id);
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.starts_with("token_missing passed; "), "{line}");
    assert_eq!(line["verdict"], "shadow");
}

#[test]
fn a_refusal_of_head_has_the_fields_and_no_body() {
    let house = house();
    let mut client = house.gateway.client();
    let answer = client.request("HEAD", "/crm", &[]);
    assert_eq!(answer.status, 405, "{answer:?}");
    let answer = client.request("HEAD", "/scoped", &[]);
    assert_eq!((answer.status, answer.body.len()), (401, 0));
    assert!(answer.field("www-authenticate").is_some());
    // What came behind the head is the next answer, not a body.
    assert_eq!(client.get("/crm", &[&house.issuer.bearer()]).status, 200);
}

#[test]
fn a_connection_stays_usable_after_a_refusal_with_a_small_body() {
    let house = house();
    let mut client = house.gateway.client();
    client.send("POST /crm HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.answer_to("POST").expect("an answer").status, 401);
    let answer = client.get("/crm", &[&house.issuer.bearer()]);
    assert_eq!(
        (answer.status, answer.text()),
        (200, "hello from the upstream\n")
    );
}

#[test]
fn twenty_refusals_in_a_row_leave_the_connection_open() {
    let house = house();
    let mut client = Client::connect(house.gateway.public);
    for _ in 0..20 {
        assert_eq!(client.get("/crm", &[]).status, 401);
    }
    assert_eq!(client.get("/crm", &[&house.issuer.bearer()]).status, 200);
}

#[test]
fn a_connection_too_many_is_told_that_the_gate_is_overloaded() {
    let upstream = Upstream::start();
    let config = format!(
        "[listeners.public]\naddress = \"ADDRESS\"\nconnections_per_address_max = 2\n\
         [upstreams.app]\nservers = [\"{}\"]\n\
         [routes.hello]\npath = \"/hello\"\naccess = \"public\"\nupstream = \"app\"\n",
        upstream.address
    );
    let gateway = Gateway::start(&config, &[]);
    let mut open: Vec<Client> = Vec::new();
    while open.len() < 2 {
        // The connection that the start was probed with may not have ended yet.
        let mut client = gateway.client();
        if client.get("/hello", &[]).status == 200 {
            open.push(client);
        }
    }
    let answer = gateway.get("/hello", &[]);
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (503, Reason::Overloaded.as_str())
    );
    assert!(answer.field("retry-after").is_some());
    drop(open.pop());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while gateway.get("/hello", &[]).status != 200 {
        assert!(
            std::time::Instant::now() < deadline,
            "a place that is free again is given"
        );
    }
}
