//! The session side: what it needs, what it refuses, and the issuer that it is to its own gate.

use std::time::Duration;

use super::support::{InMemory, found, replaced, shown, sound, with};
use crate::config::check;
use crate::config::model::KeySource;

pub(super) const SESSIONS: &str = r#"
[sessions]
issuer = "https://login.example.com"
audience = "https://api.example.com"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]

[sessions.login_hook]
url = "http://127.0.0.1:9200/login"

[sessions.cookie]
origins = ["https://app.example.com"]

[sessions.clients.web]
type = "public"
transport = "cookie"

[sessions.clients.server]
type = "confidential"
auth = "private_key_jwt"
jwks_file = "partner.jwks.json"
grants = ["client_credentials"]
products = ["crm"]
"#;

/// What is said about the session side with one part replaced are exactly these words.
pub(super) fn says(from: &str, to: &str, expected: &[&str]) {
    assert!(SESSIONS.contains(from), "{from}");
    let text = with(&SESSIONS.replacen(from, to, 1));
    let found = found(&text);
    let codes: Vec<_> = found.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(
        codes,
        expected,
        "\n{from} -> {to}\n{}",
        shown(&text, &found)
    );
}

/// The same with `more` in the table that begins with `table`.
pub(super) fn inside(table: &str, more: &str, expected: &[&str]) {
    says(table, &format!("{table}\n{more}"), expected);
}

#[test]
fn products_of_minted_tokens_have_a_claim_of_their_own() {
    for (path, expected) in [
        ("app.products", &[][..]),
        ("https://example.com/sub", &[]),
        ("scope", &["claim_path_invalid"]),
        ("sub.products", &["claim_path_invalid"]),
        ("tenant", &["claim_path_invalid"]),
        ("amr", &["claim_path_invalid"]),
    ] {
        let more = format!("claims.products = {path:?}");
        inside("[sessions]", &more, expected);
    }
}

#[test]
fn the_session_side_is_an_issuer_to_its_own_gate() {
    let text = with(SESSIONS);
    let (config, warnings) = sound(&text);
    assert!(warnings.is_empty(), "{}", shown(&text, &warnings));
    let own = config
        .issuers
        .iter()
        .find(|issuer| &*issuer.terms.name == "sessions")
        .unwrap();
    assert_eq!(&*own.terms.issuer, "https://login.example.com");
    assert_eq!(own.terms.lifetime_max, Duration::from_secs(601));
    assert_eq!(own.terms.types, ["at+jwt".into()]);
    let KeySource::Fixed(keys) = &own.keys else {
        panic!("the keys are at hand");
    };
    assert_eq!(keys.len(), 1);
    assert!(
        sound(&text.replace(
            "product = \"crm\"\n",
            "product = \"crm\"\nissuers = [\"sessions\", \"main\"]\n"
        ))
        .1
        .is_empty()
    );
}

#[test]
fn what_the_session_side_needs_must_be_there() {
    says(
        "issuer = \"https://login.example.com\"",
        "",
        &["key_missing"],
    );
    says(
        "audience = \"https://api.example.com\"",
        "",
        &["key_missing"],
    );
    says("signing_keys = [\"file:sign.pem\"]", "", &["key_missing"]);
    says(
        "refresh_keys = [\"file:refresh.key\"]",
        "",
        &["key_missing"],
    );
    says(
        "signing_keys = [\"file:sign.pem\"]",
        "signing_keys = []",
        &["value_empty"],
    );
    says(
        "url = \"http://127.0.0.1:9200/login\"",
        "",
        &["key_missing"],
    );
    says(
        "origins = [\"https://app.example.com\"]",
        "",
        &["key_missing"],
    );
    says(
        "[sessions.cookie]\norigins = [\"https://app.example.com\"]",
        "",
        &["key_missing"],
    );
    says("type = \"public\"", "", &["key_missing"]);
    says("auth = \"private_key_jwt\"", "", &["key_missing"]);
    says("jwks_file = \"partner.jwks.json\"", "", &["key_missing"]);
    says(
        "auth = \"private_key_jwt\"",
        "auth = \"secret\"",
        &["key_missing"],
    );
}

#[test]
fn hooks_stay_on_this_machine_or_are_safe() {
    let url = "http://127.0.0.1:9200/login";
    says(url, "http://identity.internal/login", &["url_insecure"]);
    says(url, "https://identity.internal/login", &["hook_unsigned"]);
    says(
        url,
        "https://identity.internal/login\"\nsecret = \"env:HOOK_SECRET",
        &[],
    );
    says(
        url,
        "http://identity.internal/login\"\ninsecure_http = true\nsecret = \"env:HOOK_SECRET",
        &["url_plain"],
    );
}

