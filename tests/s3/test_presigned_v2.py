"""Presigned URLs of Signature Version 2: what boto3 makes where nothing else is configured."""

import base64
import datetime
import hashlib
import hmac
import time
import urllib.parse

import pytest

from conftest import ACCESS_KEY, SECRET_KEY, keys_of, make_client
from raw import crc32

WEEK = 7 * 24 * 3600


@pytest.fixture
def there(s3, bucket):
    s3.put_object(Bucket=bucket, Key="there", Body=b"there")
    return bucket


def url_of(client, operation, expires=60, **arguments):
    url = client.generate_presigned_url(operation, arguments, ExpiresIn=expires)
    assert "&Signature=" in url and "X-Amz-Signature" not in url
    return url


def send(raw, method, url, body=b"", headers=None):
    """Nothing but what is given: urllib would add a Content-Type."""
    url = urllib.parse.urlsplit(url)
    return raw.send(method, url.path, url.query, headers, body)


def signed(text, expires=None):
    """A query signed by hand; `text` is what stands before the expiry, and what behind it."""
    expires = str(int(time.time()) + 60) if expires is None else str(expires)
    before, behind = text
    digest = hmac.new(SECRET_KEY.encode(), f"{before}{expires}\n{behind}".encode(), hashlib.sha1).digest()
    fields = {"AWSAccessKeyId": ACCESS_KEY, "Expires": expires, "Signature": base64.b64encode(digest).decode()}
    return urllib.parse.urlencode(fields)


def get_query(bucket, key="there", expires=None):
    path = f"/{bucket}/{key}"
    return signed(("GET\n\n\n", path), expires)


def test_by_boto3(raw, s3, there):
    assert send(raw, "GET", url_of(s3, "get_object", Bucket=there, Key="there")).body == b"there"
    key = "sp ace+/ü(1)~&=*'!"
    assert send(raw, "PUT", url_of(s3, "put_object", Bucket=there, Key=key), b"new").status == 200
    assert s3.get_object(Bucket=there, Key=key)["Body"].read() == b"new"
    head = send(raw, "HEAD", url_of(s3, "head_object", Bucket=there, Key=key))
    assert (head.status, head.headers["content-length"]) == (200, "3")
    assert send(raw, "GET", url_of(s3, "get_object", Bucket=there, Key=key)).body == b"new"
    assert send(raw, "DELETE", url_of(s3, "delete_object", Bucket=there, Key=key)).status == 204
    assert keys_of(s3, there) == ["there"]
    ranged = send(raw, "GET", url_of(s3, "get_object", Bucket=there, Key="there"), headers={"range": "bytes=1-2"})
    assert (ranged.status, ranged.body) == (206, b"he")


def test_buckets_and_documents(raw, s3, there):
    assert there.encode() in send(raw, "GET", url_of(s3, "list_buckets")).body
    listing = send(raw, "GET", url_of(s3, "list_objects_v2", Bucket=there, Prefix="th"))
    assert b"<Key>there</Key>" in listing.body
    assert send(raw, "HEAD", url_of(s3, "head_bucket", Bucket=there)).status == 200
    assert b"VersioningConfiguration" in send(raw, "GET", url_of(s3, "get_bucket_versioning", Bucket=there)).body
    assert b"Tagging" in send(raw, "GET", url_of(s3, "get_object_tagging", Bucket=there, Key="there")).body
    attributes = url_of(s3, "get_object_attributes", Bucket=there, Key="there", ObjectAttributes=["ObjectSize"])
    assert b"<ObjectSize>5</ObjectSize>" in send(raw, "GET", attributes).body
    for path in [f"/{there}", f"/{there}/"]:  # as it is sent; boto3 signs a slash that it does not send
        assert raw.send("GET", path, signed(("GET\n\n\n", path))).status == 200
    assert raw.send("GET", f"/{there}/", signed(("GET\n\n\n", f"/{there}"))) == ("SignatureDoesNotMatch", 403)
    new = there + "-v2"
    assert send(raw, "PUT", url_of(s3, "create_bucket", Bucket=new)).status == 200
    assert send(raw, "DELETE", url_of(s3, "delete_bucket", Bucket=new)).status == 204


