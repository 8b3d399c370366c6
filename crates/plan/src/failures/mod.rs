//! What can be lost: what each failure does to data and to service, what helps, and labs that bear what is asked.
//!
//! Owns: forecasts. They go by the lab's power and network, and by the functions that the cluster itself places copies
//! and chooses voters with. Promises: pure, and the same answer for the same lab.
//!
//! How failures are taken:
//! - A disk, a machine and a building that fail never come back, nor does what was on them. All else takes service
//!   away and no data.
//! - A verdict is of the time before anything is mended, and before the cluster makes new copies (after ten minutes).
//! - A UPS without input goes on with its load. The verdict is of that time, and [`Beyond`] says what comes when the
//!   battery is empty.
//! - A machine's system is on its first disk that holds no data, or on its first disk: if that one fails, the machine
//!   stops.
//! - The members that vote are the first of the file, five at most, an odd number; a vote of one that drains or is down
//!   goes to another where there is one.

mod all;
mod bits;
mod close;
mod copies;
mod failure;
mod findings;
mod fixes;
mod graph;
mod judge;
mod network;
pub(crate) mod prices;
mod reasons;
mod report;
mod verdict;
mod words;

pub use all::{Counts, Doubles, Pair, Single, WORST};
pub use failure::{Failure, FailureKind, Named};
pub use fixes::{Fix, badness, fixes, per_year, risk};
pub use judge::Forecaster;
pub use reasons::{Reason, ReasonKind, line};
pub use report::{Report, WhatIf};
pub use verdict::{Beyond, Outcome, Verdict};
pub use words::{MAX_WORDS, NotUnderstood, Understood, understand};
