//! Nothing that lies in the store can be shown to the gateway.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::house::{cookie, house};
use crate::support::output;

#[test]
fn the_store_holds_no_token_and_no_part_of_one_that_proves_anything() {
    let house = house();
    let handle =
        json!({ "subject": "u_1", "products": ["crm"], "refresh_handle": "the-opaque-handle" });
    house.service.answers("/login", 200, &handle);
    let mut tokens = vec![house.login()];
    for _ in 0..10 {
        let last = tokens.last().unwrap().refresh.clone();
        tokens.push(house.rotated(&last));
    }
    let mut issued: Vec<String> = Vec::new();
    for one in &tokens {
        issued.extend([one.access.clone(), one.refresh.clone()]);
    }
    let web = house.web("/auth/login", None, &[]);
    issued.push(cookie(&web).split_once('=').unwrap().1.to_owned());
    issued.push(web.json()["access_token"].as_str().unwrap().to_owned());
    let assertion = house.assertion("one", json!({}));
    let body = format!("grant_type=client_credentials&{assertion}");
    let own = house.form("/oauth/token", &body);
    issued.push(own.json()["access_token"].as_str().unwrap().to_owned());
    issued.push(assertion.rsplit('=').next().unwrap().to_owned());
    let returned = format!("client_id=mobile&token={}", tokens[10].access);
    assert_eq!(house.form("/oauth/revoke", &returned).status, 200);
    let folder = house.gateway.folder.path();
    let path = folder.join("sessions.db");
    let dump = output(Command::new("sqlite3").arg(&path).arg(".dump"));
    let mut places = vec![("the dump", dump.into_bytes())];
    for name in [
        "sessions.db",
        "sessions.db-wal",
        "sessions.db-shm",
        "stderr.log",
        "access.log",
    ] {
        places.push((name, fs::read(folder.join(name)).unwrap_or_default()));
    }
    assert!(
        places[0].1.len() > 1000 && places[2].1.len() > 1000,
        "they were read"
    );
    for (place, bytes) in &places {
        let holds = |needle: &[u8]| memmem(bytes, needle);
        for token in &issued {
            assert!(!holds(token.as_bytes()), "{place} holds {token}");
            for proof in proofs(token) {
                assert!(!holds(&proof), "{place} holds what proves {token}");
                assert!(!holds(hex(&proof).as_bytes()), "{place} holds it in hex");
            }
        }
        assert!(!holds(b"the-opaque-handle"), "{place} holds the handle");
    }
    assert!(memmem(&places[0].1, b"u_1"), "what may be there is found");
}

/// The parts of a token that nobody can make without a key: the tags of a refresh token, the signature of a JWS.
fn proofs(token: &str) -> Vec<Vec<u8>> {
    match token.strip_prefix("tgr_") {
        Some(encoded) => {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap();
            let tag = bytes.len() - 24;
            vec![bytes[tag - 8..tag].to_vec(), bytes[tag..].to_vec()]
        }
        None => {
            let signature = token.rsplit('.').next().unwrap();
            let raw = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
            vec![signature.as_bytes().to_vec(), raw]
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn memmem(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}
