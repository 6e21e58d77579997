//! How diagnostics are shown: all of them, in their place, with no secret in sight.

use proptest::prelude::*;

use super::support::{InMemory, found, shown, with};
use crate::config::{Colour, REFERENCE, Report, check};

const TWELVE: &str = include_str!("twelve.toml");

#[test]
fn twelve_faults_are_listed_at_once() {
    let found = found(TWELVE);
    assert!(
        found
            .iter()
            .filter(|diagnostic| diagnostic.is_fault())
            .count()
            >= 12
    );
    insta::assert_snapshot!(shown(TWELVE, &found));
}

#[test]
fn json_says_what_the_text_says() {
    let found = found(TWELVE);
    let json = Report::new("gateway.toml", TWELVE, &found).to_json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), found.len());
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["diagnostics"][0]).unwrap());
}

#[test]
fn columns_count_characters_and_carets_stand_below_what_they_mean() {
    let text = "[products.\"日本 語\"]\n";
    let found = found(text);
    let shown = shown(text, &found);
    let mut lines = shown.lines();
    assert!(
        lines.any(|line| line.starts_with("gateway.toml:1:11: fault[name_invalid]")),
        "{shown}"
    );
    assert_eq!(
        lines.next(),
        Some("    1 | [products.\"日本 語\"]"),
        "{shown}"
    );
    assert_eq!(lines.next(), Some("      |           ^^^^^^^^^"), "{shown}");
}

#[test]
fn colour_is_there_only_when_it_is_asked_for() {
    let found = found(TWELVE);
    let report = Report::new("gateway.toml", TWELVE, &found);
    assert!(!report.to_text(Colour::Plain).contains('\x1b'));
    assert!(report.to_text(Colour::Ansi).contains('\x1b'));
}

/// A secret that an operator wrote where none belongs is nowhere in what is shown.
fn hides(text: &str) {
    let found = found(text);
    assert!(!found.is_empty(), "{text}");
    let report = Report::new("gateway.toml", text, &found);
    let all = report.to_text(Colour::Plain) + &report.to_json().to_string() + &format!("{found:?}");
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn the_value_of_a_secret_key_is_hidden_wherever_a_line_is_shown() {
    let rows = [
        "[admin]\ntoken = \"hunter2\"",
        "[admin]\ntoken = 'hunter2' # why not",
        "[admin]\ntoken = \"\"\"\nhunter2\n\"\"\"",
        "[admin]\n\"token\" = \"hunter2\"",
        "[admin]\ntokn = \"hunter2\"",
        "[admin]\nadmin_password = \"hunter2\"",
        "[admin]\ntoken = [\"hunter2\"]",
        "[admin]\ntoken = { a = \"hunter2\" }",
        "admin = { token = \"hunter2\", address = 1 }",
        "[identity]\nissuer = \"g\"\nsigning_key = \"hunter2\"",
        "[issuers.x]\nsecrets = [\n  \"hunter2\",\n  \"env:X\",\n]",
        "[issuers.x]\nheaders.Authorization = \"hunter2\"",
        "[issuers.x]\njwks_url = \"https://user:hunter2@a.test/keys\"",
        "[issuers.x]\nheaders = { Authorization = \"hunter2\" }",
        "[issuers.x.headers]\nAuthorization = \"hunter2\"",
        "[issuers.x]\nheaders = [\"Authorization: hunter2\"]",
        "[issuers.x]\nheaders = \"Authorization: hunter2\"",
        "[sessions]\nrefresh_keys = [\"hunter2\"]",
        "[sessions]\nsigning_keys = \"hunter2\"",
        "[sessions.login_hook]\nurl = \"http://127.0.0.1\"\nsecret = \"hunter2\"",
        "[sessions.clients.x]\ntype = \"confidential\"\nauth = \"secret\"\nsecret_sha256 = \"hunter2\"",
        "[listeners.tls]\naddress = \"127.0.0.1:1\"\ncertificate = \"tls.crt\"\nkey = \"-----BEGIN PRIVATE KEY-----hunter2\"",
    ];
    for row in rows {
        hides(&with(row));
    }
}

#[test]
fn the_names_of_headers_in_a_cors_policy_are_shown() {
    let text = with("[cors.x]\norigins = [\"https://a.test\"]\nheaders = [\"x y\"]");
    let shown = shown(&text, &found(&text));
    assert!(shown.contains("headers = [\"x y\"]"), "{shown}");
}

#[test]
fn a_secret_is_hidden_in_a_file_that_is_no_toml() {
    let rows = [
        "[admin]\ntoken = \"hunter2",
        "[admin]\ntoken = hunter2",
        "[admin]\ntoken == \"hunter2\"",
        "[admin]\ntoken = \"a\" \"hunter2\"",
        "[admin]\ntoken: \"hunter2\"",
        "[admin]\ntoken \"hunter2\"",
        "[admin]\ntoken = \"a\"\ntoken = \"hunter2\"",
        "[admin]\ntoken.x = \"hunter2\n",
        "[issuers.x]\nsecrets = [\n  \"hunter2\n]",
        "[issuers.x]\nsecrets = [\n  hunter2\n]",
        "[issuers.x.headers]\nAuthorization = hunter2",
        "x = { token = hunter2 }",
        "[sessions.login_hook]\nurl = \"x\" secret = \"hunter2\"",
        "[admin]\ntoken = \"\"\"\nhunter2 = \"\"\nhunter2",
    ];
    for row in rows {
        hides(&with(row));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(
        cuts in prop::collection::vec((0.0..1.0f64, 0usize..40, "[\\PC\\n\\t]{0,12}"), 0..6),
        anything in "\\PC{0,40}",
    ) {
        let files = InMemory::default();
        for start in [REFERENCE, TWELVE, &anything] {
            let mut text = start.to_owned();
            for (place, length, put) in &cuts {
                let begin = text.floor_char_boundary((place * text.len() as f64) as usize);
                let end = text.ceil_char_boundary((begin + length).min(text.len()));
                text.replace_range(begin..end, put);
            }
            if let Err(found) = check(&text, &files) {
                prop_assert!(found.iter().any(|diagnostic| diagnostic.is_fault()));
                let report = Report::new("gateway.toml", &text, &found);
                prop_assert!(report.to_text(Colour::Plain).contains("fault["));
                prop_assert_eq!(&report.to_json()["valid"], false);
            }
        }
    }
}
