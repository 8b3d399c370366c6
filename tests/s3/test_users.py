"""Users: canonical ids, who owns what, and that nobody sees what is another's."""

import uuid

import pytest

from conftest import clear, new_bucket, refused
from users import User, a_list, make_key

DENIED = ("AccessDenied", 403)


def test_keys_of_one_name_are_one_users(ana, ben):
    again = make_key("ana")
    assert again["id"] == ana.id and len(ana.id) == 64 and ana.id != ben.id
    assert again["access_key"] != ana.access_key


def test_a_user_owns_what_it_makes(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    listed = ana.s3.list_buckets()
    assert listed["Owner"] == {"ID": ana.id, "DisplayName": "ana"}
    assert home in [bucket["Name"] for bucket in listed["Buckets"]]
    assert home not in [bucket["Name"] for bucket in ben.s3.list_buckets()["Buckets"]]
    owner = {"ID": ana.id, "DisplayName": "ana"}
    assert ana.s3.list_objects(Bucket=home)["Contents"][0]["Owner"] == owner
    assert ana.s3.list_objects_v2(Bucket=home, FetchOwner=True)["Contents"][0]["Owner"] == owner
    assert "Owner" not in ana.s3.list_objects_v2(Bucket=home)["Contents"][0]
    assert ana.s3.list_object_versions(Bucket=home)["Versions"][0]["Owner"] == owner
    upload = ana.s3.create_multipart_upload(Bucket=home, Key="m")["UploadId"]
    parts = ana.s3.list_parts(Bucket=home, Key="m", UploadId=upload)
    assert parts["Owner"] == owner and parts["Initiator"] == owner
    one = ana.s3.list_multipart_uploads(Bucket=home)["Uploads"][0]
    assert one["Owner"] == owner and one["Initiator"]["ID"] == ana.id


def test_a_name_is_taken_by_somebody_else(ana, ben, home):
    assert refused(ben.s3.create_bucket, Bucket=home) == ("BucketAlreadyExists", 409)
    ana.s3.put_bucket_acl(Bucket=home, ACL="public-read")
    assert refused(ana.s3.create_bucket, Bucket=home) == ("BucketAlreadyOwnedByYou", 409)
    assert len(ana.s3.get_bucket_acl(Bucket=home)["Grants"]) == 2, "its list is what it was"


@pytest.mark.parametrize(
    "call, arguments",
    [
        ("list_objects", {}),
        ("list_objects_v2", {}),
        ("list_object_versions", {}),
        ("list_multipart_uploads", {}),
        ("get_bucket_acl", {}),
        ("get_bucket_policy", {}),
        ("get_bucket_policy_status", {}),
        ("get_bucket_location", {}),
        ("get_bucket_versioning", {}),
        ("get_bucket_tagging", {}),
        ("get_public_access_block", {}),
        ("get_bucket_ownership_controls", {}),
        ("get_object", {"Key": "k"}),
        ("get_object", {"Key": "none"}),
        ("get_object_acl", {"Key": "k"}),
        ("get_object_tagging", {"Key": "k"}),
        ("get_object_attributes", {"Key": "k", "ObjectAttributes": ["ETag"]}),
        ("put_object", {"Key": "new", "Body": b"x"}),
        ("put_object", {"Key": "k", "Body": b"x"}),
        ("put_object_acl", {"Key": "k", "ACL": "public-read"}),
        ("put_object_tagging", {"Key": "k", "Tagging": {"TagSet": []}}),
        ("delete_object_tagging", {"Key": "k"}),
        ("delete_object", {"Key": "k"}),
        ("delete_object", {"Key": "none"}),
        ("create_multipart_upload", {"Key": "new"}),
        ("put_bucket_acl", {"ACL": "public-read"}),
        ("put_bucket_policy", {"Policy": "{}"}),
        ("delete_bucket_policy", {}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
        ("put_bucket_tagging", {"Tagging": {"TagSet": []}}),
        ("delete_bucket", {}),
    ],
)
def test_what_is_anothers_is_closed(ana, ben, anonymous, home, call, arguments):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine")
    for other in [ben.s3, anonymous]:
        assert refused(getattr(other, call), Bucket=home, **arguments) == DENIED
    assert ana.s3.get_object(Bucket=home, Key="k")["Body"].read() == b"mine"


def test_heads_tell_nothing_either(ana, ben, anonymous, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine")
    for other in [ben.s3, anonymous]:
        assert refused(other.head_bucket, Bucket=home).status == 403
        assert refused(other.head_object, Bucket=home, Key="k").status == 403
        assert refused(other.head_object, Bucket=home, Key="none").status == 403
    assert refused(ana.s3.head_object, Bucket=home, Key="none").status == 404
    nowhere = f"nowhere-{uuid.uuid4().hex}"
    assert refused(ben.s3.head_bucket, Bucket=nowhere).status == 404
    assert refused(anonymous.list_objects_v2, Bucket=nowhere) == ("NoSuchBucket", 404)


def test_deleting_many_is_checked_key_by_key(ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine")
    done = ben.s3.delete_objects(Bucket=home, Delete={"Objects": [{"Key": "k"}, {"Key": "none"}]})
    assert [(error["Key"], error["Code"]) for error in done["Errors"]] == [("k", "AccessDenied"), ("none", "AccessDenied")]
    assert "Deleted" not in done
    ana.s3.head_object(Bucket=home, Key="k")


def test_copies_need_the_source(ana, ben, s3, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine", Tagging="a=b")
    own = new_bucket(ben.s3)
    source = {"Bucket": home, "Key": "k"}
    try:
        assert refused(ben.s3.copy_object, Bucket=own, Key="c", CopySource=source) == DENIED
        upload = ben.s3.create_multipart_upload(Bucket=own, Key="m")["UploadId"]
        part = {"Bucket": own, "Key": "m", "UploadId": upload, "PartNumber": 1, "CopySource": source}
        assert refused(ben.s3.upload_part_copy, **part) == DENIED
        ana.s3.put_object_acl(Bucket=home, Key="k", GrantRead=f"id={ben.id}")
        assert refused(ben.s3.copy_object, Bucket=own, Key="c", CopySource=source) == DENIED, "the tags are ana's"
        ben.s3.copy_object(Bucket=own, Key="c", CopySource=source, TaggingDirective="REPLACE", Tagging="c=d")
        ben.s3.upload_part_copy(**part)
        assert ben.s3.get_object(Bucket=own, Key="c")["Body"].read() == b"mine"
        assert ben.s3.get_object_acl(Bucket=own, Key="c")["Owner"]["ID"] == ben.id
    finally:
        clear(s3, own)


def test_the_administrator_may_everything(ana, s3, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine")
    assert s3.get_object(Bucket=home, Key="k")["Body"].read() == b"mine"
    assert home not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_what_the_administrator_takes_from_itself(ana, s3, bucket):
    """Its own lists bind the administrator as anybody's bind their owner."""
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=a_list(owner))
    assert refused(s3.get_object, Bucket=bucket, Key="k") == DENIED
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"] == []
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    s3.get_object(Bucket=bucket, Key="k")
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=a_list(owner, (ana.id, "WRITE")))
    assert refused(s3.list_objects_v2, Bucket=bucket) == DENIED
    assert refused(s3.put_object, Bucket=bucket, Key="n", Body=b"x") == DENIED
    ana.s3.put_object(Bucket=bucket, Key="anas", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="anas")["Body"].read() == b"x", "what is another's stays open to it"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


def test_a_scope_only_takes_away_from_who_has_more(ana, ben, home):
    ben.s3.list_buckets()
    reader = User("ben", "--read-only")
    assert refused(reader.s3.list_objects_v2, Bucket=home) == DENIED
    ana.s3.put_object(Bucket=home, Key="k", Body=b"x")
    helper = User(f"helper-{uuid.uuid4().hex[:8]}", "--bucket", home)
    helper.s3.put_object(Bucket=home, Key="h", Body=b"h")
    assert ana.s3.get_object(Bucket=home, Key="h")["Body"].read() == b"h", "it writes for the bucket's owner"
    for call, arguments in [("put_bucket_acl", {"ACL": "public-read"}), ("put_bucket_policy", {"Policy": "{}"}),
                            ("put_object_acl", {"Key": "k", "ACL": "public-read"}), ("delete_bucket", {})]:
        assert refused(getattr(helper.s3, call), Bucket=home, **arguments) == DENIED


def test_presigned_urls_act_as_their_signer(raw, ana, ben, home):
    ana.s3.put_object(Bucket=home, Key="k", Body=b"mine")
    path = lambda user: user.s3.generate_presigned_url("get_object", {"Bucket": home, "Key": "k"}).partition(raw.host)[2]
    assert raw.send("GET", path(ana)).body == b"mine"
    assert raw.send("GET", path(ben)) == DENIED
