//! The policy of a form: what it says, and whether a form keeps to it.
//!
//! After "Creating a POST policy" of the Amazon S3 API reference. What cannot be understood is refused, never
//! passed over.

use crate::errors::custom;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use s3s::{S3Error, S3Result, s3_error};
use serde_json::{Map, Value};
use stead_event::Timestamp;

/// A policy document.
#[derive(Debug, PartialEq, Eq)]
pub struct Policy {
    /// Good until then.
    pub expiration: Timestamp,
    conditions: Vec<Condition>,
    /// How many bytes the file may have, both ends included.
    pub length: Option<(u64, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    /// Lower case, without `$`.
    field: String,
    value: String,
    prefix: bool,
    /// As it stands in the document, for the message.
    text: String,
}

fn invalid(why: &str) -> S3Error {
    custom(
        "InvalidPolicyDocument",
        StatusCode::BAD_REQUEST,
        format!("Invalid Policy: {why}"),
    )
}

impl Policy {
    /// From the form's field: base64 of a JSON document.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub fn parse(field: &str) -> S3Result<Self> {
        let bare: String = field.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let document = STANDARD
            .decode(bare)
            .map_err(|_| invalid("Could not decode base64."))?;
        let document: Value =
            serde_json::from_slice(&document).map_err(|error| invalid(&format!("Invalid JSON: {error}.")))?;
        let Value::Object(document) = document else {
            return Err(invalid("Invalid JSON: not an object."));
        };
        if let Some(other) = document
            .keys()
            .find(|name| !matches!(name.as_str(), "expiration" | "conditions"))
        {
            return Err(invalid(&format!("Unexpected: {other:?}.")));
        }
        let expiration = match document.get("expiration") {
            None => return Err(invalid("Policy missing expiration.")),
            Some(value) => value
                .as_str()
                .and_then(iso_8601)
                .ok_or_else(|| invalid(&format!("Invalid 'expiration' value: {value}.")))?,
        };
        let conditions = match document.get("conditions") {
            None => return Err(invalid("Policy missing conditions.")),
            Some(value) => value
                .as_array()
                .ok_or_else(|| invalid("Invalid 'conditions' value: must be a List."))?,
        };
        let mut policy = Self {
            expiration,
            conditions: Vec::with_capacity(conditions.len()),
            length: None,
        };
        for condition in conditions {
            policy.add(condition)?;
        }
        Ok(policy)
    }

    fn add(&mut self, condition: &Value) -> S3Result<()> {
        match condition {
            Value::Object(simple) => self.conditions.push(exact(simple)?),
            Value::Array(parts) => {
                let [Value::String(operator), first, second] = parts.as_slice() else {
                    return Err(wrong(condition, "must have three parts"));
                };
                match operator.to_ascii_lowercase().as_str() {
                    operator @ ("eq" | "starts-with") => {
                        let (Some(field), Some(value)) = (first.as_str(), second.as_str()) else {
                            return Err(wrong(condition, "field and value must be texts"));
                        };
                        self.conditions.push(Condition {
                            field: field.strip_prefix('$').unwrap_or(field).to_ascii_lowercase(),
                            value: value.to_owned(),
                            prefix: operator == "starts-with",
                            text: condition.to_string(),
                        });
                    }
                    "content-length-range" => self.narrow(condition, first, second)?,
                    _ => return Err(wrong(condition, "unknown operation")),
                }
            }
            _ => return Err(wrong(condition, "must be an object or a list")),
        }
        Ok(())
    }

    /// Where several ranges are given, all must hold.
    fn narrow(&mut self, condition: &Value, first: &Value, second: &Value) -> S3Result<()> {
        let (Some(low), Some(high)) = (bytes(first), bytes(second)) else {
            return Err(wrong(condition, "a length must be a number that is not negative"));
        };
        if low > high {
            return Err(wrong(condition, "the range is empty"));
        }
        let (known_low, known_high) = self.length.unwrap_or((0, u64::MAX));
        self.length = Some((low.max(known_low), high.min(known_high)));
        Ok(())
    }

