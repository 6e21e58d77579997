//! What an explanation tells of each check: what was wanted, and what was seen.

use std::sync::Arc;

use serde_json::json;

use super::super::{Explanation, Question};
use super::house::{House, NOW};
use crate::config::model::OnClearText;
use crate::policy::{HostPattern, PathPattern, Route};

fn explained(house: &House, url: &str, token: &str) -> Explanation {
    let question = Question {
        method: "GET".to_owned(),
        url: url.to_owned(),
        token: Some(token.to_owned()),
        ..Question::default()
    };
    question.explain(&house.gate, &house.revocations, NOW, [1, 2, 3])
}

/// What one step saw.
fn saw<'e>(explanation: &'e Explanation, name: &str) -> &'e str {
    let mut steps = explanation.steps.iter();
    let found = steps.find(|(step, _)| *step == name);
    &found
        .unwrap_or_else(|| panic!("no {name}: {explanation:#?}"))
        .1
}

#[test]
fn an_explanation_tells_what_each_check_wanted_and_what_it_saw() {
    let house = House::new();
    let token = house.token(json!({ "products": ["billing"], "scope": "a b" }));
    let refused = explained(&house, "/crm/x", &token);
    let word = refused.reason.map(|reason| reason.as_str());
    assert_eq!(word, Some("product_missing"));
    let products = "wants all of crm; the token has billing";
    assert_eq!(saw(&refused, "products"), products);

    let passed = explained(&house, "/t/acme/x", &token);
    assert_eq!(passed.verdict, "forward");
    let any = "wants any verified token; the token has billing";
    assert_eq!(saw(&passed, "products"), any);
    assert_eq!(saw(&passed, "tenant"), "wants acme; the token has acme");
    // To some servers this path is that of another tenant.
    let token = house.token(json!({ "tenant": "acme;x" }));
    let refused = explained(&house, "/t/acme;x/y", &token);
    let nobody = "wants none; the token has acme;x";
    assert_eq!(saw(&refused, "tenant"), nobody);
    assert!(saw(&passed, "revocation").starts_with("none of the 0"));
}

#[test]
fn a_body_that_says_it_is_over_its_limit_is_explained_as_it_is_answered() {
    let house = House::new();
    let limit = house.gate.config().listeners[0].body_bytes_max;
    let word = |url: &str, length: u64| {
        let question = Question {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: vec![("Content-Length".to_owned(), length.to_string())],
            token: None,
        };
        let explained = question.explain(&house.gate, &house.revocations, NOW, [1, 2, 3]);
        explained.reason.map(|reason| reason.as_str())
    };
    for (url, before) in [
        ("/shadow/x", Some("token_missing")),
        ("/crm/x", Some("token_missing")),
        ("/nowhere", Some("route_unknown")),
    ] {
        assert_eq!(word(url, limit), before, "{url}");
        assert_eq!(word(url, limit + 1), Some("body_too_large"), "{url}");
    }
    // It comes first that a request can be read in one way.
    assert_eq!(word("/crm//x", limit + 1), Some("request_ambiguous"));
}

#[test]
fn a_request_is_explained_by_the_limits_of_the_listener_that_would_serve_it() {
    let house = House::with(|config| {
        let public = config.listeners[0].clone();
        let mut redirects = (*public).clone();
        redirects.on_clear_text = OnClearText::RedirectToHttps;
        redirects.body_bytes_max = 1;
        redirects.header_bytes_max = 64;
        config.listeners.insert(0, redirects.into());
    });
    let question = Question {
        method: "POST".to_owned(),
        url: "/open/x".to_owned(),
        headers: vec![
            ("Content-Length".to_owned(), "2".to_owned()),
            ("X-Mine".to_owned(), "x".repeat(64)),
        ],
        token: None,
    };
    let explained = question.explain(&house.gate, &house.revocations, NOW, [1, 2, 3]);
    assert_eq!(explained.verdict, "forward", "{explained:?}");
}

