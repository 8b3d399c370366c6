//! Events of the log as records of S3's event messages (version 2.1).

use serde_json::{Value, json};
use stead_event::body::{ObjectDeleted, Versioning, Via};
use stead_event::{Body, Event};
use stead_view::BucketRecord;

/// What a record says, before it is known who is told.
pub struct Happened<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// `ObjectCreated:Put` and its like.
    pub name: &'static str,
    via: &'a Via,
    size: Option<u64>,
    etag: Option<&'a str>,
    version: Version<'a>,
}

enum Version<'a> {
    /// The event made it, where the bucket keeps versions.
    Made,
    /// The one that is named.
    Named(Option<&'a str>),
}

/// The bucket and key that an event is about, where records tell of such events.
pub fn about(event: &Event) -> Option<&str> {
    match &event.body {
        Body::ObjectPut(put) => Some(&put.bucket),
        Body::ObjectDeleted(deleted) => Some(&deleted.bucket),
        Body::ObjectTagged(tagged) => Some(&tagged.bucket),
        Body::ObjectGranted(granted) => Some(&granted.bucket),
        _ => None,
    }
}

/// What happened, by an event about the bucket of that record.
pub fn happened<'a>(event: &'a Event, bucket: &BucketRecord) -> Option<Happened<'a>> {
    match &event.body {
        Body::ObjectPut(put) => Some(Happened {
            bucket: &put.bucket,
            key: &put.key,
            name: match (&put.upload, &put.source) {
                (Some(_), _) => "ObjectCreated:CompleteMultipartUpload",
                (None, Some(_)) => "ObjectCreated:Copy",
                (None, None) => "ObjectCreated:Put",
            },
            via: &put.via,
            size: Some(put.size),
            etag: Some(&put.etag),
            version: Version::Made,
        }),
        Body::ObjectDeleted(deleted) => Some(removed(deleted, bucket)),
        Body::ObjectTagged(tagged) => Some(Happened {
            bucket: &tagged.bucket,
            key: &tagged.key,
            name: match tagged.tags.is_empty() {
                true => "ObjectTagging:Delete",
                false => "ObjectTagging:Put",
            },
            via: &tagged.via,
            size: None,
            etag: None,
            version: Version::Named(tagged.version.as_deref()),
        }),
        Body::ObjectGranted(granted) => Some(Happened {
            bucket: &granted.bucket,
            key: &granted.key,
            name: "ObjectAcl:Put",
            via: &granted.via,
            size: None,
            etag: None,
            version: Version::Named(granted.version.as_deref()),
        }),
        _ => None,
    }
}

fn removed<'a>(deleted: &'a ObjectDeleted, bucket: &BucketRecord) -> Happened<'a> {
    let marker = deleted.version.is_none() && bucket.versioning != Versioning::Off;
    let name = match (deleted.via.protocol.as_str(), marker) {
        ("lifecycle", true) => "LifecycleExpiration:DeleteMarkerCreated",
        ("lifecycle", false) => "LifecycleExpiration:Delete",
        (_, true) => "ObjectRemoved:DeleteMarkerCreated",
        (_, false) => "ObjectRemoved:Delete",
    };
    Happened {
        bucket: &deleted.bucket,
        key: &deleted.key,
        name,
        via: &deleted.via,
        size: None,
        etag: None,
        version: match marker {
            true => Version::Made,
            false => Version::Named(deleted.version.as_deref()),
        },
    }
}

impl Happened<'_> {
    /// The record that a configuration is told.
    pub fn record(&self, event: &Event, bucket: &BucketRecord, configuration: &str, region: &str) -> Value {
        let mut object = json!({
            "key": form_encoded(self.key),
            // Positions rise, and sixteen digits compare as texts.
            "sequencer": format!("{:016X}", event.seq),
        });
        let version = match self.version {
            Version::Made if bucket.versioning == Versioning::Enabled => Some(event.id.to_string()),
            Version::Made => None,
            Version::Named(named) => named.map(str::to_owned),
        };
        let fields = [
            ("size", self.size.map(Value::from)),
            ("eTag", self.etag.map(Value::from)),
            ("versionId", version.map(Value::from)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                object[name] = value;
            }
        }
        let remote = self.via.remote.as_deref().unwrap_or_default();
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": event.at.to_string(),
            "eventName": self.name,
            "userIdentity": { "principalId": event.actor.0 },
            "requestParameters": { "sourceIPAddress": remote.rsplit_once(':').map_or(remote, |(ip, _)| ip) },
            "responseElements": {
                "x-amz-request-id": self.via.request.as_deref().unwrap_or_default(),
                "x-amz-id-2": "stead",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": bucket.owner_id.as_deref().unwrap_or_default() },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        })
    }
}

/// As S3 writes keys in messages: percent-encoded, with `+` for a space.
fn form_encoded(key: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'*')
        .remove(b'/');
    utf8_percent_encode(key, KEPT).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_in_a_form() {
        assert_eq!(form_encoded("a b/é+&.png"), "a+b/%C3%A9%2B%26.png");
    }
}
