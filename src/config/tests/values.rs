//! What a value may be, one row each: what is written, and what is said about it.

use super::support::{
    ISSUER, InMemory, LISTENER, ROUTE, SOUND, UPSTREAM, inside, replaced, says, with,
};
use crate::config::check;

#[test]
fn a_wrong_type_is_a_fault() {
    says(&with("[server]\nthreads = \"4\""), &["type_wrong"]);
    says(&with("[server]\ndrain = 30"), &["type_wrong"]);
    says(&inside(LISTENER, "http2 = \"yes\""), &["type_wrong"]);
    says(
        &inside(LISTENER, "trusted_proxies = \"10.0.0.0/8\""),
        &["type_wrong"],
    );
    says(
        &inside(ROUTE, "scopes = [1, 2]"),
        &["type_wrong", "type_wrong"],
    );
    says(
        &inside(LISTENER, "body_bytes_max = 1048576"),
        &["type_wrong"],
    );
    says(&inside(UPSTREAM, "tls = true"), &["type_wrong"]);
    says(&with("[[server]]"), &["type_wrong"]);
    says(
        &replaced("[listeners.public]", "[[listeners.public]]"),
        &["type_wrong"],
    );
}

#[test]
fn numbers_with_units_are_held_to_their_range() {
    says(
        &inside(UPSTREAM, "connect_timeout = \"2\""),
        &["duration_invalid"],
    );
    says(
        &inside(UPSTREAM, "connect_timeout = \"0s\""),
        &["duration_invalid"],
    );
    says(
        &inside(UPSTREAM, "connect_timeout = \"2 s\""),
        &["duration_invalid"],
    );
    says(
        &inside(LISTENER, "header_bytes_max = \"32KB\""),
        &["size_invalid"],
    );
    says(
        &inside(LISTENER, "header_bytes_max = \"1B\""),
        &["number_out_of_range"],
    );
    says(
        &inside(LISTENER, "connections_max = 0"),
        &["number_out_of_range"],
    );
    says(
        &inside(LISTENER, "connections_max = -1"),
        &["number_out_of_range"],
    );
    says(
        &inside(LISTENER, "connections_max = 99999999999999999999999"),
        &["number_out_of_range"],
    );
    says(&inside(LISTENER, "connections_max = 0x10"), &[]);
    says(
        &inside(ISSUER, "refresh = { min = \"1h\" }"),
        &["number_out_of_range"],
    );
}

#[test]
fn secrets_never_stand_in_the_file() {
    says(&with("[admin]\ntoken = \"hunter2\""), &["secret_inline"]);
    says(
        &with("[admin]\ntoken = \"env:NOBODY\""),
        &["secret_unreadable"],
    );
    says(
        &with("[admin]\ntoken = \"file:nowhere\""),
        &["secret_unreadable"],
    );
    says(
        &with("[identity]\nissuer = \"g\"\nsigning_key = \"identity.pem\""),
        &["secret_inline"],
    );
    says(
        &with("[identity]\nissuer = \"g\"\nsigning_key = \"env:ADMIN_TOKEN\""),
        &["signing_key_invalid"],
    );
    says(
        &inside(ISSUER, "headers = { Authorization = \"Basic abc\" }"),
        &["secret_inline"],
    );
    says(
        &inside(
            LISTENER,
            "certificate = \"tls.crt\"\nkey = \"-----BEGIN PRIVATE KEY-----\"",
        ),
        &["secret_inline"],
    );
    let empty = InMemory::full().env("ADMIN_TOKEN", b"");
    let codes = check(&with("[admin]\ntoken = \"env:ADMIN_TOKEN\""), &empty).unwrap_err();
    assert_eq!(codes[0].code, "secret_unreadable");
}

#[test]
fn a_reference_to_nothing_is_told_as_that() {
    let check = |text: &str, expected: &str| {
        let found = check(text, &InMemory::full()).unwrap_err();
        let told: Vec<_> = found.iter().map(|one| &*one.message).collect();
        assert_eq!(told, [expected], "{text}");
    };
    check(
        &with("[admin]\ntoken = \"env:\""),
        "`token` names no variable behind `env:`",
    );
    check(
        &with("[admin]\ntoken = \"file:\""),
        "`token` names no file behind `file:`",
    );
    check(
        &with("[server]\nstate_dir = \"file:\""),
        "`state_dir` names no file behind `file:`",
    );
    check(
        &inside(LISTENER, "certificate = \"file:\"\nkey = \"tls.key\""),
        "`certificate` names no file behind `file:`",
    );
}

#[test]
fn an_admin_token_is_one_that_a_request_can_show() {
    let checked = |token: &[u8]| {
        let files = InMemory::full().env("ADMIN_TOKEN", token);
        check(&with("[admin]\ntoken = \"env:ADMIN_TOKEN\""), &files)
    };
    for token in ["abc", "abc\n", "abc\r\n"] {
        let (config, _) = checked(token.as_bytes()).unwrap();
        let token = config.admin.and_then(|admin| admin.token).unwrap();
        assert!(token.matches(b"abc"), "the line end is not the secret's");
    }
    for token in [" abc", "abc ", "a\nb", "\tabc", "  "] {
        let found = checked(token.as_bytes()).unwrap_err();
        assert_eq!(found[0].code, "secret_unusable", "{token:?}");
    }
}