#[test]
fn an_explanation_says_which_of_several_listeners_it_is_about() {
    let listeners = |names: &[&str]| {
        House::with(|config| {
            let named = |name: &&str| {
                let mut listener = (*config.listeners[0]).clone();
                listener.name = (*name).into();
                listener.into()
            };
            config.listeners = names.iter().map(named).collect();
        })
    };
    let asked = explained(&listeners(&["inner", "outer"]), "/open/x", "any");
    assert_eq!(saw(&asked, "listener"), "inner, the first of 2 for http");
    let alone = explained(&listeners(&["inner"]), "/open/x", "any");
    assert!(alone.steps.iter().all(|(step, _)| *step != "listener"));
}

#[test]
fn an_explanation_tells_what_a_refused_token_said_of_itself() {
    let house = House::new();
    for (changes, reason, said) in [
        (
            json!({ "iss": "https://evil.example.com" }),
            "issuer_unknown",
            "iss \"https://evil.example.com\"",
        ),
        (json!({ "exp": "soon" }), "claim_invalid", "exp \"soon\""),
        (json!({ "exp": 5, "iat": 1 }), "token_expired", "exp 5"),
        (
            json!({ "aud": ["a", "\u{202e}\u{7}"] }),
            "audience_mismatch",
            r#"aud ["a","\u{202e}\u0007"]"#,
        ),
    ] {
        let refused = explained(&house, "/crm/x", &house.token(changes));
        let word = refused.reason.map(|reason| reason.as_str());
        assert_eq!(word, Some(reason));
        let unverified = saw(&refused, "unverified");
        assert!(unverified.contains(said), "{unverified}");
        assert!(unverified.contains("alg \"EdDSA\", kid \""), "{unverified}");
    }
    let refused = explained(&house, "/crm/x", "a.b.c");
    assert_eq!(saw(&refused, "unverified"), "nothing that can be read");
}

#[test]
fn a_url_is_known_by_its_scheme_in_any_case() {
    let house = House::new();
    let passed = explained(&house, "HTTPS://api.example.com/open/x", "");
    assert_eq!(passed.verdict, "forward", "{passed:?}");
    assert_eq!(passed.upstream_path.as_deref(), Some("/open/x"));
}

#[test]
fn a_url_without_a_path_asks_for_the_root_as_every_client_does() {
    let house = House::new();
    for url in ["", "/", "?q=1", "/?q=1"] {
        let asked = explained(&house, &format!("http://api.example.com{url}"), "");
        assert_eq!(saw(&asked, "path"), "/", "{url}");
    }
}

#[test]
fn a_head_has_as_many_fields_as_when_it_is_served() {
    let house = House::new();
    // Host and Authorization are among them.
    for (more, expected) in [(126, None), (127, Some("headers_too_large"))] {
        let question = Question {
            method: "GET".to_owned(),
            url: "/open/x".to_owned(),
            headers: vec![("X-Mine".to_owned(), String::new()); more],
            token: Some("any".to_owned()),
        };
        let asked = question.explain(&house.gate, &house.revocations, NOW, [1, 2, 3]);
        let word = asked.reason.map(|reason| reason.as_str());
        assert_eq!(word, expected, "{more}");
    }
}

#[test]
fn a_bare_path_is_asked_of_a_host_that_serves_it() {
    let host = |name: &str| HostPattern::Exact(name.into());
    let house = House::with(|config| {
        let hosts = [
            ("open", host("all.example.com")),
            ("mine", host("mine.example.com")),
            ("stripped", HostPattern::Wildcard("apis.example.com".into())),
        ];
        for (name, pattern) in hosts {
            let mut routes = config.routes.iter_mut();
            let route = routes.find(|route| &*route.name == name).unwrap();
            Arc::make_mut(route).hosts = vec![pattern];
        }
        let mut all = Route::clone(&config.routes[1]);
        (all.name, all.path) = ("all".into(), PathPattern::parse("/*").unwrap());
        all.hosts = vec![host("all.example.com")];
        config.routes.insert(0, Arc::new(all));
    });
    for (path, host, route) in [
        ("/mine", "mine.example.com", "mine"),
        ("/api/v1/x", "any.apis.example.com", "stripped"),
        ("/open/x", "all.example.com", "open"),
        // On the host that is named first it would be the route of all.
        ("/crm/x", "mine.example.com", "crm"),
        ("/anything", "all.example.com", "all"),
    ] {
        let asked = explained(&house, path, "any");
        assert_eq!(saw(&asked, "host"), host, "{path}");
        assert!(saw(&asked, "route").starts_with(&format!("{route} (")));
    }
}
