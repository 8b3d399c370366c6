//! The document: its fields, and what each statement names.

use super::json::Json;
use super::pattern::{Pattern, Syntax};
use super::{Either, POLICY_MAX, Policy, PolicyError, Statement, condition, fault, principal};
use crate::access::{Action, On, Users};

/// `bucket` or `bucket/key` of a resource's name, which has no region and no account. `*` alone is every
/// resource there is, which here is the bucket and what is in it.
fn resource(text: &str) -> Option<&str> {
    if text == "*" {
        return Some(text);
    }
    let mut parts = text.strip_prefix("arn:aws:s3:")?.splitn(3, ':');
    let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    let none = |part: &str| part.is_empty() || part == "*";
    (none(region) && none(account)).then_some(name)
}

impl Policy {
    /// Reads the policy of a bucket. `users` are those whom it may name.
    ///
    /// # Errors
    /// Whatever S3 calls `MalformedPolicy`: what is not JSON, lacks something, or says something unknown.
    pub fn parse(text: &str, bucket: &str, users: &Users) -> Result<Self, PolicyError> {
        if text.len() > POLICY_MAX {
            return Err(fault("Policy exceeds the maximum allowed document size."));
        }
        let json: Json = match serde_json::from_str(text) {
            Ok(json @ Json::Map(_)) => json,
            Ok(_) => {
                return Err(fault(
                    "Policies must be valid JSON and the first byte must be '{'",
                ));
            }
            Err(error) => {
                return Err(fault(format!(
                    "Policies must be valid JSON and the first byte must be '{{': {error}"
                )));
            }
        };
        let Json::Map(fields) = json else {
            return Err(fault("Invalid policy syntax."));
        };
        let mut variables = false;
        let mut list = None;
        for (name, value) in fields {
            match name.as_str() {
                "Version" => variables = version(&value)?,
                "Id" if matches!(value, Json::Text(_)) => {}
                "Statement" => list = Some(value),
                "Id" => return Err(fault("Invalid policy syntax: Id is not a string.")),
                _ => return Err(fault(format!("Unknown field {name}"))),
            }
        }
        let list = match list {
            Some(Json::List(list)) if !list.is_empty() => list,
            Some(statement @ Json::Map(_)) => vec![statement],
            Some(Json::List(_)) => return Err(fault("Could not parse the policy: Statement is empty!")),
            Some(_) => return Err(fault("Invalid policy syntax: Statement is not an object.")),
            None => return Err(fault("Missing required field Statement")),
        };
        let reader = Reader {
            bucket,
            users,
            variables,
        };
        let statements = list.into_iter().map(|json| reader.statement(json));
        Ok(Self {
            statements: statements.collect::<Result<_, _>>()?,
        })
    }
}

/// Whether the version of the language has variables.
fn version(value: &Json) -> Result<bool, PolicyError> {
    match value {
        Json::Text(text) if text == "2012-10-17" => Ok(true),
        Json::Text(text) if text == "2008-10-17" => Ok(false),
        _ => Err(fault("The policy must contain a valid version string")),
    }
}

struct Reader<'a> {
    bucket: &'a str,
    users: &'a Users,
    variables: bool,
}

/// The fields of a statement as they are found.
#[derive(Default)]
struct Found {
    allows: Option<bool>,
    principals: Option<(Json, bool)>,
    actions: Option<(Json, bool)>,
    resources: Option<(Json, bool)>,
    conditions: Option<Json>,
}

impl Found {
    fn of(json: Json) -> Result<Self, PolicyError> {
        let Json::Map(fields) = json else {
            return Err(fault("Invalid policy syntax: a statement is not an object."));
        };
        let mut found = Self::default();
        for (name, value) in fields {
            let not = name.starts_with("Not");
            match name.as_str() {
                "Sid" if matches!(value, Json::Text(_)) => {}
                "Sid" => return Err(fault("Invalid policy syntax: Sid is not a string.")),
                "Effect" => found.allows = Some(effect(&value)?),
                "Principal" | "NotPrincipal" => once(&mut found.principals, (value, not), &name)?,
                "Action" | "NotAction" => once(&mut found.actions, (value, not), &name)?,
                "Resource" | "NotResource" => once(&mut found.resources, (value, not), &name)?,
                "Condition" => found.conditions = Some(value),
                _ => return Err(fault(format!("Unknown field {name}"))),
            }
        }
        Ok(found)
    }
}

