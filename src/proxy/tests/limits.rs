//! Limits of time and number that a request meets, on both protocols.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{House, SILENT_TLS, Upstream, status};
use super::http2;
use crate::gate::Reason;
use crate::telemetry::Health;

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
/// Between two bytes of a slow body.
const DRIP: Duration = Duration::from_millis(30);
/// Nothing here is to last as long as the defaults, which are 10 seconds and more.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_request_has_an_end_where_the_operator_sets_one() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "request_timeout = \"300ms\"", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let _silent = upstream.accept().await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "408" && answer.contains("\"request_timeout\""),
        "{answer}"
    );
    let mut client = house.client().await;
    client.say(GET).await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
        .await;
    assert!(
        client.rest().await.ends_with("\r\n\r\nab"),
        "an answer that has begun is cut"
    );
}

#[tokio::test]
async fn a_request_has_its_end_while_a_connection_is_sought() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "request_timeout = \"300ms\"", SILENT_TLS).await;
    let mut client = house.client().await;
    client.say(GET).await;
    let _silent = upstream.accept().await;
    let answer = client.rest().await;
    assert_eq!(status(&answer), "408", "{answer}");
}

#[tokio::test]
async fn a_server_for_which_nobody_waits_to_the_end_is_passed_over_all_the_same() {
    let upstream = Upstream::start().await;
    let more = SILENT_TLS.replace("1m", "800ms");
    let house = House::before(upstream.address, "request_timeout = \"300ms\"", &more).await;
    let mut client = house.client().await;
    client.say(GET).await;
    assert_eq!(status(&client.rest().await), "408");
    let servers = house.edge.telemetry.metrics().servers();
    assert!(
        servers
            .iter()
            .any(|server| server.health == Health::PassedOver)
    );
}

#[tokio::test]
async fn a_body_below_the_least_rate_is_given_up() {
    let upstream = Upstream::start().await;
    let listener = "body_timeout = \"400ms\"\nbody_rate_min = \"1KiB\"";
    let house = House::before(upstream.address, listener, "").await;
    let began = Instant::now();
    let client = house.client().await;
    let (mut read, mut write) = client.tcp.into_split();
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n";
    write.write_all(head.as_bytes()).await.unwrap();
    // No pause is a fault; all of them together are.
    let dripping = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    });
    let mut answer = String::new();
    let _reset = read.read_to_string(&mut answer).await;
    dripping.abort();
    assert!(
        status(&answer) == "408" && answer.contains("\"request_timeout\""),
        "{answer}"
    );
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn a_body_may_not_pause_because_it_says_that_it_is_grpc() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "body_timeout = \"300ms\"", "").await;
    let began = Instant::now();
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 9\r\n\r\nab")
        .await;
    let answer = client.rest().await;
    assert!(answer.contains("\r\ngrpc-status: 4\r\n"), "{answer}");
    assert_eq!(house.refusals(Reason::RequestTimeout), 1);
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn a_stream_of_grpc_on_which_nobody_speaks_is_given_up() {
    let upstream = Upstream::start().await;
    let more = "protocol = \"h2\"\nidle_timeout = \"300ms\"";
    let house = House::before(upstream.address, "", more).await;
    let request = Request::post("http://a/s/M").header("content-type", "application/grpc");
    let mut sender = http2::client(&house).await;
    let (response, _send) = sender
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    let _silent = upstream.accept().await;
    let head = response.await.unwrap();
    assert_eq!(head.headers()["grpc-status"], "4");
}

#[tokio::test]
async fn a_body_of_http2_that_is_not_as_long_as_it_says_is_malformed() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    for (counted, content) in [(1, "abc"), (2, "abcdef")] {
        let tcp = TcpStream::connect(house.address).await.unwrap();
        let (sender, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        let mut sender = sender.ready().await.unwrap();
        let mut post = Request::post("http://a/x").body(()).unwrap();
        let length = "5".parse().unwrap();
        post.headers_mut().insert("content-length", length);
        let (response, mut body) = sender.send_request(post, false).unwrap();
        let _server = upstream.accept().await;
        body.send_data(Bytes::from_static(content.as_bytes()), true)
            .unwrap();
        let error = response.await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::PROTOCOL_ERROR));
        while house.refusals(Reason::RequestMalformed) < counted {
            assert_eq!(house.refusals(Reason::RequestMalformed), counted - 1);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_body_of_http2_is_held_to_the_same_limits() {
    let upstream = Upstream::start().await;
    let listener = "body_timeout = \"400ms\"\nbody_rate_min = \"1KiB\"\nbody_bytes_max = \"4KiB\"";
    let house = House::before(upstream.address, listener, "").await;
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let post = || Request::post("http://a/x").body(()).unwrap();

    let mut sender = sender.ready().await.unwrap();
    let (response, mut body) = sender.send_request(post(), false).unwrap();
    let dripping = tokio::spawn(async move {
        while body.send_data(Bytes::from_static(b"x"), false).is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    });
    assert_eq!(response.await.unwrap().status(), 408);
    dripping.abort();
    assert_eq!(house.refusals(Reason::RequestTimeout), 1);

    let mut sender = sender.ready().await.unwrap();
    let (response, mut body) = sender.send_request(post(), false).unwrap();
    body.send_data(Bytes::from(vec![b'x'; 5000]), false)
        .unwrap();
    assert_eq!(response.await.unwrap().status(), 413);
    assert_eq!(house.refusals(Reason::BodyTooLarge), 1);

    let mut sender = sender.ready().await.unwrap();
    let mut said = post();
    said.headers_mut()
        .insert("content-length", "5000".parse().unwrap());
    let (response, _body) = sender.send_request(said, false).unwrap();
    assert_eq!(response.await.unwrap().status(), 413);
}
