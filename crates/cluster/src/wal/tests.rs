//! Crashes and damage: whatever is done to the files, what is read back is a prefix of what was written or
//! all of it, and damage is told from a torn tail.

use super::*;
use crate::batch::Encoded;
use crate::testing::append;
use std::path::Path;

const SEGMENT: u64 = 4096;

fn options(dir: &Path, durable: Option<LogId>) -> WalOptions {
    WalOptions {
        dir: dir.to_owned(),
        segment_bytes: SEGMENT,
        recent_bytes: 0,
        durable,
        tasks: Tasks::new(),
        clock: Clock::system(),
    }
}

fn open(dir: &Path, durable: Option<u64>) -> Result<Wal, ClusterError> {
    Wal::open(options(dir, durable.map(|index| log_id(1, index))))
}

fn entry(index: u64, size: usize) -> Entry {
    let append = append(index, size);
    let cbor = crate::batch::encode(&append).expect("encodes");
    let batch = Batch::join(vec![Encoded { append, cbor }]);
    let payload = if index == 0 {
        Payload::Blank
    } else {
        Payload::Normal(batch)
    };
    Entry {
        log_id: log_id(1, index),
        payload,
    }
}

fn put(wal: &Wal, entries: Vec<Entry>) {
    let (send, receive) = mpsc::channel();
    wal.append(
        entries,
        Box::new(move |result| send.send(result).expect("is waited for")),
    )
    .expect("is taken");
    receive.recv().expect("is answered").expect("is written");
}

/// Ends the thread, so that the files are still.
fn close(wal: Wal) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(wal.stop());
}

fn all(wal: &Wal) -> Vec<Entry> {
    wal.read(0, u64::MAX, usize::MAX).expect("reads")
}

/// Writes `groups` of entries, each synced by itself, and answers all of them.
fn written(dir: &Path, groups: &[&[usize]]) -> Vec<Entry> {
    let wal = open(dir, None).expect("opens");
    let mut index = 0_u64;
    for group in groups {
        let entries: Vec<_> = group
            .iter()
            .zip(index..)
            .map(|(size, index)| entry(index, *size))
            .collect();
        index += entries.len() as u64;
        put(&wal, entries);
    }
    let entries = all(&wal);
    assert_eq!(entries.len() as u64, index);
    close(wal);
    entries
}

fn copy(from: &Path, to: &Path) {
    for old in std::fs::read_dir(to).expect("lists") {
        std::fs::remove_file(old.expect("an entry").path()).expect("removes");
    }
    for entry in std::fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copies");
    }
}

/// The bytes of the file up to the last that is not zero.
fn used(path: &Path) -> usize {
    let bytes = std::fs::read(path).expect("reads");
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

#[test]
fn entries_over_many_segments_are_read_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let sizes: Vec<usize> = (0..60).map(|n| n * 31 % 1500).collect();
    let groups: Vec<&[usize]> = sizes.chunks(4).collect();
    let entries = written(dir.path(), &groups);
    assert!(segment::list(dir.path()).expect("lists").len() > 5);
    for _ in 0..2 {
        let wal = open(dir.path(), None).expect("opens");
        assert_eq!(all(&wal), entries);
        assert_eq!(wal.bounds(), (None, Some(log_id(1, 59))));
        close(wal);
    }
}

#[test]
fn an_entry_larger_than_a_segment_has_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 10], &[60_000], &[20, 60_001, 30]]);
    let wal = open(dir.path(), None).expect("opens");
    assert_eq!(all(&wal), entries);
    close(wal);
}

#[test]
fn a_log_cut_at_any_byte_reads_as_a_prefix_and_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 50], &[10], &[100, 7]]);
    let file = segment::path(dir.path(), 1);
    let cut = tempfile::tempdir().expect("a directory");
    let whole = used(&file);
    let mut lengths = std::collections::BTreeSet::new();
    for end in 0..=whole.next_multiple_of(8) {
        copy(dir.path(), cut.path());
        let path = segment::path(cut.path(), 1);
        // Zeros behind, as a crash leaves it, or the file ending there, as a bad copy does.
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[end..].fill(0);
        if end % 2 == 1 {
            bytes.truncate(end);
        }
        std::fs::write(&path, &bytes).expect("writes");
        let wal = open(cut.path(), None).expect("a torn tail is no damage");
        let found = all(&wal);
        assert_eq!(found, entries[..found.len()], "cut at {end}");
        lengths.insert(found.len());
        let next = found.len() as u64;
        put(&wal, vec![entry(next, 40)]);
        close(wal);
        let wal = open(cut.path(), None).expect("opens");
        let again = all(&wal);
        assert_eq!(again[..found.len()], found);
        assert_eq!(again.len(), found.len() + 1, "cut at {end}");
        close(wal);
    }
    assert_eq!(lengths, (0..=entries.len()).collect());
}

