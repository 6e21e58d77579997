//! One exchange with a server: both bodies at once, interim answers, every deadline, and the end of the token. Whatever
//! comes first decides.

use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::consume_budget;
use tokio::time::Instant;

use super::deadlines::Deadlines;
use super::lifetime::{Lifetime, Phase};
use super::passing::{Passing, begin};
use super::switch::switch;
use super::upload::Upload;
use crate::api::problem::Dialect;
use crate::config::model::Protocol;
use crate::gate::{Admission, Hop};
use crate::proxy::alarm::Alarm;
use crate::proxy::announce::announced;
use crate::proxy::answer::{Answer, Length};
use crate::proxy::body::{Patience, Source};
use crate::proxy::connection::Reuse;
use crate::proxy::failure::{Failure, Heard, client_fault, download_fault, upstream_fault};
use crate::proxy::part::BodyFault;
use crate::proxy::record::Meter;
use crate::proxy::relay::{Outlet, Terms, relay};
use crate::proxy::turn::Turn;
use crate::proxy::upstream::{AnswerFault, AnswerHead, Answers, Head, Link, Order, StartFault};
use crate::wire::Version;
use crate::wire::fields::may_be_trailer;
use crate::wire::head::Framing;

/// Interim answers of one exchange. Those of HTTP/2 wait in memory, and no window holds them back.
const INTERIM_MAX: usize = 1000;

/// What the server said in the end.
enum Outcome {
    /// An answer, which was relayed.
    Answered(Reuse),
    /// That it speaks another protocol from now on.
    Switching(Head),
}

/// Sends the request over `link` and relays the answer.
///
/// # Errors
/// [`Failure`]; the answer may have begun.
pub(in crate::proxy) async fn exchange(
    turn: &mut Turn<'_>,
    admission: &Admission,
    link: &mut Link,
    source: &mut Source<'_>,
    answer: &mut Answer<'_>,
    time: (&mut Alarm, Instant),
) -> Result<Reuse, Failure> {
    let mut meter = std::mem::take(&mut turn.record.meter);
    let done = converse(turn, admission, link, source, answer, time, &mut meter).await;
    let done = match done {
        Ok(Outcome::Answered(reuse)) => Ok(reuse),
        Ok(Outcome::Switching(head)) => {
            let switched = switch(turn, admission, link, source, answer, &head, &mut meter);
            Box::pin(switched).await
        }
        Err(failure) => Err(failure),
    };
    turn.record.meter = meter;
    done
}

async fn converse(
    turn: &Turn<'_>,
    admission: &Admission,
    link: &mut Link,
    source: &mut Source<'_>,
    answer: &mut Answer<'_>,
    (alarm, sent_at): (&mut Alarm, Instant),
    meter: &mut Meter,
) -> Result<Outcome, Failure> {
    let may_die_unnoticed = link.is_reused && turn.is_idempotent();
    let (mut outlet, mut answers) = start(turn, admission, link)?;
    if may_die_unnoticed || admission.upstream.protocol == Protocol::H2 {
        source.remember();
    }
    if turn.asked.expects_continue && source.is_untouched() {
        answer.interim(100, &[]).await.map_err(client_fault)?;
    }
    let patience = patience(turn, admission);
    let bytes_max = turn.body_bytes_max(Some(admission.permit.route()));
    source.limit(bytes_max);
    let terms = Terms {
        patience: &patience,
        bytes_max,
        may_trail: &|name| turn.may_trail_up(name),
    };
    let upload = Upload::begun(sent_at);
    let mut watch = Watch {
        client: pin!(upload.run(source, &mut outlet, &terms, &mut meter.bytes_in)),
        deadlines: Deadlines {
            alarm,
            upload: &upload,
            response_timeout: turn.response_timeout(admission),
            late_at: turn.late_at(),
            lifetime: turn.lifetime(admission),
            looked_at: sent_at,
        },
    };

    let head = final_head(turn, &mut watch, &mut answers, answer).await?;
    let answered_at = Instant::now();
    meter.upstream_duration = Some(answered_at.saturating_duration_since(sent_at));
    // An answer that begins behind its token has until the next look.
    watch.deadlines.looked_at = answered_at;
    patience.relaxed.store(true, Ordering::Relaxed);
    patience.answered.store(true, Ordering::Relaxed);
    if head.status() == 101 {
        return Ok(Outcome::Switching(head));
    }
    let read = answers
        .read(&head)
        .map_err(|fault| upstream_fault(fault, Heard::Some))?;
    let length = begin(turn, admission, &read, &upload, answer)?;
    let framing = read.framing;
    let is_open = read.keep_alive && framing != Framing::UntilClose;
    drop(read);
    let mut body = answers.body(framing, head.into_stream());
    let count = &mut meter.bytes_out;
    download(
        turn, admission, &mut watch, &mut body, answer, length, count,
    )
    .await?;
    answer.finished();
    Ok(Outcome::Answered(if is_open && upload.is_whole() {
        Reuse::Yes
    } else {
        Reuse::No
    }))
}

