//! What is asked: who wants to do what.

use super::Action;
use super::policy::{Key, Values};
use crate::Identity;
use stead_view::ObjectRecord;

/// The object that an action is about.
#[derive(Clone, Copy, Debug, Default)]
pub enum Object<'a> {
    /// To be looked up, where it matters.
    #[default]
    Unread,
    /// There, in this state.
    There(&'a ObjectRecord),
    /// Not there, or deleted.
    Missing,
}

/// Who wants to do what.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Who.
    pub who: &'a Identity,
    /// What.
    pub action: Action,
    /// In which bucket.
    pub bucket: &'a str,
    /// With which key.
    pub key: Option<&'a str>,
    /// Which version, where one is named.
    pub version: Option<&'a str>,
    /// Which multipart upload, of an action that is about one.
    pub upload: Option<&'a str>,
    /// What is known of the object.
    pub object: Object<'a>,
    /// What a condition may ask of the request.
    pub values: &'a dyn Values,
}

/// A request of which nothing more is known.
struct Unknown;

impl Values for Unknown {
    fn get(&self, _: &Key) -> Option<Vec<String>> {
        None
    }
}

impl<'a> Ask<'a> {
    /// About a bucket.
    pub fn bucket(who: &'a Identity, action: Action, bucket: &'a str) -> Self {
        Self {
            who,
            action,
            bucket,
            key: None,
            version: None,
            upload: None,
            object: Object::Unread,
            values: &Unknown,
        }
    }

    /// About an object.
    pub fn object(who: &'a Identity, action: Action, bucket: &'a str, key: &'a str) -> Self {
        Self {
            key: Some(key),
            ..Self::bucket(who, action, bucket)
        }
    }

    /// The same about one version: the action becomes the one that S3 has for versions.
    pub fn version(self, version: Option<&'a str>) -> Self {
        Self {
            action: self.action.of(version),
            version,
            ..self
        }
    }

    /// The same with what a condition may ask.
    pub fn values(self, values: &'a dyn Values) -> Self {
        Self { values, ..self }
    }
}
