//! Bodies in both directions at once, limits, and what is left of a body nobody wanted.

use super::house::{House, Upstream, status};

#[tokio::test]
async fn a_streaming_echo_never_waits_for_the_end_of_the_request() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        .await;
    let mut server = upstream.accept().await;
    server.until("1\r\na\r\n").await;
    server
        .say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
        .await;
    client.until("1\r\nA\r\n").await;
    for _ in 0..3 {
        client.say("1\r\nb\r\n").await;
        server.until("1\r\nb\r\n").await;
        server.say("1\r\nB\r\n").await;
        client.until("1\r\nB\r\n").await;
    }
    client.say("0\r\n\r\n").await;
    server.until("0\r\n\r\n").await;
    server.say("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
}

#[tokio::test]
async fn large_bodies_pass_whole() {
    const LENGTH: usize = 5 << 20;
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let body = "0123456789abcdef".repeat(LENGTH / 16);
    let sent = body.clone();
    let served = tokio::spawn(async move {
        let mut server = upstream.accept().await;
        let head = server.head().await;
        assert!(
            head.contains(&format!("Content-Length: {LENGTH}\r\n")),
            "{head}"
        );
        assert!(server.exactly(LENGTH).await == sent);
        server
            .say(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n{sent}"
            ))
            .await;
        server
    });
    let mut client = house.client().await;
    client
        .say(format!(
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n{body}"
        ))
        .await;
    assert_eq!(status(&client.head().await), "200");
    assert!(client.exactly(LENGTH).await == body);
    served.await.unwrap();
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_before_and_within() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "body_bytes_max = \"1KiB\"", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n")
        .await;
    assert_eq!(status(&client.rest().await), "413");
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.say(format!("401\r\n{}\r\n", "x".repeat(1025))).await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "413" && answer.contains("\"body_too_large\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_chunk_that_says_it_is_over_the_limit_is_not_waited_for() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "body_bytes_max = \"1KiB\"", "").await;
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = house.client().await;
    client.say(head).await;
    let mut server = upstream.accept().await;
    server.until("\r\n\r\n").await;
    client.say("400\r\n").await;
    client.say("x".repeat(1024)).await;
    server.until(&"x".repeat(1024)).await;
    client.say("\r\n1\r\n").await;
    assert_eq!(status(&client.rest().await), "413");
    for chunks in ["401\r\n", "ffffffffffffffff\r\nab", "1\r\na\r\n400\r\nb"] {
        let mut client = house.client().await;
        client.say(format!("{head}{chunks}")).await;
        let answer = client.rest().await;
        assert!(
            status(&answer) == "413" && answer.contains("\"body_too_large\""),
            "{chunks:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_told_of_before_route_and_method() {
    let house = House::of(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\nbody_bytes_max = \"1KiB\"\n\
         [upstreams.up]\nservers = [\"127.0.0.1:1\"]\n\
         [routes.large]\npath = \"/large\"\nmethods = [\"GET\"]\naccess = \"public\"\nupstream = \"up\"\n\
         body_bytes_max = \"2KiB\"\n",
    )
    .await;
    for (path, length, expected) in [
        ("/none", 1024, "404"),
        ("/none", 1025, "413"),
        ("/large", 1025, "405"),
        ("/large", 2049, "413"),
        ("//", 2049, "400"),
    ] {
        let mut client = house.client().await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        client.say(head).await;
        assert_eq!(status(&client.head().await), expected, "{path} {length}");
    }
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "body_timeout = \"200ms\"", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        .await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "408" && answer.contains("\"request_timeout\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_small_body_of_a_refused_request_leaves_the_connection_usable() {
    let upstream = Upstream::start().await;
    let house = House::of(&format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{}\"]\n\
         [routes.all]\npath = \"/x\"\naccess = \"public\"\nupstream = \"up\"\n",
        upstream.address
    ))
    .await;
    let mut client = house.client().await;
    client
        .say("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\n")
        .await;
    let refused = client.until("\"route_unknown\"").await;
    assert!(
        status(&refused) == "404" && !refused.contains("close"),
        "{refused}"
    );
    client.until("}").await;
    // What follows is the rest of the body, whatever it looks like; then a request.
    client
        .say("GET /x HTTP/1.1\r\nHost:GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let (_server, head) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(head.starts_with("GET /x HTTP/1.1\r\nHost: a\r\n"), "{head}");
    assert_eq!(status(&client.head().await), "200");
}

#[tokio::test]
async fn a_large_or_awaited_body_of_a_refused_request_closes_the_connection() {
    let upstream = Upstream::start().await;
    let house = House::of(&format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"{}\"]\n\
         [routes.all]\npath = \"/x\"\naccess = \"public\"\nupstream = \"up\"\n",
        upstream.address
    ))
    .await;
    for more in [
        "Content-Length: 100000",
        "Expect: 100-continue\r\nContent-Length: 5",
    ] {
        let mut client = house.client().await;
        client
            .say(format!("POST /none HTTP/1.1\r\nHost: a\r\n{more}\r\n\r\n"))
            .await;
        let answer = client.rest().await;
        assert!(
            status(&answer) == "404" && answer.contains("Connection: close\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("100 Continue"));
    }
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_once_the_request_may_pass() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await;
    assert_eq!(status(&client.head().await), "100");
    client.say("ok").await;
    let mut server = upstream.accept().await;
    let request = server.until("\r\n\r\nok").await;
    assert!(!request.to_lowercase().contains("expect"), "{request}");
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(status(&client.head().await), "200");
}

#[tokio::test]
async fn an_early_answer_is_relayed_and_the_rest_of_the_body_is_no_request() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n0123456789")
        .await;
    let mut server = upstream.accept().await;
    server.until("0123456789").await;
    server
        .say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert_eq!(status(&client.until("\r\n\r\nno").await), "403");
    client.say("GET /smuggled HTTP/1").await;
    client.say("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (_server, head) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(head.starts_with("GET /next "), "{head}");
    assert_eq!(status(&client.head().await), "200");
}

#[tokio::test]
async fn an_early_answer_to_a_large_body_says_that_it_is_the_last() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n0123456789")
        .await;
    let mut server = upstream.accept().await;
    server.until("0123456789").await;
    server
        .say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let answer = client.rest().await;
    assert_eq!(status(&answer), "403");
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say(
            "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        )
        .await;
    let answer = client.rest().await;
    assert!(
        status(&answer) == "400" && answer.contains("\"request_malformed\""),
        "{answer}"
    );
}
