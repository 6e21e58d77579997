//! What an access token says, whatever the identity service said.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::support::{Counting, session};
use crate::session::{AccessMinter, AccessTerms, Grant, Moment};
use crate::time::Timestamp;
use crate::token::{Algorithm, ClaimPath, SigningKey};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn minted(grant: Grant, moment: Moment) -> Value {
    let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
    let key = SigningKey::from_pem(&pem).unwrap();
    let minter = AccessMinter::new(AccessTerms {
        issuer: "https://auth.example.com".into(),
        audience: "https://api.example.com".into(),
        lifetime: Duration::from_secs(600),
        jitter: 0.0,
        products: ClaimPath::parse("app.products").unwrap(),
    });
    let mut session = session(NOW, &Counting::default());
    session.grant = grant;
    let minted = minter.mint(&key, &session, "api", moment, &Counting::default());
    let claims = minted.token.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

fn at(committed_at: Timestamp, now: Timestamp) -> Moment {
    Moment { committed_at, now }
}

#[test]
fn a_claim_that_is_the_gates_own_is_never_the_identity_services() {
    let claims = Grant::RESERVED.map(|name| (name.to_owned(), json!("forged")));
    let grant = Grant {
        claims: claims.into_iter().collect(),
        ..Grant::default()
    };
    let said = minted(grant, at(NOW, NOW));
    assert!(!said.to_string().contains("forged"), "{said}");
    assert_eq!((said.get("nbf"), said.get("cnf")), (None, None));
    assert_eq!(said["sub"], "u_1");
}

#[test]
fn products_stand_at_their_path_whatever_else_was_said_there() {
    for app in [json!(7), json!({ "products": ["admin"], "plan": "free" })] {
        let grant = Grant {
            products: vec!["crm".into()],
            claims: [("app".to_owned(), app)].into_iter().collect(),
            ..Grant::default()
        };
        let said = minted(grant, at(NOW, NOW));
        assert_eq!(said["app"]["products"], json!(["crm"]));
    }
}

#[test]
fn a_token_is_named_by_the_stores_time_and_lives_by_the_present() {
    let later = NOW.plus(Duration::from_secs(30));
    let said = minted(Grant::default(), at(later, NOW));
    let id = crate::session::TimedId::parse(said["jti"].as_str().unwrap()).unwrap();
    assert_eq!(
        (id.given_at(), said["iat"].as_u64()),
        (later, Some(NOW.as_secs()))
    );
    assert_eq!(
        said["exp"].as_u64(),
        Some(NOW.as_secs() + 90),
        "the session ends then"
    );
}