    /// Whether a form keeps to the policy: `fields` by lower-case name, expanded, of an upload to `bucket` at
    /// the time `now`. The file's length is checked as it arrives.
    ///
    /// # Errors
    /// `AccessDenied`, naming the condition.
    pub fn check(&self, fields: &[(String, String)], bucket: &str, now: Timestamp) -> S3Result<()> {
        if now > self.expiration {
            return Err(denied("Policy expired."));
        }
        let value = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.as_str())
        };
        for condition in &self.conditions {
            // The URL names the bucket; a field that says otherwise is no way around a condition on it.
            let holds = match (condition.field.as_str(), value(&condition.field)) {
                ("bucket", None) => condition.holds(bucket),
                ("bucket", Some(field)) => field == bucket && condition.holds(bucket),
                (_, Some(value)) => condition.holds(value),
                (_, None) => condition.prefix && condition.value.is_empty(),
            };
            if !holds {
                return Err(denied(&format!("Policy Condition failed: {}", condition.text)));
            }
        }
        let covered = |name: &str| self.conditions.iter().any(|condition| condition.field == name);
        // The bucket counts as a field, whether or not the form has it as one: a policy that does not name it
        // would be good for every bucket of its signer.
        let names = fields.iter().map(|(name, _)| name.as_str());
        let extra: Vec<_> = names
            .filter(|name| *name != "bucket")
            .chain(["bucket"])
            .filter(|name| !is_exempt(name) && !covered(name))
            .collect();
        if !extra.is_empty() {
            return Err(denied(&format!("Extra input fields: {}", extra.join(", "))));
        }
        Ok(())
    }
}

/// Fields that need no condition.
fn is_exempt(name: &str) -> bool {
    matches!(
        name,
        "x-amz-signature" | "signature" | "awsaccesskeyid" | "policy" | "file"
    ) || name.starts_with("x-ignore-")
}

impl Condition {
    fn holds(&self, value: &str) -> bool {
        match (self.prefix, self.field.as_str()) {
            (false, _) => value == self.value,
            // A list of types: each must begin so.
            (true, "content-type") => value
                .split(',')
                .all(|one| one.trim_start().starts_with(&self.value)),
            (true, _) => value.starts_with(&self.value),
        }
    }
}

fn exact(simple: &Map<String, Value>) -> S3Result<Condition> {
    let mut pairs = simple.iter();
    let (Some((field, value)), None) = (pairs.next(), pairs.next()) else {
        return Err(invalid(
            "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
        ));
    };
    let Some(value) = value.as_str() else {
        return Err(invalid("Invalid Simple-Condition: value must be a string."));
    };
    Ok(Condition {
        field: field.strip_prefix('$').unwrap_or(field).to_ascii_lowercase(),
        value: value.to_owned(),
        prefix: false,
        text: Value::from(vec!["eq".to_owned(), format!("${field}"), value.to_owned()]).to_string(),
    })
}

fn bytes(value: &Value) -> Option<u64> {
    match value {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64(),
    }
}

fn wrong(condition: &Value, why: &str) -> S3Error {
    let condition: String = condition.to_string().chars().take(200).collect();
    invalid(&format!("Invalid condition {condition}: {why}."))
}

fn denied(why: &str) -> S3Error {
    s3_error!(AccessDenied, "Invalid according to Policy: {why}")
}

