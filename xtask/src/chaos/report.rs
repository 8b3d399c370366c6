//! What a run came to, for people and for programs.

use super::lock::verdict::Judged as Locks;
use super::verdict::Judged;
use super::workload::Tally;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// All of it.
#[derive(Default)]
pub struct Report {
    /// Repeats the run.
    pub seed: u64,
    /// `3 nodes`, `2 nodes and a witness`, …
    pub about: String,
    /// Kinds of faults that are not possible here, and why.
    pub left_out: Vec<String>,
    /// Of the load and its faults.
    pub took: Duration,
    /// Operations on registers.
    pub registers: Tally,
    /// Operations recorded, the last reads among them.
    pub recorded: usize,
    /// Writes of the clients that list.
    pub listing: Tally,
    /// Lists that were compared.
    pub lists: u64,
    /// By kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// After each round.
    pub recoveries: Vec<Duration>,
    /// Bytes that simulated disks forgot.
    pub dropped: u64,
    /// Stretches of packs that hold no record, after power cuts.
    pub holes: usize,
    /// From the end of the load to all logs ending the same.
    pub converged: Option<Duration>,
    /// What the histories came to.
    pub judged: Judged,
    /// Calls about locks, and writes fenced with them.
    pub locking: Tally,
    /// What these came to; nothing where the nodes know no locks.
    pub locks: Option<Locks>,
    /// After all healed, how long a new client waited for a lock at most.
    pub fresh_lock: Option<Duration>,
    /// Everything that must not be, in words.
    pub wrong: Vec<String>,
}

/// What servers said of what they did not do.
fn said(tally: &Tally) -> String {
    let said = tally.said.iter().map(|(what, count)| format!("{count} × {what}"));
    said.collect::<Vec<String>>().join(", ")
}

impl Report {
    fn recovery_s(&self, part: f64) -> f64 {
        let mut all = self.recoveries.clone();
        all.sort_unstable();
        let at = ((all.len() as f64 - 1.0) * part).round().max(0.0) as usize;
        all.get(at).map_or(0.0, Duration::as_secs_f64)
    }

    /// For a person.
    pub fn text(&self) -> String {
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let Tally {
            done,
            unknown,
            refused,
            ..
        } = &self.registers;
        let mut lines = vec![
            format!(
                "chaos: {}, --seed {}, {:.0} s of load",
                self.about,
                self.seed,
                self.took.as_secs_f64()
            ),
            format!("faults          {}", faults.join(", ")),
            format!(
                "registers       {done} done, {unknown} unknown, {refused} refused or not asked; {} recorded",
                self.recorded
            ),
            format!("answers         {}", said(&self.registers)),
            format!(
                "keys            {} in order, {} not, {} undecided; the longest history has {} operations",
                self.judged.in_order,
                self.judged.violations.len(),
                self.judged.undecided.len(),
                self.judged.longest
            ),
            format!(
                "spoiled         {} histories with a stale read put in, all refused",
                self.judged.spoiled
            ),
            format!(
                "lists           {} compared, {} writes done, {} unknown",
                self.lists, self.listing.done, self.listing.unknown
            ),
            self.locks_text(),
            format!(
                "recovery        every node stores again {:.1} s after a round (median; most {:.1} s, {} rounds)",
                self.recovery_s(0.5),
                self.recovery_s(1.0),
                self.recoveries.len()
            ),
        ];
        if let Some(converged) = self.converged {
            lines.push(format!(
                "converged       {:.1} s after the load, same heads everywhere",
                converged.as_secs_f64()
            ));
        }
        if self.dropped > 0 {
            lines.push(format!(
                "disks           {} MiB of unsynced pages were dropped; {} stretches of packs hold no record since",
                self.dropped >> 20,
                self.holes
            ));
        }
        lines.extend(self.left_out.iter().map(|what| format!("left out        {what}")));
        lines.extend(self.wrong.iter().map(|what| format!("WRONG           {what}")));
        lines.join("\n")
    }

    fn locks_text(&self) -> String {
        let Some(locks) = &self.locks else {
            return "locks           none: the nodes do not know them".to_owned();
        };
        let fresh_s = self.fresh_lock.map_or(f64::NAN, |took| took.as_secs_f64());
        format!(
            "locks           {} possessions ({} sure for a while), {} renewals, {} told that it is lost, {} broken\n\
             fenced writes   {} accepted, {} refused; {} reads of them; of all calls {} unknown, {} taken or not asked\n\
             answers         {}\n\
             spoiled locks   {}: all refused\n\
             a lock afresh   {fresh_s:.1} s after all healed, at most",
            locks.possessions,
            locks.sure,
            locks.renewals,
            locks.lost,
            locks.breaks,
            locks.accepted,
            locks.refused,
            locks.reads,
            locks.unknown,
            self.locking.refused,
            said(&self.locking),
            locks.spoiled.join(", ")
        )
    }

    fn locks_json(&self) -> Value {
        self.locks.as_ref().map_or(Value::Null, |locks| {
            json!({
                "possessions": locks.possessions,
                "sure": locks.sure,
                "renewals": locks.renewals,
                "lost": locks.lost,
                "broken": locks.breaks,
                "writes_accepted": locks.accepted,
                "writes_refused": locks.refused,
                "reads": locks.reads,
                "unknown": locks.unknown,
                "said": self.locking.said,
                "violations": locks.violations,
                "spoiled_refused": locks.spoiled,
                "fresh_s": self.fresh_lock.map(|took| took.as_secs_f64()),
            })
        })
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let tally = |tally: &Tally| json!({"done": tally.done, "unknown": tally.unknown, "refused": tally.refused, "said": tally.said});
        json!({
            "seed": self.seed,
            "about": self.about,
            "left_out": self.left_out,
            "seconds": self.took.as_secs_f64(),
            "registers": tally(&self.registers),
            "recorded": self.recorded,
            "listing": tally(&self.listing),
            "lists": self.lists,
            "faults": self.faults,
            "recovery_median_s": self.recovery_s(0.5),
            "recovery_most_s": self.recovery_s(1.0),
            "dropped_bytes": self.dropped,
            "holes": self.holes,
            "converged_s": self.converged.map(|time| time.as_secs_f64()),
            "keys_in_order": self.judged.in_order,
            "keys_undecided": self.judged.undecided,
            "violations": self.judged.violations,
            "longest_history": self.judged.longest,
            "spoiled_refused": self.judged.spoiled,
            "locks": self.locks_json(),
            "wrong": self.wrong,
        })
    }
}
