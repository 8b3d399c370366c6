//! What the layers come to: defaults, the document that all nodes share, the node's own file.

use super::document::{check, names};
use crate::failure::Failure;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use stead_client::wire::Origin;

/// Where a node keeps the document that it saw last: what it starts with before it can ask anybody.
const COPY: &str = "shared-settings.json";

/// A document of shared settings, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copy {
    pub revision: u64,
    pub document: String,
}

/// The settings of a node, and where they are from.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// What they come to.
    pub settings: Settings,
    own: Vec<String>,
    shared: Vec<String>,
}

impl Layers {
    /// The node's own file over a document.
    ///
    /// # Errors
    /// Why the two together are not valid.
    pub fn of(document: &str, own: &str) -> Result<Self, String> {
        let parse = |text: &str| text.parse::<toml::Table>().map_err(|error| error.to_string());
        let (mut both, over) = (parse(document)?, parse(own)?);
        let (shared, own) = (names(&both), names(&over));
        lay_over(&mut both, over);
        let text = toml::to_string(&both).map_err(|error| error.to_string())?;
        Ok(Self {
            settings: Settings::parse(&text)?,
            own,
            shared,
        })
    }

    /// The node's own file alone.
    pub fn alone(settings: Settings, own: &str) -> Self {
        let own = own.parse().map(|table| names(&table)).unwrap_or_default();
        Self {
            settings,
            own,
            shared: Vec::new(),
        }
    }

    /// Where a setting's value is from.
    pub fn origin(&self, name: &str) -> Origin {
        let among = |names: &[String]| names.iter().any(|known| known == name);
        match (among(&self.own), among(&self.shared)) {
            (true, _) => Origin::Node,
            (false, true) => Origin::Cluster,
            (false, false) => Origin::Default,
        }
    }
}

fn lay_over(below: &mut toml::Table, over: toml::Table) {
    for (name, value) in over {
        match (below.get_mut(&name), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(over)) => lay_over(below, over),
            (_, value) => {
                below.insert(name, value);
            }
        }
    }
}

/// The copy of a data directory; an empty document where there is none, or it cannot be used.
pub(super) fn copy(data: &Path) -> Copy {
    let path = data.join(COPY);
    let read = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Copy::default(),
        read => read.map_err(|error| error.to_string()),
    };
    let copy = read.and_then(|bytes| serde_json::from_slice::<Copy>(&bytes).map_err(|e| e.to_string()));
    let usable = copy.and_then(|copy| check(&copy.document).map(|_| copy));
    usable.unwrap_or_else(|why| {
        tracing::error!(path = %path.display(), why, "the shared settings cannot be used; this node goes by its own file");
        Copy::default()
    })
}

/// Keeps a copy, whole or not at all.
pub(super) fn keep(data: &Path, copy: &Copy) -> io::Result<()> {
    let (path, fresh) = (data.join(COPY), data.join(format!("{COPY}.new")));
    std::fs::write(&fresh, serde_json::to_vec_pretty(copy)?)?;
    std::fs::File::open(&fresh)?.sync_all()?;
    std::fs::rename(fresh, path)
}

/// What a node starts with: its own file over the document that it saw last.
pub fn at_start(data: &Path) -> Result<Settings, Failure> {
    let (own, text) = Settings::own(data)?;
    Ok(match Layers::of(&copy(data).document, &text) {
        Ok(layers) => layers.settings,
        Err(why) => {
            tracing::error!(
                why,
                "the shared settings do not fit this node's own; it goes by its own file"
            );
            own
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_file_wins_setting_by_setting() {
        let layers = Layers::of(
            "[gc]\nretention_days = 7\ngrace_hours = 1\n",
            "[gc]\nretention_days = 9\n[node]\nsite = \"home\"\n",
        );
        let layers = layers.unwrap();
        assert_eq!(layers.settings.gc.retention_days, 9);
        assert_eq!(layers.settings.gc.grace_hours, 1);
        assert_eq!(layers.settings.gc.every_hours, 24);
        assert_eq!(layers.origin("gc.retention_days"), Origin::Node);
        assert_eq!(layers.origin("gc.grace_hours"), Origin::Cluster);
        assert_eq!(layers.origin("gc.every_hours"), Origin::Default);
    }

    #[test]
    fn a_copy_that_is_not_usable_leaves_the_own_file() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("stead.toml"), "[gc]\ngrace_hours = 2\n").unwrap();
        let document = "[gc]\nretention_days = 7\n".to_owned();
        keep(
            data.path(),
            &Copy {
                revision: 3,
                document,
            },
        )
        .unwrap();
        let settings = at_start(data.path()).unwrap();
        assert_eq!((settings.gc.retention_days, settings.gc.grace_hours), (7, 2));
        for broken in ["{", "{\"revision\":1,\"document\":\"[nothing]\"}"] {
            std::fs::write(data.path().join(COPY), broken).unwrap();
            let settings = at_start(data.path()).unwrap();
            assert_eq!((settings.gc.retention_days, settings.gc.grace_hours), (30, 2));
        }
    }
}
