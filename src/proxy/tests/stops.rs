//! Nothing outlives the drain, and what it cuts is told why.

use http::Request;

use super::house::{House, SILENT_TLS, Upstream, status};
use super::http2;
use crate::gate::Reason;

/// A public route, a drain that is over soon.
async fn house(upstream: &Upstream) -> House {
    House::before(upstream.address, "", "[server]\ndrain = \"300ms\"").await
}

#[tokio::test]
async fn what_has_no_answer_when_the_drain_is_over_is_told_so() {
    for request in [
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let upstream = Upstream::start().await;
        let house = house(&upstream).await;
        let mut client = house.client().await;
        client.say(request).await;
        let mut server = upstream.accept().await;
        server.head().await;
        house.edge.drain();
        let answer = client.rest().await;
        assert_eq!(status(&answer), "503", "{answer}");
        for part in ["\"overloaded\"", "Connection: close\r\n", "retry-after: "] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!((house.edge.cut(), house.edge.in_flight()), (1, 0));
        assert_eq!(house.refusals(Reason::Overloaded), 1);
    }
}

#[tokio::test]
async fn what_waits_for_a_connection_when_the_drain_is_over_is_told_so() {
    let upstream = Upstream::start().await;
    let more = format!("{SILENT_TLS}\n[server]\ndrain = \"300ms\"");
    let house = House::before(upstream.address, "", &more).await;
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let _silent = upstream.accept().await;
    house.edge.drain();
    let answer = client.rest().await;
    assert_eq!(status(&answer), "503", "{answer}");
    assert_eq!(house.edge.cut(), 1);
}

#[tokio::test]
async fn a_stream_is_cut_when_the_drain_is_over() {
    let upstream = Upstream::start().await;
    let house = house(&upstream).await;
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let _server = upstream
        .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        .await;
    client.until("1\r\na\r\n").await;
    house.edge.drain();
    assert_eq!(client.rest().await, "", "nobody takes it for whole");
    assert_eq!(house.edge.cut(), 1);
}

#[tokio::test]
async fn a_websocket_hears_that_the_gateway_goes_away() {
    let upstream = Upstream::start().await;
    let house = house(&upstream).await;
    let mut client = house.client().await;
    client
        .say("GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    let (mut server, _) = upstream
        .answer(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )
        .await;
    assert_eq!(status(&client.head().await), "101");
    house.edge.drain();
    assert_eq!(client.bytes().await, [0x88, 2, 0x03, 0xe9]);
    assert_eq!(server.rest().await, "");
    assert_eq!(house.edge.cut(), 1);
}

#[tokio::test]
async fn a_stream_of_grpc_ends_with_unavailable_when_the_drain_is_over() {
    let upstream = http2::echo().await;
    let more = "protocol = \"h2\"\n[server]\ndrain = \"300ms\"";
    let house = House::before(upstream, "", more).await;
    let (body, _send) = http2::stream(&house, Request::builder()).await;
    house.edge.drain();
    let trailers = http2::ended(body).await;
    assert_eq!(trailers["grpc-status"], "14");
    assert_eq!(trailers["grpc-message"], "overloaded");
}
