//! The answer as the client gets it: one interface over HTTP/1 and HTTP/2. Knows framing, not why it is said.

use std::future::{pending, poll_fn};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::server::SendResponse;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::connection::{WriteFault, Writer};
use super::http2::Http2Outlet;
use super::relay::Outlet;
use crate::api::problem::{self, Dialect};
use crate::gate::Refusal;
use crate::wire::write;
use crate::wire::{Field, Version};

/// How long the content of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none, and no field speaks of one (RFC 9110 §8.6).
    None,
    /// So many bytes; an answer to HEAD and a 304 say it and send none.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// What a client's request means for the shape of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The protocol version.
    pub(super) version: Version,
    /// Whether the request was a HEAD: no content is sent.
    pub(super) to_head: bool,
}

/// The answer to one request.
pub(super) struct Answer<'c> {
    way: Way<'c>,
    shape: Shape,
    status: u16,
    finished: bool,
    keep_alive: bool,
}

enum Way<'c> {
    Http1 {
        writer: &'c mut Writer,
        body: Body,
    },
    Http2 {
        respond: SendResponse<Bytes>,
        stream: Option<SendStream<Bytes>>,
        patience: Duration,
    },
}

/// How the content of an HTTP/1 answer is framed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    Plain,
    Chunked,
    /// By nothing but the end of the connection.
    UntilClose,
}

impl<'c> Answer<'c> {
    /// An answer on an HTTP/1 connection, which the client wants to keep or not.
    pub(super) fn http1(writer: &'c mut Writer, shape: Shape, keep_alive: bool) -> Self {
        let body = Body::None;
        Self::new(Way::Http1 { writer, body }, shape, keep_alive)
    }

    /// An answer on an HTTP/2 stream whose client may give no room for `patience`.
    pub(super) fn http2(respond: SendResponse<Bytes>, shape: Shape, patience: Duration) -> Self {
        let way = Way::Http2 {
            respond,
            stream: None,
            patience,
        };
        Self::new(way, shape, true)
    }

    fn new(way: Way<'c>, shape: Shape, keep_alive: bool) -> Self {
        Self {
            way,
            shape,
            status: 0,
            finished: false,
            keep_alive: keep_alive && shape.version != Version::Http10,
        }
    }

