//! Makes the next segment ready beforehand, on a thread of its own, so that going to it costs the writer
//! nothing.

use super::segment::{self, Segment};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use stead_runtime::{TaskKind, Tasks};

/// Asks for segments and receives them.
pub struct Preparer {
    /// Taken away to end the thread.
    requests: Option<mpsc::Sender<(u64, u64)>>,
    made: mpsc::Receiver<(u64, io::Result<Segment>)>,
    asked: Option<u64>,
}

impl Preparer {
    /// Starts the thread; it ends with the preparer.
    pub fn start(dir: PathBuf, tasks: &Tasks) -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel();
        let (outbox, made) = mpsc::channel();
        tasks.thread(TaskKind::Core, "wal-prepare", move || {
            while let Ok((number, size)) = inbox.recv() {
                if outbox
                    .send((number, segment::create(&dir, number, size)))
                    .is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self {
            requests: Some(requests),
            made,
            asked: None,
        })
    }

    /// Asks for segment `number`, unless that is under way.
    pub fn ask(&mut self, number: u64, size: u64) {
        let Some(requests) = &self.requests else { return };
        if self.asked != Some(number) && requests.send((number, size)).is_ok() {
            self.asked = Some(number);
        }
    }

    /// Segment `number`, waiting for it.
    pub fn take(&mut self, number: u64, size: u64) -> io::Result<Segment> {
        loop {
            self.ask(number, size);
            let (found, made) = self.made.recv().map_err(io::Error::other)?;
            self.asked = None;
            if found == number {
                return made;
            }
        }
    }
}

impl Drop for Preparer {
    /// Waits for the thread, so that nothing changes in the directory afterwards.
    fn drop(&mut self) {
        self.requests = None;
        while self.made.recv().is_ok() {}
    }
}
