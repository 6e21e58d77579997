//! The answer heads of one exchange: interim ones, then the final one, and where its body comes from.

use std::future::poll_fn;
use std::task::Poll;

use bytes::BytesMut;
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::response::Parts;
use http::{HeaderMap, header};

use super::shared::Stream;
use crate::proxy::body::{Origin, Source};
use crate::proxy::connection::Reader;
use crate::proxy::failure::Heard;
use crate::proxy::http1::Http1Body;
use crate::proxy::http2::Http2Body;
use crate::wire::Field;
use crate::wire::fields::same_name;
use crate::wire::head::{
    Fields, Framing, HeadError, HeadLimits, HeadScanner, check_status, read_response,
};

/// The largest answer head. Upstreams are the operator's own, so it is no key of the configuration.
const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 64 << 10,
    fields_max: 200,
};

/// Where an exchange's answer comes from.
pub(in crate::proxy) struct Answers<'l> {
    way: Way<'l>,
    to_head: bool,
    heard: Heard,
}

enum Way<'l> {
    Http1 {
        reader: &'l mut Reader,
        scanner: HeadScanner,
    },
    Http2 {
        response: &'l mut ResponseFuture,
        stream: &'l Stream,
    },
}

/// Why there is no answer head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) enum AnswerFault {
    /// The connection ended before it.
    Cut(String),
    /// The server ended it and says that it did nothing (RFC 9113 §8.7).
    Unprocessed(String),
    /// The stream alone was ended: the server may have done what was asked.
    Reset(String),
    /// It is no HTTP.
    Malformed(&'static str),
}

/// An answer head as it came.
pub(in crate::proxy) enum Head {
    /// Bytes with their empty line.
    Http1(BytesMut),
    /// Status and fields; the body of a final one.
    Http2(Box<Parts>, Option<RecvStream>),
}

/// An answer head, read.
pub(in crate::proxy) struct AnswerHead<'b> {
    pub(in crate::proxy) status: u16,
    pub(in crate::proxy) fields: Fields<'b>,
    /// How its body ends; for HTTP/2 without a length, as chunks: it ends when it ends.
    pub(in crate::proxy) framing: Framing,
    pub(in crate::proxy) keep_alive: bool,
}

impl<'l> Answers<'l> {
    pub(super) fn http1(reader: &'l mut Reader, to_head: bool) -> Self {
        let scanner = HeadScanner::response();
        Self::new(Way::Http1 { reader, scanner }, to_head)
    }

    pub(super) fn http2(
        response: &'l mut ResponseFuture,
        stream: &'l Stream,
        to_head: bool,
    ) -> Self {
        Self::new(Way::Http2 { response, stream }, to_head)
    }

    fn new(way: Way<'l>, to_head: bool) -> Self {
        Self {
            way,
            to_head,
            heard: Heard::Nothing,
        }
    }

    /// Waits for the next head, interim or final. Cancel-safe.
    pub(in crate::proxy) async fn next(&mut self) -> Result<Head, AnswerFault> {
        match &mut self.way {
            Way::Http1 { reader, scanner } => loop {
                if !reader.buffer.is_empty() {
                    self.heard = Heard::Some;
                }
                let found = scanner.find(&reader.buffer, LIMITS.bytes_max);
                if let Some(end) = found.map_err(malformed)? {
                    *scanner = HeadScanner::response();
                    return Ok(Head::Http1(reader.take(end)));
                }
                match reader.fill().await {
                    Ok(0) => return Err(AnswerFault::Cut("it closed the connection".into())),
                    Ok(_) => {}
                    Err(error) => return Err(AnswerFault::Cut(error.to_string())),
                }
            },
            Way::Http2 { response, stream } => {
                let head = poll_fn(|cx| {
                    if let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
                        let (parts, ()) = interim.into_parts();
                        return Poll::Ready(Ok(Head::Http2(Box::new(parts), None)));
                    }
                    std::pin::Pin::new(&mut **response)
                        .poll(cx)
                        .map_ok(|answer| {
                            let (parts, body) = answer.into_parts();
                            Head::Http2(Box::new(parts), Some(body))
                        })
                })
                .await;
                let head = head.map_err(|error| fault_of(&error))?;
                self.heard = Heard::Some;
                stream.answered();
                Ok(head)
            }
        }
    }

    /// Whether anything came.
    pub(in crate::proxy) fn heard(&self) -> Heard {
        self.heard
    }

    /// Reads a head.
    pub(in crate::proxy) fn read<'b>(&self, head: &'b Head) -> Result<AnswerHead<'b>, AnswerFault> {
        head.read(self.to_head)
    }

    /// Where the body of the final answer comes from.
    pub(in crate::proxy) fn body(self, framing: Framing, stream: Option<RecvStream>) -> Source<'l> {
        let origin = match (self.way, stream) {
            // What a server sends where no content may be is not waited for.
            (_, Some(_)) if framing == Framing::Empty => Origin::Empty,
            (_, Some(stream)) => Origin::Http2(Http2Body::new(stream)),
            (Way::Http1 { reader, .. }, None) => Origin::Http1(Http1Body::new(reader, framing)),
            (Way::Http2 { .. }, None) => Origin::Empty,
        };
        Source::new(origin, None)
    }
}

