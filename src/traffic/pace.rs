//! Whether a body comes fast enough: bytes over the time that was spent waiting for them.

use std::time::Duration;

/// Counts what came while somebody waited. Time in which nobody asked for bytes does not count against the sender.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    window: Duration,
    bytes_per_second_min: u64,
    waited: Duration,
    came: u64,
}

impl Pace {
    /// A pace of at least `bytes_per_second_min`, judged after every `window` of waiting.
    pub fn new(window: Duration, bytes_per_second_min: u64) -> Self {
        Self {
            window,
            bytes_per_second_min,
            waited: Duration::ZERO,
            came: 0,
        }
    }

    /// Notes that `bytes` came after a wait; whether that is fast enough.
    #[must_use]
    pub fn keeps_up(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.came = self.came.saturating_add(bytes as u64);
        if self.waited < self.window {
            return true;
        }
        let wanted = self.waited.as_secs_f64() * self.bytes_per_second_min as f64;
        let fast = self.came as f64 >= wanted;
        *self = Self::new(self.window, self.bytes_per_second_min);
        fast
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_trickle_falls_behind_at_the_end_of_the_window() {
        let mut pace = Pace::new(3 * SECOND, 100);
        assert!(pace.keeps_up(SECOND, 1));
        assert!(pace.keeps_up(SECOND, 1));
        assert!(!pace.keeps_up(SECOND, 1));
    }

    #[test]
    fn a_burst_counts_for_its_own_window_alone() {
        let mut pace = Pace::new(SECOND, 100);
        assert!(pace.keeps_up(SECOND, 1_000_000));
        assert!(!pace.keeps_up(SECOND, 99));
        assert!(pace.keeps_up(SECOND, 100));
    }
}
