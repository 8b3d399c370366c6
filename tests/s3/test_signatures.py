"""Who may: signatures right and wrong, presigned URLs, and the scopes of keys."""

import datetime
import hashlib
import os
import urllib.request

import pytest

from conftest import ACCESS_KEY, SECRET_KEY, keys_of, make_client, refused
from raw import EMPTY, UNSIGNED, Raw

NOW = lambda **delta: datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)


@pytest.fixture
def there(s3, bucket):
    s3.put_object(Bucket=bucket, Key="there", Body=b"there")
    return bucket


def test_unsigned_requests(raw, there):
    for method, path in [("GET", "/"), ("GET", f"/{there}"), ("GET", f"/{there}/there"), ("HEAD", f"/{there}/there"),
                         ("PUT", f"/{there}/new"), ("DELETE", f"/{there}/there"), ("PUT", "/new-bucket-unsigned")]:
        answer = raw.send(method, path)
        assert answer.status == 403, (method, path)
        assert method == "HEAD" or answer.code == "AccessDenied"


def test_wrong_keys(s3, there):
    unknown = make_client(access_key="AKIAUNKNOWN000000000")
    assert refused(unknown.list_buckets) == ("InvalidAccessKeyId", 403)
    assert refused(unknown.put_object, Bucket=there, Key="new", Body=b"x") == ("InvalidAccessKeyId", 403)
    wrong = make_client(secret_key=SECRET_KEY[::-1])
    assert refused(wrong.list_buckets) == ("SignatureDoesNotMatch", 403)
    assert refused(wrong.get_object, Bucket=there, Key="there") == ("SignatureDoesNotMatch", 403)
    assert refused(wrong.put_object, Bucket=there, Key="new", Body=b"x") == ("SignatureDoesNotMatch", 403)
    assert refused(wrong.delete_object, Bucket=there, Key="there") == ("SignatureDoesNotMatch", 403)
    assert keys_of(s3, there) == ["there"]


def test_any_change_breaks_the_signature(raw, s3, there):
    path = f"/{there}/new"
    signed = raw.sign("PUT", path, "", {"content-type": "a/b"}, hashlib.sha256(b"x").hexdigest())
    assert raw.send("PUT", f"/{there}/other", "", signed, b"x") == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, "tagging", signed, b"x") == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, "", {**signed, "content-type": "c/d"}, b"x") == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, "", {**signed, "x-amz-date": NOW(minutes=-1).strftime("%Y%m%dT%H%M%SZ")}, b"x").status == 403
    assert raw.send("PUT", path, "", {**signed, "host": "elsewhere"}, b"x") == ("SignatureDoesNotMatch", 403)
    flipped = signed["authorization"][:-1] + ("0" if signed["authorization"][-1] != "0" else "1")
    assert raw.send("PUT", path, "", {**signed, "authorization": flipped}, b"x") == ("SignatureDoesNotMatch", 403)
    assert keys_of(s3, there) == ["there"]
    assert raw.send("PUT", path, "", signed, b"x").status == 200


def test_the_body_must_be_the_one_that_was_signed(raw, s3, there):
    path = f"/{there}/new"
    for body, payload in [(b"evil", hashlib.sha256(b"good").hexdigest()), (b"", "0" * 64), (b"x" * 100_000, EMPTY)]:
        answer = raw.call("PUT", path, body=body, payload=payload)
        assert answer == ("XAmzContentSHA256Mismatch", 400), answer
    assert raw.call("PUT", path, body=b"x", payload="nonsense").status in (400, 403)
    assert keys_of(s3, there) == ["there"]
    assert raw.call("PUT", path, body=b"x", payload=UNSIGNED).status == 200


def test_headers_that_are_not_signed(raw, s3, there):
    """A header added on the way must not change what the request means."""
    path = f"/{there}/new"
    copy = {"x-amz-copy-source": f"/{there}/there"}
    assert raw.call("PUT", path, headers=copy, unsigned=["x-amz-copy-source"]) == ("AccessDenied", 403)
    meta = {"x-amz-meta-evil": "1"}
    assert raw.call("PUT", path, headers=meta, body=b"x", unsigned=["x-amz-meta-evil"]) == ("AccessDenied", 403)
    assert raw.call("PUT", path, body=b"x", unsigned=["host"]).status in (400, 403)
    query = raw.presign("PUT", path)
    assert raw.send("PUT", path, query, copy) == ("AccessDenied", 403)
    assert raw.send("PUT", path, query, meta, b"x") == ("AccessDenied", 403)
    assert keys_of(s3, there) == ["there"]


