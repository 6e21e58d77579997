//! The time of day. The only file of the house that reads it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Clock, JUMP_MAX, Timestamp};

/// The system's clock, which never runs backwards: while the system's time lies behind what was told already, the last
/// told moment stands. So a correction by hand or by NTP cannot revive a token that was expired.
#[derive(Debug, Default)]
pub struct SystemClock {
    told_millis: AtomicU64,
    /// A moment that has certainly passed, and since when that is known.
    passed: OnceLock<(Timestamp, Instant)>,
    course: Mutex<Option<Course>>,
    /// Whether the jump that lasts was told to the operator.
    alarmed: AtomicBool,
}

/// The system's time at a moment of the clock that nobody can set.
#[derive(Debug, Clone, Copy)]
struct Course {
    wall_millis: u64,
    at: Instant,
}

impl SystemClock {
    /// A clock that has told nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns that `moment` has passed: an earlier process saw it. If the system's time lies behind it, this clock goes on
    /// from there, at half its speed, so that the system's time catches up. Counts once.
    pub fn learn(&self, moment: Timestamp) {
        let wall = wall();
        if moment.as_millis() > wall && self.passed.set((moment, Instant::now())).is_ok() {
            let behind_ms = moment.as_millis() - wall;
            tracing::error!(
                behind_ms,
                "the system's time lies behind what an earlier process saw; time goes on from there, at half its speed until the two \
                 agree"
            );
        }
    }

    /// The later of `wall_millis` and everything told before.
    fn tell(&self, wall_millis: u64) -> Timestamp {
        // Most calls fall into a millisecond that is told already; they must not fight for the cache line.
        let told = self.told_millis.load(Ordering::Relaxed);
        if wall_millis <= told {
            return Timestamp::from_millis(told);
        }
        // After a jump ahead the system's time is told, but does not count as told: it may be put right.
        let leaps = told > 0 && wall_millis - told > JUMP_MAX.as_millis() as u64;
        if leaps && !self.follow(wall_millis, Instant::now()) {
            return Timestamp::from_millis(wall_millis);
        }
        self.raise(wall_millis)
    }

    /// The later of `millis` and everything told before, which is told from now on.
    fn raise(&self, millis: u64) -> Timestamp {
        let before = self.told_millis.fetch_max(millis, Ordering::Relaxed);
        Timestamp::from_millis(before.max(millis))
    }

    /// Whether the system's time, `wall_millis` at `at`, follows from what it was when it was last sound.
    fn follow(&self, wall_millis: u64, at: Instant) -> bool {
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = course.map_or(wall_millis, |course| {
            let elapsed = at.saturating_duration_since(course.at);
            course.wall_millis + u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX / 2)
        });
        let sound = wall_millis.abs_diff(expected) <= JUMP_MAX.as_millis() as u64;
        if sound {
            *course = Some(Course { wall_millis, at });
        }
        sound
    }
}

/// What has passed at `at` by what was learned. At the speed of the system's time a lead would never end.
fn passed_at((moment, since): &(Timestamp, Instant), at: Instant) -> u64 {
    let elapsed = at.saturating_duration_since(*since);
    moment.plus(elapsed / 2).as_millis()
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let wall = wall();
        let passed = self.passed.get();
        let passed = passed.map_or(0, |learned| passed_at(learned, Instant::now()));
        // What has passed says nothing of the course of the system's time.
        match passed > wall {
            true => self.raise(passed),
            false => self.tell(wall),
        }
    }

    /// False while the system's time is more than five minutes away from where it should be, ahead or behind. It becomes
    /// sound again when the time is put right, or by a restart, which takes the time as it is.
    fn is_sound(&self) -> bool {
        let sound = self.follow(wall(), Instant::now());
        if self.alarmed.swap(!sound, Ordering::Relaxed) == sound {
            match sound {
                true => tracing::warn!("the system's time is right again"),
                false => tracing::error!(
                    "the system's time has jumped: sessions answer 503 until it is put right or tollgate is restarted"
                ),
            }
        }
        sound
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the time of day"
)]
fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{SystemClock, passed_at};
    use crate::time::{Clock, Timestamp};

    #[test]
    fn a_clock_that_is_set_back_stands_still() {
        let clock = SystemClock::new();
        assert_eq!(clock.tell(2_000), Timestamp::from_millis(2_000));
        assert_eq!(clock.tell(1_000), Timestamp::from_millis(2_000));
        assert_eq!(clock.tell(2_001), Timestamp::from_millis(2_001));
    }

    #[test]
    fn a_jump_ahead_is_undone_when_the_time_is_put_right() {
        let clock = SystemClock::new();
        let minutes = |minutes: u64| minutes * 60_000;
        assert!(clock.follow(minutes(100), Instant::now()));
        assert_eq!(clock.tell(minutes(100)).as_millis(), minutes(100));
        assert_eq!(clock.tell(minutes(200)).as_millis(), minutes(200));
        assert_eq!(clock.tell(minutes(101)).as_millis(), minutes(101));
    }

    #[test]
    fn what_an_earlier_process_saw_has_passed() {
        let (clock, now) = (SystemClock::new(), SystemClock::new().now());
        assert!(clock.now() >= now);
        clock.learn(now.plus(Duration::from_secs(86_400)));
        assert!(clock.now() >= now.plus(Duration::from_secs(86_400)));
        assert!(clock.is_sound(), "the system's time has not jumped");
        let clock = SystemClock::new();
        clock.learn(now.minus(Duration::from_secs(86_400)));
        assert!(clock.now() < now.plus(Duration::from_secs(3600)));
    }

    #[test]
    fn a_lead_that_an_earlier_process_had_shrinks() {
        let (clock, hour) = (SystemClock::new(), Duration::from_secs(3600));
        let moment = clock.now().plus(2 * hour);
        clock.learn(moment);
        let learned = clock.passed.get().expect("it lies ahead");
        assert_eq!(passed_at(learned, learned.1), moment.as_millis());
        let later = passed_at(learned, learned.1 + 4 * hour);
        assert_eq!(later, moment.plus(2 * hour).as_millis(), "they agree");
    }

    #[test]
    fn a_jump_either_way_is_unsound_until_the_time_is_right_again() {
        let (clock, start) = (SystemClock::new(), Instant::now());
        let minutes = |minutes: u64| minutes * 60_000;
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(clock.follow(minutes(100), start));
        assert!(clock.follow(minutes(104), after(1)), "a correction");
        assert!(!clock.follow(minutes(110), after(2)), "ahead");
        assert!(!clock.follow(minutes(90), after(3)), "behind");
        assert!(clock.follow(minutes(104), after(4)));
        assert!(clock.follow(minutes(164), after(3604)), "time passed");
    }

    #[test]
    fn the_present_lies_after_this_house_was_built() {
        assert!(SystemClock::new().now() > Timestamp::from_secs(1_700_000_000));
    }
}
