//! A stream does not outlive its token.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::house::{House, SECRET, Upstream, Wire, gate, status};
use super::http2;
use crate::session::{Revocation, Revoked};

fn config(upstream: SocketAddr, route: &str) -> String {
    format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{upstream}\"]\n\
         [issuers.main]\nissuer = \"https://i\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]\nsecrets = [\"env:HS\"]\nleeway = \"0s\"\n\
         [products.crm]\n\
         [routes.witness]\npath = \"/witness\"\nproduct = \"crm\"\nupstream = \"up\"\n\
         [routes.all]\npath = \"/*\"\nproduct = \"crm\"\nupstream = \"up\"\n{route}\n"
    )
}

/// How long every token lives. It passes at once where a test says so.
const LIFE: Duration = Duration::from_secs(60);
/// A stream is cut within a second of its token's end, of a revocation, of a reload.
const CUT_MAX: Duration = Duration::from_secs(1);

fn token(house: &House) -> String {
    let now = house.edge.clock.now().as_secs();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({
        "iss": "https://i", "aud": "a", "sub": "alice", "sid": "s1",
        "products": ["crm"], "iat": now, "exp": now + LIFE.as_secs(),
    }));
    let signed = format!("{head}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// An event stream that has begun.
async fn stream(house: &House, upstream: &Upstream, path: &str) -> (Wire, Wire) {
    let mut client = house.client().await;
    let token = token(house);
    client
        .say(format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
        .await;
    let (server, head) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        .await;
    assert!(
        !head.contains(&token) && head.contains("X-Identity-Subject: alice\r\n"),
        "{head}"
    );
    let begun = client.until("1\r\na\r\n").await;
    assert_eq!(status(&begun), "200");
    (client, server)
}

/// A WebSocket that has begun.
async fn websocket(house: &House, upstream: &Upstream) -> (Wire, Wire) {
    let mut client = house.client().await;
    let token = token(house);
    client
        .say(format!(
            "GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        ))
        .await;
    let (server, _) = upstream
        .answer(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )
        .await;
    assert_eq!(status(&client.head().await), "101");
    (client, server)
}

/// Waits until the stream is cut, without a last chunk: nobody takes it for whole.
async fn is_cut(client: &mut Wire) {
    let began = Instant::now();
    assert_eq!(client.rest().await, "");
    assert!(began.elapsed() < CUT_MAX, "{:?}", began.elapsed());
}

fn revoke_session(house: &House) {
    let now = house.edge.clock.now();
    let revocation = Revocation {
        what: Revoked::Session("s1".into()),
        issuer: None,
        cutoff: now,
        expires_at: now.plus(LIFE),
    };
    house.edge.revocations.revoke(revocation, now);
}

#[tokio::test]
async fn an_event_stream_is_cut_at_the_end_of_its_token() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let (mut client, mut server) = stream(&house, &upstream, "/x").await;
    house.clock.pass(LIFE);
    is_cut(&mut client).await;
    assert_eq!(server.rest().await, "");
}

/// Each time that the gate looks there is more to move.
#[tokio::test]
async fn what_never_pauses_is_cut_at_the_end_of_its_token() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    for (client, mut server) in [
        stream(&house, &upstream, "/x").await,
        websocket(&house, &upstream).await,
    ] {
        tokio::spawn(async move {
            let chunk = [b"100000\r\n", &[b'a'; 0x10_0000][..], b"\r\n"].concat();
            while server.tcp.write_all(&chunk).await.is_ok() {}
        });
        let mut client = client.tcp;
        let read = tokio::spawn(async move {
            let mut room = vec![0; 1 << 20];
            while matches!(client.read(&mut room).await, Ok(1..)) {}
        });
        house.clock.pass(LIFE);
        assert!(timeout(5 * CUT_MAX, read).await.is_ok());
    }
}

#[tokio::test]
async fn an_answer_that_says_how_long_it_is_ends_behind_its_token() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let mut client = house.client().await;
    let token = token(&house);
    client
        .say(format!(
            "GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
        .await;
    let mut server = upstream.accept().await;
    server.head().await;
    // It began later: once it is cut, the other one would be.
    let (mut witness, _server) = stream(&house, &upstream, "/witness").await;
    house.clock.pass(LIFE);
    is_cut(&mut witness).await;
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nef")
        .await;
    client.until("\r\n\r\nef").await;
    tokio::time::sleep(CUT_MAX).await;
    server.say("gh").await;
    client.until("gh").await;
}

#[tokio::test]
async fn an_answer_that_begins_behind_its_token_may_end_soon_and_not_go_on() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    for ends in [true, false] {
        let mut client = house.client().await;
        let token = token(&house);
        client
            .say(format!(
                "GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
            ))
            .await;
        let mut server = upstream.accept().await;
        server.head().await;
        house.clock.pass(LIFE);
        tokio::time::sleep(CUT_MAX).await;
        server
            .say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            .await;
        client.until("1\r\na\r\n").await;
        if ends {
            server.say("1\r\nb\r\n0\r\n\r\n").await;
            client.until("1\r\nb\r\n0\r\n\r\n").await;
        } else {
            is_cut(&mut client).await;
        }
    }
}

#[tokio::test]
async fn a_route_may_let_streams_outlive_their_token() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "outlive = true")).await;
    let (mut client, mut server) = stream(&house, &upstream, "/x").await;
    // It began later and its route has no such word: once it is cut, the other one would be.
    let (mut witness, _server) = stream(&house, &upstream, "/witness").await;
    house.clock.pass(LIFE);
    is_cut(&mut witness).await;
    server.say("1\r\nb\r\n0\r\n\r\n").await;
    client.until("1\r\nb\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_revocation_cuts_a_stream() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let (mut client, _server) = stream(&house, &upstream, "/x").await;
    revoke_session(&house);
    is_cut(&mut client).await;
}

