//! What a provider can and cannot do to its issuer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::join;
use tokio::sync::Notify;

use super::house::{Site, jwks, key, remote, until};
use super::provider::{Answer, Provider};
use crate::control::IssuerState;
use crate::gate::Reason;
use crate::token::WantedKey;

/// Refreshes all the time.
const OFTEN: &str = "{ min = \"20ms\", max = \"20ms\", cooldown = \"10s\" }";
/// Refreshes when a request asks, once.
const SELDOM: &str = "{ min = \"1h\", max = \"1h\", cooldown = \"1h\" }";

fn reply(head: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Raw(format!(
        "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

#[tokio::test]
async fn keys_are_there_before_the_first_request() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    assert_eq!(house.judge(&key()), Some(Reason::KeyUnknown));
    assert_eq!(house.issuer().state, IssuerState::Fresh);
    assert_eq!(house.issuer().age_s, Some(0));
    house.close().await;
}

#[tokio::test]
async fn a_document_that_did_not_change_changes_nothing() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    let gate = house.gate.load();
    until(|| provider.requests() > 5).await;
    let heads = provider.heads();
    assert!(!heads[0].contains("if-none-match"));
    assert!(
        heads[1..]
            .iter()
            .all(|head| head.contains("if-none-match: \""))
    );
    assert!(house.gate.is_current(&gate));
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_only_says_that_nothing_changed_is_asked_as_often_as_it_wished_before() {
    let (site, a) = (Site::new(), key());
    let head = "200 OK\r\nETag: \"1\"\r\nCache-Control: max-age=0";
    let provider = Provider::start(reply(head, &jwks(&[&a]))).await;
    let pace = "{ min = \"20ms\", max = \"1h\", cooldown = \"1h\" }";
    site.configure(&remote(&provider, pace), "");
    let house = site.open().await;
    provider.answer(reply("304 Not Modified", ""));
    until(|| provider.requests() > 4).await;
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn a_busy_provider_is_left_alone_for_as_long_as_it_asks() {
    let (site, a) = (Site::new(), key());
    let head = "200 OK\r\nCache-Control: max-age=0";
    let provider = Provider::start(reply(head, &jwks(&[&a]))).await;
    let pace = "{ min = \"20ms\", max = \"1h\", cooldown = \"1h\" }";
    site.configure(&remote(&provider, pace), "");
    let house = site.open().await;
    let busy = "503 Service Unavailable\r\nRetry-After: 600";
    provider.answer(reply(busy, ""));
    until(|| house.issuer().last_error.is_some()).await;
    let before = provider.requests();
    // Unasked, it would be tried again within 1.1 s.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(provider.requests(), before);
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn a_refresh_replaces_the_set_exactly() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    assert_eq!(house.judge(&a), None);
    provider.answer(Answer::Document(jwks(&[&b])));
    until(|| house.judge(&b).is_none()).await;
    assert_eq!(house.judge(&a), Some(Reason::KeyUnknown));
    house.close().await;
}

#[tokio::test]
async fn a_broken_provider_takes_no_key_away() {
    /// Nothing is wrong with it.
    const NOTHING: &str = "";
    let (site, a) = (Site::new(), key());
    let elsewhere = Provider::start(Answer::Document(jwks(&[&key()]))).await;
    let redirect = format!("302 Found\r\nLocation: {}", elsewhere.url());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, OFTEN), "");
    let house = site.open().await;
    let large = " ".repeat(300 * 1024);
    let rows = [
        (reply("200 OK", "<html>"), "JSON"),
        (reply("200 OK", "{\"keys\": []}"), "can be used"),
        (
            reply("200 OK", "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AA\"}]}"),
            "can be used",
        ),
        (reply("500 Internal Server Error", ""), "500"),
        (
            reply("200 OK\r\nContent-Encoding: gzip", "\u{1f}"),
            "nobody asked for gzip",
        ),
        (reply("304 Not Modified", ""), NOTHING),
        (reply(&redirect, ""), "another host"),
        (reply("302 Found\r\nLocation: /jwks", ""), "redirects"),
        (reply("200 OK", &large), "more than 262144 bytes"),
        (Answer::Endless, "more than 262144 bytes"),
        (Answer::Raw("SSH-2.0-OpenSSH\r\n".to_owned()), "http"),
    ];
    for (answer, told) in rows {
        provider.answer(answer);
        let error = || house.issuer().last_error.unwrap_or_default();
        until(|| match told {
            NOTHING => error().is_empty(),
            told => error().to_lowercase().contains(&told.to_lowercase()),
        })
        .await;
        assert_eq!(house.judge(&a), None, "{told}");
    }
    assert_eq!(house.issuer().state, IssuerState::Stale);
    assert_eq!(elsewhere.requests(), 0);
    // A server may choose any coding where nothing is said (RFC 9110 §12.5.3).
    for head in provider.heads() {
        assert!(head.contains("accept-encoding: identity"), "{head}");
    }
    house.close().await;
}

#[tokio::test]
async fn an_unknown_key_is_fetched_while_its_request_waits() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(Answer::Document(jwks(&[&a, &b])));
    let seen = house.gate.load();
    let callers = (0..50).map(|_| house.keys.wanted("main", WantedKey::Unseen, &seen));
    assert!(join_all(callers).await.into_iter().all(|answer| answer));
    assert_eq!(house.judge(&b), None);
    assert_eq!(provider.requests(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_change_elsewhere_ends_no_wait_for_a_key() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    let pace = "{ min = \"1h\", max = \"1h\", cooldown = \"1ms\" }";
    site.configure(&remote(&provider, pace), "");
    let house = site.open().await;
    let may = Arc::new(Notify::new());
    provider.answer(Answer::Held(may.clone(), jwks(&[&a])));
    let seen = house.gate.load();
    let wanted = || house.keys.wanted("main", WantedKey::Unseen, &seen);
    let rotation = async {
        until(|| provider.requests() == 2).await;
        provider.answer(Answer::Document(jwks(&[&a, &b])));
        let distrusted = house.handle.distrust("main".into(), "other".into()).await;
        assert!(distrusted.unwrap().is_ok());
        may.notify_one();
    };
    // The second one joins a fetch that began before the rotation.
    join!(wanted(), wanted(), rotation);
    until(|| house.judge(&b).is_none()).await;
    house.close().await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_fetches_once_and_slows_nobody() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(reply("503 Service Unavailable", ""));
    let (seen, begun) = (house.gate.load(), Instant::now());
    let callers = (0..10_000).map(|_| house.keys.wanted("main", WantedKey::Unseen, &seen));
    assert!(join_all(callers).await.into_iter().all(|answer| !answer));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!house.keys.wanted("main", WantedKey::Unseen, &seen).await);
    assert_eq!(provider.requests(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_silent_provider_holds_a_request_for_half_a_second() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    provider.answer(Answer::Silence);
    let (seen, begun) = (house.gate.load(), Instant::now());
    assert!(!house.keys.wanted("main", WantedKey::Unseen, &seen).await);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(490), "{waited:?}");
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    assert_eq!(house.judge(&a), None);
    house.close().await;
}

#[tokio::test]
async fn nobody_waits_for_keys_that_are_fixed() {
    let (site, a) = (Site::new(), key());
    std::fs::write(site.path("jwks.json"), jwks(&[&a])).unwrap();
    site.configure("jwks_file = \"jwks.json\"", "");
    let house = site.open().await;
    assert!(
        !house
            .keys
            .wanted("main", WantedKey::Unseen, &house.gate.load())
            .await
    );
    assert!(
        !house
            .keys
            .wanted("nobody", WantedKey::Unseen, &house.gate.load())
            .await
    );
    house.close().await;
}

#[tokio::test]
async fn a_request_that_was_judged_by_an_older_gate_is_judged_again() {
    let (site, a, b) = (Site::new(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    let seen = house.gate.load();
    provider.answer(Answer::Document(jwks(&[&b])));
    assert!(house.keys.wanted("main", WantedKey::Unseen, &seen).await);
    // The cool-down runs now, and no fetch is begun; but the key arrived meanwhile.
    assert!(house.keys.wanted("main", WantedKey::Unseen, &seen).await);
    assert!(
        !house
            .keys
            .wanted("main", WantedKey::Unseen, &house.gate.load())
            .await
    );
    house.close().await;
}

#[tokio::test]
async fn keys_that_nobody_confirms_serve_no_longer_than_allowed() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    let keys = format!("{}\nkeys_stale_max = \"1s\"", remote(&provider, OFTEN));
    site.configure(&keys, "");
    let house = site.open().await;
    drop(provider);
    until(|| house.issuer().last_error.is_some()).await;
    assert_eq!(house.judge(&a), None);
    site.clock.advance(Duration::from_secs(2));
    until(|| house.issuer().state == IssuerState::Unavailable).await;
    assert_eq!(house.judge(&a), Some(Reason::IssuerUnavailable));
    assert!(house.status().is_ready());
    house.close().await;
}

#[tokio::test]
async fn a_fetch_that_brought_a_new_key_leaves_the_next_one_to_the_next_rotation() {
    let (site, a, b, c) = (Site::new(), key(), key(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    site.configure(&remote(&provider, SELDOM), "");
    let house = site.open().await;
    let wanted = async || {
        let seen = house.gate.load();
        house.keys.wanted("main", WantedKey::Unseen, &seen).await
    };
    for keys in [[&a, &b], [&b, &c]] {
        provider.answer(Answer::Document(jwks(&keys)));
        assert!(
            wanted().await,
            "the cool-down is for fetches without a find"
        );
        assert_eq!(house.judge(keys[1]), None);
    }
    // The same keys in another document are no find, and nor is one key less.
    provider.answer(Answer::Document(format!("{} ", jwks(&[&c]))));
    assert!(wanted().await);
    let asked = provider.requests();
    provider.answer(Answer::Document(jwks(&[&a, &b, &c])));
    assert!(!wanted().await);
    assert_eq!(provider.requests(), asked);
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_is_up_is_asked_before_its_keys_are_too_old() {
    let (site, a) = (Site::new(), key());
    let provider = Provider::start(Answer::Document(jwks(&[&a]))).await;
    let keys = format!("{}\nkeys_stale_max = \"1s\"", remote(&provider, SELDOM));
    site.configure(&keys, "");
    let house = site.open().await;
    for _ in 0..2 {
        let asked = provider.requests();
        site.clock.advance(Duration::from_secs(2));
        until(|| {
            assert_eq!(house.judge(&a), None, "the provider is up");
            provider.requests() > asked
        })
        .await;
    }
    drop(provider);
    site.clock.advance(Duration::from_secs(2));
    until(|| house.judge(&a) == Some(Reason::IssuerUnavailable)).await;
    house.close().await;
}
