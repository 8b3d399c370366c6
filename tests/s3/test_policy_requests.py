"""What a bucket's policy makes of requests."""

import json

import pytest

from conftest import new_bucket, clear, refused
from test_policy_documents import policy, statement

DENIED = ("AccessDenied", 403)
BEN = {"AWS": "arn:aws:iam:::user/ben"}


@pytest.fixture
def put(ana, home):
    """Puts a policy of these statements on the bucket."""
    def put(*statements):
        ana.s3.put_bucket_policy(Bucket=home, Policy=policy(*statements))
    return put


def test_everybody_may_read(ana, ben, anonymous, home, put):
    ana.s3.put_object(Bucket=home, Key="open/k", Body=b"x")
    ana.s3.put_object(Bucket=home, Key="closed", Body=b"x")
    put(statement(home, Resource=f"arn:aws:s3:::{home}/open/*"))
    for other in [anonymous, ben.s3]:
        assert other.get_object(Bucket=home, Key="open/k")["Body"].read() == b"x"
        other.head_object(Bucket=home, Key="open/k")
        assert refused(other.get_object, Bucket=home, Key="closed") == DENIED
        assert refused(other.get_object, Bucket=home, Key="open/none") == DENIED
        assert refused(other.list_objects_v2, Bucket=home) == DENIED
        assert refused(other.put_object, Bucket=home, Key="open/n", Body=b"x") == DENIED
    put(statement(home), statement(home, Action="s3:ListBucket", Resource=f"arn:aws:s3:::{home}"))
    assert refused(anonymous.get_object, Bucket=home, Key="none") == ("NoSuchKey", 404)
    assert anonymous.list_objects_v2(Bucket=home)["KeyCount"] == 2
    assert refused(anonymous.list_object_versions, Bucket=home) == DENIED


@pytest.mark.parametrize("principal", ["name", "id", "account", "canonical", "path"])
def test_somebody_may_read(ana, ben, anonymous, home, put, principal):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    put(statement(home, Principal={
        "name": {"AWS": ["arn:aws:iam:::user/ben"]},
        "id": {"AWS": f"arn:aws:iam:::user/{ben.id}"},
        "account": {"AWS": f"arn:aws:iam::{ben.id}:root"},
        "canonical": {"CanonicalUser": ben.id},
        "path": {"AWS": "arn:aws:iam::123456789012:user/staff/ben"},
    }[principal]))
    ben.s3.get_object(Bucket=home, Key="k")
    assert refused(anonymous.get_object, Bucket=home, Key="k") == DENIED


