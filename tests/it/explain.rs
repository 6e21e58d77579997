//! `explain` and the served answer agree, whatever the configuration, the request and the token.

use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{Gateway, Issuer, Upstream};

const CONFIGURATIONS: usize = 10;
const REQUESTS: usize = 100;

/// One route of a generated configuration.
fn route() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "/a/*",
        "/a/b",
        "/a/{x}",
        "/{tenant}/b",
        "/",
        "/*",
        "/a/b/c",
        "/open",
    ]);
    let access = prop::sample::select(vec![
        "product = \"crm\"",
        "any_product = [\"crm\", \"billing\"]",
        "all_products = [\"crm\", \"billing\"]",
        "access = \"authenticated\"",
        "access = \"public\"",
        "access = \"authenticated\"\nscopes = [\"crm.read\"]",
    ]);
    let host = prop::sample::select(vec![
        "",
        "hosts = [\"api.example.com\"]",
        "hosts = [\"*.example.com\"]",
    ]);
    let methods = prop::sample::select(vec![
        "",
        "methods = [\"GET\"]",
        "methods = [\"GET\", \"POST\"]",
    ]);
    let mode = prop::sample::select(vec![
        "",
        "",
        "",
        "mode = \"shadow\"",
        "forward_token = true",
    ]);
    (path, access, host, methods, mode).prop_map(|(path, access, host, methods, mode)| {
        let tenant = if path.contains("{tenant}") && !access.contains("public") {
            "tenant = \"path:tenant\""
        } else {
            ""
        };
        let mode = if access.contains("public") && mode.contains("shadow") {
            ""
        } else {
            mode
        };
        format!("path = \"{path}\"\n{access}\n{host}\n{methods}\n{mode}\n{tenant}\n")
    })
}

/// Routes that do not tie: the first of each (path, host) stays.
fn routes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(route(), 1..8).prop_map(|routes| {
        let shape = |route: &String| {
            let line = |key: &str| {
                route
                    .lines()
                    .find(|line| line.starts_with(key))
                    .unwrap_or_default()
                    .to_owned()
            };
            (
                line("path").replace("{tenant}", "{}").replace("{x}", "{}"),
                line("hosts"),
            )
        };
        let mut kept: Vec<String> = Vec::new();
        for route in routes {
            if !kept.iter().any(|other| shape(other) == shape(&route)) {
                kept.push(route);
            }
        }
        kept
    })
}

#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    path: &'static str,
    host: &'static str,
    token: Option<Value>,
    tampered: bool,
}

fn asked() -> impl Strategy<Value = Asked> {
    let method = prop::sample::select(vec!["GET", "GET", "POST", "DELETE"]);
    let path = prop::sample::select(vec![
        "/a/b",
        "/a/x",
        "/a",
        "/acme/b",
        "/other/b",
        "/",
        "/open",
        "/a/b/c?q=1",
        "/a//b",
        "/a/%2e%2e/b",
        "/a/%62",
        "/nowhere/at/all",
        "/a;x=1/b",
        "/a/%41",
    ]);
    let host = prop::sample::select(vec![
        "api.example.com",
        "API.example.com:80",
        "web.example.com",
        "other.test",
    ]);
    let changes = prop::sample::select(vec![
        json!({}),
        json!({ "products": ["billing"] }),
        json!({ "products": ["crm", "billing"] }),
        json!({ "products": "crm billing" }),
        json!({ "products": [] }),
        json!({ "products": ["a,b", "crm"] }),
        json!({ "scope": "other" }),
        json!({ "tenant": "other" }),
        json!({ "exp": 1 }),
        json!({ "exp": "soon" }),
        json!({ "aud": "https://other.example.com" }),
        json!({ "iss": "https://evil.example.com" }),
        json!({ "sub": "line\nbreak" }),
    ]);
    (
        method,
        path,
        host,
        prop::option::weighted(0.85, changes),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(method, path, host, token, tampered)| Asked {
            method,
            path,
            host,
            token,
            tampered,
        })
}

#[test]
fn explain_and_the_served_answer_agree() {
    let mut runner = TestRunner::deterministic();
    let issuer = Issuer::new("https://auth.example.com");
    for _ in 0..CONFIGURATIONS {
        let upstream = Upstream::start();
        let routes = routes().new_tree(&mut runner).unwrap().current();
        let gateway = Gateway::start(
            &configuration(&upstream, &routes),
            &[("jwks.json", &issuer.jwks())],
        );
        for _ in 0..REQUESTS {
            let asked = asked().new_tree(&mut runner).unwrap().current();
            compare(&gateway, &upstream, &issuer, &asked);
        }
    }
}

