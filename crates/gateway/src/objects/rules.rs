//! Which names are legal.

use super::ObjectError;

/// AWS's rules for the names of general purpose buckets.
pub fn bucket(name: &str) -> Result<(), ObjectError> {
    let _ = name;
    todo!()
}

/// Rules for keys.
pub fn key(key: &str) -> Result<(), ObjectError> {
    let _ = key;
    todo!()
}
