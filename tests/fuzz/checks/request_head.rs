//! Bytes of a connection: heads are found alike in any pieces, and what was read reads back when it is written.

use tollgate::wire::head::{
    HeadError, HeadLimits, HeadScanner, Http1Request, parse_request, read_response,
};
use tollgate::wire::write;

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 4 << 10,
    fields_max: 50,
};

pub(crate) fn check(bytes: &[u8]) {
    check_scanner(bytes);
    if let Ok(Some((request, length))) = parse_request(bytes, LIMITS) {
        assert!(bytes[..length].ends_with(b"\r\n\r\n"));
        check_rewritten(&request);
    }
    for to_head in [false, true] {
        let end = HeadScanner::response().find(bytes, LIMITS.bytes_max);
        if let Ok(Some(end)) = end
            && let Ok(response) = read_response(&bytes[..end], to_head, LIMITS)
        {
            assert!(bytes[..end].ends_with(b"\r\n\r\n"));
            assert!((100..600).contains(&response.status));
        }
    }
}

fn check_scanner(bytes: &[u8]) {
    let mut scanner = HeadScanner::request();
    let mut found: Result<Option<usize>, HeadError> = Ok(None);
    for came in 0..=bytes.len() {
        found = scanner.find(&bytes[..came], LIMITS.bytes_max);
        if !matches!(found, Ok(None)) {
            break;
        }
    }
    assert_eq!(HeadScanner::request().find(bytes, LIMITS.bytes_max), found);
}

/// Writes the head as a hop would, with nothing taken away, and reads it again.
fn check_rewritten(request: &Http1Request<'_>) {
    let mut out = Vec::new();
    write::write_request_head(&mut out, request.method, request.target);
    for field in &request.fields {
        write::write_field(&mut out, field.name, field.value);
    }
    write::write_head_end(&mut out);
    let limits = HeadLimits {
        bytes_max: out.len() + 1,
        ..LIMITS
    };
    let (again, length) = parse_request(&out, limits)
        .expect("a head that was written")
        .expect("a whole head");
    assert_eq!(length, out.len());
    assert_eq!(
        (again.method, again.target),
        (request.method, request.target)
    );
    assert_eq!(again.framing, request.framing);
    assert_eq!(again.fields[..], request.fields[..]);
}
