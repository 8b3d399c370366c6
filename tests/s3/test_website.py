"""Static websites, after "Hosting a static website using Amazon S3" of the user guide."""

import json
import urllib.parse
import uuid

import pytest
import urllib3
from botocore.exceptions import ClientError

from conftest import ENDPOINT, refused

PORT = urllib.parse.urlsplit(ENDPOINT).port
ADDRESS = urllib.parse.urlsplit(ENDPOINT).hostname

_pool = urllib3.HTTPConnectionPool(ADDRESS, PORT, retries=False, timeout=30)


def visit(bucket, path, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    host = {"Host": f"{bucket}.s3-website.localhost:{PORT}"}
    return _pool.request(method, path, headers=host | headers, redirect=False)


def configure(s3, bucket, **more):
    document = {"IndexDocument": {"Suffix": "index.html"}} | more
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=document)
    return document


def put(s3, bucket, key, text, **more):
    s3.put_object(Bucket=bucket, Key=key, Body=text, ContentType="text/html", **more)


@pytest.fixture
def site(s3, bucket):
    """A bucket that everybody may read and list."""
    everybody = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
            {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        ],
    }
    try:
        s3.delete_public_access_block(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(everybody))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotImplemented":
            pytest.skip("needs bucket policies")
        raise
    for key in ["index.html", "docs/index.html", "docs/page.html", "lost.html"]:
        put(s3, bucket, key, f"<h1>{key}</h1>")
    return bucket


# The configuration


def test_what_is_kept(s3, bucket):
    assert refused(s3.get_bucket_website, Bucket=bucket) == ("NoSuchWebsiteConfiguration", 404)
    rules = [
        {
            "Condition": {"KeyPrefixEquals": "docs/", "HttpErrorCodeReturnedEquals": "404"},
            "Redirect": {"HostName": "a", "Protocol": "https", "ReplaceKeyPrefixWith": "d/", "HttpRedirectCode": "302"},
        },
        {"Redirect": {"ReplaceKeyWith": "x"}},
    ]
    document = configure(s3, bucket, ErrorDocument={"Key": "lost.html"}, RoutingRules=rules)
    found = s3.get_bucket_website(Bucket=bucket)
    del found["ResponseMetadata"]
    assert found == document
    elsewhere = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=elsewhere)
    found = s3.get_bucket_website(Bucket=bucket)
    del found["ResponseMetadata"]
    assert found == elsewhere
    assert s3.delete_bucket_website(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(s3.get_bucket_website, Bucket=bucket) == ("NoSuchWebsiteConfiguration", 404)


def routed(condition=None, **redirect):
    rule = {"Redirect": redirect} | ({"Condition": condition} if condition is not None else {})
    return {"IndexDocument": {"Suffix": "i"}, "RoutingRules": [rule]}


@pytest.mark.parametrize(
    "document, code",
    [
        ({}, "InvalidArgument"),
        ({"ErrorDocument": {"Key": "e"}}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": "a/i"}}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": ""}}, "InvalidArgument"),
        ({"RedirectAllRequestsTo": {"HostName": "a"}, "IndexDocument": {"Suffix": "i"}}, "InvalidRequest"),
        ({"RedirectAllRequestsTo": {"HostName": "a", "Protocol": "ftp"}}, "InvalidRequest"),
        (routed(ReplaceKeyWith="a", ReplaceKeyPrefixWith="b"), "InvalidRequest"),
        (routed(HostName="a", HttpRedirectCode="200"), "InvalidRequest"),
        (routed({"HttpErrorCodeReturnedEquals": "302"}, HostName="a"), "InvalidRequest"),
        (routed({}, HostName="a"), "InvalidRequest"),
    ],
)
def test_sites_that_are_none(s3, bucket, document, code):
    assert refused(s3.put_bucket_website, Bucket=bucket, WebsiteConfiguration=document) == (code, 400)
    assert refused(s3.get_bucket_website, Bucket=bucket) == ("NoSuchWebsiteConfiguration", 404)


# Visits


