//! The time of day. The only file of the house that reads it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::{Clock, Timestamp};

/// The system's clock, which never runs backwards: while the system's time lies behind what was told already, the last
/// told moment stands. So a correction by hand or by NTP cannot revive a token that was expired.
#[derive(Debug, Default)]
pub struct SystemClock {
    told_millis: AtomicU64,
}

impl SystemClock {
    /// A clock that has told nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The later of `wall_millis` and everything told before.
    fn tell(&self, wall_millis: u64) -> Timestamp {
        // Most calls fall into a millisecond that is told already; they must not fight for the cache line.
        let told = self.told_millis.load(Ordering::Relaxed);
        if wall_millis <= told {
            return Timestamp::from_millis(told);
        }
        let before = self.told_millis.fetch_max(wall_millis, Ordering::Relaxed);
        Timestamp::from_millis(before.max(wall_millis))
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time of day"
    )]
    fn now(&self) -> Timestamp {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            });
        self.tell(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::SystemClock;
    use crate::time::{Clock, Timestamp};

    #[test]
    fn a_clock_that_is_set_back_stands_still() {
        let clock = SystemClock::new();
        assert_eq!(clock.tell(2_000), Timestamp::from_millis(2_000));
        assert_eq!(clock.tell(1_000), Timestamp::from_millis(2_000));
        assert_eq!(clock.tell(2_001), Timestamp::from_millis(2_001));
    }

    #[test]
    fn the_present_lies_after_this_house_was_built() {
        assert!(SystemClock::new().now() > Timestamp::from_secs(1_700_000_000));
    }
}
