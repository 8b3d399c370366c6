"""Put, get, head and delete of objects: bytes, headers, metadata, tags, attributes."""

import datetime
import hashlib
import os

import pytest

from conftest import keys_of, refused
from raw import crc64nvme

MIB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 65537, MIB - 1, MIB, MIB + 1, 5 * MIB + 7])
def test_round_trip(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="dir/key", Body=body)
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ETag"] == etag
    got = s3.get_object(Bucket=bucket, Key="dir/key")
    assert got["Body"].read() == body
    assert (got["ETag"], got["ContentLength"]) == (etag, size)
    assert got["AcceptRanges"] == "bytes"
    assert got["ContentType"] == "binary/octet-stream"
    head = s3.head_object(Bucket=bucket, Key="dir/key")
    assert (head["ETag"], head["ContentLength"], head["LastModified"]) == (etag, size, got["LastModified"])
    age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
    assert abs(age.total_seconds()) < 60
    for answer in (put, got, head):
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-stead-cid"].startswith("ba")
        assert int(headers["x-stead-position"]) > 0
    assert len({a["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"] for a in (put, got, head)}) == 1


def test_small_objects_are_named_by_their_hash(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello world")
    cid = put["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"]
    assert cid == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"


def test_overwrite(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", ContentType="a/b", Metadata={"x": "y"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"three")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"three"
    assert got["Metadata"] == {} and got["ContentType"] == "binary/octet-stream"
    assert keys_of(s3, bucket) == ["k"]


@pytest.mark.parametrize(
    "key",
    ["a", "a/b/c", "/leading", "trailing/", "a//b", "spaces and+plus", "percent%25", "ünïcödé/日本語/🎉", "a&b=c?d#e",
     ".", "a/./b", "..a", "~", "'quotes\"", "k" * 1024, "<xml>&amp;"],
)
def test_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [one["Key"] for one in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert refused(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404)


def test_content_headers(s3, bucket):
    headers = {
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=datetime.datetime(2030, 1, 1), **headers)
    for call in (s3.get_object, s3.head_object):
        answer = call(Bucket=bucket, Key="k")
        assert {name: answer[name] for name in headers} == headers
        assert answer["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Tue, 01 Jan 2030 00:00:00 GMT"


def test_response_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="a/b")
    overrides = {
        "ResponseCacheControl": "no-store",
        "ResponseContentDisposition": 'inline; filename="b c.txt"',
        "ResponseContentEncoding": "identity",
        "ResponseContentLanguage": "fr",
        "ResponseContentType": "text/html",
    }
    got = s3.get_object(Bucket=bucket, Key="k", **overrides)
    assert {name: got[name.removeprefix("Response")] for name in overrides} == overrides


def test_metadata(s3, bucket):
    metadata = {"colour": "blue", "with-dash": "1", "empty": "", "spaces": "a  b"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {**metadata}


def test_metadata_that_is_not_ascii(raw, s3, bucket):
    """Raw UTF-8 and encoded words come back as encoded words (RFC 2047)."""
    import email.header

    path = f"/{bucket}/k"
    text = "Grüße aus Köln, 日本語 " * 5
    words = email.header.Header(text, "utf-8").encode(maxlinelen=2000, linesep=" ")
    assert raw.call("PUT", path, headers={"x-amz-meta-a": words}, body=b"x").status == 200
    answer = raw.call("HEAD", path)
    value = answer.headers["x-amz-meta-a"]
    assert value.isascii()
    assert str(email.header.make_header(email.header.decode_header(value))).strip() == text.strip()


def test_too_much_metadata(s3, bucket):
    fits = {"a": "v" * 2047}
    s3.put_object(Bucket=bucket, Key="fits", Body=b"x", Metadata=fits)
    assert s3.head_object(Bucket=bucket, Key="fits")["Metadata"] == fits
    answer = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "v" * 2048})
    assert answer == ("MetadataTooLarge", 400)
    assert keys_of(s3, bucket) == ["fits"]


def test_missing_objects(s3, bucket):
    assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="k") == ("404", 404)
    assert refused(s3.get_object_tagging, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    s3.delete_object(Bucket=bucket, Key="k")  # succeeds, as in S3


def test_tagging(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1&b=%C3%A4+%2B")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ä +"}]
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": ""}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": ""}]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert "TagCount" not in s3.get_object(Bucket=bucket, Key="k")


def test_bad_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    many = [{"Key": f"k{n}", "Value": "v"} for n in range(11)]
    for tags, code in [
        (many, "InvalidTag"),
        ([{"Key": "k" * 129, "Value": "v"}], "InvalidTag"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"),
        ([{"Key": "aws:k", "Value": "v"}], "InvalidTag"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidTag"),
    ]:
        assert refused(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": tags}) == (code, 400), tags
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert refused(s3.put_object, Bucket=bucket, Key="t", Body=b"x", Tagging="a=1&a=2") == ("InvalidArgument", 400)
    assert keys_of(s3, bucket) == ["k"]


def test_attributes(s3, bucket):
    body = b"x" * 100
    etag = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm="SHA256")["ETag"]
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=wanted)
    assert got["ETag"] == etag.strip('"')
    assert got["ObjectSize"] == 100
    assert got["StorageClass"] == "STANDARD"
    assert got["Checksum"]["ChecksumType"] == "FULL_OBJECT" and "ChecksumSHA256" in got["Checksum"]
    assert "ObjectParts" not in got
    only = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in only and only["ObjectSize"] == 100
    assert refused(s3.get_object_attributes, Bucket=bucket, Key="none", ObjectAttributes=wanted) == ("NoSuchKey", 404)
    bad = refused(s3.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=["Colour"])
    assert bad == ("InvalidArgument", 400)


def test_what_stead_does_not_have_is_refused_and_nothing_stored(s3, bucket):
    for arguments, code in [
        ({"ACL": "aws-exec-read"}, "InvalidArgument"),
        ({"GrantRead": "id=1"}, "InvalidArgument"),
        ({"StorageClass": "GLACIER"}, "InvalidStorageClass"),
        ({"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime.datetime(2040, 1, 1)}, "InvalidRequest"),
    ]:
        assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **arguments).code == code, arguments
    assert keys_of(s3, bucket) == []
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private", StorageClass="STANDARD")
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Permission"] == "FULL_CONTROL"


def test_default_checksum_is_crc64nvme(raw, s3, bucket):
    path = f"/{bucket}/k"
    answer = raw.call("PUT", path, body=b"hello")
    assert answer.headers["x-amz-checksum-crc64nvme"] == crc64nvme(b"hello")
    assert answer.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    plain = raw.call("GET", path)
    assert "x-amz-checksum-crc64nvme" not in plain.headers
    asked = raw.call("GET", path, headers={"x-amz-checksum-mode": "ENABLED"})
    assert asked.headers["x-amz-checksum-crc64nvme"] == crc64nvme(b"hello")
    assert asked.body == b"hello"
