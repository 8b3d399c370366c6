"""Checksums: in headers and trailers, of single objects and of parts, verified, stored and returned."""

import base64
import hashlib
import os

import pytest

from conftest import keys_of, make_client, refused
from raw import (STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED, crc32, crc32c, crc64nvme, md5, sha1, sha256)

ALGORITHMS = {"CRC32": crc32, "CRC32C": crc32c, "CRC64NVME": crc64nvme, "SHA1": sha1, "SHA256": sha256}
MIB = 1 << 20
BODY = b"The quick brown fox jumps over the lazy dog." * 100


def header(name):
    return f"x-amz-checksum-{name.lower()}"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_in_a_header(raw, s3, bucket, name):
    value = ALGORITHMS[name](BODY)
    path = f"/{bucket}/k"
    put = raw.call("PUT", path, headers={header(name): value}, body=BODY)
    assert (put.status, put.headers[header(name)]) == (200, value)
    got = raw.call("GET", path, headers={"x-amz-checksum-mode": "ENABLED"})
    assert (got.body, got.headers[header(name)], got.headers["x-amz-checksum-type"]) == (BODY, value, "FULL_OBJECT")
    assert raw.call("HEAD", path, headers={"x-amz-checksum-mode": "ENABLED"}).headers[header(name)] == value
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([name], "FULL_OBJECT")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_wrong_in_a_header(raw, s3, bucket, name):
    path = f"/{bucket}/k"
    wrong = ALGORITHMS[name](b"other")
    assert raw.call("PUT", path, headers={header(name): wrong}, body=BODY) == ("BadDigest", 400)
    assert raw.call("PUT", path, headers={header(name): "AAAA"}, body=BODY) == ("InvalidRequest", 400)
    assert raw.call("PUT", path, headers={header(name): "not base64!"}, body=BODY) == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("payload", [STREAMING_UNSIGNED, STREAMING_TRAILER])
def test_in_a_trailer(raw, bucket, name, payload):
    path, chunks = f"/{bucket}/k", [BODY[:100], BODY[100:1000], BODY[1000:]]
    value = ALGORITHMS[name](BODY)
    put = raw.put_chunked(path, chunks, trailer=(header(name), value), payload=payload)
    assert (put.status, put.headers.get(header(name))) == (200, value), put
    got = raw.call("GET", path, headers={"x-amz-checksum-mode": "ENABLED"})
    assert (got.body, got.headers[header(name)]) == (BODY, value)
    assert "content-encoding" not in got.headers


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("payload", [STREAMING_UNSIGNED, STREAMING_TRAILER])
def test_wrong_in_a_trailer(raw, s3, bucket, name, payload):
    wrong = (header(name), ALGORITHMS[name](b"other"))
    assert raw.put_chunked(f"/{bucket}/k", [BODY], trailer=wrong, payload=payload) == ("BadDigest", 400)
    assert keys_of(s3, bucket) == []


def test_bad_trailers(raw, s3, bucket):
    path = f"/{bucket}/k"
    good = ("x-amz-checksum-crc32", crc32(BODY))
    # Announced, and never sent.
    headers, body = raw.chunked(path, [BODY], trailer=good, payload=STREAMING_UNSIGNED)
    without = body[: body.rindex(b"x-amz-checksum-crc32")] + b"\r\n"
    answer = raw.send("PUT", path, "", headers, without)
    assert answer.status == 400, answer
    # Its signature is broken.
    spoil = lambda index, data, signature: (data, "0" * 64 if index == -1 else signature)
    answer = raw.put_chunked(path, [BODY], trailer=good, payload=STREAMING_TRAILER, spoil=spoil)
    assert answer == ("SignatureDoesNotMatch", 403)
    # Not a checksum.
    answer = raw.put_chunked(path, [BODY], trailer=("x-custom", "1"), payload=STREAMING_UNSIGNED)
    assert answer == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == []


def test_md5(raw, s3, bucket):
    path = f"/{bucket}/k"
    assert raw.call("PUT", path, headers={"content-md5": md5(b"other")}, body=BODY) == ("BadDigest", 400)
    for bad in ["", "x", "AAAA", base64.b64encode(b"x" * 17).decode()]:
        assert raw.call("PUT", path, headers={"content-md5": bad}, body=BODY) == ("InvalidDigest", 400), bad
    assert keys_of(s3, bucket) == []
    assert raw.call("PUT", path, headers={"content-md5": md5(BODY)}, body=BODY).status == 200


def test_contradictions(raw, s3, bucket):
    path = f"/{bucket}/k"
    two = {"x-amz-checksum-crc32": crc32(BODY), "x-amz-checksum-sha1": sha1(BODY)}
    assert raw.call("PUT", path, headers=two, body=BODY) == ("InvalidRequest", 400)
    other = {"x-amz-checksum-crc32": crc32(BODY), "x-amz-sdk-checksum-algorithm": "SHA256"}
    assert raw.call("PUT", path, headers=other, body=BODY) == ("InvalidRequest", 400)
    assert raw.call("PUT", path, headers={"x-amz-sdk-checksum-algorithm": "MD4"}, body=BODY) == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * MIB])
def test_boto3_sends_and_checks_them(s3, bucket, name, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=name)
    assert put[f"Checksum{name}"] == ALGORITHMS[name](body) if size <= MIB else put[f"Checksum{name}"]
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{name}"] == put[f"Checksum{name}"]
    assert got["Body"].read() == body