@pytest.mark.parametrize(
    "action, call, arguments, on_bucket",
    [
        ("s3:PutObject", "put_object", {"Key": "n", "Body": b"x"}, False),
        ("s3:PutObject", "create_multipart_upload", {"Key": "n"}, False),
        ("s3:DeleteObject", "delete_object", {"Key": "k"}, False),
        ("s3:GetObjectAcl", "get_object_acl", {"Key": "k"}, False),
        ("s3:PutObjectAcl", "put_object_acl", {"Key": "k", "ACL": "public-read"}, False),
        ("s3:GetObjectTagging", "get_object_tagging", {"Key": "k"}, False),
        ("s3:PutObjectTagging", "put_object_tagging", {"Key": "k", "Tagging": {"TagSet": []}}, False),
        ("s3:DeleteObjectTagging", "delete_object_tagging", {"Key": "k"}, False),
        ("s3:ListBucket", "list_objects", {}, True),
        ("s3:ListBucket", "head_bucket", {}, True),
        ("s3:ListBucketVersions", "list_object_versions", {}, True),
        ("s3:ListBucketMultipartUploads", "list_multipart_uploads", {}, True),
        ("s3:GetBucketAcl", "get_bucket_acl", {}, True),
        ("s3:PutBucketAcl", "put_bucket_acl", {"ACL": "private"}, True),
        ("s3:GetBucketLocation", "get_bucket_location", {}, True),
        ("s3:GetBucketVersioning", "get_bucket_versioning", {}, True),
        ("s3:PutBucketVersioning", "put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}, True),
        ("s3:PutBucketTagging", "put_bucket_tagging", {"Tagging": {"TagSet": []}}, True),
        ("s3:GetBucketPolicyStatus", "get_bucket_policy_status", {}, True),
        ("s3:PutBucketPublicAccessBlock", "delete_public_access_block", {}, True),
        ("s3:GetBucketRequestPayment", "get_bucket_request_payment", {}, True),
    ],
)
def test_each_operation_has_its_action(ana, ben, home, put, action, call, arguments, on_bucket):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    resource = f"arn:aws:s3:::{home}" if on_bucket else f"arn:aws:s3:::{home}/*"
    others = {"NotAction": action, "Action": None}
    put(statement(home, Principal=BEN, Resource=[f"arn:aws:s3:::{home}", f"arn:aws:s3:::{home}/*"], **others))
    assert refused(getattr(ben.s3, call), Bucket=home, **arguments).status == 403, "every action but its own"
    put(statement(home, Principal=BEN, Action=action, Resource=resource))
    getattr(ben.s3, call)(Bucket=home, **arguments)


def test_versions_have_actions_of_their_own(ana, ben, home, put):
    ana.s3.put_bucket_versioning(Bucket=home, VersioningConfiguration={"Status": "Enabled"})
    version = ana.s3.put_object(Bucket=home, Key="k", Body=b"x")["VersionId"]
    named = {"Bucket": home, "Key": "k", "VersionId": version}
    put(statement(home, Principal=BEN, Action=["s3:GetObject", "s3:DeleteObject", "s3:GetObjectAcl"]))
    ben.s3.get_object(Bucket=home, Key="k")
    for call in [ben.s3.get_object, ben.s3.get_object_acl, ben.s3.delete_object, ben.s3.get_object_tagging]:
        assert refused(call, **named) == DENIED
    put(statement(home, Principal=BEN, Action=["s3:GetObjectVersion", "s3:DeleteObjectVersion"],
                  Condition={"StringEquals": {"s3:VersionId": version}}))
    assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    ben.s3.get_object(**named)
    ben.s3.delete_object(**named)


def test_deny_wins(ana, ben, home, put):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    ana.s3.put_object_acl(Bucket=home, Key="k", ACL="public-read")
    put(statement(home), statement(home, Effect="Deny", Principal=BEN))
    assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    put(statement(home, Effect="Deny", Principal=None, NotPrincipal={"AWS": "arn:aws:iam:::user/ana"}))
    assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    ana.s3.get_object(Bucket=home, Key="k")
    put(statement(home, Effect="Deny"))
    assert refused(ana.s3.get_object, Bucket=home, Key="k") == DENIED, "the owner is bound as well"


def test_conditions_on_listings(ana, ben, home, put):
    on = {"Principal": BEN, "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{home}"}
    put(statement(home, **on, Condition={"StringLike": {"s3:prefix": "ben/*"}, "StringEquals": {"s3:delimiter": "/"}}))
    ben.s3.list_objects_v2(Bucket=home, Prefix="ben/x", Delimiter="/")
    for asked in [{}, {"Prefix": "ben/x"}, {"Prefix": "ana/", "Delimiter": "/"}]:
        assert refused(ben.s3.list_objects_v2, Bucket=home, **asked) == DENIED
    put(statement(home, **on, Condition={"NumericLessThanEquals": {"s3:max-keys": "10"}}))
    ben.s3.list_objects_v2(Bucket=home, MaxKeys=10)
    assert refused(ben.s3.list_objects_v2, Bucket=home, MaxKeys=11) == DENIED
    assert refused(ben.s3.list_objects_v2, Bucket=home) == DENIED
    put(statement(home, **on, Condition={"StringEquals": {"s3:prefix": "${aws:username}"}}))
    ben.s3.list_objects_v2(Bucket=home, Prefix="ben")
    assert refused(ben.s3.list_objects_v2, Bucket=home, Prefix="${aws:username}") == DENIED


@pytest.mark.parametrize(
    "condition, asked, other",
    [
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, {"ACL": "bucket-owner-full-control"}, {"ACL": "private"}),
        ({"StringEquals": {"s3:x-amz-grant-full-control": "id=ANA"}}, {"GrantFullControl": "id=ANA"}, {"GrantRead": "id=ANA"}),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}, {"StorageClass": "STANDARD"}, {}),
        ({"StringEquals": {"s3:RequestObjectTag/team": "red"}}, {"Tagging": "team=red&x=y"}, {"Tagging": "team=blue"}),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {"Tagging": "a=1&b=2"}, {"Tagging": "a=1&c=2"}),
        ({"Null": {"s3:x-amz-acl": "true"}}, {}, {"ACL": "private"}),
        ({"StringEquals": {"s3:if-none-match": "*"}}, {"IfNoneMatch": "*"}, {}),
    ],
    ids=json.dumps,
)
def test_conditions_on_puts(ana, ben, home, put, condition, asked, other):
    condition, asked, other = (json.loads(json.dumps(part).replace("ANA", ana.id)) for part in (condition, asked, other))
    put(statement(home, Principal=BEN, Action=["s3:PutObject", "s3:PutObjectTagging"], Condition=condition))
    ben.s3.put_object(Bucket=home, Key="k", Body=b"x", **asked)
    assert refused(ben.s3.put_object, Bucket=home, Key="n", Body=b"x", **other) == DENIED