#[test]
fn a_bare_path_and_what_is_no_request_are_explained_as_they_are_served() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let open = "path = \"/*\"\naccess = \"public\"\n".to_owned();
    let gateway = Gateway::start(
        &configuration(&upstream, &[open]),
        &[("jwks.json", &issuer.jwks())],
    );
    for (method, path, reason) in [
        ("GET", "/a", None),
        ("G@T", "/a", Some("request_malformed")),
        ("GET", "/a b", Some("request_malformed")),
        ("GET", "/caf\u{e9}", Some("request_ambiguous")),
        ("GET", "/a//b", Some("request_ambiguous")),
    ] {
        let asked = Asked {
            method,
            path,
            host: "localhost",
            token: None,
            tampered: false,
        };
        let served = serve(&gateway, &asked, None).1;
        let explained = explain_url(&gateway, method, path, None);
        assert_eq!(served.as_deref(), reason, "{method} {path}");
        assert_eq!(explained["reason"].as_str(), reason, "{method} {path}");
        if reason.is_none() {
            same_request(&upstream.last(), &explained["upstream"], path);
        }
    }
}

fn configuration(upstream: &Upstream, routes: &[String]) -> String {
    let routes: String = routes
        .iter()
        .enumerate()
        .map(|(at, route)| format!("[routes.r{at}]\nupstream = \"app\"\n{route}"))
        .collect();
    format!(
        "[issuers.main]\nissuer = \"https://auth.example.com\"\naudiences = [\"https://api.example.com\"]\n\
         algorithms = [\"ES256\"]\njwks_file = \"jwks.json\"\n[products.crm]\n[products.billing]\n\
         [upstreams.app]\nservers = [\"{}\"]\n{routes}",
        upstream.address
    )
}

fn compare(gateway: &Gateway, upstream: &Upstream, issuer: &Issuer, asked: &Asked) {
    let token = asked.token.as_ref().map(|changes| {
        let token = issuer.token(changes.clone());
        if asked.tampered {
            format!("{}A", &token[..token.len() - 1])
        } else {
            token
        }
    });
    let before = upstream.count();
    let served = serve(gateway, asked, token.as_deref());
    let explained = explain(gateway, asked, token.as_deref());
    let context = format!("{asked:?}\nserved {served:?}\nexplained {explained:#}");
    match explained["verdict"].as_str().expect("a verdict") {
        "forward" | "shadow" => {
            assert_eq!(served.0, 200, "{context}");
            assert_eq!(upstream.count(), before + 1, "{context}");
            same_request(&upstream.last(), &explained["upstream"], &context);
        }
        "refuse" => {
            assert_eq!(
                served.1.as_deref(),
                explained["reason"].as_str(),
                "{context}"
            );
            assert_eq!(upstream.count(), before, "{context}");
        }
        other => panic!("{other}: {context}"),
    }
}

/// Status and, of a refusal, the reason.
fn serve(gateway: &Gateway, asked: &Asked, token: Option<&str>) -> (u16, Option<String>) {
    let bearer = token.map_or(String::new(), |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let mut client = gateway.client();
    client.send(format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\n{bearer}\r\n",
        asked.method, asked.path, asked.host
    ));
    let answer = client.answer_to(asked.method).expect("an answer");
    let reason = (answer.status >= 400).then(|| answer.reason());
    (answer.status, reason)
}

fn explain(gateway: &Gateway, asked: &Asked, token: Option<&str>) -> Value {
    let url = format!("http://{}{}", asked.host, asked.path);
    explain_url(gateway, asked.method, &url, token)
}

fn explain_url(gateway: &Gateway, method: &str, url: &str, token: Option<&str>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .args(["explain", method, url, "--format", "json", "--config"])
        .arg(gateway.config_path());
    if let Some(token) = token {
        command.args(["--token", token]);
    }
    let output = command.output().unwrap();
    let explained: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let refused = explained["verdict"] == "refuse";
    assert_eq!(
        output.status.code(),
        Some(i32::from(refused)),
        "{explained:#}"
    );
    explained
}

/// Compares target and headers; what is made anew for each request is compared by name.
fn same_request(served: &str, explained: &Value, context: &str) {
    const FRESH: [&str; 5] = [
        "x-request-id",
        "traceparent",
        "x-identity-assertion",
        "connection",
        "content-length",
    ];
    let (head, _) = served.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    assert_eq!(
        lines.next().and_then(|line| line.split(' ').nth(1)),
        explained["path"].as_str(),
        "{context}"
    );
    let is_fresh = |name: &str| FRESH.contains(&name);
    let mut served: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| !is_fresh(name))
        .collect();
    let headers = explained["headers"].as_array().expect("headers");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut explained: Vec<(String, String)> = headers
        .iter()
        .map(|header| {
            (
                text(&header["name"]).to_ascii_lowercase(),
                text(&header["value"]),
            )
        })
        .filter(|(name, _)| !is_fresh(name))
        .collect();
    served.sort();
    explained.sort();
    assert_eq!(served, explained, "{context}");
}
