"""Cross-origin resource sharing, after "Using cross-origin resource sharing" of the Amazon S3 user guide."""

import re
import uuid

import pytest

from conftest import ENDPOINT, refused
from web import send

PAGE = "http://app.example.com"


def rule(origins, methods, **more):
    return {"AllowedOrigins": origins, "AllowedMethods": methods, **more}


def put(s3, bucket, *rules):
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def ask(bucket, origin=PAGE, method="GET", wanted=None, key="/a.txt", query=""):
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
    headers = {name: value for name, value in headers.items() if value is not None}
    return send("OPTIONS", f"{ENDPOINT}/{bucket}{key}{query}", headers=headers)


def code(answer):
    found = re.search(r"<Code>([^<]*)</Code>", answer.text)
    return (found.group(1) if found else None, answer.status_code)


FORBIDDEN = ("AccessForbidden", 403)


# The configuration


def test_rules_are_kept_as_they_are(s3, bucket):
    assert refused(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)
    full = rule(
        ["http://*.example.com", "https://b"],
        ["GET", "PUT", "POST", "DELETE", "HEAD"],
        ID="one",
        AllowedHeaders=["x-amz-*", "Content-Type"],
        ExposeHeaders=["ETag", "x-amz-version-id"],
        MaxAgeSeconds=600,
    )
    put(s3, bucket, full, rule(["*"], ["GET"]))
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [full, rule(["*"], ["GET"])]
    put(s3, bucket, rule(["*"], ["HEAD"]))
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule(["*"], ["HEAD"])]
    answer = s3.delete_bucket_cors(Bucket=bucket)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    s3.delete_bucket_cors(Bucket=bucket)
    assert refused(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)


