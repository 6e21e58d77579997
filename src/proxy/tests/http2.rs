//! HTTP/2 on either side.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::request::Builder;
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::house::{House, SILENT_TLS, Upstream, status};

pub(super) async fn client(house: &House) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

fn post(path: &str) -> Request<()> {
    let uri = format!("http://a{path}");
    Request::post(uri)
        .header("te", "trailers")
        .body(())
        .unwrap()
}

async fn whole(response: Response<RecvStream>) -> (u16, HeaderMap, Vec<u8>, Option<HeaderMap>) {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        bytes.extend_from_slice(&piece);
    }
    let trailers = body.trailers().await.unwrap();
    (head.status.as_u16(), head.headers, bytes, trailers)
}

/// An upstream of HTTP/2 that echoes bodies and ends with trailers, as gRPC servers do.
pub(super) async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        let te = request.headers().get("te").cloned();
                        let mut body = request.into_body();
                        let mut head = Response::new(());
                        if let Some(te) = te {
                            head.headers_mut().insert("x-te", te);
                        }
                        let mut send = respond.send_response(head, false).unwrap();
                        while let Some(Ok(piece)) = body.data().await {
                            body.flow_control().release_capacity(piece.len()).unwrap();
                            send.send_data(piece, false).unwrap();
                        }
                        let mut trailers = HeaderMap::new();
                        trailers.insert("grpc-status", "0".parse().unwrap());
                        send.send_trailers(trailers).unwrap();
                    });
                }
            });
        }
    });
    address
}

/// A stream of gRPC through `house` to such a server, one message of which came back.
pub(super) async fn stream(house: &House, request: Builder) -> (RecvStream, SendStream<Bytes>) {
    let request = request.method("POST").uri("http://a/s/M");
    let request = request.header("content-type", "application/grpc").body(());
    let sent = client(house).await.send_request(request.unwrap(), false);
    let (response, mut send) = sent.unwrap();
    send.send_data("one".into(), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "one");
    (body, send)
}

/// The trailers with which a stream ends.
pub(super) async fn ended(mut body: RecvStream) -> HeaderMap {
    assert!(body.data().await.is_none());
    body.trailers().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_client_with_the_preface_speaks_http2_to_an_upstream_of_http1() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = client(&house).await;
    let (response, mut body) = sender.send_request(post("/x?q=1"), false).unwrap();
    body.send_data(Bytes::from_static(b"abc"), true).unwrap();
    let mut server = upstream.accept().await;
    let request = server.until("0\r\n\r\n").await;
    assert!(
        request.starts_with("POST /x?q=1 HTTP/1.1\r\nHost: a\r\n"),
        "{request}"
    );
    assert!(request.contains("3\r\nabc\r\n"), "{request}");
    server
        .say("HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Up: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\nX-Sum: 3\r\n\r\n")
        .await;
    let (status, headers, body, trailers) = whole(response.await.unwrap()).await;
    assert_eq!((status, &*body), (200, &b"de"[..]));
    assert!(headers.contains_key("x-up") && !headers.contains_key("x-hop"));
    assert_eq!(trailers.unwrap()["x-sum"], "3");
}

#[tokio::test]
async fn a_server_of_http1_hears_that_a_request_of_http2_has_no_content() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = client(&house).await;
    let mut request = post("/x");
    let fields = request.headers_mut();
    fields.insert("content-length", 0.into());
    let (response, _) = sender.send_request(request, true).unwrap();
    let (_server, head) = upstream
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(head.contains("\r\nContent-Length: 0\r\n"), "{head}");
    assert_eq!(response.await.unwrap().status(), 200);
}

#[tokio::test]
async fn both_sides_speak_http2_with_trailers_and_in_both_directions_at_once() {
    let house = House::before(echo().await, "", "protocol = \"h2\"").await;
    let mut sender = client(&house).await;
    for _ in 0..2 {
        let (response, mut send) = sender.send_request(post("/x"), false).unwrap();
        send.send_data(Bytes::from_static(b"one"), false).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.headers()["x-te"], "trailers");
        let (_, mut body) = response.into_parts();
        assert_eq!(body.data().await.unwrap().unwrap(), "one");
        send.send_data(Bytes::from_static(b"two"), true).unwrap();
        assert_eq!(body.data().await.unwrap().unwrap(), "two");
        while body.data().await.is_some() {}
        let trailers = body.trailers().await.unwrap().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
    }
}

/// Fields whose values have a space at their edge, as `grpc-message` may.
fn spaced() -> HeaderMap {
    let mut fields = HeaderMap::new();
    fields.insert("x-note", " not found: ".parse().unwrap());
    fields
}

