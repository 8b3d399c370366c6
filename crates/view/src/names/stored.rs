//! Values of the names tables. Field names are short because every object's record repeats them.

use super::{BucketRecord, Counts, ObjectRecord, PartRecord, UploadRecord};
use serde::{Deserialize, Serialize};
use stead_event::body::{
    Checksum, Encryption, Grant, ObjectDeleted, ObjectPut, Part, Retention, UploadPart, UploadStarted,
    Versioning,
};
use stead_event::{Cid, Event, EventId, Principal, TextMap, Timestamp, Via};

fn is_false(value: &bool) -> bool {
    !*value
}

/// An event id as its sixteen bytes.
mod id {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};
    use serde_bytes::ByteArray;
    use stead_event::EventId;

    pub(super) fn serialize<S: Serializer>(id: &EventId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(id.as_bytes())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        let bytes: ByteArray<16> = serde::Deserialize::deserialize(deserializer)?;
        let mut text = String::with_capacity(32);
        for byte in bytes.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        text.parse().map_err(D::Error::custom)
    }
}

/// A bucket.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredBucket {
    #[serde(rename = "i")]
    pub(super) id: u64,
    #[serde(rename = "c")]
    created: i64,
    #[serde(rename = "o")]
    owner: Principal,
    #[serde(rename = "v")]
    pub(super) versioning: Versioning,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted: Option<(u64, i64)>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    owner_id: Option<String>,
}

first_version!(StoredBucket, "bucket");

impl StoredBucket {
    pub(super) fn new(event: &Event, owner_id: Option<String>) -> Self {
        Self {
            id: event.seq,
            created: event.at.as_micros(),
            owner: event.actor.clone(),
            versioning: Versioning::Off,
            deleted: None,
            owner_id,
        }
    }

    pub(super) fn record(self) -> BucketRecord {
        BucketRecord {
            id: self.id,
            created: Timestamp::from_micros(self.created),
            owner: self.owner,
            owner_id: self.owner_id,
            versioning: self.versioning,
            deleted: self
                .deleted
                .map(|(seq, micros)| (seq, Timestamp::from_micros(micros))),
        }
    }
}

/// A state of a key. Whether it is listed follows from the table that it is in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredObject {
    #[serde(rename = "a")]
    actor: Principal,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<Retention>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(super) cid: Option<Cid>,
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    #[serde(rename = "e", with = "id")]
    pub(super) event: EventId,
    #[serde(rename = "g", default, skip_serializing_if = "String::is_empty")]
    pub(super) etag: String,
    #[serde(rename = "f", default, skip_serializing_if = "is_false")]
    pub(super) hold: bool,
    #[serde(rename = "h", default, skip_serializing_if = "TextMap::is_empty")]
    headers: TextMap,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(rename = "j", default, skip_serializing_if = "is_false")]
    hold_said: bool,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<Checksum>,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) acl: Vec<Grant>,
    #[serde(rename = "m", default, skip_serializing_if = "is_false")]
    pub(super) marker: bool,
    #[serde(rename = "n", default, skip_serializing_if = "is_false")]
    pub(super) null: bool,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(rename = "p")]
    protocol: String,
    #[serde(rename = "q", default, skip_serializing_if = "TextMap::is_empty")]
    pub(super) tags: TextMap,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    #[serde(rename = "s")]
    pub(super) seq: u64,
    #[serde(rename = "t")]
    at: i64,
    #[serde(rename = "u", default, skip_serializing_if = "TextMap::is_empty")]
    metadata: TextMap,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    upload: Option<String>,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) stripes: Option<Cid>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(super) superseded: Option<(u64, i64)>,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
    #[serde(rename = "z", default)]
    pub(super) size: u64,
}

first_version!(StoredObject, "object");