/// An element and its negation exclude each other.
fn once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), PolicyError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(fault(format!(
            "Invalid policy syntax: {name} stands beside its negation."
        ))),
    }
}

fn effect(value: &Json) -> Result<bool, PolicyError> {
    match value {
        Json::Text(text) if text == "Allow" => Ok(true),
        Json::Text(text) if text == "Deny" => Ok(false),
        Json::Text(text) => Err(fault(format!("Invalid effect : {text}"))),
        _ => Err(fault("Invalid effect")),
    }
}

impl Reader<'_> {
    fn statement(&self, json: Json) -> Result<Statement, PolicyError> {
        let found = Found::of(json)?;
        let missing = |name: &str| fault(format!("Missing required field {name}"));
        let allows = found.allows.ok_or_else(|| missing("Effect"))?;
        let (principals, not) = found.principals.ok_or_else(|| missing("Principal"))?;
        let principals = principal::parse(principals, not, self.users)?;
        if allows && not {
            return Err(fault(
                "Invalid policy syntax: Allow with NotPrincipal is not supported.",
            ));
        }
        let (actions, not) = found.actions.ok_or_else(|| missing("Action"))?;
        let actions = Either {
            not,
            list: actions_of(actions)?,
        };
        let (resources, not) = found.resources.ok_or_else(|| missing("Resource"))?;
        let resources = Either {
            not,
            list: self.resources(resources)?,
        };
        let conditions = match found.conditions {
            Some(conditions) => condition::parse(conditions, self.variables)?,
            None => Vec::new(),
        };
        let statement = Statement {
            allows,
            principals,
            actions,
            resources,
            conditions,
        };
        self.fits(&statement)?;
        Ok(statement)
    }

    fn resources(&self, json: Json) -> Result<Vec<Pattern>, PolicyError> {
        let invalid = || fault("Policy has invalid resource");
        let syntax = Syntax {
            wildcards: true,
            variables: self.variables,
        };
        let mut list = Vec::new();
        for text in json.texts().ok_or_else(invalid)? {
            let pattern = Pattern::parse(resource(&text).ok_or_else(invalid)?, syntax)?;
            if !self.is_bucket(&pattern) && !self.is_object(&pattern) {
                return Err(invalid());
            }
            list.push(pattern);
        }
        Ok(list)
    }

    fn is_bucket(&self, pattern: &Pattern) -> bool {
        pattern.matches(self.bucket, &super::Nothing, false)
    }

    fn is_object(&self, pattern: &Pattern) -> bool {
        pattern.reaches(&format!("{}/", self.bucket))
    }

    /// Every action must be about one of the resources: a statement that can never apply is a mistake.
    fn fits(&self, statement: &Statement) -> Result<(), PolicyError> {
        if statement.actions.not || statement.resources.not {
            return Ok(());
        }
        let bucket = statement
            .resources
            .list
            .iter()
            .any(|pattern| self.is_bucket(pattern));
        let object = statement
            .resources
            .list
            .iter()
            .any(|pattern| self.is_object(pattern));
        for pattern in &statement.actions.list {
            let mut named = Action::ALL
                .iter()
                .filter(|action| pattern.matches(action.name(), &super::Nothing, true));
            let applies = named.any(|action| match action.on() {
                On::Bucket => bucket,
                On::Object => object,
                On::Service => false,
            });
            if !applies {
                return Err(fault("Action does not apply to any resource(s) in statement"));
            }
        }
        Ok(())
    }
}

fn actions_of(json: Json) -> Result<Vec<Pattern>, PolicyError> {
    let invalid = || fault("Policy has invalid action");
    let syntax = Syntax {
        wildcards: true,
        variables: false,
    };
    let mut list = Vec::new();
    for text in json.texts().ok_or_else(invalid)? {
        let pattern = Pattern::parse(&text, syntax)?;
        let service = text
            .split_once(':')
            .is_some_and(|(service, _)| service.eq_ignore_ascii_case("s3"));
        let known = Action::ALL
            .iter()
            .any(|action| pattern.matches(action.name(), &super::Nothing, true));
        if !known || !(service || text == "*") {
            return Err(invalid());
        }
        list.push(pattern);
    }
    Ok(list)
}
