//! What is lost comes back, whichever it is; what is no stripe is none.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn data(sizes: &[usize]) -> Vec<Block> {
    let bytes = |seed: usize, size: usize| {
        (0..size)
            .map(|at| (at * 31 + seed * 7) as u8)
            .collect::<Vec<u8>>()
    };
    let block = |(seed, size): (usize, &usize)| Block::raw(bytes(seed, *size).into());
    sizes.iter().enumerate().map(block).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_k_pieces_give_back_every_other(
        k in 2u8..6,
        m in 1u8..4,
        sizes in proptest::collection::vec(1usize..3000, 2..6),
        lost in any::<u64>(),
    ) {
        let scheme = Scheme::new(k, m).expect("a scheme");
        let data = data(&sizes[..sizes.len().min(k.into())]);
        let (stripe, parity) = Stripe::code(scheme, &data).expect("coded");
        let bytes: HashMap<Cid, Bytes> =
            data.iter().chain(&parity).map(|block| (block.cid, block.bytes.clone())).collect();
        let mut pieces: Vec<(usize, Bytes)> =
            stripe.pieces().map(|(number, cid)| (number, bytes[&cid].clone())).collect();
        let mut lots = lost;
        for _ in 0..m {
            pieces.remove((lots % pieces.len() as u64) as usize);
            lots /= 7;
        }
        for (number, cid) in stripe.pieces() {
            let others: Vec<_> = pieces.iter().filter(|(other, _)| *other != number).cloned().collect();
            if others.len() >= stripe.needed() {
                prop_assert_eq!(&stripe.restore(&cid, &others).expect("restored"), &bytes[&cid]);
            }
        }
        pieces.truncate(stripe.needed() - 1);
        let gone = stripe.pieces().find(|(number, _)| pieces.iter().all(|(other, _)| other != number));
        prop_assert!(stripe.restore(&gone.expect("one is lost").1, &pieces).is_err());
    }
}

#[test]
fn a_stripe_reads_back_from_its_block() {
    let (stripe, _) = Stripe::code(Scheme { k: 4, m: 2 }, &data(&[10, 2, 7])).expect("coded");
    let block = stripe.block().expect("a block");
    assert_eq!(Stripe::read(&block.cid, &block.bytes), Some(stripe.clone()));
    let links = crate::ipld::links(&block.cid, &block.bytes).expect("links");
    assert_eq!(links.len(), 5, "the collector finds every piece");
    assert!(read_list(&block.cid, &block.bytes).is_none());
    let raw = Block::raw(block.bytes);
    assert!(Stripe::read(&raw.cid, &raw.bytes).is_none());
}

#[test]
fn a_piece_that_is_not_what_it_is_called_gives_nothing_back() {
    let blocks = data(&[100, 100]);
    let (stripe, parity) = Stripe::code(Scheme { k: 2, m: 1 }, &blocks).expect("coded");
    let mut changed = parity[0].bytes.to_vec();
    changed[0] ^= 1;
    let pieces = [(0, blocks[0].bytes.clone()), (2, Bytes::from(changed))];
    assert!(matches!(
        stripe.restore(&blocks[1].cid, &pieces),
        Err(BlockError::Mismatch(_))
    ));
}

#[test]
fn long_lists_are_lists_of_lists() {
    let scheme = Scheme { k: 2, m: 1 };
    let mut blocks = HashMap::new();
    let mut stripes = Vec::new();
    for number in 0..3u8 {
        let pieces = [
            Block::raw(vec![number; 9].into()),
            Block::raw(vec![number, 1].into()),
        ];
        let stripe = Stripe::code(scheme, &pieces)
            .expect("coded")
            .0
            .block()
            .expect("a block");
        stripes.push(stripe.cid);
        blocks.insert(stripe.cid, stripe.bytes);
    }
    let many: Vec<Cid> = stripes.iter().cycle().take(LIST * 2 + 5).copied().collect();
    let listed = list(scheme, many.clone()).expect("listed");
    assert_eq!(listed.len(), 4);
    let root = listed.last().expect("a root").cid;
    blocks.extend(listed.into_iter().map(|block| (block.cid, block.bytes)));
    let mut found = Vec::new();
    each(root, &mut |cid| Ok(blocks[cid].clone()), &mut |cid, _| {
        found.push(cid)
    })
    .expect("read");
    assert_eq!(found, many);
    assert!(list(scheme, Vec::new()).expect("nothing").is_empty());
}

#[test]
fn what_people_type_reads_back() {
    for text in ["1", "5", "2+1", "12+4"] {
        assert_eq!(text.parse::<Keep>().expect(text).to_string(), text);
    }
    for text in ["", "0", "6", "1+1", "13+1", "4+5", "4+", "a", "2+1+1", "-1"] {
        assert!(text.parse::<Keep>().is_err(), "{text}");
    }
}
