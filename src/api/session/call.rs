//! One call to an endpoint of this room: its request, where it came from and when. Reads fields strictly: one that stands
//! twice is a fault.

use std::net::IpAddr;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderName, Request, header};
use serde::Deserialize;

use super::failure::Failure;
use super::form::Form;
use crate::api::object;
use crate::gate::RequestId;
use crate::session::Context;
use crate::time::Timestamp;

/// Where a call came from.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The client's address: the peer's, or what a trusted proxy tells.
    pub address: IpAddr,
    /// `X-Request-Id`.
    pub request_id: &'a RequestId,
}

/// One call.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request<Bytes>,
    pub(super) from: Caller<'a>,
    pub(super) now: Timestamp,
    /// The same moment by the clock that nobody sets.
    pub(super) moment: Instant,
}

/// What a body is.
#[derive(Debug)]
pub(super) enum Content {
    /// JSON, not parsed.
    Json,
    /// A form; an empty one where there is no body.
    Form(Form),
}

impl Content {
    /// The form that an OAuth endpoint wants (RFC 6749 §4.4.2, §6).
    pub(super) fn form(&self) -> Result<&Form, Failure> {
        match self {
            Self::Form(form) => Ok(form),
            Self::Json => Err(Failure::UnsupportedMedia(
                "the body must be application/x-www-form-urlencoded",
            )),
        }
    }
}

impl<'a> Call<'a> {
    /// The one value of a field, as text.
    pub(super) fn field(&self, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
        let mut values = self.request.headers().get_all(name).iter();
        let value = values.next().map(|value| value.to_str());
        match (value, values.next()) {
            (None, _) => Ok(None),
            (Some(Ok(value)), None) => Ok(Some(value)),
            _ => Err(Failure::InvalidRequest(
                "a field stands twice or is not text",
            )),
        }
    }

    /// The one value of a field that only describes, in UTF-8: people name things in their own tongue. A strange one is as
    /// good as none.
    pub(super) fn note(&self, name: &HeaderName, chars_max: usize) -> String {
        let mut values = self.request.headers().get_all(name).iter();
        let value = match (values.next(), values.next()) {
            (Some(value), None) => std::str::from_utf8(value.as_bytes()).unwrap_or_default(),
            _ => "",
        };
        let legible = value.chars().filter(|character| !character.is_control());
        legible.take(chars_max).collect()
    }

    /// Reads what the body is. Types that a page of another site could send unasked are refused, no type at all among them.
    pub(super) fn content(&self) -> Result<Content, Failure> {
        let body = self.request.body();
        if body.len() > BODY_BYTES_MAX {
            return Err(Failure::TooLarge);
        }
        let media = self.field(&header::CONTENT_TYPE)?.map(essence);
        match media.as_deref() {
            None | Some("application/json") if body.is_empty() => {
                Ok(Content::Form(Form::default()))
            }
            Some("application/json") => Ok(Content::Json),
            Some("application/x-www-form-urlencoded") => Form::parse(body).map(Content::Form),
            _ => Err(Failure::UnsupportedMedia(
                "the body must be application/json or application/x-www-form-urlencoded",
            )),
        }
    }

    /// The client that the call names: in its body, or in `X-Client-Id`. The two must agree.
    pub(super) fn client_id(&self, content: &Content) -> Result<Option<String>, Failure> {
        let in_body = match content {
            Content::Form(form) => form.find("client_id")?.map(str::to_owned),
            Content::Json => json_client_id(self.request.body())?,
        };
        let in_field = self.field(&X_CLIENT_ID)?.map(str::to_owned);
        agreed([in_body, in_field])
    }

    /// A digest of where the call came from: its network and its user agent.
    pub(super) fn context(&self) -> Context {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&network(self.from.address));
        for value in self.request.headers().get_all(header::USER_AGENT) {
            hasher.update(value.as_bytes());
        }
        let digest = hasher.finalize();
        let (first, _) = digest.as_bytes().split_at(16);
        Context(first.try_into().expect("half of 32 bytes"))
    }
}

/// The one name among several places.
pub(super) fn agreed(
    names: impl IntoIterator<Item = Option<String>>,
) -> Result<Option<String>, Failure> {
    let mut names = names.into_iter().flatten();
    let first = names.next();
    if names.all(|name| Some(&name) == first.as_ref()) {
        Ok(first)
    } else {
        Err(Failure::InvalidRequest("two names of the client disagree"))
    }
}

/// The network of an address: whoever moves within it is the same caller.
pub(super) fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => address.octets()[..6].to_vec(),
    }
}

fn json_client_id(body: &[u8]) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    struct Named {
        client_id: Option<String>,
    }
    let named: Result<Named, _> = object::read(body);
    named
        .map(|named| named.client_id)
        .map_err(|_| Failure::InvalidRequest("the body is not a JSON object"))
}

/// A media type without its parameters, lower-case.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

const X_CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
/// Also of what is handed on to the login hook.
const BODY_BYTES_MAX: usize = 16 * 1024;
