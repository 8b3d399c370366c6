//! The code that lets a node in: both ends compute it from their keys and a number that each has drawn.
//!
//! A node that finds a member by multicast cannot know whether somebody in between answers in that member's
//! place. So the code is a short authentication string (as in ZRTP, RFC 6189, section 7): the joiner commits itself to its
//! number by a hash, the member answers with its own, and only then the joiner reveals it. Whoever stands in between
//! has another key at each end, and would have to guess 29 bits at the first try for both ends to show the same
//! letters.

use sha2::{Digest, Sha256};
use stead_event::NodeId;

/// The letters of a code: no two look or sound alike.
const LETTERS: &[u8; 28] = b"ABCDEFGHJKLMNPQRSTUVWXYZ2346";
/// Letters of a code: 28^6 of them, half a thousand million.
const CODE: usize = 6;

/// A number that one end has drawn.
pub(crate) type Nonce = [u8; 32];

/// What the joiner commits itself by.
pub(crate) fn commitment(nonce: &Nonce) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"stead join commitment")
        .chain_update(nonce)
        .finalize()
        .into()
}

/// What both ends show.
pub(crate) fn code((joiner, drawn): (&NodeId, &Nonce), (member, answered): (&NodeId, &Nonce)) -> String {
    let mut digest = Sha256::new().chain_update(b"stead join code");
    for part in [joiner.0.as_bytes(), drawn, member.0.as_bytes(), answered] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let letter = |two: &[u8]| {
        let number = usize::from(u16::from_be_bytes([two[0], two[1]]));
        char::from(LETTERS[number % LETTERS.len()])
    };
    digest.chunks_exact(2).take(CODE).map(letter).collect()
}

/// A code as it is compared: as it is typed on a telephone's keyboard, too.
pub(crate) fn plain(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_in_between_makes_two_codes_of_one() {
        let [joiner, member, between] = ["aa", "bb", "cc"].map(|name| NodeId(name.repeat(32)));
        let (drawn, answered) = ([1; 32], [2; 32]);
        let shown = code((&joiner, &drawn), (&member, &answered));
        assert_eq!(shown, code((&joiner, &drawn), (&member, &answered)));
        assert_eq!(shown.len(), CODE);
        let to_joiner = code((&joiner, &drawn), (&between, &answered));
        let to_member = code((&between, &drawn), (&member, &answered));
        assert!(shown != to_joiner && shown != to_member && to_joiner != to_member);
        assert_ne!(commitment(&drawn), commitment(&answered));
    }

    #[test]
    fn a_code_may_be_typed_as_one_likes() {
        assert_eq!(plain(" abc-2 d4 "), "ABC2D4");
    }
}
