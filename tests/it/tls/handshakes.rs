//! Versions, protocols, names, tickets, and who does not shake hands in time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, HandshakeKind};

use super::{BOTH, House, PATIENCE, client, connect, get};

fn alpn(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

#[test]
fn both_versions_and_both_protocols_are_spoken() {
    let house = House::one();
    let rows: [(&[&str], Option<&str>); 5] = [
        (&["h2", "http/1.1"], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        // As curl offers it with --http1.0.
        (&["http/1.0"], Some("http/1.0")),
        (&[], None),
    ];
    for version in BOTH {
        for (offered, expected) in rows {
            let mut config = client(&house.authority, &[version], None);
            config.alpn_protocols = alpn(offered);
            let mut tls = house.connect(&Arc::new(config), "a.test").unwrap();
            assert_eq!(tls.conn.protocol_version(), Some(version.version));
            assert_eq!(tls.conn.alpn_protocol(), expected.map(str::as_bytes));
            if expected != Some("h2") {
                let answer = get(&mut tls).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            }
        }
    }
}

#[test]
fn http2_is_not_offered_where_it_is_off() {
    let house = House::with(&["a.test"], "http2 = false", &[]);
    let mut config = house.client();
    config.alpn_protocols = alpn(&["h2", "http/1.1"]);
    let tls = house.connect(&Arc::new(config), "a.test").unwrap();
    assert_eq!(tls.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut config = house.client();
    config.alpn_protocols = alpn(&["h2"]);
    assert!(house.connect(&Arc::new(config), "a.test").is_err());
}

#[test]
fn the_name_that_is_asked_for_chooses_the_certificate() {
    let house = House::with(&["a.test", "b.test"], "", &[]);
    let config = Arc::new(house.client());
    let shown = |name: &str| {
        let tls = house.connect(&config, name).unwrap();
        tls.conn.peer_certificates().unwrap()[0].clone()
    };
    // A client verifies the name: that it connects says whose certificate it was shown.
    assert_ne!(shown("a.test"), shown("b.test"));
    let other = house.connect(&config, "c.test").unwrap_err();
    assert!(
        other.to_string().contains("DnsName(\"a.test\")"),
        "the first one: {other}"
    );
}

#[test]
fn a_client_that_comes_again_resumes_its_session() {
    let house = House::one();
    for version in BOTH {
        let config = Arc::new(client(&house.authority, &[version], None));
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let mut tls = house.connect(&config, "a.test").unwrap();
            kinds.push(tls.conn.handshake_kind().unwrap());
            // Tickets of 1.3 come behind the handshake.
            assert!(get(&mut tls).unwrap().starts_with("HTTP/1.1 200 "));
        }
        let (first, later) = (HandshakeKind::Full, HandshakeKind::Resumed);
        assert_eq!(kinds, [first, later, later], "{:?}", version.version);
    }
}

#[test]
fn versions_before_1_2_are_refused() {
    let house = House::one();
    let mut tcp = TcpStream::connect(house.gateway.public).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut hello = hello(&house);
    // The hello's own version, and no extension that offers others: TLS 1.1 (RFC 5246 §E.1).
    hello[9..11].copy_from_slice(&[3, 2]);
    let versions = [0, 43, 0, 3, 2, 3, 3];
    if let Some(at) = hello.windows(7).position(|window| window == versions) {
        hello[at + 5..at + 7].copy_from_slice(&[3, 2]);
    }
    tcp.write_all(&hello).unwrap();
    let mut told = Vec::new();
    tcp.read_to_end(&mut told).unwrap();
    // A fatal alert: protocol_version.
    assert_eq!((told[0], &told[5..]), (21, &[2, 70][..]), "{told:?}");
}

/// The first flight of a client of TLS 1.2.
fn hello(house: &House) -> Vec<u8> {
    let mut config = client(&house.authority, &[&rustls::version::TLS12], None);
    config.alpn_protocols = alpn(&["http/1.1"]);
    let name = ServerName::try_from("a.test").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    assert_eq!(bytes[9..11], [3, 3], "a hello of 1.2");
    bytes
}

#[test]
fn who_does_not_shake_hands_in_time_is_closed() {
    let house = House::with(&["a.test"], "handshake_timeout = \"500ms\"", &[]);
    let hello = hello(&house);
    for said in [&hello[..0], &hello[..1], &hello[..hello.len() / 2]] {
        let began = Instant::now();
        let mut tcp = TcpStream::connect(house.gateway.public).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.write_all(said).unwrap();
        // Closed with unread bytes is a reset.
        let _reset = tcp.read_to_end(&mut Vec::new());
        let lived = began.elapsed();
        assert!(
            lived >= Duration::from_millis(400),
            "{lived:?} {}",
            said.len()
        );
        assert!(lived < Duration::from_secs(5), "{lived:?} {}", said.len());
    }
    let mut tls = house.connect(&Arc::new(house.client()), "a.test").unwrap();
    assert!(get(&mut tls).unwrap().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_connection_too_many_is_closed_without_a_handshake() {
    let house = House::with(&["a.test"], "connections_max = 1", &[]);
    let config = Arc::new(house.client());
    let deadline = Instant::now() + PATIENCE;
    // The connection that the start was probed with may not have ended yet.
    let _first = loop {
        match house.connect(&config, "a.test") {
            Ok(tls) => break tls,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    assert!(connect(house.gateway.public, &config, "a.test").is_err());
    let counted = house
        .gateway
        .metric("tollgate_decisions_total", &["reason=\"overloaded\""]);
    assert!(counted >= 1.0, "it is told nevertheless");
}
