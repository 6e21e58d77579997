//! One request of an HTTP/2 client, as its stream has it: a head that is read as strictly as over HTTP/1.1, then the same
//! turn.

use std::time::Instant;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::uri::{Authority, PathAndQuery};
use http::{Request, Uri, header};
use tokio::time::Instant as Moment;

use super::body::Http2Body;
use super::storm::SOON;
use crate::proxy::alarm::Alarm;
use crate::proxy::answer::{Answer, Shape};
use crate::proxy::body::{Origin, Source};
use crate::proxy::client::{Client, Incoming};
use crate::proxy::edge::Edge;
use crate::proxy::turn;
use crate::traffic::Pace;
use crate::wire::head::{Fields, Framing, HeadError, REQUEST_FIELDS_MAX};
use crate::wire::{Field, RequestHead, Scheme, Version, fields, framing};

/// What a field counts beside its bytes (RFC 9113 §6.5.2).
const FIELD_OVERHEAD: usize = 32;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its answer began, or its client waited for it long enough.
    Served,
    /// Its client took it back before, and soon.
    TakenBack,
}

/// Serves one request.
pub(super) async fn serve(
    edge: &Edge,
    client: &Client,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Fate {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let named: Fields<'_> = parts
        .headers
        .iter()
        .map(|(name, value)| Field {
            name: name.as_str(),
            value: value.as_bytes(),
        })
        .collect();
    let authority = parts.uri.authority().map(Authority::as_str);
    // The library has cut off a fragment: what is judged here is what goes on.
    let target = parts.uri.path_and_query().map(PathAndQuery::as_str);
    let head = RequestHead {
        version: Version::Http2,
        scheme: client.scheme,
        method: parts.method.as_str(),
        target: target.or(authority).unwrap_or_default(),
        authority,
        fields: &named,
    };
    let framing = match is_of_http(&parts.uri) {
        true => one_framing(&head, client),
        false => Err(HeadError::Ambiguous("a scheme that is none of HTTP's")),
    };
    let incoming = Incoming {
        framing: match framing {
            Ok(framing) if !body.is_end_stream() => framing,
            // Said with the end itself: a server of HTTP/1 may insist on it (RFC 9110 §8.6).
            Ok(Framing::Length(length)) => Framing::Length(length),
            _ => Framing::Empty,
        },
        head,
        upgrade: None,
        expects_continue: expects_continue(&parts.headers),
        began,
    };
    let shape = Shape {
        version: Version::Http2,
        to_head: parts.method == http::Method::HEAD,
    };
    let mut answer = Answer::http2(respond, shape, client.listener.idle_timeout);
    if let Err(error) = framing {
        turn::refuse_unread(edge, client, &incoming, error.into(), &mut answer).await;
    } else {
        let pace = Pace::new(client.listener.body_timeout, client.listener.body_rate_min);
        let mut source = Source::new(Origin::Http2(Http2Body::new(body)), Some(pace));
        let mut alarm = Alarm::new(Moment::from_std(began));
        turn::serve(
            edge,
            client,
            &incoming,
            &mut source,
            &mut answer,
            &mut alarm,
        )
        .await;
    }
    if !answer.is_finished() {
        answer.abort();
    }
    match !answer.has_begun() && began.elapsed() < SOON {
        true => Fate::TakenBack,
        false => Fate::Served,
    }
}

/// Whether a target is one of HTTP's: to serve another would be to translate it (RFC 9113 §8.3.1), and HTTP/1.1 refuses
/// the same. Which of the two it is does not count, since somebody before us may end TLS.
fn is_of_http(target: &Uri) -> bool {
    let scheme = target.scheme_str();
    scheme.is_none_or(|scheme| Scheme::parse(scheme).is_some())
}

/// The one framing of a body, where the head is as the RFC has it: the library looks neither at the edges of values nor
/// at a second length.
fn one_framing(head: &RequestHead<'_>, client: &Client) -> Result<Framing, HeadError> {
    if is_too_large(head, client) {
        return Err(HeadError::TooLarge);
    }
    if !head
        .fields
        .iter()
        .all(|field| fields::is_trimmed(field.value))
    {
        return Err(HeadError::Malformed("a space at the edge of a value"));
    }
    framing::of_stream(head.fields)
}

fn is_too_large(head: &RequestHead<'_>, client: &Client) -> bool {
    let fields = head.fields.iter();
    let bytes: usize = fields
        .map(|field| field.name.len() + field.value.len() + FIELD_OVERHEAD)
        .sum();
    let line = head.method.len() + head.target.len() + head.authority.map_or(0, str::len);
    bytes + line > client.listener.header_bytes_max || head.fields.len() > REQUEST_FIELDS_MAX
}

fn expects_continue(headers: &http::HeaderMap) -> bool {
    let expected = headers.get(header::EXPECT);
    expected.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}
