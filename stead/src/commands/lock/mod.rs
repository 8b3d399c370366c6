//! `lock`: named locks for programs.

mod acquire;
mod child;
mod run;

use crate::args::{Global, LockCommand};
use crate::client::{Needs, Url, find};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use http::Method;
use stead_client::wire;

fn url(name: &str) -> Url {
    Url::new("/api/v1/locks").key(name)
}

pub(super) async fn run(global: &Global, command: LockCommand) -> Result<u8, Failure> {
    match command {
        LockCommand::Run(wanted) => run::run(global, wanted).await,
        LockCommand::List => list(global).await,
        LockCommand::Show { name } => show(global, &name).await,
        LockCommand::Acquire { name, how } => {
            let client = find(global, Needs::Node).await?;
            let held = acquire::acquire(&client, &name, &how).await?.lock;
            match global.json {
                true => output::json(&held),
                false => output::line(held.token),
            }
            Ok(failure::OK)
        }
        LockCommand::Renew { name, token } => {
            let client = find(global, Needs::Node).await?;
            client.put(url(&name), &wire::RenewLock { token }).await?;
            done(global, &name, "renewed");
            Ok(failure::OK)
        }
        LockCommand::Release { name, token } => {
            let client = find(global, Needs::Node).await?;
            let url = url(&name).with("fencing_token", &token.to_string());
            client.call(Method::DELETE, url).await?;
            done(global, &name, "released");
            Ok(failure::OK)
        }
        LockCommand::Break { name } => {
            let client = find(global, Needs::Node).await?;
            client
                .call(Method::DELETE, url(&name).with("force", "true"))
                .await?;
            done(global, &name, "broken");
            Ok(failure::OK)
        }
    }
}

fn done(global: &Global, name: &str, what: &str) {
    match global.json {
        true => output::json(&serde_json::json!({ "name": name, what: true })),
        false => output::line(format_args!("lock {name} {what}")),
    }
}

async fn list(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let held: wire::Page<wire::Lock> = client.all(Url::new("/api/v1/locks")).await?;
    if global.json {
        output::json(&serde_json::json!({ "locks": held.items }));
        return Ok(failure::OK);
    }
    let columns = [
        ("LOCK", Align::Left),
        ("TOKEN", Align::Right),
        ("HELD BY", Align::Left),
        ("USER", Align::Left),
        ("SINCE", Align::Left),
        ("LEASE", Align::Right),
    ];
    let mut table = Table::new(&columns).or("no lock is held");
    for lock in &held.items {
        table.row([
            lock.name.clone(),
            lock.token.to_string(),
            lock.owner.clone(),
            lock.actor.clone(),
            output::moment(lock.since),
            output::duration(lock.ttl_s),
        ]);
    }
    table.print();
    Ok(failure::OK)
}

async fn show(global: &Global, name: &str) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let lock: wire::Lock = match client.get(url(name)).await {
        Ok(lock) => lock,
        Err(failure) if failure.is(codes::NO_SUCH_LOCK) && !global.json => {
            output::line(format_args!("nobody holds lock {name}"));
            return Ok(failure::FAILED);
        }
        Err(failure) => return Err(failure),
    };
    match global.json {
        true => output::json(&lock),
        false => output::line(format_args!(
            "lock {} is held by {} ({}) since {}, token {}, lease {}",
            lock.name,
            lock.owner,
            lock.actor,
            output::moment(lock.since),
            lock.token,
            output::duration(lock.ttl_s),
        )),
    }
    Ok(failure::OK)
}
