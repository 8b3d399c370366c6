"""Access control lists of buckets."""

import pytest

from conftest import clear, new_bucket, refused
from users import ALL, KNOWN, LOGS, User, a_list, grants

DENIED = ("AccessDenied", 403)


@pytest.mark.parametrize(
    "canned, more",
    [
        ("private", []),
        ("public-read", [(ALL, "READ")]),
        ("public-read-write", [(ALL, "READ"), (ALL, "WRITE")]),
        ("authenticated-read", [(KNOWN, "READ")]),
        ("log-delivery-write", [(LOGS, "WRITE"), (LOGS, "READ_ACP")]),
        ("bucket-owner-full-control", []),
    ],
)
def test_canned_lists(ana, home, canned, more):
    ana.s3.put_bucket_acl(Bucket=home, ACL=canned)
    answer = ana.s3.get_bucket_acl(Bucket=home)
    assert answer["Owner"] == {"ID": ana.id, "DisplayName": "ana"}
    assert grants(answer) == [(ana.id, "FULL_CONTROL")] + more
    assert answer["Grants"][0]["Grantee"]["DisplayName"] == "ana"
    ana.s3.put_bucket_acl(Bucket=home, ACL="private")
    assert grants(ana.s3.get_bucket_acl(Bucket=home)) == [(ana.id, "FULL_CONTROL")]


def test_a_bucket_can_have_a_list_from_its_beginning(ana, ben, s3):
    for arguments, expected in [
        ({"ACL": "public-read"}, [(ana.id, "FULL_CONTROL"), (ALL, "READ")]),
        ({"GrantRead": f"id={ben.id}", "GrantFullControl": f'id="{ana.id}"'},
         [(ben.id, "READ"), (ana.id, "FULL_CONTROL")]),
    ]:
        name = f"{new_bucket(ana.s3)}-x"
        ana.s3.create_bucket(Bucket=name, **arguments)
        try:
            assert grants(ana.s3.get_bucket_acl(Bucket=name)) == expected
        finally:
            clear(s3, name)
            clear(s3, name[:-2])


def test_what_each_permission_permits(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    calls = {
        "READ": [("list_objects_v2", {}), ("list_object_versions", {}), ("list_multipart_uploads", {}), ("head_bucket", {})],
        "WRITE": [("put_object", {"Key": "ben", "Body": b"b"}), ("create_multipart_upload", {"Key": "m"}),
                  ("delete_object", {"Key": "none"})],
        "READ_ACP": [("get_bucket_acl", {})],
        "WRITE_ACP": [("put_bucket_acl", {"AccessControlPolicy": a_list(ana.id, (ben.id, "WRITE_ACP"))})],
    }
    for granted in [*calls, "FULL_CONTROL"]:
        for needed, some in calls.items():
            for call, arguments in some:
                ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id, (ben.id, granted)))
                asked = getattr(ben.s3, call)
                if granted in (needed, "FULL_CONTROL"):
                    asked(Bucket=home, **arguments)
                else:
                    assert refused(asked, Bucket=home, **arguments).status == 403, (granted, call)
    # None of it is about the objects that are there, or about the bucket's configuration.
    assert refused(ben.s3.get_object, Bucket=home, Key="k") == DENIED
    assert refused(ben.s3.get_bucket_policy, Bucket=home) == DENIED
    assert refused(ben.s3.delete_bucket, Bucket=home) == DENIED


def test_an_owner_without_grants_keeps_the_list(ana, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id))
    assert grants(ana.s3.get_bucket_acl(Bucket=home)) == []
    assert refused(ana.s3.list_objects_v2, Bucket=home) == DENIED
    assert refused(ana.s3.put_object, Bucket=home, Key="n", Body=b"x") == DENIED
    assert ana.s3.get_object(Bucket=home, Key="k")["Body"].read() == b"x"
    ana.s3.put_bucket_acl(Bucket=home, ACL="private")
    ana.s3.list_objects_v2(Bucket=home)


