"""Ranges, conditions and part numbers."""

import datetime
import os

import pytest

from conftest import keys_of, refused

MIB = 1 << 20


@pytest.fixture(scope="module")
def whole():
    return os.urandom(3 * MIB + 123)


@pytest.mark.parametrize("size", [10, 70_000, 3 * MIB + 123])
@pytest.mark.parametrize("ask", [(0, 0), (1, 5), (3, None), (None, 4), (None, 10**9), (2, 10**9), (-1, -1), "middle"])
def test_ranges(s3, bucket, whole, size, ask):
    body = whole[:size]
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    first, last = {(-1, -1): (size - 1, size - 1), "middle": (size // 2, size // 2 + 3)}.get(ask, ask)
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    start = max(0, size - last) if first is None else first
    end = size if first is None or last is None else min(last + 1, size)
    got = s3.get_object(Bucket=bucket, Key="k", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {start}-{end - 1}/{size}"
    assert got["ContentLength"] == end - start
    assert got["Body"].read() == body[start:end]
    head = s3.head_object(Bucket=bucket, Key="k", Range=header)
    assert head["ContentLength"] == end - start and head["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_ranges_over_every_block_border(s3, bucket, whole):
    s3.put_object(Bucket=bucket, Key="k", Body=whole)
    for border in (MIB, 2 * MIB, 3 * MIB):
        for first, last in [(border - 1, border), (border, border), (border - 1, border - 1), (border - 70_000, border + 50)]:
            got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")
            assert got["Body"].read() == whole[first : last + 1]


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_ranges_that_cannot_be(s3, bucket, header):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    answer = refused(s3.get_object, Bucket=bucket, Key="k", Range=header)
    assert answer == ("InvalidRange", 416)
    assert answer.headers["content-range"] == "bytes */10"
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert refused(s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-") == ("InvalidRange", 416)


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=-", "nonsense"])
def test_ranges_that_do_not_parse_are_ignored(raw, s3, bucket, header):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    answer = raw.call("GET", f"/{bucket}/k", headers={"range": header})
    assert (answer.status, answer.body) == (200, b"0123456789")


def test_range_has_no_checksum_of_the_whole(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789", ChecksumAlgorithm="SHA256")
    headers = {"x-amz-checksum-mode": "ENABLED"}
    assert "x-amz-checksum-sha256" in raw.call("GET", f"/{bucket}/k", headers=headers).headers
    ranged = raw.call("GET", f"/{bucket}/k", headers={**headers, "range": "bytes=0-1"})
    assert ranged.status == 206 and "x-amz-checksum-sha256" not in ranged.headers


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x", CacheControl="max-age=1")["ETag"]
    now = datetime.datetime.now(datetime.timezone.utc)
    before, after = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    for call, short in [(s3.get_object, False), (s3.head_object, True)]:
        k = {"Bucket": bucket, "Key": "k"}
        failed = ("412", 412) if short else ("PreconditionFailed", 412)
        for met in [{"IfMatch": etag}, {"IfMatch": etag.strip('"')}, {"IfNoneMatch": '"other"'}, {"IfModifiedSince": before},
                    {"IfUnmodifiedSince": after}, {"IfMatch": etag, "IfUnmodifiedSince": before},
                    {"IfNoneMatch": '"other"', "IfModifiedSince": after}]:
            assert call(**k, **met)["ETag"] == etag, met
        for unmet in [{"IfMatch": '"other"'}, {"IfUnmodifiedSince": before}]:
            assert refused(call, **k, **unmet) == failed, unmet
        for same in [{"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": after},
                     {"IfNoneMatch": etag, "IfModifiedSince": before}]:
            answer = refused(call, **k, **same)
            assert answer == ("304", 304), same
            assert answer.headers["etag"] == etag and "last-modified" in answer.headers
            assert answer.headers["cache-control"] == "max-age=1"


def test_conditional_writes(s3, bucket):
    k = {"Bucket": bucket, "Key": "k"}
    assert refused(s3.put_object, **k, Body=b"x", IfMatch='"00000000000000000000000000000000"') == ("NoSuchKey", 404)
    assert keys_of(s3, bucket) == []
    etag = s3.put_object(**k, Body=b"one", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, **k, Body=b"two", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refused(s3.put_object, **k, Body=b"two", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refused(s3.put_object, **k, Body=b"two", IfNoneMatch='"other"') == ("NotImplemented", 501)
    assert s3.get_object(**k)["Body"].read() == b"one"
    s3.put_object(**k, Body=b"two", IfMatch=etag)
    assert s3.get_object(**k)["Body"].read() == b"two"
    assert refused(s3.delete_object, **k, IfMatch='"other"') == ("PreconditionFailed", 412)
    s3.delete_object(**k)
    s3.put_object(**k, Body=b"three", IfNoneMatch="*")


def test_one_of_many_racing_writers_wins(s3, bucket):
    import concurrent.futures

    def put(number):
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=str(number).encode(), IfNoneMatch="*")
            return number
        except s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        winners = [number for number in pool.map(put, range(32)) if number is not None]
    assert len(winners) == 1
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == str(winners[0]).encode()


def test_part_number_of_a_whole_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert got["Body"].read() == b"0123456789" and "PartsCount" not in got
    assert refused(s3.get_object, Bucket=bucket, Key="k", PartNumber=2) == ("InvalidPartNumber", 416)
    assert refused(s3.get_object, Bucket=bucket, Key="k", PartNumber=0) == ("InvalidArgument", 400)
    both = refused(s3.get_object, Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1")
    assert both == ("InvalidRequest", 400)


@pytest.mark.parametrize("size", [1, 100_000])
def test_documents_that_are_objects_stay_as_they_are(s3, bucket, size):
    """What is done to answers in XML is not done to objects in XML."""
    body = b"<a>\r\n\r</a>" * size
    s3.put_object(Bucket=bucket, Key="k.xml", Body=body, ContentType="application/xml")
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for arguments in [{"Key": "k.xml"}, {"Key": "k", "ResponseContentType": "application/xml"}]:
        got = s3.get_object(Bucket=bucket, **arguments)
        assert (got["ContentType"], got["ContentLength"]) == ("application/xml", len(body))
        assert got["Body"].read() == body
    part = s3.get_object(Bucket=bucket, Key="k.xml", Range="bytes=2-4")
    assert part["Body"].read() == body[2:5]