def test_content_type(raw, s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    url = url_of(s3, "put_object", **where, ContentType="image/png")
    for sent in [{"content-type": "image/png"}, {}, {"content-type": "application/x-www-form-urlencoded"}]:
        assert send(raw, "PUT", url, b"x", sent).status == 200, sent  # it is the URL's that counts
        assert s3.head_object(**where)["ContentType"] == "image/png"
    other = url.replace("image%2Fpng", "text%2Fhtml")
    assert send(raw, "PUT", other, b"evil") == ("SignatureDoesNotMatch", 403)
    without = url.replace("content-type=image%2Fpng&", "")
    assert send(raw, "PUT", without, b"evil") == ("SignatureDoesNotMatch", 403)
    assert send(raw, "PUT", without, b"y", {"content-type": "image/png"}).status == 200
    plain = url_of(s3, "put_object", **where)
    assert send(raw, "PUT", plain, b"evil", {"content-type": "text/html"}) == ("SignatureDoesNotMatch", 403)
    assert s3.get_object(**where)["Body"].read() == b"y"


def test_metadata_and_tags(raw, s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    url = url_of(s3, "put_object", **where, Metadata={"m": "1 2"}, Tagging="t=1")
    assert send(raw, "PUT", url, b"x", {"x-amz-meta-m": "ignored"}).status == 200
    head = s3.head_object(**where)
    assert head["Metadata"] == {"m": "1 2"}
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert send(raw, "PUT", url.replace("1%202", "3"), b"x") == ("SignatureDoesNotMatch", 403)
    assert send(raw, "PUT", url, b"x", {"x-amz-meta-n": "1"}) == ("SignatureDoesNotMatch", 403)


def test_copies_and_parts(raw, s3, there):
    url = url_of(s3, "copy_object", Bucket=there, Key="copy", CopySource={"Bucket": there, "Key": "there"})
    assert send(raw, "PUT", url).status == 200
    assert s3.get_object(Bucket=there, Key="copy")["Body"].read() == b"there"
    started = send(raw, "POST", url_of(s3, "create_multipart_upload", Bucket=there, Key="m"))
    upload = started.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    part = {"Bucket": there, "Key": "m", "UploadId": upload, "PartNumber": 1}
    url = url_of(s3, "upload_part", **part)
    assert send(raw, "PUT", url.replace("partNumber=1", "partNumber=2"), b"x") == ("SignatureDoesNotMatch", 403)
    etag = send(raw, "PUT", url, b"part").headers["etag"]
    done = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    url = url_of(s3, "complete_multipart_upload", Bucket=there, Key="m", UploadId=upload)
    assert send(raw, "POST", url, done.encode()).status == 200
    assert s3.get_object(Bucket=there, Key="m")["Body"].read() == b"part"


def test_versions_and_overrides(raw, s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    overrides = {"ResponseContentType": "text/html; charset=utf-8",
                 "ResponseContentDisposition": 'attachment; filename="ü & a+b.txt"'}
    url = url_of(s3, "get_object", Bucket=versioned, Key="k", VersionId=first, **overrides)
    answer = send(raw, "GET", url)
    assert (answer.body, answer.headers["content-type"]) == (b"1", "text/html; charset=utf-8")
    for tampered in [url.replace(first, second), url.replace(f"versionId={first}&", ""), url.replace("html", "evil"),
                     url.replace("&AWSAccessKeyId", "&response-expires=0&AWSAccessKeyId")]:
        assert tampered != url
        assert send(raw, "GET", tampered) == ("SignatureDoesNotMatch", 403), tampered
    url = url_of(s3, "delete_object", Bucket=versioned, Key="k", VersionId=first)
    assert send(raw, "DELETE", url.replace(first, second)) == ("SignatureDoesNotMatch", 403)
    assert send(raw, "DELETE", url).status == 204


def test_for_one_thing_is_for_nothing_else(raw, s3, there):
    path = f"/{there}/there"
    query = get_query(there)
    assert raw.send("GET", path, query).body == b"there"
    for method, path_, query_ in [("GET", f"/{there}/other", query), ("GET", f"/{there}/ther%65", query),
                                  ("DELETE", path, query), ("PUT", path, query), ("GET", path, query + "&acl"),
                                  ("GET", path, query + "&tagging"), ("GET", path, query + "&versionId=null"),
                                  ("GET", path, query + "&torrent"), ("GET", path, query + "&partNumber=1"),
                                  ("GET", path, "uploadId=x&" + query), ("GET", path, query.replace("Signature=", "Signature=A"))]:
        assert raw.send(method, path_, query_, body=b"x") == ("SignatureDoesNotMatch", 403), (method, path_, query_)
    assert raw.send("HEAD", path, query).status == 403
    for name in ["retention", "legal-hold", "novelty", "encryption"]:
        assert raw.send("GET", path, f"{query}&{name}") == ("AccessDenied", 403), name
    assert raw.send("GET", f"/{there}", query) == ("SignatureDoesNotMatch", 403)
    assert keys_of(s3, there) == ["there"]


def test_wrong_keys(raw, s3, there):
    unknown = make_client(access_key="AKIAUNKNOWN000000000")
    assert send(raw, "GET", url_of(unknown, "get_object", Bucket=there, Key="there")) == ("InvalidAccessKeyId", 403)
    wrong = make_client(secret_key=SECRET_KEY[::-1])
    assert send(raw, "GET", url_of(wrong, "get_object", Bucket=there, Key="there")) == ("SignatureDoesNotMatch", 403)
    assert send(raw, "PUT", url_of(wrong, "put_object", Bucket=there, Key="new"), b"x") == ("SignatureDoesNotMatch", 403)
    assert keys_of(s3, there) == ["there"]


def test_expiry(raw, s3, there):
    path = f"/{there}/there"
    now = int(time.time())
    answer = raw.send("GET", path, get_query(there, expires=now - 2))
    assert answer == ("AccessDenied", 403) and b"Request has expired" in answer.body
    assert send(raw, "PUT", url_of(s3, "put_object", -5, Bucket=there, Key="new"), b"x") == ("AccessDenied", 403)
    longer = get_query(there, expires=now - 2).replace(f"Expires={now - 2}", f"Expires={now + 60}")
    assert raw.send("GET", path, longer) == ("SignatureDoesNotMatch", 403)
    assert send(raw, "GET", url_of(s3, "get_object", WEEK, Bucket=there, Key="there")).body == b"there"
    for far in [now + WEEK + 3600, now + 10 * 365 * 86400, 2**63, 10**30]:
        assert raw.send("GET", path, get_query(there, expires=far)) == ("AuthorizationQueryParametersError", 400), far
    for text in ["soon", "-1", "1.5", "+99999999999"]:
        assert raw.send("GET", path, get_query(there, expires=text)) == ("AccessDenied", 403), text
    assert keys_of(s3, there) == ["there"]


def test_malformed(raw, there):
    path = f"/{there}/there"
    query = get_query(there)
    pairs = query.split("&")
    for missing in pairs:
        answer = raw.send("GET", path, "&".join(pair for pair in pairs if pair != missing))
        assert answer == ("AccessDenied", 403), missing
    for twice in pairs:
        assert raw.send("GET", path, f"{query}&{twice}") == ("InvalidArgument", 400), twice
    assert raw.send("GET", path, query + "&versionId=1&versionId=2") == ("InvalidArgument", 400)
    assert raw.send("GET", path, query.replace("Signature=", "Signature=%FF")) == ("SignatureDoesNotMatch", 403)
    assert raw.send("GET", path, query.replace("Signature", "%53ignature")).body == b"there"


def test_two_signatures_at_once(raw, there):
    path = f"/{there}/there"
    query = get_query(there)
    assert raw.call("GET", path, query) == ("InvalidArgument", 400)
    both = raw.presign("GET", path, query=query)
    assert raw.send("GET", path, both) == ("InvalidArgument", 400)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"date": date, "authorization": f"AWS {ACCESS_KEY}:x"}
    assert raw.send("GET", path, query, headers) == ("InvalidRequest", 400)


def test_a_signature_for_a_header_is_none_for_the_query(raw, there):
    """The texts are alike; a date is no expiry."""
    path = f"/{there}/there"
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    query = signed(("GET\n\n\n", path), date)
    assert raw.send("GET", path, query) == ("AccessDenied", 403)


def test_bodies(raw, s3, bucket):
    """What the body is said to be is checked as ever; what only Version 4 has is refused."""
    url = url_of(s3, "put_object", Bucket=bucket, Key="k")
    chunked = b"4\r\nbody\r\n0\r\n\r\n"
    assert send(raw, "PUT", url, chunked, {"content-encoding": "aws-chunked"}) == ("InvalidRequest", 400)
    path = f"/{bucket}/k"
    for name, value in [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                        ("x-amz-content-sha256", hashlib.sha256(b"other").hexdigest()),
                        ("x-amz-decoded-content-length", "4"), ("x-amz-trailer", "x-amz-checksum-crc32")]:
        query = signed(("PUT\n\n\n", f"{name}:{value}\n{path}"))
        assert raw.send("PUT", path, query, {name: value}, chunked) == ("InvalidRequest", 400), name
    for value, expected in [(crc32(b"other"), 400), (crc32(b"body"), 200)]:
        query = signed(("PUT\n\n\n", f"x-amz-checksum-crc32:{value}\n{path}"))
        assert raw.send("PUT", path, query, {"x-amz-checksum-crc32": value}, b"body").status == expected
    md5 = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    query = signed((f"PUT\n{md5}\n\n", path))
    assert raw.send("PUT", path, query, {"content-md5": md5}, b"evil") == ("BadDigest", 400)
    assert raw.send("PUT", path, query, {}, b"body") == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, query, {"content-md5": md5}, b"body").status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"


def test_scopes_hold(raw, there):
    import os

    if "STEAD_READER" not in os.environ:
        pytest.skip("STEAD_READER is not given")
    reader = make_client(*os.environ["STEAD_READER"].split(":", 1))
    assert send(raw, "GET", url_of(reader, "get_object", Bucket=there, Key="there")).body == b"there"
    assert send(raw, "PUT", url_of(reader, "put_object", Bucket=there, Key="new"), b"x") == ("AccessDenied", 403)
    assert send(raw, "DELETE", url_of(reader, "delete_object", Bucket=there, Key="there")) == ("AccessDenied", 403)
