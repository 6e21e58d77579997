//! How often one address may call: a bucket each, refilled at the configured rate, five times as deep. Knows a bounded
//! number of buckets; the one unused for longest makes room, full again.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use quick_cache::unsync::Cache;

use super::failure::Failure;
use crate::time::Timestamp;

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
    at: Timestamp,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            buckets: Mutex::new(Cache::new(BUCKETS_MAX)),
        }
    }
}

impl Limit {
    /// Takes one call of `who`, who has `rate` a second.
    pub(super) fn take(&self, who: IpAddr, rate: f64, now: Timestamp) -> Result<(), Failure> {
        let depth = (rate * BURST).max(1.0);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.get(&who).copied();
        let mut bucket = known.unwrap_or(Bucket {
            tokens: depth,
            at: now,
        });
        let refilled = bucket.tokens + now.since(bucket.at).as_secs_f64() * rate;
        bucket.tokens = refilled.min(depth);
        bucket.at = bucket.at.max(now);
        let taken = bucket.tokens >= 1.0;
        let wait = (1.0 - bucket.tokens) / rate.max(f64::MIN_POSITIVE);
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

/// Whom an address stands for: a subscriber has one IPv4 address, or a whole IPv6 network of 64 bits.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 => v4,
    }
}

const BURST: f64 = 5.0;
const BUCKETS_MAX: usize = 65_536;
const WAIT_SECS_MAX: u64 = 3600;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::{Limit, subscriber};
    use crate::time::Timestamp;

    #[test]
    fn a_burst_passes_and_the_rate_goes_on() {
        let limit = Limit::default();
        let start = Timestamp::from_secs(1_700_000_000);
        let [one, another] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        let passed = |now| {
            (0..100)
                .filter(|_| limit.take(one, 2.0, now).is_ok())
                .count()
        };
        assert_eq!(passed(start), 10);
        assert_eq!(passed(start.plus(Duration::from_secs(1))), 2);
        assert_eq!(passed(start.plus(Duration::from_secs(61))), 10);
        assert!(
            limit.take(another, 2.0, start).is_ok(),
            "another has its own bucket"
        );
    }

    #[test]
    fn one_ipv6_network_is_one_subscriber() {
        let of = |text: &str| subscriber(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
