//! Against a real identity provider (oidc-provider, certified) and with real clients.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Gateway, Process, Upstream, client_file, free_address, output, python};

/// A provider as a process, and a gateway that knows it by discovery alone.
struct House {
    provider: Process,
    url: String,
    gateway: Gateway,
    upstream: Upstream,
}

fn house() -> House {
    let address = free_address();
    let url = format!("http://{address}");
    let provider = Process::start(
        Command::new("node")
            .arg(client_file("provider.mjs"))
            .arg(address.port().to_string()),
    );
    let upstream = Upstream::start();
    let config = format!(
        r#"
[server]
state_dir = "state"

[issuers.main]
issuer = "{url}"
audiences = ["https://api.example.com"]
algorithms = ["RS256", "ES256", "EdDSA"]
discovery = true
refresh = {{ min = "1s", max = "1s", cooldown = "10s" }}

[products.crm]

[upstreams.app]
servers = ["{app}"]

[routes.crm]
path = "/crm/*"
product = "crm"
scopes = ["crm.read"]
upstream = "app"

[routes.hello]
path = "/hello"
access = "public"
upstream = "app"
"#,
        app = upstream.address
    );
    let gateway = Gateway::start(&config, &[]);
    House {
        provider,
        url,
        gateway,
        upstream,
    }
}

impl House {
    /// An access token of the provider, by client credentials.
    fn token(&self, client: &str) -> String {
        let answer = output(
            Command::new("curl")
                .args(["-s", "-u", &format!("{client}:secret-of-{client}")])
                .args([
                    "-d",
                    "grant_type=client_credentials&scope=crm.read",
                    &format!("{}/token", self.url),
                ]),
        );
        let answer: Value = serde_json::from_str(&answer).expect("a token answer");
        answer["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned()
    }

    fn status(&self, token: &str) -> u16 {
        self.gateway
            .get(
                "/crm/contacts",
                &[&format!("Authorization: Bearer {token}")],
            )
            .status
    }

    fn rotate(&self, query: &str) {
        self.control(&format!("rotate{query}"));
    }

    fn control(&self, act: &str) {
        let url = format!("{}/control/{act}", self.url);
        output(Command::new("curl").args(["-s", "-X", "POST", &url]));
    }

    /// How many times the gateway has found other keys.
    fn replaced(&self) -> f64 {
        let outcome = ["issuer=\"main\"", "outcome=\"fetched\""];
        self.gateway
            .metric("tollgate_issuer_refresh_total", &outcome)
    }
}

#[test]
fn tokens_of_a_real_provider_open_the_route_and_tell_the_upstream_who_comes() {
    let house = house();
    for client in ["rs256", "es256", "eddsa"] {
        let answer = house.gateway.get(
            "/crm/contacts?q=1",
            &[&format!("Authorization: Bearer {}", house.token(client))],
        );
        assert_eq!(answer.status, 200, "{client}: {answer:?}");
        let told = house.upstream.last();
        assert!(
            told.starts_with("GET /crm/contacts?q=1 HTTP/1.1\r\n"),
            "{told}"
        );
        for line in [
            format!("X-Identity-Subject: {client}\r\n"),
            format!("X-Identity-Issuer: {}\r\n", house.url),
            "X-Identity-Products: crm\r\n".to_owned(),
            "X-Identity-Scopes: crm.read\r\n".to_owned(),
        ] {
            assert!(told.contains(&line), "{line:?} is not in {told}");
        }
        assert!(
            !told.to_ascii_lowercase().contains("\r\nauthorization:"),
            "{told}"
        );
    }
    assert_eq!(house.gateway.get("/crm/contacts", &[]).status, 401);
}

#[test]
fn curl_fetch_and_httpx_are_served_on_both_protocols() {
    let house = house();
    let token = house.token("es256");
    let url = format!("http://{}/crm/contacts", house.gateway.public);
    let bearer = format!("Authorization: Bearer {token}");
    for (protocol, version) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        let curl = |fields: &[&str]| {
            let format = [
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_version} %{http_code}",
                protocol,
            ];
            output(Command::new("curl").args(format).args(fields).arg(&url))
        };
        assert_eq!(curl(&["-H", &bearer]), format!("{version} 200"));
        assert_eq!(curl(&[]), format!("{version} 401"));
    }
    let fetched = output(
        Command::new("node")
            .arg(client_file("clients.mjs"))
            .args([&url, &token]),
    );
    assert_eq!(fetched, "200 401 token_missing\n");
    let asked = output(
        Command::new(python())
            .arg(client_file("clients.py"))
            .args([&url, &token]),
    );
    assert_eq!(asked, "HTTP/1.1 200 401\nHTTP/2 200 401\n");
}

