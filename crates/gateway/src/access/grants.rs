//! Access control lists: grants, canned lists, and what a list permits.

use super::{Identity, Need};
use stead_event::body::{Grant, Grantee, Permission};

/// A canned access control list, as S3 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is what S3's documentation says it is
pub enum Canned {
    Private,
    PublicRead,
    PublicReadWrite,
    AuthenticatedRead,
    BucketOwnerRead,
    BucketOwnerFullControl,
    LogDeliveryWrite,
}

impl Canned {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "private" => Self::Private,
            "public-read" => Self::PublicRead,
            "public-read-write" => Self::PublicReadWrite,
            "authenticated-read" => Self::AuthenticatedRead,
            "bucket-owner-read" => Self::BucketOwnerRead,
            "bucket-owner-full-control" => Self::BucketOwnerFullControl,
            "log-delivery-write" => Self::LogDeliveryWrite,
            _ => return None,
        })
    }

    /// The list that it stands for, of something that `owner` owns in a bucket of `bucket_owner`. For a bucket
    /// itself, S3 ignores the two that speak of the bucket's owner; for an object, `log-delivery-write`.
    pub fn grants(self, owner: &str, bucket_owner: &str, of_bucket: bool) -> Vec<Grant> {
        let grant = |to, permission| Grant { to, permission };
        let mut grants = vec![grant(
            Grantee::Canonical(owner.to_owned()),
            Permission::FullControl,
        )];
        let other = !of_bucket && owner != bucket_owner;
        let to_bucket_owner = || Grantee::Canonical(bucket_owner.to_owned());
        match self {
            Self::PublicRead => grants.push(grant(Grantee::Everyone, Permission::Read)),
            Self::PublicReadWrite => {
                grants.push(grant(Grantee::Everyone, Permission::Read));
                grants.push(grant(Grantee::Everyone, Permission::Write));
            }
            Self::AuthenticatedRead => grants.push(grant(Grantee::Authenticated, Permission::Read)),
            Self::BucketOwnerRead if other => grants.push(grant(to_bucket_owner(), Permission::Read)),
            Self::BucketOwnerFullControl if other => {
                grants.push(grant(to_bucket_owner(), Permission::FullControl));
            }
            Self::LogDeliveryWrite if of_bucket => {
                grants.push(grant(Grantee::LogDelivery, Permission::Write));
                grants.push(grant(Grantee::LogDelivery, Permission::ReadAcp));
            }
            _ => {}
        }
        grants
    }
}

/// A grant to nobody: how a list without any entry is kept, since none at all stands for the owner's own.
fn nobody() -> Grant {
    Grant {
        to: Grantee::Canonical(String::new()),
        permission: Permission::ReadAcp,
    }
}

/// A list as it is kept: none at all where it is the owner's full control.
pub fn to_kept(grants: Vec<Grant>, owner: &str) -> Vec<Grant> {
    match &grants[..] {
        [] => vec![nobody()],
        [only] if *only == full(owner) => Vec::new(),
        _ => grants,
    }
}

/// A list as it is shown, from how it is kept.
pub fn from_kept(kept: &[Grant], owner: &str) -> Vec<Grant> {
    match kept {
        [] => vec![full(owner)],
        [only] if *only == nobody() => Vec::new(),
        kept => kept.to_vec(),
    }
}

fn full(owner: &str) -> Grant {
    Grant {
        to: Grantee::Canonical(owner.to_owned()),
        permission: Permission::FullControl,
    }
}

/// Whether a list lets in more than users by name.
pub fn is_public(grants: &[Grant]) -> bool {
    grants.iter().any(is_to_all)
}

fn is_to_all(grant: &Grant) -> bool {
    matches!(grant.to, Grantee::Everyone | Grantee::Authenticated)
}

/// The permission that an action needs of a list; `None` where no list can give it.
pub fn permission(need: Need) -> Option<Permission> {
    Some(match need {
        Need::BucketRead | Need::ObjectRead => Permission::Read,
        Need::BucketWrite | Need::Upload => Permission::Write,
        Need::BucketReadAcp | Need::ObjectReadAcp => Permission::ReadAcp,
        Need::BucketWriteAcp | Need::ObjectWriteAcp => Permission::WriteAcp,
        Need::Signed | Need::BucketOwner | Need::EitherOwner => return None,
    })
}