/// `2007-12-01T12:00:00.000Z`, with or without the fraction, in UTC only.
fn iso_8601(text: &str) -> Option<Timestamp> {
    let shaped = text.is_ascii() && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    shaped.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str) -> Result<Policy, String> {
        Policy::parse(&STANDARD.encode(document)).map_err(|error| {
            format!(
                "{} {}",
                error.code().as_str(),
                error.message().unwrap_or_default()
            )
        })
    }

    fn with(conditions: &str) -> Result<Policy, String> {
        parse(&format!(
            r#"{{"expiration":"2030-01-01T00:00:00Z","conditions":{conditions}}}"#
        ))
    }

    fn checked(conditions: &str, fields: &[(&str, &str)]) -> Result<(), String> {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        with(conditions)
            .unwrap()
            .check(&fields, "photos", Timestamp::default())
            .map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn documents_that_are_not_policies_are_refused() {
        assert!(Policy::parse("%%%").is_err());
        for (document, why) in [
            ("nonsense", "Invalid JSON"),
            ("[]", "not an object"),
            (r#"{"conditions":[]}"#, "missing expiration"),
            (
                r#"{"EXPIRATION":"2030-01-01T00:00:00Z","conditions":[]}"#,
                "Unexpected",
            ),
            (r#"{"expiration":"2030-01-01T00:00:00Z"}"#, "missing conditions"),
            (
                r#"{"expiration":"2030-01-01 00:00:00+00:00","conditions":[]}"#,
                "'expiration'",
            ),
            (r#"{"expiration":7,"conditions":[]}"#, "'expiration'"),
            (r#"{"expiration":"2030-01-01T00:00:00Z","conditions":{}}"#, "List"),
        ] {
            let said = parse(document).unwrap_err();
            assert!(
                said.starts_with("InvalidPolicyDocument") && said.contains(why),
                "{said}"
            );
        }
        assert!(parse(r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[]}"#).is_ok());
    }

    #[test]
    fn conditions_that_cannot_be_understood_are_refused() {
        for bad in [
            "[{}]",
            r#"[{"a":"1","b":"2"}]"#,
            r#"[{"a":1}]"#,
            r#"["eq"]"#,
            r#"[["eq","$key"]]"#,
            r#"[["like","$key","a"]]"#,
            r#"[["content-length-range",0]]"#,
            r#"[["content-length-range",-1,0]]"#,
            r#"[["content-length-range",2,1]]"#,
            r#"[["eq","$key",1]]"#,
        ] {
            assert!(
                with(bad).unwrap_err().starts_with("InvalidPolicyDocument"),
                "{bad}"
            );
        }
        let policy = with(r#"[["Content-Length-Range",1,"9"],["content-length-range",3,20]]"#).unwrap();
        assert_eq!(policy.length, Some((3, 9)));
    }

    #[test]
    fn a_form_keeps_to_its_policy_or_is_denied() {
        let conditions = r#"[{"bUcKeT":"photos"},["StArTs-WiTh","$KeY","user/"],["eq","$x-amz-meta-a","1"]]"#;
        let fields = [
            ("key", "user/a"),
            ("x-amz-meta-a", "1"),
            ("policy", "…"),
            ("x-ignore-b", "2"),
        ];
        assert_eq!(checked(conditions, &fields), Ok(()));
        let said = checked(conditions, &[("key", "other/a"), ("x-amz-meta-a", "1")]).unwrap_err();
        assert!(
            said.contains("Policy Condition failed") && said.contains("user/"),
            "{said}"
        );
        assert!(
            checked(conditions, &[("key", "user/a")]).is_err(),
            "the field is missing"
        );
        let said = checked(conditions, &[fields[0], fields[1], ("acl", "public-read")]).unwrap_err();
        assert!(said.contains("Extra input fields: acl"), "{said}");
        assert!(checked(r#"[{"bucket":"other"}]"#, &[]).is_err());
        let said = checked("[]", &[]).unwrap_err();
        assert!(said.contains("Extra input fields: bucket"), "{said}");
        assert!(checked(r#"[{"bucket":"other"}]"#, &[("bucket", "other")]).is_err());
    }

    #[test]
    fn a_list_of_types_begins_everywhere_as_it_must() {
        let conditions = r#"[{"bucket":"photos"},["starts-with","$Content-Type","image/"]]"#;
        assert_eq!(
            checked(conditions, &[("content-type", "image/png,image/gif")]),
            Ok(())
        );
        assert!(checked(conditions, &[("content-type", "image/png,text/html")]).is_err());
    }

    #[test]
    fn a_policy_ends() {
        let policy = with("[]").unwrap();
        let late = Timestamp::default().plus_secs(3_000_000_000);
        let error = policy.check(&[], "photos", late).unwrap_err();
        assert!(error.message().unwrap_or_default().contains("expired"));
    }
}
