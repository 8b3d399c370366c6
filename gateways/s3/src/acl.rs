//! The syntax of access control lists: headers and documents to grants, and grants to documents.

use crate::facts::Facts;
use s3s::dto;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use stead_event::body::{Grant, Grantee, Permission};
use stead_gateway::access::{Canned, Users, Wanted};

/// The most grants that a list may have.
const MANY: usize = 100;
const GROUPS: [(&str, Grantee); 3] = [
    (
        "http://acs.amazonaws.com/groups/global/AllUsers",
        Grantee::Everyone,
    ),
    (
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
        Grantee::Authenticated,
    ),
    (
        "http://acs.amazonaws.com/groups/s3/LogDelivery",
        Grantee::LogDelivery,
    ),
];
const PERMISSIONS: [(&str, &str, Permission); 5] = [
    ("READ", "x-amz-grant-read", Permission::Read),
    ("WRITE", "x-amz-grant-write", Permission::Write),
    ("READ_ACP", "x-amz-grant-read-acp", Permission::ReadAcp),
    ("WRITE_ACP", "x-amz-grant-write-acp", Permission::WriteAcp),
    (
        "FULL_CONTROL",
        "x-amz-grant-full-control",
        Permission::FullControl,
    ),
];

/// Whether a request's headers ask for a list.
pub fn is_asked(facts: &Facts<'_>) -> bool {
    facts.header("x-amz-acl").is_some()
        || PERMISSIONS
            .iter()
            .any(|(_, header, _)| facts.header(header).is_some())
}

/// The list that a request's headers ask for.
///
/// # Errors
/// `InvalidArgument` for what is not known; `InvalidRequest` for a canned list beside grants;
/// `UnresolvableGrantByEmailAddress`.
pub fn in_headers(facts: &Facts<'_>, users: &Users) -> S3Result<Wanted> {
    let canned = facts.header("x-amz-acl");
    let mut grants = Vec::new();
    let mut given = false;
    for (_, header, permission) in PERMISSIONS {
        let Some(value) = facts.header(header) else {
            continue;
        };
        given = true;
        for one in value.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let to = in_header(one, users)?;
            grants.push(Grant { permission, to });
        }
    }
    match canned {
        Some(_) if given => Err(s3_error!(
            InvalidRequest,
            "Specifying both Canned ACLs and Header Grants is not allowed"
        )),
        Some(name) => Canned::parse(&name)
            .map(Wanted::Canned)
            .ok_or_else(|| s3_error!(InvalidArgument, "The canned ACL {name:?} is not known.")),
        None if given => bounded(grants).map(Wanted::Grants),
        None => Ok(Wanted::Unsaid),
    }
}

fn bounded(grants: Vec<Grant>) -> S3Result<Vec<Grant>> {
    if grants.len() > MANY {
        return Err(malformed());
    }
    Ok(grants)
}

/// `id="…"`, `uri="…"` or `emailAddress="…"`.
fn in_header(text: &str, users: &Users) -> S3Result<Grantee> {
    let Some((kind, value)) = text.split_once('=') else {
        return Err(s3_error!(InvalidArgument, "Argument format not recognized"));
    };
    let value = value.trim().trim_matches('"');
    match kind.trim().to_ascii_lowercase().as_str() {
        "id" => user(value, users),
        "uri" => group(value),
        "emailaddress" => by_mail(value, users),
        _ => Err(s3_error!(InvalidArgument, "Argument format not recognized")),
    }
}

fn user(id: &str, users: &Users) -> S3Result<Grantee> {
    if users.knows(id) || id == stead_gateway::access::ANONYMOUS_ID {
        return Ok(Grantee::Canonical(id.to_owned()));
    }
    Err(s3_error!(InvalidArgument, "Invalid id"))
}

fn group(uri: &str) -> S3Result<Grantee> {
    let found = GROUPS.iter().find(|(known, _)| *known == uri);
    found
        .map(|(_, grantee)| grantee.clone())
        .ok_or_else(|| s3_error!(InvalidArgument, "Invalid group uri"))
}

/// A user has no address here, unless its name is one.
fn by_mail(address: &str, users: &Users) -> S3Result<Grantee> {
    let found = users.id_of(address).filter(|_| address.contains('@'));
    found.map(|id| Grantee::Canonical(id.to_owned())).ok_or_else(|| {
        s3_error!(
            UnresolvableGrantByEmailAddress,
            "The e-mail address you provided does not match any account on record."
        )
    })
}

/// The document does not say what a list must.
pub fn malformed() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::MalformedACLError,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// The list of a document, of something that `owner` owns.
///
/// # Errors
/// `MalformedACLError`; `AccessDenied` where it names another owner; as [`in_headers`].
pub fn in_document(document: dto::AccessControlPolicy, owner: &str, users: &Users) -> S3Result<Wanted> {
    let named = document.owner.and_then(|owner| owner.id).ok_or_else(malformed)?;
    if named != owner {
        return Err(s3_error!(AccessDenied));
    }
    let mut grants = Vec::new();
    for grant in document.grants.unwrap_or_default() {
        let permission = grant.permission.ok_or_else(malformed)?;
        let (.., permission) = PERMISSIONS
            .into_iter()
            .find(|(name, ..)| *name == permission.as_str())
            .ok_or_else(malformed)?;
        let to = in_grant(grant.grantee.ok_or_else(malformed)?, users)?;
        grants.push(Grant { permission, to });
    }
    bounded(grants).map(Wanted::Grants)
}

fn in_grant(grantee: dto::Grantee, users: &Users) -> S3Result<Grantee> {
    match (
        grantee.type_.as_str(),
        grantee.id,
        grantee.uri,
        grantee.email_address,
    ) {
        (dto::Type::CANONICAL_USER, Some(id), None, None) => user(&id, users),
        (dto::Type::GROUP, None, Some(uri), None) => group(&uri),
        (dto::Type::AMAZON_CUSTOMER_BY_EMAIL, None, None, Some(address)) => by_mail(&address, users),
        _ => Err(malformed()),
    }
}

/// A list as its document shows it.
pub fn shown(grants: &[Grant], users: &Users) -> dto::Grants {
    grants.iter().map(|grant| one_shown(grant, users)).collect()
}

fn one_shown(grant: &Grant, users: &Users) -> dto::Grant {
    let permission = PERMISSIONS.iter().find(|(.., known)| *known == grant.permission);
    let group = GROUPS.iter().find(|(_, known)| *known == grant.to);
    let grantee = match (&grant.to, group) {
        (Grantee::Canonical(id), _) => {
            let owner = owner(id, users);
            dto::Grantee {
                display_name: owner.display_name,
                email_address: None,
                id: owner.id,
                type_: dto::Type::from_static(dto::Type::CANONICAL_USER),
                uri: None,
            }
        }
        (_, group) => dto::Grantee {
            display_name: None,
            email_address: None,
            id: None,
            type_: dto::Type::from_static(dto::Type::GROUP),
            uri: group.map(|(uri, _)| (*uri).to_owned()),
        },
    };
    dto::Grant {
        grantee: Some(grantee),
        permission: permission.map(|(name, ..)| dto::Permission::from_static(name)),
    }
}

/// A user, as documents name owners.
pub fn owner(id: &str, users: &Users) -> dto::Owner {
    dto::Owner {
        display_name: Some(users.name_of(id).unwrap_or(id).to_owned()),
        id: Some(id.to_owned()),
    }
}
