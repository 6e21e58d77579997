//! A configuration that changes under load: whole or not at all.

use std::time::Duration;

use super::house::{House, Site, jwks, key, remote, until};
use super::provider::{Answer, Provider};
use crate::control::ReloadOutcome;
use crate::gate::Reason;
use crate::token::{Algorithm, SigningKey, WantedKey};

const OFTEN: &str = "{ min = \"20ms\", max = \"20ms\", cooldown = \"10s\" }";
const SELDOM: &str = "{ min = \"1h\", max = \"1h\", cooldown = \"1h\" }";

const SESSIONS: &str = r#"
[sessions]
issuer = "https://login.example.com"
audience = "https://api.example.com"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]

[sessions.store]
kind = "memory"

[sessions.login_hook]
url = "http://127.0.0.1:9200/login"
insecure_http = true

[sessions.clients.mobile]
type = "public"
"#;

#[tokio::test]
async fn a_bad_file_keeps_the_gate_and_says_so() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    let gate = house.gate.load();
    site.configure(&remote(&provider, SELDOM), "colour = \"red\"");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Rejected);
    assert!(reloaded.text.contains("colour"), "{}", reloaded.text);
    assert!(house.gate.is_current(&gate));
    let status = house.status();
    assert_eq!(status.generation, 1);
    assert_eq!(status.last_reload.unwrap().text, reloaded.text);
    let metrics = house.telemetry.scrape();
    assert!(
        metrics.contains("config_reloads_total{outcome=\"rejected\"} 1"),
        "{metrics}"
    );
    house.close().await;
}

#[tokio::test]
async fn an_identity_key_is_published_until_what_it_signed_has_ended() {
    const IDENTITY: &str =
        "[identity]\nissuer = \"https://gate.test\"\nsigning_key = \"file:identity.pem\"\n";
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    let renew = || {
        let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
        std::fs::write(site.path("identity.pem"), pem.expose()).unwrap();
        SigningKey::from_pem(&pem).unwrap()
    };
    site.configure(&remote(&provider, SELDOM), IDENTITY);
    let mut keys = vec![renew()];
    let house = site.open().await;
    // The newest first, and never more than two that have left.
    for _ in 0..3 {
        keys.insert(0, renew());
        let reloaded = house.handle.reload().await.unwrap();
        assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
        let told: Vec<&SigningKey> = keys.iter().take(3).collect();
        assert_eq!(house.gate.load().identity().jwks(), jwks(&told));
    }
    site.clock.advance(Duration::from_secs(60));
    house.handle.reload().await.unwrap();
    let told = house.gate.load().identity().jwks();
    assert!(told.contains(keys[1].kid()), "{told}");
    site.clock.advance(Duration::from_secs(61));
    house.handle.reload().await.unwrap();
    assert_eq!(house.gate.load().identity().jwks(), jwks(&[&keys[0]]));
    house.close().await;
}

#[tokio::test]
async fn a_reload_keeps_the_keys_and_asks_no_provider_again() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(Answer::Silence);
    site.configure(&remote(&provider, SELDOM), "methods = [\"GET\"]");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
    assert_eq!(reloaded.generation, 2);
    assert_eq!(house.judge(&a), None);
    assert_eq!(provider.requests(), 1);
    house.close().await;
}

#[tokio::test]
async fn the_keys_of_another_issuer_under_one_name_raise_no_alarm() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    let known = |house: &House| {
        house.ledger.view().keys["main"][a.kid()]
            .thumbprints
            .clone()
    };
    let before = known(&house);
    let mut other = key().public_jwk();
    other["kid"] = a.kid().into();
    let document = serde_json::json!({ "keys": [other] });
    provider.answer(Answer::Document(document.to_string()));
    site.replace("http://127.0.0.1/main", "http://127.0.0.1/other");
    house.handle.reload().await.unwrap();
    assert!(known(&house).is_disjoint(&before));
    let told = house.telemetry.scrape();
    assert!(!told.contains("material_changed"), "{told}");
    house.close().await;
}

