//! Deadlines, caps and the end of connections.

use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::house::{House, Upstream, status};
use crate::gate::Reason;
use crate::proxy::exchange::LISTENS_MAX;
use crate::proxy::listener::FAREWELLS_MAX;

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_slow_head_is_refused() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_timeout = \"200ms\"", "").await;
    let mut client = house.client().await;
    client.say("GET / HTTP/1.1\r\nHo").await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "408" && answer.contains("\"request_timeout\""),
        "{answer}"
    );
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let upstream = Upstream::start().await;
    for http2 in ["true", "false"] {
        let listener = format!("idle_timeout = \"200ms\"\nhttp2 = {http2}");
        let house = House::before(upstream.address, &listener, "").await;
        assert_eq!(house.client().await.rest().await, "");
    }
}

#[tokio::test]
async fn connections_over_the_cap_are_told_so() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "connections_max = 1", "").await;
    let mut first = house.client().await;
    first.say(GET).await;
    let mut server = upstream.accept().await;
    server.head().await;
    let mut second = house.client().await;
    let answer = second.rest().await;
    assert!(
        status(&answer) == "503" && answer.contains("\"overloaded\""),
        "{answer}"
    );
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(status(&first.head().await), "200");
}

#[tokio::test]
async fn a_client_that_only_listens_still_gets_its_answer() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    client.hush().await;
    let mut server = upstream.accept().await;
    server.head().await;
    // By the time somebody else was served, the gate has seen that this client has said all.
    let mut other = house.client().await;
    other.say(GET).await;
    let (_other, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    other.head().await;
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    assert!(client.rest().await.ends_with("\r\n\r\nok"));
}

#[tokio::test]
async fn a_client_that_is_gone_takes_its_upstream_request_along() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
        .await;
    let mut server = upstream.accept().await;
    server.until("\r\n\r\nab").await;
    drop(client);
    assert_eq!(server.rest().await, "");
}

#[tokio::test]
async fn a_client_that_left_before_its_answer_takes_its_upstream_request_along() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let mut server = upstream.accept().await;
    server.head().await;
    drop(client);
    assert_eq!(server.rest().await, "");
}

#[tokio::test]
async fn an_answer_that_has_begun_reaches_a_client_that_only_listens() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    client.hush().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no";
    let (mut server, _) = upstream.answer(head).await;
    client.until("\r\n\r\no").await;
    sleep(LISTENS_MAX + LISTENS_MAX / 4).await;
    server.say("k").await;
    assert_eq!(client.rest().await, "k");
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_closes_behind_them() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut idle = house.client().await;
    idle.say(GET).await;
    let (_kept, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    idle.head().await;
    let mut client = house.client().await;
    client.say(GET).await;
    let mut server = _kept;
    server.head().await;
    assert_eq!(house.edge.in_flight(), 1);
    house.stop.send(true).unwrap();
    house.edge.drain();
    assert_eq!(
        idle.rest().await,
        "",
        "nothing is lost with an idle connection"
    );
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let told = client.rest().await;
    assert!(told.ends_with("\r\n\r\nok"), "{told}");
    assert!(
        told.contains("\r\nConnection: close\r\n"),
        "nobody sends another request into it: {told}"
    );
    assert_eq!(house.edge.in_flight(), 0);
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_left_and_not_told_of_as_slow_to_ask() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "idle_timeout = \"200ms\"", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut server, _) = upstream.answer("HTTP/1.1 200 OK\r\n\r\n").await;
    while server.tcp.write_all(&[b'x'; 65_536]).await.is_ok() {}
    // The connection ends once the request was told of.
    client.bytes().await;
    assert_eq!(house.refusals(Reason::RequestTimeout), 0);
}

#[tokio::test]
async fn those_for_whom_there_is_no_place_hold_few() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "connections_max = 1", "").await;
    let _place = house.client().await;
    let mut told = Vec::new();
    for _ in 0..FAREWELLS_MAX {
        told.push(house.client().await);
    }
    assert_eq!(house.client().await.rest().await, "");
    for client in &mut told {
        assert_eq!(status(&client.head().await), "503");
    }
}
