//! Principals: whom a statement is about.

use super::json::Json;
use super::{Either, PolicyError, fault};
use crate::access::Users;

/// One whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// Whoever asks, signed or not.
    Everyone,
    /// A user of this node, by canonical id.
    User(String),
}

/// Reads a `Principal` or `NotPrincipal` element.
pub(super) fn parse(element: Json, not: bool, users: &Users) -> Result<Either<Principal>, PolicyError> {
    let invalid = || fault("Invalid principal in policy");
    let mut list = Vec::new();
    match element {
        Json::Text(text) if text == "*" => list.push(Principal::Everyone),
        Json::Map(kinds) if !kinds.is_empty() => {
            for (kind, names) in kinds {
                let names = names.texts().ok_or_else(invalid)?;
                for name in names {
                    let found = match kind.as_str() {
                        "AWS" => by_name(&name, users),
                        "CanonicalUser" => users.knows(&name).then(|| Principal::User(name.clone())),
                        // `Service` and `Federated`: nobody here is one.
                        _ => None,
                    };
                    list.push(found.ok_or_else(|| fault(format!("Invalid principal in policy: {name:?}")))?);
                }
            }
        }
        _ => return Err(invalid()),
    }
    if not && list.contains(&Principal::Everyone) {
        return Err(fault(
            "Invalid principal in policy: NotPrincipal cannot be everybody",
        ));
    }
    Ok(Either { not, list })
}

/// `*`, an ARN of a user or an account, or what an account is named by.
fn by_name(text: &str, users: &Users) -> Option<Principal> {
    if text == "*" {
        return Some(Principal::Everyone);
    }
    let user = |name: &str| users.id_of(name).map(|id| Principal::User(id.to_owned()));
    let Some(rest) = text.strip_prefix("arn:aws:iam::") else {
        return user(text);
    };
    let (account, resource) = rest.split_once(':')?;
    match resource.split_once('/') {
        // What is before the name is a path, as IAM has them.
        Some(("user", path)) if is_account(account, users) => user(path.rsplit('/').next()?),
        None if resource == "root" => user(account),
        _ => None,
    }
}

/// A node has no accounts: whoever writes one writes twelve digits, nothing, or a user.
fn is_account(text: &str, users: &Users) -> bool {
    let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    text.is_empty() || digits || users.id_of(text).is_some()
}
