//! Arbitrary events of every kind.
#![allow(dead_code, clippy::unwrap_used, missing_docs)] // a test file uses a part of it, and a failure is a panic

use ipld_core::ipld::Ipld;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use stead_event::body::*;
use stead_event::{Cid, Event, EventId, NodeId, Principal, Tenant, TextMap, Timestamp, cids};

pub fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z0-9./-]{1,12}",
        any::<String>(),
        Just("/".to_owned()),
        Just("//".to_owned()),
        Just("\u{1f600}\"\\\n\0\u{2028}".to_owned()),
    ]
    .boxed()
}

pub fn map() -> BoxedStrategy<TextMap> {
    btree_map(
        text().prop_filter("a name has a letter", |name| !name.is_empty()),
        text(),
        0..4,
    )
    .boxed()
}

pub fn cid() -> impl Strategy<Value = Cid> {
    (
        prop_oneof![Just(cids::RAW), Just(cids::DAG_PB), Just(cids::DAG_JSON)],
        any::<[u8; 32]>(),
    )
        .prop_map(|(codec, digest)| cids::from_digest(codec, digest))
}

pub fn time() -> impl Strategy<Value = Timestamp> {
    // The years 1 to 9999.
    (-62_135_596_800_000_000_i64..253_402_300_800_000_000).prop_map(Timestamp::from_micros)
}

pub fn event_id() -> impl Strategy<Value = EventId> {
    (any::<u64>(), any::<[u8; 10]>()).prop_map(|(millis, random)| EventId::new(millis, random))
}

pub fn tenant() -> impl Strategy<Value = Tenant> {
    "[a-z][a-z0-9-]{0,20}".prop_map(|name| name.parse().unwrap())
}

pub fn node() -> impl Strategy<Value = NodeId> {
    any::<[u8; 32]>().prop_map(|key| NodeId::from_public_key(&key))
}

pub fn via() -> BoxedStrategy<Via> {
    let some = || proptest::option::of(text());
    (text(), some(), some(), some())
        .prop_map(|(protocol, remote, agent, request)| Via {
            protocol,
            remote,
            agent,
            request,
        })
        .boxed()
}

fn checksum() -> impl Strategy<Value = Option<Checksum>> {
    let some = (text(), any::<bool>(), text()).prop_map(|(algorithm, composite, value)| Checksum {
        algorithm,
        composite,
        value,
    });
    proptest::option::of(some)
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    vec((any::<u32>(), any::<u64>(), checksum()), 0..3).prop_map(|all| {
        all.into_iter()
            .map(|(number, size, checksum)| Part {
                salt: None,
                number,
                size,
                checksum,
            })
            .collect()
    })
}

/// Anything that DAG-JSON can hold and give back.
pub fn ipld() -> BoxedStrategy<Ipld> {
    let leaf = prop_oneof![
        Just(Ipld::Null),
        any::<bool>().prop_map(Ipld::Bool),
        any::<i64>().prop_map(|n| Ipld::Integer(n.into())),
        any::<u64>().prop_map(|n| Ipld::Integer(n.into())),
        (-1e15f64..1e15).prop_map(Ipld::Float),
        any::<String>().prop_map(Ipld::String),
        vec(any::<u8>(), 0..20).prop_map(Ipld::Bytes),
        cid().prop_map(Ipld::Link),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Ipld::List),
            btree_map("[a-zA-Z]{0,5}|\u{e9}", inner, 0..4).prop_map(Ipld::Map),
        ]
    })
    .boxed()
}

fn bucket_body() -> BoxedStrategy<Body> {
    let state = prop_oneof![
        Just(Versioning::Off),
        Just(Versioning::Enabled),
        Just(Versioning::Suspended)
    ];
    prop_oneof![
        (text(), proptest::option::of(text()), via()).prop_map(|(bucket, owner, via)| BucketCreated {
            owner,
            bucket,
            via
        }
        .into()),
        (text(), via()).prop_map(|(bucket, via)| BucketDeleted { bucket, via }.into()),
        (text(), state, via()).prop_map(|(bucket, state, via)| BucketVersioned { bucket, state, via }.into()),
        (text(), text(), proptest::option::of(text()), via()).prop_map(|(bucket, name, document, via)| {
            BucketConfigured {
                bucket,
                name,
                document,
                via,
            }
            .into()
        }),
    ]
    .boxed()
}

