"""Bucket policies as documents: what is kept, what is answered, what is refused."""

import json

import pytest

from conftest import refused
from users import ALL, a_list

DENIED = ("AccessDenied", 403)


def statement(bucket, **fields):
    one = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return {name: value for name, value in {**one, **fields}.items() if value is not None}


def policy(*statements, **fields):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **fields})


def test_a_policy_is_kept_as_it_is_written(ana, raw, home):
    assert refused(ana.s3.get_bucket_policy, Bucket=home) == ("NoSuchBucketPolicy", 404)
    text = policy(statement(home, Sid="all may read"), Id="one").replace(",", " ,\n")
    put = ana.s3.put_bucket_policy(Bucket=home, Policy=text)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    got = ana.s3.get_bucket_policy(Bucket=home)
    assert got["Policy"] == text
    assert got["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    for _ in range(2):
        assert ana.s3.delete_bucket_policy(Bucket=home)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(ana.s3.get_bucket_policy, Bucket=home) == ("NoSuchBucketPolicy", 404)
    for call in ["get_bucket_policy", "delete_bucket_policy", "get_bucket_policy_status"]:
        assert refused(getattr(ana.s3, call), Bucket=f"{home}-none") == ("NoSuchBucket", 404)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"policy"',
        "{}",
        '{"Version":"2012-10-17"}',
        '{"Version":"2012-10-17","Statement":[]}',
        '{"Version":"1999-01-01","Statement":[{STATEMENT}]}',
        '{"Statement":[{STATEMENT}],"Comment":"hello"}',
        '{"Statement":[{STATEMENT}],"Statement":[{STATEMENT}]}',
        '{"Statement":[{STATEMENT},7]}',
    ],
)
def test_what_is_not_a_policy(ana, home, text):
    text = text.replace("{STATEMENT}", json.dumps(statement(home)))
    assert refused(ana.s3.put_bucket_policy, Bucket=home, Policy=text).code in ("MalformedPolicy", "MissingRequestBodyError")
    assert refused(ana.s3.get_bucket_policy, Bucket=home).code == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    "fields",
    [
        {"Effect": None},
        {"Effect": "allow"},
        {"Effect": "Perhaps"},
        {"Principal": None},
        {"Principal": "ana"},
        {"Principal": {"AWS": []}},
        {"Principal": {"AWS": "arn:aws:iam:::user/nobody-of-that-name"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/admin"}},
        {"Principal": {"CanonicalUser": "0" * 64}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"Federated": "example.org"}},
        {"Principal": None, "NotPrincipal": "*"},
        {"Action": None},
        {"Action": []},
        {"Action": "s3:Read"},
        {"Action": "GetObject"},
        {"Action": "ec2:RunInstances"},
        {"Action": ["s3:GetObject", "s3:Nothing*"]},
        {"Action": "s3:ListBucket"},
        {"NotAction": "s3:PutObject"},
        {"Resource": None},
        {"Resource": "**"},
        {"Resource": "arn:aws:s3:::another-bucket/*"},
        {"Resource": "arn:aws:s3:::"},
        {"Resource": "BUCKET/*"},
        {"Resource": "arn:aws:sns:::BUCKET/*"},
        {"Resource": "arn:aws:s3:::BUCKET/${nothing:known}"},
        {"Condition": []},
        {"Condition": {"StringIs": {"s3:prefix": "a"}}},
        {"Condition": {"StringEquals": {"s3:colour": "red"}}},
        {"Condition": {"StringEquals": {"aws:SourceVlan": "7"}}},
        {"Condition": {"StringEquals": {"s3:prefix": {"a": "b"}}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "everywhere"}}},
        {"Condition": {"NumericLessThan": {"s3:max-keys": "few"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "maybe"}}},
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "yesterday"}}},
        {"Comment": "hello"},
    ],
    ids=json.dumps,
)
def test_what_a_statement_must_not_say(ana, home, fields):
    text = policy(statement(home, **fields)).replace("BUCKET", home)
    assert refused(ana.s3.put_bucket_policy, Bucket=home, Policy=text) == ("MalformedPolicy", 400)
    assert refused(ana.s3.get_bucket_policy, Bucket=home).code == "NoSuchBucketPolicy"


def test_a_policy_that_is_too_long(ana, home):
    fits = policy(statement(home), Id="x" * (20 * 1024 - len(policy(statement(home), Id=""))))
    ana.s3.put_bucket_policy(Bucket=home, Policy=fits)
    longer = fits.replace("xxx", "xxxx", 1)
    assert refused(ana.s3.put_bucket_policy, Bucket=home, Policy=longer) == ("MalformedPolicy", 400)
    assert ana.s3.get_bucket_policy(Bucket=home)["Policy"] == fits


def is_public(client, bucket):
    return client.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]


def test_whether_a_bucket_is_public(ana, ben, home):
    assert is_public(ana.s3, home) is False
    for fields, public in [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "arn:aws:iam:::user/ben"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"StringLike": {"aws:Referer": "http://example.org/*"}}}, True),
        # As in the examples of "The meaning of public".
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}}, False),
        ({"Resource": "*", "Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-91237329"}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
    ]:
        ana.s3.put_bucket_policy(Bucket=home, Policy=policy(statement(home, **fields)))
        assert is_public(ana.s3, home) is public, fields
    ana.s3.delete_bucket_policy(Bucket=home)
    ana.s3.put_bucket_acl(Bucket=home, ACL="authenticated-read")
    assert is_public(ana.s3, home) is True
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id, (ben.id, "FULL_CONTROL")))
    assert is_public(ana.s3, home) is False
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id, (ALL, "READ_ACP")))
    assert is_public(ana.s3, home) is True


def test_nobody_is_locked_out_of_the_policy(ana, ben, home):
    everything = [f"arn:aws:s3:::{home}", f"arn:aws:s3:::{home}/*"]
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    text = policy(statement(home, Effect="Deny", Action="s3:*", Resource=everything))
    ana.s3.put_bucket_policy(Bucket=home, Policy=text)
    assert refused(ana.s3.get_object, Bucket=home, Key="k") == DENIED
    assert refused(ana.s3.list_objects_v2, Bucket=home) == DENIED
    assert refused(ana.s3.delete_bucket, Bucket=home) == DENIED
    assert ana.s3.get_bucket_policy(Bucket=home)["Policy"] == text
    assert refused(ben.s3.delete_bucket_policy, Bucket=home) == DENIED
    ana.s3.delete_bucket_policy(Bucket=home)
    ana.s3.get_object(Bucket=home, Key="k")


def test_a_policy_can_be_anothers_to_keep(ana, ben, home):
    ben_may = statement(home, Principal={"AWS": "arn:aws:iam:::user/ben"}, Action=["s3:GetBucketPolicy", "s3:PutBucketPolicy"],
                        Resource=f"arn:aws:s3:::{home}")
    ana.s3.put_bucket_policy(Bucket=home, Policy=policy(ben_may))
    ben.s3.get_bucket_policy(Bucket=home)
    ben.s3.put_bucket_policy(Bucket=home, Policy=policy(statement(home)))
    assert refused(ben.s3.get_bucket_policy, Bucket=home) == DENIED
