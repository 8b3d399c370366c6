//! Stored binary values that know their version and how to lift the one before.
//!
//! A stored value is one version byte and the DAG-CBOR of the type. A type names its predecessor; the
//! first version names itself.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why stored bytes are not the value that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Written by a newer release.
    #[error("stored format {found} of {what} is newer than the newest known here, {known}")]
    TooNew {
        /// The type.
        what: &'static str,
        /// The version found.
        found: u8,
        /// The newest version known.
        known: u8,
    },
    /// Not a value of the version that its first byte names.
    #[error("stored {what} does not decode: {why}")]
    Malformed {
        /// The type.
        what: &'static str,
        /// The decoder's words.
        why: String,
    },
}

/// A stored type, its version, and the version before it.
pub trait Migrate: Sized + Serialize + DeserializeOwned {
    /// For messages.
    const NAME: &'static str;
    /// From 1; one more than the predecessor's.
    const VERSION: u8;
    /// The type that version `VERSION - 1` was stored as; `Self` for version 1.
    type Previous: Migrate;

    /// The value that the predecessor means today. Never called for version 1.
    fn lift(previous: Self::Previous) -> Self;

    /// Version byte and DAG-CBOR.
    fn to_stored(&self) -> Result<Vec<u8>, MigrateError> {
        let mut bytes = vec![Self::VERSION];
        serde_ipld_dagcbor::to_writer(&mut bytes, self).map_err(|e| MigrateError::Malformed {
            what: Self::NAME,
            why: e.to_string(),
        })?;
        Ok(bytes)
    }

    /// Reads any version up to this one, lifting older ones step by step.
    fn from_stored(bytes: &[u8]) -> Result<Self, MigrateError> {
        let malformed = |why: String| MigrateError::Malformed {
            what: Self::NAME,
            why,
        };
        let (&version, rest) = bytes
            .split_first()
            .ok_or_else(|| malformed("it is empty".into()))?;
        if version > Self::VERSION {
            return Err(MigrateError::TooNew {
                what: Self::NAME,
                found: version,
                known: Self::VERSION,
            });
        }
        if version == Self::VERSION {
            return serde_ipld_dagcbor::from_slice(rest).map_err(|e| malformed(e.to_string()));
        }
        if Self::VERSION <= 1 {
            return Err(malformed("version 0 was never written".into()));
        }
        Ok(Self::lift(Self::Previous::from_stored(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct First {
        name: String,
    }

    impl Migrate for First {
        const NAME: &'static str = "thing";
        const VERSION: u8 = 1;
        type Previous = Self;
        fn lift(previous: Self) -> Self {
            previous
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Second {
        name: String,
        size: u64,
    }

    impl Migrate for Second {
        const NAME: &'static str = "thing";
        const VERSION: u8 = 2;
        type Previous = First;
        fn lift(previous: First) -> Self {
            Self {
                name: previous.name,
                size: 0,
            }
        }
    }

    #[test]
    fn older_versions_are_lifted_and_newer_ones_refused() {
        let old = First { name: "a".into() }.to_stored().unwrap();
        assert_eq!(
            Second::from_stored(&old).unwrap(),
            Second {
                name: "a".into(),
                size: 0
            }
        );
        let new = Second {
            name: "a".into(),
            size: 7,
        }
        .to_stored()
        .unwrap();
        assert!(matches!(
            First::from_stored(&new),
            Err(MigrateError::TooNew {
                found: 2,
                known: 1,
                ..
            })
        ));
        assert!(matches!(
            First::from_stored(&[]),
            Err(MigrateError::Malformed { .. })
        ));
        assert!(matches!(
            First::from_stored(&[0, 1]),
            Err(MigrateError::Malformed { .. })
        ));
    }
}
