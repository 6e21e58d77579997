//! What is framed how, both ways.

use std::io::ErrorKind;

use tokio::io::AsyncReadExt;

use super::house::{House, Upstream, status};

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn an_answer_is_relayed_with_its_length_and_the_connection_goes_on() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut server, head) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Up: 1\r\nX-Identity-Subject: evil\r\nX-Request-Id: theirs\r\n\r\nhello")
        .await;
    assert!(head.starts_with("GET /x HTTP/1.1\r\nHost: a\r\n"), "{head}");
    let answer = client.until("hello").await;
    assert_eq!(status(&answer), "200");
    assert!(
        answer.contains("Content-Length: 5\r\n") && answer.contains("X-Up: 1\r\n"),
        "{answer}"
    );
    assert!(
        !answer.contains("evil") && !answer.contains("theirs") && !answer.contains("close"),
        "{answer}"
    );
    assert!(answer.contains("X-Request-Id: "), "{answer}");
    client.say("HEAD /y HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        server.head().await.starts_with("HEAD /y "),
        "the connection is used again"
    );
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
        .await;
    assert!(client.head().await.contains("Content-Length: 77\r\n"));
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn chunks_and_trailers_pass_both_ways() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Identity-Subject: evil\r\n\r\n")
        .await;
    let mut server = upstream.accept().await;
    let request = server.until("0\r\nX-Sum: 1\r\n\r\n").await;
    assert!(
        request.contains("Transfer-Encoding: chunked\r\n") && request.contains("3\r\nabc\r\n"),
        "{request}"
    );
    server
        .say(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\nX-Sum: 2\r\n\r\n",
        )
        .await;
    let answer = client.until("2\r\nde\r\n0\r\nX-Sum: 2\r\n\r\n").await;
    assert!(
        answer.contains("Transfer-Encoding: chunked\r\n"),
        "{answer}"
    );
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn trailers_are_announced_where_they_go_on() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    // Not where none can follow, and not where it was meant for the gate alone.
    for more in ["", "Connection: Trailer\r\nTransfer-Encoding: chunked\r\n"] {
        let mut client = house.client().await;
        client
            .say(format!(
                "POST /x HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\n{more}\r\n"
            ))
            .await;
        let request = upstream.accept().await.head().await;
        assert!(!request.contains("Trailer:"), "{request}");
    }
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum, X-Identity-Subject, Host\r\nTrailer: X-More\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n")
        .await;
    let mut server = upstream.accept().await;
    let request = server.until("0\r\nX-Sum: 1\r\n\r\n").await;
    assert!(request.contains("Trailer: X-Sum, X-More\r\n"), "{request}");
    server
        .say("HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 2\r\n\r\n")
        .await;
    let answer = client.until("0\r\nX-Sum: 2\r\n\r\n").await;
    assert!(answer.contains("Trailer: X-Sum\r\n"), "{answer}");
    client.say(GET).await;
    server.head().await;
    server
        .say("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 0\r\n\r\n")
        .await;
    let answer = client.head().await;
    assert!(!answer.contains("Trailer:"), "{answer}");
    // Nor to a client of HTTP/1.0, or where the server meant the gate alone.
    for (version, more) in [("1.1", "Connection: Trailer\r\n"), ("1.0", "")] {
        let asked = format!("GET /x HTTP/{version}\r\nHost: a\r\n\r\n");
        client.say(asked).await;
        server.head().await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\n{more}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        server.say(answer).await;
        let answer = client.head().await;
        assert!(!answer.to_ascii_lowercase().contains("trailer"), "{answer}");
        if version == "1.1" {
            client.until("0\r\n\r\n").await;
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_gets_the_next_request_on_another_connection() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let mut first = upstream.accept().await;
    first.head().await;
    first
        .say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.head().await;
    client.say(GET).await;
    upstream.accept().await.head().await;
}

#[tokio::test]
async fn answers_without_content_have_none() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (mut server, _) = upstream.answer("HTTP/1.1 204 No Content\r\n\r\n").await;
    let head = client.head().await;
    assert!(
        status(&head) == "204" && !head.contains("Content-Length"),
        "{head}"
    );
    client.say(GET).await;
    server.head().await;
    server
        .say("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
        .await;
    let head = client.head().await;
    assert!(
        status(&head) == "304" && head.contains("ETag: \"x\""),
        "{head}"
    );
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn an_answer_not_modified_keeps_the_length_of_what_it_stands_for() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let not_modified = "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n";
    let (mut server, _) = upstream.answer(not_modified).await;
    let head = client.head().await;
    assert!(head.contains("Content-Length: 1234\r\n"), "{head}");
    // None of it comes, here or there: the next answer follows on the same connections.
    client.say(GET).await;
    server.head().await;
    server.say("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(status(&client.head().await), "204");
}

#[tokio::test]
async fn an_answer_until_the_close_becomes_chunks_and_the_client_stays() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (server, _) = upstream.answer("HTTP/1.1 200 OK\r\n\r\nall of it").await;
    drop(server);
    let answer = client.until("0\r\n\r\n").await;
    assert!(answer.contains("9\r\nall of it\r\n"), "{answer}");
    client.say(GET).await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(status(&client.head().await), "200");
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_chunks_and_the_close() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say("GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        .await;
    let answer = client.rest().await;
    assert!(
        answer.contains("Connection: close\r\n") && answer.ends_with("\r\n\r\nok"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_that_only_the_close_ends_is_cut_short_by_a_reset() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say("GET /x HTTP/1.0\r\nHost: a\r\n\r\n").await;
    let (server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        .await;
    client.until("\r\n\r\nok").await;
    drop(server);
    let end = client.tcp.read(&mut [0; 9]).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_answer_cut_short_never_looks_whole() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = house.client().await;
        client.say(GET).await;
        let (server, _) = upstream
            .answer(&format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n3\r\nabc\r\n"))
            .await;
        drop(server);
        let answer = client.rest().await;
        assert!(
            !answer.ends_with("0\r\n\r\n") && answer.len() < 300,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_malformed_answer_is_a_bad_gateway() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "garbage\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX",
    ] {
        let mut client = house.client().await;
        client.say(GET).await;
        let (_server, _) = upstream.answer(answer).await;
        let body = client.until("\"upstream_unavailable\"").await;
        assert_eq!(status(&body), "502", "{answer}");
    }
}

#[tokio::test]
async fn interim_answers_are_relayed_before_the_final_one() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client.say(GET).await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    let hint = client.head().await;
    assert!(
        status(&hint) == "103" && hint.contains("Link: </a>"),
        "{hint}"
    );
    assert_eq!(status(&client.head().await), "200");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = house.client().await;
    client
        .say(format!("{GET}{}", GET.replace("/x", "/y")))
        .await;
    let (mut server, first) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        .await;
    assert!(first.starts_with("GET /x "));
    assert!(server.head().await.starts_with("GET /y "));
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")
        .await;
    assert!(client.until("\r\n\r\n1").await.contains("200"));
    assert!(client.until("\r\n\r\n2").await.contains("200"));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_reason_and_the_close() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_bytes_max = \"1KiB\"", "").await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(2000)
    );
    for (request, code, reason) in [
        ("GET / HTTP/1.1\nHost: a\n\n", "400", "request_malformed"),
        ("\x16\x03\x01", "400", "request_malformed"),
        ("GET / HTTP/1.1\r\n\r\n", "400", "request_malformed"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nGET /smuggled HTTP/1.1\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (&long, "431", "headers_too_large"),
    ] {
        let mut client = house.client().await;
        client.say(request).await;
        let answer = client.rest().await;
        assert_eq!(status(&answer), code, "{request:?} {answer}");
        assert!(
            answer.contains(&format!("\"{reason}\"")),
            "{request:?} {answer}"
        );
        assert!(
            answer.contains("Connection: close\r\n") && answer.contains("x-request-id: "),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_and_begins_with_head_has_no_content_in_its_answer() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_bytes_max = \"1KiB\"", "").await;
    let large = format!(
        "HEAD /x HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n",
        "a".repeat(2000)
    );
    for (request, expected) in [
        (&*large, "431"),
        ("HEAD /x HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
    ] {
        let mut client = house.client().await;
        client.say(request).await;
        let answer = client.rest().await;
        assert_eq!(status(&answer), expected);
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}
