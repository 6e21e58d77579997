//! Upgrades.

use super::house::{House, Upstream, status};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";

#[tokio::test]
async fn bytes_behind_an_upgrade_wait_for_the_101() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say(format!("{UPGRADE}GET /smuggled HTTP/1.1\r\n\r\n"))
        .await;
    let mut server = upstream.accept().await;
    let head = server.head().await;
    assert!(
        head.contains("Upgrade: websocket\r\n") && head.contains("Connection: Upgrade\r\n"),
        "{head}"
    );
    assert!(server.is_silent().await);
    server
        .say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\nearly")
        .await;
    let answer = client.until("early").await;
    assert!(
        status(&answer) == "101" && answer.contains("Sec-WebSocket-Accept: y\r\n"),
        "{answer}"
    );
    server.until("GET /smuggled HTTP/1.1\r\n\r\n").await;
    server.say("pong").await;
    client.until("pong").await;
    client.hush().await;
    assert_eq!(
        server.rest().await,
        "",
        "a half that is shut is shut on the other side"
    );
    server.say("last").await;
    drop(server);
    assert_eq!(client.rest().await, "last");
}

#[tokio::test]
async fn another_answer_than_101_is_an_answer_and_the_end() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say(format!(
            "{UPGRADE}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ))
        .await;
    let (mut server, _) = upstream
        .answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "400" && answer.contains("Connection: close\r\n"),
        "{answer}"
    );
    assert!(server.is_silent().await);
}

#[tokio::test]
async fn an_answer_that_wants_an_upgrade_says_to_what() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    let mut asked = async |status: &str| {
        client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let said = format!(
            "HTTP/1.1 {status}\r\nUpgrade: websocket, x/2\r\nConnection: upgrade, close\r\nContent-Length: 0\r\n\r\n"
        );
        upstream.answer(&said).await;
        client.head().await
    };
    let required = asked("426 Upgrade Required").await;
    assert!(
        required.contains("\r\nUpgrade: websocket, x/2\r\n"),
        "{required}"
    );
    assert!(
        required.contains("\r\nConnection: Upgrade\r\n"),
        "{required}"
    );
    let other = asked("200 OK").await;
    assert!(
        !other.contains("pgrade"),
        "an offer is the hop's own: {other}"
    );
}

#[tokio::test]
async fn a_route_that_refuses_upgrades_asks_nobody() {
    let upstream = Upstream::start().await;
    let house = House::of(&format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{}\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\nupgrade = false\n",
        upstream.address
    ))
    .await;
    let mut client = house.client().await;
    client.say(UPGRADE).await;
    let answer = client.rest().await;
    assert_eq!(status(&answer), "405", "{answer}");
    assert!(answer.contains("\"method_refused\""), "{answer}");
    // A server that switches unasked is not believed.
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (_server, head) = upstream
        .answer(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )
        .await;
    assert!(head.starts_with("GET /x "), "{head}");
    assert_eq!(status(&client.head().await), "502");
}
