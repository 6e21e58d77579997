//! Shared secrets: several at once, so that they can be rotated, and gone with the file that named them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{config, fate, until};
use crate::support::{Gateway, Issuer, Upstream};

const OLD: &str = "old-secret-of-at-least-256-bits-0123456789";
const NEW: &str = "new-secret-of-at-least-256-bits-9876543210";

fn token(secret: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = Issuer::new("legacy").claims().to_string();
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!(
        "{input}.{}",
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes()))
    )
}

fn table(secrets: &str) -> String {
    format!(
        "[issuers.legacy]\nissuer = \"legacy\"\naudiences = [\"https://api.example.com\"]\nalgorithms = [\"HS256\"]\nsecrets = [{secrets}]\n"
    )
}

#[test]
fn two_secrets_overlap_and_the_one_that_is_taken_out_dies_with_its_tokens() {
    let upstream = Upstream::start();
    let both = table("\"file:new.secret\", \"file:old.secret\"");
    let files = [
        ("old.secret", OLD),
        ("new.secret", NEW),
        ("short.secret", "31-bytes-are-one-less-than-256-"),
    ];
    let gateway = Gateway::start(&config(&upstream, &both), &files);
    let (old, new) = (token(OLD), token(NEW));
    let fates = || {
        [
            &old,
            &new,
            &token("a-secret-that-nobody-configured-0123456789"),
        ]
        .map(|token| fate(&gateway, token))
    };
    assert_eq!(fates(), ["passes", "passes", "signature_invalid"]);

    // A secret that is too short changes nothing.
    gateway.configure(&config(&upstream, &table("\"file:short.secret\"")));
    let rejected = gateway.admin_post("/api/reload", "{}");
    assert_eq!(rejected.status, 422);
    assert!(
        rejected.text().contains("secret_short"),
        "{}",
        rejected.text()
    );
    assert_eq!(fates(), ["passes", "passes", "signature_invalid"]);

    // The file alone is changed: the gate notices by itself.
    gateway.configure(&config(&upstream, &table("\"file:new.secret\"")));
    until("the old secret is gone", || {
        fate(&gateway, &old) == "signature_invalid"
    });
    assert_eq!(
        fates(),
        ["signature_invalid", "passes", "signature_invalid"]
    );

    // So is one that it names.
    std::fs::write(gateway.folder.path().join("new.secret"), OLD).unwrap();
    until("the secret is another", || fate(&gateway, &old) == "passes");
    assert_eq!(
        fates(),
        ["passes", "signature_invalid", "signature_invalid"]
    );
}
