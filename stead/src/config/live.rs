//! The settings of a running node: they follow the document that all nodes share.

use super::document::check;
use super::known::{is_live, is_shared, leaves, shown};
use super::layers::{Copy, Layers, copy, keep};
use crate::failure::Failure;
use crate::settings::Settings;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use stead_client::wire::{self, SettingChange};
use stead_cluster::LevelOptions;
use stead_runtime::{Adjustable, blocking};
use stead_view::Views;

/// How often it is looked whether another document was set.
const TICK: Duration = Duration::from_millis(500);

/// Settings that change while the node runs.
pub struct Live {
    data: PathBuf,
    /// The text of the node's own file when it was started.
    own: String,
    /// What it was started with.
    begun: Settings,
    now: RwLock<Arc<Layers>>,
    revision: AtomicU64,
    /// Counts changes, for who waits for one.
    changes: Adjustable<u64>,
    level: Adjustable<LevelOptions>,
}

impl Live {
    /// Of a directory whose node was started with `begun`.
    pub fn new(data: &Path, begun: Settings) -> Result<Arc<Self>, Failure> {
        let (own, text) = Settings::own(data)?;
        let copy = copy(data);
        let layers = Layers::of(&copy.document, &text).unwrap_or_else(|_| Layers::alone(own, &text));
        Ok(Arc::new(Self {
            data: data.to_owned(),
            own: text,
            level: Adjustable::new(begun.copies.options()),
            begun,
            now: RwLock::new(Arc::new(layers)),
            revision: AtomicU64::new(copy.revision),
            changes: Adjustable::default(),
        }))
    }

    fn layers(&self) -> Arc<Layers> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The settings as they are to be now. What needs a restart may be otherwise until then.
    pub fn now(&self) -> Settings {
        self.layers().settings.clone()
    }

    /// How copies are levelled now.
    pub fn level(&self) -> Adjustable<LevelOptions> {
        self.level.clone()
    }

    /// For waiting until something is another.
    pub fn changes(&self) -> stead_runtime::Changes<u64> {
        self.changes.changes()
    }

    /// Takes another document over; answers whether it could be kept for the next start as well.
    fn take(&self, copy: &Copy) -> bool {
        let layers = check(&copy.document).and_then(|_| Layers::of(&copy.document, &self.own));
        match layers {
            Ok(layers) => {
                self.level.set(layers.settings.copies.options());
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(layers);
            }
            Err(why) => tracing::error!(
                revision = copy.revision,
                why,
                "the shared settings cannot be used by this release; those before go on to count"
            ),
        }
        self.revision.store(copy.revision, Ordering::Release);
        self.changes.set(self.changes.get() + 1);
        match keep(&self.data, copy) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the shared settings could not be kept for the next start");
                false
            }
        }
    }

    /// What this node runs with, and what is different until it is started anew.
    pub fn show(&self, revision: u64, document: String) -> wire::Config {
        let layers = self.layers();
        let running: Vec<(String, Value)> = leaves(&self.begun);
        let settings: Vec<wire::Setting> = leaves(&layers.settings)
            .into_iter()
            .map(|(name, value)| {
                let begun = running
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value);
                let waits = begun.filter(|begun| !is_live(&name) && **begun != value);
                wire::Setting {
                    running: waits.map(|begun| shown(&name, begun.clone())),
                    origin: layers.origin(&name),
                    shared: is_shared(&name),
                    live: is_live(&name),
                    value: shown(&name, value),
                    name,
                }
            })
            .collect();
        let waiting = settings.iter().filter(|setting| setting.running.is_some());
        wire::Config {
            revision,
            document,
            waiting: waiting.map(|setting| setting.name.clone()).collect(),
            settings,
        }
    }
}

/// What another document changes for a node that has no file of its own.
pub(crate) fn changes(from: &Settings, to: &Settings) -> Vec<SettingChange> {
    let before = leaves(from);
    let differs = leaves(to).into_iter().filter_map(|(name, to)| {
        let from = before.iter().find(|(known, _)| *known == name)?.1.clone();
        (from != to).then(|| SettingChange {
            restart: !is_live(&name),
            name,
            from,
            to,
        })
    });
    differs.collect()
}

/// Takes documents over as they are set, until nobody needs the settings any more.
pub async fn follow(live: Weak<Live>, views: Views) {
    let mut kept = false;
    loop {
        let Some(strong) = live.upgrade() else { return };
        let (views, known) = (views.clone(), strong.revision.load(Ordering::Acquire));
        match blocking(move || views.config().and_then(|config| config.now())).await {
            Ok(Some(record)) if record.revision != known || !kept => {
                tracing::info!(revision = record.revision, "shared settings");
                let copy = Copy {
                    revision: record.revision,
                    document: record.document,
                };
                kept = blocking(move || strong.take(&copy)).await;
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the shared settings cannot be read now"),
        }
        tokio::time::sleep(TICK).await;
    }
}
