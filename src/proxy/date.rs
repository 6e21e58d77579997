//! When an answer was made, as HTTP says it.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use httpdate::HttpDate;

use crate::time::Timestamp;

/// The name of the field.
pub(super) const DATE: &str = "Date";

/// A value of [`DATE`]: an IMF-fixdate (RFC 9110 §5.6.7).
pub(super) struct Date([u8; LENGTH]);

impl Date {
    /// The date of `moment`, of the year 9999 at the latest.
    pub(super) fn of(moment: Timestamp) -> Self {
        let seconds = moment.as_secs().min(SECONDS_MAX);
        let mut text = [b' '; LENGTH];
        let date = HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds));
        write!(&mut text[..], "{date}").expect("each IMF-fixdate has this length");
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();
/// The last second that four digits of a year can tell.
const SECONDS_MAX: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::{Date, SECONDS_MAX};
    use crate::time::Timestamp;

    #[test]
    fn a_date_is_the_one_that_http_has_as_its_example() {
        let date = Date::of(Timestamp::from_secs(784_111_777));
        assert_eq!(date.as_bytes(), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn no_clock_is_so_wrong_that_there_is_no_date() {
        for seconds in [0, SECONDS_MAX, SECONDS_MAX + 1, u64::MAX] {
            let date = Date::of(Timestamp::from_secs(seconds));
            assert!(date.as_bytes().ends_with(b" GMT"), "{seconds}");
        }
    }
}