def test_signed_chunks(raw, bucket):
    chunks = [os.urandom(65536), os.urandom(65536), os.urandom(77)]
    body = b"".join(chunks)
    put = raw.put_chunked(f"/{bucket}/k", chunks, payload=STREAMING)
    assert (put.status, put.headers.get("etag")) == (200, f'"{hashlib.md5(body).hexdigest()}"'), put
    assert raw.call("GET", f"/{bucket}/k").body == body
    assert raw.put_chunked(f"/{bucket}/empty", [], payload=STREAMING).status == 200


def test_broken_chunk_signatures(raw, s3, bucket):
    chunks = [os.urandom(65536)] * 3
    for broken in range(4):
        for spoil in (
            lambda index, data, signature: (data, "0" * 64 if index == broken else signature),
            lambda index, data, signature: (bytes(len(data)) if index == broken else data, signature),
        ):
            answer = raw.put_chunked(f"/{bucket}/k", chunks, spoil=spoil)
            if broken == 3 and answer.status == 200:
                continue  # the last chunk has no bytes to spoil
            assert answer == ("SignatureDoesNotMatch", 403), (broken, answer)
            assert keys_of(s3, bucket) == []
        s3.delete_object(Bucket=bucket, Key="k")


def test_broken_framing(raw, s3, bucket):
    path = f"/{bucket}/k"
    headers, body = raw.chunked(path, [BODY])
    for wrong in [body[:-40], body[: len(body) // 2], b"zz;" + body, body.replace(b"chunk-signature", b"chunk-autograph"), b"",
                  body.replace(b"\r\n", b"\n", 1)]:
        headers = {**headers, "content-length": str(len(wrong))}
        answer = raw.send("PUT", path, "", headers, wrong)
        assert answer.status in (400, 403), (wrong[:50], answer)
        assert keys_of(s3, bucket) == []
    # The decoded length that was announced is not what comes.
    for decoded in (len(BODY) - 1, len(BODY) + 1):
        answer = raw.put_chunked(path, [BODY], decoded=decoded)
        assert answer.status == 400, answer
    assert keys_of(s3, bucket) == []


# Uploads in parts


def upload(s3, bucket, bodies, complete=None, **arguments):
    created = s3.create_multipart_upload(Bucket=bucket, Key="k", **arguments)
    name = arguments.get("ChecksumAlgorithm")
    parts = []
    for number, body in enumerate(bodies, 1):
        extra = {"ChecksumAlgorithm": name} if name else {}
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=created["UploadId"], PartNumber=number, Body=body, **extra)
        parts.append({"PartNumber": number, **{field: part[field] for field in part if field == "ETag" or field.startswith("ChecksumS") or field.startswith("ChecksumC")}})
    return created["UploadId"], parts


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256"])
def test_composite(s3, bucket, name):
    bodies = [os.urandom(5 * MIB), os.urandom(100)]
    upload_id, parts = upload(s3, bucket, bodies, ChecksumAlgorithm=name)
    done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": parts})
    joined = b"".join(base64.b64decode(part[f"Checksum{name}"]) for part in parts)
    expected = ALGORITHMS[name](joined) + "-2"
    assert (done[f"Checksum{name}"], done["ChecksumType"]) == (expected, "COMPOSITE")
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got[f"Checksum{name}"], got["ChecksumType"]) == (expected, "COMPOSITE")
    part = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", PartNumber=2)
    assert part["Body"].read() == bodies[1]
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    assert [one["Size"] for one in attributes["ObjectParts"]["Parts"]] == [5 * MIB, 100]
    assert [one[f"Checksum{name}"] for one in attributes["ObjectParts"]["Parts"]] == [p[f"Checksum{name}"] for p in parts]


def test_full_object(s3, bucket):
    bodies = [os.urandom(5 * MIB), os.urandom(100)]
    expected = crc32(b"".join(bodies))
    upload_id, parts = upload(s3, bucket, bodies, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    complete = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
    wrong = refused(s3.complete_multipart_upload, **complete, ChecksumCRC32=crc32(b"other"), ChecksumType="FULL_OBJECT")
    assert wrong.status == 400 and wrong.code in ("BadDigest", "InvalidRequest"), wrong
    done = s3.complete_multipart_upload(**complete, ChecksumCRC32=expected, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (expected, "FULL_OBJECT")
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == expected and got["Body"].read() == b"".join(bodies)


def test_wrong_part_checksum(s3, raw, bucket):
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    query = f"partNumber=1&uploadId={upload_id}"
    wrong = raw.call("PUT", f"/{bucket}/k", query, {"x-amz-checksum-sha256": sha256(b"other")}, BODY)
    assert wrong == ("BadDigest", 400)
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="k", UploadId=upload_id)
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=1, Body=BODY, ChecksumAlgorithm="SHA256")
    complete = {"Bucket": bucket, "Key": "k", "UploadId": upload_id}
    listed = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": sha256(b"other")}
    assert refused(s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": [listed]}) == ("InvalidPart", 400)
    del listed["ChecksumSHA256"]
    assert refused(s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": [listed]}) == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == [("upload", "k")]


def test_types_must_fit(s3, bucket):
    for name, kind in [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")]:
        answer = refused(s3.create_multipart_upload, Bucket=bucket, Key="k", ChecksumAlgorithm=name, ChecksumType=kind)
        assert answer == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == []


def test_boto3_without_checksums(bucket):
    plain = make_client(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    plain.put_object(Bucket=bucket, Key="k", Body=BODY)
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == BODY
