//! When a writer is answered.

use crate::policy::most_of;

/// What a writer waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Most of a block's copies, wherever.
    #[default]
    Majority,
    /// Two nodes of the writer's own site, or the one that there is.
    Local,
    /// Most, and a node at another site, where there is another.
    AcrossSites,
}

/// How many copies, of so many, the writer waits for as long as somebody has not answered.
fn most(copies: usize) -> usize {
    copies / 2 + 1
}

/// What a block waits for. The node that writes it has it from the beginning, whether it is an owner or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Nodes that have it, the one that writes included.
    pub have: usize,
    /// Those that count for the quorum.
    pub near: usize,
    /// How many of these are waited for.
    pub wanted: usize,
    /// How many it takes at least.
    pub enough: usize,
    /// Whether a node at another site has to have it, and has.
    pub far: Option<bool>,
    when: When,
}

impl Need {
    /// Of a block with so many copies by its policy, where so many owners were found, so many of them are other
    /// nodes at the writer's site, and members are `elsewhere` or not: at another site for certain. A writer that does
    /// not stay, because it is to give up what it has, counts for nothing where others are to hold the block.
    pub fn new(
        when: When,
        copies: usize,
        (owners, near): (usize, usize),
        elsewhere: bool,
        stays: bool,
    ) -> Self {
        let of = owners.min(copies);
        let own = usize::from(stays || of == 0);
        let of_near = match when {
            When::Local => own + near,
            _ => of,
        };
        Self {
            have: own,
            near: own,
            wanted: match when {
                When::Local => of_near.min(2),
                _ => most(of),
            },
            enough: match when {
                When::Local => most_of(of_near).min(2),
                _ => most_of(of),
            },
            far: (when == When::AcrossSites && elsewhere && of > 1).then_some(false),
            when,
        }
    }

    /// One more node has it.
    pub fn note(&mut self, is_far: bool) {
        self.have += 1;
        if !(is_far && self.when == When::Local) {
            self.near += 1;
        }
        self.far = self.far.map(|had| had || is_far);
    }

    /// Whether nobody is waited for any longer.
    pub fn is_met(&self) -> bool {
        self.near >= self.wanted && self.far != Some(false)
    }

    /// Whether the writer is answered when all that were asked have answered or failed.
    pub fn is_enough(&self) -> bool {
        self.near >= self.enough && self.far != Some(false)
    }

    /// Whether a node that is no owner has to hold it meanwhile, because it would be on one alone.
    pub fn is_alone(&self) -> bool {
        self.have < 2 && self.wanted > self.near
    }
}

/// How many pieces of a stripe are still to be sent to nodes other than the writer: together these have to have as many
/// as give all of it back.
pub fn pieces_lacking(needed: usize, there: usize) -> usize {
    needed.saturating_sub(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_three_are_waited_for_and_of_two_one_may_be_away() {
        let mut three = Need::new(When::Majority, 3, (3, 2), false, true);
        assert!(!three.is_met() && !three.is_enough() && three.is_alone());
        three.note(false);
        assert!(three.is_met() && three.is_enough() && !three.is_alone());
        let two = Need::new(When::Majority, 2, (2, 1), false, true);
        assert!(!two.is_met() && two.is_enough() && two.is_alone());
        assert!(Need::new(When::Majority, 1, (1, 0), false, true).is_met());
    }

    #[test]
    fn a_writer_that_drains_is_no_copy_unless_nobody_else_is_to_have_one() {
        let mut leaves = Need::new(When::Majority, 3, (1, 1), false, false);
        assert!(!leaves.is_enough() && leaves.is_alone());
        leaves.note(false);
        assert!(leaves.is_met());
        assert!(Need::new(When::Majority, 3, (0, 0), false, false).is_enough());
    }

    #[test]
    fn another_site_counts_where_it_is_asked_for() {
        let mut across = Need::new(When::AcrossSites, 3, (3, 1), true, true);
        across.note(false);
        assert!(!across.is_met());
        across.note(true);
        assert!(across.is_met());
        let mut local = Need::new(When::Local, 3, (3, 1), true, true);
        local.note(true);
        assert!(!local.is_met() && local.is_enough());
    }
}
