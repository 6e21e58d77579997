//! One request's turn: the decision, and what follows from it. Every branch of a request's fate stands here; both
//! protocols come through here and nowhere else.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use smallvec::SmallVec;
use tokio::time::Instant as Moment;

use super::alarm::Alarm;
use super::answer::Answer;
use super::body::{Origin, Source};
use super::client::{Client, Incoming, Role};
use super::connection::WriteFault;
use super::date::{DATE, Date};
use super::edge::Edge;
use super::failure::refusal_of;
use super::part::BodyFault;
use super::record::Record;
use crate::api::problem::{self, Asked, Dialect};
use crate::gate::{Gate, Reason, Refusal, Silent, Verdict};
use crate::time::Timestamp;
use crate::wire::head::Framing;
use crate::wire::{Field, Version};

/// The largest body of a refused request that is read and dropped so that the connection can be used again, in bytes.
pub(super) const DRAIN_BYTES_MAX: usize = 64 << 10;

/// One request while it is served.
pub(super) struct Turn<'t> {
    pub(super) edge: &'t Edge,
    pub(super) client: &'t Client,
    pub(super) asked: &'t Incoming<'t>,
    /// The one gate that this request lives under.
    pub(super) gate: Arc<Gate>,
    /// And the moment at which it was judged.
    pub(super) now: Timestamp,
    pub(super) record: Record,
}

/// Serves one request, from its head to its log line.
pub(super) async fn serve(
    edge: &Edge,
    client: &Client,
    asked: &Incoming<'_>,
    source: &mut Source<'_>,
    answer: &mut Answer<'_>,
    alarm: &mut Alarm,
) {
    let _serving = edge.enter();
    let mut turn = Turn::begin(edge, client, asked);
    // What is boxed here and below is rare or slow: a request that is forwarded does not pay for its room.
    match client.role {
        Role::Admin => Box::pin(turn.admin(source, answer, alarm)).await,
        Role::Public if turn.client.listener.redirects() => {
            Box::pin(turn.redirect(source, answer)).await
        }
        Role::Public => turn.judged(source, answer, alarm).await,
    }
    turn.record.tell(edge, client, asked, answer.status());
}

/// Refuses what could not be read as a request, from its first byte to its log line.
pub(super) async fn refuse_unread(
    edge: &Edge,
    client: &Client,
    asked: &Incoming<'_>,
    refusal: Refusal,
    answer: &mut Answer<'_>,
) {
    let _serving = edge.enter();
    let mut turn = Turn::begin(edge, client, asked);
    let nothing = Source::new(Origin::Empty, None);
    turn.refuse(&refusal, &nothing, answer).await;
    turn.record.tell(edge, client, asked, answer.status());
}

/// Tells of what could not be read as a request and is not answered here. `status` is the one that was sent; 0 where none
/// was.
pub(super) fn tell_unread(
    edge: &Edge,
    client: &Client,
    asked: &Incoming<'_>,
    refusal: &Refusal,
    status: u16,
) {
    let mut record = Record::begin(client, asked);
    record.refused(refusal);
    record.tell(edge, client, asked, status);
}

impl<'t> Turn<'t> {
    fn begin(edge: &'t Edge, client: &'t Client, asked: &'t Incoming<'t>) -> Self {
        Self {
            edge,
            client,
            asked,
            gate: edge.gate.load(),
            now: edge.clock.now(),
            record: Record::begin(client, asked),
        }
    }

    async fn judged(
        &mut self,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
    ) {
        let verdict = self.admit().await;
        self.count_verification(&verdict);
        self.record.verdict = verdict.as_str();
        if let Some(verified) = verdict.verified() {
            self.edge.endpoints.seen(&self.gate, verified);
        }
        match verdict {
            Verdict::Forward(admission) => {
                self.forward(&admission, source, answer, alarm).await;
            }
            Verdict::Answer(endpoint) => {
                Box::pin(self.own(endpoint, source, answer, alarm)).await;
            }
            Verdict::Refuse(refusal) => {
                let refusal = self.too_large_or(refusal);
                Box::pin(self.refuse(&refusal, source, answer)).await;
            }
        }
    }

    /// A body that says it is over its limit is refused as that, before anything is asked of route and token.
    fn too_large_or(&self, refusal: Refusal) -> Refusal {
        let route = refusal.route.as_ref();
        if refusal.reason <= Reason::BodyTooLarge || !self.says_too_much(route) {
            return refusal;
        }
        let too_large = refusal_of(BodyFault::TooLarge);
        match route {
            Some(route) => too_large.on(route),
            None => too_large,
        }
    }

    /// Asks the gate; once more where a key was missing that has come in the meantime.
    async fn admit(&mut self) -> Verdict {
        let verdict = self.ask();
        let Some(Refusal {
            wanted: Some(wanted),
            issuer_name: Some(issuer),
            ..
        }) = verdict.refusal()
        else {
            return verdict;
        };
        if !Box::pin(self.edge.keys.wanted(issuer, *wanted, &self.gate)).await {
            return verdict;
        }
        self.gate = self.edge.gate.load();
        self.now = self.edge.clock.now();
        self.ask()
    }

