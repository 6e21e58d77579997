//! What is unknown, unused, missing or broken, one row each: what is written, and what is said about it.

use super::support::{
    ISSUER, LISTENER, ROUTE, SOUND, UPSTREAM, found, inside, replaced, says, sound, with,
};
use crate::config::model;

#[test]
fn a_sound_gateway_has_nothing_to_say() {
    says(SOUND, &[]);
}

#[test]
fn what_is_not_known_is_a_fault() {
    says(&with("[sever]"), &["key_unknown"]);
    says(&inside(LISTENER, "adress = \"x\""), &["key_unknown"]);
    says(&inside(ROUTE, "product_s = 1"), &["key_unknown"]);
    says(&inside(ISSUER, "claims.product = \"x\""), &["key_unknown"]);
    says(&with("threads = 1"), &["key_unknown"]);
    says(&with("[limits.a]"), &["key_unknown"]);
    says(
        &replaced("product = \"crm\"", "product = \"cmr\""),
        &["product_unknown"],
    );
    says(
        &replaced("upstream = \"crm\"", "upstream = \"cmr\""),
        &["upstream_unknown"],
    );
    says(&inside(ROUTE, "issuers = [\"mian\"]"), &["issuer_unknown"]);
    says(&inside(ROUTE, "cors = \"app\""), &["cors_unknown"]);
}

#[test]
fn help_names_what_was_probably_meant() {
    let help = |text: &str| found(text)[0].help.clone();
    assert_eq!(
        help(&inside(LISTENER, "adress = \"x\"")),
        "did you mean `address`?"
    );
    assert_eq!(help(&with("[sever]")), "did you mean `server`?");
    assert_eq!(
        help(&inside(ROUTE, "mode = \"shadwo\"")),
        "did you mean `shadow`?"
    );
    assert_eq!(
        help(&replaced("\"ES256\"", "\"es256\"")),
        "did you mean `ES256`?"
    );
    assert_eq!(
        help(&inside(ROUTE, "cors = \"app\"")),
        "add a table [cors.app]"
    );
}

#[test]
fn help_is_a_way_out_of_what_is_written() {
    let help = |text: &str| found(text)[0].help.clone();
    let empty = help(&replaced("\"https://auth.example.com\"", "\"\""));
    assert_eq!(empty, "write something between the quotes");
    let bare = help(&replaced("\"https://auth.example.com\"", "5"));
    assert_eq!(bare, "put it in quotes");
    let long = help(&with("[server]\ndrain = \"9999d\""));
    assert!(long.ends_with("ten years at most"), "{long}");
}

#[test]
fn what_nobody_uses_is_a_warning() {
    says(&with("[products.x]"), &["product_unused"]);
    says(
        &with("[upstreams.x]\nservers = [\"a:1\"]"),
        &["upstream_unused"],
    );
    says(
        &with("[cors.x]\norigins = [\"https://a.example\"]"),
        &["cors_unused"],
    );
    let second = "[issuers.b]\nissuer = \"b\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]\nsecrets = [\"env:HS_SECRET\"]";
    says(&with(second), &[]);
    says(
        &format!("{}\n{second}", inside(ROUTE, "issuers = [\"main\"]")),
        &["issuer_unused"],
    );
}

#[test]
fn what_is_missing_is_a_fault_of_its_table() {
    says("", &["listener_missing"]);
    says(LISTENER, &["key_missing"]);
    says(&replaced("path = \"/crm/*\"", ""), &["key_missing"]);
    says(
        &replaced("upstream = \"crm\"", ""),
        &["upstream_unused", "key_missing"],
    );
    says(
        &replaced("servers = [\"127.0.0.1:9101\"]", ""),
        &["key_missing"],
    );
    says(
        &replaced("servers = [\"127.0.0.1:9101\"]", "servers = []"),
        &["value_empty"],
    );
    says(
        &replaced("issuer = \"https://auth.example.com\"", ""),
        &["key_missing"],
    );
    says(
        &replaced("audiences = [\"https://api.example.com\"]", ""),
        &["key_missing"],
    );
    says(
        &replaced(
            "audiences = [\"https://api.example.com\"]",
            "audiences = []",
        ),
        &["value_empty"],
    );
    says(&replaced("algorithms = [\"ES256\"]", ""), &["key_missing"]);
    says(
        &replaced("algorithms = [\"ES256\"]", "algorithms = []"),
        &["value_empty"],
    );
    says(&with("[cors.x]"), &["key_missing", "cors_unused"]);
    says(
        &with("[identity]\nsigning_key = \"file:identity.pem\""),
        &["key_missing"],
    );
    says(
        &inside(LISTENER, "certificate = \"tls.crt\""),
        &["key_missing"],
    );
    says(&inside(LISTENER, "key = \"tls.key\""), &["key_missing"]);
    says(
        &inside(LISTENER, "client_ca = \"ca.pem\""),
        &["key_missing"],
    );
    says(
        &inside(
            LISTENER,
            "certificate = [\"tls.crt\", \"tls.crt\"]\nkey = \"tls.key\"",
        ),
        &["key_missing"],
    );
    says(
        &inside(UPSTREAM, "tls = { ca = \"ca.pem\" }"),
        &["key_missing"],
    );
}

#[test]
fn broken_syntax_is_one_fault_and_the_rest_of_the_file_is_read() {
    says("threads", &["syntax"]);
    says(&with("[routes.crm]\n"), &["syntax"]);
    says(
        &with("[routes.crm]\npath = \"/x\"\nupstream = \"crm\""),
        &["syntax"],
    );
    let both = inside(UPSTREAM, "connect_timeout = \"2\"")
        .replace("discovery = true", "discovery = = true");
    says(&both, &["syntax", "duration_invalid"]);
    for name in [
        "[routes.crm]",
        "[upstreams.crm]",
        "[listeners.public]",
        "[issuers.main]",
    ] {
        says(&replaced(name, &name.replace(']', "")), &["syntax"]);
    }
    let after = format!("{}\ntokn = 1\n", replaced("[routes.crm]", "[routes.crm"));
    says(
        &format!("{after}[admin]\ntokn = 1"),
        &["syntax", "key_unknown"],
    );
}

#[test]
fn what_is_read_is_what_was_written() {
    let (config, warnings) = sound(SOUND);
    assert!(warnings.is_empty());
    let route = &config.routes[0];
    assert_eq!(
        (&*route.name, &*route.upstream, route.path.as_str()),
        ("crm", "crm", "/crm/*")
    );
    assert!(matches!(
        config.issuers[0].keys,
        model::KeySource::Remote(_)
    ));
    let tls = sound(&inside(
        LISTENER,
        "certificate = [\"tls.crt\"]\nkey = [\"file:tls.key\"]",
    ))
    .0;
    let tls = tls.listeners[0].tls.clone().unwrap();
    assert_eq!(tls.certificates[0].key.to_str(), Some("/etc/gate/tls.key"));
}
