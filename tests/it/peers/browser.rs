//! Scripts in headless Chromium. `EventSource` cannot send a token: it is for public routes, and a page reads any other
//! stream with `fetch`.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{gateway, node, peer_file, script, serving, short_token};
use crate::support::{Process, free_address, now};

/// How long the last token lives.
const TOKEN_SECS: u64 = 4;

#[test]
fn scripts_of_listed_origins_call_read_and_talk_with_a_token_and_no_others() {
    let (_node, app) = node("h1");
    let (_chat, chat) = serving(&mut script("websocket.py", &["serve"]));
    let (listed, foreign) = (free_address(), free_address());
    let config = format!(
        r#"
[cors.app]
origins = ["http://{listed}"]
headers = ["authorization"]
expose = ["x-request-id"]

[upstreams.app]
servers = ["{app}"]

[upstreams.chat]
servers = ["{chat}"]

[routes.app]
path = "/app/*"
methods = ["GET", "PUT"]
product = "crm"
strip_prefix = "/app"
cors = "app"
upstream = "app"

[routes.events]
path = "/events"
access = "public"
cors = "app"
upstream = "app"

[routes.chat]
path = "/chat"
product = "crm"
websocket_token = true
upstream = "chat"
"#
    );
    let (gateway, issuer) = gateway(&config, &[]);
    let mut pages = Process::start(
        Command::new("node")
            .arg(peer_file("pages.mjs"))
            .args([gateway.public, listed, foreign].map(|address| address.to_string()))
            .arg(issuer.token(json!({})))
            .arg(issuer.token(json!({ "products": [] })))
            .stdin(Stdio::piped()),
    );
    let ends = now() + TOKEN_SECS;
    pages.tell(&short_token(&issuer, TOKEN_SECS));
    let told = pages.line();
    let mut told: Value = serde_json::from_str(&told).expect("one JSON object");
    let stream = told.as_object_mut().unwrap().remove("stream").unwrap();
    assert_eq!(
        told,
        json!({
            "get": "200 small true",
            "put": "201  true",
            "none": "401 token_missing true",
            "poor": "403 product_missing true",
            "unknown": "TypeError",
            "foreign": "TypeError",
            "foreignSimple": "TypeError",
            "events": "0 1 2",
            "foreignEvents": "error",
            "refusedEvents": "error",
            "socket": "chat hello",
            "noSocket": "1006",
            "closed": "chat hello 4401",
        })
    );
    assert_eq!(stream["how"], "TypeError", "cut, not ended: {stream}");
    assert!(stream["bytes"].as_u64().unwrap() > 0, "{stream}");
    let late = stream["at"].as_u64().unwrap().saturating_sub(ends * 1000);
    assert!(late < 2000, "it outlived its token by {late} ms");
}

#[test]
fn the_admin_page_fits_a_telephone_and_a_desk_whatever_names_and_errors_it_shows() {
    let long = "x".repeat(128);
    let config = format!(
        r#"
[issuers.{long}]
issuer = "https://127.0.0.1:1/{long}"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
discovery = true

[upstreams.{long}]
servers = ["127.0.0.1:1"]

[routes.{long}]
path = "/"
product = "crm"
upstream = "{long}"
"#
    );
    let (gateway, _issuer) = gateway(&config, &[]);
    let mut page = Process::start(
        Command::new("node")
            .arg(peer_file("admin.mjs"))
            .arg(gateway.admin.to_string()),
    );
    let told: Value = serde_json::from_str(&page.line()).expect("one JSON object");
    assert_eq!(told["complaints"], json!([]));
    for width in ["360", "1280"] {
        assert_eq!(told[width]["over"], 0, "{width} {told}");
        let height = told[width]["height"].as_u64().unwrap();
        assert!(height < 3000, "{width} {told}");
    }
}
