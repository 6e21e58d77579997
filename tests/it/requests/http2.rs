//! HTTP/2: the same judgement, for heads that no library would send too.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use http::{HeaderMap, Request};

use super::House;

/// What the gateway did with stream 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was answered with 200.
    Served,
    /// It was answered with 400.
    Refused,
    /// It was answered with something else, which begins with this byte (RFC 7541 appendix A).
    Other(u8),
    /// The stream or the connection was ended without an answer.
    Ended,
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Sends one request, its fields exactly as they stand here, without content.
pub(super) fn ask<T: AsRef<[u8]>>(house: &House, fields: &[(T, T)]) -> Fate {
    let mut block = Vec::new();
    for (name, value) in fields {
        // A literal without indexing and with a new name (RFC 7541 §6.2.2).
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            put_length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    let mut stream = TcpStream::connect(house.gateway.public).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    // END_STREAM and END_HEADERS.
    bytes.extend(frame(HEADERS, 0x5, 1, &block));
    stream.write_all(&bytes).unwrap();
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return Fate::Ended;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).unwrap();
        return match (head[3], payload.first()) {
            (RST_STREAM | GOAWAY, _) => Fate::Ended,
            (HEADERS, Some(0x88)) => Fate::Served,
            (HEADERS, Some(0x8c)) => Fate::Refused,
            (HEADERS, Some(other)) => Fate::Other(*other),
            _ => continue,
        };
    }
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn put_length(block: &mut Vec<u8>, length: usize) {
    const PREFIX_MAX: usize = 127;
    if length < PREFIX_MAX {
        return block.push(length as u8);
    }
    block.push(PREFIX_MAX as u8);
    let mut rest = length - PREFIX_MAX;
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    [&head, payload].concat()
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const AUTHORITY: (&str, &str) = (":authority", "a");

#[test]
fn a_head_that_could_be_read_two_ways_reaches_nobody() {
    let house = House::start();
    assert_eq!(
        ask(&house, &[METHOD, SCHEME, AUTHORITY, (":path", "/x")]),
        Fate::Served
    );
    let sound = [METHOD, SCHEME, AUTHORITY, (":path", "/x")];
    let with = |more: &[(&'static str, &'static str)]| [&sound[..], more].concat();
    let path = |path: &'static str| vec![METHOD, SCHEME, AUTHORITY, (":path", path)];
    let rows = [
        with(&[("host", "b")]),
        with(&[("host", "a:80")]),
        with(&[("host", "a"), ("host", "a")]),
        with(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]),
        with(&[("authorization", "Bearer a, Bearer b")]),
        with(&[(":path", "/y")]),
        with(&[(":authority", "b")]),
        with(&[("connection", "close")]),
        with(&[("connection", "x-identity-subject")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("upgrade", "websocket")]),
        with(&[("te", "gzip")]),
        with(&[("content-length", "5")]),
        with(&[("content-length", "+0")]),
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[("content-length", "0"), ("content-length", "0")]),
        with(&[("content_length", "0")]),
        with(&[("x", " a space before")]),
        with(&[("x", "a tab behind\t")]),
        with(&[("X-Upper", "case")]),
        with(&[("x y", "a space")]),
        with(&[("x:y", "a colon")]),
        with(&[("x", "a\r\nx-identity-subject: forged")]),
        with(&[("x", "a\0b")]),
        with(&[("", "no name")]),
        with(&[(":x", "no pseudo-header")]),
        with(&[(":status", "200")]),
        vec![METHOD, SCHEME, AUTHORITY],
        vec![METHOD, AUTHORITY, (":path", "/x")],
        vec![SCHEME, AUTHORITY, (":path", "/x")],
        vec![METHOD, SCHEME, (":path", "/x")],
        vec![METHOD, SCHEME, (":authority", ""), (":path", "/x")],
        vec![METHOD, SCHEME, ("x", "y"), AUTHORITY, (":path", "/x")],
        vec![METHOD, SCHEME, (":authority", "a@b"), (":path", "/x")],
        vec![METHOD, SCHEME, (":authority", "a/b"), (":path", "/x")],
        vec![(":method", "CONNECT"), (":authority", "a:443")],
        vec![
            (":method", "CONNECT"),
            SCHEME,
            AUTHORITY,
            (":path", "/x"),
            (":protocol", "websocket"),
        ],
        path(""),
        path("x"),
        path("*"),
        path("?x"),
        path("http://a/x"),
        path("//x"),
        path("/a/../b"),
        path("/a/%2e%2e/b"),
        path("/a%2fb"),
        path("/a%5cb"),
        path("/a\\b"),
        path("/a%00"),
        path("/a b"),
        path("/a\r\nb"),
        path("/a;/../b"),
        path("/caf\u{e9}"),
    ];
    for fields in rows {
        let fate = ask(&house, &fields);
        assert!(
            [Fate::Refused, Fate::Ended].contains(&fate),
            "{fields:?}: {fate:?} {}",
            house.upstream.last()
        );
        assert_eq!(house.upstream.count(), 1, "{fields:?}");
    }
}

