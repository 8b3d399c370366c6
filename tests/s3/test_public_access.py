"""Public access blocks."""

from conftest import refused
from test_policy_documents import is_public, policy, statement
from users import ALL, a_list

DENIED = ("AccessDenied", 403)
ALL_OFF = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}


def block(user, bucket, *names):
    user.s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={**ALL_OFF, **dict.fromkeys(names, True)}
    )


def test_a_block_is_kept(ana, home):
    assert refused(ana.s3.get_public_access_block, Bucket=home) == ("NoSuchPublicAccessBlockConfiguration", 404)
    block(ana, home, "BlockPublicAcls", "RestrictPublicBuckets")
    expected = {**ALL_OFF, "BlockPublicAcls": True, "RestrictPublicBuckets": True}
    assert ana.s3.get_public_access_block(Bucket=home)["PublicAccessBlockConfiguration"] == expected
    assert ana.s3.delete_public_access_block(Bucket=home)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(ana.s3.get_public_access_block, Bucket=home) == ("NoSuchPublicAccessBlockConfiguration", 404)
    for call in [ana.s3.get_public_access_block, ana.s3.delete_public_access_block]:
        assert refused(call, Bucket=f"{home}-none") == ("NoSuchBucket", 404)


def test_public_lists_are_refused(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    block(ana, home, "BlockPublicAcls")
    for asked in [{"ACL": "public-read"}, {"ACL": "public-read-write"}, {"ACL": "authenticated-read"}, {"GrantRead": f"uri={ALL}"}]:
        assert refused(ana.s3.put_bucket_acl, Bucket=home, **asked) == DENIED
        assert refused(ana.s3.put_object_acl, Bucket=home, Key="k", **asked) == DENIED
        assert refused(ana.s3.put_object, Bucket=home, Key="k", Body=b"y", **asked) == DENIED
        assert refused(ana.s3.create_multipart_upload, Bucket=home, Key="k", **asked) == DENIED
        assert refused(ana.s3.copy_object, Bucket=home, Key="c", CopySource={"Bucket": home, "Key": "k"}, **asked) == DENIED
    ana.s3.put_bucket_acl(Bucket=home, AccessControlPolicy=a_list(ana.id, (ana.id, "FULL_CONTROL"), (ben.id, "READ")))
    ana.s3.put_object(Bucket=home, Key="k", Body=b"y", GrantRead=f"id={ben.id}")


def test_public_lists_are_ignored(ana, anonymous, ben, home):
    ana.s3.put_bucket_acl(Bucket=home, ACL="public-read")
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x", ACL="public-read")
    anonymous.get_object(Bucket=home, Key="k")
    block(ana, home, "IgnorePublicAcls")
    for other in [anonymous, ben.s3]:
        assert refused(other.get_object, Bucket=home, Key="k") == DENIED
        assert refused(other.list_objects_v2, Bucket=home) == DENIED
    assert is_public(ana.s3, home) is False
    assert len(ana.s3.get_bucket_acl(Bucket=home)["Grants"]) == 2, "it is still there"
    ana.s3.get_object(Bucket=home, Key="k")
    ana.s3.delete_public_access_block(Bucket=home)
    anonymous.get_object(Bucket=home, Key="k")


def test_public_policies_are_refused(ana, home):
    block(ana, home, "BlockPublicPolicy")
    put = ana.s3.put_bucket_policy
    assert refused(put, Bucket=home, Policy=policy(statement(home))) == DENIED
    put(Bucket=home, Policy=policy(statement(home, Effect="Deny")))
    put(Bucket=home, Policy=policy(statement(home, Principal={"AWS": "arn:aws:iam:::user/ben"})))


def test_public_buckets_are_restricted(ana, ben, anonymous, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    ana.s3.put_bucket_policy(Bucket=home, Policy=policy(statement(home)))
    anonymous.get_object(Bucket=home, Key="k")
    block(ana, home, "RestrictPublicBuckets")
    for other in [anonymous, ben.s3]:
        assert refused(other.get_object, Bucket=home, Key="k") == DENIED
    ana.s3.get_object(Bucket=home, Key="k")
    ana.s3.put_bucket_policy(Bucket=home, Policy=policy(statement(home, Principal={"AWS": "arn:aws:iam:::user/ben"})))
    ben.s3.get_object(Bucket=home, Key="k")
