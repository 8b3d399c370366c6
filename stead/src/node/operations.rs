//! The node's own work behind the API: status, verification, checkpoints, scrub, collection, rebuild.

use super::settings;
use super::{console, disks, doctor, drill, heal, members, overview, root};
use crate::codes;
use crate::config::Live;
use crate::directory::Directory;
use crate::settings::Settings;
use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use http::StatusCode;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stead_block::{BlockError, CollectOptions, ScrubOptions};
use stead_client::wire;
use stead_cluster::RaftLog;
use stead_event::{ChainHead, Position, Tenant, Timestamp};
use stead_gateway::{Caller, Identity, ReadContext, WriteContext};
use stead_gateway_api::{ApiError, Operations, Progress};
use stead_gateway_s3::notify::Webhooks;
use stead_gateway_web::SignIn;
use stead_log::{Checkpoint, CheckpointError};
use stead_runtime::{TaskKind, blocking, free_bytes};
use stead_view::published::Index;

/// What only a running node has.
pub struct Running {
    /// Consensus.
    pub raft: Arc<RaftLog>,
    /// URLs by gateway.
    pub endpoints: BTreeMap<String, String>,
    /// Writes.
    pub write: WriteContext,
    /// Who may come into the console.
    pub doors: SignIn,
    /// Signs.
    pub key: SigningKey,
    /// Whom buckets notify.
    pub webhooks: Webhooks,
}

/// The work, over a running node or a directory that is only read.
pub struct NodeOperations {
    pub(super) data: PathBuf,
    pub(super) read: ReadContext,
    /// The settings that it was started with.
    pub(super) settings: Settings,
    /// The settings as they are now.
    pub(super) live: Arc<Live>,
    pub(super) running: Option<Running>,
    held: Option<(Directory, SigningKey)>,
    began: Instant,
    pub(super) started: Timestamp,
    /// The root access key, where there is one.
    root_key: Option<String>,
    /// What the last scrub and the last collection found.
    pub(super) found: Mutex<wire::Upkeep>,
    /// What meters and UPSes said last.
    pub(super) power: Mutex<Option<wire::Power>>,
}

impl NodeOperations {
    pub(super) fn new(
        data: &Path,
        read: ReadContext,
        (settings, live): (Settings, Arc<Live>),
        running: Option<Running>,
    ) -> Self {
        let (began, started) = (read.clock.instant(), read.now());
        Self {
            data: data.to_owned(),
            read,
            settings,
            live,
            running,
            held: None,
            began,
            started,
            root_key: None,
            found: Mutex::default(),
            power: Mutex::default(),
        }
    }

    /// Keeps the directory locked as long as this lives.
    pub(super) fn holding(mut self, directory: Directory, key: SigningKey) -> Self {
        self.held = Some((directory, key));
        self
    }

    /// Lets the owner at the socket use the root access key.
    pub(super) fn rooted(mut self, access_key: &str) -> Self {
        self.root_key = Some(access_key.to_owned());
        self
    }

    pub(super) fn uptime(&self) -> Duration {
        self.read.clock.instant().saturating_duration_since(self.began)
    }

    fn log_dir(&self) -> PathBuf {
        self.data.join("log")
    }

    fn key(&self) -> Option<&SigningKey> {
        self.running
            .as_ref()
            .map(|running| &running.key)
            .or(self.held.as_ref().map(|(_, key)| key))
    }

