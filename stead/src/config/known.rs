//! Which settings there are, which of them all nodes may share, and which count at once.

use crate::settings::Settings;
use serde_json::Value;

/// Settings that all nodes may share and that count at once, by their tables.
const LIVE: &[&str] = &["copies", "scrub", "gc"];
/// Others that all nodes may share: they count after a restart.
const SHARED: &[&str] = &[
    "drain.seconds",
    "ipfs.bitswap",
    "ipfs.bitswap_peers",
    "mesh.announce",
    "power.every_seconds",
    "power.stop_below_percent",
    "power.stop_below_seconds",
    "power.stop_seconds",
    "power.unknown_grace_seconds",
    "s3.domains",
    "s3.lifecycle_day_seconds",
    "storage.cache_mib",
    "storage.reserve_mib",
    "storage.segment_mib",
    "web.hosts",
];
/// Settings whose values may hold logins or keys.
const SECRET: &[&str] = &["power.sources", "power.ups", "webhook"];

/// Whether a change counts at once.
pub(crate) fn is_live(name: &str) -> bool {
    name.split_once('.')
        .is_some_and(|(table, _)| LIVE.contains(&table))
}

/// Whether all nodes may share it.
pub(crate) fn is_shared(name: &str) -> bool {
    is_live(name) || SHARED.contains(&name)
}

/// What may be shown of a value.
pub(crate) fn shown(name: &str, value: Value) -> Value {
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match SECRET.contains(&name) && !is_empty {
        true => Value::String("(set; not shown)".into()),
        false => value,
    }
}

/// Every setting by its whole name, with its value.
pub(crate) fn leaves(settings: &Settings) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    // Settings are tables of values that JSON has.
    if let Ok(value) = serde_json::to_value(settings) {
        collect(&value, "", &mut found);
    }
    found
}

fn collect(value: &Value, name: &str, found: &mut Vec<(String, Value)>) {
    let Some(fields) = value.as_object() else {
        return found.push((name.to_owned(), value.clone()));
    };
    for (field, value) in fields {
        let below = match name {
            "" => field.clone(),
            name => format!("{name}.{field}"),
        };
        collect(value, &below, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_settings_says_which_are_shared_and_count_at_once() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
        let page = std::fs::read_to_string(page).unwrap();
        for (name, _) in leaves(&Settings::default()) {
            let row = page
                .lines()
                .find(|line| line.starts_with(&format!("| `{name}` |")))
                .unwrap();
            let last = match (is_live(&name), is_shared(&name)) {
                (true, _) => "| no; shared |",
                (false, true) => "| yes; shared |",
                (false, false) => "| yes |",
            };
            assert!(row.ends_with(last), "{name} is to end with {last}");
        }
    }

    #[test]
    fn what_is_shared_is_there_and_what_is_a_machine_s_own_is_not_shared() {
        let all: Vec<String> = leaves(&Settings::default())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for name in SHARED.iter().chain(SECRET) {
            assert!(all.iter().any(|known| known == name), "{name}");
        }
        let mut own: Vec<&str> = all.iter().map(String::as_str).collect();
        own.retain(|name| !is_shared(name));
        own.sort_unstable();
        let wanted = [
            "api.listen",
            "ipfs.bitswap_listen",
            "ipfs.listen",
            "mesh.listen",
            "node.circuit",
            "node.rack",
            "node.site",
            "node.switch",
            "power.breaker_watts",
            "power.sources",
            "power.ups",
            "power.ups_nodes",
            "s3.listen",
            "storage.blocks",
            "storage.capacity_gib",
            "web.listen",
            "webhook",
        ];
        assert_eq!(own, wanted);
    }
}
