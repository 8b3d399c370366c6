//! A file's bytes in two states: as seen, and as kept by the last sync.

use crate::content::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes in a page: what a disk is assumed to write whole.
pub const PAGE: u64 = 4_096;

/// One state.
#[derive(Clone, Default)]
struct State {
    length: u64,
    /// A page that is not here is all zero.
    pages: BTreeMap<u64, Arc<Vec<u8>>>,
}

/// Both.
#[derive(Default)]
pub struct Pages {
    seen: State,
    kept: State,
    /// Pages changed since the last sync.
    changed: BTreeSet<u64>,
    /// Whether the file was cut shorter since the last sync.
    shortened: bool,
}

impl Pages {
    /// As seen, in bytes.
    pub fn length(&self) -> u64 {
        self.seen.length
    }

    /// Reads at most `count` bytes.
    pub fn read(&self, offset: u64, count: u64) -> Vec<u8> {
        let end = self.seen.length.min(offset.saturating_add(count));
        let mut out = Vec::with_capacity(end.saturating_sub(offset) as usize);
        let mut at = offset;
        while at < end {
            let (page, within) = (at / PAGE, (at % PAGE) as usize);
            let length = (PAGE as usize - within).min((end - at) as usize);
            match self.seen.pages.get(&page) {
                Some(bytes) => out.extend_from_slice(&bytes[within..within + length]),
                None => out.resize(out.len() + length, 0),
            }
            at += length as u64;
        }
        out
    }

    /// Whether a page of these bytes was never written.
    pub fn has_holes(&self, offset: u64, count: u64) -> bool {
        let mut pages = offset / PAGE..(offset + count).div_ceil(PAGE);
        pages.any(|page| !self.seen.pages.contains_key(&page))
    }

    /// Writes, making the file longer where needed.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (page, within) = (at / PAGE, (at % PAGE) as usize);
            let length = (PAGE as usize - within).min(rest.len());
            let entry = self
                .seen
                .pages
                .entry(page)
                .or_insert_with(|| Arc::new(vec![0; PAGE as usize]));
            Arc::make_mut(entry)[within..within + length].copy_from_slice(&rest[..length]);
            self.changed.insert(page);
            (at, rest) = (at + length as u64, &rest[length..]);
        }
        self.seen.length = self.seen.length.max(offset + bytes.len() as u64);
    }

    /// Sets the length.
    pub fn resize(&mut self, length: u64) {
        if length < self.seen.length {
            self.shortened = true;
            self.seen.cut_at(length);
            self.changed.insert(length / PAGE);
        }
        self.seen.length = length;
    }

    /// What is seen is kept.
    pub fn sync(&mut self) {
        if std::mem::take(&mut self.shortened) {
            self.kept = self.seen.clone();
        } else {
            for page in &self.changed {
                if let Some(bytes) = self.seen.pages.get(page) {
                    self.kept.pages.insert(*page, Arc::clone(bytes));
                }
            }
            self.kept.length = self.seen.length;
        }
        self.changed.clear();
    }

    /// What was not kept is gone; `torn` lets some of it through. Answers how many bytes were lost.
    pub fn cut(&mut self, torn: Option<&mut Random>) -> u64 {
        let mut lost = 0;
        let unsynced = std::mem::take(&mut self.changed);
        let mut after = self.kept.clone();
        let mut random = torn;
        if self.seen.length != self.kept.length && random.as_mut().is_some_and(|random| random.below(2) == 0)
        {
            after.length = self.seen.length;
        }
        for page in unsynced {
            let got_through = random.as_mut().is_some_and(|random| random.below(2) == 0);
            match self.seen.pages.get(&page) {
                Some(bytes) if got_through => drop(after.pages.insert(page, Arc::clone(bytes))),
                _ => lost += PAGE,
            }
        }
        let length = after.length;
        after.cut_at(length);
        self.kept = after.clone();
        self.seen = after;
        self.shortened = false;
        lost
    }
}

impl State {
    /// Nothing at or behind `length` is left.
    fn cut_at(&mut self, length: u64) {
        self.pages.split_off(&length.div_ceil(PAGE));
        let within = (length % PAGE) as usize;
        if within > 0
            && let Some(last) = self.pages.get_mut(&(length / PAGE))
        {
            Arc::make_mut(last)[within..].fill(0);
        }
    }
}
