//! An HTTP/2 connection to a server, as the requests see it that share it: whether it lives, has room, and answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;

use super::connect::HTTP2_STREAMS_MAX;

/// An HTTP/2 connection that many requests share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sender: SendRequest<Bytes>,
    /// Cleared once nobody may begin another stream.
    is_alive: Arc<AtomicBool>,
    /// Where it leads.
    pub(super) address: SocketAddr,
    streams: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
    pub(super) opened_at: Instant,
    idle_since: Instant,
    keep: Duration,
}

/// One stream of a shared connection, until it is dropped.
pub(super) struct Stream {
    streams: Arc<AtomicUsize>,
    /// Answers that came over the connection, and how many had come when the stream was opened.
    answers: Arc<AtomicUsize>,
    answers_before: usize,
}

impl Stream {
    /// Its answer came.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the connection brought no answer to anybody since the stream was opened.
    pub(super) fn is_alone_with_silence(&self) -> bool {
        self.answers.load(Ordering::Relaxed) == self.answers_before
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn new(
        sender: SendRequest<Bytes>,
        is_alive: Arc<AtomicBool>,
        address: SocketAddr,
        keep: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            sender,
            is_alive,
            address,
            streams: Arc::default(),
            answers: Arc::default(),
            opened_at: now,
            idle_since: now,
            keep,
        }
    }

    /// Takes one more stream, whether or not there is room for it.
    pub(super) fn open(&self) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Stream {
            streams: self.streams.clone(),
            answers: self.answers.clone(),
            answers_before: self.answers.load(Ordering::Relaxed),
        }
    }

    /// Streams that are open on it.
    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    pub(super) fn has_room(&self) -> bool {
        let most = self
            .sender
            .current_max_send_streams()
            .min(HTTP2_STREAMS_MAX);
        self.streams() < most
    }

    /// Whether others may begin a stream on it.
    pub(super) fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Relaxed)
    }

    /// Nobody begins another stream on it; those that are open go on.
    pub(super) fn retire(&self) {
        self.is_alive.store(false, Ordering::Relaxed);
    }

    /// Whether it is worth keeping.
    pub(super) fn lives(&mut self, now: Instant) -> bool {
        if self.streams() > 0 {
            self.idle_since = now;
            // One that nobody shares any more counts for as long as it is used.
            return true;
        }
        self.is_alive() && now < self.idle_since + self.keep
    }
}
