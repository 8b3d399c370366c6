//! Where things are: the repository, its target directory, what is kept outside.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let here = if own.ends_with("xtask") {
        own
    } else {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    };
    here.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Logs of what `xtask` ran.
pub fn logs() -> PathBuf {
    target().join("xtask-logs")
}

/// A directory for `name`, emptied.
pub fn scratch(name: &str) -> std::io::Result<PathBuf> {
    let dir = target().join("xtask-work").join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// What is built once and outlives a clone: the peers that are measured against.
pub fn cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    base.unwrap_or_else(|| target().join("cache")).join("stead")
}