    fn ask(&self) -> Verdict {
        let (head, revocations) = (&self.asked.head, &self.edge.revocations);
        self.gate.admit(head, revocations, self.now, &mut Silent)
    }

    /// Counts the token of the request, once, whatever became of the request.
    fn count_verification(&self, verdict: &Verdict) {
        let looked_at = match (verdict.refusal(), verdict) {
            (Some(refusal), _) => refusal.source.map(|source| {
                let refused = Some(refusal.reason).filter(|reason| is_of_token(*reason));
                (refusal.issuer_name.as_deref(), refused, source)
            }),
            (None, Verdict::Forward(admission)) => admission.permit.verified().map(|verified| {
                let issuer = &*verified.principal().issuer_name;
                (Some(issuer), None, verified.source())
            }),
            (None, _) => None,
        };
        if let Some((issuer, refused, source)) = looked_at {
            let metrics = self.edge.telemetry.metrics();
            metrics.verification(issuer, refused, source);
        }
    }

    /// Refuses the request.
    pub(super) async fn refuse(
        &mut self,
        refusal: &Refusal,
        source: &Source<'_>,
        answer: &mut Answer<'_>,
    ) {
        self.record.refused(refusal);
        self.say(refusal, source, answer).await;
    }

    /// Says why there is no other answer.
    pub(super) async fn say(
        &mut self,
        refusal: &Refusal,
        source: &Source<'_>,
        answer: &mut Answer<'_>,
    ) {
        if problem::closes(refusal.reason) || !self.may_drain(source) {
            answer.close_after();
        }
        let asked = Asked {
            request_id: &self.record.request_id,
            host: self.asked.host(),
            origin: self.asked.value("origin"),
            dialect: self.asked.dialect(),
        };
        let response = problem::answer(refusal, self.gate.config(), &asked);
        self.send(&response, answer).await;
    }

    /// Sends an answer that is already whole.
    pub(super) async fn send(&mut self, response: &Response<Bytes>, answer: &mut Answer<'_>) {
        // The stop may have come while the answer was made.
        if self.edge.is_draining() {
            answer.close_after();
        }
        let date = Date::of(self.edge.clock.now());
        let added = [
            (X_REQUEST_ID, self.record.request_id.as_str().as_bytes()),
            (DATE, date.as_bytes()),
        ];
        match send(response, answer, added, self.asked.dialect()).await {
            Ok(()) => self.record.meter.bytes_out += response.body().len() as u64,
            Err(WriteFault::Gone) => self.record.remark("the client is gone"),
            Err(WriteFault::Slow) => self.record.remark("the client takes no answer"),
        }
    }

    /// The listener's deadline, if it has one.
    pub(super) fn late_at(&self) -> Option<Moment> {
        let most = self.client.listener.request_timeout?;
        Some(Moment::from_std(self.asked.began) + most)
    }

    /// Whether the body may be short enough to be read and dropped.
    pub(super) fn is_small(&self) -> bool {
        match self.asked.framing {
            Framing::Length(length) => length <= DRAIN_BYTES_MAX as u64,
            Framing::Empty | Framing::Chunked | Framing::UntilClose => true,
        }
    }

    /// Whether what is left of the body can be read and dropped. A client that waits for `100 Continue` may or may not
    /// send it (RFC 9110 §10.1.1).
    fn may_drain(&self, source: &Source<'_>) -> bool {
        let is_http2 = self.asked.head.version == Version::Http2;
        is_http2 || source.is_over() || (self.is_small() && !self.asked.expects_continue)
    }
}

async fn send(
    response: &Response<Bytes>,
    answer: &mut Answer<'_>,
    added: [(&str, &[u8]); 2],
    dialect: Dialect,
) -> Result<(), WriteFault> {
    let mut fields: SmallVec<[Field<'_>; 16]> = response
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), X_REQUEST_ID | "content-length"))
        .map(|(name, value)| Field {
            name: name.as_str(),
            value: value.as_bytes(),
        })
        .collect();
    fields.extend(added.map(|(name, value)| Field { name, value }));
    let status = response.status().as_u16();
    let is_trailers_only = dialect == Dialect::Grpc && response.body().is_empty();
    let has_none = status == 204 || status == 304 || is_trailers_only;
    // HTTP/1 has no trailers-only answers; there the length is said.
    let has_none = has_none && !(is_trailers_only && answer.shape().version != Version::Http2);
    let content = (!has_none).then_some(&**response.body());
    answer.whole(status, &fields, content).await
}

const X_REQUEST_ID: &str = "x-request-id";

/// Whether a reason is about the token itself; reasons stand in the order in which they are checked.
fn is_of_token(reason: Reason) -> bool {
    (Reason::TokenOversized..=Reason::TokenRevoked).contains(&reason)
}
