//! The node among IPFS peers, where the settings ask for one.

use crate::codes;
use crate::failure::Failure;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;
use stead_gateway::ReadContext;
use stead_gateway::ipfs::PublishedBlocks;
use stead_gateway::listen::Runtime;
use stead_gateway_bitswap::{Bitswap, NAME};
use stead_view::published::Index;

/// Starts it with the node's own key (so that its peer id stays) and names its first address.
pub(super) async fn start(
    settings: &Settings,
    seed: [u8; 32],
    read: &ReadContext,
    index: &Index,
    endpoints: &mut BTreeMap<String, String>,
) -> Result<(), Failure> {
    if !settings.ipfs.bitswap {
        return Ok(());
    }
    let runtime = Runtime {
        clock: read.clock.clone(),
        tasks: read.tasks.clone(),
        metrics: read.metrics.clone(),
    };
    let blocks = Arc::new(PublishedBlocks::new(read.clone(), index.clone()));
    let node = Bitswap::start(seed, &settings.ipfs.bitswap_listen, blocks, runtime)
        .await
        .map_err(|why| Failure::new(codes::LISTEN, format!("bitswap: {why}")))?
        .with_usual(&settings.ipfs.bitswap_peers);
    let addresses = node.addresses();
    if let Some(first) = addresses.first() {
        endpoints.insert(NAME.to_owned(), first.clone());
    }
    tracing::info!(?addresses, "bitswap");
    read.set_peers(Arc::new(node));
    Ok(())
}
