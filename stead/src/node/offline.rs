//! A directory that is read without a node: the same API, in this process.
//!
//! Promises: nothing in the directory is written, and nothing in it need be writable. The two databases (views and
//! block index) cannot be read without being written where they were not closed: what is written then stays in
//! memory, over the file as it is (`stead_block::Overlay`), which costs no copy of the file; where one is missing
//! or damaged it is folded or built in memory. Only `view rebuild` writes, because that is what it is for.

use super::Ambient;
use super::operations::NodeOperations;
use crate::codes;
use crate::config::Live;
use crate::directory::{Directory, node_id};
use crate::failure::Failure;
use crate::settings::Settings;
use std::sync::Arc;
use stead_event::Tenant;
use stead_gateway::context::{Limits, Parts};
use stead_gateway::{Metrics, ReadContext, SecretBox};
use stead_gateway_api::{Api, Components};
use stead_runtime::blocking;
use stead_view::Views;

/// Opens the API over a directory that this process holds. The lock is held as long as the process lives.
pub async fn open(directory: Directory) -> Result<Api, Failure> {
    let data = directory.path().to_owned();
    let settings = Settings::load(&data)?;
    let ambient = Ambient::new(&data, &settings);
    let key = directory.node_key(&ambient.rng)?;
    let secrets = SecretBox::new(directory.storage_key(&ambient.rng)?);
    let store = super::open_store(&data, &settings, &ambient, true).await?;
    let (at, cache) = (data.clone(), settings.storage.cache_mib << 20);
    let (views, tail) = blocking(move || Views::offline(&at, cache))
        .await
        .map_err(|e| Failure::new(codes::START, format!("the views cannot be read: {e}")))?;
    let read = ReadContext::new(Parts {
        tenant: Tenant::main(),
        node: node_id(&key),
        views,
        tail,
        store,
        clock: ambient.clock.clone(),
        rng: ambient.rng.clone(),
        tasks: ambient.tasks.clone(),
        space: ambient.space.clone(),
        metrics: Metrics::new(),
        secrets,
        limits: Limits::default(),
    });
    let operations = Arc::new(
        NodeOperations::new(
            &data,
            read.clone(),
            (settings.clone(), Live::new(&data, settings)?),
            None,
        )
        .holding(directory, key),
    );
    Ok(Api::new(Components {
        read,
        write: None,
        operations,
    }))
}
