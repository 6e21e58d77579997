//! Keys that never go dark, over sockets: what providers do to themselves, what clients ask for, what operators distrust, and
//! what survives a restart.

mod distrust;
mod flood;
mod outages;
mod restarts;
mod secrets;
mod transport;
mod verifications;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Gateway, Issuer, Upstream};

/// Asks a provider whenever it is allowed to.
const OFTEN: &str = "{ min = \"50ms\", max = \"50ms\", cooldown = \"50ms\" }";
/// Asks a provider once, and when a request wants it.
const SELDOM: &str = "{ min = \"1h\", max = \"1h\", cooldown = \"1h\" }";

/// `[issuers.NAME]` of `issuer`, whose keys are where `keys` (lines of the table) says.
fn issuer_table(name: &str, issuer: &Issuer, keys: &str) -> String {
    format!(
        "[issuers.{name}]\nissuer = \"{}\"\naudiences = [\"https://api.example.com\"]\nalgorithms = [\"ES256\"]\n{keys}\n",
        issuer.url
    )
}

/// A state folder, one upstream, and `/app` for everybody with a token of any of the issuers in `tables`.
fn config(upstream: &Upstream, tables: &str) -> String {
    format!(
        "[server]\nstate_dir = \"state\"\n{tables}[upstreams.app]\nservers = [\"{}\"]\n\
         [routes.app]\npath = \"/app\"\naccess = \"authenticated\"\nupstream = \"app\"\n",
        upstream.address
    )
}

fn ask(gateway: &Gateway, token: &str) -> Answer {
    gateway.get("/app", &[&format!("Authorization: Bearer {token}")])
}

/// What became of a request with `token`: `passes`, or the reason why not.
fn fate(gateway: &Gateway, token: &str) -> String {
    let answer = ask(gateway, token);
    match answer.status {
        200 => "passes".to_owned(),
        _ => answer.reason(),
    }
}

/// One issuer's part of `/api/status`.
fn status_of(gateway: &Gateway, issuer: &str) -> Value {
    let status = gateway.admin_get("/api/status").json();
    let issuers = status["issuers"].as_array().expect("issuers");
    let mut named = issuers.iter().filter(|one| one["name"] == issuer);
    named.next().expect("the issuer is there").clone()
}

fn refreshes(gateway: &Gateway, issuer: &str, outcome: &str) -> f64 {
    let labels = [
        &*format!("issuer=\"{issuer}\""),
        &*format!("outcome=\"{outcome}\""),
    ];
    gateway.metric("tollgate_issuer_refresh_total", &labels)
}

/// A JWKS of these keys.
fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Waits until `what` holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come true: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
