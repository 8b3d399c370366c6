//! Keys of the names tables. They sort as S3 lists: buckets by number, keys by their UTF-8 bytes, states
//! of a key newest first.
//!
//! A bucket's number is eight bytes, big-endian. Where an object key is the last part of a row's key it
//! stands as it is; where something follows, a NUL in it is written `00 ff` and its end `00 00`, which
//! keeps the order.

use crate::error::ViewError;
use stead_event::{EventId, Position, Timestamp};

const NUL: [u8; 2] = [0, 0xff];
const END: [u8; 2] = [0, 0];

/// `names.current`: bucket, key.
pub(super) fn current(bucket: u64, key: &str) -> Vec<u8> {
    let mut row = Vec::with_capacity(8 + key.len());
    row.extend_from_slice(&bucket.to_be_bytes());
    row.extend_from_slice(key.as_bytes());
    row
}

/// The bucket of a row that begins with one.
pub(super) fn bucket_of(row: &[u8]) -> Option<u64> {
    row.first_chunk().map(|number| u64::from_be_bytes(*number))
}

/// Bucket and the beginning of an object key, as it stands before something that follows.
pub(super) fn escaped(bucket: u64, key: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(8 + key.len() + 26);
    row.extend_from_slice(&bucket.to_be_bytes());
    for byte in key {
        match byte {
            0 => row.extend_from_slice(&NUL),
            byte => row.push(*byte),
        }
    }
    row
}

/// What every row of one key begins with, in the tables where something follows the key.
pub(super) fn of_key(bucket: u64, key: &str) -> Vec<u8> {
    let mut row = escaped(bucket, key.as_bytes());
    row.extend_from_slice(&END);
    row
}

/// `names.versions`, `names.history`: bucket, key, position descending.
pub(super) fn state(bucket: u64, key: &str, seq: Position) -> Vec<u8> {
    let mut row = of_key(bucket, key);
    row.extend_from_slice(&(!seq).to_be_bytes());
    row
}

/// `names.version_ids`: bucket, key, event id (zeros for the null version).
pub(super) fn version_id(bucket: u64, key: &str, id: Option<&EventId>) -> Vec<u8> {
    let mut row = of_key(bucket, key);
    row.extend_from_slice(match id {
        Some(id) => id.as_bytes(),
        None => &[0; 16],
    });
    row
}

/// `names.superseded`: time, then the row of `names.history`.
pub(super) fn superseded(at: Timestamp, history: &[u8]) -> Vec<u8> {
    let mut row = superseded_before(at);
    row.extend_from_slice(history);
    row
}

/// The least row of `names.superseded` at that time.
pub(super) fn superseded_before(at: Timestamp) -> Vec<u8> {
    // With the sign bit turned, two's complement sorts as a number.
    ((at.as_micros() as u64) ^ (1 << 63)).to_be_bytes().to_vec()
}

/// `names.uploads`: bucket, key, upload id.
pub(super) fn upload(bucket: u64, key: &str, id: &EventId) -> Vec<u8> {
    let mut row = of_key(bucket, key);
    row.extend_from_slice(id.as_bytes());
    row
}

/// `names.parts`: upload id, number.
pub(super) fn part(upload: &EventId, number: u32) -> Vec<u8> {
    [&upload.as_bytes()[..], &number.to_be_bytes()].concat()
}

/// `names.configs`: bucket, name.
pub(super) fn config(bucket: u64, name: &str) -> Vec<u8> {
    [&bucket.to_be_bytes()[..], name.as_bytes()].concat()
}

/// `names.gone_buckets`: name (no bucket's name has a NUL), number descending.
pub(super) fn gone_bucket(name: &str, id: u64) -> Vec<u8> {
    [name.as_bytes(), &[0], &(!id).to_be_bytes()].concat()
}

fn damaged(row: &[u8]) -> ViewError {
    ViewError::Damaged(format!(
        "a row of the names tables has a key of {} bytes that does not parse",
        row.len()
    ))
}

fn text(bytes: Vec<u8>, row: &[u8]) -> Result<String, ViewError> {
    String::from_utf8(bytes).map_err(|_| damaged(row))
}

/// The object key in a row of `names.current`.
pub(super) fn key_of_current(row: &[u8]) -> Result<&str, ViewError> {
    let key = row.get(8..).ok_or_else(|| damaged(row))?;
    std::str::from_utf8(key).map_err(|_| damaged(row))
}

/// The object key in a row where `follows` bytes come behind its end.
pub(super) fn key_of_escaped(row: &[u8], follows: usize) -> Result<String, ViewError> {
    let end = row
        .len()
        .checked_sub(follows + END.len())
        .ok_or_else(|| damaged(row))?;
    let escaped = row.get(8..end).ok_or_else(|| damaged(row))?;
    let mut key = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        key.push(*byte);
        if *byte == 0 && bytes.next() != Some(&0xff) {
            return Err(damaged(row));
        }
    }
    text(key, row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaped_keys_read_back_and_sort_as_they_are(
            a in "[\\x00a\\x01\u{ff}]{0,5}",
            b in "[\\x00a\\x01\u{ff}]{0,5}",
            seq: u64,
        ) {
            let [row_a, row_b] = [state(7, &a, seq), state(7, &b, seq)];
            prop_assert_eq!(row_a.cmp(&row_b), a.as_bytes().cmp(b.as_bytes()));
            prop_assert_eq!(key_of_escaped(&row_a, 8).unwrap(), a.clone());
            let row = current(7, &a);
            prop_assert_eq!(key_of_current(&row).unwrap(), a);
        }

        #[test]
        fn superseded_rows_sort_by_time(a: i64, b: i64) {
            let row = |micros| superseded(Timestamp::from_micros(micros), b"");
            prop_assert_eq!(row(a).cmp(&row(b)), a.cmp(&b));
        }
    }

    #[test]
    fn later_states_of_a_key_come_first_and_before_the_next_key() {
        assert!(state(1, "a", 9) < state(1, "a", 8));
        assert!(state(1, "a", 0) < state(1, "a\0", u64::MAX));
        assert!(state(1, "b", 0) < state(2, "a", u64::MAX));
    }
}
