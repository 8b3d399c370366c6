//! Any change to the log is found and named, is never read as data, and keeps to its own segment.
#![allow(clippy::unwrap_used)] // a failure is a panic

mod common;

use common::{files, lines, seal_all, tail, write};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use stead_event::{ChainHead, Tenant};
use stead_log::{
    Damage, DamageKind, LogPoint, SegmentError, compress, install_sealed, longest_valid, unsealed, verify,
    verify_with,
};

fn main() -> Tenant {
    Tenant::main()
}

fn check(dir: &Path, expected: ChainHead) -> Option<Damage> {
    match verify_with(dir, &main(), Some(expected), &mut |_| {}) {
        Ok(verified) => {
            assert_eq!(verified.head, expected);
            None
        }
        Err(SegmentError::Damaged(damage)) => Some(damage),
        Err(other) => panic!("{other}"),
    }
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let text = std::fs::read(path).unwrap();
    let mut all: Vec<Vec<u8>> = text
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    change(&mut all);
    std::fs::write(path, all.concat()).unwrap();
}

#[test]
fn each_kind_of_damage_names_segment_line_and_position() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let text = |line: &mut Vec<u8>, from: &str, to: &str| {
        *line = String::from_utf8(line.clone())
            .unwrap()
            .replace(from, to)
            .into_bytes();
    };
    let _ = text;
    let cases: [(&str, Change, u64); 7] = [
        ("changed", |all| replace(&mut all[2], "bucket-3", "bucket-4"), 3),
        (
            "renamed actor in the last line",
            |all| replace(&mut all[9], "ana", "eve"),
            10,
        ),
        ("missing", |all| drop(all.remove(4)), 5),
        ("doubled", |all| all.insert(4, all[4].clone()), 6),
        ("reordered", |all| all.swap(4, 5), 5),
        ("truncated", |all| all.truncate(7), 8),
        ("torn", |all| assert_eq!(all[9].pop(), Some(b'\n')), 10),
    ];
    for (name, change, position) in cases {
        let dir = tempfile::tempdir().unwrap();
        let points = write(dir.path(), 10, 1 << 20);
        assert!(check(dir.path(), points[10].head).is_none());
        let file = files(dir.path()).pop().unwrap();
        rewrite(&file, change);
        let damage = check(dir.path(), points[10].head).expect(name);
        assert_eq!(
            (damage.position, damage.line),
            (position, position),
            "{name}: {damage}"
        );
        assert_eq!(damage.segment, file, "{name}");
        assert!(
            damage.to_string().contains(&format!("position {position}")),
            "{name}: {damage}"
        );
    }
}

fn replace(line: &mut Vec<u8>, from: &str, to: &str) {
    *line = String::from_utf8(line.clone())
        .unwrap()
        .replace(from, to)
        .into_bytes();
}

#[test]
fn the_one_of_two_neighbours_that_was_changed_is_named() {
    for (field, position) in [("bucket-5", 5), ("\"prev\":{\"/\":\"bagu", 5)] {
        let dir = tempfile::tempdir().unwrap();
        let points = write(dir.path(), 10, 1 << 20);
        let other = points[2].head.cid.unwrap().to_string();
        rewrite(&files(dir.path())[0], |all| match field {
            "bucket-5" => replace(&mut all[4], field, "bucket-x"),
            _ => replace(&mut all[4], &points[4].head.cid.unwrap().to_string(), &other),
        });
        let damage = check(dir.path(), points[10].head).unwrap();
        assert!(matches!(damage.source, DamageKind::Changed(5)), "{damage}");
        assert_eq!(damage.position, position);
        let salvage = longest_valid(dir.path(), &main(), LogPoint::default(), &mut |_, _| {
            ControlFlow::Continue(())
        });
        assert_eq!(salvage.unwrap().point, points[4]);
    }
}

