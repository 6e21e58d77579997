//! A request that may pass, on its way to an upstream: which server, how often, and what the client is told when none
//! will do.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::alarm::Alarm;
use super::answer::Answer;
use super::body::Source;
use super::connection::Reuse;
use super::exchange::{exchange, time_is_up};
use super::failure::{Failure, Repeat, refusal_of};
use super::part::BodyFault;
use super::record::Meter;
use super::turn::Turn;
use super::upstream::{Freshness, Link, LinkFault};
use crate::gate::{Admission, Reason};
use crate::policy::Route;
use crate::wire::head::Framing;

impl Turn<'_> {
    /// Forwards the request and relays its answer.
    pub(super) async fn forward(
        &mut self,
        admission: &Admission,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
    ) {
        self.record.admitted(admission);
        if self.says_too_much(Some(admission.permit.route())) {
            let refusal = refusal_of(BodyFault::TooLarge).on(admission.permit.route());
            return Box::pin(self.refuse(&refusal, source, answer)).await;
        }
        if let Some(shadowed) = &admission.shadowed {
            self.record.let_pass(shadowed);
        }
        if let Err(failure) = self.tries(admission, source, answer, alarm).await {
            Box::pin(self.fail(failure, admission, source, answer)).await;
        }
    }

    /// Whether the body says of itself that it is over its limit.
    pub(super) fn says_too_much(&self, route: Option<&Arc<Route>>) -> bool {
        match self.asked.framing {
            Framing::Length(length) => length > self.body_bytes_max(route),
            Framing::Empty | Framing::Chunked | Framing::UntilClose => false,
        }
    }

    /// The route's limit, else the listener's.
    pub(super) fn body_bytes_max(&self, route: Option<&Arc<Route>>) -> u64 {
        let of_route = route.and_then(|route| route.handling.body_bytes_max);
        of_route.unwrap_or(self.client.listener.body_bytes_max)
    }

    /// Tries once; and once more, on a new connection, when nothing was done the first time.
    async fn tries(
        &mut self,
        admission: &Admission,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
    ) -> Result<(), Failure> {
        let mut freshness = Freshness::Any;
        loop {
            let sought_at = Instant::now();
            let sought = Link::find(self.edge, &admission.upstream, freshness, sought_at);
            // Most are found at once.
            let mut link = tokio::select! {
                biased;
                link = sought => link.map_err(failure_of)?,
                failure = self.given_up(answer, alarm) => return Err(failure),
            };
            self.record.server = Some(link.server().label.clone());
            // Most links are found at once; a new one took its time.
            let begun_at = if link.is_reused {
                sought_at
            } else {
                Instant::now()
            };
            let alarm = (&mut *alarm, begun_at.into());
            let done = exchange(self, admission, &mut link, source, answer, alarm).await;
            match done {
                Err(Failure::Upstream { repeat, .. })
                    if freshness == Freshness::Any
                        && !answer.has_begun()
                        && self.may_repeat(repeat, &link, source) =>
                {
                    freshness = Freshness::New;
                    // What is sent again is counted again.
                    self.record.meter = Meter::default();
                }
                Ok(Reuse::Yes) => {
                    let over_at = Instant::now();
                    self.record.over_at = Some(over_at);
                    link.keep(self.edge, over_at);
                    return Ok(());
                }
                Err(failure) => {
                    if !answer.has_begun() && failure.leaves_silence() {
                        link.unanswered(begun_at.elapsed());
                    }
                    return Err(failure);
                }
                Ok(Reuse::No) => return Ok(()),
            }
        }
    }

    /// Waits until the client does not wait any longer, or may not.
    async fn given_up(&self, answer: &mut Answer<'_>, alarm: &mut Alarm) -> Failure {
        tokio::select! {
            () = answer.refused() => Failure::Client(BodyFault::Cut),
            failure = time_is_up(self.edge, self.late_at(), alarm) => failure,
        }
    }

    /// Whether a second try does nothing twice: a kept connection died under a request that may be repeated (RFC 9110
    /// §9.2.2), or the server says that it did not begin.
    fn may_repeat(&self, repeat: Repeat, link: &Link, source: &mut Source<'_>) -> bool {
        let is_harmless = match repeat {
            Repeat::Never => false,
            Repeat::IfUnnoticed => link.is_reused && (self.is_idempotent() || !link.has_written()),
            Repeat::Always => true,
        };
        is_harmless && (self.asked.framing.is_empty() || source.rewind())
    }

    /// Whether nobody can tell twice from once (RFC 9110 §9.2.2).
    pub(super) fn is_idempotent(&self) -> bool {
        const METHODS: [&str; 6] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"];
        METHODS.contains(&self.asked.head.method)
    }

    /// Tells the client that there is no answer, or no end of one.
    async fn fail(
        &mut self,
        failure: Failure,
        admission: &Admission,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
    ) {
        let route = admission.permit.route();
        let Some(refusal) = failure.told(&mut self.record, self.edge) else {
            return answer.abort();
        };
        let refusal = refusal.on(route);
        self.record.note(&refusal);
        if answer.take_back() {
            self.record.meter.bytes_out = 0;
        }
        if !answer.has_begun() {
            return self.say(&refusal, source, answer).await;
        }
        if answer
            .end_as_grpc(&refusal, self.asked.dialect())
            .await
            .is_none()
        {
            answer.abort();
        }
    }
}

#[cold]
fn failure_of(fault: LinkFault) -> Failure {
    let (reason, detail) = match fault {
        LinkFault::Timeout => (
            Reason::UpstreamTimeout,
            Cow::Borrowed("no server took a connection in time"),
        ),
        LinkFault::Unavailable(detail) => (Reason::UpstreamUnavailable, detail.into()),
        LinkFault::Exhausted(detail) => return Failure::Exhausted(detail),
    };
    Failure::Upstream {
        reason,
        detail,
        repeat: Repeat::Never,
    }
}
