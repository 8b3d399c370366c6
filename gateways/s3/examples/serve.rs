//! The S3 gateway alone, over a node made by hand, for trying and measuring it without the rest:
//! `cargo run --release -p stead-gateway-s3 --example serve -- DIRECTORY`.
//!
//! Prints one line of JSON with its endpoint and a key once it is ready. Ends when its input ends.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use stead_block::{LocalOptions, LocalStore};
use stead_event::body::Scope;
use stead_event::{NodeId, Tenant, Via};
use stead_gateway::context::Parts;
use stead_gateway::listen::{ListenOptions, Listener};
use stead_gateway::objects::KeyRequest;
use stead_gateway::{
    Caller, Gateway, Identity, Limits, Metrics, Objects, ReadContext, SecretBox, WriteContext, listen,
};
use stead_gateway_s3::{S3, S3Options};
use stead_runtime::{Clock, Rng, Space, TaskKind, Tasks};
use stead_view::{Engine, EngineOptions};
use tokio::io::AsyncReadExt;

async fn node(data: &Path, tasks: &Tasks) -> Result<WriteContext, Box<dyn Error>> {
    let (clock, rng) = (Clock::system(), Rng::system());
    let space = Space::new(data, 64 << 20);
    let name = NodeId("00".repeat(32));
    let local = LocalOptions {
        clock: clock.clone(),
        tasks: tasks.clone(),
        ..LocalOptions::default()
    };
    let store = LocalStore::open(&data.join("blocks"), &data.join("state"), local, space.clone())?;
    let options = EngineOptions {
        data: data.to_owned(),
        node: name.clone(),
        cache_bytes: 32 << 20,
        rotate_bytes: 64 << 20,
        space: space.clone(),
        tasks: tasks.clone(),
    };
    let (engine, views, tail) = Engine::open(options, store.clone())?;
    let cluster = stead_cluster::ClusterOptions::new(
        data.join("raft"),
        name.clone(),
        clock.clone(),
        rng.clone(),
        tasks.clone(),
        space.clone(),
    );
    let log = stead_cluster::start(cluster, Box::new(engine)).await?;
    let secrets = SecretBox::open(&data.join("secret.key"), &rng)?;
    let parts = Parts {
        tenant: Tenant::main(),
        node: name,
        views,
        tail,
        store,
        clock,
        rng,
        tasks: tasks.clone(),
        space,
        metrics: Metrics::new(),
        secrets,
        limits: Limits::default(),
    };
    Ok(WriteContext::new(ReadContext::new(parts), log))
}

async fn key(context: &WriteContext, name: &str, scope: Scope) -> Result<[String; 2], Box<dyn Error>> {
    let caller = Caller::new(
        Identity::local("owner"),
        Via {
            protocol: "example".into(),
            ..Via::default()
        },
    );
    let request = KeyRequest {
        name: name.into(),
        scope,
        given: None,
    };
    let made = Objects::new(context.clone()).create_key(request, caller).await?;
    Ok([made.access_key, made.secret_key])
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter("warn,s3s=off")
        .with_writer(std::io::stderr)
        .init();
    let data = std::env::args().nth(1).ok_or("the directory is missing")?;
    std::fs::create_dir_all(&data)?;
    listen::raise_open_files();
    let tasks = Tasks::new();
    let context = node(Path::new(&data), &tasks).await?;
    let all = key(&context, "all", Scope::default()).await?;
    let reader = key(
        &context,
        "reader",
        Scope {
            read_only: true,
            buckets: Vec::new(),
        },
    )
    .await?;
    let scoped = key(
        &context,
        "scoped",
        Scope {
            read_only: false,
            buckets: vec!["scoped-bucket".into()],
        },
    )
    .await?;
    let listener = Listener::bind("127.0.0.1:0".parse()?).await?;
    let endpoint = listener.address().map(|address| format!("http://{address}"));
    let gateway = Arc::new(S3::new(context, S3Options::default(), ListenOptions::new("s3")));
    let served = tasks.spawn(TaskKind::Listener, "s3", gateway.serve(listener));
    let ready = serde_json::json!({
        "endpoint": endpoint, "access_key": all[0], "secret_key": all[1],
        "reader": reader, "scoped": scoped,
    });
    println!("{ready}");
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    tasks.shutdown();
    served.await?;
    Ok(())
}
