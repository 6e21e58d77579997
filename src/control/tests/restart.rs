//! What outlives the process.

use super::house::{Site, jwks, key, remote, until};
use super::provider::{Answer, Provider};
use crate::control::{DistrustError, Distrusted, IssuerState};
use crate::gate::Reason;

const OFTEN: &str = "{ min = \"20ms\", max = \"20ms\", cooldown = \"10s\" }";

#[tokio::test]
async fn kept_keys_serve_while_the_provider_is_down() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    site.open().await.close().await;
    drop(provider);
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    assert_eq!(house.issuer().state, IssuerState::Stale);
    house.close().await;
}

#[tokio::test]
async fn kept_keys_are_not_those_of_another_address() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    site.open().await.close().await;
    let keys = format!("jwks_url = \"http://{}/others\"", provider.address);
    site.configure(&keys, "");
    provider.answer(Answer::Raw(String::new()));
    let house = site.open().await;
    assert_eq!(house.judge(&a), Some(Reason::IssuerUnavailable));
    house.close().await;
}

#[tokio::test]
async fn damaged_kept_keys_stop_nothing() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    site.open().await.close().await;
    std::fs::write(site.path("state/keys/main.json"), "{").unwrap();
    std::fs::write(site.path("state/ledger.json"), "{").unwrap();
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn a_distrusted_key_stays_distrusted() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a, &b]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    let distrust = |issuer: &str, kid: &str| house.handle.distrust(issuer.into(), kid.into());
    let distrusted = Distrusted {
        generation: 2,
        kept: true,
        known: true,
    };
    assert_eq!(distrust("main", a.kid()).await, Ok(Ok(distrusted)));
    assert_eq!(
        distrust("else", a.kid()).await,
        Ok(Err(DistrustError::IssuerUnknown))
    );
    assert_eq!(house.judge(&a), Some(Reason::TokenRevoked));
    assert_eq!(house.judge(&b), None);
    house.close().await;

    let house = site.open().await;
    assert_eq!(house.judge(&a), Some(Reason::TokenRevoked));
    assert_eq!(house.judge(&b), None);
    // Nor under another name.
    let mut renamed = a.public_jwk();
    renamed["kid"] = "fresh".into();
    let document = serde_json::json!({ "keys": [renamed, b.public_jwk()] });
    provider.answer(Answer::Document(document.to_string()));
    until(|| house.ledger.view().keys["main"].contains_key("fresh")).await;
    assert_eq!(house.issuer().keys, 1);
    house.close().await;
}

#[tokio::test]
async fn an_unreadable_list_of_distrusted_keys_stops_the_start() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    std::fs::create_dir(site.path("state")).unwrap();
    std::fs::write(site.path("state/distrust.json"), "[").unwrap();
    let told = site.refused().await;
    assert!(told.contains("distrusted keys cannot be read"), "{told}");
    assert!(told.contains("state/distrust.json"), "{told}");
}

#[tokio::test]
async fn the_ledger_counts_over_a_restart_and_raises_the_alarm() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a, &b]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    assert_eq!(house.judge(&a), None);
    provider.answer(Answer::Document(jwks(&[&b])));
    until(|| !house.ledger.view().keys["main"][a.kid()].published).await;
    house.close().await;

    let house = site.open().await;
    provider.answer(Answer::Document(jwks(&[&a, &b])));
    until(|| house.judge(&a).is_none()).await;
    let record = house.ledger.view().keys["main"][a.kid()].clone();
    assert!(record.published && record.count >= 2, "{record:?}");
    assert_eq!(alarms(&house.telemetry.scrape(), "returned"), 1);
    let mut changed = key().public_jwk();
    changed["kid"] = a.kid().into();
    let document = serde_json::json!({ "keys": [changed, b.public_jwk()] });
    provider.answer(Answer::Document(document.to_string()));
    until(|| alarms(&house.telemetry.scrape(), "material_changed") == 1).await;
    assert_eq!(alarms(&house.telemetry.scrape(), "returned"), 1);
    house.close().await;
}

fn alarms(metrics: &str, kind: &str) -> u64 {
    let mut lines = metrics.lines();
    let line = lines.find(|line| line.contains("key_alarms") && line.contains(kind));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}
