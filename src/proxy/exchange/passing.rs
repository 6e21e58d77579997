//! Which fields of a server's answer reach the client, and what the gate adds.

use smallvec::SmallVec;

use crate::api::cors;
use crate::gate::Admission;
use crate::proxy::announce::{TRAILER, announced};
use crate::proxy::date::{DATE, Date};
use crate::proxy::turn::Turn;
use crate::proxy::upstream::AnswerHead;
use crate::wire::fields::{connection_options, is_hop_by_hop, same_name};
use crate::wire::head::Fields;
use crate::wire::{Field, Version};

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
