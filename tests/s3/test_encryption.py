"""Server-side encryption: SSE-S3 and SSE-C; SSE-KMS is refused."""

import base64
import hashlib
import os

import pytest

from conftest import keys_of, refused

KEY = bytes(range(32))
OTHER = b"k" * 32
OWN = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
WRONG = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER}
SIZES = [0, 1, 1000, 65537, 1 << 20, (1 << 20) + 13]


def md5(key):
    return base64.b64encode(hashlib.md5(key).digest()).decode()


def source(key):
    return {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": key}


@pytest.mark.parametrize("size", SIZES)
def test_own_key_round_trip(s3, bucket, size):
    content = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=content, **OWN)
    assert put["SSECustomerAlgorithm"] == "AES256"
    assert put["SSECustomerKeyMD5"] == md5(KEY)
    got = s3.get_object(Bucket=bucket, Key="k", **OWN)
    assert got["Body"].read() == content
    assert got["SSECustomerKeyMD5"] == md5(KEY)
    head = s3.head_object(Bucket=bucket, Key="k", **OWN)
    assert head["ContentLength"] == size
    assert head["SSECustomerAlgorithm"] == "AES256"


def test_own_key_ranges(s3, bucket):
    content = os.urandom(3 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=content, **OWN)
    for first, last in [(0, 0), (15, 17), (1048575, 1048577), (2000000, 3145727)]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}", **OWN)
        assert got["Body"].read() == content[first : last + 1]


def test_own_key_is_needed(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"secret", **OWN)
    assert refused(s3.get_object, Bucket=bucket, Key="k") == ("InvalidRequest", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="k", **WRONG) == ("AccessDenied", 403)
    assert refused(s3.head_object, Bucket=bucket, Key="k").status == 400
    assert refused(s3.head_object, Bucket=bucket, Key="k", **WRONG).status == 403
    s3.put_object(Bucket=bucket, Key="plain", Body=b"public")
    assert refused(s3.get_object, Bucket=bucket, Key="plain", **OWN) == ("InvalidRequest", 400)


@pytest.mark.parametrize(
    "drop, replace, code",
    [
        ("key", None, "InvalidArgument"),
        ("key-MD5", None, "InvalidArgument"),
        ("algorithm", None, "InvalidArgument"),
        ("key", base64.b64encode(b"short").decode(), "InvalidArgument"),
        ("key-MD5", "AAAAAAAAAAAAAAAAAAAAAA==", "InvalidArgument"),
        ("algorithm", "AES128", "InvalidEncryptionAlgorithmError"),
    ],
)
def test_own_key_headers_must_be_whole(raw, s3, bucket, drop, replace, code):
    headers = {
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": base64.b64encode(KEY).decode(),
        "x-amz-server-side-encryption-customer-key-MD5": md5(KEY),
    }
    name = f"x-amz-server-side-encryption-customer-{drop}"
    if replace is None:
        del headers[name]
    else:
        headers[name] = replace
    answer = raw.call("PUT", f"/{bucket}/k", headers=headers, body=b"x")
    assert answer.status == 400 and code in answer.body.decode()
    assert keys_of(s3, bucket) == []


def test_multipart_with_own_key(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **OWN)
    assert upload["SSECustomerKeyMD5"] == md5(KEY)
    target = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    contents = [os.urandom(5 << 20), os.urandom(5 << 20), os.urandom(99)]
    part = dict(target, PartNumber=1, Body=contents[0])
    assert refused(s3.upload_part, **part) == ("InvalidRequest", 400)
    assert refused(s3.upload_part, **part, **WRONG) == ("InvalidRequest", 400)
    parts = []
    for number, content in enumerate(contents, 1):
        done = s3.upload_part(**dict(target, PartNumber=number, Body=content), **OWN)
        assert done["SSECustomerKeyMD5"] == md5(KEY)
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    whole = b"".join(contents)
    assert s3.get_object(Bucket=bucket, Key="k", **OWN)["Body"].read() == whole
    edge = (5 << 20) - 3
    got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={edge}-{edge + 9}", **OWN)
    assert got["Body"].read() == whole[edge : edge + 10]
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=2, **OWN)
    assert second["Body"].read() == contents[1]


def test_copies_between_keys(s3, bucket):
    content = os.urandom(1 << 20)
    s3.put_object(Bucket=bucket, Key="a", Body=content, **OWN)
    copy = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "a"}}
    assert refused(s3.copy_object, **copy, Key="b") == ("InvalidRequest", 400)
    assert refused(s3.copy_object, **copy, Key="b", **source(OTHER)) == ("AccessDenied", 403)
    s3.copy_object(**copy, Key="plain", **source(KEY))
    assert s3.get_object(Bucket=bucket, Key="plain")["Body"].read() == content
    done = s3.copy_object(**copy, Key="other", **source(KEY), **WRONG)
    assert done["SSECustomerKeyMD5"] == md5(OTHER)
    assert s3.get_object(Bucket=bucket, Key="other", **WRONG)["Body"].read() == content
    # Onto itself: another key is change enough.
    s3.copy_object(**copy, Key="a", **source(KEY), **WRONG)
    assert s3.get_object(Bucket=bucket, Key="a", **WRONG)["Body"].read() == content


def test_part_copies_between_keys(s3, bucket):
    content = os.urandom(6 << 20)
    s3.put_object(Bucket=bucket, Key="a", Body=content, **OWN)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="b", **WRONG)
    target = {"Bucket": bucket, "Key": "b", "UploadId": upload["UploadId"]}
    done = s3.upload_part_copy(
        **target, PartNumber=1, CopySource={"Bucket": bucket, "Key": "a"}, **source(KEY), **WRONG
    )
    etag = done["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert s3.get_object(Bucket=bucket, Key="b", **WRONG)["Body"].read() == content


@pytest.mark.parametrize("size", SIZES)
def test_server_key_round_trip(s3, bucket, size):
    content = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=content, ServerSideEncryption="AES256")
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == content
    assert got["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"


def test_bucket_default(s3, bucket):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    configuration = {"Rules": [rule]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
    found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    default = found["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "AES256"}
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")
    assert upload["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    gone = refused(s3.get_bucket_encryption, Bucket=bucket)
    assert gone == ("ServerSideEncryptionConfigurationNotFoundError", 404)


def test_no_key_service(s3, bucket):
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert refused(s3.put_object, **put, ServerSideEncryption="aws:kms") == ("NotImplemented", 501)
    wrong = refused(s3.put_object, **put, ServerSideEncryption="rot13")
    assert wrong == ("InvalidArgument", 400)
    both = refused(s3.put_object, **put, ServerSideEncryption="AES256", **OWN)
    assert both == ("InvalidArgument", 400)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    kms = refused(
        s3.put_bucket_encryption,
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [rule]},
    )
    assert kms == ("NotImplemented", 501)
    assert keys_of(s3, bucket) == []


def test_method_on_a_read_is_refused(raw, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")
    answer = raw.call("GET", f"/{bucket}/k", headers={"x-amz-server-side-encryption": "AES256"})
    assert answer.status == 400
