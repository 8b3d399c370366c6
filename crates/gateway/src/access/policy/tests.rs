//! The language, by tables.

use super::testing::Table;
use super::*;
use crate::access::Users;

const ANA: &str = "a1";
const BEN: &str = "b2";

fn users() -> Users {
    Users::table(&[("ana", ANA), ("ben", BEN)])
}

fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, "photos", &users())
}

fn one(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

fn judge(
    policy: &str,
    who: Option<&str>,
    action: Action,
    resource: &str,
    values: &[(&str, &str)],
) -> Verdict {
    let policy = parse(policy).unwrap_or_else(|error| panic!("{error}: {policy}"));
    policy.judge(Subject { id: who }, action, resource, &Table::of(values))
}

const READ: &str =
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}"#;

#[test]
fn what_is_not_a_policy_is_refused() {
    let documents = [
        "",
        "[]",
        "null",
        r#"{"Version":"2012-10-17"}"#,
        r#"{"Version":"2012-10-17","Statement":[]}"#,
        r#"{"Version":"2012-10-17","Statement":"x"}"#,
        &format!(r#"{{"Version":"2011-10-17","Statement":{READ}}}"#),
        &format!(r#"{{"Version":2012,"Statement":{READ}}}"#),
        &format!(r#"{{"Id":7,"Statement":{READ}}}"#),
        &format!(r#"{{"Statement":{READ},"Novelty":1}}"#),
        &format!(r#"{{"Statement":{READ},"statement":1}}"#),
        &format!(r#"{{"Statement":{READ},"Statement":{READ}}}"#),
        &format!(r#"{{"Statement":{READ},"Id":"{}"}}"#, "x".repeat(POLICY_MAX)),
    ];
    for document in documents {
        assert!(parse(document).is_err(), "{document}");
    }
}

#[test]
fn what_a_statement_must_not_say_is_refused() {
    for (from, to) in [
        (r#""Allow""#, r#""allow""#),
        (r#""Effect":"Allow","#, ""),
        (r#""Principal":"*","#, ""),
        (r#""Action":"s3:GetObject","#, ""),
        (r#""Principal":"*""#, r#""Principal":"ana""#),
        (r#""Principal":"*""#, r#""Principal":{}"#),
        (r#""Principal":"*""#, r#""Principal":{"AWS":[]}"#),
        (
            r#""Principal":"*""#,
            r#""Principal":{"AWS":"arn:aws:iam:::user/eve"}"#,
        ),
        (
            r#""Principal":"*""#,
            r#""Principal":{"AWS":"arn:aws:iam::123456789012:root"}"#,
        ),
        (
            r#""Principal":"*""#,
            r#""Principal":{"AWS":"arn:aws:iam:::role/ana"}"#,
        ),
        (
            r#""Principal":"*""#,
            r#""Principal":{"Service":"logging.s3.amazonaws.com"}"#,
        ),
        (r#""Principal":"*""#, r#""Principal":{"CanonicalUser":"ana"}"#),
        (
            r#""Principal":"*""#,
            r#""Principal":"*","NotPrincipal":{"AWS":"ana"}"#,
        ),
        (r#""Principal":"*""#, r#""NotPrincipal":{"AWS":"ana"}"#),
        ("s3:GetObject", "s3:GetObjekt"),
        ("s3:GetObject", "s3:Novel*"),
        ("s3:GetObject", "iam:GetUser"),
        ("s3:GetObject", "GetObject"),
        (r#""s3:GetObject""#, "[]"),
        (r#""s3:GetObject""#, "7"),
        ("s3:GetObject", "s3:ListBucket"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:::films/*"),
        ("arn:aws:s3:::photos/*", "**"),
        ("arn:aws:s3:::photos/*", "photos/*"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:eu-west-1::photos/*"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:*:photos/*"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos/${aws:username"),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos/${aws:nobody}"),
        (r#"photos/*""#, r#"photos/*","Extra":1"#),
        (r#"photos/*""#, r#"photos/*","Condition":[]"#),
        (r#"photos/*""#, r#"photos/*","Condition":{"StringEquals":{}}"#),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"StringMatches":{"s3:prefix":"a"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"ForSomeValue:StringEquals":{"s3:prefix":"a"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"NullIfExists":{"s3:prefix":"true"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"StringEquals":{"s3:made-up":"a"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"StringEquals":{"s3:prefix":{}}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"NumericEquals":{"s3:max-keys":"ten"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"IpAddress":{"aws:SourceIp":"1.2.3.4/64"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"Bool":{"aws:SecureTransport":"perhaps"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"ArnLike":{"aws:PrincipalArn":"ana"}}"#,
        ),
        (
            r#"photos/*""#,
            r#"photos/*","Condition":{"BinaryEquals":{"s3:prefix":"%"}}"#,
        ),
    ] {
        assert!(READ.contains(from), "{from}");
        let document = one(&READ.replacen(from, to, 1));
        assert!(parse(&document).is_err(), "{document}");
    }
    assert!(parse(&one(READ)).is_ok());
}

#[test]
fn principals() {
    for (principal, ana, nobody) in [
        (r#""Principal":"*""#, true, true),
        (r#""Principal":{"AWS":"*"}"#, true, true),
        (
            r#""Principal":{"AWS":["arn:aws:iam:::user/ben","arn:aws:iam:::user/ana"]}"#,
            true,
            false,
        ),
        (
            r#""Principal":{"AWS":"arn:aws:iam::123456789012:user/division/ana"}"#,
            true,
            false,
        ),
        (r#""Principal":{"AWS":"arn:aws:iam::a1:root"}"#, true, false),
        (r#""Principal":{"AWS":"arn:aws:iam::ana:root"}"#, true, false),
        (r#""Principal":{"AWS":"a1"}"#, true, false),
        (r#""Principal":{"CanonicalUser":"a1"}"#, true, false),
        (r#""Principal":{"CanonicalUser":"b2","AWS":"ana"}"#, true, false),
        (r#""Principal":{"AWS":"arn:aws:iam:::user/b2"}"#, false, false),
    ] {
        let document = one(&READ.replace(r#""Principal":"*""#, principal));
        let allows = |who| judge(&document, who, Action::GetObject, "photos/a", &[]) == Verdict::Allow;
        assert_eq!((allows(Some(ANA)), allows(None)), (ana, nobody), "{principal}");
    }
    let but = one(
        r#"{"Effect":"Deny","NotPrincipal":{"AWS":"ana"},"Action":"s3:*","Resource":"arn:aws:s3:::photos/*"}"#,
    );
    let denies = |who| judge(&but, who, Action::GetObject, "photos/a", &[]) == Verdict::Deny;
    assert!(!denies(Some(ANA)) && denies(Some(BEN)) && denies(None));
}

#[test]
fn actions_and_resources() {
    let statement = |action: &str, resource: &str| {
        one(&format!(
            r#"{{"Effect":"Allow","Principal":"*",{action},{resource}}}"#
        ))
    };
    let get = r#""Action":"S3:getobject""#;
    let all = r#""Action":["s3:ListBucket","s3:Get*"]"#;
    let but = r#""NotAction":"s3:Put*""#;
    let objects = r#""Resource":"arn:aws:s3:::photos/*""#;
    let both = r#""Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/?.jpg"]"#;
    let own = r#""Resource":"arn:aws:s3:::photos/${aws:username}/*""#;
    let wide = r#""Resource":"arn:aws:s3:::*""#;
    let every = r#""Resource":"*""#;
    let anywhere = r#""Resource":"arn:aws:s3:*:*:photos/*""#;
    let other = r#""NotResource":"arn:aws:s3:::photos/private/*""#;
    let ana = [("aws:username", "ana")];
    for (action, resource, asked, on, allowed) in [
        (get, objects, Action::GetObject, "photos/a/b", true),
        (get, objects, Action::GetObjectVersion, "photos/a", false),
        (get, own, Action::GetObject, "photos/ana/x", true),
        (get, own, Action::GetObject, "photos/anabel/x", false),
        (all, both, Action::ListBucket, "photos", true),
        (all, both, Action::GetObjectAcl, "photos/a.jpg", true),
        (all, both, Action::GetObject, "photos/ab.jpg", false),
        (all, wide, Action::ListBucket, "photos", true),
        (all, wide, Action::GetObject, "photos/x", true),
        (all, every, Action::ListBucket, "photos", true),
        (all, every, Action::GetObject, "photos/x", true),
        (get, anywhere, Action::GetObject, "photos/x", true),
        (but, objects, Action::DeleteObject, "photos/x", true),
        (but, objects, Action::PutObject, "photos/x", false),
        (get, other, Action::GetObject, "photos/x", true),
        (get, other, Action::GetObject, "photos/private/x", false),
    ] {
        let verdict = judge(&statement(action, resource), Some(ANA), asked, on, &ana);
        assert_eq!(
            verdict == Verdict::Allow,
            allowed,
            "{action} {resource} {asked:?} {on}"
        );
    }
    let nobody = judge(&statement(get, own), None, Action::GetObject, "photos//x", &[]);
    assert_eq!(nobody, Verdict::Silent, "a variable without a value is nothing");
}

#[test]
fn an_explicit_deny_wins() {
    let deny = r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/x"}"#;
    for document in [one(&format!("{READ},{deny}")), one(&format!("{deny},{READ}"))] {
        assert_eq!(
            judge(&document, None, Action::GetObject, "photos/x", &[]),
            Verdict::Deny
        );
        assert_eq!(
            judge(&document, None, Action::GetObject, "photos/y", &[]),
            Verdict::Allow
        );
        assert_eq!(
            judge(&document, None, Action::PutObject, "photos/y", &[]),
            Verdict::Silent
        );
    }
}

/// Whether a condition holds for these values.
fn holds(condition: &str, values: &[(&str, &str)]) -> bool {
    let document = one(&READ.replace(
        r#"photos/*""#,
        &format!(r#"photos/*","Condition":{{{condition}}}"#),
    ));
    judge(&document, None, Action::GetObject, "photos/a", values) == Verdict::Allow
}

#[test]
fn conditions_on_one_value() {
    const P: &str = "s3:prefix";
    for (condition, value, expected) in [
        (r#""StringEquals":{"s3:prefix":"a"}"#, "a", true),
        (r#""StringEquals":{"s3:prefix":"a"}"#, "A", false),
        (r#""StringEquals":{"s3:prefix":["b","a"]}"#, "a", true),
        (r#""StringEquals":{"s3:prefix":"a*"}"#, "ab", false),
        (r#""StringNotEquals":{"s3:prefix":["b","a"]}"#, "a", false),
        (r#""StringNotEquals":{"s3:prefix":["b","a"]}"#, "c", true),
        (r#""StringEqualsIgnoreCase":{"s3:prefix":"a"}"#, "A", true),
        (r#""StringNotEqualsIgnoreCase":{"s3:prefix":"a"}"#, "A", false),
        (r#""StringLike":{"s3:prefix":"a*"}"#, "ab", true),
        (r#""StringNotLike":{"s3:prefix":"a*"}"#, "ab", false),
        (r#""NumericLessThanEquals":{"s3:prefix":"10"}"#, "10", true),
        (r#""NumericLessThan":{"s3:prefix":10}"#, "10", false),
        (r#""NumericGreaterThan":{"s3:prefix":"9.5"}"#, "10", true),
        (r#""NumericEquals":{"s3:prefix":"10"}"#, "ten", false),
        (r#""NumericNotEquals":{"s3:prefix":"10"}"#, "11", true),
        (
            r#""DateGreaterThan":{"s3:prefix":"2026-01-01T00:00:00Z"}"#,
            "2026-01-02",
            true,
        ),
        (
            r#""DateLessThanEquals":{"s3:prefix":"2026-01-01"}"#,
            "2026-01-02",
            false,
        ),
        (r#""Bool":{"s3:prefix":false}"#, "false", true),
        (r#""Bool":{"s3:prefix":"true"}"#, "false", false),
        (r#""IpAddress":{"s3:prefix":"10.0.0.0/8"}"#, "10.1.2.3", true),
        (r#""NotIpAddress":{"s3:prefix":"10.0.0.0/8"}"#, "10.1.2.3", false),
        (
            r#""ArnLike":{"s3:prefix":"arn:aws:iam::*:user/a*"}"#,
            "arn:aws:iam:::user/ana",
            true,
        ),
        (
            r#""ArnEquals":{"s3:prefix":"arn:aws:iam::*:user/a*"}"#,
            "arn:aws:iam:::user/ben",
            false,
        ),
        (
            r#""ArnLike":{"s3:prefix":"arn:*:iam::x:user/a"}"#,
            "arn:aws:s3:::iam::x:user/a",
            false,
        ),
        (r#""BinaryEquals":{"s3:prefix":"QQ=="}"#, "QQ==", true),
        (r#""Null":{"s3:prefix":"false"}"#, "a", true),
        (r#""Null":{"s3:prefix":"true"}"#, "a", false),
    ] {
        assert_eq!(holds(condition, &[(P, value)]), expected, "{condition} {value}");
    }
}

#[test]
fn conditions_on_no_value() {
    for (condition, expected) in [
        (r#""StringEquals":{"s3:prefix":"a"}"#, false),
        (r#""StringLike":{"s3:prefix":"*"}"#, false),
        (r#""StringNotEquals":{"s3:prefix":"a"}"#, true),
        (r#""StringNotLike":{"s3:prefix":"a"}"#, true),
        (r#""NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, true),
        (r#""NumericLessThan":{"s3:max-keys":"10"}"#, false),
        (r#""StringEqualsIfExists":{"s3:prefix":"a"}"#, true),
        (r#""Null":{"s3:prefix":true}"#, true),
        (r#""Null":{"s3:prefix":"false"}"#, false),
        (
            r#""ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            true,
        ),
        (
            r#""ForAnyValue:StringEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            false,
        ),
        (
            r#""ForAnyValue:StringNotEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            false,
        ),
    ] {
        assert_eq!(holds(condition, &[]), expected, "{condition}");
    }
}

#[test]
fn conditions_on_several_values_and_several_keys() {
    const KEYS: &str = "s3:RequestObjectTagKeys";
    let two = [(KEYS, "a"), (KEYS, "b")];
    for (condition, expected) in [
        (
            r#""ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            false,
        ),
        (
            r#""ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["a","b","c"]}"#,
            true,
        ),
        (
            r#""ForAnyValue:StringEquals":{"s3:RequestObjectTagKeys":["b","c"]}"#,
            true,
        ),
        (
            r#""ForAnyValue:StringEquals":{"s3:RequestObjectTagKeys":["c"]}"#,
            false,
        ),
        (
            r#""ForAllValues:StringNotEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            false,
        ),
        (
            r#""ForAnyValue:StringNotEquals":{"s3:RequestObjectTagKeys":["a"]}"#,
            true,
        ),
        (r#""StringNotEquals":{"s3:RequestObjectTagKeys":["a"]}"#, false),
    ] {
        assert_eq!(holds(condition, &two), expected, "{condition}");
    }
    let both = r#""StringEquals":{"s3:prefix":"a","s3:delimiter":"/"},"Bool":{"aws:SecureTransport":"true"}"#;
    let all = [
        ("s3:prefix", "a"),
        ("s3:delimiter", "/"),
        ("aws:SecureTransport", "true"),
    ];
    assert!(holds(both, &all) && !holds(both, &all[..2]) && !holds(both, &all[1..]));
    let own = r#""StringEquals":{"s3:prefix":"home/${aws:username}"}"#;
    assert!(holds(own, &[("s3:prefix", "home/ana"), ("aws:username", "ana")]));
    assert!(!holds(own, &[("s3:prefix", "home/${aws:username}")]));
    let tags = r#""StringEquals":{"s3:ExistingObjectTag/Team":"red"}"#;
    assert!(holds(tags, &[("s3:ExistingObjectTag/Team", "red")]));
    assert!(
        !holds(tags, &[("s3:ExistingObjectTag/team", "red")]),
        "tags have their case"
    );
}

#[test]
fn without_the_newer_version_there_are_no_variables() {
    let document = READ.replace("photos/*", "photos/${aws:username}");
    let judged = |version: &str| {
        let document = format!(r#"{{{version}"Statement":{document}}}"#);
        judge(
            &document,
            None,
            Action::GetObject,
            "photos/${aws:username}",
            &[("aws:username", "ana")],
        )
    };
    assert_eq!(judged(""), Verdict::Allow);
    assert_eq!(judged(r#""Version":"2008-10-17","#), Verdict::Allow);
    assert_eq!(judged(r#""Version":"2012-10-17","#), Verdict::Silent);
}

#[test]
fn what_is_public() {
    let with = |condition: &str| {
        one(&READ.replace(
            r#"photos/*""#,
            &format!(r#"photos/*","Condition":{{{condition}}}"#),
        ))
    };
    let ana = READ.replace(r#""*""#, r#"{"AWS":"ana"}"#);
    for (document, public) in [
        (one(READ), true),
        (one(&READ.replace(r#""*""#, r#"{"AWS":"*"}"#)), true),
        (one(&READ.replace("Allow", "Deny")), false),
        (one(&ana), false),
        (one(&format!("{ana},{READ}")), true),
        (with(r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#), false),
        (
            with(r#""IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/1"]}"#),
            true,
        ),
        (with(r#""NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#), true),
        (
            with(r#""IpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"}"#),
            true,
        ),
        (with(r#""StringEquals":{"aws:userid":"a1"}"#), false),
        (with(r#""StringLike":{"aws:userid":"a*"}"#), true),
        (with(r#""StringEquals":{"s3:prefix":"a"}"#), true),
        (with(r#""StringEquals":{"aws:SourceVpc":"vpc-1"}"#), false),
        (with(r#""StringLike":{"aws:SourceVpc":"vpc-*"}"#), true),
        (with(r#""StringNotEquals":{"aws:SourceVpc":"vpc-1"}"#), true),
        (with(r#""StringEquals":{"s3:TlsVersion":"1.2"}"#), true),
    ] {
        assert_eq!(parse(&document).unwrap().is_public(), public, "{document}");
    }
}

#[test]
fn what_was_judged_before_neither_forbids_nor_withholds() {
    struct Later(bool);
    impl Values for Later {
        fn get(&self, _: &Key) -> Option<Vec<String>> {
            None
        }
        fn is_judged(&self, key: &Key) -> bool {
            self.0 && key.name == "s3:x-amz-acl"
        }
    }
    let verdict = |effect: &str, condition: &str, later: bool| {
        let condition = format!(r#"photos/*","Condition":{{{condition}}}"#);
        let policy = READ
            .replace("Allow", effect)
            .replace("GetObject", "PutObject")
            .replace(r#"photos/*""#, &condition);
        let who = Subject { id: Some(ANA) };
        parse(&one(&policy))
            .unwrap()
            .judge(who, Action::PutObject, "photos/x", &Later(later))
    };
    let list = r#""StringEquals":{"s3:x-amz-acl":"private"}"#;
    let none = r#""Null":{"s3:x-amz-acl":"true"}"#;
    assert_eq!(verdict("Allow", list, false), Verdict::Silent);
    assert_eq!(verdict("Allow", list, true), Verdict::Allow);
    assert_eq!(verdict("Deny", none, false), Verdict::Deny);
    assert_eq!(verdict("Deny", none, true), Verdict::Silent);
    let other = r#""Null":{"s3:prefix":"true"}"#;
    assert_eq!(verdict("Deny", other, true), Verdict::Deny);
}
