//! A stream does not outlive its token, unless its route says so, nor its revocation, and nothing outlives the drain:
//! `exp`, revocations, reloads and the stop are looked at while it lasts.

use std::sync::Arc;
use std::time::Duration;

use crate::gate::{Admission, Gate, Reason, Refusal, Silent, Verdict};
use crate::proxy::edge::Edge;
use crate::proxy::failure::Failure;
use crate::time::Timestamp;
use crate::token::Verified;
use crate::wire::RequestHead;

/// How often an exchange is looked at: revocations and reloads end a stream within this time.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How far an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its request is on its way.
    Unanswered,
    /// Its request left whole: it has its answer, however slow, and is no stream yet.
    Awaited,
    /// Its answer has begun, and its end is known.
    Answered,
    /// Its answer has begun, and goes on as long as it likes.
    Streaming,
}

/// What an exchange's right to go on depends on.
pub(super) struct Lifetime<'s> {
    edge: &'s Edge,
    /// The last gate that let the request pass.
    gate: Arc<Gate>,
    admission: &'s Admission,
    head: &'s RequestHead<'s>,
    /// The end of the token, if that is the stream's. One that was let pass after it, within the leeway, has its answer if
    /// that is quick.
    ends_at: Timestamp,
    looked_at: Timestamp,
}

impl<'s> Lifetime<'s> {
    /// The life of a request that `gate` let pass at `now`.
    pub(super) fn new(
        edge: &'s Edge,
        gate: Arc<Gate>,
        admission: &'s Admission,
        head: &'s RequestHead<'s>,
        now: Timestamp,
    ) -> Self {
        let permit = &admission.permit;
        let exp = permit.verified().map(Verified::expires_at);
        let ends_at = match permit.route().handling.outlive {
            true => Timestamp::from_millis(u64::MAX),
            false => exp.unwrap_or_default().max(now.plus(LOOK_EVERY)),
        };
        Self {
            edge,
            gate,
            admission,
            head,
            ends_at,
            looked_at: now,
        }
    }

    /// How long it may go on before it is looked at again.
    pub(super) fn unseen(&self, phase: Phase) -> Duration {
        let span = match phase {
            Phase::Unanswered | Phase::Streaming if self.token().is_some() => {
                self.ends_at.since(self.looked_at).min(LOOK_EVERY)
            }
            _ => LOOK_EVERY,
        };
        self.edge.within_drain(span)
    }

    /// Why it may not go on.
    pub(super) fn look(&mut self, phase: Phase) -> Option<Failure> {
        if self.edge.is_over() {
            return Some(Failure::Stopped);
        }
        self.refused(phase).map(Failure::Ended)
    }

    /// Why the token does not carry it on. Streams of public routes need none, and what may outlive its token ends with its
    /// revocation alone: behind its end no gate would let the request pass. An answer whose end is known goes on behind its
    /// token: that was good when it was shown.
    fn refused(&mut self, phase: Phase) -> Option<Refusal> {
        let verified = self.token().filter(|_| phase != Phase::Awaited)?;
        let now = self.edge.clock.now();
        if now >= self.ends_at {
            self.looked_at = now;
            let is_over = Refusal::new(Reason::TokenExpired, "the stream outlived its token");
            return Some(is_over).filter(|_| phase != Phase::Answered);
        }
        if let Some(by) = self.edge.revocations.find(verified, now) {
            return Some(Refusal::new(Reason::TokenRevoked, by.as_str()));
        }
        self.looked_at = now;
        let outlives = self.admission.permit.route().handling.outlive;
        if outlives || self.edge.gate.is_current(&self.gate) {
            return None;
        }
        self.gate = self.edge.gate.load();
        self.refused_at(now)
    }

    /// Waits until it may not go on, and says why.
    pub(super) async fn ended(mut self) -> Failure {
        if self.token().is_none() {
            // There is nothing else to look at, and there may be many that are idle.
            self.edge.drains().await;
        }
        loop {
            tokio::time::sleep(self.unseen(Phase::Streaming)).await;
            if let Some(failure) = self.look(Phase::Streaming) {
                return failure;
            }
        }
    }

    fn token(&self) -> Option<&'s Verified> {
        self.admission.permit.verified()
    }

    /// Why the gate as it is now would not let the request pass.
    fn refused_at(&self, now: Timestamp) -> Option<Refusal> {
        let revocations = &self.edge.revocations;
        match self.gate.admit(self.head, revocations, now, &mut Silent) {
            Verdict::Forward(_) => None,
            Verdict::Refuse(refusal) => Some(refusal),
            Verdict::Answer(_) => Some(Refusal::new(
                Reason::RouteUnknown,
                "the gate answers here now",
            )),
        }
    }
}