#[test]
fn a_damaged_line_still_proves_the_one_before_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 10, 1 << 20);
    let file = files(dir.path())[0].clone();
    // The sixth line is no event any more; the fifth is as it was.
    rewrite(&file, |all| replace(&mut all[5], "\"actor\"", "\"octor\""));
    let shared = tail(dir.path(), points[10].head);
    assert_eq!(common::seqs(&shared, 5, 1), [5]);
    assert!(shared.read(&main(), 6, 1).is_err());
    assert_eq!(common::seqs(&shared, 7, 9), [7, 8, 9, 10]);
    // Now the fifth is another event, and only the sixth could have told.
    rewrite(&file, |all| replace(&mut all[4], "bucket-5", "bucket-x"));
    let shared = tail(dir.path(), points[10].head);
    assert!(shared.read(&main(), 5, 1).is_err());
    assert_eq!(common::seqs(&shared, 3, 9), [3, 4]);
}

#[test]
fn a_missing_segment_is_named_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 40, 3000);
    let all = files(dir.path());
    let gone = all[1].clone();
    let first: u64 = gone.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let next: u64 = all[2].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    std::fs::remove_file(&gone).unwrap();
    assert_eq!(check(dir.path(), points[40].head).unwrap().position, first);
    let shared = tail(dir.path(), points[40].head);
    assert_eq!(common::seqs(&shared, 1, 100), (1..first).collect::<Vec<_>>());
    assert!(shared.read(&main(), first, 1).is_err());
    assert_eq!(common::seqs(&shared, next, 100), (next..=40).collect::<Vec<_>>());
}

#[test]
fn every_flipped_bit_of_a_sealed_segment_is_found_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 24, 3000);
    seal_all(dir.path());
    let all = lines(dir.path());
    let file = files(dir.path())[1].clone();
    let first: u64 = file.file_name().unwrap().to_str().unwrap()[..20].parse().unwrap();
    let good = std::fs::read(&file).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&file, &bad).unwrap();
        let damage = check(dir.path(), points[24].head).unwrap_or_else(|| panic!("byte {at} is not missed"));
        assert_eq!(
            (&damage.segment, damage.position),
            (&file, first),
            "byte {at}: {damage}"
        );
        let shared = tail(dir.path(), points[24].head);
        assert_eq!(common::seqs(&shared, 1, 100), (1..first).collect::<Vec<_>>());
        assert!(
            shared
                .read(&main(), first, 1)
                .unwrap_err()
                .to_string()
                .contains(file.to_str().unwrap())
        );
        assert_eq!(shared.read(&main(), 24, 1).unwrap()[0].bytes, all[23]);
    }
}

#[test]
fn other_tools_read_a_sealed_segment_of_many_frames() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 9000, 4 << 20);
    let plain = std::fs::read(&files(dir.path())[0]).unwrap();
    assert!(plain.len() > 3 << 20);
    assert_eq!(seal_all(dir.path()), 0, "the open segment is not sealed");
    // One more line makes the segment a rotated one.
    let mut writer = common::writer(dir.path(), points[9000], 1 << 20);
    writer.push(common::draft(1, "next"), &common::node()).unwrap();
    writer.sync().unwrap();
    assert_eq!(seal_all(dir.path()), 1);
    let sealed = std::fs::read(&files(dir.path())[0]).unwrap();
    assert!(sealed.len() < plain.len() / 3);
    assert!(zstd::stream::decode_all(&sealed[..]).unwrap() == plain);
    if let Ok(tool) = Command::new("zstdcat").arg(&files(dir.path())[0]).output() {
        assert!(tool.stdout == plain);
    }
    assert_eq!(
        common::seqs(&tail(dir.path(), writer.head()), 8999, 9),
        [8999, 9000, 9001]
    );
}