#[test]
fn files_are_read_and_must_be_what_they_should() {
    says(
        &inside(
            LISTENER,
            "certificate = \"tls.crt\"\nkey = \"file:tls.key\"",
        ),
        &[],
    );
    says(
        &inside(LISTENER, "certificate = \"nowhere\"\nkey = \"tls.key\""),
        &["file_unreadable"],
    );
    says(
        &inside(LISTENER, "certificate = \"tls.key\"\nkey = \"tls.crt\""),
        &["file_invalid", "file_invalid"],
    );
    says(
        &inside(
            UPSTREAM,
            "tls = { name = \"crm.internal\", ca = \"tls.key\" }",
        ),
        &["file_invalid"],
    );
    says(&inside(ISSUER, "ca = \"nowhere\""), &["file_unreadable"]);
}

#[test]
fn addresses_hosts_and_urls_are_plain() {
    says(&replaced("127.0.0.1:8080", "8080"), &["address_invalid"]);
    says(
        &replaced("127.0.0.1:8080", "localhost:8080"),
        &["address_invalid"],
    );
    says(
        &replaced("127.0.0.1:9101", "http://127.0.0.1:9101"),
        &["address_invalid"],
    );
    says(
        &replaced("127.0.0.1:9101", "127.0.0.1"),
        &["address_invalid"],
    );
    says(&replaced("127.0.0.1:9101", "crm.internal:80"), &[]);
    says(&replaced("127.0.0.1:9101", "[::1]:80"), &[]);
    says(
        &inside(LISTENER, "trusted_proxies = [\"10.0.0.0/33\"]"),
        &["cidr_invalid"],
    );
    says(
        &inside(LISTENER, "trusted_proxies = [\"10.0.0.1/8\"]"),
        &["cidr_invalid"],
    );
    says(
        &inside(LISTENER, "trusted_proxies = [\"10.0.0.1\", \"fd00::/8\"]"),
        &[],
    );
    says(
        &inside(ROUTE, "hosts = [\"https://api.example.com\"]"),
        &["host_invalid"],
    );
    says(&inside(ROUTE, "hosts = [\"api.*.com\"]"), &["host_invalid"]);
    says(&inside(ROUTE, "hosts = [\"*\"]"), &["host_invalid"]);
    says(
        &inside(ROUTE, "hosts = [\"API.example.com\", \"*.example.com\"]"),
        &[],
    );
    says(
        &inside("[products.crm]", "upgrade_url = \"example.com\""),
        &["url_invalid"],
    );
    says(
        &with("[listeners.b]\naddress = \"0.0.0.0:8080\""),
        &["address_taken"],
    );
    says(
        &with("[admin]\naddress = \"127.0.0.1:8080\""),
        &["address_taken"],
    );
    for both in ["[::]:8080", "[::ffff:127.0.0.1]:8080"] {
        let second = format!("[listeners.b]\naddress = \"{both}\"");
        says(&with(&second), &["address_taken"]);
    }
    for apart in ["127.0.0.1:8081", "[::1]:8080"] {
        let second = format!("[listeners.b]\naddress = \"{apart}\"");
        says(&with(&second), &[]);
    }
}

#[test]
fn the_admin_listener_is_closed_off_loopback() {
    says(
        &with("[admin]\naddress = \"0.0.0.0:9901\""),
        &["admin_exposed"],
    );
    says(
        &with("[admin]\naddress = \"0.0.0.0:9901\"\ntoken = \"env:ADMIN_TOKEN\""),
        &[],
    );
    says(&with("[admin]\naddress = \"[::1]:9901\""), &[]);
}

#[test]
fn identity_headers_have_a_prefix_of_their_own() {
    says(
        &with("[identity]\nheader_prefix = \"X-Identity\""),
        &["header_invalid"],
    );
    for taken in ["X-", "Set-", "If-", "X-Real-", "Access-Control-"] {
        says(
            &with(&format!("[identity]\nheader_prefix = \"{taken}\"")),
            &["header_invalid"],
        );
    }
    says(&with("[identity]\nheader_prefix = \"X-Who-\""), &[]);
}

#[test]
fn origins_are_exact() {
    let cors = |origin: &str| {
        let headers = "headers = [\"Authorization\"]";
        inside(ROUTE, "cors = \"app\"")
            + &format!("[cors.app]\norigins = [\"{origin}\"]\n{headers}")
    };
    says(&cors("https://app.example.com"), &[]);
    for origin in [
        "*",
        "null",
        "https://app.example.com/",
        "https://*.example.com",
        "app.example.com",
    ] {
        says(&cors(origin), &["origin_invalid"]);
    }
}

#[test]
fn names_are_fit_for_a_metric() {
    says(
        &SOUND.replace("[routes.crm]", "[routes.\"a b\"]"),
        &["name_invalid"],
    );
    says(
        &SOUND.replace("[routes.crm]", &format!("[routes.{}]", "x".repeat(129))),
        &["name_invalid"],
    );
    says(
        &with("[products.\"a b\"]"),
        &["name_invalid", "product_invalid", "product_unused"],
    );
}
