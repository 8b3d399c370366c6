//! `key create|list|revoke`.

use crate::args::{Global, KeyCommand};
use crate::client::{Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use http::Method;
use stead_client::wire;
use stead_event::body::Scope;

pub(super) async fn run(global: &Global, command: KeyCommand) -> Result<u8, Failure> {
    match command {
        KeyCommand::Create {
            name,
            read_only,
            bucket,
        } => {
            let scope = Scope {
                read_only,
                buckets: bucket,
            };
            let client = find(global, Needs::Node).await?;
            let wanted = wire::CreateKey { name, scope };
            let key: wire::NewKey = client.post(Url::new("/api/v1/keys"), &wanted).await?;
            if global.json {
                output::json(&key);
            } else {
                output::line(format_args!(
                    "access key  {}\nsecret key  {}\nuser id     {}",
                    key.access_key, key.secret_key, key.id
                ));
                output::line("\nThe secret is shown this once; Stead keeps it sealed.");
            }
        }
        KeyCommand::List => {
            let client = find(global, Needs::Read).await?;
            let answer: wire::Page<wire::Key> = client.all(Url::new("/api/v1/keys")).await?;
            list(global, &answer);
        }
        KeyCommand::Revoke { access_key } => {
            let client = find(global, Needs::Node).await?;
            client
                .call(Method::DELETE, Url::new("/api/v1/keys").segment(&access_key))
                .await?;
            if global.json {
                output::json(&serde_json::json!({ "access_key": access_key, "revoked": true }));
            } else {
                output::line(format_args!("access key {access_key} revoked"));
            }
        }
    }
    Ok(failure::OK)
}

fn list(global: &Global, answer: &wire::Page<wire::Key>) {
    if global.json {
        output::json(&serde_json::json!({ "keys": answer.items }));
        return;
    }
    let columns = [
        ("ACCESS KEY", Align::Left),
        ("NAME", Align::Left),
        ("USER ID", Align::Left),
        ("MAY", Align::Left),
        ("CREATED", Align::Left),
        ("STATE", Align::Left),
    ];
    let mut table = Table::new(&columns).or("no access keys: `stead key create NAME` makes one");
    for key in &answer.items {
        let verb = if key.scope.read_only {
            "read"
        } else {
            "read and write"
        };
        let what = match key.scope.buckets.as_slice() {
            [] if key.scope.read_only || key.name == "root" => "everything".to_owned(),
            [] => "what is its user's".to_owned(),
            buckets => buckets.join(", "),
        };
        let state = key.revoked.map_or("active".to_owned(), |at| {
            format!("revoked {}", output::moment(at))
        });
        table.row([
            key.access_key.clone(),
            key.name.clone(),
            // Enough to tell users apart; --json has all of it.
            key.id.chars().take(12).collect(),
            format!("{verb} {what}"),
            output::moment(key.created),
            state,
        ]);
    }
    table.print();
}
