//! Bodies: that pieces change nothing, and where a body may be cut.

use proptest::prelude::*;

use super::super::body::{
    BodyReader, EXTENSION_BYTES_MAX, Piece, TRAILER_BYTES_MAX, TRAILER_FIELDS_MAX,
};
use super::super::head::Framing;
use super::super::write;
use super::read_body;
use crate::corpus;

#[test]
fn a_length_ends_where_it_says() {
    let mut reader = BodyReader::new(Framing::Length(5));
    assert!(!reader.may_end_here());
    assert_eq!(reader.read(b"").unwrap(), Piece::More { consumed: 0 });
    assert_eq!(
        reader.read(b"hel").unwrap(),
        Piece::Data {
            content: 0..3,
            consumed: 3
        }
    );
    assert_eq!(
        reader.read(b"loGET").unwrap(),
        Piece::Data {
            content: 0..2,
            consumed: 2
        }
    );
    assert!(reader.is_over());
    let end = Piece::End {
        consumed: 0,
        trailers: 0..0,
    };
    assert_eq!(reader.read(b"GET").unwrap(), end);
    assert_eq!(reader.read(b"").unwrap(), end);
}

#[test]
fn only_a_body_until_close_may_be_ended_by_it() {
    let rows = [
        (Framing::Empty, true),
        (Framing::Length(0), true),
        (Framing::Length(1), false),
        (Framing::Chunked, false),
        (Framing::UntilClose, true),
    ];
    for (framing, expected) in rows {
        assert_eq!(
            BodyReader::new(framing).may_end_here(),
            expected,
            "{framing:?}"
        );
    }
    let mut reader = BodyReader::new(Framing::UntilClose);
    assert_eq!(
        reader.read(b"abc").unwrap(),
        Piece::Data {
            content: 0..3,
            consumed: 3
        }
    );
    assert!(reader.may_end_here() && !reader.is_over());
    assert_eq!(reader.read(b"").unwrap(), Piece::More { consumed: 0 });
}

#[test]
fn chunks_may_be_cut_nowhere() {
    let whole = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n";
    for cut in 0..whole.len() {
        let mut reader = BodyReader::new(Framing::Chunked);
        let mut rest = &whole[..cut];
        while let Piece::Data { consumed, .. } = reader.read(rest).unwrap() {
            rest = &rest[consumed..];
        }
        assert!(!reader.may_end_here(), "cut at {cut}");
    }
    let body = read_body(BodyReader::new(Framing::Chunked), whole, usize::MAX)
        .unwrap()
        .unwrap();
    assert_eq!(body.content, b"hello!");
    assert_eq!(body.trailers, [("A".to_owned(), b"b".to_vec())]);
}

#[test]
fn a_broken_body_stays_broken() {
    let mut reader = BodyReader::new(Framing::Chunked);
    let error = reader.read(b"5\r\nhelloXX0\r\n\r\n");
    assert!(matches!(error, Ok(Piece::Data { .. })));
    let error = reader.read(b"XX0\r\n\r\n").unwrap_err();
    assert_eq!(reader.read(b"0\r\n\r\n"), Err(error));
    assert!(!reader.may_end_here());
}

#[test]
fn trailers_are_checked_even_where_nobody_reads_them() {
    let mut reader = BodyReader::new(Framing::Chunked);
    assert!(reader.read(b"0\r\nX y: z\r\n\r\n").is_err());
}

#[test]
fn what_frames_a_body_is_bounded() {
    let extensions = |times: usize| {
        let chunk = format!("1;{}\r\nx\r\n", "e".repeat(255));
        format!("{}0\r\n\r\n", chunk.repeat(times))
    };
    let trailers = |times: usize| format!("0\r\n{}\r\n", "a: b\r\n".repeat(times));
    let long = |length: usize| format!("0\r\na: {}\r\n\r\n", "b".repeat(length - 7));
    let rows = [
        (extensions(EXTENSION_BYTES_MAX / 256), true),
        (extensions(EXTENSION_BYTES_MAX / 256 + 1), false),
        (
            extensions(EXTENSION_BYTES_MAX / 256).replace("0\r\n\r\n", "0;\r\n\r\n"),
            false,
        ),
        (trailers(TRAILER_FIELDS_MAX), true),
        (trailers(TRAILER_FIELDS_MAX + 1), false),
        (long(TRAILER_BYTES_MAX), true),
        (long(TRAILER_BYTES_MAX + 1), false),
    ];
    for (at, (text, sound)) in rows.into_iter().enumerate() {
        for piece in [usize::MAX, 1000, 1] {
            let read = read_body(BodyReader::new(Framing::Chunked), text.as_bytes(), piece);
            assert_eq!(
                read.is_ok_and(|body| body.is_some()),
                sound,
                "row {at} by {piece}"
            );
        }
    }
}

#[test]
fn every_body_of_the_corpus_is_read_alike_in_any_pieces() {
    for row in corpus::rows(include_str!("../../../tests/data/smuggling.txt")) {
        let Some(at) = row.bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let body = &row.bytes[at + 4..];
        let read = |piece| read_body(BodyReader::new(Framing::Chunked), body, piece);
        for piece in 1..20 {
            assert_eq!(read(piece), read(usize::MAX), "{} by {piece}", row.note);
        }
    }
}

proptest! {
    #[test]
    fn what_was_written_in_chunks_is_read_back(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        trailer in "[a-z]{1,8}",
        piece in 1usize..30,
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            write::write_chunk_head(&mut wire, chunk.len());
            if !chunk.is_empty() {
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
        }
        write::write_last_chunk(&mut wire, [("x-trailer", trailer.as_bytes())]);
        let length = wire.len();
        wire.extend_from_slice(b"GET / HTTP/1.1");
        let body = read_body(BodyReader::new(Framing::Chunked), &wire, piece).unwrap().unwrap();
        prop_assert_eq!(body.content, chunks.concat());
        prop_assert_eq!(body.trailers, vec![("x-trailer".to_owned(), trailer.into_bytes())]);
        prop_assert_eq!(body.consumed, length);
    }

    #[test]
    fn any_bytes_in_any_pieces_make_one_body(
        bytes in r"([0-9a-f]{0,2}(;[a-z=\r\n]{0,4})?\r?\n?[a-z]{0,6}(\r\n|\n)?){0,4}(0\r\n)?([a-z]: [a-z]\r\n)?(\r\n)?",
        piece in 1usize..12,
    ) {
        let read = |piece| read_body(BodyReader::new(Framing::Chunked), bytes.as_bytes(), piece);
        prop_assert_eq!(read(piece), read(usize::MAX));
    }
}
