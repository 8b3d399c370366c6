"""What is not honoured is refused, with the error that Amazon documents; docs/s3.md has the table."""

import pytest

from conftest import refused


def test_configurations_that_no_bucket_has(s3, bucket):
    for what in ["analytics", "inventory", "metrics", "intelligent_tiering"]:
        listed = getattr(s3, f"list_bucket_{what}_configurations")(Bucket=bucket)
        assert not [name for name in listed if name.endswith("List")]
        for verb in ["get", "delete"]:
            call = getattr(s3, f"{verb}_bucket_{what}_configuration")
            assert refused(call, Bucket=bucket, Id="one") == ("NoSuchConfiguration", 404)


def test_off_may_be_turned_off(s3, bucket):
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Suspended"})
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    on = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "a"}}
    no = ("NotImplemented", 501)
    assert refused(s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus=on) == no
    status = {"Status": "Enabled"}
    assert refused(s3.put_bucket_accelerate_configuration, Bucket=bucket, AccelerateConfiguration=status) == no
    payer = {"Payer": "Requester"}
    assert refused(s3.put_bucket_request_payment, Bucket=bucket, RequestPaymentConfiguration=payer) == no


def test_archives_torrents_and_queries(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"a,b")
    assert refused(s3.restore_object, Bucket=bucket, Key="k", RestoreRequest={"Days": 1}) == ("InvalidObjectState", 403)
    assert refused(s3.restore_object, Bucket=bucket, Key="none", RestoreRequest={"Days": 1}) == ("NoSuchKey", 404)
    assert refused(s3.get_object_torrent, Bucket=bucket, Key="k") == ("NotImplemented", 501)
    query = {
        "ExpressionType": "SQL",
        "Expression": "SELECT * FROM S3Object",
        "InputSerialization": {"CSV": {}},
        "OutputSerialization": {"CSV": {}},
    }
    assert refused(s3.select_object_content, Bucket=bucket, Key="k", **query) == ("NotImplemented", 501)


def test_a_key_service_is_not_pretended(s3, bucket):
    kms = {"ServerSideEncryption": "aws:kms"}
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", **kms) == ("NotImplemented", 501)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_the_owner_that_is_expected(s3, bucket):
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    for expected in ["111122223333", owner[::-1]]:
        assert refused(s3.get_bucket_location, Bucket=bucket, ExpectedBucketOwner=expected) == ("AccessDenied", 403)
        call = {"Bucket": bucket, "Key": "k", "ExpectedBucketOwner": expected}
        assert refused(s3.put_object, **call) == ("AccessDenied", 403)
    assert refused(s3.get_bucket_location, Bucket="nowhere-at-all", ExpectedBucketOwner="1") == ("NoSuchBucket", 404)
