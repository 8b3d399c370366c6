//! The event log: what may be appended and when, and the text that `tail`, `jq` and `sha256sum` can check.
//!
//! Owns: [`Append`] (events with preconditions), the [`Log`] trait that a driver implements, the
//! [`Machine`] trait that committed appends are applied to, segment files, verification, checkpoints.
//! Promises: an accepted append is in the chain once, whole, at consecutive positions.
//! Never: knows what consensus is, or what a view does with an event.
//!
//! # Segments, byte for byte
//!
//! A tenant's log is the files `<data>/log/<tenant>/<first>.jsonl`, `<first>` being the position of the
//! file's first line as 20 decimal digits with leading zeros. All of them in the order of their names are one
//! sequence of lines. Each line is an event as canonical DAG-JSON (`stead_event::event`) in UTF-8 and one
//! line feed (0x0A), which occurs nowhere else. The line at position N has `"seq":N` and, from position 2,
//! `"prev":{"/":C}` with C the CIDv1 (dag-json 0x0129, sha2-256 0x12) of the line before without its line
//! feed. A line is at most 16 MiB. A segment that has reached the rotation size (64 MiB) takes no further
//! line; the next line begins the next segment, whose file is made with it, so no segment is empty. Only the
//! last segment is written to. Other names in the directory (`*.tmp`, `*.cut`: uncommitted segments set
//! aside after a crash) are not part of the log.
//!
//! # Sealed segments
//!
//! `<first>.jsonl.zst` is the same lines compressed: independent zstd frames (RFC 8878) with content size and
//! checksum, each holding whole lines (closed at the first line feed at or after 1 MiB), and then one
//! skippable frame, which is the index, so that `zstdcat` prints the lines and a reader that wants one line
//! decompresses one frame. Numbers in the index are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | 0x184D2A5D, the skippable frame's magic number |
//! | 4 | bytes that follow |
//! | 48 × frames | 8: position of the frame's first line; 8: offset of the frame in the file; 32: sha2-256 of the compressed frame |
//! | 8 | the segment's last position plus one |
//! | 8 | bytes of all lines, uncompressed |
//! | 4 | number of frames |
//! | 32 | sha2-256 of the table from its first entry to here |
//! | 8 | `STEADIX1` |
//!
//! If a segment is there in both forms (a crash between the two steps of sealing), the uncompressed counts.
//!
//! # Checkpoints
//!
//! The text of a signed checkpoint, and what exactly is signed: [`checkpoint`].

pub mod checkpoint;
pub mod command;
pub mod conformance;
pub mod driver;
mod frames;
pub mod lease;
mod lines;
pub mod memory;
mod reader;
pub mod seal;
pub mod segment;
pub mod tail;
pub mod verify;
pub mod writer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use command::{Append, Appended, Draft, Expect, Precondition, Rejection};
pub use conformance::{Ledger, log_conformance};
pub use driver::{Committed, Log, LogError, Machine, MachineError, Marker, NextLines, Outcome};
pub use lease::{Leases, Renewal};
pub use memory::MemoryLog;
pub use seal::{SealCandidate, compress, install_sealed, unsealed};
pub use segment::{Damage, DamageKind, LogPoint, SegmentError, SegmentOptions, sealed_file};
pub use tail::{Line, Tail};
pub use verify::{Salvage, Verified, VerifyError, longest_valid, scan, verify, verify_with};
pub use writer::SegmentWriter;
