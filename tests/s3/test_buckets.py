"""Buckets: create, head, list, delete, location, versioning, and what is not configured."""

import pytest

from conftest import new_bucket, refused


def test_create_head_list_delete(s3):
    name = new_bucket(s3)
    head = s3.head_bucket(Bucket=name)
    assert head["BucketRegion"] == "us-east-1"
    listed = s3.list_buckets()
    assert name in [bucket["Name"] for bucket in listed["Buckets"]]
    assert len(listed["Owner"]["ID"]) == 64
    s3.delete_bucket(Bucket=name)
    assert refused(s3.head_bucket, Bucket=name) == ("404", 404)
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_every_answer_has_a_request_id(s3, bucket):
    answers = [s3.head_bucket(Bucket=bucket), s3.list_objects_v2(Bucket=bucket)]
    ids = [answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"] for answer in answers]
    error = refused(s3.get_object, Bucket=bucket, Key="none")
    assert error.headers["x-amz-request-id"] == error.response["Error"].get("RequestId", error.headers["x-amz-request-id"])
    assert len({*ids, error.headers["x-amz-request-id"]}) == 3


def test_create_twice(s3, bucket):
    assert refused(s3.create_bucket, Bucket=bucket) == ("BucketAlreadyOwnedByYou", 409)


@pytest.mark.parametrize("name", ["ab", "Abcd", "a_bc", "-abc", "abc-", "a..b", "a-.b", "a.-b", "192.168.5.4", "xn--abc", "a" * 64])
def test_bad_names(raw, s3, name):
    assert raw.call("PUT", f"/{name}") == ("InvalidBucketName", 400)
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_delete_what_is_not_empty(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a")


def test_delete_with_versions_left(s3, versioned):
    s3.put_object(Bucket=versioned, Key="a", Body=b"a")
    s3.delete_object(Bucket=versioned, Key="a")
    assert refused(s3.delete_bucket, Bucket=versioned) == ("BucketNotEmpty", 409)


def test_no_such_bucket(s3):
    for call in [s3.delete_bucket, s3.list_objects_v2, s3.list_objects, s3.list_object_versions, s3.get_bucket_versioning,
                 s3.get_bucket_location, s3.list_multipart_uploads, s3.get_bucket_acl, s3.get_bucket_tagging]:
        assert refused(call, Bucket="no-such-bucket-here") == ("NoSuchBucket", 404), call
    for call in [s3.get_object, s3.delete_object, s3.put_object, s3.create_multipart_upload]:
        assert refused(call, Bucket="no-such-bucket-here", Key="k") == ("NoSuchBucket", 404), call


def test_list_buckets_in_pages(s3, bucket):
    other = new_bucket(s3)
    try:
        names = sorted([bucket, other])
        prefix = "test-"
        found, token = [], None
        for _ in range(1000):
            arguments = {"ContinuationToken": token} if token else {}
            page = s3.list_buckets(MaxBuckets=1, Prefix=prefix, **arguments)
            assert len(page["Buckets"]) == 1
            found.append(page["Buckets"][0]["Name"])
            token = page.get("ContinuationToken")
            if not token:
                break
        assert found == sorted(found)
        assert set(names) <= set(found)
    finally:
        s3.delete_bucket(Bucket=other)


def test_location(s3, raw, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert b"<LocationConstraint" in raw.call("GET", f"/{bucket}", "location").body


def test_versioning(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ["Enabled", "Suspended", "Enabled"]:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    configuration = {"Status": "Enabled", "MFADelete": "Enabled"}
    answer = refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=configuration)
    assert answer == ("NotImplemented", 501)


def test_malformed_versioning(s3, raw, bucket):
    for body in [b"", b"<", b"<VersioningConfiguration>", b"<Nonsense/>", b"\x00\xff",
                 b"<VersioningConfiguration><Status>Sometimes</Status></VersioningConfiguration>"]:
        answer = raw.call("PUT", f"/{bucket}", "versioning", body=body)
        assert answer.status == 400, (body, answer)
        assert answer.code in ("MalformedXML", "MissingRequestBodyError"), (body, answer)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_tags(s3, bucket):
    assert refused(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
    tags = [{"Key": "a b", "Value": "x=y"}, {"Key": "ä", "Value": ""}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert sorted(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], key=lambda tag: tag["Key"]) == tags
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refused(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": twice}) == ("InvalidTag", 400)
    assert sorted(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], key=lambda tag: tag["Key"]) == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)


def test_owner_may_everything(s3, bucket):
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Grants": acl["Grants"], "Owner": acl["Owner"]})


@pytest.mark.parametrize(
    "call, code",
    [
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ],
)
def test_what_is_not_configured(s3, bucket, call, code):
    assert refused(getattr(s3, call), Bucket=bucket) == (code, 404)


def test_what_is_empty_by_default(s3, bucket):
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    for call in [s3.delete_bucket_cors, s3.delete_bucket_lifecycle, s3.delete_bucket_policy, s3.delete_bucket_website,
                 s3.delete_bucket_encryption, s3.delete_public_access_block]:
        assert call(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_what_is_not_implemented_says_so(s3, raw, bucket):
    assert refused(s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": ""}}) == ("NotImplemented", 501)
    # A sub-resource that is not known must never be taken for the bucket itself.
    for query in ["acl", "novelty"]:
        assert raw.call("DELETE", f"/{bucket}", query).status in (405, 501)
    s3.head_bucket(Bucket=bucket)
    assert raw.call("PUT", f"/{bucket}", "novelty") == ("NotImplemented", 501)
    assert raw.call("PATCH", f"/{bucket}") == ("MethodNotAllowed", 405)
    assert raw.call("OPTIONS", f"/{bucket}/k").status == 400
