//! Which events of a bucket are told to whom.

use super::{ARN, Webhooks};
use s3s::dto::{
    Event, FilterRule, FilterRuleName, GetBucketNotificationConfigurationOutput, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The configuration document that a bucket's notifications are kept in.
pub const DOCUMENT: &str = "notification";

/// Events that can be asked for, without `s3:`.
const EVENTS: [&str; 14] = [
    "ObjectCreated:*",
    "ObjectCreated:Put",
    "ObjectCreated:Copy",
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:*",
    "ObjectRemoved:Delete",
    "ObjectRemoved:DeleteMarkerCreated",
    "ObjectTagging:*",
    "ObjectTagging:Put",
    "ObjectTagging:Delete",
    "ObjectAcl:Put",
    "LifecycleExpiration:*",
    "LifecycleExpiration:Delete",
    "LifecycleExpiration:DeleteMarkerCreated",
];

/// A bucket's notifications, as they are kept.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    targets: Vec<Target>,
}

/// In which list of the document a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Topic,
    Queue,
    Function,
}

/// One webhook, and what it is told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    kind: Kind,
    /// The configuration's own name.
    pub id: String,
    /// The webhook's.
    pub webhook: String,
    /// Without `s3:`.
    events: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suffix: Option<String>,
}

fn wrong(why: String) -> S3Error {
    s3_error!(InvalidArgument, "{why}")
}

impl Notification {
    /// From a document of S3, checked. `name` makes a name for a configuration that has none.
    ///
    /// # Errors
    /// `InvalidArgument`; `NotImplemented` for EventBridge.
    pub fn from_s3(
        document: NotificationConfiguration,
        webhooks: &Webhooks,
        name: impl Fn() -> String,
    ) -> S3Result<Self> {
        if document.event_bridge_configuration.is_some() {
            return Err(s3_error!(NotImplemented, "There is no EventBridge here."));
        }
        let mut targets = Vec::new();
        let mut add = |kind, id: Option<String>, arn: String, events, filter| {
            let id = id.filter(|id| !id.is_empty()).unwrap_or_else(&name);
            targets.push(Target::read(kind, id, &arn, events, filter, webhooks)?);
            Ok::<_, S3Error>(())
        };
        for one in document.topic_configurations.unwrap_or_default() {
            add(Kind::Topic, one.id, one.topic_arn, one.events, one.filter)?;
        }
        for one in document.queue_configurations.unwrap_or_default() {
            add(Kind::Queue, one.id, one.queue_arn, one.events, one.filter)?;
        }
        for one in document.lambda_function_configurations.unwrap_or_default() {
            add(
                Kind::Function,
                one.id,
                one.lambda_function_arn,
                one.events,
                one.filter,
            )?;
        }
        for (at, one) in targets.iter().enumerate() {
            for other in &targets[..at] {
                if one.id == other.id {
                    return Err(wrong(
                        "Same ID used for multiple configurations. IDs must be unique".into(),
                    ));
                }
                if one.overlaps(other) {
                    return Err(wrong(
                        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if \
                         the prefixes are overlapping for the same event type."
                            .into(),
                    ));
                }
            }
        }
        Ok(Self { targets })
    }

    /// As a document of S3.
    pub fn to_s3(&self) -> GetBucketNotificationConfigurationOutput {
        let of = |kind| self.targets.iter().filter(move |target| target.kind == kind);
        let topics: Vec<_> = of(Kind::Topic)
            .map(|target| TopicConfiguration {
                events: target.events(),
                filter: target.filter(),
                id: Some(target.id.clone()),
                topic_arn: target.arn(),
            })
            .collect();
        let queues: Vec<_> = of(Kind::Queue)
            .map(|target| QueueConfiguration {
                events: target.events(),
                filter: target.filter(),
                id: Some(target.id.clone()),
                queue_arn: target.arn(),
            })
            .collect();
        let functions: Vec<_> = of(Kind::Function)
            .map(|target| LambdaFunctionConfiguration {
                events: target.events(),
                filter: target.filter(),
                id: Some(target.id.clone()),
                lambda_function_arn: target.arn(),
            })
            .collect();
        GetBucketNotificationConfigurationOutput {
            event_bridge_configuration: None,
            lambda_function_configurations: Some(functions).filter(|all| !all.is_empty()),
            queue_configurations: Some(queues).filter(|all| !all.is_empty()),
            topic_configurations: Some(topics).filter(|all| !all.is_empty()),
        }
    }

