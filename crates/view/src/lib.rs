//! Views: what the log means, in tables that can be asked.
//!
//! Owns: [`Engine`] (the machine that committed appends are applied to), the [`Projection`] trait and its
//! projections ([`names`], [`keys`], [`locks`], [`segments`]), and [`Views`], their read side.
//! Promises: a view is a function of the log alone, so that deleting `state/` and folding again gives the
//! same tables byte for byte; an append is in lines, blocks and views together or not at all.
//! Never: the truth. Never knows a protocol, and never answers from data whose checksum is wrong.
// A block store's error names its block, which makes it large; it is met once in a long while.
#![allow(clippy::result_large_err)]

/// A stored value that has no version before.
macro_rules! first_version {
    ($type:ty, $name:literal) => {
        impl stead_event::Migrate for $type {
            const NAME: &'static str = $name;
            const VERSION: u8 = 1;
            type Previous = Self;
            fn lift(previous: Self) -> Self {
                previous
            }
        }
    };
}

mod applied;
mod config;
mod database;
pub mod engine;
pub mod error;
pub mod keys;
pub mod locks;
pub mod names;
pub mod projection;
pub mod published;
pub mod segments;
mod shared;
pub mod tables;
mod times;
pub mod views;

pub use config::{Config, ConfigRecord};
pub use engine::{Engine, EngineOptions};
pub use error::ViewError;
pub use keys::{KeyRecord, Keys};
pub use locks::{LockRecord, Locks};
pub use names::{
    BucketRecord, Counts, ListQuery, Names, OBJECT_LOCK, ObjectRecord, Page, PartRecord, UploadPage,
    UploadQuery, UploadRecord, VersionEntry, VersionPage, VersionQuery,
};
pub use projection::Projection;
pub use published::{Pinned, Publication, Published};
pub use segments::Segments;
pub use views::{RebuildReport, Views, rebuild_offline};