impl StoredObject {
    fn blank(event: &Event, via: &Via, null: bool) -> Self {
        Self {
            actor: event.actor.clone(),
            retention: None,
            cid: None,
            parts: Vec::new(),
            hold: false,
            hold_said: false,
            owner: None,
            acl: Vec::new(),
            event: event.id,
            etag: String::new(),
            headers: TextMap::new(),
            checksum: None,
            marker: false,
            null,
            source: None,
            protocol: via.protocol.clone(),
            tags: TextMap::new(),
            remote: via.remote.clone(),
            seq: event.seq,
            at: event.at.as_micros(),
            metadata: TextMap::new(),
            upload: None,
            stripes: None,
            superseded: None,
            encryption: None,
            size: 0,
        }
    }

    pub(super) fn put(event: &Event, put: &ObjectPut, null: bool) -> Self {
        Self {
            retention: put.retention,
            hold: put.hold,
            hold_said: put.hold,
            owner: put.owner.clone(),
            acl: put.acl.clone(),
            encryption: put.encryption.clone(),
            cid: Some(put.cid),
            stripes: put.stripes,
            parts: put.parts.clone(),
            etag: put.etag.clone(),
            headers: put.headers.clone(),
            checksum: put.checksum.clone(),
            source: put.source.clone(),
            tags: put.tags.clone(),
            metadata: put.metadata.clone(),
            upload: put.upload.clone(),
            size: put.size,
            ..Self::blank(event, &put.via, null)
        }
    }

    /// A delete marker, or the trace of a delete where no versions are kept.
    pub(super) fn marker(event: &Event, deleted: &ObjectDeleted, null: bool) -> Self {
        Self {
            marker: true,
            ..Self::blank(event, &deleted.via, null)
        }
    }

    /// Places or lifts a legal hold.
    pub(super) fn set_hold(&mut self, hold: bool) {
        (self.hold, self.hold_said) = (hold, true);
    }

    /// Whether it must not be deleted at `now`. A bypass passes over governance, nothing else.
    pub(super) fn is_locked(&self, now: Timestamp, bypass: bool) -> bool {
        self.hold || self.is_retained(now, bypass)
    }

    fn is_retained(&self, now: Timestamp, bypass: bool) -> bool {
        self.retention
            .is_some_and(|retention| retention.binds(now, bypass))
    }

    /// Whether retention may become `new` at `now`: longer and as firm always, else only where it no longer
    /// binds.
    pub(super) fn may_retain(&self, new: Option<Retention>, now: Timestamp, bypass: bool) -> bool {
        if !self.is_retained(now, bypass) {
            return true;
        }
        let (Some(old), Some(new)) = (self.retention, new) else {
            return false;
        };
        new.mode == old.mode && new.until >= old.until
    }

    /// Whether `version` names it.
    pub(super) fn is_version(&self, version: &str) -> bool {
        match version {
            "null" => self.null,
            id => !self.null && id.parse() == Ok(self.event),
        }
    }

    /// The id under which `names.version_ids` finds it.
    pub(super) fn indexed_id(&self) -> Option<&EventId> {
        (!self.null).then_some(&self.event)
    }

    /// Whether it was listed at `position`, if it is from before.
    pub(super) fn stood_at(&self, position: u64) -> bool {
        self.seq <= position && self.superseded.is_none_or(|(seq, _)| seq > position)
    }

    pub(super) fn record(self, listed: bool) -> ObjectRecord {
        ObjectRecord {
            event: self.event,
            seq: self.seq,
            at: Timestamp::from_micros(self.at),
            version: (!self.null).then(|| self.event.to_string()),
            marker: self.marker,
            listed,
            superseded: self
                .superseded
                .map(|(seq, micros)| (seq, Timestamp::from_micros(micros))),
            actor: self.actor,
            via: Via {
                protocol: self.protocol,
                remote: self.remote,
                agent: None,
                request: None,
            },
            cid: self.cid,
            etag: self.etag,
            size: self.size,
            headers: self.headers,
            metadata: self.metadata,
            tags: self.tags,
            checksum: self.checksum,
            parts: self.parts,
            source: self.source,
            upload: self.upload,
            owner: self.owner,
            acl: self.acl,
            retention: self.retention,
            hold: self.hold,
            hold_said: self.hold_said,
            encryption: self.encryption,
            stripes: self.stripes,
        }
    }
}

