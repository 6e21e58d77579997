//! Handshakes of WebSocket: nothing that follows one reaches the upstream before it has agreed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::gateway;
use crate::support::{Client, Gateway, Issuer};

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-Identity-Subject: forged\r\n";
/// How long a byte that must not come is waited for.
const SILENCE: Duration = Duration::from_millis(200);

/// A gateway before a server whose every byte the test writes.
struct House {
    gateway: Gateway,
    issuer: Issuer,
    server: TcpListener,
}

fn house() -> House {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let (gateway, issuer) = gateway("", &server.local_addr().unwrap().to_string());
    House {
        gateway,
        issuer,
        server,
    }
}

impl House {
    fn handshake(&self, path: &str, fields: &str) -> Client {
        let mut client = self.gateway.client();
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\nEARLY"
        ));
        client
    }

    /// The server's side of the next connection, and the head that came by it.
    fn accept(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.server.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("a whole head");
            head.push(byte[0]);
        }
        (stream, String::from_utf8(head).unwrap())
    }

    /// That the server was not even connected to.
    fn nobody_came(&self) {
        self.server.set_nonblocking(true).unwrap();
        let came = self.server.accept();
        assert!(came.is_err(), "the upstream was asked: {came:?}");
        self.server.set_nonblocking(false).unwrap();
    }
}

#[test]
fn bytes_behind_a_handshake_wait_for_the_upstream_to_agree() {
    let house = house();
    let mut client = house.handshake("/crm/x", &format!("{}\r\n", house.issuer.bearer()));
    let (mut server, head) = house.accept();
    assert!(head.contains("\r\nConnection: Upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
    assert!(head.contains("\r\nX-Identity-Subject: u_1\r\n"), "{head}");
    assert!(!head.contains("Authorization"), "{head}");
    server.set_read_timeout(Some(SILENCE)).unwrap();
    let early = server.read(&mut [0; 5]);
    assert!(
        early.is_err(),
        "a byte before the upstream agreed: {early:?}"
    );
    server
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();

    server
        .write_all(format!("{SWITCHING}\r\nLATER").as_bytes())
        .unwrap();
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"EARLY");
    let answer = client.answer().unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.field("x-identity-subject"), None);
    assert_eq!(client.exactly(5), b"LATER");
    drop(server);
    assert!(client.is_closed());
}

#[test]
fn bytes_behind_a_handshake_that_is_refused_reach_nobody() {
    let house = house();
    for refusal in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut client = house.handshake("/crm/x", &format!("{}\r\n", house.issuer.bearer()));
        let (mut server, _) = house.accept();
        server.write_all(refusal.as_bytes()).unwrap();
        let answer = client.answer().unwrap();
        assert!(refusal.contains(&answer.status.to_string()), "{answer:?}");
        assert!(client.is_closed(), "{refusal}");
        server.set_read_timeout(Some(SILENCE)).unwrap();
        let early = server.read(&mut [0; 5]);
        assert!(!matches!(early, Ok(1..)), "{refusal}: {early:?}");
    }
}

#[test]
fn a_handshake_needs_what_every_request_needs() {
    let house = house();
    let poor = house.issuer.token(json!({ "products": ["chat"] }));
    let good = house.issuer.token(json!({}));
    let rows = [
        ("/crm/x", String::new(), 401),
        ("/socket/x", String::new(), 401),
        ("/crm/x", format!("Authorization: Bearer {poor}\r\n"), 403),
        (
            "/crm/x",
            format!("Sec-WebSocket-Protocol: chat, bearer.{good}\r\n"),
            401,
        ),
        (
            "/socket/x",
            format!("Sec-WebSocket-Protocol: chat, bearer.{poor}\r\n"),
            403,
        ),
        (
            "/socket/x",
            "Sec-WebSocket-Protocol: chat, bearer.none\r\n".to_owned(),
            401,
        ),
        (
            "/socket/x",
            format!("Authorization: Bearer {good}\r\nSec-WebSocket-Protocol: bearer.{good}\r\n"),
            400,
        ),
        (
            "/socket/x",
            format!("Sec-WebSocket-Protocol: bearer.{good}, bearer.{good}\r\n"),
            400,
        ),
    ];
    for (path, fields, status) in rows {
        let mut client = house.handshake(path, &fields);
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, status, "{path} {fields}: {answer:?}");
        assert!(client.is_closed(), "{path} {fields}");
        house.nobody_came();
    }
}

#[test]
fn a_token_among_the_protocols_opens_and_never_goes_on() {
    let house = house();
    let token = house.issuer.token(json!({}));
    let fields = format!("Sec-WebSocket-Protocol: chat, bearer.{token}\r\n");
    let mut client = house.handshake("/socket/x", &fields);
    let (mut server, head) = house.accept();
    assert!(
        head.contains("\r\nSec-WebSocket-Protocol: chat\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nX-Identity-Subject: u_1\r\n"), "{head}");
    assert!(!head.contains(&token), "{head}");
    let switching = format!("{SWITCHING}Sec-WebSocket-Protocol: chat\r\n\r\n");
    server.write_all(switching.as_bytes()).unwrap();
    let answer = client.answer().unwrap();
    assert_eq!(
        (answer.status, answer.field("sec-websocket-protocol")),
        (101, Some("chat"))
    );
}

#[test]
fn a_switch_to_http2_is_refused() {
    let house = house();
    let bearer = house.issuer.bearer();
    for (path, upgrade) in [("/crm/x", "h2c"), ("/x", "H2C"), ("/x", "websocket, h2c")] {
        let mut client = house.gateway.client();
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\n{bearer}\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        ));
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, 400, "{path} {upgrade}: {answer:?}");
        assert_eq!(answer.reason(), "request_ambiguous");
        assert!(client.is_closed(), "{path} {upgrade}");
        house.nobody_came();
    }
}

#[test]
fn a_route_without_upgrades_refuses_them_and_asks_nobody() {
    let house = house();
    let mut client = house.handshake("/still/x", "");
    let answer = client.answer().unwrap();
    assert_eq!(answer.status, 405, "{answer:?}");
    assert_eq!(answer.reason(), "method_refused");
    assert!(answer.field("allow").unwrap().contains("GET"), "{answer:?}");
    assert!(client.is_closed(), "what follows is no request");
    house.nobody_came();
}

#[test]
fn a_server_that_switches_unasked_is_not_believed() {
    let house = house();
    let mut client = house.gateway.client();
    client.send("GET /still/x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    let (mut server, head) = house.accept();
    assert!(!head.to_lowercase().contains("upgrade"), "{head}");
    server
        .write_all(format!("{SWITCHING}\r\nLATER").as_bytes())
        .unwrap();
    assert_eq!(client.answer().unwrap().status, 502);
    assert!(client.is_closed());
}

#[test]
fn a_server_that_switches_to_another_protocol_than_was_asked_for_is_not_believed() {
    let house = house();
    let bearer = format!("{}\r\n", house.issuer.bearer());
    for other in ["h2c", "foo", "websocket, foo", ""] {
        let mut client = house.handshake("/crm/x", &bearer);
        let (mut server, _) = house.accept();
        let switching = SWITCHING.replace("Upgrade: websocket", &format!("Upgrade: {other}"));
        server
            .write_all(format!("{switching}\r\nLATER").as_bytes())
            .unwrap();
        assert_eq!(client.answer().unwrap().status, 502, "{other}");
        assert!(client.is_closed(), "{other}");
        server.set_read_timeout(Some(SILENCE)).unwrap();
        let early = server.read(&mut [0; 5]);
        assert!(!matches!(early, Ok(1..)), "{other}: {early:?}");
    }
}
