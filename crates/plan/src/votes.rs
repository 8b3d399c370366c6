//! Who votes: the rule that the cluster keeps and the planner counts by.
//!
//! Promises: an odd number votes, [`MOST`] at most.

use std::collections::BTreeSet;

/// The most members that vote.
pub const MOST: usize = 5;

/// How often whoever leads shows that it is there, in milliseconds.
pub const HEARTBEAT_MS: u64 = 200;
/// An election begins when nothing was heard of whoever leads for so long, in milliseconds: from, to. A voter that
/// has heard of it grants nobody else a vote for the longer time, and a leader answers reads for as long without
/// asking again.
pub const ELECTION_MS: (u64, u64) = (600, 1_200);

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

/// Entries that a follower may be behind and still be made a voter.
pub const NEAR: u64 = 64;

/// Whether a member that does not vote could: it is there, wants to stay, and its log is near the last entry.
pub fn is_fit(is_up: bool, draining: bool, matched: Option<u64>, last: u64) -> bool {
    is_up && !draining && matched.is_some_and(|at| at.saturating_add(NEAR) >= last)
}

/// Whether a voter's vote goes to another, where there is one: it drains, or was away too long.
pub fn is_lost(draining: bool, away_too_long: bool) -> bool {
    draining || away_too_long
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

/// Who votes when a voter goes for good: whoever leads, the other voters, then those who could be one in their order.
pub fn without<T: Copy + Ord>(voters: &BTreeSet<T>, gone: T, leader: T, spare: &[T]) -> BTreeSet<T> {
    let mut left = voters.clone();
    left.remove(&gone);
    let spare = spare
        .iter()
        .copied()
        .filter(|other| *other != gone && !left.contains(other));
    let spare: Vec<T> = spare.collect();
    let wanted = odd(left.len() + spare.len());
    let own = left.take(&leader);
    let ranked = own.into_iter().chain(left).chain(spare);
    ranked.take(wanted.max(1)).collect()
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
    fn whoever_leads_goes_on_voting_when_another_goes() {
        let voters = BTreeSet::from([1, 2, 3]);
        assert_eq!(without(&voters, 1, 3, &[]), BTreeSet::from([3]));
        assert_eq!(without(&voters, 1, 3, &[1, 4]), BTreeSet::from([2, 3, 4]));
    }

    #[test]
    fn whoever_is_far_behind_or_drains_does_not_come_to_vote() {
        assert!(is_fit(true, false, Some(936), 1_000) && !is_fit(true, false, Some(935), 1_000));
        assert!(
            !is_fit(false, false, Some(9), 9)
                && !is_fit(true, true, Some(9), 9)
                && !is_fit(true, false, None, 0)
        );
        assert!(is_lost(true, false) && is_lost(false, true) && !is_lost(false, false));
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
