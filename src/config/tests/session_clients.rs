//! The clients of the session side, and the cookies of those that are pages.

use super::sessions::{SESSIONS, inside, says};
use super::support::{sound, with};
use crate::config::model::{ClientAuth, ClientKind, Transport};

#[test]
fn clients_are_read_as_they_are_written() {
    let sessions = sound(&with(SESSIONS)).0.sessions.unwrap();
    let [server, web] = &sessions.clients[..] else {
        panic!("two clients");
    };
    assert_eq!((&*server.id, server.products.len()), ("server", 1));
    assert!(matches!(
        server.kind,
        ClientKind::Confidential(ClientAuth::PrivateKeyJwt { .. })
    ));
    assert_eq!((&*web.id, web.transport), ("web", Transport::Cookie));
    assert_eq!(
        (sessions.max_replays, sessions.sessions_per_subject_max),
        (20, 50)
    );
}

#[test]
fn clients_say_nothing_that_contradicts_them() {
    inside(
        "transport = \"cookie\"",
        "auth = \"secret\"",
        &["client_conflict"],
    );
    inside(
        "transport = \"cookie\"",
        "origins = [\"https://a.example\"]",
        &["client_conflict"],
    );
    inside(
        "transport = \"cookie\"",
        "grants = [\"client_credentials\"]",
        &["client_conflict"],
    );
    inside(
        "transport = \"cookie\"",
        "products = [\"crm\"]",
        &["key_without_effect"],
    );
    says(
        "products = [\"crm\"]",
        "products = [\"cmr\"]",
        &["product_unknown"],
    );
    says("type = \"public\"", "type = \"open\"", &["word_unknown"]);
    says(
        "[sessions.login_hook]\nurl = \"http://127.0.0.1:9200/login\"",
        "",
        &["login_hook_missing"],
    );
    let by_key = "auth = \"private_key_jwt\"\njwks_file = \"partner.jwks.json\"";
    let digest = "auth = \"secret\"\nsecret_sha256 = ";
    for (written, expected) in [
        ("aB".repeat(32), &[][..]),
        ("ab".repeat(31), &["digest_invalid"]),
        ("xy".repeat(32), &["digest_invalid"]),
        (
            // `printf %s "$UNSET" | sha256sum`
            "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
            &["digest_invalid"],
        ),
    ] {
        says(by_key, &format!("{digest}\"{written}\""), expected);
    }
    let unused = &["key_without_effect"];
    says(
        by_key,
        &format!(
            "{digest}\"{}\"\njwks_file = \"absent.json\"",
            "ab".repeat(32)
        ),
        unused,
    );
    says(by_key, &format!("{by_key}\nsecret_sha256 = \"x\""), unused);
}

#[test]
fn cookies_get_the_prefix_of_their_path() {
    let cookie = |more: &str| {
        let text =
            with(&SESSIONS.replace("[sessions.cookie]", &format!("[sessions.cookie]\n{more}")));
        sound(&text).0.sessions.unwrap().cookie.unwrap()
    };
    assert_eq!(&*cookie("").name, "__Secure-tollgate_rt");
    assert_eq!(&*cookie("path = \"/\"").name, "__Host-tollgate_rt");
    assert_eq!(
        &*cookie("path = \"/auth\"\nname = \"rt\"").name,
        "__Secure-rt"
    );
    inside(
        "[sessions.cookie]",
        "path = \"/oauth\"",
        &["cookie_invalid"],
    );
    inside("[sessions.cookie]", "name = \"a b\"", &["cookie_invalid"]);
    inside(
        "[sessions.cookie]",
        "name = \"__Host-rt\"",
        &["cookie_invalid"],
    );
    for name in [
        "Content-Type",
        "User-Agent",
        "origin",
        "Content-Length",
        "Sec-Fetch-Mode",
        "Proxy-Hint",
        "Authorization",
        "X-Client-Id",
    ] {
        let header = format!("csrf_header = {name:?}");
        inside("[sessions.cookie]", &header, &["header_invalid"]);
    }
    inside(
        "[sessions.cookie]",
        "csrf_header = \"X-Requested-With\"",
        &[],
    );
    inside("[sessions.cookie]", "same_site = \"none\"", &[]);
    says("transport = \"cookie\"", "", &["cookie_unused"]);
    says(
        "transport = \"cookie\"",
        "transport = \"body\"",
        &["cookie_unused"],
    );
    says(
        "transport = \"cookie\"",
        "transport = \"Cookie\"",
        &["word_unknown"],
    );
    inside(
        "[sessions.cookie]",
        "same_site = \"None\"",
        &["word_unknown"],
    );
    says(
        "https://app.example.com",
        "https://app.example.com/",
        &["origin_invalid"],
    );
}
