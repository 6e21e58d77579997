//! Clients and servers that nobody wrote for these tests: what works without a gate works through it with a token, and
//! nothing works without.

mod browser;
mod grpc;
mod upstreams;
mod websocket;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Gateway, Issuer, Process, client_file, now, python};

/// A stream is cut within a second; a busy machine may take one more to notice.
const CUT_WITHIN: Duration = Duration::from_secs(2);

const ISSUER: &str = r#"
[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"
leeway = "0s"

[products.crm]
"#;

/// A gateway whose routes and upstreams are `config`; `files` lie beside it.
fn gateway(config: &str, files: &[(&str, &str)]) -> (Gateway, Issuer) {
    let issuer = Issuer::new("https://auth.example.com");
    let jwks = issuer.jwks();
    let files = [&[("jwks.json", &*jwks)], files].concat();
    let gateway = Gateway::start(&format!("{config}{ISSUER}"), &files);
    (gateway, issuer)
}

/// A token whose `exp` is so many seconds ahead.
fn short_token(issuer: &Issuer, secs: u64) -> String {
    issuer.token(json!({ "exp": now() + secs }))
}

fn peer_file(name: &str) -> std::path::PathBuf {
    client_file("peers").join(name)
}

/// A Python program of the tests, called so.
fn script(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(python());
    command.arg(peer_file(name)).args(words);
    command
}

/// Node's server, speaking `protocol`, and its address.
fn node(protocol: &str) -> (Process, String) {
    serving(
        Command::new("node")
            .arg(peer_file("upstream.mjs"))
            .arg(protocol),
    )
}

/// A program that says on which port it serves.
fn serving(command: &mut Command) -> (Process, String) {
    let mut process = Process::start(command);
    let address = format!("127.0.0.1:{}", process.line());
    (process, address)
}

/// Revokes the session of every token here.
fn revoke(gateway: &Gateway) -> Instant {
    let answer = gateway.admin_post("/api/revocations", r#"{"session": "s_1"}"#);
    assert!((200..300).contains(&answer.status), "{answer:?}");
    Instant::now()
}