def test_skewed_clocks(raw, s3, there):
    path = f"/{there}/new"
    for minutes in (-16, 16, -60 * 24, 60 * 24 * 365):
        for call in [lambda: raw.call("PUT", path, body=b"x", now=NOW(minutes=minutes)),
                     lambda: raw.call("GET", f"/{there}/there", now=NOW(minutes=minutes)),
                     lambda: raw.call("GET", f"/{there}", "list-type=2", now=NOW(minutes=minutes))]:
            answer = call()
            assert answer == ("RequestTimeTooSkewed", 403), (minutes, answer)
    assert raw.call("GET", f"/{there}/there", now=NOW(minutes=-14)).status == 200
    assert raw.call("GET", f"/{there}/there", now=NOW(minutes=14)).status == 200
    assert keys_of(s3, there) == ["there"]


def test_broken_authorization(raw, there):
    path = f"/{there}/there"
    good = raw.sign("GET", path, payload=EMPTY)
    for text in ["", "nonsense", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x", "Basic dXNlcjpwYXNz", "Bearer x",
                 good["authorization"].replace("aws4_request", "aws5_request"),
                 good["authorization"].replace("/s3/", "/sts/"),
                 good["authorization"].replace("Signature=", "Autograph="),
                 good["authorization"][:-10]]:
        answer = raw.send("GET", path, "", {**good, "authorization": text})
        assert answer.status in (400, 403), (text, answer)
        assert answer.body != b"there"
    for missing in ["x-amz-date", "x-amz-content-sha256"]:
        headers = {name: value for name, value in good.items() if name != missing}
        assert raw.send("GET", path, "", headers).status in (400, 403)


def test_signature_version_2_is_refused_in_a_header(raw, there):
    import base64
    import hmac

    date = NOW().strftime("%a, %d %b %Y %H:%M:%S GMT")
    text = f"GET\n\n\n{date}\n/{there}/there"
    signature = base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()
    headers = {"date": date, "authorization": f"AWS {ACCESS_KEY}:{signature}"}
    assert raw.send("GET", f"/{there}/there", "", headers) == ("InvalidRequest", 400)
    answer = raw.send("GET", f"/{there}/there", "", {"x-amz-date": date, **headers})
    assert answer == ("InvalidRequest", 400)


def test_other_regions_are_welcome(there):
    """A signature may name any region: there is only one here."""
    from conftest import ENDPOINT

    for region in ["eu-central-1", "garage", "auto"]:
        raw = Raw(ENDPOINT, ACCESS_KEY, SECRET_KEY, region)
        assert raw.call("GET", f"/{there}/there").body == b"there"


@pytest.mark.parametrize("key", ["plain", "sp ace+plus", "a=b&c;d,e", "ü/日本語", "a//b", "star*~!'()", "100%25", "a:b@c$"])
def test_keys_in_signatures(raw, s3, bucket, key):
    import urllib.parse

    for safe in ["/-_.~", "/-_.~!*'()"]:
        path = "/" + urllib.parse.quote(f"{bucket}/{key}", safe=safe)
        canonical = "/" + urllib.parse.quote(f"{bucket}/{key}", safe="/-_.~")
        signed = raw.sign("PUT", canonical, "", {}, UNSIGNED)
        assert raw.send("PUT", path, "", signed, b"x").status == 200, path
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"


# Presigned URLs