#[test]
fn an_issuer_has_a_path_at_most_and_no_route_takes_what_lies_below_it() {
    let issuer = "https://login.example.com";
    says(issuer, "https://example.com/a?b=c", &["url_invalid"]);
    let below = "https://example.com/crm";
    says(issuer, below, &["endpoint_overlap"]);
    says(issuer, "https://example.com/tenant", &[]);
}

#[test]
fn keys_are_what_they_should_be() {
    says("file:sign.pem", "file:tls.crt", &["signing_key_invalid"]);
    says("file:refresh.key", "file:tls.crt", &["refresh_key_invalid"]);
    let twice = |file: &str| format!("{file}\", \"{file}");
    for file in ["file:sign.pem", "file:refresh.key"] {
        says(file, &twice(file), &["key_repeated"]);
    }
    let text = with(SESSIONS);
    let rows: [(&[u8], bool); 6] = [
        (b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", true),
        (b"__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA", true),
        (
            b"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n",
            true,
        ),
        (b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", false),
        (b"000102", false),
        (b"0123456789abcdef0123456789abcdef", false),
    ];
    for (key, sound) in rows {
        let files = InMemory::full().file("refresh.key", key);
        assert_eq!(
            check(&text, &files).is_ok(),
            sound,
            "{}",
            String::from_utf8_lossy(key)
        );
    }
}

#[test]
fn times_and_rates_are_held_to_their_range() {
    inside(
        "[sessions]",
        "access_token = { jitter = 0.6 }",
        &["number_out_of_range"],
    );
    inside(
        "[sessions]",
        "access_token = { jitter = nan }",
        &["number_out_of_range"],
    );
    inside(
        "[sessions]",
        "access_token = { lifetime = \"2d\" }",
        &["lifetime_long"],
    );
    inside(
        "[sessions]",
        "refresh_token = { idle_lifetime = \"31d\" }",
        &["key_without_effect"],
    );
    inside(
        "[sessions]",
        "refresh_token = { lost_reply_window = \"1s\" }",
        &["key_without_effect"],
    );
    inside(
        "[sessions]",
        "limits = { login = \"0/s\" }",
        &["rate_invalid"],
    );
    inside(
        "[sessions]",
        "store = { kind = \"memory\" }",
        &["store_volatile"],
    );
    inside(
        "[sessions]",
        "store = { kind = \"redis\" }",
        &["word_unknown"],
    );
}

#[test]
fn routes_keep_off_the_session_endpoints() {
    let overlap = |route: &str, hosts: &str, expected: &[&str]| {
        let sessions = SESSIONS.replace("[sessions]", &format!("[sessions]\nhosts = [{hosts}]"));
        let text = replaced("path = \"/crm/*\"", route) + &sessions.replace("hosts = []", "");
        let codes: Vec<_> = found(&text)
            .iter()
            .map(|diagnostic| diagnostic.code)
            .collect();
        assert_eq!(codes, expected, "{route} {hosts}");
    };
    overlap("path = \"/auth/*\"", "", &["endpoint_overlap"]);
    overlap("path = \"/auth/login\"", "", &["endpoint_overlap"]);
    overlap("path = \"/auth/{what}\"", "", &["endpoint_overlap"]);
    overlap("path = \"/{what}/token\"", "", &["endpoint_overlap"]);
    overlap("path = \"/.well-known/*\"", "", &["endpoint_overlap"]);
    overlap("path = \"/auth/sessions/mine\"", "", &["endpoint_overlap"]);
    overlap("path = \"/authors/*\"", "", &[]);
    overlap("path = \"/*\"", "", &["endpoint_covered"]);
    let login = "\"login.example.com\"";
    overlap("path = \"/auth/*\"", login, &["endpoint_overlap"]);
    overlap(
        "path = \"/auth/*\"\nhosts = [\"api.example.com\"]",
        login,
        &[],
    );
    overlap(
        "path = \"/auth/*\"\nhosts = [\"*.example.com\"]",
        login,
        &["endpoint_overlap"],
    );
    overlap(
        "path = \"/auth/*\"\nhosts = [\"*.login.example.com\"]",
        login,
        &[],
    );
}

#[test]
fn nobody_else_is_the_issuer_of_the_session_side() {
    let same = with(SESSIONS).replace("https://auth.example.com", "https://login.example.com");
    let codes: Vec<_> = found(&same)
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(codes, ["issuer_own"]);
    assert_eq!(sound(&same).0.issuers.len(), 1);
    let named = with(SESSIONS).replace("[issuers.main]", "[issuers.sessions]");
    let codes: Vec<_> = found(&named)
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(codes, ["issuer_reserved"]);
}
