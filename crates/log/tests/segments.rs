//! Writing, rotation, rollback, reopening, and reading along.
#![allow(clippy::unwrap_used)] // a failure is a panic

mod common;

use common::{draft, files, lines, node, options, seal_all, seqs, tail, write, writer};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use stead_event::{ChainHead, Tenant};
use stead_log::{LogPoint, SegmentError, SegmentWriter, Tail, scan, unsealed, verify};

fn main() -> Tenant {
    Tenant::main()
}

#[test]
fn segments_are_plain_text_named_by_their_first_position() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 20, 2000);
    let files = files(dir.path());
    assert!(files.len() >= 3);
    let mut text = Vec::new();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let first = 1 + memchr::memchr_iter(b'\n', &text).count();
        assert_eq!(name, format!("{first:020}.jsonl"));
        assert!(bytes.ends_with(b"\n"));
        text.extend(bytes);
    }
    let mut head = ChainHead::default();
    for (line, point) in text
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .zip(&points[1..])
    {
        head.follow(line).unwrap();
        assert_eq!(head, point.head);
    }
    assert_eq!(head.seq, 20);
    assert_eq!(verify(dir.path(), &main(), &mut |_| {}).unwrap().head, head);
}

#[test]
fn a_replay_writes_the_same_bytes_from_any_point() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 30, 3000);
    let before: Vec<_> = files(dir.path())
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    for sealed in [false, true] {
        for point in points.iter().rev() {
            if sealed {
                seal_all(dir.path());
            }
            let mut writer = writer(dir.path(), *point, 3000);
            for number in point.head.seq + 1..=30 {
                writer
                    .push(draft(number, &format!("bucket-{number}")), &node())
                    .unwrap();
            }
            writer.sync().unwrap();
            assert_eq!(writer.point(), points[30]);
            assert_eq!(lines(dir.path()).len(), 30, "from {point:?}, sealed {sealed}");
            for file in files(dir.path())
                .iter()
                .filter(|file| file.extension().is_some_and(|e| e == "cut"))
            {
                std::fs::remove_file(file).unwrap();
            }
            if !sealed {
                let now: Vec<_> = files(dir.path())
                    .iter()
                    .map(|file| std::fs::read(file).unwrap())
                    .collect();
                assert!(now == before, "from {point:?}");
            }
        }
    }
}

#[test]
fn opening_cuts_off_what_was_not_committed() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 30, 3000);
    let writer = writer(dir.path(), points[12], 3000);
    assert_eq!((writer.head().seq, writer.point()), (12, points[12]));
    assert_eq!(
        verify(dir.path(), &main(), &mut |_| {}).unwrap().head,
        points[12].head
    );
}

