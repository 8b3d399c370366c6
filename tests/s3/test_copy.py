"""CopyObject: directives, conditions, versions, and copies onto themselves."""

import datetime
import os

import pytest

import raw as raw_http
from conftest import keys_of, new_bucket, refused

MIB = 1 << 20


@pytest.fixture
def source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from key/ü+", Body=b"bytes", ContentType="a/b", Metadata={"m": "1"}, Tagging="t=1")
    return {"Bucket": bucket, "Key": "from key/ü+"}


@pytest.mark.parametrize("size", [0, 5, 3 * MIB + 1])
def test_bytes(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="a", Body=body)
    copy = s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    assert copy["CopyObjectResult"]["ETag"] == put["ETag"]
    got = s3.get_object(Bucket=bucket, Key="b")
    assert got["Body"].read() == body
    cids = [answer["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"] for answer in (put, copy, got)]
    assert len(set(cids)) == 1


def test_everything_comes_along(s3, bucket, source):
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ContentType="ignored/x", Metadata={"ignored": "1"})
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("a/b", {"m": "1"}, 1)


def test_replacing(s3, bucket, source):
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ContentType="c/d", Metadata={"n": "2"},
                   MetadataDirective="REPLACE", Tagging="u=2", TaggingDirective="REPLACE")
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["ContentType"], got["Metadata"], got["Body"].read()) == ("c/d", {"n": "2"}, b"bytes")
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "u", "Value": "2"}]


def test_onto_itself(s3, bucket, source):
    answer = refused(s3.copy_object, **source, CopySource=source)
    assert answer == ("InvalidRequest", 400)
    s3.copy_object(**source, CopySource=source, Metadata={"n": "2"}, MetadataDirective="REPLACE")
    got = s3.get_object(**source)
    assert got["Metadata"] == {"n": "2"} and got["Body"].read() == b"bytes"


def test_to_another_bucket(s3, bucket, source):
    other = new_bucket(s3)
    s3.copy_object(Bucket=other, Key="to", CopySource=source)
    assert s3.get_object(Bucket=other, Key="to")["Body"].read() == b"bytes"
    s3.delete_object(Bucket=other, Key="to")
    s3.delete_bucket(Bucket=other)


def test_conditions_on_the_source(s3, bucket, source):
    etag = s3.head_object(**source)["ETag"]
    now = datetime.datetime.now(datetime.timezone.utc)
    before, after = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    for unmet in [{"CopySourceIfMatch": '"other"'}, {"CopySourceIfNoneMatch": etag}, {"CopySourceIfModifiedSince": after},
                  {"CopySourceIfUnmodifiedSince": before},
                  {"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": before}]:
        answer = refused(s3.copy_object, Bucket=bucket, Key="to", CopySource=source, **unmet)
        assert answer == ("PreconditionFailed", 412), unmet
    assert keys_of(s3, bucket) == [source["Key"]]
    for met in [{"CopySourceIfMatch": etag}, {"CopySourceIfNoneMatch": '"other"'}, {"CopySourceIfModifiedSince": before},
                {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": before}]:
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, **met)


def test_conditions_on_the_target(s3, bucket, source):
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfNoneMatch="*")
    answer = refused(s3.copy_object, Bucket=bucket, Key="to", CopySource=source, IfNoneMatch="*")
    assert answer == ("PreconditionFailed", 412)


def test_bad_sources(s3, raw, bucket, source):
    copy = {"Bucket": bucket, "Key": "to"}
    assert refused(s3.copy_object, **copy, CopySource={"Bucket": bucket, "Key": "none"}) == ("NoSuchKey", 404)
    assert refused(s3.copy_object, **copy, CopySource={"Bucket": "no-such-bucket-here", "Key": "k"}) == ("NoSuchBucket", 404)
    for text in ["nonsense", "/", f"/{bucket}", f"/{bucket}/a/../b"]:
        answer = raw.call("PUT", f"/{bucket}/to", headers={"x-amz-copy-source": text})
        assert answer.status in (400, 404), (text, answer)
    wrong = {"x-amz-copy-source": f"/{bucket}/from%20key/%C3%BC%2B", "x-amz-metadata-directive": "MERGE"}
    assert raw.call("PUT", f"/{bucket}/to", headers=wrong) == ("InvalidArgument", 400)
    assert keys_of(s3, bucket) == [source["Key"]]


def test_versions(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"2")
    old = {"Bucket": versioned, "Key": "k", "VersionId": first}
    copy = s3.copy_object(Bucket=versioned, Key="k", CopySource=old)  # onto itself: an old version is brought back
    assert copy["CopySourceVersionId"] == first and copy["VersionId"] != first
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    gone = {"Bucket": versioned, "Key": "k"}
    assert refused(s3.copy_object, Bucket=versioned, Key="to", CopySource=gone) == ("NoSuchKey", 404)
    named = {**gone, "VersionId": marker}
    assert refused(s3.copy_object, Bucket=versioned, Key="to", CopySource=named) == ("InvalidRequest", 400)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"])
@pytest.mark.parametrize("size", [0, 5, 3 * MIB + 1])
def test_another_checksum(s3, bucket, size, algorithm):
    body = os.urandom(size)
    field = f"Checksum{algorithm}"
    expected = getattr(raw_http, algorithm.lower())(body)
    s3.put_object(Bucket=bucket, Key="a", Body=body, ChecksumAlgorithm="CRC32")
    source = {"Bucket": bucket, "Key": "a"}
    copy = s3.copy_object(Bucket=bucket, Key="b", CopySource=source, ChecksumAlgorithm=algorithm)["CopyObjectResult"]
    assert (copy[field], copy["ChecksumType"]) == (expected, "FULL_OBJECT")
    got = s3.get_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert (got[field], got["Body"].read()) == (expected, body)
    assert "ChecksumCRC32" in s3.copy_object(Bucket=bucket, Key="d", CopySource=source)["CopyObjectResult"]


def test_checksum_of_a_multipart_source(s3, raw, bucket):
    """A checksum of parts' checksums becomes one of the whole where one is asked for."""
    parts = [os.urandom(5 * MIB), b"end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="SHA256")["UploadId"]
    done = []
    for number, part in enumerate(parts, 1):
        sent = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=number, Body=part, ChecksumAlgorithm="SHA256")
        done.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": done})
    source = {"Bucket": bucket, "Key": "m"}
    copy = s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert (copy["ChecksumSHA256"], copy["ChecksumType"]) == (raw_http.sha256(b"".join(parts)), "FULL_OBJECT")
    kept = s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)["CopyObjectResult"]
    assert kept["ChecksumType"] == "COMPOSITE"
    wrong = {"x-amz-copy-source": f"/{bucket}/m", "x-amz-checksum-algorithm": "MD4"}
    assert raw.call("PUT", f"/{bucket}/x", headers=wrong) == ("InvalidRequest", 400)


def test_the_owner_that_is_expected_of_the_source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    source = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "k"}}
    part = {"Key": "m", "UploadId": upload, "PartNumber": 1, **source}
    for expected in ["111122223333", owner[::-1]]:
        assert refused(s3.copy_object, Key="c", ExpectedSourceBucketOwner=expected, **source) == ("AccessDenied", 403)
        assert refused(s3.upload_part_copy, ExpectedSourceBucketOwner=expected, **part) == ("AccessDenied", 403)
    s3.copy_object(Key="c", ExpectedSourceBucketOwner=owner, **source)
    s3.upload_part_copy(ExpectedSourceBucketOwner=owner, **part)
