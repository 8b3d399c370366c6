"""DeleteObjects, in all that can be said of a key."""

import pytest

from conftest import keys_of, refused
from raw import crc32, md5


def test_many_and_quiet(s3, bucket):
    for key in "abcd":
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    loud = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "none"}]})
    assert sorted(one["Key"] for one in loud["Deleted"]) == ["a", "none"] and "Errors" not in loud
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    assert keys_of(s3, bucket) == ["c", "d"]


def test_errors_by_key(s3, bucket):
    s3.put_object(Bucket=bucket, Key="good", Body=b"x")
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    objects = [{"Key": "good"}, {"Key": "a/../../b"}, {"Key": "k" * 1025}, {"Key": "kept", "ETag": '"other"'}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [one["Key"] for one in answer["Deleted"]] == ["good"]
    codes = {one["Key"]: one["Code"] for one in answer["Errors"]}
    assert codes == {"a/../../b": "InvalidURI", "k" * 1025: "KeyTooLongError", "kept": "PreconditionFailed"}
    assert keys_of(s3, bucket) == ["kept"]


def test_versions(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": first}, {"Key": "k"}]})
    by_version = {one.get("VersionId"): one for one in answer["Deleted"]}
    assert "DeleteMarker" not in by_version[first]
    marker = by_version[None]
    assert marker["DeleteMarker"] is True
    gone = s3.delete_objects(
        Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": marker["DeleteMarkerVersionId"]}]}
    )["Deleted"][0]
    assert gone["DeleteMarker"] is True and gone["DeleteMarkerVersionId"] == marker["DeleteMarkerVersionId"]
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == second


def test_bad_documents_delete_nothing(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    good = b"<Delete><Object><Key>k</Key></Object></Delete>"
    many = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
    for body in [b"<Delete>", b"<Delete></Delete>", b"<Delete><Object/></Delete>", b"not xml", many, good[:-1],
                 b'<!DOCTYPE d [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>']:
        answer = raw.call("POST", f"/{bucket}", "delete", body=body)
        assert answer == ("MalformedXML", 400), (body[:60], answer)
    path, query = f"/{bucket}", "delete"
    assert raw.call("POST", path, query, {"content-md5": md5(b"other")}, good) == ("BadDigest", 400)
    assert raw.call("POST", path, query, {"content-md5": "x"}, good) == ("InvalidDigest", 400)
    assert raw.call("POST", path, query, {"x-amz-checksum-crc32": crc32(b"other")}, good) == ("BadDigest", 400)
    wrong = raw.call("POST", path, query, body=good, payload="0" * 64)
    assert wrong == ("XAmzContentSHA256Mismatch", 400)
    huge = b"<Delete>" + b" " * (5 << 20) + good
    assert raw.call("POST", path, query, body=huge).status == 400
    assert keys_of(s3, bucket) == ["k"]
    for headers in [{"content-md5": md5(good)}, {"x-amz-checksum-crc32": crc32(good)}]:
        assert raw.call("POST", path, query, headers, good).status == 200
    assert keys_of(s3, bucket) == []


def test_a_bucket_that_is_not_there(s3):
    answer = refused(s3.delete_objects, Bucket="no-such-bucket-here", Delete={"Objects": [{"Key": "k"}]})
    assert answer == ("NoSuchBucket", 404)


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\ufffe", "\uffff"])
def test_keys_that_xml_cannot_hold(s3, bucket, character):
    """The answer has a replacement for the character, so that it can be read."""
    key = f"a{character}b"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    objects = [{"Key": key}, {"Key": f"{key}/../../c"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [one["Key"] for one in answer["Deleted"]] == ["a\ufffdb"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("a\ufffdb/../../c", "InvalidURI")]
    assert keys_of(s3, bucket) == []


def test_carriage_returns_come_back(s3, raw, bucket):
    for key in ["a\rb", "a\nb"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a\rb"}, {"Key": "c\r/../../d"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["a\rb"]
    assert [one["Key"] for one in answer["Errors"]] == ["c\r/../../d"]
    assert keys_of(s3, bucket) == ["a\nb"]
    body = raw.call("POST", f"/{bucket}", "delete", body=b"<Delete><Object><Key>a&#13;b</Key></Object></Delete>").body
    assert b"<Key>a&#13;b</Key>" in body and b"\r" not in body