#[test]
fn a_damaged_segment_is_not_sealed_and_a_damaged_compression_not_installed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 30, 3000);
    let candidate = unsealed(dir.path(), &main()).unwrap().remove(0);
    let compressed = compress(&candidate).unwrap();
    let good = std::fs::read(&compressed).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    std::fs::write(&compressed, bad).unwrap();
    assert!(matches!(
        install_sealed(&candidate, &compressed),
        Err(SegmentError::Damaged(_))
    ));
    assert!(candidate.path.exists());
    let other = compress(&unsealed(dir.path(), &main()).unwrap()[1]).unwrap();
    assert!(install_sealed(&candidate, &other).is_err());
    rewrite(&candidate.path, |all| {
        let last = all.len() - 1;
        replace(&mut all[last], "ana", "eve");
    });
    assert!(matches!(compress(&candidate), Err(SegmentError::Damaged(_))));
}

#[test]
fn an_empty_log_verifies_and_one_that_should_not_be_does_not() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        verify(dir.path(), &main(), &mut |_| {}).unwrap().head,
        ChainHead::default()
    );
    let points = write(dir.path(), 3, 1 << 20);
    for file in files(dir.path()) {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(check(dir.path(), points[3].head).unwrap().position, 1);
}

#[derive(Clone, Debug)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Swap(prop::sample::Index, prop::sample::Index),
    Delete(prop::sample::Index),
    Double(prop::sample::Index),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
}

fn harm() -> impl Strategy<Value = Harm> {
    use prop::sample::Index;
    prop_oneof![
        4 => (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Harm::Swap(a, b)),
        1 => any::<Index>().prop_map(Harm::Delete),
        1 => any::<Index>().prop_map(Harm::Double),
        1 => any::<Index>().prop_map(Harm::Cut),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Harm::Insert(at, byte)),
    ]
}

fn apply(harm: &Harm, path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    match harm {
        Harm::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Harm::Cut(at) => bytes.truncate(at.index(length)),
        Harm::Insert(at, byte) => bytes.insert(at.index(length), *byte),
        _ => {
            return rewrite(path, |all| match harm {
                Harm::Swap(a, b) => {
                    let count = all.len();
                    all.swap(a.index(count), b.index(count));
                }
                Harm::Delete(at) => drop(all.remove(at.index(all.len()))),
                Harm::Double(at) => {
                    let at = at.index(all.len());
                    all.insert(at, all[at].clone());
                }
                _ => {}
            });
        }
    }
    std::fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_harm_is_found_and_none_of_it_is_read(harm in harm(), which in any::<prop::sample::Index>(), sealed in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let points = write(dir.path(), 30, 3000);
        let good = lines(dir.path());
        if sealed {
            seal_all(dir.path());
        }
        let all = files(dir.path());
        let path = all[which.index(all.len())].clone();
        let compressed = path.extension().is_some_and(|e| e == "zst");
        prop_assume!(!compressed || matches!(harm, Harm::Flip(..) | Harm::Cut(_) | Harm::Insert(..)));
        let before = std::fs::read(&path).unwrap();
        apply(&harm, &path);
        prop_assume!(std::fs::read(&path).unwrap() != before);
        let head = points[30].head;
        let found = check(dir.path(), head);
        // What was added behind the last line is not part of the log that was asked about.
        let behind = std::fs::read(&path).unwrap().starts_with(&before);
        prop_assert!(found.is_some() || behind, "not found");

        // Whatever can be read is what was written.
        let shared = tail(dir.path(), head);
        for from in 1..=30 {
            for line in shared.read(&main(), from, 5).into_iter().flatten() {
                prop_assert_eq!(&line.bytes[..], &good[line.seq as usize - 1][..]);
            }
        }
        // What a rebuild would fold is a prefix of what was written.
        let mut folded = 0;
        let salvage = longest_valid(dir.path(), &main(), LogPoint::default(), &mut |event, line| {
            folded += 1;
            assert_eq!(event.seq, folded);
            // The very last line is proved by nothing here but the expected head.
            assert!(line == good[folded as usize - 1] || (folded == 30 && found.is_some()));
            ControlFlow::Continue(())
        }).unwrap();
        prop_assert_eq!(salvage.point.head.seq, folded);
        if folded < 30 {
            prop_assert_eq!(salvage.point, points[folded as usize]);
        }
    }
}
