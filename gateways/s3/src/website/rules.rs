//! Redirects by rule: of keys that begin in some way, of errors, or of everything.

use super::protocol;
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{Condition, Protocol, Redirect, RoutingRule};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// What stays as it is in a key that is part of a URL.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// One rule, as it is kept.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    /// Only where this would be the answer's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// A status that a document names, within bounds.
fn status(given: Option<String>, valid: std::ops::Range<u16>, what: &str) -> S3Result<Option<u16>> {
    let Some(text) = given.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(code) if valid.contains(&code) => Ok(Some(code)),
        _ => Err(s3_error!(
            InvalidRequest,
            "The provided HTTP {what} code ({text}) is not valid."
        )),
    }
}

impl Rule {
    /// From a document of S3, checked.
    pub fn from_s3(rule: RoutingRule) -> S3Result<Self> {
        let (mut prefix, mut error) = (None, None);
        if let Some(condition) = rule.condition {
            prefix = condition.key_prefix_equals;
            error = status(condition.http_error_code_returned_equals, 400..600, "error")?;
            if prefix.is_none() && error.is_none() {
                return Err(s3_error!(
                    InvalidRequest,
                    "Condition cannot be empty. To redirect all requests without a condition, the condition \
                     element shouldn't be present."
                ));
            }
        }
        let Redirect {
            host_name,
            http_redirect_code,
            protocol: given,
            replace_key_prefix_with,
            replace_key_with,
        } = rule.redirect;
        if replace_key_prefix_with.is_some() && replace_key_with.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "You can only define ReplaceKeyPrefix or ReplaceKey but not both."
            ));
        }
        let rule = Self {
            prefix,
            error,
            host: host_name.filter(|host| !host.is_empty()),
            protocol: protocol(given)?,
            replace_prefix: replace_key_prefix_with,
            replace_key: replace_key_with,
            status: status(http_redirect_code, 301..400, "redirect")?,
        };
        let leads = rule.host.is_some()
            || rule.protocol.is_some()
            || rule.replace_prefix.is_some()
            || rule.replace_key.is_some()
            || rule.status.is_some();
        if leads {
            Ok(rule)
        } else {
            Err(s3_error!(MalformedXML))
        }
    }

    /// As a document of S3.
    pub fn to_s3(&self) -> RoutingRule {
        let conditional = self.prefix.is_some() || self.error.is_some();
        RoutingRule {
            condition: conditional.then(|| Condition {
                http_error_code_returned_equals: self.error.map(|code| code.to_string()),
                key_prefix_equals: self.prefix.clone(),
            }),
            redirect: Redirect {
                host_name: self.host.clone(),
                http_redirect_code: self.status.map(|code| code.to_string()),
                protocol: self.protocol.clone().map(Protocol::from),
                replace_key_prefix_with: self.replace_prefix.clone(),
                replace_key_with: self.replace_key.clone(),
            },
        }
    }

    /// Whether the rule is about a key: before it is looked up (`None`), or after that failed so.
    pub fn is_about(&self, key: &str, failed: Option<u16>) -> bool {
        self.error == failed
            && self
                .prefix
                .as_ref()
                .is_none_or(|prefix| key.starts_with(prefix.as_str()))
    }

    /// Where it leads, for a site that is asked for at `host`.
    pub fn leads(&self, key: &str, host: &str) -> (StatusCode, String) {
        let key = match (&self.replace_key, &self.replace_prefix) {
            (Some(whole), _) => whole.clone(),
            (None, Some(begin)) => {
                let rest = key.strip_prefix(self.prefix.as_deref().unwrap_or_default());
                format!("{begin}{}", rest.unwrap_or(key))
            }
            (None, None) => key.to_owned(),
        };
        let status = self.status.and_then(|code| StatusCode::from_u16(code).ok());
        let protocol = self.protocol.as_deref().unwrap_or("http");
        let host = self.host.as_deref().unwrap_or(host);
        let place = format!("{protocol}://{host}/{}", path(&key));
        (status.unwrap_or(StatusCode::MOVED_PERMANENTLY), place)
    }
}

/// A key as the path of a URL.
pub fn path(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(condition: Option<Condition>, redirect: Redirect) -> Result<Rule, String> {
        Rule::from_s3(RoutingRule { condition, redirect }).map_err(|error| error.code().as_str().to_owned())
    }

    fn host() -> Redirect {
        Redirect {
            host_name: Some("example.com".into()),
            ..Default::default()
        }
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        let invalid = Err("InvalidRequest".to_owned());
        assert_eq!(rule(Some(Condition::default()), host()), invalid);
        let not_an_error = Condition {
            http_error_code_returned_equals: Some("200".into()),
            key_prefix_equals: None,
        };
        assert_eq!(rule(Some(not_an_error), host()), invalid);
        for bad in [
            Redirect {
                http_redirect_code: Some("300".into()),
                ..host()
            },
            Redirect {
                replace_key_with: Some("a".into()),
                replace_key_prefix_with: Some("b".into()),
                ..host()
            },
            Redirect {
                protocol: Some(Protocol::from("ftp".to_owned())),
                ..host()
            },
        ] {
            assert_eq!(rule(None, bad), invalid);
        }
        assert_eq!(rule(None, Redirect::default()), Err("MalformedXML".into()));
    }

    #[test]
    fn rules_lead_somewhere() {
        let moved = Rule {
            prefix: Some("docs/".into()),
            replace_prefix: Some("pages/".into()),
            status: Some(302),
            ..Rule::default()
        };
        assert!(moved.is_about("docs/a", None) && !moved.is_about("a", None));
        assert!(!moved.is_about("docs/a", Some(404)));
        assert_eq!(
            moved.leads("docs/a b", "h:1"),
            (StatusCode::FOUND, "http://h:1/pages/a%20b".into())
        );
        let lost = Rule {
            error: Some(404),
            host: Some("example.com".into()),
            protocol: Some("https".into()),
            replace_key: Some("lost".into()),
            ..Rule::default()
        };
        assert!(lost.is_about("x", Some(404)) && !lost.is_about("x", None));
        assert_eq!(lost.leads("x", "h").1, "https://example.com/lost");
    }
}
