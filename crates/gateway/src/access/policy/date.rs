//! Moments, for the `Date…` operators: RFC 3339, a day, or seconds since 1970.

use stead_event::Timestamp;

/// A moment, in microseconds since 1970.
pub(super) fn moment(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000_000);
    }
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 if text.ends_with('Z') => format!("{}:00Z", &text.get(..16)?),
        _ => text.to_owned(),
    };
    whole.parse::<Timestamp>().ok().map(Timestamp::as_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_four_ways() {
        let at = moment("2026-11-20T00:00:00Z");
        assert!(at.is_some());
        for same in [
            "2026-11-20",
            "2026-11-20T00:00Z",
            "2026-11-20T01:00:00+01:00",
            "1795132800",
        ] {
            assert_eq!(moment(same), at, "{same}");
        }
        for bad in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-11-20T00:00",
            "99999999999999999999",
        ] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
