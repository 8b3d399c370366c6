//! Deleting and tagging.

use super::{DeleteDone, DeleteRequest, DeleteTarget, ObjectError, Objects, TagRequest, put, rules};
use crate::{Caller, Identity};
use stead_event::body::{ObjectDeleted, ObjectTagged, Versioning};
use stead_event::{EventId, Via};
use stead_log::{Draft, Expect, Precondition};
use stead_view::{Names, ObjectRecord};

/// A delete whose condition was met in the view may be overtaken before it is appended; then it is looked
/// at again, at most so often.
const ATTEMPTS: usize = 4;

/// One delete, decided.
struct Plan {
    done: DeleteDone,
    event: Option<Draft>,
    require: Option<Precondition>,
}

impl Objects {
    /// Deletes the current state or one version. Deleting what is not there succeeds, as in S3.
    pub async fn delete(&self, request: DeleteRequest) -> Result<DeleteDone, ObjectError> {
        let DeleteRequest {
            bucket,
            target,
            caller,
        } = request;
        match self.delete_many(&bucket, vec![target], caller).await?.pop() {
            Some(done) => done,
            None => Err(ObjectError::Internal("a delete had no outcome".into())),
        }
    }

    /// Deletes many in one append; each has its own outcome, in order.
    pub async fn delete_many(
        &self,
        bucket: &str,
        targets: Vec<DeleteTarget>,
        caller: Caller,
    ) -> Result<Vec<Result<DeleteDone, ObjectError>>, ObjectError> {
        caller.identity.check_write(bucket)?;
        let max = self.context().limits.delete_many;
        if targets.len() > max {
            let (size, max) = (targets.len() as u64, max as u64);
            return Err(ObjectError::TooLarge {
                what: "the number of keys",
                size,
                max,
            });
        }
        for attempt in 1.. {
            match self.try_delete_many(bucket, &targets, &caller).await {
                Err(ObjectError::Precondition(_) | ObjectError::Locked { .. }) if attempt < ATTEMPTS => {}
                done => return done,
            }
        }
        Err(ObjectError::Busy)
    }

    async fn try_delete_many(
        &self,
        bucket: &str,
        targets: &[DeleteTarget],
        caller: &Caller,
    ) -> Result<Vec<Result<DeleteDone, ObjectError>>, ObjectError> {
        let mut require = vec![Precondition::BucketExists(bucket.to_owned())];
        let mut events = Vec::with_capacity(targets.len());
        let mut outcomes = Vec::with_capacity(targets.len());
        {
            let names = self.context().views.names()?;
            let Some(record) = names.bucket(bucket)? else {
                return Err(ObjectError::NoSuchBucket(bucket.to_owned()));
            };
            for target in targets {
                let plan = self.plan_delete(&names, record.versioning, bucket, target, caller);
                outcomes.push(plan.map(|plan| {
                    let at = plan.event.as_ref().map(|_| events.len() as u64);
                    events.extend(plan.event);
                    require.extend(plan.require);
                    (plan.done, at)
                }));
            }
        }
        let first = if events.is_empty() {
            0
        } else {
            self.append(require, events, Vec::new()).await?.first
        };
        let placed = |(done, at): (DeleteDone, Option<u64>)| DeleteDone {
            position: at.map(|at| first + at),
            ..done
        };
        Ok(outcomes.into_iter().map(|outcome| outcome.map(placed)).collect())
    }