@pytest.mark.parametrize(
    "bad, expected",
    [
        (rule(["*"], ["PATCH"]), ("InvalidRequest", 400)),
        (rule(["*"], ["get"]), ("InvalidRequest", 400)),
        (rule(["http://*.a.*"], ["GET"]), ("InvalidRequest", 400)),
        (rule(["*"], ["GET"], AllowedHeaders=["x-*-*"]), ("InvalidRequest", 400)),
        (rule(["*"], ["GET"], ExposeHeaders=["x-*"]), ("InvalidRequest", 400)),
        (rule(["*"], ["GET"], ID="i" * 256), ("InvalidRequest", 400)),
        (rule([], ["GET"]), ("MalformedXML", 400)),
        (rule(["*"], []), ("MalformedXML", 400)),
    ],
)
def test_rules_that_are_none_are_refused(s3, bucket, bad, expected):
    put(s3, bucket, rule(["*"], ["GET"], ID="kept"))
    assert refused(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": [bad]}) == expected
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["ID"] == "kept"


def test_a_hundred_rules_at_most(s3, bucket):
    put(s3, bucket, *[rule(["*"], ["GET"])] * 100)
    rules = {"CORSRules": [rule(["*"], ["GET"])] * 101}
    assert refused(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration=rules) == ("InvalidRequest", 400)
    assert refused(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": []}) == ("MalformedXML", 400)


def test_documents_that_are_none(raw, bucket):
    for body in [b"", b"<CORSConfiguration>", b"<Other/>"]:
        assert raw.call("PUT", f"/{bucket}", "cors", body=body).status == 400


def test_a_bucket_that_is_not_there(s3):
    nowhere = f"nowhere-{uuid.uuid4().hex[:10]}"
    for call in [s3.get_bucket_cors, s3.delete_bucket_cors]:
        assert refused(call, Bucket=nowhere) == ("NoSuchBucket", 404)
    assert code(ask(nowhere)) == FORBIDDEN


# What a browser asks ahead


def test_a_bucket_without_rules_allows_nothing(bucket):
    answer = ask(bucket)
    assert code(answer) == FORBIDDEN and "not enabled" in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_asking_takes_an_origin_and_a_method(s3, bucket):
    put(s3, bucket, rule(["*"], ["GET"]))
    assert code(ask(bucket, origin=None)) == ("BadRequest", 400)
    assert code(ask(bucket, method=None)) == ("BadRequest", 400)
    assert code(ask(bucket, method="BREW")) == ("BadRequest", 400)


def test_what_is_allowed(s3, bucket):
    put(s3, bucket, rule([PAGE], ["GET", "PUT"], AllowedHeaders=["*"], ExposeHeaders=["ETag", "x-b"], MaxAgeSeconds=60))
    for key in ["", "/a/b.txt"]:
        answer = ask(bucket, method="PUT", wanted="X-Amz-Date, Content-Type", key=key)
        assert answer.status_code == 200 and answer.content == b""
        headers = answer.headers
        assert headers["Access-Control-Allow-Origin"] == PAGE
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert headers["Access-Control-Allow-Methods"] == "GET, PUT"
        assert headers["Access-Control-Allow-Headers"] == "x-amz-date, content-type"
        assert headers["Access-Control-Expose-Headers"] == "ETag, x-b"
        assert headers["Access-Control-Max-Age"] == "60"
        assert headers["Vary"] == "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
    assert code(ask(bucket, method="DELETE")) == FORBIDDEN
    assert code(ask(bucket, origin="http://other")) == FORBIDDEN
    assert code(ask(bucket, origin=PAGE.upper())) == FORBIDDEN


def test_any_origin_is_answered_as_any(s3, bucket):
    put(s3, bucket, rule(["*"], ["GET"]))
    headers = ask(bucket).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Access-Control-Max-Age" not in headers and "Access-Control-Allow-Headers" not in headers


@pytest.mark.parametrize(
    "pattern, origin, fits",
    [
        ("*suffix", "foo.suffix", True),
        ("*suffix", "foo.bar", False),
        ("*suffix", "foo.suffix.get", False),
        ("start*end", "startend", True),
        ("start*end", "start12end", True),
        ("start*end", "0start12end", False),
        ("prefix*", "prefix", True),
        ("prefix*", "prefix.suffix", True),
        ("prefix*", "bla.prefix", False),
    ],
)
def test_a_wildcard_stands_for_anything(s3, bucket, pattern, origin, fits):
    put(s3, bucket, rule([pattern], ["GET"]))
    answer = ask(bucket, origin=origin)
    assert answer.status_code == (200 if fits else 403)
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if fits else None)


def test_headers_must_all_be_allowed(s3, bucket):
    put(s3, bucket, rule(["*"], ["GET"], AllowedHeaders=["x-amz-*", "Range"]))
    assert ask(bucket, wanted="X-AMZ-META-A,range").status_code == 200
    assert code(ask(bucket, wanted="x-amz-meta-a, x-other")) == FORBIDDEN
    put(s3, bucket, rule(["*"], ["GET"]))
    assert ask(bucket, wanted="").status_code == 200
    assert code(ask(bucket, wanted="range")) == FORBIDDEN


def test_the_first_rule_that_fits(s3, bucket):
    put(s3, bucket, rule(["*"], ["PUT"], MaxAgeSeconds=1), rule([PAGE], ["GET"], MaxAgeSeconds=2))
    assert ask(bucket, method="PUT").headers["Access-Control-Max-Age"] == "1"
    assert ask(bucket, method="GET").headers["Access-Control-Max-Age"] == "2"


def test_asking_is_not_signed(s3, bucket):
    put(s3, bucket, rule([PAGE], ["PUT"]))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a.txt"})
    assert ask(bucket, method="PUT", query="?" + url.partition("?")[2]).status_code == 200


# The answers that follow


def get(url, method="GET", origin=PAGE, **headers):
    return send(method, url, headers={"Origin": origin} | headers if origin else headers)


def test_answers_say_who_may_look(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a.txt", Body=b"text")
    put(s3, bucket, rule([PAGE], ["GET", "HEAD"], ExposeHeaders=["ETag"]))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a.txt"})
    answer = get(url)
    assert answer.status_code == 200 and answer.content == b"text"
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    assert "Origin" in answer.headers["Vary"]
    for other in [get(url, origin="http://other"), get(url, origin=None)]:
        assert other.status_code == 200 and "Access-Control-Allow-Origin" not in other.headers


def test_errors_can_be_looked_at_too(s3, bucket):
    put(s3, bucket, rule([PAGE], ["GET", "PUT"]))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "none"})
    missing = get(url)
    assert code(missing) == ("NoSuchKey", 404)
    assert missing.headers["Access-Control-Allow-Origin"] == PAGE
    denied = get(f"{ENDPOINT}/{bucket}/a.txt")
    assert code(denied) == ("AccessDenied", 403)
    assert denied.headers["Access-Control-Allow-Origin"] == PAGE
    deleted = get(f"{ENDPOINT}/{bucket}/a.txt", method="DELETE")
    assert "Access-Control-Allow-Origin" not in deleted.headers


def test_writes_are_answered_so_as_well(s3, bucket):
    put(s3, bucket, rule(["*"], ["PUT"]))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a.txt"})
    answer = send("PUT", url, b"text", {"Origin": PAGE})
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
