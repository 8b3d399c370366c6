//! The table of endpoints: what the router has is what the OpenAPI document says.

use crate::buckets::Paging;
use crate::gateway::{Shared, not_found, wrong_method};
use crate::objects::Which;
use crate::openapi::{Endpoint, delete, get, post, put};
use crate::{
    buckets, cluster, config, console, explain, guides, ipfs, keys, listing, locks, log, meta, objects,
    openapi, overview, presign, proof, provenance, restore, time, tokens, upkeep, uploads, wire, zip,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use http::Method;
use std::sync::Arc;

/// Every endpoint. Handlers of one subject are together.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        node(),
        nodes(),
        data(),
        uploading(),
        the_log(),
        access(),
        locking(),
        public(),
        settings(),
        work(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn node() -> Vec<Endpoint> {
    vec![
        get("/healthz", "node", "Whether the node answers", upkeep::healthz)
            .text()
            .open(),
        get(
            "/metrics",
            "node",
            "Metrics in OpenMetrics' text form",
            upkeep::metrics,
        )
        .text()
        .open(),
        get("/api/v1/openapi.json", "node", "This document", openapi::document)
            .open()
            .any(),
        get(
            "/api/v1/explain/{code}",
            "node",
            "The page of an error code",
            explain::explain,
        )
        .open()
        .json::<wire::Explanation>(),
        get("/api/v1/guides", "node", "The guides there are", guides::list).json::<Vec<wire::GuideSummary>>(),
        get(
            "/api/v1/guides/{guide}",
            "node",
            "A guide; that of outages with what is so now",
            guides::one,
        )
        .json::<wire::Guide>(),
        get("/api/v1/status", "node", "How the node is", upkeep::status).json::<wire::Status>(),
        get(
            "/api/v1/overview",
            "node",
            "What a person wants to see first",
            overview::overview,
        )
        .json::<wire::Overview>(),
        get(
            "/api/v1/series",
            "node",
            "Figures over time, from memory, a day back",
            overview::series,
        )
        .query::<overview::Asked>()
        .json::<wire::SeriesSet>(),
    ]
}

fn nodes() -> Vec<Endpoint> {
    vec![
        get(
            "/api/v1/cluster",
            "cluster",
            "The nodes, who votes and leads, what may be lost, who waits to be let in",
            cluster::show,
        )
        .json::<wire::Cluster>(),
        post(
            "/api/v1/cluster/ticket",
            "cluster",
            "Makes a ticket for a node that is to join",
            cluster::ticket,
        )
        .created::<wire::Ticket>(),
        post(
            "/api/v1/cluster/approve",
            "cluster",
            "Lets the node in that shows a code",
            cluster::approve,
        )
        .takes::<wire::Approve>()
        .json::<wire::NodeName>(),
        post(
            "/api/v1/cluster/stop",
            "cluster",
            "Stops every node, whoever leads after the others",
            cluster::stop,
        )
        .json::<wire::Stopped>(),
        post(
            "/api/v1/cluster/drill",
            "cluster",
            "Cuts off what may fail, for a while, where everything is forecast to go on",
            cluster::begin_drill,
        )
        .takes::<wire::BeginDrill>()
        .json::<wire::Drill>(),
        delete(
            "/api/v1/cluster/drill",
            "cluster",
            "Ends every drill",
            cluster::end_drill,
        )
        .json::<wire::Stopped>(),
        put(
            "/api/v1/cluster/nodes/{node}/drain",
            "cluster",
            "Has a node give up its copies and its vote, or take them again",
            cluster::drain,
        )
        .takes::<wire::Drain>()
        .nothing(204),
        delete(
            "/api/v1/cluster/nodes/{node}",
            "cluster",
            "Makes a node no member any more",
            cluster::remove,
        )
        .nothing(204),
    ]
}

fn data() -> Vec<Endpoint> {
    vec![
        get(
            "/api/v1/buckets",
            "buckets",
            "The buckets that the caller may see",
            buckets::list,
        )
        .query::<Paging>()
        .json::<wire::Page<wire::Bucket>>(),
        put(
            "/api/v1/buckets/{bucket}",
            "buckets",
            "Makes a bucket",
            buckets::create,
        )
        .query::<buckets::Create>()
        .nothing(201),
        delete(
            "/api/v1/buckets/{bucket}",
            "buckets",
            "Removes an empty bucket",
            buckets::delete,
        )
        .nothing(204),
        put(
            "/api/v1/buckets/{bucket}/copies",
            "buckets",
            "Says how many nodes are to have a bucket's blocks",
            buckets::copies,
        )
        .takes::<wire::BucketCopies>()
        .nothing(204),
        put(
            "/api/v1/buckets/{bucket}/writes",
            "buckets",
            "Says when a bucket's writers are answered",
            buckets::writes,
        )
        .takes::<wire::BucketWrites>()
        .nothing(204),
        get(
            "/api/v1/timeline/{bucket}",
            "buckets",
            "Between which moments a bucket can be looked at",
            time::timeline,
        )
        .json::<wire::Timeline>(),
        get(
            "/api/v1/objects/{bucket}",
            "objects",
            "Lists objects or versions",
            listing::list,
        )
        .query::<listing::List>()
        .json::<wire::Listing>(),
        get(
            "/api/v1/objects/{bucket}/{*key}",
            "objects",
            "The bytes of an object; `Range` is honoured",
            objects::get,
        )
        .query::<Which>()
        .bytes("application/octet-stream"),
        put(
            "/api/v1/objects/{bucket}/{*key}",
            "objects",
            "Stores an object",
            objects::put,
        )
        .takes_bytes()
        .json::<wire::Stored>(),
        delete(
            "/api/v1/objects/{bucket}/{*key}",
            "objects",
            "Deletes an object, or one version of it for good",
            objects::delete,
        )
        .query::<Which>()
        .json::<wire::Deleted>(),
        get(
            "/api/v1/meta/{bucket}/{*key}",
            "objects",
            "Everything known about an object",
            meta::meta,
        )
        .query::<meta::Asked>()
        .json::<wire::Meta>(),
        post(
            "/api/v1/copy",
            "objects",
            "Copies an object, also from the past",
            objects::copy,
        )
        .takes::<wire::Copy>()
        .json::<wire::Stored>(),
        post(
            "/api/v1/undelete",
            "objects",
            "Brings a deleted object back",
            restore::undelete,
        )
        .takes::<wire::Undelete>()
        .json::<wire::Undeleted>(),
        post(
            "/api/v1/presign",
            "objects",
            "A URL that works without a key",
            presign::presign,
        )
        .takes::<wire::Presign>()
        .json::<wire::Presigned>(),
        get("/api/v1/zip", "objects", "Many objects as one zip", zip::get)
            .query::<zip::Asked>()
            .bytes("application/zip"),
        post("/api/v1/zip", "objects", "Many objects as one zip", zip::post)
            .takes::<wire::Zip>()
            .bytes("application/zip"),
    ]
}

fn uploading() -> Vec<Endpoint> {
    vec![
        post(
            "/api/v1/uploads",
            "uploads",
            "Starts an upload in parts",
            uploads::start,
        )
        .takes::<wire::StartUpload>()
        .created::<wire::Upload>(),
        get(
            "/api/v1/uploads/{upload}",
            "uploads",
            "The parts that arrived",
            uploads::parts,
        )
        .query::<uploads::Target>()
        .json::<wire::Upload>(),
        post(
            "/api/v1/uploads/{upload}",
            "uploads",
            "Joins the parts",
            uploads::complete,
        )
        .query::<uploads::Target>()
        .takes::<wire::CompleteUpload>()
        .json::<wire::Stored>(),
        delete(
            "/api/v1/uploads/{upload}",
            "uploads",
            "Gives an upload up",
            uploads::abort,
        )
        .query::<uploads::Target>()
        .nothing(204),
        put(
            "/api/v1/uploads/{upload}/{number}",
            "uploads",
            "Stores a part",
            uploads::part,
        )
        .query::<uploads::Target>()
        .takes_bytes()
        .json::<wire::Part>(),
    ]
}

fn the_log() -> Vec<Endpoint> {
    vec![
        get(
            "/api/v1/log",
            "log",
            "Lines of the log; as they are stored with `Accept: application/x-ndjson`",
            log::read,
        )
        .query::<log::Range>()
        .json::<wire::Page<wire::Line>>(),
        get(
            "/api/v1/log/{position}",
            "log",
            "A line, and what proves its place",
            proof::proven,
        )
        .query::<log::Whose>()
        .json::<wire::Proven>(),
        get(
            "/api/v1/events",
            "log",
            "The log as server-sent events, live; `Last-Event-ID` resumes",
            log::live,
        )
        .query::<log::Live>()
        .events::<wire::Told>(),
        post(
            "/api/v1/log/checkpoint",
            "log",
            "Signs where the log ends",
            log::checkpoint,
        )
        .query::<log::Whose>()
        .text(),
        post(
            "/api/v1/log/verify",
            "log",
            "Checks the chain, against a checkpoint where one is sent",
            log::verify,
        )
        .query::<log::Whose>()
        .takes_text()
        .steps::<wire::Verified>(),
        get(
            "/api/v1/history/{bucket}",
            "log",
            "What happened to a bucket itself",
            provenance::bucket_history,
        )
        .query::<provenance::Depth>()
        .json::<wire::History>(),
        get(
            "/api/v1/history/{bucket}/{*key}",
            "log",
            "Every state of a key, oldest first",
            provenance::history,
        )
        .query::<provenance::Depth>()
        .json::<wire::History>(),
        get(
            "/api/v1/why",
            "log",
            "Which event made something, and what came before and after",
            provenance::why,
        )
        .query::<provenance::About>()
        .json::<wire::Why>(),
        get("/api/v1/at", "log", "The position of a moment", time::at)
            .query::<time::When>()
            .json::<wire::At>(),
    ]
}

fn access() -> Vec<Endpoint> {
    vec![
        get("/api/v1/keys", "access", "Access keys", keys::list)
            .query::<Paging>()
            .json::<wire::Page<wire::Key>>(),
        post(
            "/api/v1/keys",
            "access",
            "Makes an access key; its secret is told this once",
            keys::create,
        )
        .takes::<wire::CreateKey>()
        .created::<wire::NewKey>(),
        delete(
            "/api/v1/keys/{access_key}",
            "access",
            "Revokes an access key",
            keys::revoke,
        )
        .nothing(204),
        post(
            "/api/v1/console/link",
            "access",
            "A link that signs one browser in, once",
            console::link,
        )
        .created::<wire::ConsoleLink>(),
        post(
            "/api/v1/tokens",
            "access",
            "Makes a short-lived token",
            tokens::create,
        )
        .takes::<wire::CreateToken>()
        .created::<wire::NewToken>(),
    ]
}

fn locking() -> Vec<Endpoint> {
    vec![
        get("/api/v1/locks", "locks", "Locks that are held", locks::list)
            .query::<Paging>()
            .json::<wire::Page<wire::Lock>>(),
        get("/api/v1/locks/{*name}", "locks", "Who holds a lock", locks::show).json::<wire::Lock>(),
        post(
            "/api/v1/locks/{*name}",
            "locks",
            "Acquires a lock, waiting for it where asked to",
            locks::acquire,
        )
        .takes::<wire::AcquireLock>()
        .created::<wire::Lock>(),
        put(
            "/api/v1/locks/{*name}",
            "locks",
            "Begins a lock's lease anew",
            locks::renew,
        )
        .takes::<wire::RenewLock>()
        .json::<wire::Lock>(),
        delete(
            "/api/v1/locks/{*name}",
            "locks",
            "Releases a lock",
            locks::release,
        )
        .query::<locks::End>()
        .nothing(204),
    ]
}

fn public() -> Vec<Endpoint> {
    vec![
        get("/api/v1/ipfs", "ipfs", "What is public to IPFS", ipfs::list).json::<wire::Ipfs>(),
        post(
            "/api/v1/ipfs/publish",
            "ipfs",
            "Makes a bucket or prefix public to IPFS",
            ipfs::publish,
        )
        .takes::<wire::IpfsPlace>()
        .json::<wire::IpfsPublication>(),
        post(
            "/api/v1/ipfs/unpublish",
            "ipfs",
            "Takes that back",
            ipfs::unpublish,
        )
        .takes::<wire::IpfsPlace>()
        .json::<wire::IpfsUnpublished>(),
        post("/api/v1/ipfs/import", "ipfs", "Takes a CAR in", ipfs::import)
            .query::<ipfs::Import>()
            .takes_bytes()
            .json::<wire::IpfsImported>(),
        post(
            "/api/v1/ipfs/pin",
            "ipfs",
            "Fetches a DAG from gateways and keeps it",
            ipfs::pin,
        )
        .takes::<wire::IpfsFetch>()
        .steps::<wire::IpfsImported>(),
        post(
            "/api/v1/ipfs/unpin",
            "ipfs",
            "Lets go of a DAG that was kept",
            ipfs::unpin,
        )
        .takes::<wire::IpfsUnpin>()
        .json::<wire::IpfsUnpublished>(),
        get("/api/v1/ipfs/export", "ipfs", "A DAG as a CAR", ipfs::export)
            .query::<ipfs::Export>()
            .bytes("application/vnd.ipld.car"),
    ]
}

fn settings() -> Vec<Endpoint> {
    vec![
        get(
            "/api/v1/config",
            "config",
            "The settings that all nodes share, and those of this node",
            config::show,
        )
        .json::<wire::Config>(),
        put(
            "/api/v1/config",
            "config",
            "Sets another document of shared settings",
            config::set,
        )
        .takes::<wire::SetConfig>()
        .json::<wire::ConfigChanged>(),
        get(
            "/api/v1/config/history",
            "config",
            "Every document that there was, the newest first",
            config::history,
        )
        .query::<Paging>()
        .json::<wire::Page<wire::ConfigRevision>>(),
        get(
            "/api/v1/config/revisions/{revision}",
            "config",
            "One document that there was",
            config::at,
        )
        .json::<wire::ConfigRevision>(),
    ]
}

fn work() -> Vec<Endpoint> {
    vec![
        get("/api/v1/doctor", "upkeep", "Examines everything", upkeep::doctor).json::<wire::Doctor>(),
        get(
            "/api/v1/upkeep",
            "upkeep",
            "What the node's own work found last",
            upkeep::upkeep,
        )
        .json::<wire::Upkeep>(),
        post("/api/v1/scrub", "upkeep", "Reads every block back", upkeep::scrub)
            .query::<upkeep::Rate>()
            .steps::<wire::Scrubbed>(),
        post(
            "/api/v1/gc",
            "upkeep",
            "Frees what nothing reaches",
            upkeep::collect,
        )
        .takes::<wire::Collect>()
        .steps::<wire::Collected>(),
        post(
            "/api/v1/disks/empty",
            "upkeep",
            "Moves all blocks out of a directory, so that its disk can be taken away",
            upkeep::empty_disk,
        )
        .takes::<wire::EmptyDisk>()
        .steps::<wire::EmptiedDisk>(),
        post(
            "/api/v1/view/rebuild",
            "upkeep",
            "Folds the views again from the log",
            upkeep::rebuild,
        )
        .steps::<wire::Rebuilt>(),
    ]
}

/// Every endpoint, over what handlers work with.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for endpoint in endpoints() {
        router = router.route(endpoint.path, endpoint.handler);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        // Bodies are bounded where they are read: JSON by `body`, objects by the context's limits.
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// Whether an endpoint needs no signature: it tells nothing about anybody's data.
pub(crate) fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/metrics" | "/api/v1/openapi.json") || path.starts_with("/api/v1/explain/")
}

/// Whether a request is about data, which must be current: what tells how the node is has to answer where
/// nobody leads as well.
pub(crate) fn is_about_data(path: &str) -> bool {
    let first = path
        .strip_prefix("/api/v1/")
        .unwrap_or_default()
        .split('/')
        .next();
    !matches!(
        first.unwrap_or_default(),
        "" | "status"
            | "overview"
            | "series"
            | "cluster"
            | "doctor"
            | "upkeep"
            | "disks"
            | "explain"
            | "guides"
            | "openapi.json"
            | "events"
            | "console"
    )
}

/// The operation of a request, for metrics: the endpoint without what it is about, so that there are few.
pub(crate) fn operation(method: &Method, path: &str) -> &'static str {
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
    let first = rest.split('/').next().unwrap_or_default();
    match (first, method) {
        ("objects", &Method::GET | &Method::HEAD)
            if !rest["objects".len()..].trim_matches('/').contains('/') =>
        {
            "ListObjects"
        }
        ("objects", &Method::GET | &Method::HEAD) => "GetObject",
        ("objects", &Method::PUT) => "PutObject",
        ("objects", &Method::DELETE) => "DeleteObject",
        ("objects", _) | ("copy" | "undelete", _) => "CopyObject",
        ("zip", _) => "Zip",
        ("uploads", _) => "Upload",
        ("buckets" | "timeline", _) => "Bucket",
        ("ipfs", _) => "Ipfs",
        ("log" | "at", _) => "Log",
        ("events", _) => "Events",
        ("history" | "why" | "meta", _) => "History",
        ("keys" | "tokens" | "presign" | "console", _) => "Key",
        ("status" | "overview" | "series" | "guides", _) => "Status",
        ("cluster", _) => "Cluster",
        ("config", _) => "Config",
        ("scrub" | "gc" | "disks" | "view" | "doctor" | "upkeep", _) => "Upkeep",
        _ => "Other",
    }
}
