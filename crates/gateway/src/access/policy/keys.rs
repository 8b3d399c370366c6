//! Condition keys: what a condition may ask of a request.

/// Every key that some request here has. Those that end in `/` go on with a tag's name.
const KNOWN: &[&str] = &[
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "s3:ExistingObjectTag/",
    "s3:LocationConstraint",
    "s3:RequestObjectTag/",
    "s3:RequestObjectTagKeys",
    "s3:VersionId",
    "s3:authType",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:prefix",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
];

/// Keys that AWS documents and that no request here ever has: there are no virtual private clouds,
/// organisations, access points, roles or temporary credentials that it could come with. A condition on one is
/// judged as AWS judges a request without it.
const ABSENT: &[&str] = &[
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalTag/",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TokenIssueTime",
    "aws:VpcSourceIp",
    "s3:AccessPointNetworkOrigin",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:TlsVersion",
];

/// One condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name as in the reference, without a tag's name: `s3:prefix`, `s3:ExistingObjectTag/`.
    pub name: &'static str,
    /// The tag's name, of a key that ends in `/`.
    pub tag: Option<String>,
}

impl Key {
    /// A key by its name, in whatever case; a tag's name is taken as it is. `None` for one that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, tag) = match text.split_once('/') {
            Some((_, "")) => return None,
            Some((name, tag)) => (&text[..=name.len()], Some(tag.to_owned())),
            None => (text, None),
        };
        let mut all = KNOWN.iter().chain(ABSENT);
        let known = all.find(|known| known.eq_ignore_ascii_case(name))?;
        Some(Self { name: known, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_in_any_case() {
        let key = Key::parse("AWS:sourceip").unwrap();
        assert_eq!((key.name, key.tag), ("aws:SourceIp", None));
        let key = Key::parse("s3:existingobjecttag/Team/A").unwrap();
        assert_eq!(
            (key.name, key.tag.as_deref()),
            ("s3:ExistingObjectTag/", Some("Team/A"))
        );
        for unknown in [
            "",
            "s3:",
            "s3:ExistingObjectTag",
            "s3:ExistingObjectTag/",
            "s3:prefix/x",
            "aws:PrincipalTag",
            "aws:RequestedRegion",
        ] {
            assert_eq!(Key::parse(unknown), None, "{unknown}");
        }
    }
}
