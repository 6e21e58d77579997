//! One server of an upstream: what is in flight to it, whether it refused a connection, and its unused connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::addresses::Shunned;
use super::pool::Pool;
use crate::config::model::ServerAddress;
use crate::control::Names;
use crate::traffic::{Candidate, Standing};

/// One server.
#[derive(Debug)]
pub(in crate::proxy) struct Server {
    pub(super) address: ServerAddress,
    /// The address as the configuration has it: the metric label.
    pub(in crate::proxy) label: Arc<str>,
    pub(super) pool: Arc<Pool>,
    /// Addresses of its name that took no connection.
    pub(super) shunned: Shunned,
    in_flight: AtomicUsize,
    /// Spans are counted from here: the time of day may be set.
    since: Instant,
    /// Milliseconds behind `since`; 0 when it takes connections.
    passed_over_until: AtomicU64,
}

/// Whether a server's health changed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It did.
    Changed,
    /// It is as it was.
    Same,
}

impl Server {
    pub(super) fn new(address: &ServerAddress, names: &Arc<Names>) -> Arc<Self> {
        Arc::new(Self {
            address: address.clone(),
            label: address.to_string().into(),
            pool: Pool::of(address.clone(), names.clone()),
            shunned: Shunned::default(),
            in_flight: AtomicUsize::new(0),
            since: Instant::now(),
            passed_over_until: AtomicU64::new(0),
        })
    }

    pub(super) fn candidate(&self, now: Instant) -> Candidate {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        let standing = match until {
            0 => Standing::Ready,
            until => Standing::PassedOver(self.left(until, now)),
        };
        Candidate {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            standing,
        }
    }

    /// Notes that it took no connection: others are asked for a while.
    pub(super) fn pass_over(&self, now: Instant, span: Duration) -> Change {
        let until = self.millis(now + span);
        change(self.passed_over_until.swap(until, Ordering::Relaxed) == 0)
    }

    /// Lets whoever opens a connection to a server whose span is over find out for all: others pass it over for `span`, or
    /// until that is known. It may take no connection yet, and would have every other request wait for one.
    pub(super) fn try_alone(&self, now: Instant, span: Duration) {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        if until != 0 && self.left(until, now).is_zero() {
            let next = self.millis(now + span);
            // Where another was quicker, both find out.
            let _ = self.exchange(until, next);
        }
    }

    /// Notes an answer, over a connection of whatever age: a server whose span is over is used again.
    pub(super) fn answered(&self, now: Instant) -> Change {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        if until == 0 || !self.left(until, now).is_zero() {
            return Change::Same;
        }
        change(self.exchange(until, 0))
    }

    /// Notes that it took a connection.
    pub(super) fn welcome(&self) -> Change {
        if self.passed_over_until.load(Ordering::Relaxed) == 0 {
            return Change::Same;
        }
        change(self.passed_over_until.swap(0, Ordering::Relaxed) != 0)
    }

    /// How much is left until then.
    fn left(&self, until: u64, now: Instant) -> Duration {
        let until = self.since + Duration::from_millis(until);
        until.saturating_duration_since(now)
    }

    /// A moment as [`Server::passed_over_until`] has it; never 0.
    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.since);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn exchange(&self, until: u64, next: u64) -> bool {
        let end = &self.passed_over_until;
        end.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

fn change(changed: bool) -> Change {
    if changed {
        Change::Changed
    } else {
        Change::Same
    }
}

/// One request in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Server>);

impl InFlight {
    pub(super) fn on(server: &Arc<Server>) -> Self {
        server.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(server.clone())
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Change, Server};
    use crate::config::model::ServerAddress;
    use crate::traffic::Standing;

    fn server() -> Arc<Server> {
        let address = ServerAddress::Ip("127.0.0.1:1".parse().unwrap());
        Server::new(&address, &Arc::default())
    }

    #[test]
    fn a_server_is_passed_over_for_its_span() {
        let server = server();
        let refused = server.since + Duration::from_secs(100);
        let standing = |secs| {
            server
                .candidate(refused + Duration::from_secs(secs))
                .standing
        };
        assert_eq!(standing(0), Standing::Ready);
        server.pass_over(refused, Duration::from_secs(5));
        let left = |secs| Standing::PassedOver(Duration::from_secs(secs));
        assert_eq!(
            [standing(0), standing(4), standing(6)],
            [left(5), left(1), left(0)]
        );
        server.welcome();
        assert_eq!(standing(0), Standing::Ready);
    }

    #[test]
    fn behind_its_span_one_finds_out_whether_a_server_takes_connections() {
        let server = server();
        let [refused, early, late] =
            [100, 104, 106].map(|secs| server.since + Duration::from_secs(secs));
        let left = |now| match server.candidate(now).standing {
            Standing::PassedOver(left) => left.as_secs(),
            standing => panic!("{standing:?}"),
        };
        server.pass_over(refused, Duration::from_secs(5));
        server.try_alone(early, Duration::from_secs(2));
        assert_eq!(left(early), 1, "its span is not over");
        server.try_alone(late, Duration::from_secs(2));
        server.try_alone(late, Duration::from_secs(9));
        assert_eq!(left(late), 2, "others pass it over");
        assert_eq!(server.answered(late), Change::Same, "it is being tried");
        assert_eq!(server.welcome(), Change::Changed);
        server.try_alone(late, Duration::from_secs(2));
        assert_eq!(server.candidate(late).standing, Standing::Ready);
    }
}
