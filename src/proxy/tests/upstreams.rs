//! Which server, which connection, and what a client is told when none will do.

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::house::{House, Upstream, gate, status};
use crate::telemetry::Health;

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_where_that_is_safe() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut server, _) = upstream.answer(OK).await;
    client.head().await;
    // The second request arrives on the kept connection, which dies before it answers.
    client.say(GET).await;
    server.head().await;
    drop(server);
    let (mut server, head) = upstream.answer(OK).await;
    assert!(head.starts_with("GET /x "));
    assert_eq!(status(&client.head().await), "200");
    // So does one whose body has left already.
    client
        .say("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    server.until("\r\n\r\nhello").await;
    drop(server);
    let mut server = upstream.accept().await;
    server.until("\r\n\r\nhello").await;
    server.say(OK).await;
    assert_eq!(status(&client.head().await), "200");
    // A POST might have been done.
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        .await;
    server.head().await;
    drop(server);
    assert_eq!(status(&client.head().await), "502");
}

#[tokio::test]
async fn a_server_that_refuses_is_passed_over() {
    let dead = Upstream::start().await;
    let address = dead.address;
    drop(dead);
    let upstream = Upstream::start().await;
    let house = House::of(&format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{address}\", \"{}\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\n",
        upstream.address
    ))
    .await;
    for _ in 0..8 {
        let mut client = house.client().await;
        client
            .say("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
        let (server, _) = upstream
            .answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
        drop(server);
        assert_eq!(status(&client.rest().await), "200");
    }
}

#[tokio::test]
async fn a_server_is_told_as_used_once_its_kept_connections_are() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "retry_after = \"1ms\"").await;
    let health = || house.edge.telemetry.metrics().servers()[0].health;
    let mut client = house.client().await;
    client.say(GET).await;
    let mut server = upstream.accept().await;
    // Another request needs a connection of its own, and there is nobody any more to take it.
    drop(upstream);
    let mut other = house.client().await;
    other.say(GET).await;
    assert_eq!(status(&other.head().await), "502");
    assert_eq!(health(), Health::PassedOver);
    // The first connection goes on, and needs no other.
    for _ in 0..1000 {
        server.head().await;
        server.say(OK).await;
        client.head().await;
        if health() == Health::Used {
            return;
        }
        client.say(GET).await;
    }
    panic!("it is used, and told as dead");
}

#[tokio::test]
async fn no_server_at_all_is_unavailable() {
    let dead = Upstream::start().await;
    let address = dead.address;
    drop(dead);
    let house = House::before(address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let answer = client.until("\"upstream_unavailable\"").await;
    assert!(
        status(&answer) == "502" && !answer.contains("close"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_or_pauses_is_too_slow() {
    let upstream = Upstream::start().await;
    let more = "response_timeout = \"200ms\"\nidle_timeout = \"200ms\"";
    let house = House::before(upstream.address, "", more).await;
    let mut client = house.client().await;
    client.say(GET).await;
    let mut server = upstream.accept().await;
    let answer = client.until("\"upstream_timeout\"").await;
    assert_eq!(status(&answer), "504");
    server.head().await;
    assert_eq!(server.rest().await, "", "the upstream is left");
    let mut client = house.client().await;
    client.say(GET).await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
        .await;
    assert!(client.rest().await.ends_with("\r\n\r\nab"));
}

#[tokio::test]
async fn interim_answers_do_not_keep_an_answer_waited_for() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "response_timeout = \"200ms\"").await;
    for count in [1, 500] {
        for interim in ["100 Continue", "103 Early Hints"] {
            let mut client = house.client().await;
            client.say(GET).await;
            let many = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(count);
            let (_server, _) = upstream.answer(&many).await;
            let told = client.until("\"upstream_");
            let answer = timeout(Duration::from_secs(5), told).await;
            let answer = answer.expect("it is told");
            assert!(answer.contains("HTTP/1.1 504"), "{count}");
        }
    }
}

/// Each of them is here before anybody has looked at a clock.
#[tokio::test]
async fn a_server_that_never_ends_its_interim_answers_is_none() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    for interim in ["100 Continue", "103 Early Hints"] {
        let mut client = house.client().await;
        client.say(GET).await;
        let mut server = upstream.accept().await;
        server.head().await;
        let many = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(10_000);
        tokio::spawn(async move { while server.tcp.write_all(many.as_bytes()).await.is_ok() {} });
        let told = client.until("\"upstream_unavailable\"");
        let answer = timeout(Duration::from_secs(5), told).await;
        assert!(answer.is_ok_and(|answer| answer.contains("HTTP/1.1 502")));
    }
}

#[tokio::test]
async fn an_upstream_that_is_configured_no_longer_is_let_go_with_its_connections() {
    let (before, after) = (Upstream::start().await, Upstream::start().await);
    let config = |name: &str, upstream: &Upstream| {
        format!(
            "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
             [upstreams.{name}]\nservers = [\"{}\"]\n\
             [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"{name}\"\n",
            upstream.address
        )
    };
    let house = House::of(&config("blue", &before)).await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut kept, _) = before.answer(OK).await;
    client.head().await;
    let (next, _) = gate(&config("green", &after), Path::new("/nowhere"));
    house.edge.gate.publish(next);
    client.say(GET).await;
    let (_server, _) = after.answer(OK).await;
    client.head().await;
    // It would be kept for a minute otherwise, and what is known of its server for ever.
    assert_eq!(kept.rest().await, "");
}

#[tokio::test]
async fn a_server_without_a_clock_is_helped_out_with_a_date() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut server, _) = upstream.answer(OK).await;
    let head = client.head().await;
    assert_eq!(dates(&head).len(), 1, "{head}");
    assert!(dates(&head)[0].ends_with(" GMT"), "{head}");
    // One that has a clock is believed.
    client.say(GET).await;
    server.head().await;
    let told = "Sun, 06 Nov 1994 08:49:37 GMT";
    let dated = format!("HTTP/1.1 200 OK\r\ndate: {told}\r\nContent-Length: 0\r\n\r\n");
    server.say(dated).await;
    assert_eq!(dates(&client.head().await), [told]);
}

fn dates(head: &str) -> Vec<&str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let dates = fields.filter(|(name, _)| name.eq_ignore_ascii_case("date"));
    dates.map(|(_, value)| value).collect()
}
