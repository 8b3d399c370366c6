//! `BUCKET/KEY` as people type it.

use crate::failure::Failure;

/// A place in Stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The key or prefix; may be empty.
    pub key: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.bucket, self.key)
    }
}

/// What marks a place in Stead where a file could be meant as well.
const SCHEMES: [&str; 3] = ["stead://", "stead:", "s3://"];

/// The text behind `stead:`, where that stands there.
pub fn marked(text: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// A bucket, perhaps with a key or prefix.
pub fn place(text: &str) -> Result<Place, Failure> {
    let path = marked(text).unwrap_or(text);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() {
        return Err(Failure::usage(format!(
            "{text:?} does not begin with a bucket: give BUCKET/KEY"
        )));
    }
    Ok(Place {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
    })
}

/// A bucket and a key.
pub fn object(text: &str) -> Result<Place, Failure> {
    let place = place(text)?;
    if place.key.is_empty() {
        return Err(Failure::usage(format!(
            "{text:?} names no object: give BUCKET/KEY"
        )));
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_apart() {
        let of = |bucket: &str, key: &str| Place {
            bucket: bucket.into(),
            key: key.into(),
        };
        assert_eq!(object("b/k/e y").unwrap(), of("b", "k/e y"));
        assert_eq!(object("s3://b//k").unwrap(), of("b", "/k"));
        assert_eq!(place("stead:b").unwrap(), of("b", ""));
        assert!(object("b/").is_err() && place("/b").is_err() && place("").is_err());
    }
}
