//! Keys that are found where the issuer's metadata says, and that move.

use super::house::{House, Site, jwks, key, until};
use super::provider::{Answer, Provider};
use crate::token::{SigningKey, WantedKey};

/// Refreshes when a request asks, however often.
const OFTEN_WISHED: &str = "refresh = { min = \"1h\", max = \"1h\", cooldown = \"1ms\" }";

fn nothing(status: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

/// An issuer whose keys are discovered.
struct Discovered {
    site: Site,
    metadata: Provider,
}

impl Discovered {
    /// The issuer `other`, which says that its keys are at `keys`.
    async fn at(keys: &Provider, refresh: &str) -> Self {
        let (site, metadata) = (Site::new(), Provider::start(Answer::Silence).await);
        std::fs::write(site.path("jwks.json"), jwks(&[&key()])).unwrap();
        let other = format!(
            "[issuers.other]\nissuer = \"http://{}\"\naudiences = [\"api\"]\nalgorithms = [\"ES256\"]\n\
             discovery = true\n{refresh}",
            metadata.address
        );
        site.configure("jwks_file = \"jwks.json\"", &other);
        let discovered = Self { site, metadata };
        discovered.say(keys);
        discovered
    }

    /// From now on the keys are at `keys`.
    fn say(&self, keys: &Provider) {
        self.metadata.answer(Answer::Document(format!(
            "{{\"issuer\": \"http://{}\", \"jwks_uri\": \"{}\"}}",
            self.metadata.address,
            keys.url()
        )));
    }
}

/// How many keys the issuer has, after a token of an unknown key came.
async fn keys_after_a_wish(house: &House) -> usize {
    let seen = house.gate.load();
    house.keys.wanted("other", WantedKey::Unseen, &seen).await;
    house.status().issuers[1].keys
}

async fn provider_of(keys: &[&SigningKey]) -> Provider {
    Provider::start(Answer::Document(jwks(keys))).await
}

#[tokio::test]
async fn keys_are_discovered_where_the_issuer_says() {
    let keys = provider_of(&[&key()]).await;
    let issuer = Discovered::at(&keys, "").await;
    let house = issuer.site.open().await;
    assert_eq!(house.status().issuers[1].keys, 1);
    let heads = issuer.metadata.heads();
    assert!(heads[0].starts_with("GET /.well-known/openid-configuration "));
    house.close().await;
}

#[tokio::test]
async fn keys_that_moved_are_found_by_the_request_that_misses_one() {
    let (old, new) = (
        provider_of(&[&key()]).await,
        provider_of(&[&key(), &key()]).await,
    );
    let issuer = Discovered::at(&old, "").await;
    let house = issuer.site.open().await;
    issuer.say(&new);
    old.answer(nothing("404 Not Found"));
    assert_eq!(keys_after_a_wish(&house).await, 2);
    house.close().await;
}

#[tokio::test]
async fn keys_that_moved_are_found_though_the_old_ones_are_still_there() {
    let (old, new) = (
        provider_of(&[&key()]).await,
        provider_of(&[&key(), &key()]).await,
    );
    let issuer = Discovered::at(&old, OFTEN_WISHED).await;
    let house = issuer.site.open().await;
    issuer.say(&new);
    assert_eq!(keys_after_a_wish(&house).await, 1, "nothing new was there");
    assert_eq!(keys_after_a_wish(&house).await, 2);
    house.close().await;
}

#[tokio::test]
async fn another_address_is_not_asked_whether_the_document_of_the_old_one_changed() {
    let (a, b) = (key(), key());
    let (old, new) = (provider_of(&[&a]).await, provider_of(&[&a, &b]).await);
    let issuer = Discovered::at(&old, OFTEN_WISHED).await;
    let house = issuer.site.open().await;
    issuer.say(&new);
    let its_keys = new.answer(nothing("503 Service Unavailable"));
    issuer
        .site
        .replace("cooldown = \"1ms\"", "cooldown = \"2ms\"");
    house.handle.reload().await.unwrap();
    until(|| new.requests() > 1).await;
    new.answer(its_keys);
    until(|| house.status().issuers[1].keys == 2).await;
    let heads = new.heads();
    assert!(heads.iter().all(|head| !head.contains("if-none-match")));
    house.close().await;
}

#[tokio::test]
async fn keys_are_found_where_they_were_while_the_metadata_is_down() {
    let (a, b) = (key(), key());
    let keys = provider_of(&[&a]).await;
    let issuer = Discovered::at(&keys, OFTEN_WISHED).await;
    let house = issuer.site.open().await;
    assert_eq!(keys_after_a_wish(&house).await, 1, "nothing new was there");
    issuer.metadata.answer(nothing("503 Service Unavailable"));
    keys.answer(Answer::Document(jwks(&[&a, &b])));
    assert_eq!(keys_after_a_wish(&house).await, 2);
    house.close().await;
}