def test_public_buckets(ana, ben, anonymous, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    ana.s3.put_bucket_acl(Bucket=home, ACL="public-read")
    assert anonymous.list_objects_v2(Bucket=home)["KeyCount"] == 1
    anonymous.head_bucket(Bucket=home)
    assert refused(anonymous.get_object, Bucket=home, Key="k") == DENIED
    assert refused(anonymous.get_object, Bucket=home, Key="none") == ("NoSuchKey", 404), "it could list it"
    assert refused(anonymous.put_object, Bucket=home, Key="n", Body=b"x") == DENIED
    ana.s3.put_bucket_acl(Bucket=home, ACL="authenticated-read")
    assert refused(anonymous.list_objects_v2, Bucket=home) == DENIED
    assert ben.s3.list_objects_v2(Bucket=home)["KeyCount"] == 1
    ana.s3.put_bucket_acl(Bucket=home, ACL="public-read-write")
    anonymous.put_object(Bucket=home, Key="n", Body=b"from nobody")
    shown = ana.s3.list_objects(Bucket=home)["Contents"][1]["Owner"]
    assert shown == {"ID": "65a011a29cdf8ec533ec3d1ccaae921c", "DisplayName": "anonymous"}
    assert ana.s3.get_object(Bucket=home, Key="n")["Body"].read() == b"from nobody"
    anonymous.delete_object(Bucket=home, Key="k")
    assert refused(ana.s3.get_object, Bucket=home, Key="k") == ("NoSuchKey", 404)


def test_lists_that_cannot_be(ana, ben, home):
    put = ana.s3.put_bucket_acl
    mail = {"Grantee": {"Type": "AmazonCustomerByEmail", "EmailAddress": "a@example.org"}, "Permission": "READ"}
    for arguments, expected in [
        ({"ACL": "public-reed"}, ("InvalidArgument", 400)),
        ({"ACL": "private", "GrantRead": f"id={ben.id}"}, ("InvalidRequest", 400)),
        ({"GrantRead": "id=0"}, ("InvalidArgument", 400)),
        ({"GrantRead": "ben"}, ("InvalidArgument", 400)),
        ({"GrantRead": 'uri="http://example.org/group"'}, ("InvalidArgument", 400)),
        ({"GrantRead": 'emailAddress="a@example.org"'}, ("UnresolvableGrantByEmailAddress", 400)),
        ({"AccessControlPolicy": a_list(ana.id, ("0" * 64, "READ"))}, ("InvalidArgument", 400)),
        ({"AccessControlPolicy": a_list(ana.id, ("http://example.org/group", "READ"))}, ("InvalidArgument", 400)),
        ({"AccessControlPolicy": a_list(ana.id, (ben.id, "READS"))}, ("MalformedACLError", 400)),
        ({"AccessControlPolicy": a_list(ben.id, (ben.id, "READ"))}, DENIED),
        ({"AccessControlPolicy": {"Grants": a_list(ana.id, (ben.id, "READ"))["Grants"]}}, ("MalformedACLError", 400)),
        ({"AccessControlPolicy": {"Owner": {"ID": ana.id}, "Grants": [mail]}}, ("UnresolvableGrantByEmailAddress", 400)),
        ({"AccessControlPolicy": a_list(ana.id, *[(ben.id, "READ")] * 101)}, ("MalformedACLError", 400)),
        ({"ACL": "private", "AccessControlPolicy": a_list(ana.id, (ben.id, "READ"))}, ("UnexpectedContent", 400)),
        ({}, ("MissingSecurityHeader", 400)),
    ]:
        assert refused(put, Bucket=home, **arguments) == expected, arguments
    assert grants(ana.s3.get_bucket_acl(Bucket=home)) == [(ana.id, "FULL_CONTROL")]
    assert refused(put, Bucket=f"{home}-none", ACL="private") == ("NoSuchBucket", 404)


def test_a_user_whose_name_is_an_address(ana, home):
    mail = User("carla@example.org")
    ana.s3.put_bucket_acl(Bucket=home, GrantRead='emailAddress="carla@example.org"', GrantFullControl=f"id={ana.id}")
    assert grants(ana.s3.get_bucket_acl(Bucket=home)) == [(mail.id, "READ"), (ana.id, "FULL_CONTROL")]
    mail.s3.list_objects_v2(Bucket=home)
    by_mail = {"Grantee": {"Type": "AmazonCustomerByEmail", "EmailAddress": "carla@example.org"}, "Permission": "WRITE"}
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy={"Owner": {"ID": ana.id}, "Grants": [by_mail]})
    mail.s3.put_object(Bucket=home, Key="k", Body=b"x")
    assert refused(ana.s3.put_bucket_acl, Bucket=home, GrantRead="emailAddress=ana") == (
        "UnresolvableGrantByEmailAddress", 400)
