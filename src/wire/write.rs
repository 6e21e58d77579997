//! Bytes out: heads and chunks as RFC 9112 has them. Whatever is written here parses back as one message: no CR, LF or
//! NUL can leave through a name, a value or a target.

use std::io::Write;

/// The last chunk without trailers (RFC 9112 §7.1).
pub const CHUNK_END: &[u8] = b"0\r\n\r\n";

/// Begins a request: `METHOD target HTTP/1.1`.
pub fn write_request_head(out: &mut Vec<u8>, method: &str, target: &str) {
    out.reserve(HEAD_BYTES);
    put_clean(out, method.as_bytes());
    out.push(b' ');
    put_clean(out, target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Begins an answer: `HTTP/1.1 200 OK`.
pub fn write_status_line(out: &mut Vec<u8>, status: u16) {
    out.reserve(HEAD_BYTES);
    out.extend_from_slice(b"HTTP/1.1 ");
    write_decimal(out, status.into());
    out.push(b' ');
    out.extend_from_slice(reason_phrase(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes one field line.
pub fn write_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    put_clean(out, name.as_bytes());
    out.extend_from_slice(b": ");
    put_clean(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Writes `Content-Length` (RFC 9110 §8.6).
pub fn write_content_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    write_decimal(out, length);
    out.extend_from_slice(b"\r\n");
}

/// Writes a number in decimal digits. Every message has one, and the formatting machinery takes its time.
pub fn write_decimal(out: &mut Vec<u8>, mut number: u64) {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let begin = out.len();
    out.resize(begin + digits, b'0');
    for digit in out[begin..].iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
}

/// Ends a head: the empty line.
pub fn write_head_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// Begins a chunk of `length` bytes; the content and a CRLF follow. Writes nothing for 0, which would end the body.
pub fn write_chunk_head(length: usize, out: &mut Vec<u8>) {
    if length > 0 {
        put(out, format_args!("{length:x}\r\n"));
    }
}

/// Writes the last chunk with `trailers` and the empty line.
pub fn write_last_chunk<'a>(
    out: &mut Vec<u8>,
    trailers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        write_field(out, name, value);
    }
    write_head_end(out);
}

/// Room for a usual head, so that it is not copied again and again while it grows.
const HEAD_BYTES: usize = 2 << 10;

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a Vec takes every byte");
}

/// Appends `bytes` without those that could end a line. None come here: every name and value was parsed or verified.
fn put_clean(out: &mut Vec<u8>, bytes: &[u8]) {
    if !has_control(bytes) {
        return out.extend_from_slice(bytes);
    }
    out.extend(
        bytes
            .iter()
            .filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)),
    );
}

/// Whether a byte is below the space, as CR, LF and NUL are: eight bytes a step, since names and values are short and
/// there are many of them.
fn has_control(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    // A byte below the space borrows from its top bit when a space is taken from it; one of 0x80 and more is none.
    let borrows = words.iter().fold(0, |any, word| {
        let word = u64::from_ne_bytes(*word);
        any | (word.wrapping_sub(ONES * 0x20) & !word)
    });
    borrows & TOPS != 0 || rest.iter().any(|byte| *byte < b' ')
}

/// The words for a status (RFC 9110 §15); empty for one without a name.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        511 => "Network Authentication Required",
        _ => "",
    }
}
