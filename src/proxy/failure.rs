//! Why an exchange has no end in order, and how the faults of either side become that.

use std::borrow::Cow;

use super::body::BodyFault;
use super::connection::WriteFault;
use super::relay::RelayFault;
use super::upstream::AnswerFault;
use crate::gate::{Reason, Refusal};

/// Why an exchange has no end in order.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client's body, or the client itself.
    Client(BodyFault),
    /// The upstream.
    Upstream {
        /// Why.
        reason: Reason,
        /// For the operator.
        detail: Cow<'static, str>,
        /// Whether not a byte of an answer came.
        is_unanswered: bool,
    },
    /// The token's end.
    Ended(Refusal),
    /// The listener's deadline.
    Late,
    /// The upstream's protocol cannot say the request.
    Unsayable,
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
pub(super) fn upstream_fault(fault: AnswerFault, heard: Heard) -> Failure {
    let (detail, is_cut) = match fault {
        AnswerFault::Cut(detail) => (Cow::Owned(detail), true),
        AnswerFault::Malformed(what) => (Cow::Borrowed(what), false),
    };
    Failure::Upstream {
        reason: Reason::UpstreamUnavailable,
        detail,
        is_unanswered: is_cut && heard == Heard::Nothing,
    }
}

/// What is wrong with a client that gets an answer.
pub(super) fn client_fault(fault: WriteFault) -> Failure {
    Failure::Client(match fault {
        WriteFault::Gone => BodyFault::Cut,
        WriteFault::Slow => BodyFault::Slow,
    })
}

/// What is wrong with an answer's body.
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
        is_unanswered: false,
    }
}
