"""Uploads by HTML form, after "Browser-based uploads using POST" of the Amazon S3 API reference."""

import base64
import hashlib
import re
import socket
import urllib.parse
import uuid

import pytest

from conftest import ENDPOINT, keys_of, make_client
from forms import body, encode, fields, later, policy, post, sign
from web import send

KEY = "folder/a.txt"


def refused(answer):
    """Code and status of a refused form; nothing else may be in the answer."""
    found = re.search(r"<Code>([^<]*)</Code>", answer.text)
    return (found.group(1) if found else None, answer.status_code)


def usual(bucket, *conditions, document=None, **more):
    return fields(document or policy(bucket, *conditions), **more)


def content(s3, bucket, key=KEY):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


# What is stored


def test_a_form_of_version_2_is_stored(s3, bucket):
    answer = post(bucket, usual(bucket))
    assert answer.status_code == 204 and answer.content == b""
    head = s3.head_object(Bucket=bucket, Key=KEY)
    assert answer.headers["ETag"] == head["ETag"] == f'"{hashlib.md5(b"the file").hexdigest()}"'
    assert answer.headers["Location"] == f"{ENDPOINT}/{bucket}/{KEY}"
    assert content(s3, bucket) == b"the file"
    assert head["ContentType"] == "binary/octet-stream"  # the form's field says it, not the file's part


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_what_boto3_presigns_is_stored(s3, bucket, version):
    client = make_client(signature_version=version)
    made = client.generate_presigned_post(
        bucket,
        "user/${filename}",
        Fields={"Content-Type": "image/png", "success_action_status": "200"},
        Conditions=[{"Content-Type": "image/png"}, {"success_action_status": "200"}, ["content-length-range", 1, 99]],
        ExpiresIn=60,
    )
    whole, kind = body(made["fields"], file=("cat.png", b"\x89PNG", "a/b"))
    answer = send("POST", made["url"], whole, {"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    head = s3.head_object(Bucket=bucket, Key="user/cat.png")
    assert head["ContentType"] == "image/png" and head["ContentLength"] == 4


def test_field_names_and_conditions_in_any_case(s3, bucket):
    document = {
        "expiration": later(),
        "conditions": [
            {"bUcKeT": bucket},
            ["StArTs-WiTh", "$KeY", "fol"],
            ["eQ", "$CoNtEnT-tYpE", "text/plain"],
        ],
    }
    text = encode(document)
    form = {"kEy": KEY, "aWsAcCeSsKeYiD": fields(document)["AWSAccessKeyId"], "SiGnAtUrE": sign(text)}
    form |= {"pOlIcY": text, "content-TYPE": "text/plain"}
    assert post(bucket, form).status_code == 204
    assert s3.head_object(Bucket=bucket, Key=KEY)["ContentType"] == "text/plain"


def test_the_file_may_have_any_content(s3, bucket):
    tricky = b"\r\n--\r\n--x\r\n\r\n" + bytes(range(256)) * 300 + b"\r\n--"
    assert post(bucket, usual(bucket), file=("a", tricky, "a/b")).status_code == 204
    assert content(s3, bucket) == tricky


def test_an_empty_file(s3, bucket):
    assert post(bucket, usual(bucket), file=("a", b"", "a/b")).status_code == 204
    assert content(s3, bucket) == b""


def test_a_large_file(s3, bucket):
    large = hashlib.sha256(b"seed").digest() * (3 << 15) + b"end"
    assert post(bucket, usual(bucket), file=("a", large, "a/b")).status_code == 204
    assert content(s3, bucket) == large


def test_fields_behind_the_file_are_not_looked_at(s3, bucket):
    answer = post(bucket, usual(bucket), after=[("acl", "nonsense"), ("submit", "Upload")])
    assert answer.status_code == 204
    assert content(s3, bucket) == b"the file"


@pytest.mark.parametrize("name", ["cat.png", "C:\\\\Pictures\\\\cat.png", "pictures/cat.png", "ü.png"])
def test_the_files_name_stands_in_for_the_variable(s3, bucket, name):
    assert post(bucket, usual(bucket, key="folder/${filename}"), file=(name, b"x", "a/b")).status_code == 204
    assert keys_of(s3, bucket) == ["folder/" + name.replace("\\", "/").rpartition("/")[2]]


def test_a_condition_is_about_the_expanded_key(s3, bucket):
    form = fields(policy(bucket, ["eq", "$key", "folder/cat.png"]), key="folder/${filename}")
    assert post(bucket, form, file=("cat.png", b"x", "a/b")).status_code == 204
    assert refused(post(bucket, form, file=("dog.png", b"x", "a/b"))) == ("AccessDenied", 403)


def test_a_dollar_that_is_no_variable(s3, bucket):
    assert post(bucket, fields(policy(bucket, key="$foo"), key="$foo.txt")).status_code == 204
    assert keys_of(s3, bucket) == ["$foo.txt"]


def test_metadata_and_headers(s3, bucket):
    more = {"x-amz-meta-colour": "rot & grün", "cache-control": "no-cache", "content-disposition": "inline"}
    conditions = [["starts-with", f"${name}", ""] for name in more]
    answer = post(bucket, usual(bucket, *conditions) | more)
    assert answer.status_code == 204, answer.text
    head = s3.head_object(Bucket=bucket, Key=KEY)
    assert head["CacheControl"] == "no-cache" and head["ContentDisposition"] == "inline"
    assert list(head["Metadata"]) == ["colour"]


def test_tags(s3, bucket):
    tagging = (
        "<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag>"
        "<Tag><Key>b</Key><Value>x</Value></Tag></TagSet></Tagging>"
    ).replace(" &amp; ", " ")
    form = usual(bucket, ["starts-with", "$tagging", ""]) | {"tagging": tagging}
    assert post(bucket, form).status_code == 204
    found = s3.get_object_tagging(Bucket=bucket, Key=KEY)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"a": "1 2", "b": "x"}
    form["tagging"] = "<Tagging><TagSet>"
    assert refused(post(bucket, form)) == ("MalformedXML", 400)


def test_checksums(s3, bucket):
    right = base64.b64encode(hashlib.sha256(b"the file").digest()).decode()
    conditions = [["starts-with", "$x-amz-checksum-sha256", ""], {"x-amz-checksum-algorithm": "SHA256"}]
    form = usual(bucket, *conditions) | {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": right}
    answer = post(bucket, form)
    assert answer.status_code == 204 and answer.headers["x-amz-checksum-sha256"] == right
    head = s3.head_object(Bucket=bucket, Key=KEY, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == right
    s3.delete_object(Bucket=bucket, Key=KEY)
    form["x-amz-checksum-sha256"] = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
    assert refused(post(bucket, form)) == ("BadDigest", 400)
    form["x-amz-checksum-sha256"] = "nonsense"
    assert refused(post(bucket, form)) == ("InvalidRequest", 400)
    assert keys_of(s3, bucket) == []


def test_a_versioned_bucket_answers_the_version(s3, versioned):
    answer = post(versioned, usual(versioned))
    assert answer.headers["x-amz-version-id"] == s3.head_object(Bucket=versioned, Key=KEY)["VersionId"]


# What is answered


@pytest.mark.parametrize("asked, status", [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("x", 204)])
def test_the_status_is_the_one_asked_for(bucket, asked, status):
    form = usual(bucket, ["starts-with", "$success_action_status", ""]) | {"success_action_status": asked}
    answer = post(bucket, form)
    assert answer.status_code == status
    if status == 201:
        assert answer.headers["Content-Type"] == "application/xml"
        for name, value in [("Location", f"{ENDPOINT}/{bucket}/{KEY}"), ("Bucket", bucket), ("Key", KEY)]:
            assert f"<{name}>{value}</{name}>" in answer.text
        assert f"<ETag>{answer.headers['ETag'].replace(chr(34), '&quot;')}</ETag>" in answer.text
    else:
        assert answer.content == b""


@pytest.mark.parametrize("field", ["success_action_redirect", "redirect"])
def test_a_redirect_says_what_was_stored(s3, bucket, field):
    url = "http://localhost/done?a=1"
    answer = post(bucket, usual(bucket, {field: url}) | {field: url})
    assert answer.status_code == 303 and answer.content == b""
    there = urllib.parse.urlsplit(answer.headers["Location"])
    assert there.netloc + there.path == "localhost/done"
    query = dict(urllib.parse.parse_qsl(there.query))
    assert query == {"a": "1", "bucket": bucket, "key": KEY, "etag": answer.headers["ETag"]}
    assert content(s3, bucket) == b"the file"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/somewhere", ""])
def test_a_redirect_that_is_no_url_is_none(bucket, url):
    form = usual(bucket, ["starts-with", "$success_action_redirect", ""]) | {"success_action_redirect": url}
    answer = post(bucket, form)
    assert answer.status_code == 204


# Who may


def test_unsigned_forms_are_denied_where_nothing_allows_them(s3, bucket):
    assert refused(post(bucket, {"key": KEY})) == ("AccessDenied", 403)
    assert keys_of(s3, bucket) == []


def test_bad_signatures(s3, bucket):
    form = usual(bucket)
    assert refused(post(bucket, form | {"signature": form["signature"][::-1]})) == ("SignatureDoesNotMatch", 403)
    assert refused(post(bucket, usual(bucket, secret="wrong"))) == ("SignatureDoesNotMatch", 403)
    assert refused(post(bucket, usual(bucket, access_key="AKNOBODY"))) == ("InvalidAccessKeyId", 403)
    assert keys_of(s3, bucket) == []


def test_bad_signatures_of_version_4(s3, bucket):
    made = make_client(signature_version="s3v4").generate_presigned_post(bucket, KEY)["fields"]
    assert post(bucket, made).status_code == 204
    s3.delete_object(Bucket=bucket, Key=KEY)
    last = made["x-amz-signature"]
    spoilt = made | {"x-amz-signature": last[:-1] + ("0" if last[-1] != "0" else "1")}
    assert refused(post(bucket, spoilt)) == ("SignatureDoesNotMatch", 403)
    assert refused(post(bucket, made | {"x-amz-algorithm": "AWS4-HMAC-MD5"})) == ("InvalidArgument", 400)
    assert refused(post(bucket, made | {"x-amz-credential": "nonsense"})) == ("InvalidArgument", 400)
    assert refused(post(bucket, made | {"x-amz-date": "yesterday"})) == ("InvalidArgument", 400)
    unknown = made["x-amz-credential"].replace(made["x-amz-credential"].split("/")[0], "AKNOBODY")
    assert refused(post(bucket, made | {"x-amz-credential": unknown})) == ("InvalidAccessKeyId", 403)
    for name in ["policy", "x-amz-signature", "x-amz-date", "x-amz-credential", "x-amz-algorithm"]:
        without = {field: value for field, value in made.items() if field != name}
        assert refused(post(bucket, without)) == ("InvalidArgument", 400), name
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("name", ["policy", "signature", "AWSAccessKeyId", "key"])
def test_missing_fields(s3, bucket, name):
    form = usual(bucket)
    del form[name]
    answer = post(bucket, form)
    assert refused(answer) == ("InvalidArgument", 400)
    assert name.lower() in answer.text.lower()
    assert keys_of(s3, bucket) == []


def test_the_bucket_must_be_there(bucket):
    nowhere = f"nowhere-{uuid.uuid4().hex[:10]}"
    assert refused(post(nowhere, usual(nowhere))) == ("NoSuchBucket", 404)


# Policies


@pytest.mark.parametrize(
    "conditions, more",
    [
        ([["eq", "$key", "another"]], {}),
        ([["starts-with", "$key", "Folder/"]], {}),
        ([{"bucket": "another"}], {}),
        ([["starts-with", "$x-amz-meta-foo", "bar"]], {}),
        ([["starts-with", "$x-amz-meta-foo", "bar"]], {"x-amz-meta-foo": "barelay"[::-1]}),
        ([{"content-type": "text/plain"}], {"Content-Type": "text/html"}),
        ([["starts-with", "$Content-Type", "image/"]], {"Content-Type": "image/png,text/html"}),
        ([], {"x-amz-meta-foo": "bar"}),
        ([], {"success_action_status": "200"}),
        ([], {"submit": "Upload"}),
    ],
)
def test_forms_that_do_not_keep_to_their_policy(s3, bucket, conditions, more):
    assert refused(post(bucket, usual(bucket, *conditions) | more)) == ("AccessDenied", 403)
    assert keys_of(s3, bucket) == []


def test_fields_to_be_ignored_are(s3, bucket):
    assert post(bucket, usual(bucket) | {"x-ignore-foo": "bar"}).status_code == 204


def test_a_policy_without_its_bucket(s3, bucket):
    """It would be good for every bucket of its signer."""
    document = {"expiration": later(), "conditions": [["starts-with", "$key", ""]]}
    for more in [{}, {"bucket": bucket}]:
        answer = post(bucket, usual(bucket, document=document) | more)
        assert refused(answer) == ("AccessDenied", 403) and "Extra input fields: bucket" in answer.text
    assert keys_of(s3, bucket) == []


def test_an_expired_policy(s3, bucket):
    answer = post(bucket, usual(bucket, document=policy(bucket, expiration=later(-60))))
    assert refused(answer) == ("AccessDenied", 403) and "expired" in answer.text
    assert keys_of(s3, bucket) == []


def documents(bucket):
    whole = policy(bucket)
    conditions = whole["conditions"]
    yield "not json", "{"
    yield "not an object", "[]"
    yield "no expiration", {"conditions": conditions}
    yield "EXPIRATION", {"EXPIRATION": later(), "conditions": conditions}
    yield "no conditions", {"expiration": later()}
    yield "CONDITIONS", {"expiration": later(), "CONDITIONS": conditions}
    yield "another date", {"expiration": "2030-01-01 00:00:00", "conditions": conditions}
    yield "no date", {"expiration": 2030, "conditions": conditions}
    yield "conditions as an object", {"expiration": later(), "conditions": {"bucket": bucket}}
    for bad in [
        {},
        {"a": "1", "b": "2"},
        ["eq", "$key"],
        ["like", "$key", "x"],
        ["content-length-range", 0],
        ["content-length-range", -1, 10],
        ["content-length-range", "a", "b"],
        "text",
    ]:
        yield f"{bad}", {"expiration": later(), "conditions": [*conditions, bad]}


@pytest.mark.parametrize("number", range(17))
def test_documents_that_are_no_policies(s3, bucket, number):
    name, document = list(documents(bucket))[number]
    assert refused(post(bucket, fields(document))) == ("InvalidPolicyDocument", 400), name
    assert keys_of(s3, bucket) == []


def test_a_policy_that_is_not_base64(s3, bucket):
    form = usual(bucket) | {"policy": "%%%", "signature": sign("%%%")}
    assert refused(post(bucket, form)) == ("InvalidPolicyDocument", 400)


@pytest.mark.parametrize("low, high, code", [(0, 7, "EntityTooLarge"), (9, 20, "EntityTooSmall"), (8, 8, None)])
def test_the_files_length(s3, bucket, low, high, code):
    answer = post(bucket, usual(bucket, ["content-length-range", low, high]))
    if code is None:
        assert answer.status_code == 204
    else:
        assert refused(answer) == (code, 400)
        assert keys_of(s3, bucket) == []


def test_a_large_file_that_is_too_large(s3, bucket):
    form = usual(bucket, ["content-length-range", 0, 1 << 20])
    assert refused(post(bucket, form, file=("a", bytes((1 << 20) + 1), "a/b"))) == ("EntityTooLarge", 400)
    assert keys_of(s3, bucket) == []


# Forms that are none


def test_a_form_has_one_file(bucket):
    assert refused(post(bucket, usual(bucket), file=None)) == ("InvalidArgument", 400)


def test_an_empty_key(bucket):
    assert refused(post(bucket, usual(bucket, key=""))) == ("InvalidArgument", 400)


@pytest.mark.parametrize("key", ["a/../../b", "a/../b", "k" * 1025])
def test_keys_that_no_object_can_have(s3, bucket, key):
    assert post(bucket, usual(bucket, key=key)).status_code == 400
    assert keys_of(s3, bucket) == []


def test_a_field_twice(s3, bucket):
    pairs = [*usual(bucket).items(), ("KEY", "another")]
    assert refused(post(bucket, pairs)) == ("InvalidArgument", 400)
    assert keys_of(s3, bucket) == []


def test_fields_are_bounded(s3, bucket):
    form = usual(bucket, ["starts-with", "$x-amz-meta-a", ""]) | {"x-amz-meta-a": "v" * (20 << 10)}
    assert refused(post(bucket, form)) == ("MaxPostPreDataLengthExceededError", 400)
    form["x-amz-meta-a"] = "v" * 3000
    assert refused(post(bucket, form)) == ("MetadataTooLarge", 400)


def test_only_forms_are_posted_on_a_bucket(bucket):
    answer = send("POST", f"{ENDPOINT}/{bucket}", b"text", {"Content-Type": "text/plain"})
    assert refused(answer) == ("PreconditionFailed", 412)
    assert refused(post(bucket, usual(bucket), path=f"{bucket}/{KEY}")) == ("MethodNotAllowed", 405)


def test_a_form_without_a_boundary(bucket):
    assert refused(post(bucket, usual(bucket), headers={"Content-Type": "multipart/form-data"})) == (
        "MalformedPOSTRequest",
        400,
    )


def test_a_form_that_ends_early_stores_nothing(s3, bucket):
    whole, kind = body(usual(bucket), file=("a", b"x" * 100_000, "a/b"))
    url = urllib.parse.urlsplit(ENDPOINT)
    for cut in [len(whole) // 2, len(whole) - 10]:
        head = f"POST /{bucket} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(whole)}\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(head.encode() + whole[:cut])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        answer = send("POST", f"{ENDPOINT}/{bucket}", whole[:cut], {"Content-Type": kind})
        assert refused(answer) == ("MalformedPOSTRequest", 400)
    assert keys_of(s3, bucket) == []