    /// The status that was sent; 0 before.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Whether the head was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.status != 0
    }

    /// Whether all of it was sent.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the end of the connection would be taken for its end.
    pub(super) fn ends_by_close(&self) -> bool {
        matches!(
            self.way,
            Way::Http1 {
                body: Body::UntilClose,
                ..
            }
        )
    }

    /// Whether the connection may serve another request after this one.
    pub(super) fn keeps_alive(&self) -> bool {
        self.keep_alive && self.finished
    }

    /// What the request means for its shape.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// The connection ends with this answer.
    pub(super) fn close_after(&mut self) {
        self.keep_alive = false;
    }

    /// Sends an interim answer (RFC 9110 §15.2), where the client knows what that is.
    pub(super) async fn interim(
        &mut self,
        status: u16,
        fields: &[Field<'_>],
    ) -> Result<(), WriteFault> {
        if self.shape.version == Version::Http10 || self.has_begun() {
            return Ok(());
        }
        match &mut self.way {
            Way::Http1 { writer, .. } => {
                write::write_status_line(&mut writer.pending, status);
                put_fields(&mut writer.pending, fields);
                write::write_head_end(&mut writer.pending);
                writer.flush().await
            }
            Way::Http2 { respond, .. } => {
                let head = http2_head(status, fields).ok_or(WriteFault::Gone)?;
                respond
                    .send_informational(head)
                    .map_err(|_| WriteFault::Gone)
            }
        }
    }

    /// Begins the answer: status, fields without framing, and how long the content is. HTTP/1 gathers the head until the
    /// first flush, so that head and first content leave in one write.
    pub(super) fn begin(
        &mut self,
        status: u16,
        fields: &[Field<'_>],
        length: Length,
    ) -> Result<(), WriteFault> {
        let to_head = self.shape.to_head;
        let sends_none = to_head || status == 304;
        let is_empty = sends_none || matches!(length, Length::None | Length::Known(0));
        match &mut self.way {
            Way::Http1 { writer, body } => {
                let old = self.shape.version == Version::Http10;
                *body = match length {
                    _ if is_empty => Body::None,
                    Length::Unknown if old => Body::UntilClose,
                    Length::Unknown => Body::Chunked,
                    _ => Body::Plain,
                };
                self.keep_alive &= !(old && length == Length::Unknown);
                writer.begin();
                let out = &mut writer.pending;
                write::write_status_line(out, status);
                put_fields(out, fields);
                match length {
                    Length::None => {}
                    Length::Known(length) => write::write_content_length(out, length),
                    Length::Unknown if old => {}
                    Length::Unknown => write::write_field(out, "Transfer-Encoding", b"chunked"),
                }
                if !self.keep_alive {
                    write::write_field(out, "Connection", b"close");
                }
                write::write_head_end(out);
            }
            Way::Http2 {
                respond, stream, ..
            } => {
                let mut head = http2_head(status, fields).ok_or(WriteFault::Gone)?;
                if let Length::Known(length) = length {
                    head.headers_mut()
                        .insert(header::CONTENT_LENGTH, length.into());
                }
                let sent = respond.send_response(head, is_empty);
                let sent = sent.map_err(|_| WriteFault::Gone)?;
                *stream = (!is_empty).then_some(sent);
            }
        }
        self.status = status;
        Ok(())
    }

    /// Sends the head of a switch to another protocol (RFC 9110 §15.2.2). The connection is another one afterwards.
    pub(super) async fn switch(
        &mut self,
        protocol: &[u8],
        fields: &[Field<'_>],
    ) -> Result<(), WriteFault> {
        let Way::Http1 { writer, .. } = &mut self.way else {
            return Err(WriteFault::Gone);
        };
        write::write_status_line(&mut writer.pending, 101);
        put_fields(&mut writer.pending, fields);
        write::write_field(&mut writer.pending, "Connection", b"Upgrade");
        write::write_field(&mut writer.pending, "Upgrade", protocol);
        write::write_head_end(&mut writer.pending);
        self.status = 101;
        self.keep_alive = false;
        writer.flush().await
    }

    /// Where the content goes.
    pub(super) fn outlet(&mut self) -> Outlet<'_> {
        match &mut self.way {
            Way::Http1 { writer, body } => match body {
                // Nothing will come; what is gathered of the head must leave all the same.
                Body::None => Outlet::Head(writer),
                Body::Plain | Body::UntilClose => Outlet::Plain(writer),
                Body::Chunked => Outlet::Chunked(writer),
            },
            Way::Http2 {
                stream, patience, ..
            } => Outlet::Http2(Http2Outlet {
                stream: stream.as_mut(),
                patience: *patience,
            }),
        }
    }

    /// Notes that the outlet took everything.
    pub(super) fn finished(&mut self) {
        self.finished = true;
    }

    /// Says all of an answer that is already whole.
    pub(super) async fn whole(
        &mut self,
        status: u16,
        fields: &[Field<'_>],
        content: Option<&[u8]>,
    ) -> Result<(), WriteFault> {
        let length = content.map_or(Length::None, |content| Length::Known(content.len() as u64));
        self.begin(status, fields, length)?;
        let mut outlet = self.outlet();
        outlet.whole(content.unwrap_or_default()).await?;
        self.finished = true;
        Ok(())
    }

    /// Ends an answer that cannot be finished so that nobody takes it for a whole one.
    pub(super) fn abort(&mut self) {
        self.keep_alive = false;
        if let Way::Http2 {
            respond, stream, ..
        } = &mut self.way
            && !self.finished
        {
            // Not CANCEL, which some clients take for an end in order.
            let reason = h2::Reason::INTERNAL_ERROR;
            match stream {
                Some(stream) => stream.send_reset(reason),
                None => respond.send_reset(reason),
            }
        }
    }

    /// Takes back an answer that began and of which nothing left: the client can still be told why there is none. Whether
    /// it could; an HTTP/2 answer leaves at once.
    pub(super) fn take_back(&mut self) -> bool {
        let Way::Http1 { writer, .. } = &mut self.way else {
            return false;
        };
        if self.status == 0 || self.finished || writer.has_written() {
            return false;
        }
        writer.pending.clear();
        self.status = 0;
        true
    }

    /// Ends a gRPC answer that had begun in gRPC's own way: with a status in its trailers. `None` where that cannot be.
    pub(super) async fn end_as_grpc(&mut self, refusal: &Refusal, dialect: Dialect) -> Option<()> {
        if dialect != Dialect::Grpc || self.shape.version != Version::Http2 {
            return None;
        }
        let status = problem::grpc_status_of(refusal.reason).to_string();
        let trailers = vec![
            ("grpc-status".into(), status.into_bytes().into()),
            (
                "grpc-message".into(),
                refusal.reason.as_str().as_bytes().into(),
            ),
        ];
        self.outlet().finish(&trailers).await.ok()?;
        self.finished = true;
        Some(())
    }

    /// The HTTP/1 connection, if it is one: an upgrade takes it over.
    pub(super) fn http1_writer(&mut self) -> Option<&mut Writer> {
        match &mut self.way {
            Way::Http1 { writer, .. } => Some(writer),
            Way::Http2 { .. } => None,
        }
    }

    /// Waits until an HTTP/2 client resets the stream before its answer began.
    pub(super) async fn refused(&mut self) {
        match &mut self.way {
            Way::Http2 {
                respond,
                stream: None,
                ..
            } => drop(poll_fn(|cx| respond.poll_reset(cx)).await),
            _ => pending().await,
        }
    }
}

fn put_fields(out: &mut Vec<u8>, fields: &[Field<'_>]) {
    for field in fields {
        write::write_field(out, field.name, field.value);
    }
}

/// `None` for what HTTP/2 cannot say; no parsed field is such.
fn http2_head(status: u16, fields: &[Field<'_>]) -> Option<Response<()>> {
    let mut head = Response::new(());
    *head.status_mut() = StatusCode::from_u16(status).ok()?;
    let headers = head.headers_mut();
    headers.reserve(fields.len() + 1);
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some(head)
}
