//! What is written reads back as one message, whatever was handed in; and which names go where.

use proptest::prelude::*;

use super::super::head::{Framing, parse_request, read_response};
use super::super::{fields, write};
use super::LIMITS;

#[test]
fn an_answer_reads_back_as_it_was_written() {
    let mut out = Vec::new();
    write::write_status_line(&mut out, 404);
    write::write_field(&mut out, "Content-Length", b"2");
    write::write_head_end(&mut out);
    assert_eq!(out, b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n");
    let response = read_response(&out, false, LIMITS).unwrap();
    assert_eq!(response.status, 404);
    assert_eq!(response.framing, Framing::Length(2));
}

#[test]
fn a_status_without_a_name_is_written_all_the_same() {
    let mut out = Vec::new();
    write::write_status_line(&mut out, 299);
    write::write_head_end(&mut out);
    let response = read_response(&out, true, LIMITS).unwrap();
    assert_eq!(response.status, 299);
}

#[test]
fn an_empty_chunk_is_not_written() {
    let mut out = Vec::new();
    write::write_chunk_head(&mut out, 0);
    assert!(out.is_empty());
    write::write_chunk_head(&mut out, 255);
    assert_eq!(out, b"ff\r\n");
}

#[test]
fn a_trailer_frames_routes_and_authenticates_nothing() {
    for name in [
        "grpc-status",
        "Grpc-Message",
        "x-checksum",
        "Server-Timing",
        "ETag",
        "Digest",
    ] {
        assert!(fields::may_be_trailer(name), "{name}");
    }
    let never = [
        "Content-Length",
        "Transfer-Encoding",
        "transfer_encoding",
        "Host",
        "Authorization",
        "Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Cookie",
        "Set-Cookie",
        "Content-Type",
        "Content-Encoding",
        "If-Match",
        "Range",
        "X-Forwarded-For",
        "X-Request-Id",
        "x_anything",
        "Access-Control-Allow-Origin",
        "WWW-Authenticate",
        "X-HTTP-Method-Override",
        "Expect",
    ];
    for name in never {
        assert!(!fields::may_be_trailer(name), "{name}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_written_ends_a_line(
        target in prop::collection::vec(any::<char>(), 0..20),
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let target: String = target.into_iter().collect();
        let mut out = Vec::new();
        write::write_request_head(&mut out, "GET", &target);
        write::write_field(&mut out, "X", &value);
        write::write_head_end(&mut out);
        let ends = out.iter().filter(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
        prop_assert_eq!(ends, 6);
        if let Ok(Some((request, length))) = parse_request(&out, LIMITS) {
            prop_assert_eq!((length, request.fields.len()), (out.len(), 1));
        }
    }
}
