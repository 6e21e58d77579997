//! Start, reload and stop of the real process.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Client, Gateway, Issuer, Process, Upstream, output};

fn config(upstream: &Upstream, product: &str) -> String {
    format!(
        r#"
[server]
drain = "3s"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[products.{product}]

[upstreams.app]
servers = ["{app}"]

[routes.app]
path = "/app/*"
product = "{product}"
upstream = "app"

[routes.hello]
path = "/hello"
access = "public"
upstream = "app"
"#,
        app = upstream.address
    )
}

/// The configuration with more keys for its listener.
fn with_listener(config: &str, keys: &str) -> String {
    format!("[listeners.public]\naddress = \"ADDRESS\"\n{keys}\n{config}")
}

#[test]
fn a_reload_changes_what_a_listener_lets_pass() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let config = config(&upstream, "crm");
    let files = [("jwks.json", &*issuer.jwks())];
    let gateway = Gateway::start(&with_listener(&config, ""), &files);
    let reload = |keys: &str| {
        gateway.configure(&with_listener(&config, keys));
        assert_eq!(
            gateway.admin_post("/api/reload", "{}").status,
            200,
            "{keys}"
        );
    };
    let mut kept = gateway.client();
    let mut post = |length: usize| {
        let body = "x".repeat(length);
        kept.send(format!(
            "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        kept.answer().expect("an answer").status
    };
    assert_eq!(post(100), 200);
    reload("body_bytes_max = \"200B\"");
    assert_eq!(post(100), 200);
    assert_eq!(post(201), 413, "on a connection from before");

    let forwarded = || {
        gateway.get("/hello", &["X-Forwarded-For: 192.0.2.1"]);
        upstream.last().contains("192.0.2.1")
    };
    assert!(!forwarded());
    reload("trusted_proxies = [\"127.0.0.1\"]");
    assert!(forwarded());
    reload("");
    assert!(!forwarded());

    reload("header_bytes_max = \"512B\"");
    let long = format!("X-Long: {}", "x".repeat(600));
    assert_eq!(gateway.get("/hello", &[&long]).status, 431);
    reload("connections_max = 1");
    let first = gateway.client();
    assert_eq!(gateway.get("/hello", &[]).status, 503);
    drop(first);
    reload("redirect_to_https = true");
    assert_eq!(gateway.get("/hello", &[]).status, 308);
}

#[test]
fn a_reload_changes_how_long_a_stop_waits() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let config = config(&upstream, "crm");
    let mut gateway = Gateway::start(&config, &[("jwks.json", &issuer.jwks())]);
    gateway.configure(&config.replace("drain = \"3s\"", "drain = \"200ms\""));
    assert_eq!(gateway.admin_post("/api/reload", "{}").status, 200);
    let mut slow = gateway.client();
    slow.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    let active = "state=\"active\"";
    while gateway.metric("tollgate_upstream_connections", &[active]) < 1.0 {
        std::thread::yield_now();
    }
    let began = Instant::now();
    gateway.signal("-TERM");
    gateway.wait(Duration::from_secs(10));
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(200), "{waited:?}");
    assert!(waited < Duration::from_millis(2500), "{waited:?}");
    assert!(gateway.told("the drain is over").contains("cut=1"));
    let answer = slow.answer_to("POST").expect("it is told why");
    assert_eq!((answer.status, &*answer.reason()), (503, "overloaded"));
    let log = fs::read_to_string(gateway.folder.path().join("access.log")).unwrap();
    assert!(log.contains("`drain` is over"), "{log}");
}

const BROKEN: &str = "[issuers.main]\nissuer = 7\n";

#[test]
fn twenty_reloads_under_load_lose_no_request() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    let bearer = issuer.bearer();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            output(
                Command::new("wrk")
                    .args(["-t", "1", "-c", "64", "-d", "10s", "-H", &bearer])
                    .arg(format!("http://{}/app/x", gateway.public)),
            )
        });
        scope.spawn(|| {
            for round in 0..20 {
                let broken = round % 4 == 3;
                if broken {
                    fs::write(gateway.config_path(), BROKEN).unwrap();
                } else {
                    gateway.configure(&config(&upstream, "crm"));
                }
                let answer = gateway.admin_post("/api/reload", "{}");
                assert_eq!(answer.status >= 400, broken, "{answer:?}");
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let report = load.join().unwrap();
        assert!(report.contains("requests in"), "{report}");
        assert!(
            !report.contains("Non-2xx") && !report.contains("Socket errors"),
            "{report}"
        );
    });
    assert!(gateway.metric("tollgate_config_reloads_total", &["outcome=\"ok\""]) >= 15.0);
    assert!(gateway.metric("tollgate_config_reloads_total", &["outcome=\"rejected\""]) >= 5.0);
}

#[test]
fn a_reload_changes_everything_at_once_or_nothing() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    let bearer = issuer.bearer();
    assert_eq!(gateway.get("/app/x", &[&bearer]).status, 200);

    fs::write(gateway.config_path(), BROKEN).unwrap();
    gateway.signal("-HUP");
    eventually("the broken file is told of", || {
        gateway
            .admin_get("/readyz")
            .text()
            .contains("gateway.toml:")
    });
    assert_eq!(gateway.admin_get("/readyz").status, 200);
    assert_eq!(
        gateway.get("/app/x", &[&bearer]).status,
        200,
        "the old gate still serves"
    );

    gateway.configure(&config(&upstream, "billing"));
    gateway.signal("-HUP");
    eventually("the new file serves", || {
        gateway.get("/app/x", &[&bearer]).status == 403
    });
}

