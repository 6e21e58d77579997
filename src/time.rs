//! Points in time as numbers that are handed in. Knows how to compare and add; does not know what time it is.

use std::time::Duration;

/// A point in time, in milliseconds since the Unix epoch.
///
/// A NumericDate (RFC 7519 §2) counts whole seconds; sessions need finer steps, so the house counts milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch (a NumericDate).
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down (a NumericDate).
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This point, `span` later; stops at the end of time instead of wrapping.
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This point, `span` earlier; stops at the epoch instead of wrapping.
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The longest span has more milliseconds than a timestamp can count.
const fn millis(span: Duration) -> u64 {
    let millis = span.as_millis();
    if millis < u64::MAX as u128 {
        millis as u64
    } else {
        u64::MAX
    }
}

/// Tells what time it is. Implemented once, in `control`; tests hand in a number they can add to.
///
/// # Security
/// A clock that runs backwards revives expired tokens by as much. Whoever implements this never lets it.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Whether the present follows from what was told before. It does not after the system's time has jumped: then
    /// nothing is to be decided by it that cannot be undone.
    fn is_sound(&self) -> bool {
        true
    }
}

/// By how much a sound clock jumps at most: no correction by NTP is larger at once.
pub const JUMP_MAX: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
pub use set_clock::SetClock;

#[cfg(test)]
mod set_clock {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::{Clock, Timestamp};

    /// A clock that stands still until a test moves it.
    #[derive(Debug)]
    pub struct SetClock(AtomicU64);

    impl SetClock {
        /// One that stands at `start`.
        pub fn at(start: Timestamp) -> Self {
            Self(AtomicU64::new(start.as_millis()))
        }

        /// Sets it, forwards or back.
        pub fn set(&self, now: Timestamp) {
            self.0.store(now.as_millis(), Ordering::SeqCst);
        }

        /// Lets `span` pass.
        pub fn advance(&self, span: Duration) {
            self.set(self.now().plus(span));
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timestamp;

    #[test]
    fn no_span_wraps_around_the_ends_of_time() {
        let now = Timestamp::from_secs(1_700_000_000);
        let beyond = Duration::from_millis(u64::MAX) + Duration::from_millis(1);
        for long in [Duration::from_millis(u64::MAX), beyond, Duration::MAX] {
            assert_eq!(now.plus(long), Timestamp::from_millis(u64::MAX), "{long:?}");
            assert_eq!(now.minus(long), Timestamp::default(), "{long:?}");
        }
    }
}