/// Whether a list, as it is kept, permits something to somebody. The owner may always read and replace it,
/// whatever it says. `private` leaves out what it gives to everybody.
pub fn permits(kept: &[Grant], owner: &str, who: &Identity, wanted: Permission, private: bool) -> bool {
    let signed = |id: &str| !who.is_anonymous() && !id.is_empty() && who.canonical_id == id;
    let owns = signed(owner);
    if owns && (kept.is_empty() || matches!(wanted, Permission::ReadAcp | Permission::WriteAcp)) {
        return true;
    }
    kept.iter().any(|grant| {
        let to = match &grant.to {
            Grantee::Everyone => true,
            Grantee::Authenticated => !who.is_anonymous(),
            Grantee::Canonical(id) => signed(id),
            Grantee::LogDelivery => false,
        };
        to && (grant.permission == Permission::FullControl || grant.permission == wanted)
            && !(private && is_to_all(grant))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grants: &[Grant]) -> Vec<(String, Permission)> {
        let one = |grant: &Grant| (String::from(grant.to.clone()), grant.permission);
        grants.iter().map(one).collect()
    }

    #[test]
    fn canned_lists_are_those_of_s3() {
        use Permission as P;
        let all = "everyone";
        for (name, of_bucket, more) in [
            ("private", false, &[][..]),
            ("public-read", true, &[(all, P::Read)]),
            ("public-read-write", true, &[(all, P::Read), (all, P::Write)]),
            ("authenticated-read", false, &[("authenticated", P::Read)]),
            ("bucket-owner-read", false, &[("bo", P::Read)]),
            ("bucket-owner-full-control", false, &[("bo", P::FullControl)]),
            ("bucket-owner-full-control", true, &[]),
            (
                "log-delivery-write",
                true,
                &[("log-delivery", P::Write), ("log-delivery", P::ReadAcp)],
            ),
            ("log-delivery-write", false, &[]),
        ] {
            let grants = Canned::parse(name).unwrap().grants("o", "bo", of_bucket);
            let mut expected = vec![("o".to_owned(), P::FullControl)];
            expected.extend(more.iter().map(|(to, p)| ((*to).to_owned(), *p)));
            assert_eq!(shown(&grants), expected, "{name}");
        }
        let own = Canned::BucketOwnerRead.grants("o", "o", false);
        assert_eq!(own.len(), 1, "the owner has it already");
        assert_eq!(Canned::parse("Private"), None);
    }

    #[test]
    fn lists_are_kept_short_and_shown_whole() {
        for grants in [
            Vec::new(),
            Canned::Private.grants("o", "o", false),
            Canned::PublicRead.grants("o", "o", false),
        ] {
            assert_eq!(from_kept(&to_kept(grants.clone(), "o"), "o"), grants);
        }
        assert!(to_kept(Canned::Private.grants("o", "o", false), "o").is_empty());
    }

    #[test]
    fn what_a_list_permits() {
        use Permission as P;
        let (owner, other, nobody) = (Identity::test("o"), Identity::test("x"), Identity::anonymous());
        let grant = |to: &str, permission| Grant {
            to: Grantee::from(to.to_owned()),
            permission,
        };
        let only_x = to_kept(vec![grant("x", P::Read)], "o");
        let none = to_kept(Vec::new(), "o");
        let public = Canned::PublicRead.grants("o", "o", false);
        let known = Canned::AuthenticatedRead.grants("o", "o", false);
        let full = vec![grant("x", P::FullControl)];
        for (list, who, wanted, private, expected) in [
            (&Vec::new(), &owner, P::Write, false, true),
            (&Vec::new(), &other, P::Read, false, false),
            (&only_x, &other, P::Read, false, true),
            (&only_x, &other, P::ReadAcp, false, false),
            (&only_x, &owner, P::Read, false, false),
            (&only_x, &owner, P::WriteAcp, false, true),
            (&none, &owner, P::Read, false, false),
            (&none, &owner, P::ReadAcp, false, true),
            (&none, &nobody, P::ReadAcp, false, false),
            (&public, &nobody, P::Read, false, true),
            (&public, &nobody, P::Read, true, false),
            (&public, &nobody, P::Write, false, false),
            (&known, &nobody, P::Read, false, false),
            (&known, &other, P::Read, false, true),
            (&known, &other, P::Read, true, false),
            (&full, &other, P::WriteAcp, true, true),
        ] {
            assert_eq!(
                permits(list, "o", who, wanted, private),
                expected,
                "{list:?} {who:?} {wanted:?}"
            );
        }
    }
}