#[test]
fn a_point_that_the_log_does_not_reach_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 5, 1 << 20);
    let beyond = LogPoint {
        offset: points[5].offset + 1,
        ..points[5]
    };
    let missing = LogPoint {
        segment: 99,
        ..points[5]
    };
    for at in [beyond, missing] {
        let refused = SegmentWriter::open(dir.path(), &main(), at, options(1 << 20));
        assert!(
            matches!(refused, Err(SegmentError::NoSuchPoint { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(lines(dir.path()).len(), 5);
}

#[test]
fn a_failed_flush_can_be_repeated_or_rolled_back() {
    if rustix::process::geteuid().is_root() {
        // Root is not kept out by permissions, so the obstacle is a directory in the new segment's place.
        obstructed(|dir, first| {
            let path = dir.join(format!("main/{first:020}.jsonl"));
            std::fs::create_dir(&path).unwrap();
            Box::new(move || std::fs::remove_dir(&path).unwrap())
        });
    } else {
        obstructed(|dir, _| {
            let own = dir.join("main");
            std::fs::set_permissions(&own, PermissionsExt::from_mode(0o500)).unwrap();
            Box::new(move || std::fs::set_permissions(&own, PermissionsExt::from_mode(0o700)).unwrap())
        });
    }
}

type Clear = Box<dyn FnOnce()>;

fn obstructed(obstruct: impl Fn(&std::path::Path, u64) -> Clear) {
    for roll_back in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path(), LogPoint::default(), 1000);
        writer.push(draft(1, "one"), &node()).unwrap();
        writer.flush().unwrap();
        let before = writer.point();
        let mut first = 0;
        for number in 2..=20 {
            writer.push(draft(number, "more"), &node()).unwrap();
            if first == 0 && writer.point().segment > 1 {
                first = writer.point().segment;
            }
        }
        let clear = obstruct(dir.path(), first);
        assert!(matches!(writer.flush(), Err(SegmentError::Io { .. })));
        clear();
        if roll_back {
            writer.rollback(before).unwrap();
            assert_eq!(writer.point(), before);
            for number in 2..=20 {
                writer.push(draft(number, "more"), &node()).unwrap();
            }
        }
        writer.sync().unwrap();
        assert_eq!(
            verify(dir.path(), &main(), &mut |_| {}).unwrap().head,
            writer.head()
        );
        assert_eq!(writer.head().seq, 20);
    }
}

#[test]
fn a_full_disk_is_told_and_the_writer_goes_on_when_there_is_room() {
    // A file size limit would kill the process and a small file system needs root, so the full device is
    // put in the new segment's place.
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), LogPoint::default(), 100);
    writer.push(draft(1, "one"), &node()).unwrap();
    writer.flush().unwrap();
    let before = writer.point();
    let path = dir.path().join(format!("main/{:020}.jsonl", 2));
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    writer.push(draft(2, "two"), &node()).unwrap();
    assert!(writer.flush().unwrap_err().is_full());
    writer.rollback(before).unwrap();
    assert!(!path.exists(), "the rollback removes what it made");
    writer.push(draft(2, "two"), &node()).unwrap();
    writer.sync().unwrap();
    assert_eq!(
        verify(dir.path(), &main(), &mut |_| {}).unwrap().head,
        writer.head()
    );
}

#[test]
fn the_tail_reads_any_range_of_open_and_sealed_segments() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 3000, 200_000);
    let head = points[3000].head;
    let all = lines(dir.path());
    let shared = tail(dir.path(), head);
    for round in 0..3 {
        for from in [1, 2, 255, 256, 257, 1023, 2999, 3000, 700, 1] {
            let read = shared.read(&main(), from, 40).unwrap();
            assert_eq!(read.len() as u64, 40.min(3001 - from));
            for (line, seq) in read.iter().zip(from..) {
                assert_eq!((line.seq, &line.bytes[..]), (seq, &all[seq as usize - 1][..]));
                assert_eq!(line.event().unwrap().seq, seq);
                assert_eq!(Some(line.cid()), points[seq as usize].head.cid);
            }
        }
        assert_eq!(seqs(&shared, 0, 2), [1, 2]);
        assert_eq!(seqs(&shared, 3001, 2), [0; 0]);
        assert_eq!(seqs(&shared, 5, 0), [0; 0]);
        assert_eq!(seqs(&shared, 1, usize::MAX).len(), 3000);
        // Sealing happens under the readers.
        if round == 0 {
            assert!(seal_all(dir.path()) > 3);
            assert!(unsealed(dir.path(), &main()).unwrap().is_empty());
        }
        assert_eq!(Tail::open(dir.path()).unwrap().head(&main()), head);
    }
    assert_eq!(verify(dir.path(), &main(), &mut |_| {}).unwrap().head, head);
    assert_eq!(lines(dir.path()), all);
}

#[test]
fn nothing_past_the_published_head_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), LogPoint::default(), 1500);
    let tail = Tail::open(dir.path()).unwrap();
    assert!(tail.tenants().is_empty());
    assert_eq!(tail.head(&main()), ChainHead::default());
    let mut kept = writer.point();
    for round in 0..40_u64 {
        for number in 0..3 {
            writer
                .push(draft(round, &format!("lost-{number}")), &node())
                .unwrap();
        }
        writer.flush().unwrap();
        assert_eq!(seqs(&tail, 1, 100).len() as u64, round);
        writer.rollback(kept).unwrap();
        writer.push(draft(round, "kept"), &node()).unwrap();
        writer.flush().unwrap();
        kept = writer.point();
        tail.publish(&main(), kept.head);
        assert_eq!(seqs(&tail, round + 1, 100), [round + 1]);
    }
    assert_eq!(tail.tenants(), [main()]);
    assert!(
        lines(dir.path())
            .iter()
            .all(|line| memchr::memmem::find(line, b"lost").is_none())
    );
}

