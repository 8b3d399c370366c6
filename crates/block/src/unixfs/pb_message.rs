//! Protobuf messages of numbers and bytes, for the other small formats of IPFS (IPNS records).

use super::pb::{self, Fields, Value};

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// A number of that field.
    Number(u64, u64),
    /// Bytes of that field.
    Bytes(u64, &'a [u8]),
}

/// Fields of a message at most.
const FIELDS_MAX: usize = 64;

/// Writes a number.
pub fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    pb::put_number(out, field, value);
}

/// Writes bytes.
pub fn put_bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    pb::put_bytes(out, field, value);
}

/// Writes a number as CAR and protobuf do, seven bits a byte.
pub fn put_varint(out: &mut Vec<u8>, value: u64) {
    pb::put_varint(out, value);
}

/// The fields of a message in their order; `None` where the bytes are none.
pub fn fields(bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    fields_up_to(bytes, FIELDS_MAX)
}

/// As [`fields`], where a message may have up to `max` of them.
pub fn fields_up_to(bytes: &[u8], max: usize) -> Option<Vec<Field<'_>>> {
    let mut rest = Fields(bytes);
    let mut all = Vec::new();
    while let Some((number, value)) = rest.next()? {
        match value {
            Value::Number(value) => all.push(Field::Number(number, value)),
            Value::Bytes(bytes) => all.push(Field::Bytes(number, bytes)),
            Value::Other => {}
        }
        if all.len() > max {
            return None;
        }
    }
    Some(all)
}

impl<'a> Field<'a> {
    /// The bytes, where it is that field.
    pub fn bytes(&self, wanted: u64) -> Option<&'a [u8]> {
        match self {
            Field::Bytes(number, bytes) if *number == wanted => Some(bytes),
            _ => None,
        }
    }

    /// The number, where it is that field.
    pub fn number(&self, wanted: u64) -> Option<u64> {
        match self {
            Field::Number(number, value) if *number == wanted => Some(*value),
            _ => None,
        }
    }
}
