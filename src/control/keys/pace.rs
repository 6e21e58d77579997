//! When to ask a provider again. Pure: chance and the provider's wish are arguments.

use std::time::Duration;

/// The pause after the first failure; it doubles with each.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two tries while a provider fails.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How far chance moves a pause either way: gateways that began together do not ask together.
const JITTER: f64 = 0.1;

/// The pause until the next refresh: what the provider wishes, between `min` and `max`. A provider without a wish is asked
/// every `max`. Keys that serve for `stale_max` are confirmed twice in that time, whatever the others say: a provider that
/// is up loses none by their age.
pub(super) fn refresh(
    wished: Option<Duration>,
    min: Duration,
    max: Duration,
    stale_max: Duration,
    chance: f64,
) -> Duration {
    let max = max.max(min);
    let pause = jittered(wished.unwrap_or(max).clamp(min, max), chance).clamp(min, max);
    pause.min((stale_max / 2).max(RETRY_FIRST))
}

/// For how long a provider that asks for it is left alone, if its keys serve meanwhile: no longer than until they would be
/// confirmed anyway.
pub(super) fn left_alone(asked: Option<Duration>, max: Duration, stale_max: Duration) -> Duration {
    let longest = max.min((stale_max / 2).max(RETRY_FIRST));
    asked.unwrap_or_default().min(longest)
}

/// The pause after `failures` failures in a row: one second, doubling up to `min` or half a minute.
pub(in crate::control) fn retry(failures: u32, min: Duration, chance: f64) -> Duration {
    let doubled = RETRY_FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    jittered(doubled.min(min.clamp(RETRY_FIRST, RETRY_MAX)), chance)
}

/// Moves `pause` by up to [`JITTER`] either way; `chance` is 0 to 1.
pub(in crate::control) fn jittered(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{left_alone, refresh, retry};

    const MIN: Duration = Duration::from_secs(30);
    const MAX: Duration = Duration::from_secs(900);
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_providers_wish_counts_between_min_and_max() {
        let rows = [
            (None, 900),
            (Some(0), 30),
            (Some(60), 60),
            (Some(99_999), 900),
        ];
        for (wished, seconds) in rows {
            let pause = refresh(wished.map(Duration::from_secs), MIN, MAX, DAY, 0.5);
            assert_eq!(pause.as_secs_f64().round() as u64, seconds, "{wished:?}");
        }
    }

    #[test]
    fn chance_never_leaves_min_and_max() {
        assert_eq!(refresh(Some(Duration::ZERO), MIN, MAX, DAY, 0.0), MIN);
        assert_eq!(refresh(None, MIN, MAX, DAY, 1.0), MAX);
        assert_eq!(refresh(None, MIN, MAX, DAY, 0.0), Duration::from_secs(810));
    }

    #[test]
    fn keys_that_serve_for_a_short_time_are_confirmed_twice_in_it() {
        for (stale_max, secs) in [(86_400, 900), (600, 300), (10, 5), (1, 1), (0, 1)] {
            let pause = refresh(None, MIN, MAX, Duration::from_secs(stale_max), 1.0);
            assert_eq!(pause.as_secs(), secs, "{stale_max}");
        }
    }

    #[test]
    fn a_provider_is_left_alone_no_longer_than_keys_serve_without_it() {
        for (asked, stale_max, secs) in [
            (None, 86_400, 0),
            (Some(120), 86_400, 120),
            (Some(99_999), 86_400, 900),
            (Some(120), 100, 50),
            (Some(120), 0, 1),
        ] {
            let asked = asked.map(Duration::from_secs);
            let pause = left_alone(asked, MAX, Duration::from_secs(stale_max));
            assert_eq!(pause.as_secs(), secs, "{asked:?} {stale_max}");
        }
    }

    #[test]
    fn retries_slow_down_to_half_a_minute() {
        let pauses: Vec<u64> = (1..=8)
            .map(|failures| retry(failures, MAX, 0.5).as_secs_f64().round() as u64)
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(retry(u32::MAX, MAX, 0.5).as_secs(), 30);
        assert_eq!(retry(9, Duration::from_secs(5), 0.5).as_secs(), 5);
    }
}
