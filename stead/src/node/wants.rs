//! How buckets want their blocks kept: from the configuration document `copies` of each, to the blocks that its objects
//! reach, and the stripes that these are in.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use stead_block::stripe::{Stripe, read_list};
use stead_block::{Keep, LocalStore, ipld};
use stead_cluster::{Classes, USUAL_COPIES, Wants};
use stead_event::{Cid, cids};
use stead_gateway::objects::keep_wanted;
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

    /// By the bucket's number, of those that say.
    fn buckets(&self) -> Result<BTreeMap<u64, Keep>, ViewError> {
        let names = self.views.names()?;
        let mut wanted = BTreeMap::new();
        for (bucket, record) in names.buckets()? {
            if let Some(keep) = keep_wanted(&names, &bucket)? {
                wanted.insert(record.id, keep);
            }
        }
        Ok(wanted)
    }

    fn classes(&self) -> Result<Classes, String> {
        let text = |error: ViewError| error.to_string();
        let wanted = self.buckets().map_err(text)?;
        let mut classes = Classes::default();
        if wanted.values().all(|keep| *keep == Keep::Copies(USUAL_COPIES)) {
            return Ok(classes);
        }
        let names = self.views.names().map_err(text)?;
        let reached = || names.reachable_by_bucket(None).map_err(text);
        let mut roots = Vec::new();
        for item in reached()? {
            let (bucket, cid) = item.map_err(text)?;
            let Some(keep) = bucket.and_then(|bucket| wanted.get(&bucket)) else {
                continue;
            };
            match keep {
                Keep::Stripes(_) if self.each_stripe(cid, &mut classes)? => {}
                Keep::Stripes(_) => roots.push((cid, keep.copies())),
                Keep::Copies(copies) => self.each_leaf(cid, &mut |leaf| classes.note(leaf, *copies))?,
            }
        }
        // What is in no stripe, of what is to be in one.
        for (cid, copies) in roots {
            let mut rest = Vec::new();
            self.each_leaf(cid, &mut |leaf| {
                rest.extend((!classes.is_piece(leaf)).then_some(*leaf))
            })?;
            rest.iter().for_each(|leaf| classes.note(leaf, copies));
        }
        // What something else reaches as well has as many copies as that wants.
        if wanted
            .values()
            .any(|keep| *keep != Keep::Copies(keep.copies()) || keep.copies() < USUAL_COPIES)
        {
            for item in reached()? {
                let (bucket, cid) = item.map_err(text)?;
                if bucket.is_none_or(|bucket| !wanted.contains_key(&bucket)) {
                    self.each_leaf(cid, &mut |leaf| match classes.is_piece(leaf) {
                        true => classes.note(leaf, USUAL_COPIES),
                        false => classes.raise(leaf, USUAL_COPIES),
                    })?;
                }
            }
        }
        Ok(classes)
    }

    /// Notes each stripe of a list, where the root is one; answers whether it is.
    fn each_stripe(&self, root: Cid, classes: &mut Classes) -> Result<bool, String> {
        if root.codec() != cids::DAG_CBOR {
            return Ok(false);
        }
        let (mut open, mut found) = (vec![root], false);
        while let Some(cid) = open.pop() {
            let bytes = self.store.read(&cid).map_err(|error| error.to_string())?;
            if let Some(stripe) = Stripe::read(&cid, &bytes) {
                classes.note_stripe(cid, &stripe);
                found = true;
            } else if let Some((_, of)) = read_list(&cid, &bytes) {
                open.extend(of);
            } else {
                return Ok(found);
            }
        }
        Ok(found)
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

    fn kept(&self) -> BTreeSet<Keep> {
        let wanted = self.buckets().unwrap_or_default();
        wanted.into_values().collect()
    }

    fn classes(&self) -> Result<Classes, String> {
        Self::classes(self)
    }
}