fn acl() -> BoxedStrategy<Vec<Grant>> {
    let to = prop_oneof![
        "[0-9a-f]{64}".prop_map(Grantee::Canonical),
        Just(Grantee::Everyone),
        Just(Grantee::Authenticated),
        Just(Grantee::LogDelivery)
    ];
    let permission = prop_oneof![
        Just(Permission::FullControl),
        Just(Permission::Read),
        Just(Permission::Write),
        Just(Permission::ReadAcp),
        Just(Permission::WriteAcp)
    ];
    vec(
        (permission, to).prop_map(|(permission, to)| Grant { permission, to }),
        0..4,
    )
    .boxed()
}

fn retention() -> BoxedStrategy<Option<Retention>> {
    let mode = prop_oneof![Just(LockMode::Governance), Just(LockMode::Compliance)];
    let until = (0..4_000_000_000_000_000i64).prop_map(Timestamp::from_micros);
    proptest::option::of((mode, until).prop_map(|(mode, until)| Retention { mode, until })).boxed()
}

/// Access, retention and hold of a version.
fn guarded_body() -> BoxedStrategy<Body> {
    let version = || proptest::option::of(text());
    prop_oneof![
        (text(), text(), acl(), version(), via()).prop_map(|(bucket, key, acl, version, via)| {
            ObjectGranted {
                acl,
                bucket,
                key,
                version,
                via,
            }
            .into()
        }),
        (text(), text(), any::<bool>(), retention(), version(), via()).prop_map(
            |(bucket, key, bypass, retention, version, via)| ObjectRetained {
                bucket,
                bypass,
                key,
                retention,
                version,
                via
            }
            .into()
        ),
        (text(), text(), any::<bool>(), version(), via()).prop_map(|(bucket, key, hold, version, via)| {
            ObjectHeld {
                bucket,
                hold,
                key,
                version,
                via,
            }
            .into()
        }),
    ]
    .boxed()
}

fn put() -> BoxedStrategy<Body> {
    let names = (text(), text(), text(), cid(), any::<u64>());
    let maps = (map(), map(), map());
    let guard = (acl(), any::<bool>(), proptest::option::of(text()), retention());
    let rest = (
        checksum(),
        parts(),
        proptest::option::of(text()),
        proptest::option::of(text()),
        via(),
    );
    (names, maps, rest, guard)
        .prop_map(
            |(
                (bucket, key, etag, cid, size),
                (headers, metadata, tags),
                (checksum, parts, source, upload, via),
                (acl, hold, owner, retention),
            )| {
                let put = ObjectPut {
                    stripes: None,
                    encryption: None,
                    acl,
                    hold,
                    owner,
                    retention,
                    bucket,
                    checksum,
                    cid,
                    etag,
                    headers,
                    key,
                    metadata,
                    parts,
                    size,
                    source,
                    tags,
                    upload,
                    via,
                };
                put.into()
            },
        )
        .boxed()
}

fn object_body() -> BoxedStrategy<Body> {
    let version = || proptest::option::of(text());
    prop_oneof![
        put(),
        (text(), text(), any::<bool>(), version(), via()).prop_map(|(bucket, key, bypass, version, via)| {
            ObjectDeleted {
                bypass,
                bucket,
                key,
                version,
                via,
            }
            .into()
        }),
        (text(), text(), map(), version(), via()).prop_map(|(bucket, key, tags, version, via)| {
            ObjectTagged {
                bucket,
                key,
                tags,
                version,
                via,
            }
            .into()
        }),
    ]
    .boxed()
}

fn upload_body() -> BoxedStrategy<Body> {
    let some = || proptest::option::of(text());
    prop_oneof![
        ((text(), text()), some(), some(), (map(), map(), map()), via()).prop_map(
            |((bucket, key), checksum_algorithm, checksum_type, (headers, metadata, tags), via)| {
                UploadStarted {
                    encryption: None,
                    acl: Vec::new(),
                    hold: false,
                    owner: None,
                    retention: None,
                    bucket,
                    checksum_algorithm,
                    checksum_type,
                    headers,
                    key,
                    metadata,
                    tags,
                    via,
                }
                .into()
            }
        ),
        (
            (text(), text(), text(), text()),
            checksum(),
            cid(),
            any::<u32>(),
            any::<u64>(),
            via()
        )
            .prop_map(
                |((bucket, key, etag, upload), checksum, cid, number, size, via)| {
                    UploadPart {
                        stripes: None,
                        salt: None,
                        bucket,
                        checksum,
                        cid,
                        etag,
                        key,
                        number,
                        size,
                        upload,
                        via,
                    }
                    .into()
                }
            ),
        (text(), text(), text(), via()).prop_map(|(bucket, key, upload, via)| UploadAborted {
            bucket,
            key,
            upload,
            via
        }
        .into()),
    ]
    .boxed()
}

