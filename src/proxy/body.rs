//! Where bodies come from: one interface over HTTP/1 and HTTP/2, with the patience of whoever waits.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pingora_timeout::tokio_timeout as timeout;

use super::http1::Http1Body;
use super::http2::Http2Body;
use super::part::{BodyFault, Leave, Part, Trailers};
use super::replay::Replay;
use crate::traffic::Pace;

/// How long whoever waits for a body is ready to wait.
pub(super) struct Patience {
    /// The longest pause.
    pause: Duration,
    /// Whether what comes must also keep up the listener's pace.
    is_paced: bool,
    /// Set once pauses are no fault any more: the answer to the body has begun.
    pub(super) relaxed: AtomicBool,
    /// Set once nobody will ask for the body again.
    pub(super) answered: AtomicBool,
}

impl Patience {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            pause,
            is_paced: true,
            relaxed: AtomicBool::new(false),
            answered: AtomicBool::new(false),
        }
    }

    /// That for a stream of messages, which come when there is something to say.
    pub(super) fn for_messages(pause: Duration) -> Self {
        Self {
            is_paced: false,
            ..Self::new(pause)
        }
    }

    fn is_relaxed(&self) -> bool {
        self.relaxed.load(Ordering::Relaxed)
    }
}

/// Where a body comes from.
pub(super) struct Source<'c> {
    origin: Origin<'c>,
    pace: Option<Pace>,
    replay: Option<Box<Replay>>,
    over: bool,
    touched: bool,
}

/// The protocol that it comes by.
pub(super) enum Origin<'c> {
    /// There is none.
    Empty,
    /// HTTP/1.
    Http1(Http1Body<'c>),
    /// HTTP/2.
    Http2(Http2Body),
}

impl<'c> Source<'c> {
    pub(super) fn new(origin: Origin<'c>, pace: Option<Pace>) -> Self {
        let over = match &origin {
            Origin::Empty => true,
            Origin::Http1(body) => body.is_over(),
            Origin::Http2(body) => body.is_over(),
        };
        Self {
            origin,
            pace,
            replay: None,
            over,
            touched: false,
        }
    }

    /// Sets the most content. Who takes it counts what comes; what is over the limit by its own word is none to wait for.
    pub(super) fn limit(&mut self, bytes_max: u64) {
        if let Origin::Http1(body) = &mut self.origin {
            body.limit(bytes_max);
        }
    }

    /// Whether all of it was taken.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether none of it was taken, so that the request can be sent again.
    pub(super) fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// Keeps the beginning of the body until it is answered.
    pub(super) fn remember(&mut self) {
        if self.is_untouched() && !self.over {
            self.replay = Some(Box::default());
        }
    }

    /// Begins again, if all that was taken is still there.
    pub(super) fn rewind(&mut self) -> bool {
        if self.is_untouched() {
            return true;
        }
        let Some(replay) = &mut self.replay else {
            return false;
        };
        replay.rewind();
        self.over = false;
        true
    }

    /// What is here already, without waiting. The next call drops what this one returned.
    pub(super) fn buffered(&mut self) -> Result<Option<Part<'_>>, BodyFault> {
        Ok(if self.find()? {
            Some(self.part())
        } else {
            None
        })
    }

    /// Waits for the next part. Cancel-safe.
    pub(super) async fn next(&mut self, patience: &Patience) -> Result<Part<'_>, BodyFault> {
        if patience.answered.load(Ordering::Relaxed) {
            self.replay = None;
        }
        while !self.find()? {
            self.wait(patience).await?;
        }
        Ok(self.part())
    }

    /// Whether the next part is here.
    fn find(&mut self) -> Result<bool, BodyFault> {
        if self.over || self.replays() {
            return Ok(true);
        }
        match &mut self.origin {
            Origin::Empty => Ok(true),
            Origin::Http1(body) => body.find(),
            Origin::Http2(body) => Ok(body.has_part()),
        }
    }

    /// The part that is here.
    fn part(&mut self) -> Part<'_> {
        self.touched = true;
        if self.over {
            return Part::End(Trailers::new());
        }
        if self.replays() {
            return self.part_again();
        }
        let part = match &mut self.origin {
            Origin::Empty => Part::End(Trailers::new()),
            Origin::Http1(body) => body.part(),
            Origin::Http2(body) => body.part(),
        };
        self.over = matches!(part, Part::End(_));
        if let Some(replay) = &mut self.replay
            && !replay.keep(&part)
        {
            self.replay = None;
        }
        part
    }

    fn part_again(&mut self) -> Part<'_> {
        let replay = self.replay.as_mut().expect("there is something to replay");
        let part = replay.part();
        self.over = matches!(part, Part::End(_));
        part
    }

    /// Whether what is next was handed out before.
    fn replays(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.has_part())
    }

    /// Takes what comes while whoever gets the body takes nothing; for those who wait for something else.
    pub(super) async fn gather(&mut self) -> Infallible {
        match &mut self.origin {
            Origin::Http2(body) => body.gather().await,
            // What is not read stays with the sender.
            Origin::Empty | Origin::Http1(_) => pending().await,
        }
    }

    async fn wait(&mut self, patience: &Patience) -> Result<(), BodyFault> {
        let began = Instant::now();
        let came = timeout(patience.pause, self.origin.wait()).await;
        if patience.is_relaxed() {
            return came.map_or(Ok(()), |came| came.map(drop));
        }
        let bytes = came.map_err(|_| BodyFault::Slow)??;
        let pace = self.pace.as_mut().filter(|_| patience.is_paced);
        let keeps_up = pace.is_none_or(|pace| pace.keeps_up(began.elapsed(), bytes));
        if keeps_up {
            Ok(())
        } else {
            Err(BodyFault::Slow)
        }
    }

    /// Waits until the sender leaves.
    pub(super) async fn left(&mut self) -> Leave {
        match &mut self.origin {
            Origin::Http1(body) => body.left().await,
            Origin::Empty | Origin::Http2(_) => pending().await,
        }
    }

    /// Reads and drops what is left, up to a bound; whether the body is over.
    pub(super) async fn drain(&mut self, bytes_max: usize, time_max: Duration) -> bool {
        let patience = Patience::new(time_max);
        let drained = async {
            let mut dropped = 0;
            while dropped <= bytes_max {
                match self.next(&patience).await {
                    Ok(Part::Data(bytes)) => dropped += bytes.len(),
                    Ok(Part::End(_)) | Err(_) => return,
                }
            }
        };
        let _ = timeout(time_max, drained).await;
        self.over
    }

    /// The HTTP/1 body, if it is one: an upgrade takes its connection over.
    pub(super) fn http1(&mut self) -> Option<&mut Http1Body<'c>> {
        match &mut self.origin {
            Origin::Http1(body) => Some(body),
            Origin::Empty | Origin::Http2(_) => None,
        }
    }
}

impl Origin<'_> {
    /// Waits for more; how many bytes came.
    async fn wait(&mut self) -> Result<usize, BodyFault> {
        match self {
            Self::Empty => Ok(0),
            Self::Http1(body) => body.wait().await,
            Self::Http2(body) => body.wait().await,
        }
    }
}
