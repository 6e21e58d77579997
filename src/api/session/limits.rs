//! How often one address may call: a bucket each, refilled at the configured rate, five times as deep. Knows a bounded
//! number of buckets; the one unused for longest makes room, full again.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use quick_cache::unsync::Cache;

use super::failure::Failure;
use crate::config::model::Rate;

/// Buckets of one kind of call.
pub(super) struct Limit {
    buckets: Mutex<Cache<IpAddr, Bucket>>,
}

/// The limits of the session side.
#[derive(Default)]
pub(super) struct Limits {
    pub(super) logins: Limit,
    pub(super) refreshes: Limit,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            buckets: Mutex::new(Cache::new(BUCKETS_MAX)),
        }
    }
}

impl Limit {
    /// Takes one call of `who`, by the clock that nobody sets.
    pub(super) fn take(&self, who: IpAddr, rate: Rate, now: Instant) -> Result<(), Failure> {
        let depth = f64::from(rate.calls) * BURST;
        let a_second = f64::from(rate.calls) / rate.span.as_secs_f64();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.get(&who).copied();
        let mut bucket = known.unwrap_or(Bucket {
            tokens: depth,
            at: now,
        });
        let refilled =
            bucket.tokens + now.saturating_duration_since(bucket.at).as_secs_f64() * a_second;
        bucket.tokens = refilled.min(depth);
        bucket.at = bucket.at.max(now);
        let taken = bucket.tokens >= 1.0;
        let wait = (1.0 - bucket.tokens) / a_second;
        if taken {
            bucket.tokens -= 1.0;
        }
        buckets.insert(who, bucket);
        match taken {
            true => Ok(()),
            false => Err(Failure::TooMany(
                (wait.ceil() as u64).clamp(1, WAIT_SECS_MAX),
            )),
        }
    }
}

const BURST: f64 = 5.0;
const BUCKETS_MAX: usize = 65_536;
const WAIT_SECS_MAX: u64 = 3600;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use super::Limit;
    use crate::config::model::Rate;

    #[test]
    fn a_burst_passes_and_the_rate_goes_on() {
        let start = Instant::now();
        let [one, another] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        for seconds in [1, 60, 3600] {
            let span = Duration::from_secs(seconds);
            let rate = Rate { calls: 2, span };
            let limit = Limit::default();
            let passed = |now| {
                let calls = (0..100).map(|_| limit.take(one, rate, now));
                calls.filter(Result::is_ok).count()
            };
            assert_eq!(passed(start), 10);
            assert_eq!(passed(start + span), 2);
            assert_eq!(passed(start + span * 61), 10);
            assert!(
                limit.take(another, rate, start).is_ok(),
                "another has its own bucket"
            );
        }
    }
}