fn other_body() -> BoxedStrategy<Body> {
    let scope =
        (any::<bool>(), vec(text(), 0..3)).prop_map(|(read_only, buckets)| Scope { read_only, buckets });
    prop_oneof![
        ((text(), text(), text(), text()), scope, via()).prop_map(
            |((access_key, canonical_id, name, sealed_secret), scope, via)| {
                KeyCreated {
                    access_key,
                    canonical_id,
                    name,
                    scope,
                    sealed_secret,
                    via,
                }
                .into()
            }
        ),
        (text(), via()).prop_map(|(access_key, via)| KeyRevoked { access_key, via }.into()),
        (node(), text()).prop_map(|(node, release)| NodeStarted { node, release }.into()),
        (
            (cid(), cid()),
            any::<[u64; 3]>(),
            node(),
            text(),
            time(),
            tenant()
        )
            .prop_map(
                |((cid, head), [first, last, size], node, signature, signed_at, tenant)| {
                    LogSealed {
                        cid,
                        first,
                        head,
                        last,
                        node,
                        signature,
                        signed_at,
                        size,
                        tenant,
                    }
                    .into()
                }
            ),
        (ipld(), text(), any::<u32>()).prop_map(|(body, owner, version)| Ext { body, owner, version }.into()),
    ]
    .boxed()
}

fn config_body() -> BoxedStrategy<Body> {
    (text(), text(), any::<u64>(), via())
        .prop_map(|(document, message, revision, via)| {
            ConfigSet {
                document,
                message,
                revision,
                via,
            }
            .into()
        })
        .boxed()
}

fn lock_body() -> BoxedStrategy<Body> {
    let end = prop_oneof![
        Just(LockEnd::Released),
        Just(LockEnd::Expired),
        Just(LockEnd::Broken)
    ];
    prop_oneof![
        ((text(), text(), text(), text()), any::<u64>(), via()).prop_map(
            |((name, owner, user, request), ttl_s, via)| {
                LockAcquired {
                    name,
                    owner,
                    user,
                    request,
                    ttl_s,
                    via,
                }
                .into()
            }
        ),
        (text(), any::<u64>(), end, via()).prop_map(|(name, token, why, via)| LockReleased {
            name,
            token,
            why,
            via
        }
        .into()),
        (
            (text(), text()),
            cid(),
            proptest::option::of(cid()),
            proptest::option::of(text()),
            via()
        )
            .prop_map(|((bucket, key), cid, stripes, version, via)| {
                ObjectStriped {
                    bucket,
                    cid,
                    key,
                    stripes,
                    version,
                    via,
                }
                .into()
            }),
    ]
    .boxed()
}

fn public_body() -> BoxedStrategy<Body> {
    let place = || (text(), text());
    prop_oneof![
        (place(), text(), text(), via()).prop_map(|((bucket, prefix), ipns, sealed_seed, via)| {
            IpfsPublished {
                bucket,
                ipns,
                prefix,
                sealed_seed,
                via,
            }
            .into()
        }),
        (place(), via()).prop_map(|((bucket, prefix), via)| IpfsUnpublished { bucket, prefix, via }.into()),
        (place(), cid(), any::<[u64; 2]>()).prop_map(|((bucket, prefix), cid, [position, sequence])| {
            IpfsRooted {
                bucket,
                cid,
                position,
                prefix,
                sequence,
            }
            .into()
        }),
        (place(), cid(), any::<bool>(), via()).prop_map(|((bucket, key), cid, partial, via)| {
            IpfsPinned {
                bucket,
                cid,
                key,
                partial,
                via,
            }
            .into()
        }),
        (place(), cid(), via()).prop_map(|((bucket, key), cid, via)| {
            IpfsUnpinned {
                bucket,
                cid,
                key,
                via,
            }
            .into()
        }),
    ]
    .boxed()
}

pub fn body() -> BoxedStrategy<Body> {
    prop_oneof![4 => bucket_body(), 4 => object_body(), 2 => guarded_body(), 3 => upload_body(), 5 => other_body(), 3 => public_body(), 2 => lock_body(), 1 => config_body()].boxed()
}

pub fn event() -> BoxedStrategy<Event> {
    let who = (text().prop_map(Principal), time(), node(), text());
    let ids = (event_id(), event_id(), event_id());
    (who, body(), ids, proptest::option::of(cid()), any::<u64>())
        .prop_map(
            |((actor, at, node, stream), body, (cause, correlation, id), prev, seq)| Event {
                actor,
                at,
                body,
                cause,
                correlation,
                id,
                node,
                prev,
                seq,
                stream,
            },
        )
        .boxed()
}
