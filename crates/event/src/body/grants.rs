//! Entries of access control lists, as bodies of objects and uploads have them.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use serde::{Deserialize, Serialize};

/// To whom something is granted. Written as the canonical id, or one of three words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Grantee {
    /// One user, by canonical id.
    Canonical(String),
    /// Whoever asks, signed or not.
    Everyone,
    /// Whoever signs with a key of this node.
    Authenticated,
    /// What writes access logs. Nothing does here; the grant is kept and returned.
    LogDelivery,
}

const EVERYONE: &str = "everyone";
const AUTHENTICATED: &str = "authenticated";
const LOG_DELIVERY: &str = "log-delivery";

impl From<String> for Grantee {
    fn from(text: String) -> Self {
        match text.as_str() {
            EVERYONE => Self::Everyone,
            AUTHENTICATED => Self::Authenticated,
            LOG_DELIVERY => Self::LogDelivery,
            _ => Self::Canonical(text),
        }
    }
}

impl From<Grantee> for String {
    fn from(grantee: Grantee) -> Self {
        match grantee {
            Grantee::Canonical(id) => id,
            Grantee::Everyone => EVERYONE.to_owned(),
            Grantee::Authenticated => AUTHENTICATED.to_owned(),
            Grantee::LogDelivery => LOG_DELIVERY.to_owned(),
        }
    }
}

/// What a grant permits, by the names of S3's access control lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// All of the others.
    FullControl,
    /// To read an object, or to list a bucket.
    Read,
    /// To put and delete objects in a bucket.
    Write,
    /// To read the access control list.
    ReadAcp,
    /// To change the access control list.
    WriteAcp,
}

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub permission: Permission,
    pub to: Grantee,
}
