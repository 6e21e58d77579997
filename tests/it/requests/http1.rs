//! HTTP/1.1 on one connection: what waits, what follows, what is left of a body nobody wants.

use super::{House, SMUGGLED};

#[test]
fn two_requests_in_one_packet_are_judged_each_for_itself() {
    let house = House::start();
    let mut client = house.gateway.client();
    client.send(format!(
        "GET /crm/1 HTTP/1.1\r\nHost: a\r\n{}\r\n\r\nGET /crm/2 HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        house.issuer.bearer()
    ));
    let statuses: Vec<u16> = (0..3).map(|_| client.answer().unwrap().status).collect();
    assert_eq!(statuses, [200, 401, 200], "a token counts for one request");
    assert_eq!(
        house.lines_since(0),
        ["GET /crm/1 HTTP/1.1", "GET /3 HTTP/1.1"]
    );
    assert!(!house.upstream.last().contains("X-Identity-"));
}

#[test]
fn a_client_that_waits_is_told_to_go_on_only_when_it_is_admitted() {
    let house = House::start();
    let head = |field: &str| {
        format!(
            "POST /crm/x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nExpect: 100-continue\r\n{field}\r\n",
            SMUGGLED.len()
        )
    };
    let mut admitted = house.gateway.client();
    admitted.send(head(&format!("{}\r\n", house.issuer.bearer())));
    let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(admitted.exactly(go_on.len()), go_on.as_bytes());
    admitted.send(SMUGGLED);
    assert_eq!(admitted.answer().unwrap().status, 200);
    assert!(house.upstream.last().ends_with(SMUGGLED));
    assert!(!house.upstream.last().contains("Expect"));

    let mut refused = house.gateway.client();
    refused.send(head(""));
    let first = "HTTP/1.1 401";
    assert_eq!(refused.exactly(first.len()), first.as_bytes());
    refused.try_send(SMUGGLED);
    let rest = refused.everything();
    assert!(!rest.contains("HTTP/1.1"), "one answer alone: {rest}");
    assert_eq!(house.upstream.count(), 1);
}

#[test]
fn an_answer_to_head_has_no_content_and_the_connection_goes_on() {
    let house = House::start();
    let mut client = house.gateway.client();
    for _ in 0..2 {
        let answer = client.request("HEAD", "/x", &[]);
        assert_eq!(
            (answer.status, answer.field("content-length")),
            (200, Some("24"))
        );
    }
    assert_eq!(
        client.get("/x", &[]).text(),
        "hello from the upstream\n",
        "nothing stands before it"
    );
}

#[test]
fn chunks_and_trailers_arrive_and_identity_in_trailers_does_not() {
    let house = House::start();
    let mut client = house.gateway.client();
    client.send(format!(
        "POST /crm/x HTTP/1.1\r\nHost: a\r\n{}\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;ignored=yes\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 7\r\nX-Identity-Subject: forged\r\n\
         x_identity_subject: forged\r\nContent-Length: 9\r\nAuthorization: forged\r\n\
         X-Forwarded-For: forged\r\n\r\n",
        house.issuer.bearer()
    ));
    assert_eq!(client.answer().unwrap().status, 200);
    let told = house.upstream.last();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("\r\nTransfer-Encoding: chunked") && !head.contains("Content-Length"),
        "{head}"
    );
    assert!(
        body.contains("hello") && body.contains(" world") && body.contains("\r\nX-Sum: 7\r\n"),
        "{body}"
    );
    assert!(
        !told.contains("forged") && !told.contains("ignored") && !body.contains("Content-Length"),
        "{told}"
    );
    assert_eq!(client.get("/x", &[]).status, 200, "the connection goes on");
}

#[test]
fn what_is_left_of_a_refused_body_is_never_read_as_a_request() {
    let house = House::start();
    let head = "POST /crm/x HTTP/1.1\r\nHost: a\r\n";
    let small = format!("{head}Content-Length: {}\r\n\r\n{SMUGGLED}", SMUGGLED.len());
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n",
        SMUGGLED.len()
    );
    for sent in [small, chunked] {
        let mut client = house.gateway.client();
        client.send(&sent);
        assert_eq!(client.answer().unwrap().status, 401);
        let before = house.upstream.count();
        assert_eq!(client.get("/next", &[]).status, 200);
        assert_eq!(house.lines_since(before), ["GET /next HTTP/1.1"], "{sent}");
    }

    let before = house.upstream.count();
    let mut client = house.gateway.client();
    client.send(format!("{head}Content-Length: 5000000\r\n\r\n"));
    for _ in 0..1000 {
        client.try_send(SMUGGLED);
    }
    let answer = client.answer().unwrap();
    assert_eq!(
        (answer.status, answer.field("connection")),
        (401, Some("close"))
    );
    house.nothing_follows(&mut client, before, "a large body");
}

#[test]
fn authorities_that_disagree_are_refused() {
    let house = House::start();
    let rows = [
        ("GET http://b/x", "Host: a\r\n", 400),
        ("GET http://a@b/x", "Host: b\r\n", 400),
        ("GET http://a:81/x", "Host: a\r\n", 400),
        ("GET ftp://a/x", "Host: a\r\n", 400),
        ("GET http:///x", "Host: a\r\n", 400),
        ("GET http://a/../x", "Host: a\r\n", 400),
        ("GET /x", "Host: a/b\r\n", 400),
        ("GET /x", "Host: a b\r\n", 400),
        ("GET /x", "Host: user@a\r\n", 400),
        ("GET /x", "Host: a, b\r\n", 400),
        ("GET /x", "Host: a\r\nHost: a\r\n", 400),
        ("GET /x", "Host:\r\n", 400),
        ("GET /x", "", 400),
        ("CONNECT a:443", "Host: a:443\r\n", 400),
        ("GET http://A/x", "Host: a\r\n", 200),
        ("GET http://a?y", "Host: a\r\n", 200),
    ];
    for (line, host, status) in rows {
        let before = house.upstream.count();
        let mut client = house.gateway.client();
        client.send(format!("{line} HTTP/1.1\r\n{host}\r\n"));
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, status, "{line} {host}: {answer:?}");
        if status == 400 {
            house.nothing_follows(&mut client, before, line);
        } else {
            let told = house.upstream.last();
            assert!(told.starts_with("GET /"), "{line}: {told}");
        }
    }
}
