//! What an operator does about a key that its provider cannot take back, and what he sees of every key.

use std::process::Command;

use serde_json::{Value, json};

use super::{OFTEN, config, fate, issuer_table, jwks, refreshes, until};
use crate::support::{Answer, Gateway, Issuer, Provider, ProviderAnswer, Upstream, now};

fn ledger(gateway: &Gateway) -> Value {
    gateway.admin_get("/api/status").json()["keys"]["main"].clone()
}

fn distrust(gateway: &Gateway, kid: &str) -> Answer {
    let body = json!({ "issuer": "main", "kid": kid }).to_string();
    gateway.admin_post("/api/keys/distrust", &body)
}

#[test]
fn a_distrusted_key_is_revoked_at_the_next_request_and_after_kill_and_restart() {
    let upstream = Upstream::start();
    let [api, cli, good] = [(); 3].map(|()| Issuer::new("https://auth.example.com"));
    let published = || [&api, &cli, &good].map(|issuer| issuer.key.public_jwk());
    let provider = Provider::start(ProviderAnswer::Document(jwks(&published())));
    let keys = format!("jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}", provider.url());
    let mut gateway = Gateway::start(&config(&upstream, &issuer_table("main", &good, &keys)), &[]);
    let tokens = [&api, &cli, &good].map(|issuer| issuer.token(json!({})));
    let fates = |gateway: &Gateway| tokens.each_ref().map(|token| fate(gateway, token));
    assert_eq!(fates(&gateway), ["passes", "passes", "passes"]);

    assert_eq!(distrust(&gateway, api.key.kid()).json()["kept"], true);
    assert_eq!(fates(&gateway), ["token_revoked", "passes", "passes"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(["key", "distrust", "main", cli.key.kid(), "--config"]);
    let said = command.arg(gateway.config_path()).output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    // One name in sixty-four begins like an option.
    for kid in ["-not-an-option", "--config-of-a-kid", "-c"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["key", "distrust", "main", kid, "--config"]);
        let said = command.arg(gateway.config_path()).output().unwrap();
        assert!(said.status.success(), "{kid}: {said:?}");
        let warned = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(warned.contains("never seen to publish"), "{kid}: {warned}");
    }
    let expected = ["token_revoked", "token_revoked", "passes"];
    assert_eq!(fates(&gateway), expected);
    let distrusted = &gateway.admin_get("/api/status").json()["distrusted"];
    assert!(
        distrusted["https://auth.example.com"]
            .to_string()
            .contains(api.key.kid()),
        "{distrusted}"
    );

    gateway.kill();
    gateway.spawn();
    assert_eq!(fates(&gateway), expected, "after kill -9");
    // Nor does another name, of the key or of the issuer, make it good again.
    let mut renamed = published();
    renamed[0]["kid"] = json!("fresh");
    provider.answer(ProviderAnswer::Document(jwks(&renamed)));
    until("the renamed key was seen", || {
        ledger(&gateway)["fresh"]["published"] == true
    });
    assert_eq!(fate(&gateway, &tokens[0]), "key_unknown");
    provider.answer(ProviderAnswer::Document(jwks(&published())));
    gateway.configure(&config(&upstream, &issuer_table("other", &good, &keys)));
    assert_eq!(gateway.admin_post("/api/reload", "{}").status, 200);
    until("the keys are back", || {
        fate(&gateway, &tokens[2]) == "passes"
    });
    assert_eq!(
        fates(&gateway),
        expected,
        "under another name of the issuer"
    );
    provider.answer(ProviderAnswer::Closed);
    gateway.kill();
    gateway.spawn();
    assert_eq!(fates(&gateway), expected, "with the keys that were kept");

    assert_eq!(
        distrust(&gateway, "k").status,
        422,
        "there is no such issuer any more"
    );
    let bad = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["key", "distrust", "nobody", "k", "--config"])
        .arg(gateway.config_path())
        .output()
        .unwrap();
    assert_eq!(bad.status.code(), Some(1));
    assert!(bad.stdout.is_empty());
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(said.contains("no issuer of that name"), "{said}");
}

#[test]
fn the_ledger_tells_of_every_key_and_the_alarm_of_what_honest_keys_do_not() {
    let upstream = Upstream::start();
    let [a, b] = [(); 2].map(|()| Issuer::new("https://auth.example.com"));
    let both = jwks(&[a.key.public_jwk(), b.key.public_jwk()]);
    let provider = Provider::start(ProviderAnswer::Document(both.clone()));
    let keys = format!("jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}", provider.url());
    let began = now() * 1000;
    let mut gateway = Gateway::start(&config(&upstream, &issuer_table("main", &b, &keys)), &[]);
    let token = a.token(json!({}));
    for _ in 0..3 {
        assert_eq!(fate(&gateway, &token), "passes");
    }
    let (kid_a, kid_b) = (a.key.kid(), b.key.kid());
    let book = ledger(&gateway);
    assert_eq!(
        (&book[kid_a]["count"], &book[kid_b]["count"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(
        (&book[kid_a]["published"], &book[kid_b]["last_used_ms"]),
        (&json!(true), &json!(null))
    );
    let moment = |book: &Value, name: &str| book[kid_a][name].as_u64().expect("a moment");
    for name in ["first_seen_ms", "last_seen_ms", "last_used_ms"] {
        assert!(moment(&book, name) >= began, "{name}: {book}");
    }
    until("last seen follows the refreshes", || {
        let later = ledger(&gateway);
        moment(&later, "last_seen_ms") > moment(&book, "last_seen_ms")
            && moment(&later, "first_seen_ms") == moment(&book, "first_seen_ms")
    });

    let alarms = |gateway: &Gateway, kind: &str| {
        gateway.metric(
            "tollgate_key_alarms_total",
            &["issuer=\"main\"", &format!("kind=\"{kind}\"")],
        )
    };
    provider.answer(ProviderAnswer::Document(jwks(&[b.key.public_jwk()])));
    until("the key vanishes", || {
        ledger(&gateway)[kid_a]["published"] == false
    });
    assert_eq!(fate(&gateway, &token), "key_unknown");
    // The book survives the process, however it ends.
    gateway.kill();
    gateway.spawn();
    assert_eq!(ledger(&gateway)[kid_a]["count"], 3);
    provider.answer(ProviderAnswer::Document(both));
    until("it returns", || alarms(&gateway, "returned") == 1.0);
    assert_eq!(fate(&gateway, &token), "passes");
    let mut other = Issuer::new("https://auth.example.com").key.public_jwk();
    other["kid"] = json!(kid_b);
    provider.answer(ProviderAnswer::Document(jwks(&[a.key.public_jwk(), other])));
    until("other material", || {
        alarms(&gateway, "material_changed") == 1.0
    });
    assert_eq!(alarms(&gateway, "returned"), 1.0);
    assert!(refreshes(&gateway, "main", "fetched") >= 2.0);
    // The log is written off the path of whoever has something to tell.
    until("the log tells of both", || {
        let told = gateway.diagnostics();
        told.contains("material_changed") && told.contains("returned")
    });
}