#[test]
fn a_rotation_of_the_provider_refuses_no_valid_token() {
    let house = house();
    let old = house.token("es256");
    assert_eq!(house.status(&old), 200);
    for _ in 0..3 {
        house.rotate("?keep=1");
        let fresh = house.token("es256");
        assert_eq!(
            house.status(&fresh),
            200,
            "an unknown key is fetched while the request waits"
        );
    }
}

#[test]
fn under_load_no_valid_token_is_refused_and_no_removed_key_accepted() {
    let house = house();
    let valid = Mutex::new(vec![house.token("es256"), house.token("rs256")]);
    let (is_over, passed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut removed = Vec::new();
    std::thread::scope(|scope| {
        for connection in 0..4 {
            let (house, valid, is_over, passed) = (&house, &valid, &is_over, &passed);
            scope.spawn(move || {
                let mut client = house.gateway.client();
                for turn in connection.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let token = {
                        let valid = valid.lock().unwrap();
                        valid[turn % valid.len()].clone()
                    };
                    let bearer = format!("Authorization: Bearer {token}");
                    let answer = client.get("/crm/contacts", &[&bearer]);
                    assert_eq!(answer.status, 200, "a valid token is refused: {answer:?}");
                    passed.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let _ends_the_load = Ends(&is_over);
        for _ in 0..3 {
            house.rotate("?keep=1");
            let fresh = [house.token("es256"), house.token("rs256")];
            let old: Vec<String> = valid.lock().unwrap().splice(.., fresh).collect();
            let was_passed = passed.load(Ordering::SeqCst);
            wait("the load goes on", || {
                passed.load(Ordering::SeqCst) > was_passed + 50
            });
            for token in &old {
                assert_eq!(house.status(token), 200, "its key is still published");
            }
            let before = house.replaced();
            house.control("retire");
            wait("the gateway hears of it", || house.replaced() > before);
            let heard = Instant::now();
            wait("the removed keys are refused", || {
                old.iter().all(|token| house.status(token) == 401)
            });
            assert!(heard.elapsed() < Duration::from_secs(2));
            removed.extend(old);
        }
    });
    assert!(removed.iter().all(|token| house.status(token) == 401));
    assert!(passed.load(Ordering::SeqCst) > 200);
}

/// Ends the load, even where the test fails.
struct Ends<'o>(&'o AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn wait(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_removed_key_is_refused_once_the_keys_were_refreshed() {
    let house = house();
    let old = house.token("rs256");
    assert_eq!(house.status(&old), 200);
    house.rotate("");
    let deadline = Instant::now() + Duration::from_secs(4);
    while house.status(&old) != 401 {
        assert!(Instant::now() < deadline, "a removed key is still trusted");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(house.status(&house.token("rs256")), 200);
}

#[test]
fn tokens_pass_while_the_provider_is_down_even_after_a_restart() {
    let mut house = house();
    let token = house.token("eddsa");
    assert_eq!(house.status(&token), 200);
    house.provider.signal("-KILL");
    assert_eq!(house.status(&token), 200);
    house.gateway.kill();
    house.gateway.spawn();
    assert_eq!(
        house.status(&token),
        200,
        "kept keys serve: {}",
        house.gateway.diagnostics()
    );
    assert_eq!(house.gateway.get("/hello", &[]).status, 200);
}

#[test]
fn a_provider_that_hangs_makes_nobody_wait() {
    let house = house();
    let token = house.token("es256");
    assert_eq!(house.status(&token), 200);
    house.provider.signal("-STOP");
    let began = Instant::now();
    for _ in 0..50 {
        assert_eq!(house.status(&token), 200);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    house.provider.signal("-CONT");
}