#[tokio::test]
async fn spaces_at_the_edge_of_a_value_go_no_further() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let house = House::before(listener.local_addr().unwrap(), "", "protocol = \"h2\"").await;
    let served = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(tcp).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        tokio::spawn(async move { while connection.accept().await.is_some() {} });
        let mut body = request.into_body();
        while body.data().await.is_some() {}
        let heard = body.trailers().await.unwrap().unwrap();
        let mut head = Response::new(());
        *head.headers_mut() = spaced();
        let mut send = respond.send_response(head, false).unwrap();
        send.send_trailers(spaced()).unwrap();
        heard
    });
    let mut sender = client(&house).await;
    let (response, mut send) = sender.send_request(post("/x"), false).unwrap();
    send.send_trailers(spaced()).unwrap();
    let (_, head, _, trailers) = whole(response.await.unwrap()).await;
    assert_eq!(head["x-note"], "not found:");
    assert_eq!(trailers.unwrap()["x-note"], "not found:");
    assert_eq!(served.await.unwrap()["x-note"], "not found:");
}

#[tokio::test]
async fn a_client_of_http1_reaches_an_upstream_of_http2() {
    let house = House::before(echo().await, "", "protocol = \"h2\"").await;
    let mut client = house.client().await;
    client
        .say("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let answer = client.until("0\r\ngrpc-status: 0\r\n\r\n").await;
    assert!(
        status(&answer) == "200" && answer.contains("5\r\nhello\r\n"),
        "{answer}"
    );
    client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until("0\r\ngrpc-status: 0\r\n\r\n").await;
}

#[tokio::test]
async fn bodies_larger_than_every_window_pass() {
    let house = House::before(echo().await, "", "protocol = \"h2\"").await;
    let mut sender = client(&house).await;
    let (response, mut send) = sender.send_request(post("/x"), false).unwrap();
    let sent: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let pieces = sent.clone();
    tokio::spawn(async move {
        for piece in pieces.chunks(10_000) {
            let mut piece = Bytes::copy_from_slice(piece);
            while !piece.is_empty() {
                send.reserve_capacity(piece.len());
                let room = std::future::poll_fn(|cx| send.poll_capacity(cx)).await;
                let room = room.unwrap().unwrap().min(piece.len());
                send.send_data(piece.split_to(room), false).unwrap();
            }
        }
        send.send_data(Bytes::new(), true).unwrap();
    });
    let (status, _, body, _) = whole(response.await.unwrap()).await;
    assert_eq!(status, 200);
    assert!(body == sent);
}

#[tokio::test]
async fn a_refusal_of_grpc_is_trailers_only() {
    let house = House::of(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n\
         [upstreams.up]\nservers = [\"127.0.0.1:9\"]\n\
         [routes.all]\npath = \"/x\"\naccess = \"public\"\nupstream = \"up\"\n",
    )
    .await;
    let mut sender = client(&house).await;
    let mut request = post("/pkg.Service/Method");
    request
        .headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    let (response, _send) = sender.send_request(request, false).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.headers()["grpc-message"], "route_unknown");
    let (status, headers, body, trailers) = whole(response).await;
    assert_eq!((status, body.len(), trailers), (200, 0, None));
    assert!(!headers.contains_key("content-length") && headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn a_large_head_is_refused_with_a_reason() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_bytes_max = \"1KiB\"", "").await;
    let mut sender = client(&house).await;
    let mut request = post("/x");
    request
        .headers_mut()
        .insert("x", "x".repeat(1200).parse().unwrap());
    let (response, _) = sender.send_request(request, true).unwrap();
    let (status, _, body, _) = whole(response.await.unwrap()).await;
    assert_eq!(status, 431);
    assert!(String::from_utf8_lossy(&body).contains("headers_too_large"));
}

#[tokio::test]
async fn a_scheme_that_is_none_of_https_is_refused_as_over_http1() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = client(&house).await;
    let foreign = Request::get("ftp://a/x").body(()).unwrap();
    let (response, _) = sender.send_request(foreign, true).unwrap();
    let (status, _, body, _) = whole(response.await.unwrap()).await;
    assert_eq!(status, 400);
    assert!(String::from_utf8_lossy(&body).contains("request_ambiguous"));
    upstream.is_left_alone().await;
    // An end of TLS may stand before the gate.
    let secure = Request::get("https://a/x").body(()).unwrap();
    let (response, _) = sender.send_request(secure, true).unwrap();
    upstream.answer("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(response.await.unwrap().status(), 204);
}

#[tokio::test]
async fn no_connection_is_sought_for_a_stream_that_its_client_reset() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", SILENT_TLS).await;
    let mut sender = client(&house).await;
    let (_response, mut send) = sender.send_request(post("/x"), false).unwrap();
    let mut sought = upstream.accept().await;
    send.send_reset(h2::Reason::CANCEL);
    sought.bytes().await;
}

#[tokio::test]
async fn an_idle_connection_says_goodbye() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "idle_timeout = \"200ms\"", "").await;
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let (_sender, connection) = h2::client::handshake(tcp).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), connection).await;
    ended.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_stop_says_goaway_and_lets_streams_finish() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(tcp).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let (response, _) = sender.send_request(post("/x"), true).unwrap();
    let mut server = upstream.accept().await;
    server.head().await;
    house.stop.send(true).unwrap();
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let (status, _, body, _) = whole(response.await.unwrap()).await;
    assert_eq!((status, &*body), (200, &b"ok"[..]));
    drop(sender);
    ended.await.unwrap().unwrap();
}