#[test]
fn every_flipped_bit_is_mended_or_was_in_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 0], &[9]]);
    let file = segment::path(dir.path(), 1);
    let good = std::fs::read(&file).expect("reads");
    for bit in 0..(used(&file) + 128) * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &bytes).expect("writes");
        let recovered = recover::recover(&options(dir.path(), None)).expect("is mended");
        assert_eq!(recovered.state.end(), entries.len() as u64, "bit {bit}");
        assert_eq!(
            std::fs::read(&file).expect("reads"),
            good,
            "bit {bit} is mended in the file"
        );
    }
}

#[test]
fn damage_above_what_is_durable_is_refused_and_below_it_is_dropped() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 50], &[60], &[70], &[80]]);
    let damaged = tempfile::tempdir().expect("a directory");
    let file = segment::path(dir.path(), 1);
    let bytes = std::fs::read(&file).expect("reads");
    let starts = places(&bytes);
    // The first record starts the segment, the second is a blank entry without content.
    for (index, start) in starts.iter().skip(1).enumerate().skip(1) {
        for (from, length) in [(0, 3), (20, 30), (60, 10), (70, 200)] {
            let mut bad = bytes.clone();
            bad[start + from..start + from + length]
                .iter_mut()
                .for_each(|byte| *byte ^= 0x5a);
            for durable in std::iter::once(None).chain((0..entries.len()).map(Some)) {
                copy(dir.path(), damaged.path());
                let file = segment::path(damaged.path(), 1);
                std::fs::write(&file, &bad).expect("writes");
                let opened = open(damaged.path(), durable.map(|durable| durable as u64));
                let kept = match durable {
                    _ if index + 1 == entries.len() => 0..index, // nothing behind it: a torn tail
                    Some(durable) if durable >= index => durable + 1..entries.len(),
                    _ => {
                        let Err(ClusterError::Damaged(damage)) = opened else {
                            panic!("is served")
                        };
                        assert_eq!((damage.offset, damage.index), (*start as u64, Some(index as u64)));
                        assert_eq!(damage.file, file);
                        continue;
                    }
                };
                let wal = opened.expect("costs nothing");
                assert_eq!(all(&wal), entries[kept.clone()]);
                assert_eq!(
                    wal.bounds().0.map(|id| id.index + 1),
                    (kept.start > 0).then_some(kept.start as u64)
                );
                close(wal);
            }
        }
    }
}

/// Where the records of the first segment begin.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut at = 0;
    let mut places = Vec::new();
    while let Parsed::Record(header) = record::read(&bytes[at..], 1) {
        places.push(at);
        at += record::span(header.length as usize);
    }
    places
}

#[test]
fn what_was_not_synced_when_the_power_failed_is_cut_even_with_records_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 50], &[60, 70, 80]]);
    let file = segment::path(dir.path(), 1);
    let mut bytes = std::fs::read(&file).expect("reads");
    let places = places(&bytes);
    // Of the last group, the first entry's page did not reach the disk, the later ones' did.
    bytes[places[3]..places[4]].fill(0);
    std::fs::write(&file, &bytes).expect("writes");
    let wal = open(dir.path(), None).expect("it was never acknowledged");
    assert_eq!(all(&wal), entries[..2]);
    close(wal);
}

#[test]
fn a_lost_segment_is_damage_unless_it_is_durable_elsewhere() {
    let sizes = [900; 20];
    let groups: Vec<&[usize]> = sizes.chunks(1).collect();
    for lost in 1..=4 {
        let dir = tempfile::tempdir().expect("a directory");
        let entries = written(dir.path(), &groups);
        std::fs::remove_file(segment::path(dir.path(), lost)).expect("removes");
        match open(dir.path(), None) {
            Err(ClusterError::Damaged(damage)) => assert!(damage.to_string().contains("missing"), "{damage}"),
            // Without its first file the log looks like a purged one; the machine's marker tells.
            Ok(wal) => {
                assert_eq!(lost, 1);
                assert!(wal.bounds().0.is_some());
                close(wal);
            }
            Err(other) => panic!("{other}"),
        }
        let wal = open(dir.path(), Some(17)).expect("entry 17 and all before are elsewhere");
        assert!(entries.ends_with(&all(&wal)));
        assert_eq!(wal.bounds().1, Some(log_id(1, 19)));
        close(wal);
    }
}