def test_buckets_that_are_no_sites(bucket):
    answer = visit(bucket, "/")
    assert answer.status == 404 and b"NoSuchWebsiteConfiguration" in answer.data
    assert answer.headers["Content-Type"].startswith("text/html")
    answer = visit(f"nowhere-{uuid.uuid4().hex[:8]}", "/")
    assert answer.status == 404 and b"NoSuchBucket" in answer.data


def test_what_is_private_stays_so(s3, bucket):
    configure(s3, bucket)
    put(s3, bucket, "index.html", "secret")
    for path in ["/", "/index.html", "/none"]:
        answer = visit(bucket, path)
        assert answer.status == 403 and b"AccessDenied" in answer.data and b"secret" not in answer.data
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "index.html"})
    assert visit(bucket, "/index.html?" + url.partition("?")[2]).status == 403


def test_documents(s3, site):
    configure(s3, site)
    for path, key in [("/", "index.html"), ("/docs/", "docs/index.html"), ("/docs/page.html?a=b", "docs/page.html")]:
        answer = visit(site, path)
        assert (answer.status, answer.data.decode()) == (200, f"<h1>{key}</h1>")
        assert answer.headers["Content-Type"] == "text/html"
    head = visit(site, "/", method="HEAD")
    assert head.status == 200 and head.data == b""
    part = visit(site, "/", Range="bytes=0-3")
    assert (part.status, part.data) == (206, b"<h1>")
    assert visit(site, "/", If_None_Match=head.headers["ETag"]).status == 304


def test_a_folder_without_its_slash(s3, site):
    configure(s3, site)
    answer = visit(site, "/docs")
    assert (answer.status, answer.headers["Location"]) == (302, "/docs/")


def test_what_is_not_there(s3, site):
    configure(s3, site)
    answer = visit(site, "/none")
    assert answer.status == 404 and b"NoSuchKey" in answer.data and b"Key: none" in answer.data
    answer = visit(site, "/%3Cscript%3E")
    assert b"<script>" not in answer.data and b"&lt;script&gt;" in answer.data
    configure(s3, site, ErrorDocument={"Key": "lost.html"})
    answer = visit(site, "/none")
    assert (answer.status, answer.data) == (404, b"<h1>lost.html</h1>")
    configure(s3, site, ErrorDocument={"Key": "gone.html"})
    answer = visit(site, "/none")
    assert answer.status == 404 and b"NoSuchKey" in answer.data


def test_only_reading(s3, site):
    configure(s3, site)
    for method in ["PUT", "POST", "DELETE"]:
        answer = visit(site, "/index.html", method=method)
        assert answer.status == 405 and b"MethodNotAllowed" in answer.data


def test_redirects_of_objects(s3, site):
    configure(s3, site)
    put(s3, site, "old.html", "", WebsiteRedirectLocation="/docs/page.html")
    answer = visit(site, "/old.html")
    assert (answer.status, answer.headers["Location"]) == (301, "/docs/page.html")
    assert s3.head_object(Bucket=site, Key="old.html")["WebsiteRedirectLocation"] == "/docs/page.html"


def test_redirects_by_rule(s3, site):
    rules = [
        {
            "Condition": {"KeyPrefixEquals": "old/"},
            "Redirect": {"ReplaceKeyPrefixWith": "docs/", "HttpRedirectCode": "302"},
        },
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "lost/"},
            "Redirect": {"HostName": "example.com", "Protocol": "https", "ReplaceKeyWith": "found it"},
        },
    ]
    configure(s3, site, RoutingRules=rules)
    answer = visit(site, "/old/page.html")
    there = f"http://{site}.s3-website.localhost:{PORT}/docs/page.html"
    assert (answer.status, answer.headers["Location"]) == (302, there)
    answer = visit(site, "/lost/x")
    assert (answer.status, answer.headers["Location"]) == (301, "https://example.com/found%20it")
    assert visit(site, "/else").status == 404


def test_everything_elsewhere(s3, bucket):
    document = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=document)
    answer = visit(bucket, "/a/b?c=d")
    assert (answer.status, answer.headers["Location"]) == (301, "https://example.com/a/b?c=d")
