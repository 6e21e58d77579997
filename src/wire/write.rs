//! Bytes out: heads and chunks as RFC 9112 has them. Whatever is written here parses back as one message: no CR, LF or
//! NUL can leave through a name, a value or a target.

use std::io::Write;

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
    let begin = out.len();
    out.reserve(name.len() + value.len() + b": \r\n".len());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    if has_control(&out[begin..]) {
        out.truncate(begin);
        put_clean(out, name.as_bytes());
        out.extend_from_slice(b": ");
        put_clean(out, value);
    }
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
    let mut digits = [b'0'; DECIMAL_DIGITS_MAX];
    let mut begin = digits.len();
    loop {
        begin -= 1;
        digits[begin] += (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&digits[begin..]);
        }
    }
}

/// Ends a head: the empty line.
pub fn write_head_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// Begins a chunk of `length` bytes; the content and a CRLF follow. Writes nothing for 0, which would end the body.
pub fn write_chunk_head(out: &mut Vec<u8>, length: usize) {
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

/// Digits of the largest number.
const DECIMAL_DIGITS_MAX: usize = 20;

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

/// Whether a byte is below the space, as CR, LF and NUL are. Every request writes many short names and values and one long
/// assertion: rows of a register's width cost least.
fn has_control(bytes: &[u8]) -> bool {
    let least = match bytes.len() {
        0..4 => bytes.iter().copied().fold(u8::MAX, u8::min),
        4..16 => least_in_rows::<4>(bytes),
        _ => least_in_rows::<16>(bytes),
    };
    least < b' '
}

/// The least byte; column by column, so that the compiler keeps a row in one register. There is at least one row.
fn least_in_rows<const N: usize>(bytes: &[u8]) -> u8 {
    let mut least = *bytes.last_chunk::<N>().expect("there is a row");
    for row in bytes.as_chunks::<N>().0 {
        for (least, byte) in least.iter_mut().zip(row) {
            *least = (*least).min(*byte);
        }
    }
    least.into_iter().fold(u8::MAX, u8::min)
}

/// The words for a status (RFC 9110 §15); empty for one without a name.
fn reason_phrase(status: u16) -> &'static str {
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