def fetch(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture
def v4():
    """boto3 presigns with Signature Version 2 unless it is told otherwise: see test_presigned_v2.py."""
    return make_client(signature_version="s3v4")


def test_presigned_by_boto3(s3, v4, there):
    url = v4.generate_presigned_url("get_object", {"Bucket": there, "Key": "there"}, ExpiresIn=60)
    assert fetch(url) == (200, b"there")
    url = v4.generate_presigned_url("put_object", {"Bucket": there, "Key": "sp ace/ü"}, ExpiresIn=60)
    assert fetch(url, "PUT", b"new")[0] == 200
    assert s3.get_object(Bucket=there, Key="sp ace/ü")["Body"].read() == b"new"
    url = v4.generate_presigned_url("delete_object", {"Bucket": there, "Key": "sp ace/ü"}, ExpiresIn=60)
    assert fetch(url, "DELETE")[0] == 204
    url = v4.generate_presigned_url("head_object", {"Bucket": there, "Key": "there"}, ExpiresIn=60)
    assert fetch(url, "HEAD")[0] == 200
    url = v4.generate_presigned_url("list_objects_v2", {"Bucket": there}, ExpiresIn=60)
    assert b"<Key>there</Key>" in fetch(url)[1]
    overrides = {"Bucket": there, "Key": "there", "ResponseContentType": "text/html"}
    url = v4.generate_presigned_url("get_object", overrides, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["content-type"] == "text/html"


def test_presigned_parts(s3, v4, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload, "PartNumber": 1}
    assert fetch(v4.generate_presigned_url("upload_part", part, ExpiresIn=60), "PUT", b"part")[0] == 200
    assert s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"][0]["Size"] == 4


def test_presigned_for_one_thing_is_for_nothing_else(raw, s3, there):
    path = f"/{there}/there"
    query = raw.presign("GET", path)
    assert raw.send("GET", path, query).body == b"there"
    assert raw.send("GET", f"/{there}/other", query) == ("SignatureDoesNotMatch", 403)
    assert raw.send("DELETE", path, query) == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, query, body=b"x") == ("SignatureDoesNotMatch", 403)
    assert raw.send("GET", path, query + "&versionId=null") == ("SignatureDoesNotMatch", 403)
    assert raw.send("GET", path, query[:-1] + ("0" if query[-1] != "0" else "1")) == ("SignatureDoesNotMatch", 403)
    assert keys_of(s3, there) == ["there"]


def test_expired(raw, s3, there):
    path = f"/{there}/there"
    query = raw.presign("GET", path, expires=60, now=NOW(seconds=-62))
    answer = raw.send("GET", path, query)
    assert answer == ("AccessDenied", 403) and b"expired" in answer.body
    query = raw.presign("PUT", f"/{there}/new", expires=1, now=NOW(seconds=-5))
    assert raw.send("PUT", f"/{there}/new", query, body=b"x") == ("AccessDenied", 403)
    assert raw.send("GET", path, raw.presign("GET", path, expires=604800, now=NOW(days=-6))).status == 200
    assert raw.send("GET", path, raw.presign("GET", path, expires=604801)) == ("AuthorizationQueryParametersError", 400)
    assert raw.send("GET", path, raw.presign("GET", path, expires=-1)) == ("AuthorizationQueryParametersError", 400)
    assert raw.send("GET", path, raw.presign("GET", path, expires="soon")) == ("AuthorizationQueryParametersError", 400)
    assert raw.send("GET", path, raw.presign("GET", path, now=NOW(minutes=20))) == ("RequestTimeTooSkewed", 403)
    query = raw.presign("GET", path).replace("X-Amz-Expires=60&", "")
    assert raw.send("GET", path, query) == ("AuthorizationQueryParametersError", 400)
    assert keys_of(s3, there) == ["there"]


def test_two_signatures_at_once(raw, there):
    path = f"/{there}/there"
    query = raw.presign("GET", path)
    assert raw.call("GET", path, query) == ("InvalidArgument", 400)


def test_presigned_with_a_signed_header(raw, s3, bucket):
    path = f"/{bucket}/k"
    query = raw.presign("PUT", path, headers={"content-type": "a/b", "x-amz-meta-m": "1"})
    assert raw.send("PUT", path, query, {"content-type": "c/d", "x-amz-meta-m": "1"}, b"x") == ("SignatureDoesNotMatch", 403)
    assert raw.send("PUT", path, query, {"content-type": "a/b", "x-amz-meta-m": "1"}, b"x").status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["Metadata"]) == ("a/b", {"m": "1"})


# Scopes: whoever runs the tests may give the keys `NAME=ACCESS:SECRET`.


def scoped(name):
    if name not in os.environ:
        pytest.skip(f"{name} is not given")
    return make_client(*os.environ[name].split(":", 1))


