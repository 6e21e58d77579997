//! How an answer begins: which fields of the server's reach the client, what the gate adds, and how long the content is.

use smallvec::SmallVec;

use super::upload::Upload;
use crate::api::cors;
use crate::gate::Admission;
use crate::proxy::announce::{TRAILER, announced};
use crate::proxy::answer::{Answer, Length};
use crate::proxy::date::{DATE, Date};
use crate::proxy::failure::{Failure, client_fault};
use crate::proxy::turn::Turn;
use crate::proxy::upstream::AnswerHead;
use crate::wire::fields::{connection_options, is_hop_by_hop, same_name};
use crate::wire::head::{Fields, Framing};
use crate::wire::{Field, Version};

/// Begins the answer that was read; how long its content is.
pub(super) fn begin(
    turn: &Turn<'_>,
    admission: &Admission,
    read: &AnswerHead<'_>,
    upload: &Upload,
    answer: &mut Answer<'_>,
) -> Result<Length, Failure> {
    let length = length(read, answer);
    // It ends before the request does, and nobody reads the rest.
    let is_ahead = !upload.is_whole() && length != Length::Unknown && !turn.is_small();
    // The stop may have come while the answer was waited for.
    if is_ahead || turn.edge.is_draining() {
        answer.close_after();
    }
    let passing = Passing::new(turn, admission, read);
    let begun = answer.begin(read.status, &passing.fields(read), length);
    begun.map_err(client_fault)?;
    Ok(length)
}

/// What the gate adds to an answer.
pub(super) struct Passing<'p> {
    turn: &'p Turn<'p>,
    has_cors: bool,
    added: SmallVec<[(&'static str, Box<str>); 3]>,
    /// The trailers that are announced.
    trailer: Option<Vec<u8>>,
    /// Where the server gave none (RFC 9110 §6.6.1).
    date: Option<Date>,
}

impl<'p> Passing<'p> {
    /// For the answer that is `read`.
    pub(super) fn new(turn: &'p Turn<'p>, admission: &Admission, read: &AnswerHead<'_>) -> Self {
        let cors = admission.permit.route().handling.cors.as_ref();
        let policy = cors.and_then(|name| turn.gate.config().cors.get(name));
        let mut added = SmallVec::new();
        if let Some(policy) = policy {
            let origin = turn.asked.value("origin");
            cors::decorate(policy, origin, &mut |name, value| {
                added.push((name, value.into()))
            });
        }
        Self {
            turn,
            has_cors: policy.is_some(),
            added,
            trailer: announced(read.framing, values(read, TRAILER), |name| {
                // To HTTP/1.0 none can follow.
                turn.asked.head.version != Version::Http10
                    && turn.may_trail_down(name)
                    && !is_nominated(TRAILER, read)
            }),
            date: read
                .value(DATE)
                .is_none()
                .then(|| Date::of(turn.edge.clock.now())),
        }
    }

    /// The fields of a final answer, without framing.
    pub(super) fn fields<'f>(&'f self, read: &'f AnswerHead<'_>) -> Fields<'f> {
        let mut fields = Self::interim(self.turn, read);
        if self.has_cors {
            fields.retain(|field| !cors::owns(field.name));
        }
        if read.status == UPGRADE_REQUIRED && self.turn.asked.head.version != Version::Http2 {
            fields.push(Field {
                name: "Connection",
                value: b"Upgrade",
            });
            let wanted = read.fields.iter();
            let wanted = wanted.filter(|field| same_name(field.name, "upgrade"));
            fields.extend(wanted.map(|field| Field { ..*field }));
        }
        fields.push(Field {
            name: "X-Request-Id",
            value: self.turn.record.request_id.as_str().as_bytes(),
        });
        fields.extend(self.added.iter().map(|(name, value)| Field {
            name,
            value: value.as_bytes(),
        }));
        fields.extend(self.trailer.as_ref().map(|names| Field {
            name: "Trailer",
            value: names,
        }));
        fields.extend(self.date.as_ref().map(|date| Field {
            name: DATE,
            value: date.as_bytes(),
        }));
        fields
    }

    /// The fields of an interim answer.
    pub(super) fn interim<'f>(turn: &Turn<'_>, read: &'f AnswerHead<'_>) -> Fields<'f> {
        let passes = |field: &&Field<'_>| {
            !is_hop_by_hop(field.name)
                && !turn.gate.keeps_back(field.name)
                && !is_nominated(field.name, read)
        };
        let mut fields = Fields::with_capacity(read.fields.len() + ADDED_USUALLY);
        let passing = read.fields.iter().filter(passes);
        fields.extend(passing.map(|field| Field { ..*field }));
        fields
    }
}

/// It says to which protocols (RFC 9110 §15.5.22): the gate carries a switch, so it carries the wish for one.
const UPGRADE_REQUIRED: u16 = 426;

/// Room for what the gate adds.
const ADDED_USUALLY: usize = 5;

/// Whether the answer's `Connection` names the field (RFC 9110 §7.6.1).
fn is_nominated(name: &str, read: &AnswerHead<'_>) -> bool {
    connection_options(&read.fields)
        .any(|option| std::str::from_utf8(option).is_ok_and(|option| same_name(option, name)))
}

/// The values of a field, in their order.
fn values<'r>(read: &'r AnswerHead<'_>, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
    read.fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

/// How long the answer's content is, as the client is told.
fn length(read: &AnswerHead<'_>, answer: &Answer<'_>) -> Length {
    let shape = answer.shape();
    let told = || {
        let value = std::str::from_utf8(read.value("content-length")?).ok()?;
        value.parse().ok()
    };
    match read.framing {
        _ if read.status == 204 => Length::None,
        // Both tell of content that does not come with them (RFC 9110 §8.6).
        _ if shape.to_head || read.status == 304 => told().map_or(Length::None, Length::Known),
        Framing::Length(length) => Length::Known(length),
        // An HTTP/2 answer that ends with its head says so itself: for gRPC it is trailers alone.
        Framing::Empty if shape.version == Version::Http2 => Length::None,
        Framing::Empty => Length::Known(0),
        Framing::Chunked | Framing::UntilClose => Length::Unknown,
    }
}
