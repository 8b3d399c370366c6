//! The directories that blocks are kept in: how they are, and emptying one.

use crate::codes;
use http::StatusCode;
use std::path::PathBuf;
use stead_block::{BlockError, DirectoryState, LocalStore};
use stead_client::wire::{self, DiskState};
use stead_gateway_api::{ApiError, Progress};
use stead_runtime::blocking;

/// All of them, the data directory's own first.
pub(super) fn list(store: &LocalStore) -> Vec<wire::Disk> {
    let disk = |dir: stead_block::Directory| wire::Disk {
        path: dir.path.display().to_string(),
        state: match dir.state {
            DirectoryState::InUse => DiskState::InUse,
            DirectoryState::Leaving => DiskState::Leaving,
            DirectoryState::Away => DiskState::Away,
            DirectoryState::Failed => DiskState::Failed,
        },
        packs: dir.packs,
        bytes: dir.bytes,
        free_bytes: dir.free,
        total_bytes: dir.total,
    };
    store.directories().into_iter().map(disk).collect()
}

/// Moves all blocks out of one.
pub(super) async fn empty(
    store: &LocalStore,
    path: &str,
    progress: Progress,
) -> Result<wire::EmptiedDisk, ApiError> {
    let (store, path) = (store.clone(), PathBuf::from(path));
    let told = move |done, total| progress(wire::Progress { done, total });
    match blocking(move || store.empty_directory(&path, told)).await {
        Ok(emptied) => Ok(wire::EmptiedDisk {
            moved: emptied.moved,
            bytes: emptied.bytes,
            stuck: emptied.stuck,
        }),
        Err(error @ BlockError::Directory { .. }) => {
            let refused = ApiError::new(StatusCode::NOT_FOUND, codes::SETTINGS, error.to_string());
            Err(refused.next("`stead disk list` names those that there are"))
        }
        Err(error) => Err(stead_gateway::ObjectError::from(error).into()),
    }
}
