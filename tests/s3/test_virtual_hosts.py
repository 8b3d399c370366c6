"""Virtual-host style: the host says the bucket, and what is signed is what is sent."""

import urllib.parse

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import ACCESS_KEY, ENDPOINT, REGION, SECRET_KEY, make_client
from forms import body, fields, policy

PORT = urllib.parse.urlsplit(ENDPOINT).port
ADDRESS = urllib.parse.urlsplit(ENDPOINT).hostname
DOMAINS = ["localhost", "s3.localhost"]

_pool = urllib3.HTTPConnectionPool(ADDRESS, PORT, retries=False, timeout=30)


def send(method, host, path, data=None, headers=None):
    """Names below localhost need no resolver: the connection goes to the server's address."""
    headers = {"Host": f"{host}:{PORT}"} | (headers or {})
    return _pool.request(method, path, body=data, headers=headers, redirect=False)


def presign(domain, method, version, **params):
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{domain}:{PORT}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        config=Config(signature_version=version, s3={"addressing_style": "virtual"}),
    )
    url = urllib.parse.urlsplit(client.generate_presigned_url(method, Params=params))
    return url.hostname, f"{url.path}?{url.query}"


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_requests(s3, bucket, domain, version):
    key = "a b/é+&.txt"
    host, path = presign(domain, "put_object", version, Bucket=bucket, Key=key)
    assert host == f"{bucket}.{domain}" and not path.startswith(f"/{bucket}")
    answer = send("PUT", host, path, b"text")
    assert answer.status == 200, answer.data
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"text"
    assert send("GET", *presign(domain, "get_object", version, Bucket=bucket, Key=key)).data == b"text"
    listed = send("GET", *presign(domain, "list_objects_v2", version, Bucket=bucket)).data.decode()
    assert key in urllib.parse.unquote_plus(listed)
    deleted = send("DELETE", *presign(domain, "delete_object", version, Bucket=bucket, Key=key))
    assert deleted.status == 204


def test_a_signature_for_one_bucket_is_none_for_another(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    for version in ["s3v4", "s3"]:
        host, path = presign("localhost", "get_object", version, Bucket=bucket, Key="k")
        assert send("GET", f"other-{host}", path).status == 403
        assert send("GET", "localhost", path).status in (400, 403, 404)


def test_signed_headers(s3, raw, bucket):
    host = f"{bucket}.localhost:{PORT}"
    usual, raw.host = raw.host, host
    try:
        assert raw.call("PUT", "/folder/k", body=b"text").status == 200
        answer = raw.call("GET", "/", "list-type=2&prefix=folder/")
        assert b"<Key>folder/k</Key>" in answer.body
        assert raw.call("GET", "/folder/k").body == b"text"
        assert raw.call("GET", "/none") == ("NoSuchKey", 404)
        assert raw.call("GET", "//folder/k") == ("NoSuchKey", 404)
        done = b"<Delete><Object><Key>folder/k</Key></Object></Delete>"
        assert raw.call("POST", "/", "delete=", body=done).status == 200
    finally:
        raw.host = usual
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_hosts_that_are_no_buckets_are_path_style(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    usual = raw.host
    try:
        for host in [f"{ADDRESS}:{PORT}", f"localhost:{PORT}", f"s3.localhost:{PORT}", "storage.example.com", "[::1]:80"]:
            raw.host = host
            assert raw.call("GET", f"/{bucket}/k").body == b"text", host
    finally:
        raw.host = usual


def test_forms(s3, bucket):
    whole, kind = body(fields(policy(bucket), success_action_status=None), file=("a.txt", b"the file", "a/b"))
    answer = send("POST", f"{bucket}.localhost", "/", whole, {"Content-Type": kind})
    assert answer.status == 403  # the field is in no condition
    whole, kind = body(fields(policy(bucket)), file=("a.txt", b"the file", "a/b"))
    answer = send("POST", f"{bucket}.localhost", "/", whole, {"Content-Type": kind})
    assert answer.status == 204, answer.data
    assert answer.headers["Location"] == f"http://{bucket}.localhost:{PORT}/folder/a.txt"
    assert s3.get_object(Bucket=bucket, Key="folder/a.txt")["Body"].read() == b"the file"


def test_asking_ahead(s3, bucket):
    rules = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
    asked = {"Origin": "http://a", "Access-Control-Request-Method": "GET"}
    assert send("OPTIONS", f"{bucket}.localhost", "/k", headers=asked).status == 200
    assert send("OPTIONS", f"{bucket}x.localhost", "/k", headers=asked).status == 403


def test_names_that_no_bucket_can_have(raw):
    usual, raw.host = raw.host, f"a_b.localhost:{PORT}"
    try:
        assert raw.call("GET", "/k") == ("InvalidBucketName", 400)
    finally:
        raw.host = usual


def test_path_style_goes_on(bucket):
    client = make_client()
    client.put_object(Bucket=bucket, Key=f"{bucket}/k", Body=b"text")
    with pytest.raises(ClientError):
        client.head_object(Bucket=bucket, Key="k")