def test_lists_and_tags_that_come_with_a_put_can_be_forbidden(ana, ben, home, put):
    may = statement(home, Principal=BEN, Action=["s3:PutObject"])
    put(may, statement(home, Effect="Deny", Principal=BEN, Action="s3:PutObject",
                       Condition={"StringLike": {"s3:x-amz-acl": "public*"}}))
    ben.s3.put_object(Bucket=home, Key="k", Body=b"x")
    assert refused(ben.s3.put_object, Bucket=home, Key="k", Body=b"x", ACL="public-read") == DENIED
    put(may, statement(home, Effect="Deny", Principal=BEN, Action=["s3:PutObjectAcl", "s3:PutObjectTagging"]))
    ben.s3.put_object(Bucket=home, Key="k", Body=b"x")
    for asked in [{"ACL": "private"}, {"Tagging": "a=b"}]:
        assert refused(ben.s3.put_object, Bucket=home, Key="k", Body=b"x", **asked) == DENIED
        assert refused(ben.s3.create_multipart_upload, Bucket=home, Key="k", **asked) == DENIED


def test_conditions_on_the_tags_that_are_there(ana, ben, home, put):
    for key, tags in [("red", "team=red"), ("blue", "team=blue"), ("none", "")]:
        ana.s3.put_object(Bucket=home, Key=key, Body=b"x", Tagging=tags)
    put(statement(home, Principal=BEN, Action=["s3:GetObject", "s3:PutObjectTagging", "s3:GetObjectTagging"],
                  Condition={"StringEquals": {"s3:ExistingObjectTag/team": "red"}}))
    ben.s3.get_object(Bucket=home, Key="red")
    ben.s3.get_object_tagging(Bucket=home, Key="red")
    for key in ["blue", "none"]:
        assert refused(ben.s3.get_object, Bucket=home, Key=key) == DENIED
        assert refused(ben.s3.get_object_tagging, Bucket=home, Key=key) == DENIED
    put(statement(home, Principal=BEN, Action="s3:PutObjectTagging",
                  Condition={"StringEquals": {"s3:RequestObjectTag/team": "green"}}))
    tags = lambda team: {"TagSet": [{"Key": "team", "Value": team}]}
    ben.s3.put_object_tagging(Bucket=home, Key="blue", Tagging=tags("green"))
    assert refused(ben.s3.put_object_tagging, Bucket=home, Key="blue", Tagging=tags("red")) == DENIED


