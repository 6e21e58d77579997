//! What a refusal leaves behind: its lines in log and metrics, and a connection that can be used or is closed.

use serde_json::json;
use tollgate::gate::Reason;

use super::house::house;
use crate::support::{Answer, Client, Gateway, Upstream};

#[test]
fn whom_a_refusal_hit_stands_in_the_log() {
    let house = house();
    let subject = |answer: &Answer| {
        let request_id = answer.field("x-request-id").expect("an id");
        house.gateway.log_line(request_id)["subject"].clone()
    };
    let lacking = house.issuer.token(json!({ "products": ["billing"] }));
    let lacking = house.with_token("/crm", &lacking);
    let accepted = house.with_token("/crm", &house.issuer.token(json!({})));
    assert_eq!(accepted.status, 200);
    assert!(subject(&lacking).is_string());
    assert_eq!(subject(&lacking), subject(&accepted));
}

#[test]
fn the_log_has_the_path_alone_of_a_whole_url() {
    let house = house();
    let logged = |target: &str| {
        let mut client = house.gateway.client();
        client.send(format!(
            "GET {target} HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
        ));
        let answer = client.answer().expect("an answer");
        let request_id = answer.field("x-request-id").expect("an id");
        house.gateway.log_line(request_id)["path"].clone()
    };
    for (target, path) in [
        ("http://api.example.com/crm?token=hunter2", "/crm"),
        ("http://ada:hunter2@api.example.com/crm", "/crm"),
        ("http://api.example.com?token=hunter2", "/"),
        ("/crm/http://x/y", "/crm/http://x/y"),
    ] {
        assert_eq!(logged(target), path, "{target}");
    }
}

#[test]
fn what_a_shadow_route_lets_pass_is_counted_and_logged_though_its_upstream_fails() {
    let house = house();
    let answer = house.gateway.get("/trial", &[]);
    house.expect(&answer, Reason::UpstreamUnavailable, 502, None);
    let body = "x".repeat(2000);
    let mut client = house.gateway.client();
    client.send(format!(
        "POST /trial HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n{body}"
    ));
    let too_large = client.answer().expect("an answer");
    house.expect(&too_large, Reason::BodyTooLarge, 413, None);
    let counted = |verdict: &str, reason: &str| {
        let labels = ["verdict", "reason"].into_iter().zip([verdict, reason]);
        let labels: Vec<String> = labels
            .map(|(name, word)| format!("{name}=\"{word}\""))
            .collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        house.gateway.metric("tollgate_decisions_total", &labels)
    };
    assert_eq!(counted("shadow", "token_missing"), 1.0);
    assert_eq!(counted("forward", "upstream_unavailable"), 1.0);
    assert_eq!(counted("shadow", "upstream_unavailable"), 0.0);
    let id = answer.field("x-request-id").unwrap();
    let line = house.gateway.log_line(id);
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.starts_with("token_missing passed; "), "{line}");
    assert_eq!(line["verdict"], "shadow");
}

#[test]
fn a_refusal_of_head_has_the_fields_and_no_body() {
    let house = house();
    let mut client = house.gateway.client();
    let answer = client.request("HEAD", "/crm", &[]);
    assert_eq!(answer.status, 405, "{answer:?}");
    let answer = client.request("HEAD", "/scoped", &[]);
    assert_eq!((answer.status, answer.body.len()), (401, 0));
    assert!(answer.field("www-authenticate").is_some());
    // What came behind the head is the next answer, not a body.
    assert_eq!(client.get("/crm", &[&house.issuer.bearer()]).status, 200);
}

#[test]
fn a_connection_stays_usable_after_a_refusal_with_a_small_body() {
    let house = house();
    let mut client = house.gateway.client();
    client.send("POST /crm HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.answer_to("POST").expect("an answer").status, 401);
    let answer = client.get("/crm", &[&house.issuer.bearer()]);
    assert_eq!(
        (answer.status, answer.text()),
        (200, "hello from the upstream\n")
    );
}

#[test]
fn twenty_refusals_in_a_row_leave_the_connection_open() {
    let house = house();
    let mut client = Client::connect(house.gateway.public);
    for _ in 0..20 {
        assert_eq!(client.get("/crm", &[]).status, 401);
    }
    assert_eq!(client.get("/crm", &[&house.issuer.bearer()]).status, 200);
}

#[test]
fn a_connection_too_many_is_told_that_the_gate_is_overloaded() {
    let upstream = Upstream::start();
    let config = format!(
        "[listeners.public]\naddress = \"ADDRESS\"\nconnections_per_address_max = 2\n\
         [upstreams.app]\nservers = [\"{}\"]\n\
         [routes.hello]\npath = \"/hello\"\naccess = \"public\"\nupstream = \"app\"\n",
        upstream.address
    );
    let gateway = Gateway::start(&config, &[]);
    let mut open: Vec<Client> = Vec::new();
    while open.len() < 2 {
        // The connection that the start was probed with may not have ended yet.
        let mut client = gateway.client();
        if client.get("/hello", &[]).status == 200 {
            open.push(client);
        }
    }
    let answer = gateway.get("/hello", &[]);
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (503, Reason::Overloaded.as_str())
    );
    assert!(answer.field("retry-after").is_some());
    drop(open.pop());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while gateway.get("/hello", &[]).status != 200 {
        assert!(
            std::time::Instant::now() < deadline,
            "a place that is free again is given"
        );
    }
}
