//! What may fail now without losing data, and without losing service.

use super::NodeStatus;
use crate::RaftLog;
use crate::copies::CopyProgress;
use crate::placement::USUAL_COPIES;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stead_block::Keep;
use stead_event::NodeId;
use stead_plan::Policy;
use stead_plan::survive::{CopySets, Loss, Now};
use stead_runtime::blocking;

/// The answer.
#[derive(Clone, Debug)]
pub struct Survival {
    /// What each single failure does.
    pub losses: Vec<Loss>,
    /// Nodes that may be lost, whichever they are, before too few voters are left; `None` where too few are left now.
    pub spare_votes: Option<usize>,
    /// Nodes that may be lost, whichever they are, before the last copy of something is.
    pub spare_copies: usize,
    /// Nodes that have not yet all the copies that they should have.
    pub behind: Vec<NodeId>,
}

/// Sets of copies, and what they were made for.
pub(crate) type Sets = (u64, BTreeSet<Keep>, Arc<CopySets>);

impl RaftLog {
    /// What may fail, as things are now: `nodes` and `copies` say how they are.
    pub async fn survival(&self, nodes: &[NodeStatus], copies: &BTreeMap<NodeId, CopyProgress>) -> Survival {
        let belief = self.belief();
        let sets = self.copy_sets().await;
        let named = |keep: &dyn Fn(&NodeStatus) -> bool| -> BTreeSet<stead_plan::NodeId> {
            let kept = nodes.iter().filter(|node| keep(node));
            kept.map(|node| node.node.0.as_str().into()).collect()
        };
        let up = |node: &NodeStatus| node.up == Some(true);
        let has_all = |node: &NodeStatus| {
            self.alone()
                || copies.get(&node.node).is_some_and(|own| {
                    own.missing == 0 && own.level_at.is_some_and(|at| at >= node.described_at)
                })
        };
        let now = Now {
            map: belief.placement.map(),
            sets: &sets,
            voters: &named(&|node| node.voter),
            up: &named(&up),
            level: &named(&|node| up(node) && !node.witness && has_all(node)),
        };
        let (spare_votes, spare_copies) = now.spare();
        let behind = |node: &&NodeStatus| up(node) && !node.witness && !has_all(node);
        Survival {
            losses: now.losses(),
            spare_votes,
            spare_copies,
            behind: nodes
                .iter()
                .filter(behind)
                .map(|node| node.node.clone())
                .collect(),
        }
    }

    /// Which members have copies together, by what this node believes.
    async fn copy_sets(&self) -> Arc<CopySets> {
        let belief = self.belief();
        let wants = self.together.as_ref().and_then(|together| together.wants.clone());
        let known = self.sets.lock().clone();
        let made = blocking(move || {
            let mut kept = wants.map(|wants| wants.kept()).unwrap_or_default();
            // What is in no stripe of a striped bucket is kept as copies.
            kept.extend(kept.clone().into_iter().map(|keep| Keep::Copies(keep.copies())));
            kept.insert(Keep::Copies(USUAL_COPIES));
            if let Some((number, of, sets)) = known
                && number == belief.number
                && of == kept
            {
                return (number, of, sets);
            }
            let policies = kept.iter().filter_map(|keep| match keep {
                Keep::Copies(copies) => Policy::replicas(*copies).ok(),
                Keep::Stripes(scheme) => Policy::erasure(scheme.k, scheme.m).ok(),
            });
            let sets = CopySets::of(belief.placement.map(), &policies.collect());
            (belief.number, kept, Arc::new(sets))
        });
        let made: Sets = made.await;
        let sets = made.2.clone();
        *self.sets.lock() = Some(made);
        sets
    }
}