    fn plan_delete(
        &self,
        names: &Names,
        versioning: Versioning,
        bucket: &str,
        target: &DeleteTarget,
        caller: &Caller,
    ) -> Result<Plan, ObjectError> {
        let DeleteTarget {
            key,
            version,
            expect,
            bypass,
        } = target;
        rules::key(key)?;
        let current = match version {
            Some(version) => names.version(bucket, key, version)?,
            None => names.object(bucket, key)?,
        };
        if let Some(expect) = expect {
            check_expect(bucket, key, expect, current.as_ref())?;
        }
        let nothing = || DeleteDone {
            key: key.clone(),
            version: version.clone(),
            marker: false,
            position: None,
        };
        let makes_marker = version.is_none() && versioning != Versioning::Off;
        if current.is_none() && !makes_marker {
            return Ok(Plan {
                done: nothing(),
                event: None,
                require: None,
            });
        }
        if version.is_none() && !makes_marker && current.as_ref().is_some_and(|record| record.marker) {
            return Ok(Plan {
                done: nothing(),
                event: None,
                require: None,
            });
        }
        let draft = self.deletion(&caller.identity, caller.via.clone(), bucket, target);
        // Looked at here so that the other keys of the same request are deleted all the same.
        let locked = |record: &ObjectRecord| record.is_locked(draft.at, *bypass);
        if !makes_marker && current.as_ref().is_some_and(locked) {
            return Err(ObjectError::Locked {
                bucket: bucket.to_owned(),
                key: key.clone(),
            });
        }
        let done = match version {
            Some(_) => DeleteDone {
                marker: current.is_some_and(|record| record.marker),
                ..nothing()
            },
            None => DeleteDone {
                version: makes_marker.then(|| marker_version(versioning, draft.id)),
                marker: makes_marker,
                ..nothing()
            },
        };
        let condition = |expect: &Expect| Precondition::Object {
            bucket: bucket.to_owned(),
            key: key.clone(),
            expect: expect.clone(),
        };
        // The condition on a version cannot change: versions do not.
        let require = expect.as_ref().filter(|_| version.is_none()).map(condition);
        Ok(Plan {
            done,
            event: Some(draft),
            require,
        })
    }

    fn deletion(&self, who: &Identity, via: Via, bucket: &str, target: &DeleteTarget) -> Draft {
        let DeleteTarget {
            key, version, bypass, ..
        } = target.clone();
        self.draft(
            who,
            ObjectDeleted {
                bypass,
                bucket: bucket.to_owned(),
                key,
                version,
                via,
            },
        )
    }

    /// Replaces the tags of the current state or one version. Answers the version id.
    pub async fn tag(&self, request: TagRequest) -> Result<Option<String>, ObjectError> {
        let TagRequest {
            bucket,
            key,
            version,
            tags,
            caller,
        } = request;
        let Caller { identity, via } = caller;
        identity.check_write(&bucket)?;
        put::check_tags(&self.context().limits, &tags)?;
        let record = self.head(&super::GetRequest {
            who: &identity,
            bucket: &bucket,
            key: &key,
            version: version.as_deref(),
            at: None,
            range: None,
        })?;
        let exists = match &version {
            Some(version) => Precondition::VersionExists {
                bucket: bucket.clone(),
                key: key.clone(),
                version: version.clone(),
            },
            None => Precondition::Object {
                bucket: bucket.clone(),
                key: key.clone(),
                expect: Expect::Event(record.event),
            },
        };
        let require = vec![Precondition::BucketExists(bucket.clone()), exists];
        let answer = version.clone().or(record.version);
        self.append_one(
            &identity,
            require,
            ObjectTagged {
                bucket,
                key,
                tags,
                version,
                via,
            },
        )
        .await?;
        Ok(answer)
    }
}

fn marker_version(versioning: Versioning, event: EventId) -> String {
    if versioning == Versioning::Enabled {
        event.to_string()
    } else {
        "null".into()
    }
}

fn check_expect(
    bucket: &str,
    key: &str,
    expect: &Expect,
    current: Option<&ObjectRecord>,
) -> Result<(), ObjectError> {
    let current = current.filter(|record| !record.marker);
    let met = match (expect, current) {
        (Expect::Absent, current) => current.is_none(),
        (_, None) => {
            return Err(ObjectError::NoSuchKey {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            });
        }
        (Expect::Present, Some(_)) => true,
        (Expect::ETag(etag), Some(record)) => record.etag == *etag,
        (Expect::Event(event), Some(record)) => record.event == *event,
    };
    if met {
        Ok(())
    } else {
        Err(ObjectError::Precondition(format!(
            "{bucket}/{key} is not what the client expects"
        )))
    }
}