def test_conditions_on_the_request_itself(ana, ben, anonymous, home, put):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    for condition, ben_may, nobody_may in [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False, False),
        ({"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "127.0.0.1"]}}, False, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True, True),
        ({"Bool": {"aws:SecureTransport": True}}, False, False),
        ({"StringLike": {"aws:UserAgent": "*Boto3*"}}, True, True),
        ({"StringEquals": {"aws:Referer": "http://example.org"}}, False, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True, True),
        ({"NumericLessThan": {"aws:EpochTime": 1}}, False, False),
        ({"StringEquals": {"aws:username": "ben"}}, True, False),
        ({"StringEquals": {"aws:userid": "BEN"}}, True, False),
        ({"StringEquals": {"aws:PrincipalType": "Anonymous"}}, False, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/b*"}}, True, False),
        ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, True, False),
        ({"StringEquals": {"s3:authType": "REST-HEADER"}}, True, False),
    ]:
        condition = json.loads(json.dumps(condition).replace("BEN", ben.id))
        put(statement(home, Condition=condition))
        for other, may in [(ben.s3, ben_may), (anonymous, nobody_may)]:
            if may:
                other.get_object(Bucket=home, Key="k")
            else:
                assert refused(other.get_object, Bucket=home, Key="k") == DENIED, condition


def test_conditions_on_copies(ana, ben, s3, home, put):
    own = new_bucket(ben.s3)
    try:
        for key in ["open/k", "closed/k"]:
            ben.s3.put_object(Bucket=own, Key=key, Body=b"x")
        put(statement(home, Principal=BEN, Action="s3:PutObject",
                      Condition={"StringLike": {"s3:x-amz-copy-source": f"{own}/open/*"}}))
        ben.s3.copy_object(Bucket=home, Key="k", CopySource={"Bucket": own, "Key": "open/k"})
        closed = {"Bucket": own, "Key": "closed/k"}
        assert refused(ben.s3.copy_object, Bucket=home, Key="k", CopySource=closed) == DENIED
        assert refused(ben.s3.put_object, Bucket=home, Key="k", Body=b"x") == DENIED
        put(statement(home, Principal=BEN, Action="s3:PutObject",
                      Condition={"StringEquals": {"s3:x-amz-metadata-directive": "REPLACE"}}))
        ben.s3.copy_object(Bucket=home, Key="k", CopySource=closed, MetadataDirective="REPLACE")
        assert refused(ben.s3.copy_object, Bucket=home, Key="k", CopySource=closed) == DENIED
    finally:
        clear(s3, own)


def test_deleting_many_by_policy(ana, ben, home, put):
    for key in ["a/1", "b/1"]:
        ana.s3.put_object(Bucket=home, Key=key, Body=b"x")
    put(statement(home, Principal=BEN, Action="s3:DeleteObject", Resource=f"arn:aws:s3:::{home}/a/*"))
    done = ben.s3.delete_objects(Bucket=home, Delete={"Objects": [{"Key": "a/1"}, {"Key": "b/1"}]})
    assert [one["Key"] for one in done["Deleted"]] == ["a/1"]
    assert [(one["Key"], one["Code"]) for one in done["Errors"]] == [("b/1", "AccessDenied")]


def test_uploads_are_their_beginners_and_the_owners(ana, ben, home, put):
    put(statement(home, Principal=BEN, Action="s3:PutObject"))
    upload = ben.s3.create_multipart_upload(Bucket=home, Key="m")["UploadId"]
    asked = {"Bucket": home, "Key": "m", "UploadId": upload}
    ben.s3.upload_part(PartNumber=1, Body=b"x", **asked)
    assert len(ben.s3.list_parts(**asked)["Parts"]) == 1
    ana.s3.list_parts(**asked)
    ana.s3.abort_multipart_upload(**asked)
    upload = ana.s3.create_multipart_upload(Bucket=home, Key="m")["UploadId"]
    asked = {"Bucket": home, "Key": "m", "UploadId": upload}
    assert refused(ben.s3.list_parts, **asked) == DENIED
    assert refused(ben.s3.abort_multipart_upload, **asked) == DENIED


def test_every_resource_is_the_bucket_and_what_is_in_it(ana, ben, home, put):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    for every in ["*", [f"arn:aws:s3:*:*:{home}", f"arn:aws:s3::*:{home}/*"]]:
        put(statement(home, Resource=every, Action=["s3:ListBucket", "s3:GetObject"], Principal=BEN))
        assert ben.s3.list_objects_v2(Bucket=home)["KeyCount"] == 1
        ben.s3.get_object(Bucket=home, Key="k")
        assert refused(ben.s3.put_object, Bucket=home, Key="k", Body=b"x") == DENIED


@pytest.mark.parametrize(
    "condition, holds",
    [
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, False),
        ({"IpAddress": {"aws:VpcSourceIp": "0.0.0.0/0"}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}, False),
    ],
    ids=json.dumps,
)
def test_conditions_on_what_no_request_here_has(ana, ben, home, put, condition, holds):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    put(statement(home, Condition=condition))
    if holds:
        ben.s3.get_object(Bucket=home, Key="k")
    else:
        assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    put(statement(home, Effect="Deny", Condition=condition))
    if holds:
        assert refused(ana.s3.get_object, Bucket=home, Key="k") == DENIED
    else:
        ana.s3.get_object(Bucket=home, Key="k")


