//! Completing a multipart upload: the parts' leaves become one new file, no byte of them is read.

use super::checksum::{Algorithm, read_sum};
use super::digest::{Sum, composite, joined, multipart_etag};
use super::{CompleteRequest, CompletedPart, GetRequest, ObjectError, Objects, PutDone};
use crate::{Caller, Limits};
use std::collections::HashMap;
use stead_block::stripe::{self, Scheme};
use stead_block::unixfs::{DagBuilder, Finished, Leaves};
use stead_block::{BlockWriter, LocalStore, Pin};
use stead_event::Cid;
use stead_event::body::{Checksum, ObjectPut, Part};
use stead_log::Precondition;
use stead_runtime::blocking;
use stead_view::{PartRecord, UploadRecord};

impl Objects {
    /// Joins the parts into the object. Completing once more an upload that made the key's current object
    /// succeeds again, for clients that lost the first answer.
    pub async fn complete_upload(&self, request: CompleteRequest) -> Result<PutDone, ObjectError> {
        request.caller.identity.check_write(&request.bucket)?;
        let upload = match self.upload_record(&request.bucket, &request.key, &request.upload) {
            Err(error @ ObjectError::NoSuchUpload { .. }) => {
                return self.completed_before(&request).ok_or(error);
            }
            upload => upload?,
        };
        let limits = self.context().limits;
        let known = self
            .context()
            .views
            .names()?
            .parts(&request.upload, 0, limits.parts as usize)?;
        let parts = choose(&request.parts, known, &limits)?;
        let size: u64 = parts.iter().map(|part| part.size).sum();
        check_size(&request, size, &limits)?;
        let checksum = object_checksum(&upload, &parts);
        check_checksum(&request, checksum.as_ref())?;
        let etag = multipart_etag(parts.iter().map(|part| part.etag.as_str()));
        let roots: Vec<(Cid, u64)> = parts.iter().map(|part| (part.cid, part.size)).collect();
        let lists: Vec<Cid> = parts.iter().filter_map(|part| part.stripes).collect();
        let (cid, stripes, pin) = join(&self.context().store, roots, lists).await?;
        let done = self
            .append_complete(request, upload, parts, (cid, stripes), size, etag, checksum)
            .await;
        drop(pin);
        done
    }

    #[allow(clippy::too_many_arguments)] // one value each of the event that it appends
    async fn append_complete(
        &self,
        request: CompleteRequest,
        upload: UploadRecord,
        parts: Vec<PartRecord>,
        (cid, stripes): (Cid, Option<Cid>),
        size: u64,
        etag: String,
        checksum: Option<Checksum>,
    ) -> Result<PutDone, ObjectError> {
        let CompleteRequest {
            bucket,
            key,
            upload: id,
            expect,
            caller,
            ..
        } = request;
        let Caller { identity, via } = caller;
        let require = vec![
            Precondition::UploadOpen {
                bucket: bucket.clone(),
                key: key.clone(),
                upload: id.clone(),
            },
            Precondition::UploadParts {
                upload: id.clone(),
                parts: parts
                    .iter()
                    .map(|part| (part.number, part.etag.clone()))
                    .collect(),
            },
        ];
        let parts = parts.into_iter().map(
            |PartRecord {
                 number,
                 size,
                 checksum,
                 salt,
                 ..
             }| Part {
                salt,
                number,
                size,
                checksum,
            },
        );
        let put = ObjectPut {
            encryption: upload.encryption,
            acl: upload.acl,
            hold: upload.hold,
            owner: upload.owner,
            retention: upload.retention,
            bucket,
            checksum,
            cid,
            stripes,
            etag,
            headers: upload.headers,
            key,
            metadata: upload.metadata,
            parts: parts.collect(),
            size,
            source: None,
            tags: upload.tags,
            upload: Some(id),
            via,
        };
        self.append_put(&identity, put, require, expect, Vec::new()).await
    }

    fn completed_before(&self, request: &CompleteRequest) -> Option<PutDone> {
        let record = self
            .head(&GetRequest {
                who: &request.caller.identity,
                bucket: &request.bucket,
                key: &request.key,
                version: None,
                at: None,
                range: None,
            })
            .ok()?;
        let etag = multipart_etag(request.parts.iter().map(|part| part.etag.as_str()));
        if record.upload.as_deref() != Some(&request.upload) || record.etag != etag {
            return None;
        }
        Some(PutDone {
            cid: record.cid?,
            etag,
            size: record.size,
            position: record.seq,
            event: record.event,
            at: record.at,
            version: self.version_of(&request.bucket, record.event).ok()?,
            checksum: record.checksum,
            encrypted: record.encryption.map(|encryption| encryption.holder),
        })
    }
}

/// The parts that the client lists, checked against those that arrived.
fn choose(
    listed: &[CompletedPart],
    known: Vec<PartRecord>,
    limits: &Limits,
) -> Result<Vec<PartRecord>, ObjectError> {
    if listed.is_empty() {
        return Err(ObjectError::NoParts);
    }
    if let Some(part) = listed
        .iter()
        .find(|part| !(1..=limits.parts).contains(&part.number))
    {
        return Err(ObjectError::PartNumber(part.number));
    }
    if listed.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(ObjectError::PartOrder);
    }
    let mut known: HashMap<u32, PartRecord> = known.into_iter().map(|part| (part.number, part)).collect();
    let mut parts = Vec::with_capacity(listed.len());
    for CompletedPart {
        number,
        etag,
        checksum,
    } in listed
    {
        let missing = ObjectError::NoSuchPart { number: *number };
        let Some(part) = known.remove(number) else {
            return Err(missing);
        };
        let same_checksum = match (checksum, &part.checksum) {
            (Some(said), Some(kept)) => *said == kept.value,
            _ => true,
        };
        if part.etag != *etag || !same_checksum {
            return Err(missing);
        }
        parts.push(part);
    }
    let but_last = &parts[..parts.len() - 1];
    match but_last.iter().find(|part| part.size < limits.part_bytes) {
        Some(part) => Err(ObjectError::PartTooSmall {
            number: part.number,
            size: part.size,
            min: limits.part_bytes,
        }),
        None => Ok(parts),
    }
}