/// An open upload. Its key and id are in the row's key.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredUpload {
    #[serde(rename = "a")]
    actor: Principal,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    retention: Option<Retention>,
    #[serde(rename = "e", with = "id")]
    pub(super) id: EventId,
    #[serde(rename = "f", default, skip_serializing_if = "is_false")]
    hold: bool,
    #[serde(rename = "h", default, skip_serializing_if = "TextMap::is_empty")]
    headers: TextMap,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<String>,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    checksum_type: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    acl: Vec<Grant>,
    #[serde(rename = "q", default, skip_serializing_if = "TextMap::is_empty")]
    tags: TextMap,
    #[serde(rename = "s")]
    seq: u64,
    #[serde(rename = "t")]
    started: i64,
    #[serde(rename = "u", default, skip_serializing_if = "TextMap::is_empty")]
    metadata: TextMap,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
}

first_version!(StoredUpload, "upload");

impl StoredUpload {
    pub(super) fn new(event: &Event, started: &UploadStarted) -> Self {
        Self {
            actor: event.actor.clone(),
            retention: started.retention,
            id: event.id,
            hold: started.hold,
            owner: started.owner.clone(),
            acl: started.acl.clone(),
            headers: started.headers.clone(),
            checksum_algorithm: started.checksum_algorithm.clone(),
            checksum_type: started.checksum_type.clone(),
            tags: started.tags.clone(),
            seq: event.seq,
            started: event.at.as_micros(),
            metadata: started.metadata.clone(),
            encryption: started.encryption.clone(),
        }
    }

    pub(super) fn record(self, key: String) -> UploadRecord {
        UploadRecord {
            id: self.id,
            key,
            seq: self.seq,
            started: Timestamp::from_micros(self.started),
            actor: self.actor,
            headers: self.headers,
            metadata: self.metadata,
            tags: self.tags,
            checksum_algorithm: self.checksum_algorithm,
            checksum_type: self.checksum_type,
            owner: self.owner,
            acl: self.acl,
            retention: self.retention,
            hold: self.hold,
            encryption: self.encryption,
        }
    }
}

/// A part of an open upload.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPart {
    #[serde(rename = "c")]
    pub(super) cid: Cid,
    #[serde(rename = "g")]
    pub(super) etag: String,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<Checksum>,
    #[serde(rename = "n")]
    number: u32,
    #[serde(rename = "s")]
    seq: u64,
    #[serde(rename = "t")]
    at: i64,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) stripes: Option<Cid>,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(rename = "z")]
    size: u64,
}

first_version!(StoredPart, "part");

impl StoredPart {
    pub(super) fn new(event: &Event, part: &UploadPart) -> Self {
        Self {
            cid: part.cid,
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
            number: part.number,
            seq: event.seq,
            at: event.at.as_micros(),
            stripes: part.stripes,
            salt: part.salt.clone(),
            size: part.size,
        }
    }

    pub(super) fn record(self) -> PartRecord {
        PartRecord {
            number: self.number,
            cid: self.cid,
            etag: self.etag,
            size: self.size,
            checksum: self.checksum,
            seq: self.seq,
            at: Timestamp::from_micros(self.at),
            salt: self.salt,
            stripes: self.stripes,
        }
    }
}

/// What a bucket holds.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct StoredCounts {
    #[serde(rename = "o")]
    pub(super) objects: u64,
    #[serde(rename = "b")]
    pub(super) bytes: u64,
    #[serde(rename = "v")]
    pub(super) versions: u64,
    #[serde(rename = "w")]
    pub(super) version_bytes: u64,
}

first_version!(StoredCounts, "counts");

impl StoredCounts {
    pub(super) fn record(self) -> Counts {
        Counts {
            objects: self.objects,
            bytes: self.bytes,
            versions: self.versions,
            version_bytes: self.version_bytes,
        }
    }
}