#[test]
fn a_torn_last_line_is_not_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 9, 1 << 20);
    let file = files(dir.path()).pop().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(Tail::open(dir.path()).unwrap().head(&main()), points[8].head);
    assert_eq!(seqs(&Tail::open(dir.path()).unwrap(), 7, 9), [7, 8]);
}

#[tokio::test]
async fn a_subscriber_sees_each_line_once_as_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let tail = Tail::open(dir.path()).unwrap();
    let write = async {
        let mut writer = writer(dir.path(), LogPoint::default(), 2000);
        for number in 1..=50 {
            writer.push(draft(number, "live"), &node()).unwrap();
            writer.flush().unwrap();
            tail.publish(&main(), writer.head());
            tokio::task::yield_now().await;
        }
    };
    let follow = async {
        let mut seen = Vec::new();
        while seen.len() < 50 {
            let at = seen.len() as u64;
            tail.wait_past(&main(), at).await;
            seen.extend(tail.read(&main(), at + 1, 7).unwrap().iter().map(|line| line.seq));
        }
        seen
    };
    let both = tokio::time::timeout(Duration::from_secs(20), futures::future::join(write, follow));
    assert_eq!(both.await.unwrap().1, (1..=50).collect::<Vec<_>>());
}

#[test]
fn a_scan_begins_anywhere_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 40, 2000);
    seal_all(dir.path());
    for from in [0, 1, 2, 17, 39, 40] {
        let mut seen = Vec::new();
        let head = scan(dir.path(), &main(), from, &mut |event, _| {
            seen.push(event.seq);
            ControlFlow::Continue(())
        });
        assert_eq!(head.unwrap(), points[40].head);
        assert_eq!(seen, (from.max(1)..=40).collect::<Vec<_>>());
    }
    let stopped = scan(dir.path(), &main(), 1, &mut |event, _| match event.seq {
        13 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(stopped.unwrap(), points[13].head);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Pushes, flushes, rollbacks, syncs, sealings and reopenings in any order leave what was kept.
    #[test]
    fn the_writer_against_a_model(steps in proptest::collection::vec((0u8..8, any::<prop::sample::Index>()), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path(), LogPoint::default(), 700);
        let mut kept = vec![(writer.point(), String::new())];
        for (number, (step, pick)) in steps.into_iter().enumerate() {
            match step {
                0..=3 => {
                    let name = format!("bucket-{number}");
                    writer.push(draft(number as u64, &name), &node()).unwrap();
                    kept.push((writer.point(), name));
                }
                4 => writer.flush().unwrap(),
                5 => {
                    kept.truncate(1 + pick.index(kept.len()));
                    writer.rollback(kept[kept.len() - 1].0).unwrap();
                }
                6 => writer.sync().unwrap(),
                _ => {
                    writer.sync().unwrap();
                    seal_all(dir.path());
                    kept.truncate(1 + pick.index(kept.len()));
                    drop(writer);
                    writer = common::writer(dir.path(), kept[kept.len() - 1].0, 700);
                }
            }
        }
        writer.sync().unwrap();
        let mut names = Vec::new();
        let head = scan(dir.path(), &main(), 1, &mut |event, _| {
            names.push(event.stream.clone());
            ControlFlow::Continue(())
        });
        prop_assert_eq!(head.unwrap(), kept[kept.len() - 1].0.head);
        let expected: Vec<_> = kept[1..].iter().map(|(_, name)| format!("bucket/{name}")).collect();
        prop_assert_eq!(names, expected);
    }
}
