//! What is said about issuers: their keys, their algorithms, their terms.

use super::support::{ISSUER, InMemory, SOUND, inside, replaced, says, shown, with};
use crate::config::check;

#[test]
fn keys_have_exactly_one_source_that_fits_the_algorithms() {
    says(&replaced("discovery = true", ""), &["key_source_missing"]);
    says(
        &replaced("discovery = true", "discovery = false"),
        &["key_source_missing"],
    );
    says(
        &inside(ISSUER, "jwks_file = \"jwks.json\""),
        &["key_source_several"],
    );
    says(
        &replaced(
            "discovery = true",
            "discovery = false\njwks_url = \"https://a.example/keys\"",
        ),
        &[],
    );
    says(
        &replaced("discovery = true", "jwks_url = \"http://a.example/keys\""),
        &["url_insecure"],
    );
    says(
        &replaced("discovery = true", "jwks_url = \"http://127.0.0.1:1/keys\""),
        &[],
    );
    says(
        &replaced(
            "discovery = true",
            "jwks_url = \"http://a.example/keys\"\ninsecure_http = true",
        ),
        &["url_plain"],
    );
    says(
        &replaced("https://auth.example.com", "http://auth.example.com"),
        &["url_insecure"],
    );
    says(
        &replaced("issuer = \"https://auth.example.com\"", "issuer = 5"),
        &["type_wrong"],
    );
    says(
        &replaced("https://auth.example.com", "accounts"),
        &["url_invalid"],
    );
    says(
        &replaced("\"ES256\"", "\"ES256\", \"HS256\""),
        &["algorithm_source_mismatch"],
    );
    says(
        &replaced("discovery = true", "secrets = [\"env:HS_SECRET\"]"),
        &["algorithm_source_mismatch"],
    );
    says(&replaced("\"ES256\"", "\"none\""), &["algorithm_none"]);
    says(&replaced("\"ES256\"", "\"ES257\""), &["algorithm_unknown"]);
    says(
        &replaced("discovery = true", "jwks_file = \"nowhere\""),
        &["file_unreadable"],
    );
    says(
        &replaced("discovery = true", "jwks_file = \"tls.crt\""),
        &["keys_unusable"],
    );
    says(
        &replaced("discovery = true", "jwks_file = \"jwks.json\""),
        &["keys_unusable", "key_skipped"],
    );
    says(
        &replaced("discovery = true", "jwks_file = \"partner.jwks.json\""),
        &[],
    );
}

#[test]
fn short_secrets_are_a_fault() {
    let text = SOUND
        .replace("discovery = true", "secrets = [\"env:SHORT\"]")
        .replace("ES256", "HS256");
    let codes = check(&text, &InMemory::full().env("SHORT", b"hunter2")).unwrap_err();
    assert_eq!(codes[0].code, "secret_short");
    assert!(!shown(&text, &codes).contains("hunter2"));
}

#[test]
fn a_public_key_is_no_secret() {
    let text = SOUND
        .replace("discovery = true", "secrets = [\"env:PEM\"]")
        .replace("ES256", "HS256");
    for kind in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY"] {
        for white in ["", "\n", "  "] {
            let pem = format!("{white}-----BEGIN {kind}-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOC\n");
            let files = InMemory::full().env("PEM", pem.as_bytes());
            let codes = check(&text, &files).unwrap_err();
            assert_eq!(codes[0].code, "secret_is_key", "{kind}");
            assert!(!shown(&text, &codes).contains("MIIB"));
        }
    }
}

#[test]
fn what_is_said_of_a_fetch_that_never_happens_is_a_warning() {
    for key in [
        "refresh = { min = \"1m\" }",
        "keys_stale_max = \"1h\"",
        "insecure_http = false",
        "headers = { Authorization = \"env:HS_SECRET\" }",
    ] {
        let text = replaced("discovery = true", "jwks_file = \"jwks.json\"")
            .replace("\"ES256\"", "\"EdDSA\"");
        says(&text, &[]);
        let text = text.replace("jwks_file", &format!("{key}\njwks_file"));
        says(&text, &["key_without_effect"]);
    }
}

#[test]
fn a_header_for_fetches_is_one_line_of_text() {
    let text = inside(ISSUER, "headers = { Authorization = \"env:TOLD\" }");
    for (value, is_sound) in [
        ("Basic a\tb", false),
        ("Basic ü", true),
        ("Basic a\n", true),
        ("Basic a\nb", false),
        ("Basic a\x7f", false),
    ] {
        let files = InMemory::full().env("TOLD", value.as_bytes());
        let faults = check(&text, &files).map_err(|found| found[0].code).err();
        assert_eq!(faults, (!is_sound).then_some("header_invalid"), "{value:?}");
    }
}

#[test]
fn terms_beyond_the_usual_are_a_warning() {
    says(&inside(ISSUER, "leeway = \"61s\""), &["leeway_long"]);
    says(&inside(ISSUER, "leeway = \"60s\""), &[]);
    says(&inside(ISSUER, "lifetime_max = \"24h\""), &[]);
    says(
        &inside(ISSUER, "lifetime_max = \"86401s\""),
        &["lifetime_long"],
    );
    says(
        &inside(ISSUER, "claims.products = \"a..b\""),
        &["claim_path_invalid"],
    );
    says(
        &inside(ISSUER, "claims.products = \"https://example.com/products\""),
        &[],
    );
}

#[test]
fn two_issuers_have_two_names() {
    let second = ISSUER.replace("main", "other");
    let more = SOUND[SOUND.find(ISSUER).unwrap()..SOUND.find("[products").unwrap()]
        .replace(ISSUER, &second);
    says(&with(&more), &["issuer_duplicate"]);
}
