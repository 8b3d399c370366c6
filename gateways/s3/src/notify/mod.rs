//! Bucket notifications: what happens to objects is told to webhooks, as S3 event messages.
//!
//! Owns: the configuration of a bucket ([`document`]), the records ([`record`]), and one task for each webhook
//! that reads the log and posts ([`pump`]). The log is the queue: a position in it is all that is remembered,
//! as a document of each bucket, so nothing is missed across restarts.
//! Promises: at least once, in the order of the log; a webhook that fails is tried again for ever, and holds up
//! no other and no writer; addresses that are not public are refused unless the webhook is declared so.
//! Never: follows a redirect, or sends what an object holds.

pub mod document;
mod pump;
mod record;
mod send;
mod tls;

use send::Place;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use stead_event::Position;
use stead_gateway::{Objects, TaskKind, WriteContext};

/// How an ARN of a webhook begins; its name follows.
pub const ARN: &str = "arn:stead:webhook:::";

/// A webhook, as the settings declare it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// Its name: the end of `arn:stead:webhook:::NAME`.
    pub name: String,
    /// Where messages are posted: `http[s]://host[:port]/path`.
    pub url: String,
    /// A file of certificates (PEM) that are trusted instead of the system's, with `https`.
    pub ca: Option<PathBuf>,
    /// What messages are signed with.
    pub secret: Option<String>,
    /// Whether its address may be private, or this machine's own.
    pub allow_private: bool,
}

impl Webhook {
    /// What is wrong with the declaration.
    ///
    /// # Errors
    /// A sentence for whoever wrote it.
    pub fn check(&self) -> Result<(), String> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(legal) {
            return Err(format!(
                "webhook.name is {:?}, and must be 1 to 64 letters, digits, '-', '_' and '.'",
                self.name
            ));
        }
        Place::parse(&self.url)
            .map(drop)
            .map_err(|why| format!("webhook {}: {why}", self.name))
    }
}

/// How a webhook does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Everything up to here has been told, or did not concern it.
    pub position: Position,
    /// Records that it took since the start of the node.
    pub delivered: u64,
    /// How often it did not take one since it last did, and why the last time.
    pub failing: Option<(u64, String)>,
}

/// The webhooks that are declared, and how they do. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    declared: Vec<Webhook>,
    states: Mutex<BTreeMap<String, State>>,
}

impl Webhooks {
    /// As declared.
    pub fn new(declared: Vec<Webhook>) -> Self {
        Self(Arc::new(Inner {
            declared,
            states: Mutex::default(),
        }))
    }

    /// Whether a name is declared.
    pub fn knows(&self, name: &str) -> bool {
        self.0.declared.iter().any(|webhook| webhook.name == name)
    }

    /// How each does, by name.
    pub fn states(&self) -> BTreeMap<String, State> {
        self.0
            .states
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn update(&self, name: &str, change: impl FnOnce(&mut State)) {
        let mut states = self.0.states.lock().unwrap_or_else(PoisonError::into_inner);
        change(states.entry(name.to_owned()).or_default());
    }

    /// Starts a task for each.
    pub fn spawn(&self, context: &WriteContext, region: &str) {
        for webhook in &self.0.declared {
            let objects = Objects::new(context.clone());
            match pump::Pump::new(self.clone(), webhook.clone(), objects, region.to_owned()) {
                Ok(pump) => {
                    context.tasks.spawn(TaskKind::Background, "notify", pump.run());
                }
                Err(why) => tracing::error!(webhook = webhook.name, why, "a webhook is not usable"),
            }
        }
    }
}

/// The document of a bucket that says how far a webhook was told of it.
pub fn cursor(webhook: &str) -> String {
    format!("notification-cursor/{webhook}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_checked() {
        let webhook = |name: &str, url: &str| Webhook {
            name: name.into(),
            url: url.into(),
            ..Webhook::default()
        };
        assert_eq!(webhook("a-b_1.c", "http://host:80/path?x=y").check(), Ok(()));
        assert_eq!(webhook("a", "https://host/").check(), Ok(()));
        for (name, url) in [
            ("", "http://host/"),
            ("a b", "http://host/"),
            ("a", "host"),
            ("a", "ftp://host/"),
            ("a", "https://"),
            ("a", "http://user@host/"),
        ] {
            assert!(webhook(name, url).check().is_err(), "{name} {url}");
        }
    }
}
