//! When something is due, in days that end at midnight UTC.

use stead_event::Timestamp;

/// The first moment that has no date of four digits any more: the year 10000.
const END_OF_DATES: i64 = 253_402_300_800_000_000;

/// The length of a day. Twenty-four hours, save where a test cannot wait for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    micros: i64,
}

impl Default for Day {
    fn default() -> Self {
        Self::of_seconds(86_400)
    }
}

impl Day {
    /// A day of so many seconds, at least one.
    pub fn of_seconds(seconds: u64) -> Self {
        let micros = seconds.clamp(1, 86_400 * 366) * 1_000_000;
        Self {
            micros: micros as i64,
        }
    }

    /// The midnight that follows `days` after `from`: Amazon adds the days and goes on to the next midnight.
    pub fn due(self, from: Timestamp, days: u32) -> Timestamp {
        let later = i128::from(from.as_micros()) + i128::from(self.micros) * i128::from(days);
        self.midnight_after(later)
    }

    /// The first midnight after `now`.
    pub fn next(self, now: Timestamp) -> Timestamp {
        self.midnight_after(i128::from(now.as_micros()))
    }

    fn midnight_after(self, micros: i128) -> Timestamp {
        let day = i128::from(self.micros);
        let midnight = (micros.div_euclid(day) + 1) * day;
        Timestamp::from_micros(i64::try_from(midnight).unwrap_or(i64::MAX))
    }
}

/// Whether a moment is a midnight, in days of twenty-four hours.
pub fn is_midnight(at: Timestamp) -> bool {
    at.as_micros().rem_euclid(86_400_000_000) == 0
}

/// Whether a moment can be written as a date.
pub fn has_date(at: Timestamp) -> bool {
    at.as_micros() < END_OF_DATES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_end_at_midnight() {
        let day = Day::default();
        let made = at("2014-01-15T10:30:00Z");
        // The example of the Amazon S3 User Guide, "Lifecycle rules: based on an object's age".
        assert_eq!(day.due(made, 3), at("2014-01-19T00:00:00Z"));
        assert_eq!(
            day.due(at("2024-02-28T23:59:59.999999Z"), 1),
            at("2024-03-01T00:00:00Z")
        );
        assert_eq!(day.due(at("2024-01-01T00:00:00Z"), 1), at("2024-01-03T00:00:00Z"));
        assert_eq!(day.next(made), at("2014-01-16T00:00:00Z"));
        assert_eq!(day.next(at("2014-01-16T00:00:00Z")), at("2014-01-17T00:00:00Z"));
        assert_eq!(day.next(at("1969-12-31T12:00:00Z")), at("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn a_day_can_be_short() {
        let day = Day::of_seconds(10);
        let made = at("2026-01-01T00:00:03Z");
        assert_eq!(day.due(made, 2), at("2026-01-01T00:00:30Z"));
        assert_eq!(Day::of_seconds(0), Day::of_seconds(1));
    }

    #[test]
    fn what_is_beyond_all_time_is_never_due() {
        let far = Day::default().due(at("2026-01-01T00:00:00Z"), u32::MAX);
        assert!(far > at("9999-12-31T23:59:59Z") && !has_date(far));
        assert!(has_date(at("9999-12-31T23:59:59Z")));
        assert_eq!(
            Day::default()
                .due(Timestamp::from_micros(i64::MAX), 1)
                .as_micros(),
            i64::MAX
        );
    }

    #[test]
    fn midnights_are_known() {
        assert!(is_midnight(at("2026-01-01T00:00:00Z")) && is_midnight(at("2026-01-01T01:00:00+01:00")));
        assert!(!is_midnight(at("2026-01-01T00:00:00.000001Z")) && !is_midnight(at("2026-01-01T12:00:00Z")));
    }
}