impl Head {
    /// The status that it seems to have; [`Head::read`] says whether it is an answer at all.
    pub(in crate::proxy) fn status(&self) -> u16 {
        match self {
            Self::Http1(bytes) => match bytes[b"HTTP/1.1 ".len().min(bytes.len())..] {
                [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => [a, b, c]
                    .iter()
                    .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')),
                _ => 0,
            },
            Self::Http2(parts, _) => parts.status.as_u16(),
        }
    }

    /// Reads it; `to_head` says whether the request was a HEAD.
    pub(in crate::proxy) fn read(&self, to_head: bool) -> Result<AnswerHead<'_>, AnswerFault> {
        match self {
            Self::Http1(bytes) => {
                let head = read_response(bytes, to_head, LIMITS).map_err(malformed)?;
                Ok(AnswerHead {
                    status: head.status,
                    framing: head.framing,
                    keep_alive: head.keep_alive,
                    fields: head.fields,
                })
            }
            Self::Http2(parts, body) => {
                let status = parts.status.as_u16();
                check_status(status).map_err(malformed)?;
                let framing = match to_head || matches!(status, 204 | 304) {
                    true => Framing::Empty,
                    false => framing(&parts.headers, body.as_ref()),
                };
                Ok(AnswerHead {
                    status,
                    framing,
                    keep_alive: true,
                    fields: fields(&parts.headers),
                })
            }
        }
    }

    /// The body of an HTTP/2 answer, once it was read how it is framed.
    pub(in crate::proxy) fn into_stream(self) -> Option<RecvStream> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(_, stream) => stream,
        }
    }
}

impl<'b> AnswerHead<'b> {
    /// The one value of a field.
    pub(in crate::proxy) fn value(&self, name: &str) -> Option<&'b [u8]> {
        let field = self.fields.iter().find(|field| same_name(field.name, name));
        field.map(|field| field.value)
    }
}

/// A stream that was refused, or that is beyond the last one of a connection that goes away, was not looked at. Any other
/// one that was reset was: its connection lives.
fn fault_of(error: &h2::Error) -> AnswerFault {
    let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    if error.is_remote() && (is_refused || error.is_go_away()) {
        AnswerFault::Unprocessed(error.to_string())
    } else if error.is_reset() {
        AnswerFault::Reset(error.to_string())
    } else {
        AnswerFault::Cut(error.to_string())
    }
}

#[cold]
fn malformed(error: HeadError) -> AnswerFault {
    AnswerFault::Malformed(match error {
        HeadError::Malformed(what) | HeadError::Ambiguous(what) => what,
        HeadError::TooLarge => "its head is over the limit",
    })
}

fn framing(headers: &HeaderMap, body: Option<&RecvStream>) -> Framing {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    match length {
        Some(length) => Framing::Length(length),
        None if body.is_none_or(RecvStream::is_end_stream) => Framing::Empty,
        None => Framing::Chunked,
    }
}

/// A space at the edge is no part of a value (RFC 9110 §5.5), and a client may break off at one (RFC 9113 §8.2.1).
fn fields(headers: &HeaderMap) -> Fields<'_> {
    headers
        .iter()
        .map(|(name, value)| Field {
            name: name.as_str(),
            value: value.as_bytes().trim_ascii(),
        })
        .collect()
}