    /// The webhooks that are told something.
    pub fn webhooks(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|target| target.webhook.as_str())
    }

    /// Whether nobody is told anything.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// What a webhook is told of an event about a key; configurations do not overlap, so it is at most one for
    /// each of its ARNs.
    pub fn told<'a>(
        &'a self,
        webhook: &'a str,
        event: &'a str,
        key: &'a str,
    ) -> impl Iterator<Item = &'a Target> {
        let wanted = move |target: &&Target| target.webhook == webhook && target.wants(event, key);
        self.targets.iter().filter(wanted)
    }
}

impl Target {
    fn read(
        kind: Kind,
        id: String,
        arn: &str,
        events: Vec<Event>,
        filter: Option<NotificationConfigurationFilter>,
        webhooks: &Webhooks,
    ) -> S3Result<Self> {
        let webhook = arn.strip_prefix(ARN).filter(|name| webhooks.knows(name));
        let webhook = webhook.ok_or_else(|| {
            wrong(format!(
                "Unable to validate the following destination configurations: {arn} is not the ARN of a webhook \
                 that this node's settings declare ({ARN}NAME)."
            ))
        })?;
        if events.is_empty() || id.len() > 255 {
            return Err(wrong(
                "A configuration needs an event, and its ID at most 255 characters.".into(),
            ));
        }
        let mut kept = Vec::new();
        for event in events {
            let event: &str = event.as_ref();
            let name = event.strip_prefix("s3:").filter(|name| EVENTS.contains(name));
            let name =
                name.ok_or_else(|| wrong(format!("The event '{event}' is not supported for notifications")))?;
            kept.push(name.to_owned());
        }
        let mut target = Self {
            kind,
            id,
            webhook: webhook.to_owned(),
            events: kept,
            prefix: None,
            suffix: None,
        };
        let rules = filter
            .and_then(|filter| filter.key?.filter_rules)
            .unwrap_or_default();
        for rule in rules {
            target.narrow(rule)?;
        }
        Ok(target)
    }

    fn narrow(&mut self, rule: FilterRule) -> S3Result<()> {
        let name = rule
            .name
            .as_ref()
            .map_or("", FilterRuleName::as_str)
            .to_ascii_lowercase();
        let end = match name.as_str() {
            "prefix" => &mut self.prefix,
            "suffix" => &mut self.suffix,
            _ => return Err(wrong("filter rule name must be either prefix or suffix".into())),
        };
        let value = rule.value.unwrap_or_default();
        if value.len() > 1024 {
            return Err(wrong("Size of filter rule value cannot exceed 1024 bytes".into()));
        }
        if end.replace(value).is_some() {
            return Err(wrong(format!(
                "Cannot specify more than one {name} rule in a filter."
            )));
        }
        Ok(())
    }

    fn arn(&self) -> String {
        format!("{ARN}{}", self.webhook)
    }

    fn events(&self) -> Vec<Event> {
        self.events
            .iter()
            .map(|name| Event::from(format!("s3:{name}")))
            .collect()
    }

