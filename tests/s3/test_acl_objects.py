"""Access control lists of objects, and object ownership."""

import datetime
import json

import pytest

from conftest import clear, new_bucket, refused
from users import ALL, KNOWN, a_list, grants

DENIED = ("AccessDenied", 403)


@pytest.fixture
def shared(ana, ben, home):
    """A bucket of ana's that ben may write to."""
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id, (ana.id, "FULL_CONTROL"), (ben.id, "WRITE")))
    return home


def makers(client, bucket):
    """Every way to make an object, as functions of its key and what asks for a list."""
    def upload(key, **asked):
        made = client.create_multipart_upload(Bucket=bucket, Key=key, **asked)["UploadId"]
        part = client.upload_part(Bucket=bucket, Key=key, UploadId=made, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=made, MultipartUpload=parts)

    def copy(key, **asked):
        client.put_object(Bucket=bucket, Key="source", Body=b"x", ACL="authenticated-read")
        client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": "source"}, **asked)

    return [
        lambda key, **asked: client.put_object(Bucket=bucket, Key=key, Body=b"x", **asked),
        upload,
        copy,
    ]


def test_every_way_to_make_an_object_takes_a_list(ana, ben, home):
    own = (ana.id, "FULL_CONTROL")
    for number, make in enumerate(makers(ana.s3, home)):
        for asked, expected in [
            ({}, [own]),
            ({"ACL": "private"}, [own]),
            ({"ACL": "public-read"}, [own, (ALL, "READ")]),
            ({"ACL": "public-read-write"}, [own, (ALL, "READ"), (ALL, "WRITE")]),
            ({"ACL": "authenticated-read"}, [own, (KNOWN, "READ")]),
            ({"ACL": "bucket-owner-read"}, [own]),
            ({"GrantRead": f"id={ben.id},uri={ALL}", "GrantFullControl": f"id={ana.id}"},
             [(ben.id, "READ"), (ALL, "READ"), own]),
            ({"GrantReadACP": f"id={ben.id}", "GrantWriteACP": f"id={ben.id}"},
             [(ben.id, "READ_ACP"), (ben.id, "WRITE_ACP")]),
        ]:
            make(f"k{number}", **asked)
            answer = ana.s3.get_object_acl(Bucket=home, Key=f"k{number}")
            assert grants(answer) == expected, (number, asked)
            assert answer["Owner"]["ID"] == ana.id


