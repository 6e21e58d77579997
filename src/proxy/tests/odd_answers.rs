//! Answers of HTTP/2 servers that are no answers, or have content where none may be.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Response;
use tokio::net::TcpListener;

use super::house::{House, status};

/// A server whose every answer has this status and the content "ok".
async fn server(status: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(tcp).await.unwrap();
            tokio::spawn(async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let head = Response::builder().status(status).body(()).unwrap();
                    let mut content = respond.send_response(head, false).unwrap();
                    // Whoever wants none of it may have gone.
                    let _ = content.send_data(Bytes::from_static(b"ok"), true);
                }
            });
        }
    });
    address
}

/// A house before a server of this status.
async fn house(status: u16) -> House {
    House::before(server(status).await, "", "protocol = \"h2\"").await
}

#[tokio::test]
async fn a_status_that_http_does_not_have_is_no_answer() {
    for odd in [600, 999] {
        let house = house(odd).await;
        let mut client = house.client().await;
        client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = client.until("\"upstream_unavailable\"").await;
        assert_eq!(status(&answer), "502", "{odd}");
    }
}

#[tokio::test]
async fn content_where_none_may_be_is_left_behind() {
    for (method, code) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let house = house(code).await;
        let mut client = house.client().await;
        let asked = format!("{method} /x HTTP/1.1\r\nHost: a\r\n\r\n");
        // The second is answered on the same connection: nothing of the first stood in its way.
        for _ in 0..2 {
            client.say(&asked).await;
            let head = client.head().await;
            assert_eq!(status(&head), code.to_string(), "{method}");
            assert!(!head.contains("chunked") || method == "HEAD", "{head}");
        }
    }
}
