//! TLS on both sides: one gateway speaks it to another.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::house::{House, Upstream, gate, status};
use crate::control::client_tls;

/// Writes a certificate for `name`, signed by itself, and its key.
fn certificate(folder: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    // As `openssl req -x509` makes them.
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let signed = params.self_signed(&key).unwrap();
    let write = |ending: &str, text: String| {
        let mut file = File::create(folder.join(format!("{name}.{ending}"))).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    write("crt", signed.pem());
    write("key", key.serialize_pem());
}

fn inner(upstream: SocketAddr) -> String {
    format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         certificate = [\"file:a.test.crt\", \"file:b.test.crt\"]\nkey = [\"file:a.test.key\", \"file:b.test.key\"]\n\
         [upstreams.up]\nservers = [\"{upstream}\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\n"
    )
}

fn outer(inner: SocketAddr, protocol: &str, name: &str, ca: &str) -> String {
    format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{inner}\"]\nprotocol = \"{protocol}\"\ntls = {{ name = \"{name}\", ca = \"file:{ca}.crt\" }}\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\n"
    )
}

#[tokio::test]
async fn certificates_are_chosen_by_name_and_always_verified() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "a.test");
    certificate(folder.path(), "b.test");
    let upstream = Upstream::start().await;
    let inner = House::within(&inner(upstream.address), folder.path()).await;
    for protocol in ["h1", "h2"] {
        for (name, ca, expected) in [
            ("a.test", "a.test", "200"),
            ("b.test", "b.test", "200"),
            ("b.test", "a.test", "502"),
            ("c.test", "a.test", "502"),
        ] {
            let text = outer(inner.address, protocol, name, ca);
            let outer = House::within(&text, folder.path()).await;
            let mut client = outer.client().await;
            client
                .say("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await;
            if expected == "200" {
                let (server, head) = upstream
                    .answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                    .await;
                drop(server);
                assert!(head.contains("proto=https"), "{head}");
            }
            let answer = client.rest().await;
            assert_eq!(
                status(&answer),
                expected,
                "{protocol} {name} {ca}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_bundle_that_is_replaced_is_what_servers_are_trusted_by() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "a.test");
    certificate(folder.path(), "b.test");
    let upstream = Upstream::start().await;
    let inner = House::within(&inner(upstream.address), folder.path()).await;
    let text = outer(inner.address, "h1", "a.test", "trusted");
    let trust = |name: &str| {
        let [from, to] = [format!("{name}.crt"), "trusted.crt".to_owned()];
        std::fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
    };
    trust("b.test");
    let outer = House::within(&text, folder.path()).await;
    for (trusted, expected) in [("b.test", "502"), ("a.test", "200"), ("b.test", "502")] {
        trust(trusted);
        outer.edge.gate.publish(gate(&text, folder.path()).0);
        let mut client = outer.client().await;
        client
            .say("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
        let mut server = None;
        if expected == "200" {
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            server = Some(upstream.answer(answer).await);
        }
        let answer = client.rest().await;
        assert_eq!(status(&answer), expected, "{trusted}: {answer}");
        drop(server);
    }
}

#[tokio::test]
async fn clear_text_where_tls_is_spoken_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "a.test");
    certificate(folder.path(), "b.test");
    let upstream = Upstream::start().await;
    let house = House::within(&inner(upstream.address), folder.path()).await;
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!client.rest().await.contains("HTTP/1.1"));
}

#[tokio::test]
async fn handshakes_that_come_to_nothing_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "a.test");
    certificate(folder.path(), "b.test");
    let address = "address = \"127.0.0.1:0\"";
    let hasty = format!("{address}\nhandshake_timeout = \"200ms\"");
    let text = inner("127.0.0.1:9".parse().unwrap()).replacen(address, &hasty, 1);
    let house = House::within(&text, folder.path()).await;
    let counted = async |times: usize| {
        let series =
            format!("tollgate_tls_handshakes_failed_total{{listener=\"public\"}} {times}\n");
        while !house.edge.telemetry.scrape().contains(&series) {
            yield_now().await;
        }
    };
    drop(client(&house, folder.path()).await);
    drop(house.client().await);
    counted(1).await;
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    counted(2).await;
    let _silent = house.client().await;
    counted(3).await;
}

/// A client that speaks TLS and HTTP/1.1.
async fn client(house: &House, folder: &Path) -> TlsStream<TcpStream> {
    let bundle = File::open(folder.join("a.test.crt")).unwrap();
    let bundle = std::io::read_to_string(bundle).unwrap();
    let config = client_tls(Some(bundle.as_bytes()), &[b"http/1.1"]).unwrap();
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    connected.await.unwrap()
}

#[tokio::test]
async fn a_stop_waits_until_idle_connections_have_heard_of_it() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "a.test");
    certificate(folder.path(), "b.test");
    let upstream = Upstream::start().await;
    let house = House::within(&inner(upstream.address), folder.path()).await;
    let mut served = client(&house, folder.path()).await;
    let get = b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";
    served.write_all(get).await.unwrap();
    upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok") {
        served.read_buf(&mut answer).await.unwrap();
    }
    while house.edge.in_flight() > 0 {
        yield_now().await;
    }
    assert_eq!(house.edge.connections_to_end(), 1, "it waits for the next");
    let unused = client(&house, folder.path()).await;
    while house.edge.connections_to_end() < 2 {
        yield_now().await;
    }
    house.edge.drain();
    house.stop.send(true).unwrap();
    for mut client in [served, unused] {
        // An end without close_notify is an error.
        assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    }
    while house.edge.connections_to_end() > 0 {
        yield_now().await;
    }
}
