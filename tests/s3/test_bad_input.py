"""What no honest client sends: each gets a clear error, and nothing is stored."""

import concurrent.futures
import os
import socket
import time

import pytest

from conftest import keys_of, refused
from raw import UNSIGNED, md5


def test_keys_that_are_too_long(raw, s3, bucket):
    assert raw.call("PUT", f"/{bucket}/{'k' * 1025}", body=b"x") == ("KeyTooLongError", 400)
    assert raw.call("PUT", f"/{bucket}/{'%C3%A9' * 513}", body=b"x") == ("KeyTooLongError", 400)
    assert raw.call("POST", f"/{bucket}/{'k' * 1025}", "uploads") == ("KeyTooLongError", 400)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("key", ["%ff", "a%C3b", "%80/k", "a%ED%A0%80"])
def test_keys_that_are_not_utf8(raw, s3, bucket, key):
    assert raw.call("PUT", f"/{bucket}/{key}", body=b"x") == ("InvalidURI", 400)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("key", ["..", "../k", "a/../../k", "a/..", "a/../b", "%2e%2e/k", "a/%2e%2e/%2e%2e/%2e%2e/etc/passwd"])
def test_keys_that_climb(raw, s3, bucket, key):
    answer = raw.call("PUT", f"/{bucket}/{key}", body=b"x")
    assert answer == ("InvalidURI", 400), answer
    assert raw.call("POST", f"/{bucket}/{key}", "uploads") == ("InvalidURI", 400)
    assert keys_of(s3, bucket) == []


def test_a_nul_in_a_key(raw, s3, bucket):
    assert raw.call("PUT", f"/{bucket}/a%00b", body=b"x").status == 400
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("payload", [UNSIGNED, None])
@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
def test_short_bodies(raw, s3, bucket, size, payload):
    """Fewer bytes than announced, and then the end."""
    import hashlib

    body = os.urandom(size)
    path = f"/{bucket}/k"
    signed = raw.sign("PUT", path, "", {}, payload or hashlib.sha256(body).hexdigest())
    raw.cut_short("PUT", path, {**signed, "content-length": str(size)}, body[: size // 2])
    raw.cut_short("PUT", path, {**signed, "content-length": str(size)}, b"")
    time.sleep(0.2)
    assert keys_of(s3, bucket) == []


def test_short_chunked_bodies(raw, s3, bucket):
    path = f"/{bucket}/k"
    headers, body = raw.chunked(path, [os.urandom(70_000), os.urandom(70_000)])
    for cut in (0, 50, 70_000, 70_100, 141_000, len(body) - 1):
        if cut >= len(body) - 100:
            continue
        raw.cut_short("PUT", path, {**headers, "content-length": str(len(body))}, body[:cut])
    time.sleep(0.2)
    assert keys_of(s3, bucket) == []


def test_no_length(raw, s3, bucket):
    path = f"/{bucket}/k"
    signed = raw.sign("PUT", path)
    answer = raw.send("PUT", path, "", {**signed, "transfer-encoding": "chunked"}, b"1\r\nx\r\n0\r\n\r\n")
    assert answer == ("MissingContentLength", 411), answer
    assert keys_of(s3, bucket) == []


def test_a_length_that_is_too_large(raw, s3, bucket):
    path = f"/{bucket}/k"
    signed = raw.sign("PUT", path)
    answer = raw.send("PUT", path, "", {**signed, "content-length": str((5 << 30) + 1)}, b"")
    assert answer == ("EntityTooLarge", 400), answer
    assert keys_of(s3, bucket) == []


def test_oversized_headers(raw, s3, bucket):
    path = f"/{bucket}/k"
    signed = raw.sign("PUT", path, "", {"x-amz-meta-a": "v" * 200_000})
    try:
        answer = raw.send("PUT", path, "", signed, b"x")
        assert answer.status in (400, 431), answer
    except (ConnectionError, BrokenPipeError):
        pass  # cut off while it was still sending
    many = {f"x-header-{number}": "v" for number in range(5000)}
    try:
        assert raw.send("PUT", path, "", {**raw.sign("PUT", path), **many}, b"x").status in (400, 431)
    except (ConnectionError, BrokenPipeError):
        pass
    assert keys_of(s3, bucket) == []


def test_nonsense_on_the_wire(raw, s3, bucket):
    for line in [b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n", b"\r\n" * 10,
                 b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"PUT /%s/k HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n" % bucket.encode(),
                 b"PUT /%s/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx" % bucket.encode()]:
        with socket.create_connection((raw.name, raw.port), timeout=10) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            assert not answer.startswith(b"HTTP/1.1 2"), (line, answer)
    assert s3.head_bucket(Bucket=bucket)
    assert keys_of(s3, bucket) == []


def test_documents_with_bombs(raw, s3, bucket):
    """No entity is ever expanded."""
    bomb = b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    for body in [bomb + b"<VersioningConfiguration><Status>&b;</Status></VersioningConfiguration>",
                 b"<a>" * 100_000, b"<Tagging><TagSet>" + b"<Tag>" * 10_000]:
        query = "versioning" if b"Versioning" in body else "tagging"
        assert raw.call("PUT", f"/{bucket}", query, body=body) == ("MalformedXML", 400)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_metadata_that_is_not_utf8(raw, s3, bucket):
    path = f"/{bucket}/k"
    signed = raw.sign("PUT", path, "", {"x-amz-meta-a": "ÿ"})
    # http.client sends latin-1: a lone 0xFF.
    answer = raw.send("PUT", path, "", signed, b"x")
    assert answer.status in (400, 403), answer
    assert keys_of(s3, bucket) == []


def test_wrong_md5_of_a_large_body(s3, raw, bucket):
    body = os.urandom(3 << 20)
    answer = raw.call("PUT", f"/{bucket}/k", headers={"content-md5": md5(body[:-1])}, body=body)
    assert answer == ("BadDigest", 400)
    assert keys_of(s3, bucket) == []


def test_an_upload_that_is_broken_off_leaves_the_old_object(raw, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    body = os.urandom(2 << 20)
    signed = raw.sign("PUT", f"/{bucket}/k")
    raw.cut_short("PUT", f"/{bucket}/k", {**signed, "content-length": str(len(body))}, body[: 1 << 20])
    time.sleep(0.2)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"


def test_a_get_that_is_broken_off_harms_nobody(raw, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=os.urandom(8 << 20))

    def break_off(_):
        signed = raw.sign("GET", f"/{bucket}/k")
        with socket.create_connection((raw.name, raw.port), timeout=10) as connection:
            head = f"GET /{bucket}/k HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in signed.items()) + "\r\n"
            connection.sendall(head.encode())
            connection.recv(1000)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(break_off, range(32)))
    assert len(s3.get_object(Bucket=bucket, Key="k")["Body"].read()) == 8 << 20


def test_errors_are_documents(raw, bucket):
    answer = raw.call("GET", f"/{bucket}/no%20key")
    assert answer == ("NoSuchKey", 404)
    assert answer.headers["content-type"] == "application/xml"
    for part in [b"<?xml", b"<Message>The specified key does not exist.</Message>", f"<Resource>/{bucket}/no%20key</Resource>".encode(),
                 f"<RequestId>{answer.headers['x-amz-request-id']}</RequestId>".encode(), b"<HostId>"]:
        assert part in answer.body, answer.body
    assert answer.headers["x-stead-code"].startswith("STEAD-")
    head = raw.call("HEAD", f"/{bucket}/no%20key")
    assert (head.status, head.body) == (404, b"")
