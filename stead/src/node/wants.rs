//! How many copies buckets want: from the configuration document `copies` of each, to the blocks that its objects
//! reach.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use stead_block::{LocalStore, ipld};
use stead_cluster::{Classes, USUAL_COPIES, Wants};
use stead_event::{Cid, cids};
use stead_gateway::objects::copies_wanted;
use stead_view::{ViewError, Views};

/// Buckets that want another number of copies than is usual.
pub(super) struct BucketWants {
    views: Views,
    store: LocalStore,
}

impl BucketWants {
    pub fn new(views: Views, store: LocalStore) -> Self {
        Self { views, store }
    }

    /// Copies by the bucket's number, of those that say.
    fn buckets(&self) -> Result<BTreeMap<u64, u8>, ViewError> {
        let names = self.views.names()?;
        let mut wanted = BTreeMap::new();
        for (bucket, record) in names.buckets()? {
            if let Some(copies) = copies_wanted(&names, &bucket)? {
                wanted.insert(record.id, copies);
            }
        }
        Ok(wanted)
    }

    fn classes(&self) -> Result<Classes, String> {
        let text = |error: ViewError| error.to_string();
        let wanted = self.buckets().map_err(text)?;
        let mut classes = Classes::default();
        if wanted.values().all(|copies| *copies == USUAL_COPIES) {
            return Ok(classes);
        }
        let names = self.views.names().map_err(text)?;
        let reached = || names.reachable_by_bucket(None).map_err(text);
        for item in reached()? {
            let (bucket, cid) = item.map_err(text)?;
            if let Some(copies) = bucket.and_then(|bucket| wanted.get(&bucket)) {
                self.each_leaf(cid, &mut |leaf| classes.note(leaf, *copies))?;
            }
        }
        // What something else reaches as well has as many copies as that wants.
        if wanted.values().any(|copies| *copies < USUAL_COPIES) {
            for item in reached()? {
                let (bucket, cid) = item.map_err(text)?;
                if bucket.is_none_or(|bucket| !wanted.contains_key(&bucket)) {
                    self.each_leaf(cid, &mut |leaf| classes.raise(leaf, USUAL_COPIES))?;
                }
            }
        }
        Ok(classes)
    }

    /// Calls `act` with each block of bytes that a root reaches.
    fn each_leaf(&self, root: Cid, act: &mut dyn FnMut(&Cid)) -> Result<(), String> {
        let (mut nodes, mut seen) = (vec![root], HashSet::new());
        while let Some(cid) = nodes.pop() {
            if cid.codec() == cids::RAW {
                act(&cid);
                continue;
            }
            if !seen.insert(cid) {
                continue;
            }
            let bytes = match ipld::inline(&cid) {
                Some(bytes) => Ok(bytes),
                None => self.store.read(&cid),
            };
            let links = bytes.and_then(|bytes| ipld::links(&cid, &bytes));
            nodes.extend(links.map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}

impl Wants for BucketWants {
    fn revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        // What cannot be read counts as something else than what could.
        self.buckets().ok().hash(&mut hasher);
        hasher.finish()
    }

    fn copies(&self) -> BTreeSet<u8> {
        let wanted = self.buckets().unwrap_or_default();
        wanted.into_values().collect()
    }

    fn classes(&self) -> Result<Classes, String> {
        Self::classes(self)
    }
}
