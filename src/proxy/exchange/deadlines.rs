//! What may end an exchange by time: the answer that does not begin, the listener's deadline, the end of the token or of
//! the drain. All of them ring one alarm.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::lifetime::{LOOK_EVERY, Lifetime, Phase};
use super::upload::Upload;
use crate::gate::Reason;
use crate::proxy::alarm::Alarm;
use crate::proxy::edge::Edge;
use crate::proxy::failure::{Failure, Repeat};

/// Waits until it is too late, if it can be, or the drain is over.
pub(in crate::proxy) async fn time_is_up(
    edge: &Edge,
    late_at: Option<Instant>,
    alarm: &mut Alarm,
) -> Failure {
    loop {
        let now = Instant::now();
        if late_at.is_some_and(|late_at| late_at <= now) {
            return Failure::Late;
        }
        if edge.is_over() {
            return Failure::Stopped;
        }
        let look_at = now + edge.within_drain(LOOK_EVERY);
        alarm
            .at(late_at.map_or(look_at, |late_at| late_at.min(look_at)))
            .await;
    }
}

/// The deadlines of one exchange.
pub(super) struct Deadlines<'d> {
    pub(super) alarm: &'d mut Alarm,
    pub(super) upload: &'d Upload,
    /// From the request's last byte to the answer's first.
    pub(super) response_timeout: Duration,
    /// The listener's, for the whole of it.
    pub(super) late_at: Option<Instant>,
    pub(super) lifetime: Lifetime<'d>,
    /// When the lifetime was looked at last.
    pub(super) looked_at: Instant,
}

impl Deadlines<'_> {
    /// Waits until one is missed. Cancel-safe.
    pub(super) async fn missed(&mut self, phase: Phase) -> Failure {
        poll_fn(|cx| self.poll(cx, phase)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, phase: Phase) -> Poll<Failure> {
        loop {
            let due = self.due(phase);
            ready!(self.alarm.poll(cx, due));
            if let Some(failure) = self.missed_at(Instant::now(), phase) {
                return Poll::Ready(failure);
            }
        }
    }

    /// When to look next.
    fn due(&self, phase: Phase) -> Instant {
        let missed_at = [self.unanswered_at(phase), self.late_at(phase)];
        let missed_at = missed_at.into_iter().flatten();
        missed_at.fold(self.look_at(phase), Instant::min)
    }

    fn look_at(&self, phase: Phase) -> Instant {
        self.looked_at + self.lifetime.unseen(self.now_in(phase))
    }

    /// The phase, as far as the upload has come.
    fn now_in(&self, phase: Phase) -> Phase {
        match phase {
            Phase::Unanswered if self.upload.over_at().is_some() => Phase::Awaited,
            phase => phase,
        }
    }

    fn unanswered_at(&self, phase: Phase) -> Option<Instant> {
        let over_at = self.upload.over_at()?;
        (phase == Phase::Unanswered).then(|| over_at + self.response_timeout)
    }

    fn late_at(&self, phase: Phase) -> Option<Instant> {
        self.late_at.filter(|_| phase != Phase::Streaming)
    }

    fn missed_at(&mut self, now: Instant, phase: Phase) -> Option<Failure> {
        if self.unanswered_at(phase).is_some_and(|due| due <= now) {
            return Some(Failure::Upstream {
                reason: Reason::UpstreamTimeout,
                detail: "no answer within `response_timeout`".into(),
                repeat: Repeat::Never,
            });
        }
        if self.late_at(phase).is_some_and(|due| due <= now) {
            return Some(Failure::Late);
        }
        if self.look_at(phase) <= now {
            self.looked_at = now;
            return self.lifetime.look(self.now_in(phase));
        }
        None
    }
}
