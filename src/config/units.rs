//! Numbers with a unit: `"250ms"`, `"10MiB"`, `"100/s"`; and bytes in hexadecimal. Knows no key that has one.

use std::time::Duration;

use super::model::Rate;

/// What to write where a duration is meant.
pub(super) const DURATION_HELP: &str = "write a whole number and its unit: \"250ms\", \"10s\", \"15m\", \"24h\" or \"30d\", ten years at most";

/// What to write where a size is meant.
pub(super) const SIZE_HELP: &str =
    "write a whole number and its unit: \"512B\", \"32KiB\", \"10MiB\" or \"1GiB\"";

/// What to write where a rate is meant.
pub(super) const RATE_HELP: &str = "write a number and its span: \"100/s\", \"30/m\" or \"500/h\"";

/// Ten years. Longer spans are slips of the pen, and this keeps sums of times far from their end.
const DURATION_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Reads `"250ms"`, `"10s"`, `"15m"`, `"24h"`, `"30d"`. `None` for anything else, and above ten years.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.checked_mul(millis)?);
    (duration <= DURATION_MAX).then_some(duration)
}

/// The units of sizes, the largest first.
const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads `"512B"`, `"32KiB"`, `"10MiB"`, `"1GiB"` as bytes. `None` for anything else.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let (_, bytes) = SIZES.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*bytes)
}

/// How `bytes` are written as a size, in the largest unit that divides them.
pub(super) fn size_text(bytes: u64) -> String {
    let unit = SIZES
        .iter()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    let (name, unit) = unit.unwrap_or(&("B", 1));
    format!("{}{name}", bytes / unit)
}

/// Reads `"100/s"`, `"30/m"`, `"500/h"`. `None` for anything else, and for zero.
pub(super) fn rate(text: &str) -> Option<Rate> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "/s" => 1,
        "/m" => 60,
        "/h" => 3600,
        _ => return None,
    };
    let calls = u32::try_from(number).ok().filter(|calls| *calls > 0)?;
    let span = Duration::from_secs(seconds);
    Some(Rate { calls, span })
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// Bytes behind pairs of hexadecimal digits.
pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    text.len()
        .is_multiple_of(2)
        .then(|| text.chunks_exact(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::{duration, rate, size};
    use std::time::Duration;

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        let check = |text, millis: Option<u64>| {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        };
        check("250ms", Some(250));
        check("10s", Some(10_000));
        check("15m", Some(900_000));
        check("24h", Some(86_400_000));
        check("30d", Some(2_592_000_000));
        check("0s", Some(0));
        for text in [
            "",
            "10",
            "s",
            "1.5h",
            "-1s",
            "10 s",
            "10S",
            "1w",
            "99999d",
            "99999999999999999999s",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn sizes_count_in_powers_of_two() {
        let check = |text, bytes| assert_eq!(size(text), bytes, "{text}");
        check("512B", Some(512));
        check("32KiB", Some(32 * 1024));
        check("10MiB", Some(10 * 1024 * 1024));
        check("1GiB", Some(1 << 30));
        for text in ["", "10", "10KB", "10kib", "1.5MiB", "99999999999999999GiB"] {
            check(text, None);
        }
    }

    #[test]
    fn rates_are_numbers_in_a_span() {
        let check = |text, expected: Option<(u32, u64)>| {
            let read = rate(text).map(|rate| (rate.calls, rate.span.as_secs()));
            assert_eq!(read, expected, "{text}");
        };
        check("100/s", Some((100, 1)));
        check("30/m", Some((30, 60)));
        check("3600/h", Some((3600, 3600)));
        for text in ["0/s", "100", "/s", "-1/s", "1/d", "99999999999/s"] {
            check(text, None);
        }
    }
}