def test_what_each_permission_permits(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    calls = {
        "READ": [("get_object", {}), ("head_object", {}), ("get_object_attributes", {"ObjectAttributes": ["ETag"]})],
        "READ_ACP": [("get_object_acl", {})],
        "WRITE_ACP": [("put_object_acl", {"AccessControlPolicy": a_list(ana.id, (ben.id, "WRITE_ACP"))})],
        "WRITE": [],
    }
    for granted in [*calls, "FULL_CONTROL"]:
        for needed, some in calls.items():
            for call, arguments in some:
                ana.s3.put_object_acl(Bucket=home, Key="k", AccessControlPolicy=a_list(ana.id, (ben.id, granted)))
                asked = getattr(ben.s3, call)
                if granted in (needed, "FULL_CONTROL"):
                    asked(Bucket=home, Key="k", **arguments)
                else:
                    assert refused(asked, Bucket=home, Key="k", **arguments).status == 403, (granted, call)
    assert refused(ben.s3.get_object_tagging, Bucket=home, Key="k") == DENIED
    assert refused(ben.s3.put_object, Bucket=home, Key="k", Body=b"y") == DENIED


def test_public_objects(ana, anonymous, ben, home):
    ana.s3.put_object(Bucket=home, Key="all", Body=b"x", ACL="public-read")
    ana.s3.put_object(Bucket=home, Key="known", Body=b"x", ACL="authenticated-read")
    assert anonymous.get_object(Bucket=home, Key="all")["Body"].read() == b"x"
    anonymous.head_object(Bucket=home, Key="all")
    assert refused(anonymous.get_object, Bucket=home, Key="known") == DENIED
    assert ben.s3.get_object(Bucket=home, Key="known")["Body"].read() == b"x"
    assert refused(anonymous.get_object, Bucket=home, Key="none") == DENIED, "whoever may not list is told nothing"
    assert refused(ana.s3.get_object, Bucket=home, Key="none") == ("NoSuchKey", 404)
    ana.s3.put_object(Bucket=home, Key="all", Body=b"y")
    assert refused(anonymous.get_object, Bucket=home, Key="all") == DENIED, "a new object has its own list"


def test_lists_of_versions(ana, ben, home):
    ana.s3.put_bucket_versioning(Bucket=home, VersioningConfiguration={"Status": "Enabled"})
    old, new = [ana.s3.put_object(Bucket=home, Key="k", Body=b"x")["VersionId"] for _ in range(2)]
    ana.s3.put_object_acl(Bucket=home, Key="k", VersionId=old, ACL="public-read")
    assert len(ana.s3.get_object_acl(Bucket=home, Key="k", VersionId=old)["Grants"]) == 2
    assert len(ana.s3.get_object_acl(Bucket=home, Key="k")["Grants"]) == 1
    ben.s3.get_object(Bucket=home, Key="k", VersionId=old)
    assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    assert refused(ben.s3.get_object, Bucket=home, Key="k", VersionId=new) == DENIED
    ana.s3.put_object_acl(Bucket=home, Key="k", ACL="public-read")
    ben.s3.get_object(Bucket=home, Key="k", VersionId=new)
    gone = ana.s3.put_object(Bucket=home, Key="k", Body=b"x")["VersionId"]
    ana.s3.delete_object(Bucket=home, Key="k", VersionId=gone)
    for call in [ana.s3.get_object_acl, lambda **asked: ana.s3.put_object_acl(ACL="private", **asked)]:
        assert refused(call, Bucket=home, Key="none").code == "NoSuchKey"
        assert refused(call, Bucket=home, Key="k", VersionId=gone).code == "NoSuchVersion"
    marker = ana.s3.delete_object(Bucket=home, Key="k")["VersionId"]
    assert refused(ana.s3.get_object_acl, Bucket=home, Key="k") == ("NoSuchKey", 404)
    assert refused(ana.s3.get_object_acl, Bucket=home, Key="k", VersionId=marker) == ("MethodNotAllowed", 405)


def test_an_owner_without_grants_keeps_the_list(ana, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    ana.s3.put_object_acl(Bucket=home, Key="k", AccessControlPolicy=a_list(ana.id))
    assert grants(ana.s3.get_object_acl(Bucket=home, Key="k")) == []
    assert refused(ana.s3.get_object, Bucket=home, Key="k") == DENIED
    ana.s3.put_object_acl(Bucket=home, Key="k", ACL="private")
    ana.s3.get_object(Bucket=home, Key="k")


def test_lists_that_cannot_be(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    for arguments, expected in [
        ({"ACL": "public-reed"}, ("InvalidArgument", 400)),
        ({"ACL": "private", "GrantRead": f"id={ben.id}"}, ("InvalidRequest", 400)),
        ({"GrantRead": "id=0"}, ("InvalidArgument", 400)),
    ]:
        for make in makers(ana.s3, home):
            assert refused(make, key="new", **arguments) == expected, arguments
        assert refused(ana.s3.put_object_acl, Bucket=home, Key="k", **arguments) == expected
    other = a_list(ben.id, (ben.id, "FULL_CONTROL"))
    assert refused(ana.s3.put_object_acl, Bucket=home, Key="k", AccessControlPolicy=other) == DENIED
    both = {"ACL": "private", "AccessControlPolicy": a_list(ana.id, (ben.id, "READ"))}
    assert refused(ana.s3.put_object_acl, Bucket=home, Key="k", **both) == ("UnexpectedContent", 400)
    assert refused(ana.s3.put_object_acl, Bucket=home, Key="k") == ("MissingSecurityHeader", 400)
    assert grants(ana.s3.get_object_acl(Bucket=home, Key="k")) == [(ana.id, "FULL_CONTROL")]


def test_an_object_is_its_writers(ana, ben, shared):
    ben.s3.put_object(Bucket=shared, Key="k", Body=b"bens")
    assert ben.s3.get_object_acl(Bucket=shared, Key="k")["Owner"]["ID"] == ben.id
    assert refused(ana.s3.get_object, Bucket=shared, Key="k") == DENIED
    assert refused(ana.s3.get_object_acl, Bucket=shared, Key="k") == DENIED
    listed = ana.s3.list_objects_v2(Bucket=shared, FetchOwner=True)["Contents"]
    assert [one["Owner"]["DisplayName"] for one in listed] == ["ben"]
    for canned, permission in [("bucket-owner-read", "READ"), ("bucket-owner-full-control", "FULL_CONTROL")]:
        ben.s3.put_object(Bucket=shared, Key="k", Body=b"bens", ACL=canned)
        expected = [(ben.id, "FULL_CONTROL"), (ana.id, permission)]
        assert grants(ben.s3.get_object_acl(Bucket=shared, Key="k")) == expected
        assert ana.s3.get_object(Bucket=shared, Key="k")["Body"].read() == b"bens"
    ana.s3.delete_object(Bucket=shared, Key="k")


def controls(client, bucket, ownership):
    rules = {"Rules": [{"ObjectOwnership": ownership}]}
    return client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)


def test_ownership_that_is_preferred(ana, ben, shared):
    controls(ana.s3, shared, "BucketOwnerPreferred")
    ben.s3.put_object(Bucket=shared, Key="mine", Body=b"x")
    assert ben.s3.get_object_acl(Bucket=shared, Key="mine")["Owner"]["ID"] == ben.id
    for make in makers(ben.s3, shared)[:2]:
        make("given", ACL="bucket-owner-full-control")
        answer = ana.s3.get_object_acl(Bucket=shared, Key="given")
        assert answer["Owner"]["ID"] == ana.id and grants(answer) == [(ana.id, "FULL_CONTROL")]
        assert refused(ben.s3.get_object, Bucket=shared, Key="given") == DENIED


def test_ownership_that_is_enforced(ana, ben, anonymous, shared):
    ben.s3.put_object(Bucket=shared, Key="old", Body=b"x", ACL="public-read")
    assert refused(controls, client=ana.s3, bucket=shared, ownership="BucketOwnerEnforced") == (
        "InvalidBucketAclWithObjectOwnership", 400)
    ana.s3.put_bucket_acl(Bucket=shared, ACL="private")
    controls(ana.s3, shared, "BucketOwnerEnforced")
    found = ana.s3.get_bucket_ownership_controls(Bucket=shared)["OwnershipControls"]
    assert found == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert refused(anonymous.get_object, Bucket=shared, Key="old") == DENIED
    assert ana.s3.get_object(Bucket=shared, Key="old")["Body"].read() == b"x"
    assert grants(ana.s3.get_object_acl(Bucket=shared, Key="old")) == [(ana.id, "FULL_CONTROL")]
    off = ("AccessControlListNotSupported", 400)
    for make in makers(ana.s3, shared)[:2]:
        assert refused(make, key="new", ACL="public-read") == off
        make("new", ACL="bucket-owner-full-control")
    assert refused(ana.s3.put_object_acl, Bucket=shared, Key="old", ACL="private") == off
    assert refused(ana.s3.put_bucket_acl, Bucket=shared, ACL="public-read") == off
    ana.s3.delete_bucket_ownership_controls(Bucket=shared)
    anonymous.get_object(Bucket=shared, Key="old")
    assert refused(ana.s3.get_bucket_ownership_controls, Bucket=shared) == ("OwnershipControlsNotFoundError", 404)


def test_ownership_of_a_new_bucket(ana, s3, home):
    from conftest import clear
    name = f"{home}-own"
    make = ana.s3.create_bucket
    assert refused(make, Bucket=name, ObjectOwnership="Mine") == ("InvalidArgument", 400)
    enforced = {"Bucket": name, "ObjectOwnership": "BucketOwnerEnforced"}
    assert refused(make, ACL="public-read", **enforced) == ("InvalidBucketAclWithObjectOwnership", 400)
    make(**enforced)
    try:
        rules = ana.s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    finally:
        clear(s3, name)
    assert refused(controls, client=ana.s3, bucket=home, ownership="Mine") == ("MalformedXML", 400)


def test_tags_are_also_the_bucket_owners(ana, ben, shared):
    ben.s3.put_object(Bucket=shared, Key="k", Body=b"x", Tagging="a=b")
    at = {"Bucket": shared, "Key": "k"}
    assert refused(ana.s3.get_object, **at) == DENIED
    for user in [ana, ben]:
        assert user.s3.get_object_tagging(**at)["TagSet"] == [{"Key": "a", "Value": "b"}]
        user.s3.put_object_tagging(Tagging={"TagSet": []}, **at)
        user.s3.put_object_tagging(Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}, **at)
    ana.s3.delete_object_tagging(**at)
    assert ben.s3.get_object_tagging(**at)["TagSet"] == []


def test_answers_leave_out_what_may_not_be_asked_for(ana, anonymous, ben, s3):
    name = f"{new_bucket(ana.s3)}-locks"
    ana.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    shown = {"x-amz-tagging-count", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date",
             "x-amz-object-lock-legal-hold"}

    def found(user, call):
        headers = getattr(user, call)(Bucket=name, Key="k")["ResponseMetadata"]["HTTPHeaders"]
        return shown & set(headers)

    try:
        made = ana.s3.put_object(
            Bucket=name, Key="k", Body=b"x", Tagging="a=b", ACL="public-read", ObjectLockMode="GOVERNANCE",
            ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON",
        )
        for call in ["get_object", "head_object"]:
            assert found(ana.s3, call) == shown
            assert found(ben.s3, call) == found(anonymous, call) == set()
        ana.s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/ben"}, "Resource": f"arn:aws:s3:::{name}/*",
            "Action": ["s3:GetObjectTagging", "s3:GetObjectLegalHold"]}]}))
        assert found(ben.s3, "head_object") == {"x-amz-tagging-count", "x-amz-object-lock-legal-hold"}
        assert found(anonymous, "head_object") == set()
    finally:
        ana.s3.put_object_legal_hold(Bucket=name, Key="k", LegalHold={"Status": "OFF"})
        ana.s3.delete_object(Bucket=name, Key="k", VersionId=made["VersionId"], BypassGovernanceRetention=True)
        clear(s3, name)
        clear(s3, name.removesuffix("-locks"))