    fn filter(&self) -> Option<NotificationConfigurationFilter> {
        let rule = |name: &'static str, value: &Option<String>| {
            Some(FilterRule {
                name: Some(FilterRuleName::from_static(name)),
                value: Some(value.clone()?),
            })
        };
        let rules: Vec<_> = [rule("Prefix", &self.prefix), rule("Suffix", &self.suffix)]
            .into_iter()
            .flatten()
            .collect();
        (!rules.is_empty()).then_some(NotificationConfigurationFilter {
            key: Some(S3KeyFilter {
                filter_rules: Some(rules),
            }),
        })
    }

    fn wants(&self, event: &str, key: &str) -> bool {
        self.events.iter().any(|name| covers(name, event))
            && key.starts_with(self.prefix.as_deref().unwrap_or_default())
            && key.ends_with(self.suffix.as_deref().unwrap_or_default())
    }

    /// Whether both could be told of one event.
    fn overlaps(&self, other: &Self) -> bool {
        let events = self.events.iter().any(|one| {
            let mut others = other.events.iter();
            others.any(|other| covers(one, other) || covers(other, one))
        });
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (a, b) = (text(&self.prefix), text(&other.prefix));
        let prefixes = a.starts_with(&b) || b.starts_with(&a);
        let (a, b) = (text(&self.suffix), text(&other.suffix));
        events && prefixes && (a.ends_with(&b) || b.ends_with(&a))
    }
}

/// Whether an event's name is what was asked for, or in its family.
fn covers(asked: &str, event: &str) -> bool {
    match asked.strip_suffix('*') {
        Some(family) => event.starts_with(family),
        None => asked == event,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Webhook;
    use super::*;

    fn topic(id: &str, event: &str, prefix: &str, suffix: &str) -> TopicConfiguration {
        let rule = |name: &'static str, value: &str| FilterRule {
            name: Some(FilterRuleName::from_static(name)),
            value: Some(value.into()),
        };
        TopicConfiguration {
            events: vec![Event::from(event.to_owned())],
            filter: Some(NotificationConfigurationFilter {
                key: Some(S3KeyFilter {
                    filter_rules: Some(vec![rule("prefix", prefix), rule("suffix", suffix)]),
                }),
            }),
            id: Some(id.into()),
            topic_arn: format!("{ARN}hook"),
        }
    }

    fn read(topics: Vec<TopicConfiguration>) -> Result<Notification, String> {
        let hook = Webhook {
            name: "hook".into(),
            ..Webhook::default()
        };
        let document = NotificationConfiguration {
            topic_configurations: Some(topics),
            ..Default::default()
        };
        Notification::from_s3(document, &Webhooks::new(vec![hook]), || "made".into())
            .map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_told_is_what_was_asked_for() {
        let kept = read(vec![topic("a", "s3:ObjectCreated:*", "in/", ".png")]).unwrap();
        let told = |event, key| kept.told("hook", event, key).count();
        assert_eq!(told("ObjectCreated:Put", "in/a.png"), 1);
        assert_eq!(told("ObjectCreated:Put", "in/a.txt"), 0);
        assert_eq!(told("ObjectRemoved:Delete", "in/a.png"), 0);
        assert_eq!(kept.told("other", "ObjectCreated:Put", "in/a.png").count(), 0);
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Notification>(&text).unwrap(), kept);
    }

    #[test]
    fn what_is_ambiguous_or_unknown_is_refused() {
        let one = topic("a", "s3:ObjectCreated:*", "in/", "");
        assert!(read(vec![one.clone(), topic("b", "s3:ObjectCreated:Put", "in/a", "")]).is_err());
        assert!(read(vec![one.clone(), topic("b", "s3:ObjectCreated:Put", "out/", "")]).is_ok());
        assert!(read(vec![one.clone(), topic("b", "s3:ObjectRemoved:*", "in/", "")]).is_ok());
        assert!(read(vec![one.clone(), topic("a", "s3:ObjectRemoved:*", "in/", "")]).is_err());
        assert!(read(vec![topic("a", "s3:ReducedRedundancyLostObject", "", "")]).is_err());
        let elsewhere = TopicConfiguration {
            topic_arn: "arn:aws:sns:us-east-1:1:t".into(),
            ..one
        };
        assert!(read(vec![elsewhere]).unwrap_err().contains("Unable to validate"));
    }
}