#[tokio::test]
async fn a_new_pace_goes_on_with_the_old_keys() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(Answer::Raw(String::new()));
    site.configure(&remote(&provider, OFTEN), "");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn a_new_issuer_has_its_keys_before_its_first_request() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    let other = Provider::start(Answer::Document(jwks(&[&b]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    site.configure(&remote(&other, SELDOM), "");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
    assert_eq!(house.judge(&b), None);
    assert!(house.judge(&a).is_some());
    house.close().await;
}

#[tokio::test]
async fn a_hook_that_nobody_can_call_is_refused_whole() {
    let (site, a) = (Site::new(), key());
    let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
    std::fs::write(site.path("sign.pem"), pem.expose()).unwrap();
    std::fs::write(site.path("refresh.key"), "07".repeat(32)).unwrap();
    std::fs::write(site.path("jwks.json"), jwks(&[&a])).unwrap();
    site.configure("jwks_file = \"jwks.json\"", SESSIONS);
    let house = site.open().await;
    let gate = house.gate.load();
    for host in ["xn--a.internal", "a.0x1ff"] {
        let hook = SESSIONS.replace("127.0.0.1:9200", host);
        site.configure("jwks_file = \"jwks.json\"", &hook);
        let reloaded = house.handle.reload().await.unwrap();
        assert_eq!(reloaded.outcome, ReloadOutcome::Rejected, "{host}");
        assert!(reloaded.text.contains(host), "{}", reloaded.text);
        assert!(house.gate.is_current(&gate), "{host}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_needs_a_restart_is_named() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    site.replace("127.0.0.1:8080", "127.0.0.1:8081");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Rejected);
    assert_eq!(reloaded.text, "needs a restart: listeners.public.address");
    house.close().await;
}

#[tokio::test]
async fn a_changed_file_is_found() {
    let (site, a, b) = (Site::new(), key(), key());
    std::fs::write(site.path("jwks.json"), jwks(&[&a])).unwrap();
    site.configure("jwks_file = \"jwks.json\"", "");
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    std::fs::write(site.path("jwks.json"), jwks(&[&b])).unwrap();
    until(|| house.judge(&b).is_none()).await;
    assert!(house.judge(&a).is_some());
    house.close().await;
}

#[tokio::test]
async fn reloads_and_rotations_never_publish_over_each_other() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    for round in 0..10 {
        let next = key();
        let methods = format!("methods = [\"GET\", \"M{round}\"]");
        provider.answer(Answer::Document(jwks(&[&next])));
        site.configure(&remote(&provider, OFTEN), &methods);
        let reloaded = house.handle.reload().await.unwrap();
        assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
        until(|| house.judge(&next).is_none()).await;
        let gate = house.gate.load();
        let methods = format!("{:?}", gate.config().routes[0].methods);
        assert!(methods.contains(&format!("M{round}")), "{methods}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_key_that_was_taken_away_during_a_reload_stays_away() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(Answer::Silence);
    site.replace("cooldown = \"1h\"", "cooldown = \"2h\"");
    let reload = async {
        let reloaded = house.handle.reload().await.unwrap();
        assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
    };
    let rotation = async {
        // The new configuration's own fetch waits for an answer, while the one that serves sees the rotation.
        until(|| provider.requests() == 2).await;
        provider.answer(Answer::Document(jwks(&[&b])));
        site.clock.advance(Duration::from_secs(1));
        let gate = house.gate.load();
        house.keys.wanted("main", WantedKey::Unseen, &gate).await;
        assert_eq!(house.judge(&b), None);
        assert_eq!(house.judge(&a), Some(Reason::KeyUnknown));
    };
    tokio::join!(reload, rotation);
    assert_eq!(house.judge(&a), Some(Reason::KeyUnknown));
    assert_eq!(house.judge(&b), None);
    house.close().await;
}

#[tokio::test]
async fn an_issuer_that_gets_another_name_keeps_its_keys_while_its_provider_is_down() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    drop(provider);
    site.replace("[issuers.main]", "[issuers.renamed]");
    let reloaded = house.handle.reload().await.unwrap();
    assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn a_slip_in_the_algorithms_is_taken_back_while_the_provider_is_down() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    drop(provider);
    for (from, to, fate) in [
        ("ES256", "ES384", Some(Reason::AlgorithmRefused)),
        ("ES384", "ES256", None),
    ] {
        site.replace(from, to);
        let reloaded = house.handle.reload().await.unwrap();
        assert_eq!(reloaded.outcome, ReloadOutcome::Ok, "{}", reloaded.text);
        assert_eq!(house.judge(&a), fate);
    }
    house.close().await;
}

#[tokio::test]
async fn reloads_that_come_together_are_answered_together() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    let reloads = (0..30).map(|_| house.handle.reload());
    for reloaded in futures_util::future::join_all(reloads).await {
        assert_eq!(reloaded.unwrap().outcome, ReloadOutcome::Ok);
    }
    assert!(
        house.status().generation <= 3,
        "{}",
        house.status().generation
    );
    tokio::time::timeout(Duration::from_secs(1), house.close())
        .await
        .unwrap();
}
