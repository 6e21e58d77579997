//! Requests that the gate answers itself: its endpoints, the admin API, and the way to https.

use std::panic::AssertUnwindSafe;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tokio::time::Instant as Moment;

use super::alarm::Alarm;
use super::answer::Answer;
use super::body::{Patience, Source};
use super::edge::EndpointCaller;
use super::exchange::time_is_up;
use super::failure::{Failure, refusal_of};
use super::part::{BodyFault, Part};
use super::turn::Turn;
use crate::gate::{Endpoint, Reason, Refusal, shows_token};
use crate::policy::{Host, RequestPath};

/// How much is kept of the body of a request that the gate answers itself, in bytes. Every endpoint takes less.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What becomes of a body beyond [`BODY_BYTES_MAX`].
#[derive(Clone, Copy)]
enum Beyond {
    /// It is read and dropped as far as the listener takes bodies: the endpoint sees that it is too much, and says so in
    /// words of its own.
    Dropped,
    /// It is refused.
    Refused,
}

impl Turn<'_> {
    /// Lets the endpoint answer.
    pub(super) async fn own(
        &mut self,
        endpoint: Endpoint,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
    ) {
        self.record.endpoint = Some(endpoint.as_str());
        let whole = self.whole(source, answer, alarm, Beyond::Dropped);
        let Some(request) = whole.await else {
            return;
        };
        let work = whatever(self.edge.endpoints.answer(endpoint, request, self.caller()));
        // What it has begun it ends, unless the process does: a revocation that is written must also be felt.
        let response = match self.in_time(work, None, alarm).await.flatten() {
            Ok(response) => response,
            Err(failure) => return self.give_up(failure, source, answer).await,
        };
        if let Some(refusal) = response.extensions().get::<Refusal>() {
            self.record.refused(refusal);
        }
        self.send(&response, answer).await;
    }

    /// Lets the admin API answer.
    pub(super) async fn admin(
        &mut self,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
    ) {
        self.record.verdict = "answer";
        let whole = self.whole(source, answer, alarm, Beyond::Refused);
        let Some(request) = whole.await else {
            return;
        };
        match whatever(self.edge.endpoints.admin(request)).await {
            Ok(response) => self.send(&response, answer).await,
            Err(failure) => self.give_up(failure, source, answer).await,
        }
    }

    /// Sends a browser to https. Whoever shows a token here has shown it to everybody on the way, and is told so.
    pub(super) async fn redirect(&mut self, source: &mut Source<'_>, answer: &mut Answer<'_>) {
        match self.location() {
            Ok(location) => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
                response.headers_mut().insert(header::LOCATION, location);
                self.record.verdict = "answer";
                self.send(&response, answer).await;
            }
            Err(refusal) => self.refuse(&refusal, source, answer).await,
        }
    }

    fn location(&self) -> Result<HeaderValue, Refusal> {
        let head = &self.asked.head;
        let refused = |detail| Refusal::new(Reason::RequestAmbiguous, detail);
        let path = RequestPath::parse(head.target)?;
        if shows_token(head, &path) {
            return Err(refused("a token in clear text"));
        }
        if !matches!(head.method, "GET" | "HEAD") {
            return Err(refused("only GET and HEAD are sent to https"));
        }
        let nowhere = || Refusal::new(Reason::RequestMalformed, "no Host (RFC 9112 §3.2)");
        let host = Host::parse(self.asked.host().ok_or_else(nowhere)?)?;
        HeaderValue::from_str(&format!("https://{}{}", host.as_str(), path.to_target()))
            .map_err(|_| refused("a target that no Location can name"))
    }

    fn caller(&self) -> EndpointCaller {
        EndpointCaller {
            address: self.record.client.unwrap_or(self.client.address),
            request_id: self.record.request_id.clone(),
            gate: self.gate.clone(),
        }
    }

    /// The request with its whole body; `None` where it was refused.
    async fn whole(
        &mut self,
        source: &mut Source<'_>,
        answer: &mut Answer<'_>,
        alarm: &mut Alarm,
        beyond: Beyond,
    ) -> Option<Request<Bytes>> {
        if self.says_too_much(None) {
            let refusal = refusal_of(BodyFault::TooLarge);
            self.refuse(&refusal, source, answer).await;
            return None;
        }
        if self.asked.expects_continue && answer.interim(100, &[]).await.is_err() {
            return None;
        }
        let collected = self.collect(source, beyond);
        let failure = match self.in_time(collected, self.late_at(), alarm).await {
            Ok(Ok((body, bytes_in))) => {
                self.record.meter.bytes_in = bytes_in;
                if let Some(request) = request(self.asked, body) {
                    return Some(request);
                }
                Failure::Client(BodyFault::Malformed("no request of HTTP"))
            }
            Ok(Err(fault)) => Failure::Client(fault),
            Err(failure) => failure,
        };
        self.give_up(failure, source, answer).await;
        None
    }

    /// Says why there is no answer, to whoever hears it.
    async fn give_up(&mut self, failure: Failure, source: &Source<'_>, answer: &mut Answer<'_>) {
        match failure.told(&mut self.record, self.edge) {
            Some(refusal) => self.refuse(&refusal, source, answer).await,
            None => answer.abort(),
        }
    }

    /// What `work` comes to, if that is before `late_at` and the end of the drain.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = T>,
        late_at: Option<Moment>,
        alarm: &mut Alarm,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            failure = time_is_up(self.edge, late_at, alarm) => Err(failure),
        }
    }

    /// The body as far as it is kept, and how long it was.
    async fn collect(
        &self,
        source: &mut Source<'_>,
        beyond: Beyond,
    ) -> Result<(Bytes, u64), BodyFault> {
        let listener = &self.client.listener;
        let patience = Patience::new(listener.body_timeout);
        let bytes_max = match beyond {
            Beyond::Dropped => listener.body_bytes_max,
            Beyond::Refused => BODY_BYTES_MAX as u64,
        };
        source.limit(bytes_max);
        let (mut body, mut bytes_in) = (BytesMut::new(), 0);
        while let Part::Data(bytes) = source.next(&patience).await? {
            bytes_in += bytes.len() as u64;
            if bytes_in > bytes_max {
                return Err(BodyFault::TooLarge);
            }
            let room = BODY_BYTES_MAX - body.len();
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Ok((body.freeze(), bytes_in))
    }
}

/// What `work` comes to. Whoever asks has an answer though a panic ends it, as one of the runtime's does when the system gives
/// no thread to resolve a name on; what the panic says is told where it happens.
async fn whatever<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|_| Failure::Exhausted("the endpoint panicked".to_owned()))
}

fn request(asked: &super::client::Incoming<'_>, body: Bytes) -> Option<Request<Bytes>> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(asked.head.method.as_bytes()).ok()?;
    *request.uri_mut() = asked.head.target.parse::<Uri>().ok()?;
    let headers = request.headers_mut();
    for field in asked.head.fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    if let (Some(authority), false) = (asked.head.authority, headers.contains_key(header::HOST)) {
        headers.insert(header::HOST, HeaderValue::from_str(authority).ok()?);
    }
    Some(request)
}