#[test]
fn a_rotated_log_is_let_go_though_the_configuration_is_broken() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    let log = gateway.folder.path().join("access.log");
    fs::write(gateway.config_path(), BROKEN).unwrap();
    // The second is what other servers want to hear for that.
    for signal in ["-HUP", "-USR1"] {
        fs::rename(&log, gateway.folder.path().join("access.log.1")).unwrap();
        gateway.signal(signal);
        eventually("the log is opened anew", || log.exists());
        gateway.get("/hello", &[]);
        eventually("lines go there", || fs::metadata(&log).unwrap().len() > 0);
    }
}

#[test]
fn a_changed_file_is_noticed_without_a_signal() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    gateway.configure(&config(&upstream, "billing"));
    eventually("the new file serves", || {
        gateway.get("/app/x", &[&issuer.bearer()]).status == 403
    });
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_then_ends_at_once() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let mut gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    let mut slow = gateway.client();
    slow.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    let mut idle = gateway.client();
    assert_eq!(idle.get("/hello", &[]).status, 200);

    gateway.signal("-TERM");
    eventually("readiness is red", || {
        gateway_readiness(&gateway) != Some(200)
    });
    let began = Instant::now();
    slow.send("56789");
    assert_eq!(
        slow.answer_to("POST")
            .expect("the request in flight is answered")
            .status,
        200
    );
    let status = gateway.wait(Duration::from_secs(2));
    assert!(status.success(), "{status}");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "it ends at once, not after `drain`: {:?}",
        began.elapsed()
    );
}

#[test]
fn a_stop_that_comes_as_soon_as_somebody_can_connect_is_a_clean_one() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let mut gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    for signal in ["-TERM", "-INT", "-QUIT", "-TERM", "-QUIT"] {
        // `spawn` comes back once both addresses take connections.
        gateway.signal(signal);
        let status = gateway.wait(Duration::from_secs(5));
        assert!(status.success(), "{status}");
        gateway.spawn();
    }
}

#[test]
fn a_hangup_that_comes_during_the_start_ends_nothing() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let config = config(&upstream, "crm");
    let mut gateway = Gateway::start(&config, &[("jwks.json", &issuer.jwks())]);
    gateway.kill();
    // A provider that never answers holds up the start.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = format!("jwks_url = \"http://{}/\"", silent.local_addr().unwrap());
    gateway.configure(&config.replace("jwks_file = \"jwks.json\"", &keys));
    let mut again = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    let again = again.args(["run", "--config"]).arg(gateway.config_path());
    let again = Process::spawn(again);
    let _asked = silent.accept().unwrap();
    again.signal("-HUP");
    eventually("it serves", || {
        std::net::TcpStream::connect(gateway.public).is_ok()
    });
    assert_eq!(gateway.get("/hello", &[]).status, 200);
}

fn gateway_readiness(gateway: &Gateway) -> Option<u16> {
    let stream = std::net::TcpStream::connect(gateway.admin).ok()?;
    drop(stream);
    let mut client = Client::connect(gateway.admin);
    client.try_send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.answer().map(|answer| answer.status)
}

#[test]
fn a_process_without_a_file_left_says_so_and_accepts_again_when_there_is_one() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let files = [("jwks.json", &*issuer.jwks())];
    let gateway = Gateway::start(&config(&upstream, "crm"), &files);
    assert_eq!(gateway.get("/hello", &[]).status, 200);
    let open = format!("/proc/{}/fd", gateway.pid());
    let few = fs::read_dir(open).unwrap().count() + 8;
    let set = Command::new("prlimit")
        .args(["--pid", &gateway.pid().to_string()])
        .arg(format!("--nofile={few}:{few}"))
        .status();
    assert!(set.unwrap().success());
    let many: Vec<Client> = (0..40).map(|_| gateway.client()).collect();
    gateway.told("no connection can be accepted");
    drop(many);
    assert_eq!(gateway.get("/hello", &[]).status, 200);
}

#[test]
fn clients_leave_files_to_the_process_that_serves_them() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let files = [("jwks.json", &*issuer.jwks())];
    let mut gateway = Gateway::start(&config(&upstream, "crm"), &files);
    gateway.kill();
    gateway.spawn_with_files(128);
    let mut before = gateway.client();
    let many: Vec<Client> = (0..200).map(|_| gateway.client()).collect();
    gateway.told("too few files are left for a client");
    assert_eq!(gateway.admin_get("/livez").status, 200);
    assert_eq!(gateway.admin_post("/api/reload", "{}").status, 200);
    // Who was there first gets to the server.
    assert_eq!(before.get("/hello", &[]).status, 200);
    drop(many);
    eventually("new clients are served again", || {
        let mut client = gateway.client();
        client.try_send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        client.answer().is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn a_taken_port_is_a_clear_refusal_to_start() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let gateway = Gateway::start(&config(&upstream, "crm"), &[("jwks.json", &issuer.jwks())]);
    let second = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["run", "--config"])
        .arg(gateway.config_path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains(&gateway.public.to_string()), "{said}");
}

/// Waits for something that another process does in its own time.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
