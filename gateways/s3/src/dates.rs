//! Dates as HTTP and S3 write them.

use s3s::dto::Timestamp as S3Timestamp;
use stead_event::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const FIXED: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
const RFC_850: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] GMT"
);
const ASCTIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
);

const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Seconds since the epoch of a date in one of the three forms of RFC 9110 §5.6.7, or in ISO 8601.
pub fn parse_http(text: &str) -> Option<i64> {
    let text = text.trim();
    [FIXED, RFC_850, ASCTIME]
        .iter()
        .find_map(|form| PrimitiveDateTime::parse(text, form).ok())
        .map(|at| at.assume_utc().unix_timestamp())
        .or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_secs))
}

/// A date as Signature Version 4 writes it: `19941106T084937Z`.
pub fn basic(text: &str) -> Option<Timestamp> {
    let at = PrimitiveDateTime::parse(text, BASIC).ok()?;
    Some(at.assume_utc().into())
}

/// A time as [`basic`] reads it.
pub fn to_basic(at: Timestamp) -> String {
    whole_seconds(at).format(BASIC).unwrap_or_default()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http(at: Timestamp) -> String {
    // A date from a valid time always formats; the empty text is never seen.
    whole_seconds(at).format(FIXED).unwrap_or_default()
}

/// `1994-11-06T08:49:37.000Z`, as headers have it.
pub fn millis(at: Timestamp) -> String {
    let text = at.to_string();
    // Six decimals and a `Z` end it.
    match text.len().checked_sub(4) {
        Some(cut) => format!("{}Z", &text[..cut]),
        None => text,
    }
}

/// For documents, which have milliseconds: a client that compares a file's time of change with that of the
/// object it just made (`aws s3 sync`) would take the file for newer, were the object's cut to whole seconds.
pub fn s3(at: Timestamp) -> S3Timestamp {
    at.to_datetime().into()
}

fn whole_seconds(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.as_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_http_is_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse_http(text), Some(784_111_777), "{text}");
        }
        assert_eq!(
            basic("19941106T084937Z").map(Timestamp::as_secs),
            Some(784_111_777)
        );
        assert_eq!(parse_http("1994"), None);
        let at = Timestamp::from_micros(784_111_777_654_321);
        assert_eq!(http(at), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(millis(at), "1994-11-06T08:49:37.654Z");
    }
}
