//! Starts without the provider: kept keys serve, no keys are a 503, and nobody else waits.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{OFTEN, ask, config, fate, issuer_table, status_of, until};
use crate::support::{Gateway, Issuer, Provider, ProviderAnswer, Upstream};

#[test]
fn kept_keys_serve_after_a_restart_and_without_them_the_issuer_is_unavailable_until_it_is_back() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let provider = Provider::start(ProviderAnswer::Document(issuer.jwks()));
    let keys = format!("jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}", provider.url());
    let mut gateway = Gateway::start(
        &config(&upstream, &issuer_table("main", &issuer, &keys)),
        &[],
    );
    let token = issuer.token(json!({}));
    assert_eq!(fate(&gateway, &token), "passes");

    provider.answer(ProviderAnswer::Closed);
    gateway.kill();
    gateway.spawn();
    assert_eq!(fate(&gateway, &token), "passes");
    assert_eq!(status_of(&gateway, "main")["state"], "stale");
    // A key that nobody has kept is unknown, not unavailable: the issuer has others.
    let stranger = Issuer::new(&issuer.url);
    assert_eq!(fate(&gateway, &stranger.token(json!({}))), "key_unknown");

    gateway.kill();
    std::fs::remove_dir_all(gateway.folder.path().join("state")).unwrap();
    gateway.spawn();
    for token in [&token, &stranger.token(json!({}))] {
        let answer = ask(&gateway, token);
        assert_eq!(
            (answer.status, &*answer.reason()),
            (503, "issuer_unavailable")
        );
        let seconds: u32 = answer
            .field("retry-after")
            .expect("when to come again")
            .parse()
            .unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(answer.field("www-authenticate"), None);
    }
    assert_eq!(status_of(&gateway, "main")["state"], "unavailable");
    assert_eq!(
        gateway.admin_get("/readyz").status,
        200,
        "the others are served"
    );

    provider.answer(ProviderAnswer::Document(issuer.jwks()));
    until("the issuer is back", || ask(&gateway, &token).status == 200);
    assert_eq!(fate(&gateway, &stranger.token(json!({}))), "key_unknown");
}

#[test]
fn what_a_key_was_used_for_until_a_clean_stop_is_known_after_a_restart() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let keys = issuer_table("main", &issuer, "jwks_file = \"jwks.json\"");
    let files = [("jwks.json", &*issuer.jwks())];
    let mut gateway = Gateway::start(&config(&upstream, &keys), &files);
    assert_eq!(fate(&gateway, &issuer.token(json!({}))), "passes");
    let record = |gateway: &Gateway| {
        let keys = gateway.admin_get("/api/status").json()["keys"]["main"].clone();
        keys[issuer.key.kid()].clone()
    };
    let before = record(&gateway);
    assert_eq!(before["count"], 1);
    gateway.signal("-TERM");
    assert!(gateway.wait(Duration::from_secs(10)).success());
    gateway.spawn();
    let after = record(&gateway);
    for known in ["count", "last_used_ms", "first_seen_ms"] {
        assert_eq!(after[known], before[known], "{known}");
    }
}

#[test]
fn a_command_that_asks_for_keys_leaves_nothing_behind_for_the_gateway() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let provider = Provider::start(ProviderAnswer::Document(issuer.jwks()));
    let keys = format!("jwks_url = \"{}/jwks\"", provider.url());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let listeners = "[listeners.public]\naddress = \"127.0.0.1:8080\"\n[telemetry]\naccess_log = \"file:access.log\"\n";
    let text = listeners.to_owned() + &config(&upstream, &issuer_table("main", &issuer, &keys));
    std::fs::write(&path, text).unwrap();
    let token = issuer.token(json!({}));
    for arguments in [
        ["explain", "GET", "/app", "--token", &token],
        ["token", "verify", &token, "--format", "json"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        let said = command.args(arguments).arg("--config").arg(&path);
        let said = said.output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
    // Made by another user than the gateway's, a folder or a file would keep it from starting.
    let left = std::fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gateway.toml"]);
}

#[test]
fn a_provider_that_hangs_at_the_start_holds_up_its_own_issuer_alone() {
    let upstream = Upstream::start();
    let (slow, other) = (
        Issuer::new("https://slow.example.com"),
        Issuer::new("https://other.example.com"),
    );
    let provider = Provider::start(ProviderAnswer::Silence);
    let table = |keys: &str| issuer_table("slow", &slow, keys);
    let here = issuer_table("other", &other, "jwks_file = \"jwks.json\"");
    let discovery = format!("jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}", provider.url());
    let files = [("jwks.json", &*other.jwks()), ("slow.json", &*slow.jwks())];

    let began = Instant::now();
    drop(Gateway::start(
        &config(&upstream, &(table("jwks_file = \"slow.json\"") + &here)),
        &files,
    ));
    let usual = began.elapsed();
    let began = Instant::now();
    let gateway = Gateway::start(&config(&upstream, &(table(&discovery) + &here)), &files);
    let took = began.elapsed();
    assert!(
        took < usual + Duration::from_secs(3),
        "up after {took:?}, usually {usual:?}"
    );
    assert_eq!(fate(&gateway, &other.token(json!({}))), "passes");
    assert_eq!(fate(&gateway, &slow.token(json!({}))), "issuer_unavailable");
    provider.answer(ProviderAnswer::Document(slow.jwks()));
    until("the slow one serves", || {
        ask(&gateway, &slow.token(json!({}))).status == 200
    });
}
