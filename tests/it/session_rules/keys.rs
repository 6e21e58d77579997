//! The life of the gate's own signing keys.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::{Value, json};

use super::house::{House, fails, house, part};

/// Whether a verifier with this copy of the JWKS accepts a token.
pub fn verifies(jwks: &JwkSet, token: &str) -> bool {
    let kid = part(token, 0)["kid"].as_str().unwrap().to_owned();
    let Some(jwk) = jwks.find(&kid) else {
        return false;
    };
    let mut terms = Validation::new(jsonwebtoken::Algorithm::ES256);
    terms.set_audience(&["https://api.example.com"]);
    terms.set_issuer(&["https://auth.example.com"]);
    // The gateway's clock is not this process's.
    terms.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &terms).is_ok()
}

pub fn jwks(house: &House) -> JwkSet {
    serde_json::from_slice(&house.jwks().body).unwrap()
}

fn kids(set: &JwkSet) -> Vec<String> {
    let ids = set.keys.iter().map(|key| key.common.key_id.clone());
    ids.map(Option::unwrap).collect()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// Waits until the JWKS holds so many keys: the gateway sees a changed file by itself.
fn await_keys(house: &House, count: usize) -> JwkSet {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let set = jwks(house);
        if set.keys.len() == count {
            return set;
        }
        assert!(Instant::now() < deadline, "{:?}", kids(&set));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn rotate(house: &House) -> String {
    let output = house.tollgate(&["key", "rotate"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{error}");
    said
}

#[test]
fn whoever_keeps_the_jwks_as_long_as_it_allows_verifies_every_token_through_a_rotation() {
    let house = house();
    let age = house.jwks();
    assert_eq!(age.field("cache-control"), Some("public, max-age=300"));
    let first = house.login();
    let old = kid(&first.access);
    let said = rotate(&house);
    assert!(said.contains(&format!("active   {old}")), "{said}");
    assert!(said.contains("next"), "{said}");
    let mut copies = vec![(house.clock.now(), await_keys(&house, 2))];
    let mut signed_by = Vec::new();
    // Half an hour, a login each minute, and a copy of the JWKS that is never older than its max-age, and often that old.
    for _ in 0..30 {
        house.wait(60);
        let now = house.clock.now();
        let token = house.login().access;
        let oldest = copies.iter().find(|(at, _)| now - at <= 300).unwrap();
        assert!(verifies(&oldest.1, &token), "{now} {:?}", kids(&oldest.1));
        assert_eq!(house.api(&token), 200);
        signed_by.push(kid(&token));
        copies.push((now, jwks(&house)));
    }
    let new = signed_by.last().unwrap().clone();
    assert_ne!(new, old);
    let switched = signed_by.iter().position(|kid| *kid == new).unwrap();
    assert!((14..=16).contains(&switched), "it signs after 15 minutes");
    assert!(signed_by[..switched].iter().all(|kid| *kid == old));
    assert!(signed_by[switched..].iter().all(|kid| *kid == new));
    assert_eq!(
        kids(&copies.last().unwrap().1),
        [new],
        "the old key is gone"
    );
}

#[test]
fn a_retired_key_verifies_until_its_last_token_has_expired_and_no_longer() {
    let house = house();
    rotate(&house);
    await_keys(&house, 2);
    house.wait(895);
    let last = house.login().access;
    assert_eq!(kid(&last), house.signing.kid());
    house.wait(50);
    assert_ne!(kid(&house.login().access), house.signing.kid());
    assert_eq!(house.api(&last), 200, "it lives until its `exp`");
    assert_eq!(house.bearer("GET", "/auth/sessions", &last).status, 200);
    house.wait(200);
    assert_eq!(jwks(&house).keys.len(), 1);
    let now = house.clock.now();
    let mut claims = part(&last, 1);
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 60));
    let forged = house.signing.sign("at+jwt", &claims);
    let deadline = Instant::now() + Duration::from_secs(20);
    while house.api(&forged) != 401 {
        assert!(
            Instant::now() < deadline,
            "a key that is gone opens a route"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(house.bearer("GET", "/auth/sessions", &forged).status, 401);
}

#[test]
fn a_master_key_takes_over_from_another_and_nobody_is_logged_out() {
    let house = house();
    let said = json!({ "subject": "u_1", "products": ["crm"], "refresh_handle": "the-handle" });
    house.service.answers("/login", 200, &said);
    let path = house.gateway.config_path();
    let second = house.gateway.folder.path().join("second.key");
    std::fs::write(second, "ab".repeat(32)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let serve = |keys: &str| {
        let text = text.replace("[\"file:refresh.key\"]", keys);
        std::fs::write(&path, text).unwrap();
        assert_eq!(house.gateway.admin_post("/api/reload", "").status, 200);
    };
    let mut token = house.login().refresh;
    serve("[\"file:second.key\", \"file:refresh.key\"]");
    let before = token.clone();
    token = house.rotated(&before).refresh;
    assert_eq!(house.rotated(&before).refresh, token, "the same successor");
    serve("[\"file:second.key\"]");
    token = house.rotated(&token).refresh;
    assert_eq!(house.refresh(&token).status, 200);
    let asked = house.service.asked("/claims");
    assert_eq!(asked.len(), 3);
    for question in asked {
        assert!(question.contains("the-handle"), "{question}");
    }
}

#[test]
fn the_key_file_is_replaced_whole_and_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = house();
    let path = house.gateway.folder.path().join("sign.pem");
    let before = std::fs::read_to_string(&path).unwrap();
    rotate(&house);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(before.trim_end()));
    assert_eq!(text.matches("BEGIN PRIVATE KEY").count(), 2);
    assert_eq!(text.matches("Signs-From: ").count(), 1);
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077 & !0o040, 0, "{mode:o}");
    let again = house.tollgate(&["key", "rotate"]);
    let error = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && error.contains("waits already"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let hasty = house.tollgate(&["key", "rotate", "--replace", "--lead", "10"]);
    assert!(!hasty.status.success());
    let help = house.tollgate(&["key", "rotate", "--help"]);
    for said in [hasty.stderr, help.stdout] {
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("at least 360"), "{said}");
    }
    // Another rotation that has read the same keys.
    let draft = path.with_extension("rotating");
    std::fs::write(&draft, "").unwrap();
    let second = house.tollgate(&["key", "rotate", "--replace"]);
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        !second.status.success() && error.contains("sign.rotating"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    std::fs::remove_file(&draft).unwrap();
    let nameless = house.tollgate(&["key", "rotate", "--replace", "--alg", "none"]);
    assert!(!nameless.status.success() && !draft.exists());
    let replaced = house.tollgate(&["key", "rotate", "--replace", "--alg", "EdDSA"]);
    assert!(replaced.status.success());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("BEGIN PRIVATE KEY").count(), 2);
}

#[test]
fn a_key_that_is_distrusted_dies_with_all_it_signed_and_never_signs_again() {
    let mut house = house();
    let tokens = house.login();
    let stolen = kid(&tokens.access);
    assert_eq!(house.api(&tokens.access), 200);
    let told = house.tollgate(&["key", "distrust", "sessions", &stolen]);
    assert!(told.status.success(), "{told:?}");
    let said: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(said["kept"], true, "the store remembers it: {told:?}");
    assert_eq!(house.api(&tokens.access), 401, "at once");
    let forged = house.signing.sign("at+jwt", &part(&tokens.access, 1));
    assert_eq!(house.api(&forged), 401);
    assert_eq!(house.bearer("GET", "/auth/sessions", &forged).status, 401);
    assert!(jwks(&house).keys.is_empty());
    // No key is left: nothing is consumed, nobody is logged out.
    for answer in [house.try_login(), house.refresh(&tokens.refresh)] {
        fails(&answer, 503, "temporarily_unavailable");
        assert!(answer.field("retry-after").is_some());
    }
    house.restart();
    fails(&house.try_login(), 503, "temporarily_unavailable");
    assert_eq!(house.api(&forged), 401);
    rotate(&house);
    await_keys(&house, 1);
    let next = house.rotated(&tokens.refresh);
    assert_ne!(
        kid(&next.access),
        stolen,
        "the one that waits signs at once"
    );
    assert_eq!(house.api(&next.access), 200);
    house.wait(1200);
    house.restart();
    assert_eq!(house.api(&house.login().access), 200);
    assert_eq!(house.api(&forged), 401);
    assert_eq!(kids(&jwks(&house)), [kid(&next.access)]);
}

#[test]
fn a_key_revoked_by_name_signs_no_more_either() {
    let house = House::with(|config| {
        config.replace(
            r#"["file:sign.pem"]"#,
            r#"["file:sign.pem", "file:second.pem"]"#,
        )
    });
    let kid_before = kid(&house.login().access);
    assert_eq!(kid_before, house.signing.kid(), "the first signs");
    let body = json!({ "key": kid_before }).to_string();
    assert_eq!(
        house.gateway.admin_post("/api/revocations", &body).status,
        200
    );
    let next = house.login();
    assert_ne!(kid(&next.access), kid_before, "the next in the list signs");
    assert_eq!(house.api(&next.access), 200);
}