    /// What needs a running node, where there is none.
    fn needs_node(&self) -> ApiError {
        let message = format!("no node runs on {}", self.data.display());
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::NOT_RUNNING, message)
            .next(format!("start it with `stead up --data {}`", self.data.display()))
    }

    /// Keeps that this node has others beside it, and the port where they reach it.
    fn remember_mesh(&self, running: &Running) -> Result<(), ApiError> {
        let Some(port) = running.raft.mesh_port() else {
            return Ok(());
        };
        members::founded(&self.data, port)
            .map_err(|failure| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, codes::FILE, failure.message))
    }

    /// What a running node has, for what cannot be done without one.
    fn running(&self) -> Result<&Running, ApiError> {
        self.running.as_ref().ok_or_else(|| self.needs_node())
    }

    pub(super) fn raft_status(&self) -> Option<wire::RaftStatus> {
        let status = self.running.as_ref()?.raft.status();
        Some(wire::RaftStatus {
            term: status.term,
            leader: status.leader,
            voters: status.voters,
            last_log: status.last_log,
            applied: status.applied,
            durable: status.durable,
            purged: status.purged,
            wal_bytes: status.wal_bytes,
        })
    }

    fn task_list(&self) -> Vec<wire::TaskStatus> {
        let mut counts = BTreeMap::<(String, String), u64>::new();
        for task in self.read.tasks.list() {
            let kind = match task.kind {
                TaskKind::Connection => "connection",
                TaskKind::Listener => "listener",
                TaskKind::Core => "core",
                TaskKind::Background => "background",
            };
            *counts.entry((kind.to_owned(), task.name)).or_default() += 1;
        }
        counts
            .into_iter()
            .map(|((kind, name), count)| wire::TaskStatus { kind, name, count })
            .collect()
    }

    /// Checks one tenant's chain; damage is part of the answer, not an error.
    pub(super) async fn verify_log(
        &self,
        tenant: Tenant,
        progress: Progress,
    ) -> Result<wire::VerifiedLog, ApiError> {
        let (dir, whose) = (self.log_dir(), tenant.clone());
        // Not the end of the files themselves: a log that was cut off would be compared with what is left.
        let expected = self.read.views.expected(&tenant);
        let total = expected.seq;
        let verified = blocking(move || {
            let mut told = 0;
            stead_log::verify_with(&dir, &whose, Some(expected), &mut |at| {
                if at >= told + 4096 {
                    told = at;
                    progress(wire::Progress { done: at, total });
                }
            })
        })
        .await;
        let mut log = wire::VerifiedLog {
            tenant: tenant.to_string(),
            position: expected.seq,
            head: expected.cid.map(|cid| cid.to_string()),
            segments: 0,
            damage: None,
        };
        match verified {
            Ok(verified) => log.segments = verified.segments,
            Err(error) => log.damage = Some(error.to_string()),
        }
        Ok(log)
    }

    /// Whether the log still has the line that a checkpoint signed, and a whole chain below it: that the
    /// line is there says nothing of those before it unless each names the next.
    async fn check(&self, text: String, progress: Progress) -> Result<wire::CheckpointVerdict, ApiError> {
        let checkpoint = Checkpoint::from_line(&text).map_err(|e| {
            ApiError::invalid(format!("the file does not hold a checkpoint: {e}"))
                .next("give a file that `stead log checkpoint` wrote, unchanged")
        })?;
        let (tail, of) = (self.read.tail.clone(), checkpoint.clone());
        let held = blocking(move || of.against(&tail)).await;
        let why = match held {
            Ok(()) => None,
            Err(CheckpointError::Log(error)) => Some(format!("the log cannot be read there: {error}")),
            Err(error) => Some(error.to_string()),
        };
        let why = match why {
            Some(why) => Some(why),
            None => self.below(&checkpoint, progress).await,
        };
        Ok(wire::CheckpointVerdict {
            ok: why.is_none(),
            position: checkpoint.position,
            own: checkpoint.node == self.read.node,
            node: checkpoint.node.to_string(),
            why,
        })
    }

    /// What is wrong with the chain up to a checkpoint whose own line is there; `None` where nothing is.
    async fn below(&self, checkpoint: &Checkpoint, progress: Progress) -> Option<String> {
        let (dir, of) = (self.log_dir(), checkpoint.clone());
        let total = of.position;
        let verified = blocking(move || {
            let expected = ChainHead {
                seq: of.position,
                cid: Some(of.head),
            };
            let mut tell = |done: Position| {
                if done.is_multiple_of(4096) {
                    progress(wire::Progress { done, total });
                }
            };
            stead_log::verify_with(&dir, &of.tenant, Some(expected), &mut tell)
        })
        .await;
        let broken = verified.err()?;
        Some(format!(
            "its own line is as it was signed, but the chain below it is broken: {broken}"
        ))
    }

    /// Appends the event that forgets states superseded before `before`, if it could forget any. Answers
    /// whether it did.
    async fn prune(&self, write: &WriteContext, before: Timestamp) -> Result<bool, ApiError> {
        let names = self.read.views.names()?;
        let done = names.pruned_before()?.is_some_and(|done| before <= done);
        if done || names.position_at(before)? == 0 {
            return Ok(false);
        }
        drop(names);
        let body = stead_view::names::prune_body(before);
        root::append(write, Tenant::main(), Vec::new(), body)
            .await
            .map_err(|e| ApiError::from(stead_gateway::ObjectError::from(e)))?;
        Ok(true)
    }
}