def test_a_key_that_only_reads(s3, there):
    reader = scoped("STEAD_READER")
    assert reader.get_object(Bucket=there, Key="there")["Body"].read() == b"there"
    assert reader.list_objects_v2(Bucket=there)["KeyCount"] == 1
    for call, arguments in [
        (reader.put_object, {"Key": "new", "Body": b"x"}),
        (reader.delete_object, {"Key": "there"}),
        (reader.copy_object, {"Key": "new", "CopySource": {"Bucket": there, "Key": "there"}}),
        (reader.create_multipart_upload, {"Key": "new"}),
        (reader.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}}),
        (reader.delete_bucket, {}),
    ]:
        assert refused(call, Bucket=there, **arguments) == ("AccessDenied", 403), call
    many = reader.delete_objects(Bucket=there, Delete={"Objects": [{"Key": "there"}]})
    assert [error["Code"] for error in many["Errors"]] == ["AccessDenied"] and "Deleted" not in many
    assert refused(reader.create_bucket, Bucket="new-bucket-by-reader") == ("AccessDenied", 403)
    assert keys_of(s3, there) == ["there"]


def test_a_key_for_one_bucket(s3, there):
    """STEAD_SCOPED may only touch `scoped-bucket`."""
    one = scoped("STEAD_SCOPED")
    try:
        s3.create_bucket(Bucket="scoped-bucket")
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    one.put_object(Bucket="scoped-bucket", Key="k", Body=b"x")
    assert [bucket["Name"] for bucket in one.list_buckets()["Buckets"]] == ["scoped-bucket"]
    secret = {"Bucket": there, "Key": "there"}
    assert refused(one.get_object, **secret) == ("AccessDenied", 403)
    assert refused(one.list_objects_v2, Bucket=there) == ("AccessDenied", 403)
    assert refused(one.copy_object, Bucket="scoped-bucket", Key="stolen", CopySource=secret) == ("AccessDenied", 403)
    upload = one.create_multipart_upload(Bucket="scoped-bucket", Key="m")["UploadId"]
    steal = {"Bucket": "scoped-bucket", "Key": "m", "UploadId": upload, "PartNumber": 1, "CopySource": secret}
    assert refused(one.upload_part_copy, **steal) == ("AccessDenied", 403)
    one.abort_multipart_upload(Bucket="scoped-bucket", Key="m", UploadId=upload)
    assert refused(one.create_bucket, Bucket="another-bucket-here") == ("AccessDenied", 403)
    one.delete_object(Bucket="scoped-bucket", Key="k")
    assert refused(one.delete_bucket, Bucket="scoped-bucket") == ("AccessDenied", 403)
    s3.delete_bucket(Bucket="scoped-bucket")


def changed(operation, headers, when="before-send"):
    """A client that changes an operation's headers before or after it has signed them."""
    def change(request=None, params=None, **_):
        found = params["headers"] if params else request.headers
        for name, value in headers.items():
            if name in found:
                del found[name]
            if value is not None:
                found[name] = value
    client = make_client()
    client.meta.events.register(f"{when}.s3.{operation}", change)
    return client


@pytest.mark.parametrize(
    "headers, code",
    [
        ({"Authorization": ""}, "AccessDenied"),
        ({"Authorization": None}, "AccessDenied"),
        ({"X-Amz-Date": ""}, "AccessDenied"),
        ({"X-Amz-Date": None}, "AccessDenied"),
        ({"X-Amz-Date": "Bad Date"}, "AccessDenied"),
        ({"X-Amz-Date": "20100707T215304Z"}, "RequestTimeTooSkewed"),
        ({"X-Amz-Date": "20500707T215304Z"}, "RequestTimeTooSkewed"),
        ({"X-Amz-Date": "99990707T215304Z"}, "RequestTimeTooSkewed"),
    ],
)
def test_what_is_missing_is_named(s3, bucket, headers, code):
    assert refused(changed("PutObject", headers).put_object, Bucket=bucket, Key="k", Body=b"x") == (code, 403)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("date", ["", "Bad Date", "Wed, 07 Jul 2010 21:53:04 GMT"])
def test_a_date_beside_the_signed_one_says_nothing(s3, bucket, date):
    changed("PutObject", {"Date": date}).put_object(Bucket=bucket, Key="k", Body=b"x")
    assert keys_of(s3, bucket) == ["k"]


def test_a_request_signed_with_its_date(s3, bucket):
    """Where there is a `Date`, botocore signs that and sends no `x-amz-date`."""
    def date(params, **_):
        params["headers"]["Date"] = "any: it becomes the time of signing"
    client = make_client()
    client.meta.events.register("before-call.s3.PutObject", date)
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert keys_of(s3, bucket) == ["k"]
