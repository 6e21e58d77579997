//! Heads: what they mean, and that pieces change nothing.

use proptest::prelude::*;

use super::super::head::{
    Framing, HeadError, HeadLimits, HeadScanner, Http1Request, parse_request, read_request,
};
use super::LIMITS;
use crate::corpus;
use crate::wire::Version;

fn request<R>(head: &str, look: impl FnOnce(Http1Request<'_>) -> R) -> R {
    let (request, length) = parse_request(head.as_bytes(), LIMITS)
        .expect("a sound head")
        .expect("a whole head");
    assert_eq!(length, head.len());
    look(request)
}

fn head_with(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

#[test]
fn a_head_is_read_as_it_came() {
    let head = "POST /a?b HTTP/1.1\r\nHost: Example.com\r\nX-A:  b c \r\nContent-Length: 7\r\n\r\n";
    request(head, |request| {
        assert_eq!((request.method, request.target), ("POST", "/a?b"));
        assert_eq!(request.version, Version::Http11);
        assert_eq!(request.framing, Framing::Length(7));
        let fields: Vec<_> = request
            .fields
            .iter()
            .map(|field| (field.name, field.value))
            .collect();
        let expected: [(&str, &[u8]); 3] = [
            ("Host", b"Example.com"),
            ("X-A", b"b c"),
            ("Content-Length", b"7"),
        ];
        assert_eq!(fields, expected);
    });
}

#[test]
fn the_connection_persists_by_version_and_option_and_close_wins() {
    let rows = [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive, Close\r\n", false),
        (
            "HTTP/1.1",
            "Connection: keep-alive\r\nConnection: close\r\n",
            false,
        ),
        ("HTTP/1.1", "Connection: closed\r\n", true),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ];
    for (version, lines, expected) in rows {
        let head = format!("GET / {version}\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(
            request(&head, |request| request.keep_alive),
            expected,
            "{head:?}"
        );
    }
}

#[test]
fn continue_is_expected_only_where_content_follows() {
    let rows = [
        (
            "HTTP/1.1",
            "Expect: 100-continue\r\nContent-Length: 1\r\n",
            true,
        ),
        (
            "HTTP/1.1",
            "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n",
            true,
        ),
        ("HTTP/1.1", "Expect: 100-continue\r\n", false),
        (
            "HTTP/1.1",
            "Expect: 100-continue\r\nContent-Length: 0\r\n",
            false,
        ),
        (
            "HTTP/1.1",
            "Expect: something\r\nContent-Length: 1\r\n",
            false,
        ),
        (
            "HTTP/1.0",
            "Expect: 100-continue\r\nContent-Length: 1\r\n",
            false,
        ),
    ];
    for (version, lines, expected) in rows {
        let head = format!("POST / {version}\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(
            request(&head, |request| request.expects_continue),
            expected,
            "{head:?}"
        );
    }
}

#[test]
fn only_a_sound_upgrade_counts() {
    let both = "Connection: keep-alive, Upgrade\r\nUpgrade: ";
    let rows = [
        (
            head_with(&format!("{both}WebSocket\r\n")),
            Some("websocket"),
        ),
        (head_with(&format!("{both}foo/2\r\n")), Some("foo/2")),
        (
            head_with(&format!("{both}foo/2\r\nContent-Length: 0\r\n")),
            Some("foo/2"),
        ),
        (head_with(&format!("{both}websocket, foo\r\n")), None),
        (head_with(&format!("{both}\r\n")), None),
        (
            head_with(&format!("{both}websocket\r\nContent-Length: 1\r\n")),
            None,
        ),
        (
            head_with(&format!("{both}websocket\r\n")).replace("GET", "POST"),
            None,
        ),
        (
            head_with(&format!("{both}websocket\r\n")).replace("1.1", "1.0"),
            None,
        ),
        (head_with("Upgrade: websocket\r\n"), None),
        (head_with("Connection: upgrade\r\n"), None),
    ];
    for (head, expected) in rows {
        request(&head, |request| {
            assert_eq!(request.upgrade, expected, "{head:?}")
        });
    }
}

#[test]
fn a_head_over_its_limit_is_refused_before_it_ends() {
    let limits = HeadLimits {
        bytes_max: 40,
        fields_max: 2,
    };
    let fits = "GET / HTTP/1.1\r\nHost: a\r\nX: 345678901\r\n\r\n";
    assert_eq!(fits.len(), 41);
    assert_eq!(
        parse_request(fits.as_bytes(), limits).err(),
        Some(HeadError::TooLarge)
    );
    let fits = &fits.replace('0', "");
    assert!(matches!(
        parse_request(fits.as_bytes(), limits),
        Ok(Some((_, 40)))
    ));
    let behind = format!("{fits}{}", "x".repeat(100));
    assert!(matches!(
        parse_request(behind.as_bytes(), limits),
        Ok(Some((_, 40)))
    ));
    let three = "GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n";
    assert_eq!(
        parse_request(three.as_bytes(), limits).err(),
        Some(HeadError::TooLarge)
    );
    assert!(matches!(parse_request(&[b'G'; 39], limits), Ok(None)));
    assert_eq!(
        parse_request(&[b'G'; 40], limits).err(),
        Some(HeadError::TooLarge)
    );
}

#[test]
fn what_begins_no_head_is_refused_at_its_first_byte() {
    for first in [b"\x16", b" ", b"\x80", b":", b"\n"] {
        for before in ["", "\r\n"] {
            let bytes = [before.as_bytes(), first].concat();
            let found = HeadScanner::request().find(&bytes, LIMITS.bytes_max);
            assert!(found.is_err(), "{bytes:?}");
        }
    }
    assert!(
        HeadScanner::response()
            .find(b"h", LIMITS.bytes_max)
            .is_err()
    );
}

/// Feeds `bytes` in pieces that end at `cuts`, as a connection would.
fn scan(bytes: &[u8], cuts: &[usize]) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::request();
    for cut in cuts.iter().copied().filter(|cut| *cut < bytes.len()) {
        if let Some(end) = scanner.find(&bytes[..cut], LIMITS.bytes_max)? {
            return Ok(Some(end));
        }
    }
    scanner.find(bytes, LIMITS.bytes_max)
}

#[test]
fn every_head_of_the_corpus_is_found_alike_byte_by_byte() {
    for row in corpus::rows(include_str!("../../../tests/data/smuggling.txt")) {
        let every: Vec<usize> = (0..row.bytes.len()).collect();
        let whole = scan(&row.bytes, &[]);
        assert_eq!(scan(&row.bytes, &every), whole, "{}", row.note);
        let at_once = parse_request(&row.bytes, LIMITS);
        match whole {
            Ok(Some(end)) => {
                let found = read_request(&row.bytes[..end], LIMITS).map(|_| end);
                assert_eq!(at_once.map(|read| read.expect("a whole head").1), found);
            }
            other => assert_eq!(at_once.map(|read| read.map(|(_, end)| end)), other),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_meet_one_verdict(
        bytes in r"(\r\n)?[A-Z ]{0,5}( /[a-z]{0,3} HTTP/1.1\r\n)?([A-Za-z]{1,3}: [a-z]{0,4}(\r\n|\n|\r|\r\r\n|\x00)){0,4}(\r\n)?[a-z]{0,3}",
        mut cuts in prop::collection::vec(0usize..80, 0..6),
    ) {
        cuts.sort_unstable();
        prop_assert_eq!(scan(bytes.as_bytes(), &cuts), scan(bytes.as_bytes(), &[]));
    }

    #[test]
    fn a_head_that_was_read_is_its_own_whole_input(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let head = [b"GET / HTTP/1.1\r\nA: ", &bytes[..]].concat();
        if let Ok(Some((request, length))) = parse_request(&head, LIMITS) {
            prop_assert!(head[..length].ends_with(b"\r\n\r\n"));
            for field in &request.fields {
                prop_assert!(!field.value.iter().any(|byte| b"\r\n\0".contains(byte)));
            }
        }
    }
}