#[async_trait]
impl Operations for NodeOperations {
    async fn status(&self) -> Result<wire::Status, ApiError> {
        let names = self.read.views.names()?;
        let buckets = names.buckets()?;
        let mut counts = (0, 0);
        for (bucket, _) in &buckets {
            let of = names.counts(bucket)?;
            counts = (counts.0 + of.objects, counts.1 + of.bytes);
        }
        let logs = self.read.tail.tenants().into_iter().map(|tenant| {
            let head = self.read.tail.head(&tenant);
            wire::LogStatus {
                tenant: tenant.to_string(),
                position: head.seq,
                head: head.cid.map(|cid| cid.to_string()),
            }
        });
        let stat = self.read.store.stat();
        let up = self.uptime().as_secs();
        Ok(wire::Status {
            running: self.running.is_some(),
            node: self.read.node.to_string(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_secs: self.running.as_ref().map(|_| up),
            endpoints: self
                .running
                .as_ref()
                .map(|running| running.endpoints.clone())
                .unwrap_or_default(),
            data: self.data.display().to_string(),
            free_bytes: free_bytes(&self.data).unwrap_or_default(),
            logs: logs.collect(),
            buckets: buckets.len() as u64,
            objects: counts.0,
            object_bytes: counts.1,
            blocks: wire::BlockStatus {
                blocks: stat.blocks,
                bytes: stat.bytes,
                disk_bytes: stat.disk_bytes,
                packs: stat.packs,
            },
            disks: disks::list(&self.read.store),
            raft: self.raft_status(),
            tasks: if self.running.is_some() {
                self.task_list()
            } else {
                Vec::new()
            },
            power: self.power(),
            cluster: match &self.running {
                Some(running) => members::cluster(&running.raft, &self.read.node).await,
                None => wire::Cluster::default(),
            },
        })
    }

    async fn checkpoint(&self, tenant: &Tenant) -> Result<String, ApiError> {
        let key = self.key().ok_or_else(|| self.needs_node())?;
        let head = self.read.tail.head(tenant);
        Checkpoint::sign(key, tenant, head, self.read.now())
            .map(|checkpoint| checkpoint.to_line())
            .ok_or_else(|| {
                ApiError::invalid(format!("the log of {tenant} is empty: there is nothing to sign")).next(
                    "make a bucket or store something first; `stead log --tenant system` is never empty",
                )
            })
    }

    async fn verify(
        &self,
        tenant: Option<Tenant>,
        against: Option<String>,
        progress: Progress,
    ) -> Result<wire::Verified, ApiError> {
        let tenants = tenant.map_or_else(|| self.read.views.tenants(), |tenant| vec![tenant]);
        let mut logs = Vec::new();
        for tenant in tenants {
            logs.push(self.verify_log(tenant, progress.clone()).await?);
        }
        let checkpoint = match against {
            Some(text) => Some(self.check(text, progress).await?),
            None => None,
        };
        let ok = logs.iter().all(|log| log.damage.is_none())
            && checkpoint.as_ref().is_none_or(|verdict| verdict.ok);
        Ok(wire::Verified { ok, logs, checkpoint })
    }

    async fn scrub(
        &self,
        bytes_per_second: Option<u64>,
        progress: Progress,
    ) -> Result<wire::Scrubbed, ApiError> {
        let options = ScrubOptions {
            bytes_per_second,
            shutdown: Some(self.read.tasks.shutdown_signal()),
        };
        let report = self
            .read
            .store
            .scrub(options, move |at| {
                progress(wire::Progress {
                    done: at.bytes,
                    total: at.total_bytes,
                })
            })
            .await
            .map_err(stead_gateway::ObjectError::from)?;
        let damaged = report.damaged.into_iter().map(|damage| wire::DamagedBlock {
            cid: damage.cid.map(|cid| cid.to_string()),
            pack: damage.pack,
            offset: damage.offset,
            why: damage.why.to_owned(),
        });
        let healed = match (&self.running, report.complete) {
            (Some(_), true) => {
                let (data, read) = (self.data.clone(), self.read.clone());
                let healed = blocking(move || heal::heal(&data, &read)).await;
                healed.map_err(|error| stead_gateway::ObjectError::Internal(error.to_string()))?
            }
            _ => heal::Healed::default(),
        };
        let name = |path: &PathBuf| path.display().to_string();
        let lost = healed.lost.iter().map(|(path, why)| wire::LostSegment {
            file: name(path),
            why: why.clone(),
        });
        let result = wire::Scrubbed {
            blocks: report.blocks,
            bytes: report.bytes,
            damaged: damaged.collect(),
            complete: report.complete,
            segments: healed.segments,
            restored: healed.restored.iter().map(name).collect(),
            lost: lost.collect(),
        };
        overview::scrubbed(self, &result);
        Ok(result)
    }

    async fn collect(
        &self,
        options: wire::Collect,
        _progress: Progress,
    ) -> Result<wire::Collected, ApiError> {
        let running = self.running()?;
        let settings = self.live.now();
        let retention = options
            .retention_secs
            .map_or(settings.gc.retention(), Duration::from_secs);
        let grace = options
            .grace_secs
            .map_or(settings.gc.grace(), Duration::from_secs);
        let before = self
            .read
            .now()
            .plus_secs(-i64::try_from(retention.as_secs()).unwrap_or(i64::MAX));
        let pruned = !options.dry_run && self.prune(&running.write, before).await?;
        let (views, store) = (self.read.views.clone(), self.read.store.clone());
        let (index, now) = (self.read.published().cloned(), self.read.clock.now_micros());
        let partial = self.read.views.published()?.pins()?.into_iter();
        let partial: Vec<_> = partial.filter(|pin| pin.partial).map(|pin| pin.cid).collect();
        let of = store.clone();
        let absent = blocking(move || stead_gateway::ipfs::absent(&of, &partial)).await;
        let how = CollectOptions {
            grace,
            absent,
            dry_run: options.dry_run,
            ..CollectOptions::default()
        };
        let keep = move || old_roots(index, now).chain(roots(&views, before));
        let report = blocking(move || store.collect(keep, how))
            .await
            .map_err(stead_gateway::ObjectError::from)?;
        let result = wire::Collected {
            dry_run: options.dry_run,
            pruned,
            reachable: report.reachable,
            protected: report.protected,
            deleted: report.deleted,
            deleted_bytes: report.deleted_bytes,
            packs_removed: report.packs_removed,
            freed_bytes: report.freed_bytes,
            unreadable: report.unreadable,
        };
        overview::collected(self, &result);
        Ok(result)
    }

    async fn empty_disk(&self, path: &str, progress: Progress) -> Result<wire::EmptiedDisk, ApiError> {
        self.running()?;
        disks::empty(&self.read.store, path, progress).await
    }

    async fn rebuild(&self, progress: Progress) -> Result<wire::Rebuilt, ApiError> {
        let told = move |done, total| progress(wire::Progress { done, total });
        let report = match &self.running {
            Some(_) => self.read.views.rebuild(told).await?,
            None => {
                let (data, mut told) = (self.data.clone(), told);
                blocking(move || stead_view::views::rebuild_offline(&data, &mut told)).await?
            }
        };
        Ok(wire::Rebuilt {
            equal: report.equal,
            events: report.events,
            tables: report.tables,
            different: report.different,
        })
    }

    async fn cluster(&self) -> Result<wire::Cluster, ApiError> {
        let running = self.running()?;
        Ok(members::cluster(&running.raft, &self.read.node).await)
    }

    async fn ticket(&self) -> Result<String, ApiError> {
        let running = self.running()?;
        let ticket = running.raft.ticket().await.map_err(members::api_error)?;
        self.remember_mesh(running)?;
        Ok(ticket.to_string())
    }

    async fn approve(&self, code: &str) -> Result<String, ApiError> {
        let running = self.running()?;
        let node = running.raft.approve(code).await.map_err(members::api_error)?;
        self.remember_mesh(running)?;
        Ok(node.to_string())
    }

    async fn stop_cluster(&self) -> Result<Vec<String>, ApiError> {
        let running = self.running()?;
        let deaf = running.raft.stop_all().await;
        Ok(deaf.iter().map(ToString::to_string).collect())
    }

    async fn begin_drill(&self, wanted: &wire::BeginDrill) -> Result<wire::Drill, ApiError> {
        drill::begin(&self.running()?.raft, &self.read.node, wanted).await
    }

    async fn end_drill(&self) -> Result<Vec<String>, ApiError> {
        let deaf = self.running()?.raft.end_drill().await;
        Ok(deaf.iter().map(ToString::to_string).collect())
    }

    async fn drain_node(&self, node: &str, drain: bool) -> Result<(), ApiError> {
        let running = self.running()?;
        let nodes = running.raft.nodes().await;
        let found = members::find(&nodes, node).map_err(members::api_error)?;
        let drained = running.raft.drain(&found.node, drain).await;
        drained.map_err(members::api_error)
    }

    async fn remove_node(&self, node: &str) -> Result<(), ApiError> {
        let running = self.running()?;
        let nodes = running.raft.nodes().await;
        let found = members::find(&nodes, node).map_err(members::api_error)?;
        running.raft.remove(&found.node).await.map_err(members::api_error)
    }

    async fn doctor(&self) -> Result<wire::Doctor, ApiError> {
        Ok(wire::Doctor {
            checks: doctor::examine(self).await,
        })
    }

    fn console_link(&self, who: &Identity) -> Result<wire::ConsoleLink, ApiError> {
        let running = self.running()?;
        console::link(&running.doors, running.endpoints.get("web"), who)
    }

    async fn config(&self) -> Result<wire::Config, ApiError> {
        let now = self.read.views.config()?.now()?;
        let now = now.map(|record| (record.revision, record.document));
        let (revision, document) = now.unwrap_or_default();
        Ok(self.live.show(revision, document))
    }

    async fn set_config(
        &self,
        wanted: wire::SetConfig,
        caller: Caller,
    ) -> Result<wire::ConfigChanged, ApiError> {
        settings::set(&self.running()?.write, wanted, caller).await
    }

    fn facts(&self) -> wire::NodeFacts {
        overview::facts(self)
    }

    async fn warnings(&self) -> Vec<wire::Warning> {
        overview::warnings(self)
    }

    async fn upkeep(&self) -> wire::Upkeep {
        overview::upkeep(self)
    }

    fn power(&self) -> Option<wire::Power> {
        self.power.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn root_key(&self) -> Option<String> {
        self.root_key.clone()
    }

    fn place(&self, tenant: &Tenant, position: Position) -> Option<wire::Place> {
        let dir = self.log_dir().join(tenant.as_str());
        let mut best: Option<(u64, PathBuf)> = None;
        for entry in std::fs::read_dir(dir).ok()?.flatten() {
            let name = entry.file_name();
            let name = name.to_str()?;
            let first = name
                .strip_suffix(".jsonl")
                .or_else(|| name.strip_suffix(".jsonl.zst"));
            let Some(first) = first.and_then(|first| first.parse::<u64>().ok()) else {
                continue;
            };
            if first <= position && best.as_ref().is_none_or(|(known, _)| first > *known) {
                best = Some((first, entry.path()));
            }
        }
        let (first, path) = best?;
        Some(wire::Place {
            file: path.display().to_string(),
            line: position - first + 1,
        })
    }
}

/// What must be kept, for the collector.
fn roots(
    views: &stead_view::Views,
    since: Timestamp,
) -> Box<dyn Iterator<Item = Result<stead_event::Cid, BlockError>>> {
    let unreadable = |error: stead_view::ViewError| {
        BlockError::io(
            "read what must be kept from the views",
            std::io::Error::other(error.to_string()),
        )
    };
    match views.names().and_then(|names| names.reachable(Some(since))) {
        Ok(reachable) => Box::new(reachable.map(move |cid| cid.map_err(unreadable))),
        // The collector deletes nothing where a root cannot be read.
        Err(error) => Box::new(std::iter::once(Err(unreadable(error)))),
    }
}

/// Public directories that are still answered, though there are newer ones.
fn old_roots(index: Option<Index>, now: i64) -> impl Iterator<Item = Result<stead_event::Cid, BlockError>> {
    let unreadable = |error: stead_view::ViewError| {
        BlockError::io("read old public roots", std::io::Error::other(error.to_string()))
    };
    let (roots, error) = match index.map(|index| index.old_roots(now)) {
        Some(Ok(roots)) => (roots, None),
        Some(Err(error)) => (Vec::new(), Some(Err(unreadable(error)))),
        None => (Vec::new(), None),
    };
    roots.into_iter().map(Ok).chain(error)
}
