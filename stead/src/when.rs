//! Moments and durations as people type them.

use crate::failure::Failure;
use std::time::Duration;
use stead_event::{Position, Timestamp};
use stead_runtime::Clock;

/// `--at`, as the API takes it: a position, or a moment in RFC 3339.
pub fn at(text: Option<&str>) -> Result<Option<String>, Failure> {
    text.map(|text| parse(text, Timestamp::from_micros(Clock::system().now_micros())))
        .transpose()
}

fn parse(text: &str, now: Timestamp) -> Result<String, Failure> {
    let text = text.trim();
    if let Ok(position) = text.parse::<Position>() {
        return Ok(position.to_string());
    }
    if let Some(ago) = span(text) {
        return Ok(now
            .plus_secs(-i64::try_from(ago.as_secs()).unwrap_or(i64::MAX))
            .to_string());
    }
    // A date alone means its end: what was there on that day, or is there today.
    let day = |hour: &str| format!("{text}T{hour}Z").parse::<Timestamp>();
    if let (Ok(begin), Ok(end)) = (day("00:00:00"), day("23:59:59.999999"))
        && begin <= now
    {
        return Ok(end.min(now).to_string());
    }
    let candidates = [
        text.to_owned(),
        text.replacen(' ', "T", 1),
        format!("{}Z", text.replacen(' ', "T", 1)),
        format!("{}:00Z", text.replacen(' ', "T", 1)),
        format!("{text}T23:59:59.999999Z"),
    ];
    candidates.iter().find_map(|text| text.parse::<Timestamp>().ok()).map(|at| at.to_string()).ok_or_else(|| {
        Failure::usage(format!("{text:?} is neither a moment nor a position"))
            .next("give a time in UTC (2026-11-20, '2026-11-20 09:00', RFC 3339), how long ago (90m, 3h, 2d), or a position (1842)")
    })
}

/// A duration: `90s`, `90m`, `3h`, `2d`, `1w`.
pub fn duration(text: &str) -> Result<Duration, Failure> {
    span(text.trim()).ok_or_else(|| {
        Failure::usage(format!("{text:?} is not a duration"))
            .next("give a number and a unit: 90s, 90m, 12h, 7d, 2w")
    })
}

fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(secs)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_positions_and_spans_are_understood() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let of = |text: &str| parse(text, now).unwrap();
        assert_eq!(of("1842"), "1842");
        assert_eq!(of("3h"), "2026-11-20T09:00:00.000000Z");
        assert_eq!(of("2026-11-19"), "2026-11-19T23:59:59.999999Z");
        assert_eq!(of("2026-11-20"), "2026-11-20T12:00:00.000000Z", "today, so far");
        assert_eq!(of("2026-11-21"), "2026-11-21T23:59:59.999999Z");
        assert_eq!(of("2026-11-20 09:00"), "2026-11-20T09:00:00.000000Z");
        assert_eq!(of("2026-11-20 09:00:07"), "2026-11-20T09:00:07.000000Z");
        assert_eq!(of("2026-11-20T10:00:00+01:00"), "2026-11-20T09:00:00.000000Z");
        assert!(parse("yesterday", now).is_err());
        assert_eq!(duration("1w").unwrap(), Duration::from_secs(604_800));
        assert!(duration("5").is_err() && duration("d").is_err() && duration("").is_err());
    }
}
