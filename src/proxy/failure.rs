//! Why an exchange has no end in order, and how the faults of either side become that.

use std::borrow::Cow;

use super::connection::WriteFault;
use super::edge::Edge;
use super::part::BodyFault;
use super::record::Record;
use super::relay::RelayFault;
use super::upstream::AnswerFault;
use crate::gate::{Reason, Refusal};

/// Why an exchange has no end in order.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client's body, or the client itself.
    Client(BodyFault),
    /// The client, which takes no answer.
    Untaken,
    /// The upstream.
    Upstream {
        /// Why.
        reason: Reason,
        /// For the operator.
        detail: Cow<'static, str>,
        /// Whether the request may be sent again.
        repeat: Repeat,
    },
    /// The token's end.
    Ended(Refusal),
    /// The listener's deadline.
    Late,
    /// The end of the drain: the process stops.
    Stopped,
    /// The process can have no connection to an upstream; why, for the operator.
    Exhausted(String),
    /// The upstream's protocol cannot say the request.
    Unsayable,
}

impl Failure {
    /// Whether somebody waited, and the server said nothing, right or wrong.
    pub(super) fn leaves_silence(&self) -> bool {
        match self {
            Self::Upstream { reason, .. } => *reason == Reason::UpstreamTimeout,
            Self::Client(BodyFault::Cut) | Self::Late => true,
            _ => false,
        }
    }

    /// What the client is told, unless it hears nothing any more. Goes into the record of its request.
    pub(super) fn told(self, record: &mut Record, edge: &Edge) -> Option<Refusal> {
        Some(match self {
            Self::Client(BodyFault::Cut) => {
                record.remark("the client is gone");
                return None;
            }
            Self::Untaken => {
                record.remark("the client takes no answer");
                return None;
            }
            Self::Client(fault) => {
                record.verdict = "refuse";
                refusal_of(fault)
            }
            Self::Unsayable => {
                record.verdict = "refuse";
                Refusal::new(Reason::RequestMalformed, "HTTP/2 cannot say this request")
            }
            Self::Exhausted(detail) => {
                record.verdict = "refuse";
                Refusal::new(Reason::Overloaded, detail)
            }
            Self::Late => Refusal::new(Reason::RequestTimeout, "over `request_timeout`"),
            Self::Stopped => {
                edge.count_cut();
                Refusal::new(Reason::Overloaded, "the gateway stops: `drain` is over")
            }
            Self::Upstream { reason, detail, .. } => Refusal::new(reason, detail),
            Self::Ended(refusal) => refusal,
        })
    }
}

/// Whether a request that failed may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// No: it was answered, or it waited long enough.
    Never,
    /// Not a byte of an answer came: where nobody could tell a second time from the first (RFC 9110 §9.2.2).
    IfUnnoticed,
    /// The server says that it did nothing with it (RFC 9113 §8.7).
    Always,
}

/// Whether anything came from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Not a byte.
    Nothing,
    /// At least a byte.
    Some,
}

/// What is wrong with an answer's head.
#[cold]
pub(super) fn upstream_fault(fault: AnswerFault, heard: Heard) -> Failure {
    let (detail, repeat) = match fault {
        AnswerFault::Cut(detail) => (Cow::Owned(detail), Repeat::IfUnnoticed),
        AnswerFault::Unprocessed(detail) => (Cow::Owned(detail), Repeat::Always),
        AnswerFault::Reset(detail) => (Cow::Owned(detail), Repeat::Never),
        AnswerFault::Malformed(what) => (Cow::Borrowed(what), Repeat::Never),
    };
    Failure::Upstream {
        reason: Reason::UpstreamUnavailable,
        detail,
        repeat: match heard {
            Heard::Nothing => repeat,
            Heard::Some => Repeat::Never,
        },
    }
}

/// What is wrong with a client that gets an answer.
#[cold]
pub(super) fn client_fault(fault: WriteFault) -> Failure {
    match fault {
        WriteFault::Gone => Failure::Client(BodyFault::Cut),
        WriteFault::Slow => Failure::Untaken,
    }
}

/// What is wrong with an answer's body.
#[cold]
pub(super) fn download_fault(fault: RelayFault) -> Failure {
    let (reason, detail) = match fault {
        RelayFault::To(fault) => return client_fault(fault),
        RelayFault::From(BodyFault::Slow) => {
            (Reason::UpstreamTimeout, "a pause over `idle_timeout`")
        }
        RelayFault::From(BodyFault::Malformed(what)) => (Reason::UpstreamUnavailable, what),
        RelayFault::From(BodyFault::Cut | BodyFault::TooLarge) => {
            (Reason::UpstreamUnavailable, "the answer was cut short")
        }
    };
    Failure::Upstream {
        reason,
        detail: detail.into(),
        repeat: Repeat::Never,
    }
}

/// What a client is told of its body.
pub(super) fn refusal_of(fault: BodyFault) -> Refusal {
    match fault {
        BodyFault::TooLarge => Refusal::new(Reason::BodyTooLarge, "the body is over its limit"),
        BodyFault::Slow => Refusal::new(Reason::RequestTimeout, "the body comes too slowly"),
        BodyFault::Malformed(what) => Refusal::new(Reason::RequestMalformed, what),
        BodyFault::Cut => Refusal::new(Reason::RequestMalformed, "the body was cut short"),
    }
}
