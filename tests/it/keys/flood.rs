//! Ten thousand tokens of keys that nobody has: one fetch a cool-down, and nobody else feels it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{config, issuer_table, until};
use crate::support::{Client, Gateway, Issuer, Provider, ProviderAnswer, Upstream};

/// How many tokens of the flood, and by how many connections.
const TOKENS: usize = 10_000;
const CONNECTIONS: usize = 8;
const COOLDOWN: Duration = Duration::from_secs(3);
/// A request that waits for keys waits half a second: whoever is served within this one did not.
const AT_ONCE: Duration = Duration::from_millis(400);

/// A token that looks like one of `issuer`, with a `kid` and a signature that nobody made.
fn stray(issuer: &Issuer, number: usize) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "ES256", "typ": "at+jwt", "kid": format!("stray-{number}") }));
    let signature = URL_SAFE_NO_PAD.encode([7; 64]);
    format!("{header}.{}.{signature}", part(issuer.claims()))
}

/// Sends one token after the other, and gives how long each answer took.
fn send(client: &mut Client, tokens: impl Iterator<Item = String>, status: u16) -> Vec<Duration> {
    let took = tokens.map(|token| {
        let began = Instant::now();
        let answer = client.get("/app", &[&format!("Authorization: Bearer {token}")]);
        assert_eq!(answer.status, status, "{answer:?}");
        began.elapsed()
    });
    took.collect()
}

/// Of the slowest hundredth the fastest.
fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() * 99 / 100]
}

#[test]
fn a_flood_of_unknown_keys_costs_one_fetch_a_cooldown_and_slows_nobody() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let provider = Provider::start(ProviderAnswer::Document(issuer.jwks()));
    let keys = format!(
        "jwks_url = \"{}/jwks\"\nrefresh = {{ min = \"1h\", max = \"1h\", cooldown = \"{}s\" }}",
        provider.url(),
        COOLDOWN.as_secs()
    );
    let gateway = Gateway::start(
        &config(&upstream, &issuer_table("main", &issuer, &keys)),
        &[],
    );
    let good = issuer.token(json!({}));
    let quiet = p99(send(
        &mut gateway.client(),
        (0..200).map(|_| good.clone()),
        200,
    ));
    assert_eq!(provider.requests(), 1);

    let began = Instant::now();
    let is_over = AtomicBool::new(false);
    let (floods, valid) = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let strays = (0..TOKENS / CONNECTIONS).map(move |at| connection * TOKENS + at);
                let tokens = strays.map(|number| stray(&issuer, number));
                let tokens: Vec<String> = tokens.collect();
                let mut client = gateway.client();
                scope.spawn(move || send(&mut client, tokens.into_iter(), 401))
            })
            .collect();
        let (gateway, good, is_over) = (&gateway, &good, &is_over);
        let valid = scope.spawn(move || {
            let mut client = gateway.client();
            let goes_on = || !is_over.load(Ordering::SeqCst);
            send(
                &mut client,
                std::iter::from_fn(|| goes_on().then(|| good.clone())),
                200,
            )
        });
        let floods: Vec<Duration> = floods
            .into_iter()
            .flat_map(|flood| flood.join().expect("the flood is answered"))
            .collect();
        is_over.store(true, Ordering::SeqCst);
        (floods, valid.join().expect("valid tokens pass"))
    });
    let lasted = began.elapsed();

    assert_eq!(floods.len(), TOKENS);
    let fetches = provider.requests() - 1;
    let cooldowns = lasted.as_millis() / COOLDOWN.as_millis() + 1;
    assert!(
        fetches >= 1 && fetches as u128 <= cooldowns,
        "{fetches} fetches in {lasted:?}"
    );
    let (flood, valid) = (p99(floods), p99(valid));
    assert!(flood < AT_ONCE, "strays wait {flood:?}");
    assert!(
        valid < AT_ONCE.max(5 * quiet),
        "valid tokens wait {valid:?}, without the flood {quiet:?}"
    );
    let told = |outcome: &str| gateway.metric("tollgate_token_verifications_total", &[outcome]);
    assert_eq!(told("outcome=\"key_unknown\"") as usize, TOKENS);
}

#[test]
fn a_fetch_that_failed_counts_towards_the_cooldown_and_a_silent_provider_holds_nobody_for_long() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let provider = Provider::start(ProviderAnswer::Document(issuer.jwks()));
    let keys = format!(
        "jwks_url = \"{}/jwks\"\nrefresh = {}",
        provider.url(),
        super::SELDOM
    );
    let gateway = Gateway::start(
        &config(&upstream, &issuer_table("main", &issuer, &keys)),
        &[],
    );
    provider.answer(ProviderAnswer::Silence);
    let first = send(
        &mut gateway.client(),
        std::iter::once(stray(&issuer, 0)),
        401,
    )[0];
    assert!(
        first >= Duration::from_millis(450),
        "it did not wait: {first:?}"
    );
    assert!(first < Duration::from_secs(3), "it waited {first:?}");
    until("the fetch is given up", || {
        super::refreshes(&gateway, "main", "failed") >= 1.0
    });
    let asked = provider.requests();
    // Longer than the pause after which the refresher tries again by itself: not even that is brought forward.
    let (began, mut client) = (Instant::now(), gateway.client());
    let strays = (1..).map(|at| stray(&issuer, at));
    let strays = strays.take_while(|_| began.elapsed() < Duration::from_secs(3));
    let later = send(&mut client, strays, 401);
    assert!(p99(later) < AT_ONCE);
    assert_eq!(provider.requests(), asked);
}
