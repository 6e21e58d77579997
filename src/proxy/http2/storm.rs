//! Does a client ask only to take it back? Each request that it resets has cost a server its work (CVE-2023-44487), and the
//! library sees only those that come so fast that nobody has begun them.

use std::time::Duration;

use tokio::time::Instant;

/// So many streams are judged together.
pub(in crate::proxy) const STREAMS_TOGETHER: usize = 500;
/// A request counts that is taken back within this time; whoever waits longer has lost patience, maybe with a server that is
/// ill.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// Those that took longer to come are no storm, whatever became of them.
const SPAN: Duration = Duration::from_secs(10);

/// The streams of a connection that are judged next.
#[derive(Debug)]
pub(super) struct Storm {
    streams: usize,
    taken_back_before: usize,
    since: Instant,
}

impl Storm {
    pub(super) fn new() -> Self {
        Self {
            streams: 0,
            taken_back_before: 0,
            since: Instant::now(),
        }
    }

    /// Notes one more stream, where `taken_back` of the connection's were soon taken back. Whether most of the last ones were,
    /// and they came fast.
    pub(super) fn grows(&mut self, taken_back: usize) -> bool {
        self.streams += 1;
        if self.streams < STREAMS_TOGETHER {
            return false;
        }
        let is_for_nothing = (taken_back - self.taken_back_before) * 2 > STREAMS_TOGETHER;
        let is_fast = self.since.elapsed() < SPAN;
        *self = Self {
            taken_back_before: taken_back,
            ..Self::new()
        };
        is_for_nothing && is_fast
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{SPAN, STREAMS_TOGETHER, Storm};

    /// Whether a connection is a storm by the end of `STREAMS_TOGETHER` streams, of which so many were taken back.
    async fn is_storm(taken_back: usize, span: Duration) -> bool {
        let mut storm = Storm::new();
        advance(span).await;
        let stormy = (0..STREAMS_TOGETHER)
            .filter(|at| storm.grows(taken_back.min(*at)))
            .count();
        // What is over is judged no more.
        let later = (0..STREAMS_TOGETHER)
            .filter(|_| storm.grows(taken_back))
            .count();
        assert_eq!(later, 0);
        stormy > 0
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_is_fast_and_for_nothing() {
        for (taken_back, span, expected) in [
            (STREAMS_TOGETHER, Duration::ZERO, true),
            (STREAMS_TOGETHER / 2 + 1, SPAN / 2, true),
            // Others get their answers.
            (STREAMS_TOGETHER / 2, Duration::ZERO, false),
            // Somebody types, and each letter is another search.
            (STREAMS_TOGETHER, SPAN, false),
        ] {
            assert_eq!(
                is_storm(taken_back, span).await,
                expected,
                "{taken_back} in {span:?}"
            );
        }
    }
}
