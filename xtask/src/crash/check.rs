//! After a restart: everything acknowledged is there, nothing half, the chain verifies, views equal a rebuild.

use super::load::{BUCKET, Worker, fetch};
use crate::server::{Server, Settings};
use crate::{Outcome, process};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every key of every worker, and that there are no others.
pub fn contents(server: &Server, workers: &mut [Worker]) -> Outcome {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let each = |worker| scope.spawn(move || keys(server, worker));
        let running: Vec<_> = workers.iter_mut().map(each).collect();
        let finish = |thread: std::thread::ScopedJoinHandle<'_, Vec<String>>| {
            thread
                .join()
                .unwrap_or_else(|_| vec!["the check panicked".to_owned()])
        };
        running.into_iter().flat_map(finish).collect()
    });
    if !wrong.is_empty() {
        return Err(wrong.join("\n").into());
    }
    listing(server, workers)
}

fn keys(server: &Server, worker: &mut Worker) -> Vec<String> {
    let mut client = server.client();
    let mut wrong = Vec::new();
    for at in 0..worker.keys.len() {
        let name = worker.key(at);
        let verdict = match fetch(&mut client, &name) {
            Ok(found) => worker.keys[at].settle(found.as_ref()),
            Err(why) => Err(why.to_string()),
        };
        wrong.extend(verdict.err().map(|why| format!("{name}: {why}")));
    }
    wrong
}

fn listing(server: &Server, workers: &[Worker]) -> Outcome {
    let mut expected = BTreeMap::new();
    for worker in workers {
        for (at, key) in worker.keys.iter().enumerate() {
            if let Some(value) = &key.settled {
                expected.insert(worker.key(at), value.length());
            }
        }
    }
    let listed: BTreeMap<String, u64> = server.client().list(BUCKET)?.into_iter().collect();
    if listed == expected {
        return Ok(());
    }
    let missing = expected
        .iter()
        .find(|(key, size)| listed.get(*key) != Some(*size));
    let extra = listed.iter().find(|(key, _)| !expected.contains_key(*key));
    Err(format!("the listing is wrong: missing or of another size {missing:?}, too many {extra:?}").into())
}

/// `stead log verify`
pub fn chain(settings: &Settings) -> Outcome {
    let said = process::output(&mut settings.stead(&["log", "verify", "--json"]));
    said.map(drop)
        .map_err(|why| format!("the chain does not verify: {why}").into())
}

/// `stead view rebuild`, which says whether what was there is what comes out.
pub fn rebuild(settings: &Settings) -> Outcome {
    let said = process::output(&mut settings.stead(&["view", "rebuild", "--json"]))?;
    let report: Value = said
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap_or_default();
    let report = if report.is_null() {
        serde_json::from_str(&said).unwrap_or_default()
    } else {
        report
    };
    match report["equal"].as_bool() {
        Some(true) => Ok(()),
        Some(false) => Err(format!("the views are not what a rebuild gives: {said}").into()),
        None => Err(format!("`view rebuild --json` does not say whether it is equal: {said}").into()),
    }
}