fn check_size(request: &CompleteRequest, size: u64, limits: &Limits) -> Result<(), ObjectError> {
    if size > limits.object_bytes {
        return Err(ObjectError::TooLarge {
            what: "the object",
            size,
            max: limits.object_bytes,
        });
    }
    match request.size {
        Some(expected) if expected != size => Err(ObjectError::Length { expected, got: size }),
        _ => Ok(()),
    }
}

/// The object's checksum from its parts' checksums; `None` where the parts' do not allow one.
fn object_checksum(upload: &UploadRecord, parts: &[PartRecord]) -> Option<Checksum> {
    // Without an algorithm AWS keeps a CRC-64/NVME of the whole.
    let algorithm = match &upload.checksum_algorithm {
        Some(name) => name.parse().ok()?,
        None => Algorithm::Crc64Nvme,
    };
    let is_composite = upload.checksum_type.as_deref() == Some("COMPOSITE");
    let sums: Vec<Sum> = parts
        .iter()
        .map(|part| {
            let checksum = part
                .checksum
                .as_ref()
                .filter(|checksum| checksum.algorithm == algorithm.name())?;
            read_sum(algorithm, &checksum.value)
        })
        .collect::<Option<_>>()?;
    let value = if is_composite {
        format!(
            "{}-{}",
            composite(algorithm, sums.into_iter()).text(),
            parts.len()
        )
    } else {
        joined(
            algorithm,
            sums.into_iter().zip(parts.iter().map(|part| part.size)),
        )?
        .text()
    };
    Some(Checksum {
        algorithm: algorithm.name().into(),
        composite: is_composite,
        value,
    })
}

fn check_checksum(request: &CompleteRequest, computed: Option<&Checksum>) -> Result<(), ObjectError> {
    let (Some((algorithm, expected)), Some(computed)) = (&request.checksum, computed) else {
        return Ok(());
    };
    let bare = |text: &str| text.split('-').next().unwrap_or_default().to_owned();
    if computed.algorithm == algorithm.name() && bare(&computed.value) == bare(expected) {
        return Ok(());
    }
    Err(ObjectError::Checksum {
        algorithm: *algorithm,
        expected: expected.chars().take(100).collect(),
        got: computed.value.clone(),
    })
}

/// One file of several: their leaves in order under new inner nodes, and one list of their lists of stripes. These are
/// durable when this returns.
async fn join(
    store: &LocalStore,
    roots: Vec<(Cid, u64)>,
    lists: Vec<Cid>,
) -> Result<(Cid, Option<Cid>, Pin), ObjectError> {
    let (writer, reading) = (store.writer(), store.clone());
    let (root, stripes, writer) = blocking(move || {
        let (root, mut writer) = join_blocking(&reading, writer, roots)?;
        let stripes = join_stripes(&reading, &mut writer, lists)?;
        Ok::<_, ObjectError>((root, stripes, writer))
    })
    .await?;
    Ok((root, stripes, writer.finish().await?.pin))
}

/// One list of several. Those of another scheme than the first are left out: their blocks are put into stripes anew,
/// in the background.
#[allow(clippy::result_large_err)] // the closure's error is the block store's own
fn join_stripes(
    store: &LocalStore,
    writer: &mut BlockWriter,
    lists: Vec<Cid>,
) -> Result<Option<Cid>, ObjectError> {
    let mut joined: Option<(Scheme, Vec<Cid>)> = None;
    for cid in lists {
        let Some((scheme, _)) = stripe::read_list(&cid, &store.read(&cid)?) else {
            continue;
        };
        let (first, of) = joined.get_or_insert_with(|| (scheme, Vec::new()));
        if *first == scheme {
            of.push(cid);
        }
    }
    let Some((scheme, of)) = joined else {
        return Ok(None);
    };
    let blocks = stripe::list(scheme, of)?;
    for block in &blocks {
        writer.write_blocking(block)?;
    }
    Ok(blocks.last().map(|root| root.cid))
}

#[allow(clippy::result_large_err)] // the closure's error is the block store's own
fn join_blocking(
    store: &LocalStore,
    mut writer: BlockWriter,
    roots: Vec<(Cid, u64)>,
) -> Result<(Cid, BlockWriter), ObjectError> {
    let mut dag = DagBuilder::new();
    for (root, size) in roots {
        for leaf in Leaves::new(|cid: &Cid| store.read(cid), root, size, None) {
            let leaf = leaf?;
            // An empty part (only the last may be) adds nothing.
            let full = if leaf.size > 0 {
                dag.push(leaf.cid, leaf.size)
            } else {
                Vec::new()
            };
            for node in full {
                writer.write_blocking(&node)?;
            }
        }
    }
    let Finished { root, blocks, .. } = dag.finish();
    for block in blocks {
        writer.write_blocking(&block)?;
    }
    Ok((root, writer))
}
