"""boto3: TransferManager's own multipart machinery, presigned URLs, every byte compared.

Run by `cargo xtask test --only boto3`; what is given is described in xtask/src/suite/clients.rs.
"""

import hashlib
import io
import os
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024
ENDPOINT = os.environ["STEAD_ENDPOINT"]
CONFIG = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})


def client(config=CONFIG):
    return boto3.client("s3", endpoint_url=ENDPOINT, config=config)


def expect_error(code, call):
    try:
        call()
    except ClientError as error:
        got = error.response["Error"]["Code"]
        assert got in code, (got, code)
    else:
        raise AssertionError(f"no error, wanted {code}")


def transfers(s3, size, part):
    """Up and down by TransferManager, in several threads, from a file and from a stream."""
    data = os.urandom(size)
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=8)
    path = os.path.join(os.environ["WORK"], "transfer")
    with open(path, "wb") as file:
        file.write(data)
    extra = {"Metadata": {"color": "green", "size": str(size)}, "ContentType": "application/x-thing"}
    s3.upload_file(path, "photos", f"file-{size}", Config=config, ExtraArgs=extra)
    s3.upload_fileobj(io.BytesIO(data), "photos", f"stream-{size}", Config=config)
    for key in (f"file-{size}", f"stream-{size}"):
        back = io.BytesIO()
        s3.download_fileobj("photos", key, back, Config=config)
        assert back.getvalue() == data, (key, len(back.getvalue()))
    head = s3.head_object(Bucket="photos", Key=f"file-{size}")
    assert head["ContentLength"] == size
    assert head["Metadata"] == extra["Metadata"], head["Metadata"]
    assert head["ContentType"] == extra["ContentType"]
    parts = -(-size // part)
    if size < part:
        assert head["ETag"] == f'"{hashlib.md5(data).hexdigest()}"', head["ETag"]
    else:
        pieces = [hashlib.md5(data[at : at + part]).digest() for at in range(0, size, part)]
        assert head["ETag"] == f'"{hashlib.md5(b"".join(pieces)).hexdigest()}-{parts}"', head["ETag"]


def checksums(s3):
    """Each algorithm that boto3 can compute, sent as trailer or header, kept and checked on the way back."""
    data = os.urandom(3 * MIB + 17)
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket="photos", Key="sum", Body=io.BytesIO(data), ChecksumAlgorithm=algorithm)
        name = f"Checksum{algorithm}"
        got = s3.get_object(Bucket="photos", Key="sum", ChecksumMode="ENABLED")
        assert got[name] == put[name], (algorithm, got.get(name), put.get(name))
        assert got["Body"].read() == data
    expect_error(
        ("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "InvalidRequest"),
        lambda: s3.put_object(Bucket="photos", Key="bad", Body=b"x", ChecksumSHA256="A" * 43 + "="),
    )
    expect_error(("404", "NoSuchKey"), lambda: s3.head_object(Bucket="photos", Key="bad"))


def fetch(url, data=None, method="GET"):
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned(s3):
    """A URL alone is enough to put and to get; a changed or late one is not."""
    data = os.urandom(200_000)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "photos", "Key": "by url+ü"}, ExpiresIn=60)
    assert fetch(put, data, "PUT")[0] == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "by url+ü"}, ExpiresIn=60)
    assert fetch(get) == (200, data)
    status, body = fetch(get.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
    assert status == 403 and b"SignatureDoesNotMatch" in body, (status, body)
    status, body = fetch(get.replace("photos/by", "photos/my"))
    assert status == 403, (status, body)
    params = {"Bucket": "photos", "Key": "by url+ü", "ResponseContentType": "text/x-other"}
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=params)) as answer:
        assert answer.headers["Content-Type"] == "text/x-other"


def deletes(s3):
    """Everything goes, page by page, and then the bucket."""
    expect_error(("BucketNotEmpty",), lambda: s3.delete_bucket(Bucket="photos"))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="photos", PaginationConfig={"PageSize": 3}):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            done = s3.delete_objects(Bucket="photos", Delete={"Objects": keys})
            assert len(done["Deleted"]) == len(keys) and not done.get("Errors"), done
    s3.delete_bucket(Bucket="photos")
    assert s3.list_buckets()["Buckets"] == []


def main():
    print("boto3", boto3.__version__)
    s3 = client()
    s3.create_bucket(Bucket="photos")
    for size, part in ((0, 8 * MIB), (1, 8 * MIB), (MIB, 8 * MIB), (5 * MIB, 5 * MIB), (32 * MIB + 5, 5 * MIB + 1)):
        transfers(s3, size, part)
        print("transferred", size)
    checksums(s3)
    presigned(s3)
    deletes(s3)
    print("all well")


main()