def test_parts_are_what_their_upload_was_begun_as(ana, ben, home, put):
    """What an object will be is judged when its upload is begun: no client says it again with each part."""
    objects = f"arn:aws:s3:::{home}/*"
    put(
        statement(home, Action="s3:PutObject", Principal=BEN,
                  Condition={"StringEquals": {"s3:RequestObjectTag/team": "a"}}),
        statement(home, Effect="Deny", Action="s3:PutObject", Resource=objects,
                  Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}),
        statement(home, Effect="Deny", Action="s3:PutObject", Resource=objects,
                  Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}),
    )
    at = {"Bucket": home, "Key": "k"}
    begun = {"ServerSideEncryption": "AES256", "Tagging": "team=a"}
    for lacking in [{}, {"Tagging": "team=a"}, {"ServerSideEncryption": "AES256"}, {**begun, "Tagging": "team=b"}]:
        assert refused(ben.s3.create_multipart_upload, **at, **lacking) == DENIED
    ana.s3.put_object(Bucket=home, Key="source", Body=b"x", GrantRead=f"id={ben.id}", ServerSideEncryption="AES256")
    upload = {**at, "UploadId": ben.s3.create_multipart_upload(**at, **begun)["UploadId"]}
    first = ben.s3.upload_part(PartNumber=1, Body=b"x" * (5 << 20), **upload)
    source = {"Bucket": home, "Key": "source"}
    second = ben.s3.upload_part_copy(PartNumber=2, CopySource=source, **upload)["CopyPartResult"]
    parts = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in [(1, first), (2, second)]]
    ben.s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)
    assert ben.s3.head_object(**at)["ServerSideEncryption"] == "AES256"
    other = {**at, "UploadId": ana.s3.create_multipart_upload(ServerSideEncryption="AES256", **at)["UploadId"]}
    assert refused(ben.s3.upload_part, PartNumber=1, Body=b"x", **other) == DENIED, "it is another's"
    put(statement(home, Effect="Deny", Action="s3:PutObject", Resource=objects))
    assert refused(ana.s3.upload_part, PartNumber=1, Body=b"x", **other) == DENIED, "it is forbidden as such"
