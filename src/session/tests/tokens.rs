//! A refresh token is itself or nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::support::{Counting, keys, session};
use crate::secret::Secret;
use crate::session::{Forged, Genuine, KeyId, RefreshKeys, RefreshKeysError, Salt, Session};
use crate::time::Timestamp;

fn subject() -> Session {
    session(Timestamp::from_secs(1_700_000_000), &Counting::default())
}

fn token(session: &Session, generation: u64) -> String {
    derive(&keys(), session.key, session, generation)
}

fn derive(keys: &RefreshKeys, master: KeyId, session: &Session, generation: u64) -> String {
    let key = keys.of_session(master, &session.salt);
    key.expect("the key is there")
        .derive(session.id, generation)
}

fn verify(keys: &RefreshKeys, token: &str, session: &Session) -> Result<Genuine, Forged> {
    let presented = keys.parse(token)?;
    let key = keys.of_session(presented.key(), &session.salt);
    key.ok_or(Forged)?.verify(&presented)
}

fn check(session: &Session, token: &str) -> Result<u64, Forged> {
    let genuine = verify(&keys(), token, session)?;
    assert_eq!(genuine.session(), session.id);
    Ok(genuine.generation())
}

#[test]
fn a_token_names_its_generation_and_deriving_it_twice_gives_it_twice() {
    let session = subject();
    for generation in [0, 1, 127, 128, 16_384, u64::MAX] {
        let token = token(&session, generation);
        assert!(token.starts_with("tgr_") && token.len() <= 92, "{token}");
        assert_eq!(check(&session, &token), Ok(generation));
        assert_eq!(self::token(&session, generation), token);
    }
}

#[test]
fn every_altered_byte_makes_it_forged() {
    let session = subject();
    let token = token(&session, 300);
    for at in 0..token.len() {
        for flip in 1..=127_u8 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(altered) = String::from_utf8(bytes) else {
                continue;
            };
            assert_eq!(check(&session, &altered), Err(Forged), "{altered}");
        }
    }
}

#[test]
fn noise_ends_at_the_early_tag() {
    let session = subject();
    let token = token(&session, 1);
    let bytes = BASE64_URL_SAFE_NO_PAD
        .decode(&token[4..])
        .expect("we made it");
    for at in 0..bytes.len() - 24 {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let altered = format!("tgr_{}", BASE64_URL_SAFE_NO_PAD.encode(altered));
        assert!(keys().parse(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn only_one_spelling_counts() {
    let session = subject();
    let token = token(&session, 1);
    let longer = "A".repeat(1_000_000);
    for other in [
        "",
        "tgr_",
        &token[4..],
        &token.to_uppercase(),
        &format!("{token}="),
        &format!("{token}A"),
        &format!(" {token}"),
        &format!("tgr_{token}"),
        &format!("tgr_{longer}"),
    ] {
        assert_eq!(check(&session, other), Err(Forged));
    }
}

#[test]
fn neither_the_store_nor_the_key_alone_derives_a_token() {
    let session = subject();
    let other_key = RefreshKeys::new(&[Secret::new(vec![9; 32])]).expect("one key");
    let with_salt_alone = derive(&other_key, other_key.active(), &session, 0);
    let other_salt = Session {
        salt: Salt([0; 32]),
        ..session.clone()
    };
    let with_key_alone = token(&other_salt, 0);
    assert_eq!(check(&session, &with_salt_alone), Err(Forged));
    assert_eq!(check(&session, &with_key_alone), Err(Forged));
}

#[test]
fn a_token_of_a_former_key_is_understood_until_the_key_is_gone() {
    let session = subject();
    let token = token(&session, 4);
    let masters = [vec![1; 32], vec![7; 32]].map(Secret::new);
    let rotated = RefreshKeys::new(&masters).expect("two keys that differ");
    assert!(verify(&rotated, &token, &session).is_ok());
    let gone = RefreshKeys::new(&masters[..1]).expect("one key");
    assert!(gone.parse(&token).is_err());
}

#[test]
fn one_key_twice_is_a_fault() {
    let twice = [vec![1; 32], vec![1; 32]].map(Secret::new);
    assert!(matches!(RefreshKeys::new(&twice), Err(RefreshKeysError)));
    assert!(matches!(RefreshKeys::new(&[]), Err(RefreshKeysError)));
}
