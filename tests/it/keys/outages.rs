//! Providers that break in every way they know while tokens come in: none is refused for it, and each issuer is told of alone.

use serde_json::{Value, json};

use super::{OFTEN, config, fate, issuer_table, jwks, refreshes, status_of, until};
use crate::support::{Gateway, Issuer, Provider, ProviderAnswer, Upstream};

/// One issuer with a provider of its own.
struct House {
    name: &'static str,
    issuer: Issuer,
    provider: Provider,
    /// What its provider says once it is broken.
    broken: ProviderAnswer,
    /// What the operator reads then.
    told: &'static str,
}

/// An RSA key of 1,024 bits.
fn weak_rsa() -> Value {
    let modulus = format!("{}{}", "v".repeat(170), "w");
    json!({ "kty": "RSA", "kid": "weak", "alg": "RS256", "n": modulus, "e": "AQAB" })
}

fn other_key(kid: &str) -> Value {
    let mut key = Issuer::new("https://other.example.com").key.public_jwk();
    key["kid"] = kid.into();
    key
}

fn reply(body: &str) -> ProviderAnswer {
    ProviderAnswer::Document(body.to_owned())
}

/// Every way to break, with what is told of it.
fn ways(elsewhere: &Provider) -> Vec<(&'static str, ProviderAnswer, &'static str)> {
    let too_many: Vec<Value> = (0..101).map(|at| other_key(&format!("k{at}"))).collect();
    let mut off_curve = other_key("off");
    off_curve["y"] = off_curve["x"].clone();
    let secret =
        json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" });
    let redirect = format!("302 Found\r\nLocation: {}/jwks", elsewhere.url());
    vec![
        ("killed", ProviderAnswer::Closed, "error sending request"),
        ("hangs", ProviderAnswer::Silence, "time"),
        ("garbage", reply("<html>It works!</html>"), "no JSON object"),
        (
            "not-http",
            ProviderAnswer::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()),
            "error sending request",
        ),
        (
            "ten-megabytes",
            ProviderAnswer::Endless(10 << 20),
            "more than 262144 bytes",
        ),
        ("redirects", ProviderAnswer::Head(redirect), "another host"),
        (
            "loops",
            ProviderAnswer::Head("302 Found\r\nLocation: /jwks".into()),
            "redirects",
        ),
        (
            "fails",
            ProviderAnswer::Head("500 Internal Server Error".into()),
            "500",
        ),
        (
            "vanishes",
            ProviderAnswer::Head("404 Not Found".into()),
            "404",
        ),
        ("empty", reply("{\"keys\": []}"), "can be used"),
        ("too-many", reply(&jwks(&too_many)), "over 100 keys"),
        (
            "poisoned",
            reply(&jwks(&[weak_rsa(), off_curve, secret, json!(7)])),
            "can be used",
        ),
        ("twice", reply("{\"keys\": [], \"keys\": []}"), "duplicate"),
    ]
}

#[test]
fn whatever_breaks_a_provider_valid_tokens_pass_and_no_other_issuer_feels_it() {
    let (upstream, elsewhere) = (Upstream::start(), Provider::start(reply("{}")));
    let house = |(name, broken, told)| {
        let issuer = Issuer::new(&format!("https://{name}.example.com"));
        let provider = Provider::start(reply(&issuer.jwks()));
        House {
            name,
            issuer,
            provider,
            broken,
            told,
        }
    };
    let mut houses: Vec<House> = ways(&elsewhere).into_iter().map(house).collect();
    let healthy = Issuer::new("https://healthy.example.com");
    let sound = healthy.jwks();
    houses.push(house(("healthy", reply(&sound), "")));
    let last = houses.last_mut().expect("the healthy one");
    (last.provider, last.issuer) = (Provider::start(reply(&sound)), healthy);

    let table = |house: &House| {
        let keys = format!(
            "jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}",
            house.provider.url()
        );
        issuer_table(house.name, &house.issuer, &keys)
    };
    let tables: String = houses.iter().map(table).collect();
    let gateway = Gateway::start(&config(&upstream, &tables), &[]);
    let tokens: Vec<String> = houses
        .iter()
        .map(|house| house.issuer.token(json!({})))
        .collect();
    let all_pass = || {
        for (house, token) in houses.iter().zip(&tokens) {
            assert_eq!(fate(&gateway, token), "passes", "{}", house.name);
        }
    };
    all_pass();
    for house in &houses {
        house.provider.answer(house.broken.clone());
    }
    for house in &houses[..houses.len() - 1] {
        until(house.name, || {
            all_pass();
            refreshes(&gateway, house.name, "failed") >= 1.0
        });
        let status = status_of(&gateway, house.name);
        let error = status["last_error"].as_str().unwrap_or_default();
        assert!(error.contains(house.told), "{}: {error}", house.name);
        assert_eq!(
            (&status["state"], &status["keys"]),
            (&json!("stale"), &json!(1))
        );
    }
    let before = refreshes(&gateway, "healthy", "unchanged");
    until("the healthy one is refreshed on", || {
        refreshes(&gateway, "healthy", "unchanged") > before
    });
    assert_eq!(refreshes(&gateway, "healthy", "failed"), 0.0);
    assert_eq!(
        elsewhere.requests(),
        0,
        "a redirect was followed to another host"
    );
    all_pass();

    // Each comes back by itself.
    for house in &houses {
        let more = jwks(&[house.issuer.key.public_jwk(), other_key("new")]);
        house.provider.answer(reply(&more));
    }
    for house in &houses[..houses.len() - 1] {
        until(house.name, || status_of(&gateway, house.name)["keys"] == 2);
    }
    all_pass();
}

#[test]
fn odd_keys_in_a_set_take_none_of_the_others_with_them() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let provider = Provider::start(reply(&issuer.jwks()));
    let keys = format!("jwks_url = \"{}/jwks\"\nrefresh = {OFTEN}", provider.url());
    let gateway = Gateway::start(
        &config(&upstream, &issuer_table("main", &issuer, &keys)),
        &[],
    );
    let good = issuer.token(json!({}));
    assert_eq!(fate(&gateway, &good), "passes");

    let mut shown = Issuer::new(&issuer.url).key.public_jwk();
    shown["d"] = json!("AAAA");
    let set = [
        weak_rsa(),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1" }),
        json!({ "kty": "AKP", "kid": 7 }),
        json!(null),
        issuer.key.public_jwk(),
        // Of two keys with one name the first one counts.
        other_key(issuer.key.kid()),
        shown,
    ];
    provider.answer(reply(&jwks(&set)));
    until("the set is fetched", || {
        refreshes(&gateway, "main", "fetched") >= 2.0
    });
    assert_eq!(fate(&gateway, &good), "passes");
    assert_eq!(status_of(&gateway, "main")["keys"], 1);
    for odd in ["weak", "k1", "another key has its `kid`", "private key"] {
        gateway.told(odd);
    }
}
