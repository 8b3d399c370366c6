//! Whether a document of shared settings may be set.

use super::known::{is_shared, leaves};
use crate::settings::Settings;
use stead_plan::lab::nearest;

/// Bytes of a document at most.
pub const DOCUMENT_BYTES: usize = 64 * 1024;

/// The settings that a document makes of the defaults.
///
/// # Errors
/// Why it may not be set, in words that name the setting.
pub fn check(document: &str) -> Result<Settings, String> {
    if document.len() > DOCUMENT_BYTES {
        return Err(format!("the document has more than {DOCUMENT_BYTES} bytes"));
    }
    let table: toml::Table = document
        .parse()
        .map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let known = leaves(&Settings::default());
    for name in names(&table) {
        if !known.iter().any(|(known, _)| *known == name) {
            let near = nearest(&name, known.iter().map(|(name, _)| name.as_str()));
            let hint = near
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            return Err(format!("there is no setting {name}{hint}"));
        }
        if !is_shared(&name) {
            return Err(format!(
                "{name} is each node's own: it stands in that node's stead.toml, and cannot be shared"
            ));
        }
    }
    Settings::parse(document)
}

/// Whole names of what a document sets.
pub(super) fn names(table: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (field, value) in table {
        match value {
            toml::Value::Table(below) => {
                names.extend(below.keys().map(|name| format!("{field}.{name}")));
            }
            _ => names.push(field.clone()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |document: &str| check(document).unwrap_err();
        assert!(check("[gc]\nretention_days = 7\n[s3]\ndomains = [\"a.example\"]\n").is_ok());
        assert!(wrong("[gc]\nretention_day = 7").contains("did you mean gc.retention_days?"));
        assert!(wrong("[node]\nsite = \"a\"").contains("each node's own"));
        assert!(wrong("[[webhook]]\nname = \"a\"").contains("webhook is each node's own"));
        assert!(wrong("[gc]\nretention_days = -1").contains("retention_days"));
        assert!(wrong("[gc]\nretention_days = 99999999").contains("gc.retention_days is 99999999"));
        assert!(wrong("[gc]\nretention_days = \"a\"").contains("invalid type"));
        assert!(wrong("gc = 1").contains("there is no setting gc"));
        assert!(wrong("[gc").contains("expected"));
        assert!(wrong(&format!("# {}", "a".repeat(DOCUMENT_BYTES))).contains("more than"));
        assert!(check("").is_ok());
    }
}