#[tokio::test]
async fn a_revocation_cuts_also_a_stream_that_outlived_its_token() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "outlive = true")).await;
    let (mut client, mut server) = stream(&house, &upstream, "/x").await;
    house.clock.pass(LIFE * 2);
    server.say("1\r\nb\r\n").await;
    client.until("1\r\nb\r\n").await;
    revoke_session(&house);
    is_cut(&mut client).await;
}

#[tokio::test]
async fn a_reload_cuts_the_streams_that_it_no_longer_permits() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let (mut client, mut server) = stream(&house, &upstream, "/x").await;
    let (mut witness, _server) = stream(&house, &upstream, "/witness").await;
    let publish = |text: &str| house.edge.gate.publish(gate(text, Path::new("/nowhere")).0);
    let witness_alone = config(upstream.address, "methods = [\"GET\"]").replace(
        "path = \"/witness\"",
        "path = \"/witness\"\nscopes = [\"more\"]",
    );
    publish(&witness_alone);
    is_cut(&mut witness).await;
    server.say("1\r\nb\r\n").await;
    client.until("1\r\nb\r\n").await;
    publish(&config(upstream.address, "scopes = [\"more\"]"));
    is_cut(&mut client).await;
}

#[tokio::test]
async fn a_websocket_ends_with_a_close_frame_between_two_frames() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let (mut client, mut server) = websocket(&house, &upstream).await;
    server.say([0x81, 2, b'o', b'k']).await;
    client.until("ok").await;
    house.clock.pass(LIFE);
    assert_eq!(client.bytes().await, [0x88, 2, 0x11, 0x31]);
    assert_eq!(server.rest().await, "");
}

#[tokio::test]
async fn a_websocket_within_a_frame_is_cut() {
    let upstream = Upstream::start().await;
    let house = House::of(&config(upstream.address, "")).await;
    let (mut client, mut server) = websocket(&house, &upstream).await;
    server.say([0x81, 9, b'o', b'k']).await;
    client.until("ok").await;
    house.clock.pass(LIFE);
    assert!(client.bytes().await.is_empty());
}

#[tokio::test]
async fn a_stream_of_grpc_ends_with_unauthenticated() {
    let upstream = http2::echo().await;
    let text = config(upstream, "").replace("\n[issuers", "\nprotocol = \"h2\"\n[issuers");
    let house = House::of(&text).await;
    let bearer = format!("Bearer {}", token(&house));
    let request = Request::builder().header("authorization", bearer);
    let (body, _send) = http2::stream(&house, request).await;
    house.clock.pass(LIFE);
    let trailers = http2::ended(body).await;
    assert_eq!(trailers["grpc-status"], "16");
    assert_eq!(trailers["grpc-message"], "token_expired");
}
