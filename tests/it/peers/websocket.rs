//! `websockets` (PyPI) at both ends.

use std::process::Stdio;
use std::time::Instant;

use serde_json::json;

use super::{CUT_WITHIN, gateway, revoke, script, serving, short_token};
use crate::support::{Gateway, Issuer, Process, output};

struct House {
    gateway: Gateway,
    issuer: Issuer,
    _server: Process,
}

fn house() -> House {
    let (server, address) = serving(&mut script("websocket.py", &["serve"]));
    let (gateway, issuer) = gateway(
        &format!(
            r#"
[upstreams.app]
servers = ["{address}"]

[routes.chat]
path = "/chat"
product = "crm"
websocket_token = true
upstream = "app"

[routes.strict]
path = "/strict"
product = "crm"
upstream = "app"
"#
        ),
        &[],
    );
    House {
        gateway,
        issuer,
        _server: server,
    }
}

impl House {
    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.gateway.public)
    }

    /// A socket that stays until it is closed, once it is told its token.
    fn stay(&self, how: &str) -> Process {
        let mut command = script("websocket.py", &["stay", &self.url("/chat"), how]);
        Process::start(command.stdin(Stdio::piped()))
    }
}

#[test]
fn a_socket_opens_with_a_token_in_either_place_and_not_without() {
    let house = house();
    let ask = |path, token: &str| {
        output(&mut script(
            "websocket.py",
            &["ask", &house.url(path), token],
        ))
    };
    let good = house.issuer.token(json!({}));
    let poor = house.issuer.token(json!({ "products": [] }));
    assert_eq!(
        ask("/chat", &good),
        "header chat True\nprotocol chat True\nnone 401\n"
    );
    assert_eq!(
        ask("/strict", &good),
        "header chat True\nprotocol 401\nnone 401\n"
    );
    assert_eq!(ask("/chat", &poor), "header 403\nprotocol 403\nnone 401\n");
}

#[test]
fn a_socket_is_closed_with_4401_when_its_token_ends() {
    let house = house();
    let mut sockets = ["header", "protocol"].map(|how| house.stay(how));
    let began = Instant::now();
    let token = short_token(&house.issuer, 3);
    for socket in &mut sockets {
        socket.tell(&token);
        assert_eq!(socket.line(), "open");
    }
    for socket in &mut sockets {
        assert_eq!(socket.line(), "4401");
    }
    let lived = began.elapsed();
    assert!(lived.as_secs() >= 2, "{lived:?}");
    assert!(lived.as_secs() < 3 + CUT_WITHIN.as_secs(), "{lived:?}");
}

#[test]
fn a_socket_is_closed_within_a_second_of_its_revocation() {
    let house = house();
    let mut socket = house.stay("header");
    socket.tell(&house.issuer.token(json!({})));
    assert_eq!(socket.line(), "open");
    let revoked = revoke(&house.gateway);
    assert_eq!(socket.line(), "4401");
    assert!(revoked.elapsed() < CUT_WITHIN, "{:?}", revoked.elapsed());
}