#[test]
fn a_fragment_is_gone_before_the_judgement_and_nobody_hears_it() {
    let house = House::start();
    let ask = |path| ask(&house, &[METHOD, SCHEME, AUTHORITY, (":path", path)]);
    for path in ["/crm#/../x", "/crm/x#", "/crm/x?y#/../../z"] {
        let fate = ask(path);
        assert!(matches!(fate, Fate::Other(_)), "{path}: {fate:?}");
        assert_eq!(house.upstream.count(), 0, "{path}");
    }
    assert_eq!(ask("/a#/../crm"), Fate::Served);
    assert_eq!(house.lines_since(0), ["GET /a HTTP/1.1"]);
}

/// Sends requests on one connection and returns their status.
async fn statuses(house: &House, requests: Vec<Request<()>>) -> Vec<u16> {
    let tcp = tokio::net::TcpStream::connect(house.gateway.public)
        .await
        .unwrap();
    let (mut sender, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let mut statuses = Vec::new();
    for request in requests {
        sender = sender.ready().await.unwrap();
        let (answer, _) = sender.send_request(request, true).unwrap();
        statuses.push(answer.await.unwrap().status().as_u16());
    }
    statuses
}

fn get(path: &str, fields: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::get(format!("http://a{path}")).body(()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    *request.headers_mut() = headers;
    request
}

#[tokio::test]
async fn every_stream_needs_its_own_token() {
    let house = House::start();
    let bearer = house.issuer.bearer();
    let token = bearer.strip_prefix("Authorization: ").unwrap();
    let good = [("authorization", token)];
    let found = statuses(
        &house,
        vec![
            get("/crm/1", &[]),
            get("/crm/2", &good),
            get("/crm/3", &[]),
            get("/4", &[]),
            get("/crm/..%2f5", &good),
        ],
    )
    .await;
    assert_eq!(found, [401, 200, 401, 200, 400]);
    assert_eq!(
        house.lines_since(0),
        ["GET /crm/2 HTTP/1.1", "GET /4 HTTP/1.1"]
    );
}

#[tokio::test]
async fn a_forged_identity_never_arrives_and_cookies_arrive_as_one() {
    let house = House::start();
    let bearer = house.issuer.bearer();
    let fields = [
        (
            "authorization",
            bearer.strip_prefix("Authorization: ").unwrap(),
        ),
        ("x-identity-subject", "forged"),
        ("x-identity-subject", "forged again"),
        ("x_identity_products", "forged"),
        ("x-forwarded-for", "forged"),
        ("x-original-url", "/forged"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("cookie", "c=3; d=4"),
        ("host", "a"),
    ];
    assert_eq!(statuses(&house, vec![get("/crm/x", &fields)]).await, [200]);
    let told = house.upstream.last();
    assert!(!told.contains("forged"), "{told}");
    assert!(!told.contains("uthorization"), "{told}");
    assert!(
        told.contains("\r\nCookie: a=1; b=2; c=3; d=4\r\n"),
        "{told}"
    );
    assert_eq!(told.matches("\r\nHost: a\r\n").count(), 1, "{told}");
    assert_eq!(
        told.matches("\r\nX-Identity-Subject: u_1\r\n").count(),
        1,
        "{told}"
    );
}