#[test]
fn truncation_purge_and_gaps_are_remembered() {
    let dir = tempfile::tempdir().expect("a directory");
    let entries = written(dir.path(), &[&[0, 50, 60, 70, 80]]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let wait = |act: &dyn Fn(Done)| {
        let (send, receive) = mpsc::channel();
        act(Box::new(move |result| send.send(result).expect("is waited for")));
        receive.recv().expect("is answered").expect("is done");
    };
    let wal = open(dir.path(), None).expect("opens");
    wait(&|done| wal.truncate_after(Some(log_id(1, 2)), done));
    assert_eq!(all(&wal), entries[..3]);
    close(wal);
    let wal = open(dir.path(), None).expect("opens");
    assert_eq!(all(&wal), entries[..3]);
    put(&wal, vec![entry(3, 11)]);
    wait(&|done| wal.skip_to(log_id(2, 40), done));
    wal.purge(log_id(2, 40)).expect("purges");
    assert_eq!(wal.bounds(), (Some(log_id(2, 40)), Some(log_id(2, 40))));
    runtime.block_on(wal.stop());
    let wal = open(dir.path(), None).expect("opens");
    assert_eq!(wal.bounds(), (Some(log_id(2, 40)), Some(log_id(2, 40))));
    assert!(
        wal.append([entry(50, 0)], Box::new(|_| {})).is_ok(),
        "an empty log begins anywhere behind"
    );
    close(wal);
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    written(dir.path(), &[&[0]]);
    let file = segment::path(dir.path(), 1);
    let mut bytes = std::fs::read(&file).expect("reads");
    bytes[4] = 2;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &bytes[..56]);
    bytes[56..64].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&file, &bytes).expect("writes");
    assert!(matches!(
        open(dir.path(), None),
        Err(ClusterError::Newer {
            found: 2,
            known: 1,
            ..
        })
    ));
}

#[test]
fn a_full_disk_holds_up_writes_until_there_is_room() {
    let dir = tempfile::tempdir().expect("a directory");
    let wal = open(dir.path(), None).expect("opens");
    put(&wal, vec![entry(0, 0)]);
    std::thread::sleep(std::time::Duration::from_millis(100)); // the second segment is being made ready
    std::fs::write(dir.path().join("full"), b"").expect("writes");
    let (send, receive) = mpsc::channel();
    for index in 1..10 {
        let send = send.clone();
        let done: Done = Box::new(move |result| send.send((index, result)).expect("is waited for"));
        wal.append([entry(index, 2000)], done).expect("is taken");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let written =
        std::iter::from_fn(|| receive.recv_timeout(std::time::Duration::from_millis(300)).ok()).count();
    assert!(
        (1..9).contains(&written),
        "{written} entries fit in what was set aside"
    );
    assert!(wal.metrics.stalled.load(Ordering::SeqCst));
    assert_eq!(all(&wal).len(), 10, "what waits is readable");
    std::fs::remove_file(dir.path().join("full")).expect("removes");
    for (index, result) in receive.iter().take(9 - written) {
        assert!(result.is_ok(), "entry {index}");
    }
    assert!(!wal.metrics.stalled.load(Ordering::SeqCst));
    let entries = all(&wal);
    close(wal);
    let wal = open(dir.path(), None).expect("opens");
    assert_eq!(all(&wal), entries);
    close(wal);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    #[test]
    fn whatever_is_damaged_no_wrong_entry_is_read(
        sizes in proptest::collection::vec(0_usize..1800, 2..24),
        group in 1_usize..5,
        spots in proptest::collection::vec((0_usize..100_000, 1_usize..600, 0_u8..4), 1..4),
        durable in proptest::option::of(0_u64..24),
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let groups: Vec<&[usize]> = sizes.chunks(group).collect();
        let entries = written(dir.path(), &groups);
        let last = entries.len() as u64 - 1;
        let durable = durable.filter(|durable| *durable <= last);
        let numbers = segment::list(dir.path()).expect("lists");
        for (at, length, fill) in spots {
            let path = segment::path(dir.path(), numbers[at % numbers.len()]);
            let mut bytes = std::fs::read(&path).expect("reads");
            let at = (at / numbers.len()) % bytes.len();
            let end = (at + length).min(bytes.len());
            for byte in &mut bytes[at..end] {
                *byte = match fill { 0 => 0, 1 => !*byte, 2 => 0xff, _ => byte.wrapping_add(7) };
            }
            std::fs::write(&path, &bytes).expect("writes");
        }
        match open(dir.path(), durable) {
            Err(ClusterError::Damaged(_)) => {}
            Err(other) => panic!("{other}"),
            Ok(wal) => {
                let (purged, end) = wal.bounds();
                let found = all(&wal);
                let first = purged.map_or(0, |id| id.index + 1);
                for (entry, index) in found.iter().zip(first..) {
                    proptest::prop_assert_eq!(entry, &entries[index as usize]);
                }
                proptest::prop_assert_eq!(end.map_or(0, |id| id.index + 1), first + found.len() as u64);
                close(wal);
            }
        }
    }
}
