//! Answer heads: one framing, or none at all.

use super::super::head::{Framing, HeadScanner, read_response};
use super::{LIMITS, name_of};

#[test]
fn an_answer_has_one_framing_or_is_refused() {
    use Framing::{Chunked, Empty, Length, UntilClose};
    let rows = [
        ("HTTP/1.1 200 OK\r\n", "", false, Ok((UntilClose, false))),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\n",
            false,
            Ok((Length(3), true)),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Transfer-Encoding: chunked\r\n",
            false,
            Ok((Chunked, true)),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\n",
            true,
            Ok((Empty, true)),
        ),
        ("HTTP/1.1 200 OK\r\n", "", true, Ok((Empty, true))),
        (
            "HTTP/1.1 200\r\n",
            "Content-Length: 0\r\n",
            false,
            Ok((Length(0), true)),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\nConnection: close\r\n",
            false,
            Ok((Length(3), false)),
        ),
        ("HTTP/1.1 204 No Content\r\n", "", false, Ok((Empty, true))),
        (
            "HTTP/1.1 204 No Content\r\n",
            "Content-Length: 3\r\n",
            false,
            Ok((Empty, false)),
        ),
        (
            "HTTP/1.1 204 No Content\r\n",
            "Transfer-Encoding: chunked\r\n",
            false,
            Ok((Empty, false)),
        ),
        (
            "HTTP/1.1 304 Not Modified\r\n",
            "Content-Length: 3\r\n",
            false,
            Ok((Empty, true)),
        ),
        ("HTTP/1.1 100 Continue\r\n", "", false, Ok((Empty, true))),
        (
            "HTTP/1.1 103 Early Hints\r\n",
            "Link: <a>\r\n",
            false,
            Ok((Empty, true)),
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\n",
            "Upgrade: websocket\r\n",
            false,
            Ok((Empty, false)),
        ),
        (
            "HTTP/1.0 200 OK\r\n",
            "Content-Length: 3\r\n",
            false,
            Ok((Length(3), false)),
        ),
        (
            "HTTP/1.0 200 OK\r\n",
            "Content-Length: 3\r\nConnection: keep-alive\r\n",
            false,
            Ok((Length(3), true)),
        ),
        ("HTTP/1.0 200 OK\r\n", "", false, Ok((UntilClose, false))),
        (
            "HTTP/1.0 200 OK\r\n",
            "Transfer-Encoding: chunked\r\n",
            false,
            Err("malformed"),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            false,
            Err("malformed"),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            false,
            Err("malformed"),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            true,
            Err("malformed"),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            false,
            Err("malformed"),
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: -3\r\n",
            false,
            Err("malformed"),
        ),
        ("HTTP/1.1 099 Low\r\n", "", false, Err("malformed")),
        ("HTTP/1.1 600 High\r\n", "", false, Err("malformed")),
        ("HTTP/1.1 20 Short\r\n", "", false, Err("malformed")),
        ("HTTP/1.1 2000 Long\r\n", "", false, Err("malformed")),
        ("HTTP/2.0 200 OK\r\n", "", false, Err("malformed")),
        ("HTTP/1.1 200 OK\n", "", false, Err("malformed")),
        ("\r\nHTTP/1.1 200 OK\r\n", "", false, Err("malformed")),
        (
            "HTTP/1.1 200 OK\r\n",
            "X: a\r\n b\r\n",
            false,
            Err("malformed"),
        ),
        ("HTTP/1.1 200 OK\r\n", "X : a\r\n", false, Err("malformed")),
        ("220 smtp.example.com\r\n", "", false, Err("malformed")),
    ];
    for (line, lines, to_head, expected) in rows {
        let head = format!("{line}{lines}\r\n");
        let whole = HeadScanner::response().find(head.as_bytes(), LIMITS.bytes_max);
        let read = whole
            .map(|end| &head.as_bytes()[..end.expect("a whole head")])
            .and_then(|head| read_response(head, to_head, LIMITS))
            .map(|response| (response.framing, response.keep_alive))
            .map_err(name_of);
        assert_eq!(read, expected, "{head:?}");
    }
}
