//! Who holds a block, and when a node may give one up.
//!
//! A node gives a copy up when every owner has said that it has one. So that two nodes never rely on each other, it
//! says so only while it believes itself to be an owner, and gives up only while it has believed since before it asked
//! that it is none. If each of two relied on the other's yes, each would have believed to be an owner and not to be one
//! at the same moment.

use crate::map::NodeId;
use crate::place::Placer;
use std::collections::BTreeSet;

/// The nodes with a copy of a block, by its key.
pub fn copy_holders(placer: &Placer, key: &[u8]) -> Vec<NodeId> {
    let placed = placer.place(key).copies;
    placed.into_iter().map(|copy| copy.node).collect()
}

/// Who holds which piece of a stripe, by the piece's number. Where there are fewer places than pieces, some hold
/// several; nobody where there is no place at all.
pub fn piece_holders<T: Clone>(placed: &[T], pieces: usize) -> Vec<T> {
    placed.iter().cycle().take(pieces).cloned().collect()
}

/// Whether a block belongs to others now. What belongs to nobody is kept.
pub fn is_surplus<T: PartialEq>(owners: &[T], own: &T) -> bool {
    !owners.is_empty() && !owners.contains(own)
}

/// Whether a node may say that it has a block, so that others may give theirs up: it has it whole, and believes to be
/// one of its owners.
pub fn may_promise<T: PartialEq>(owners: &[T], own: &T, is_whole: bool) -> bool {
    is_whole && owners.contains(own)
}

/// Whether every owner has said that it has a block.
pub fn all_have<T>(owners: &[T], has: impl FnMut(&T) -> bool) -> bool {
    !owners.is_empty() && owners.iter().all(has)
}

/// Whether a node that asked the owners under one belief may give up under another, by their numbers.
pub fn may_give_up(asked_under: u64, now: u64) -> bool {
    asked_under == now
}

/// Whether a node may say which of its blocks belong to one that asks and goes by this membership: only while it knows
/// that membership itself. By an older one it would leave out what belongs to who asks since, and who asks would count
/// itself as having everything.
pub fn may_list<M: Ord>(known: M, asked: M) -> bool {
    known >= asked
}

/// Whether a node has all that it should have: it has compared its blocks with those of every other, but for members
/// that are out, of whom nothing is needed because others hold it.
pub fn is_level<'n, T: Ord + 'n>(
    mut others: impl Iterator<Item = &'n T>,
    compared: &BTreeSet<T>,
    out: &BTreeSet<T>,
) -> bool {
    others.all(|node| compared.contains(node) || out.contains(node))
}

/// Whether a node has all that it should have by this membership, and by no other: one that knows a later one may have
/// been level for that, which took less.
pub fn is_level_at<M: PartialEq>(level_at: Option<M>, membership: M) -> bool {
    level_at == Some(membership)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_owns_nothing_gives_up_only_what_every_owner_has() {
        assert!(is_surplus(&["a", "b"], &"c") && !is_surplus(&["a", "c"], &"c"));
        assert!(!is_surplus(&[], &"c"), "what is nobody's is kept");
        assert!(all_have(&["a", "b"], |_| true) && !all_have(&["a", "b"], |node| *node == "a"));
        assert!(!all_have(&[] as &[&str], |_| true));
        assert!(may_give_up(4, 4) && !may_give_up(4, 5));
    }

    #[test]
    fn who_believes_to_own_nothing_promises_nothing() {
        assert!(may_promise(&["a"], &"a", true));
        assert!(!may_promise(&["a"], &"a", false) && !may_promise(&["a"], &"b", true));
    }

    #[test]
    fn who_knows_less_than_who_asks_lists_nothing() {
        assert!(may_list((2, 9), (2, 9)) && may_list((3, 1), (2, 9)) && !may_list((2, 8), (2, 9)));
    }

    #[test]
    fn level_for_another_membership_is_not_level_for_this_one() {
        assert!(is_level_at(Some(4), 4) && !is_level_at(Some(5), 4) && !is_level_at(None, 4));
    }

    #[test]
    fn pieces_go_round_where_there_are_few_places() {
        assert_eq!(piece_holders(&["a", "b"], 5), ["a", "b", "a", "b", "a"]);
        assert!(piece_holders::<&str>(&[], 3).is_empty());
    }

    #[test]
    fn whoever_is_out_need_not_be_compared_with() {
        let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        let others = ["a", "b"];
        assert!(is_level(others.iter(), &set(&["a"]), &set(&["b"])));
        assert!(!is_level(others.iter(), &set(&["a"]), &set(&[])));
    }
}
