//! Who votes: the rule that the cluster keeps and the planner counts by.
//!
//! Promises: an odd number votes, [`MOST`] at most.

use std::collections::BTreeSet;

/// The most members that vote.
pub const MOST: usize = 5;

/// The largest odd number of voters that so many members can be.
pub fn odd(members: usize) -> usize {
    let most = members.min(MOST);
    if most.is_multiple_of(2) {
        most.saturating_sub(1)
    } else {
        most
    }
}

/// Voters that have to be together to decide anything.
pub fn quorum(voters: usize) -> usize {
    voters / 2 + 1
}

/// Who should vote, where that is not who does: voters that are there, then those who could be one in their order, and
/// voters that are lost only where there is nobody else.
pub fn better<T: Copy + Ord>(
    voters: &BTreeSet<T>,
    lost: impl Fn(&T) -> bool,
    spare: &[T],
) -> Option<BTreeSet<T>> {
    let (gone, mut wanted): (Vec<T>, Vec<T>) = voters.iter().copied().partition(lost);
    let target = odd(voters.len() + spare.len());
    let missing = target.saturating_sub(wanted.len());
    wanted.extend(spare.iter().take(missing));
    let missing = target.saturating_sub(wanted.len());
    wanted.extend(gone.iter().take(missing));
    let wanted: BTreeSet<T> = wanted.into_iter().collect();
    (wanted.len() == target && wanted != *voters).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_number_votes_and_five_at_most() {
        let voters: Vec<usize> = (0..9).map(odd).collect();
        assert_eq!(voters, [0, 1, 1, 3, 3, 5, 5, 5, 5]);
    }

    #[test]
    fn a_lost_voter_gives_its_vote_to_another_where_there_is_one() {
        let voters = BTreeSet::from([1, 2, 3]);
        let better = |lost: u64, spare: &[u64]| better(&voters, |voter| *voter == lost, spare);
        assert_eq!(better(2, &[4]), Some(BTreeSet::from([1, 3, 4])));
        assert_eq!(better(2, &[]), None);
        assert_eq!(better(0, &[4]), None);
        assert_eq!(better(0, &[4, 5]), Some(BTreeSet::from([1, 2, 3, 4, 5])));
    }
}
