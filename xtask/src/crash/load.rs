//! The mixed load: small, large, multipart, overwrite, delete, and reads of what was just acknowledged.

use super::model::{Found, Key, Value};
use crate::client::{Call, CallError, Client};
use crate::content::Random;
use std::sync::atomic::{AtomicBool, Ordering};

/// The bucket of everything.
pub const BUCKET: &str = "crash";
const KEYS: usize = 40;

/// One client with its own keys.
pub struct Worker {
    number: usize,
    random: Random,
    /// How heavy its objects may be: large ones and multipart uploads, or small ones only.
    heavy: bool,
    /// By number.
    pub keys: Vec<Key>,
    /// Writes acknowledged so far.
    pub acknowledged: u64,
}

impl Worker {
    /// Worker `number` of a run with `seed`.
    pub fn new(number: usize, seed: u64, heavy: bool) -> Self {
        let random = Random::new(seed.wrapping_add(number as u64 * 7_919));
        Self {
            number,
            random,
            heavy,
            keys: vec![Key::default(); KEYS],
            acknowledged: 0,
        }
    }

    /// The name of its key `at`.
    pub fn key(&self, at: usize) -> String {
        format!("worker-{}/key-{at:02}", self.number)
    }

    /// Works until the server is gone. An error that has another reason is a finding.
    pub fn work(&mut self, mut client: Client, killed: &AtomicBool) -> Result<(), String> {
        while !killed.load(Ordering::Relaxed) {
            let at = self.random.below(KEYS as u64) as usize;
            let key = self.key(at);
            match self.step(&mut client, at, &key) {
                Ok(()) => {}
                // It may be gone, or on its way out.
                Err(CallError::Broken(_)) if killed.load(Ordering::SeqCst) => return Ok(()),
                Err(CallError::Refused(503, _)) if killed.load(Ordering::SeqCst) => return Ok(()),
                Err(other) => return Err(format!("{key}: {other}")),
            }
        }
        Ok(())
    }

    fn step(&mut self, client: &mut Client, at: usize, key: &str) -> Call<()> {
        let state = match self.random.below(100) {
            0..=39 => Some(self.small()),
            40..=49 if self.heavy => Some(self.small()),
            // The least of what is not sent beside its event: many, so that syncs and writes meet.
            40..=61 if !self.heavy => Some(self.whole(65_537, 300_000)),
            50..=61 => Some(self.whole(65_537, 1 << 20)),
            62..=67 if self.heavy => Some(self.whole(1 << 20, 6 << 20)),
            68..=70 if self.heavy => Some(Value::in_parts(&mut self.random)),
            71..=85 => None,
            _ => return self.read(client, at, key),
        };
        self.keys[at].pending = Some(state.clone());
        match &state {
            Some(value) => write(client, key, value)?,
            None => client.delete(BUCKET, key)?,
        }
        self.keys[at].settled = state;
        self.keys[at].pending = None;
        self.acknowledged += 1;
        Ok(())
    }

    fn small(&mut self) -> Value {
        let length = match self.random.below(12) {
            0 => 0,
            1 => 65_536,
            _ => self.random.below(30_000) as usize,
        };
        Value::whole(&mut self.random, length)
    }

    fn whole(&mut self, least: u64, most: u64) -> Value {
        let length = least + self.random.below(most - least);
        Value::whole(&mut self.random, length as usize)
    }

    /// A client sees its own writes.
    fn read(&mut self, client: &mut Client, at: usize, key: &str) -> Call<()> {
        let found = fetch(client, key)?;
        self.keys[at].settle(found.as_ref()).map_err(CallError::Wrong)
    }
}

/// Gets an object.
pub fn fetch(client: &mut Client, key: &str) -> Call<Option<Found>> {
    let Some(answer) = client.get(BUCKET, key)? else {
        return Ok(None);
    };
    let etag = answer
        .head
        .get("etag")
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned();
    Ok(Some(Found {
        bytes: answer.body,
        etag,
    }))
}

fn write(client: &mut Client, key: &str, value: &Value) -> Call<()> {
    let parts = value.part_bytes();
    if let [whole] = parts.as_slice() {
        return client.put(BUCKET, key, whole).map(drop);
    }
    let upload = client.start_upload(BUCKET, key)?;
    let mut etags = Vec::new();
    for (number, part) in (1..).zip(&parts) {
        etags.push(client.put_part(BUCKET, key, &upload, number, part)?);
    }
    client.complete_upload(BUCKET, key, &upload, &etags).map(drop)
}