/// Writes the request's head.
fn start<'l>(
    turn: &Turn<'_>,
    admission: &Admission,
    link: &'l mut Link,
) -> Result<(Outlet<'l>, Answers<'l>), Failure> {
    let asked = turn.asked;
    let hop = Hop {
        peer: turn.client.peer(),
        client: turn.record.client,
        request_id: turn.record.request_id.as_str(),
        trace: &turn.record.trace,
        now: turn.now,
    };
    let trailer = announced(asked.framing, asked.announced(), |name| {
        turn.may_trail_up(name)
    });
    let order = Order {
        method: asked.head.method,
        target: admission.path.target(),
        authority: admission.authority.as_deref(),
        framing: asked.framing,
        upgrade: asked.upgrade,
        te_trailers: asked.takes_trailers(),
        trailer: trailer.as_deref(),
        fields: &|sink| {
            turn.gate
                .upstream_fields(admission, &asked.head, &hop, sink);
        },
    };
    link.start(&order).map_err(|fault| match fault {
        StartFault::Unsayable => Failure::Unsayable,
        StartFault::Gone => upstream_fault(
            AnswerFault::Cut("the connection takes no more requests".into()),
            Heard::Nothing,
        ),
    })
}

/// How long the client's body may pause. Where there can be a stream of messages, as long as the upstream lets one.
fn patience(turn: &Turn<'_>, admission: &Admission) -> Patience {
    let is_stream = turn.asked.dialect() == Dialect::Grpc
        && turn.asked.head.version == Version::Http2
        && admission.upstream.protocol == Protocol::H2;
    match is_stream {
        true => Patience::for_messages(admission.upstream.idle_timeout),
        false => Patience::new(turn.client.listener.body_timeout),
    }
}

/// What may happen while an answer is waited for or on its way.
struct Watch<'w> {
    client: Pin<&'w mut (dyn Future<Output = BodyFault> + Send + 'w)>,
    deadlines: Deadlines<'w>,
}

/// Waits for the final head; relays interim ones.
async fn final_head(
    turn: &Turn<'_>,
    watch: &mut Watch<'_>,
    answers: &mut Answers<'_>,
    answer: &mut Answer<'_>,
) -> Result<Head, Failure> {
    for _ in 0..=INTERIM_MAX {
        let next = tokio::select! {
            biased;
            next = answers.next() => next,
            fault = &mut watch.client => return Err(Failure::Client(fault)),
            () = answer.refused() => return Err(Failure::Client(BodyFault::Cut)),
            missed = watch.deadlines.missed(Phase::Unanswered) => return Err(missed),
        };
        let head = next.map_err(|fault| upstream_fault(fault, answers.heard()))?;
        match head.status() {
            // The client's wait was ended by us.
            100 => {}
            102..=199 => {
                let read = answers.read(&head);
                let read = read.map_err(|fault| upstream_fault(fault, Heard::Some))?;
                Box::pin(interim(turn, read, answer)).await?;
            }
            101 if turn.asked.upgrade.is_none() => {
                let fault = AnswerFault::Malformed("it switches protocols unasked");
                return Err(upstream_fault(fault, Heard::Some));
            }
            _ => return Ok(head),
        }
        // There may be no end of them, and the next may be here: what else ends an exchange has its turn in between, and so has
        // the thread's other work, its clock among it.
        tokio::select! {
            biased;
            fault = &mut watch.client => return Err(Failure::Client(fault)),
            missed = watch.deadlines.missed(Phase::Unanswered) => return Err(missed),
            () = consume_budget() => {}
        }
    }
    let fault = AnswerFault::Malformed("interim answers without end");
    Err(upstream_fault(fault, Heard::Some))
}

async fn interim(
    turn: &Turn<'_>,
    read: AnswerHead<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), Failure> {
    let fields = Passing::interim(turn, &read);
    let sent = answer.interim(read.status, &fields).await;
    sent.map_err(client_fault)
}

/// Relays the answer's body while the request's may still be on its way.
async fn download(
    turn: &Turn<'_>,
    admission: &Admission,
    watch: &mut Watch<'_>,
    body: &mut Source<'_>,
    answer: &mut Answer<'_>,
    length: Length,
    count: &mut u64,
) -> Result<(), Failure> {
    let patience = Patience::new(admission.upstream.idle_timeout);
    let terms = Terms {
        patience: &patience,
        bytes_max: u64::MAX,
        may_trail: &|name| turn.may_trail_down(name),
    };
    let mut outlet = answer.outlet();
    let mut relayed = pin!(relay(body, &mut outlet, &terms, count));
    let phase = match length {
        Length::Unknown => Phase::Streaming,
        Length::None | Length::Known(_) => Phase::Answered,
    };
    tokio::select! {
        biased;
        relayed = &mut relayed => relayed.map_err(download_fault),
        fault = &mut watch.client => Err(Failure::Client(fault)),
        missed = watch.deadlines.missed(phase) => Err(missed),
    }
}

impl<'t> Turn<'t> {
    /// What the stream's right to go on depends on.
    pub(super) fn lifetime<'s>(&'s self, admission: &'s Admission) -> Lifetime<'s> {
        let (gate, head) = (self.gate.clone(), &self.asked.head);
        Lifetime::new(self.edge, gate, admission, head, self.now)
    }

    /// Whether the client's trailer of this name goes on.
    fn may_trail_up(&self, name: &str) -> bool {
        may_be_trailer(name) && !self.gate.config().identity.prefix.owns(name)
    }

    /// Whether the server's trailer of this name goes on.
    pub(super) fn may_trail_down(&self, name: &str) -> bool {
        may_be_trailer(name) && !self.gate.keeps_back(name)
    }

    fn response_timeout(&self, admission: &Admission) -> Duration {
        let of_route = admission.permit.route().handling.response_timeout;
        of_route.unwrap_or(admission.upstream.response_timeout)
    }
}
