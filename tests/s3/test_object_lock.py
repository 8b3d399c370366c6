"""Object lock: buckets that lock, retention, legal holds, and what they forbid."""

import datetime
import os
import subprocess
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from conftest import refused

UTC = datetime.timezone.utc
NOT_LOCKING = ("InvalidRequest", 400)
DENIED = ("AccessDenied", 403)


def soon(**delta):
    return (datetime.datetime.now(UTC) + datetime.timedelta(**delta)).replace(microsecond=0)


def clear(s3, bucket):
    """Lifts holds, bypasses governance, waits for compliance that ends within seconds, and removes the bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", []) + page.get("DeleteMarkers", []):
            which = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
            if "ETag" in one:
                s3.put_object_legal_hold(**which, LegalHold={"Status": "OFF"})
            for _ in range(30):
                try:
                    s3.delete_object(**which, BypassGovernanceRetention=True)
                    break
                except ClientError:
                    time.sleep(0.3)
    s3.delete_bucket(Bucket=bucket)


@pytest.fixture
def locking(s3):
    name = f"lock-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    yield name
    clear(s3, name)


def put(s3, bucket, key="k", body=b"x", **arguments):
    return {"Bucket": bucket, "Key": key, "VersionId": s3.put_object(Bucket=bucket, Key=key, Body=body, **arguments)["VersionId"]}


def retained(mode, **delta):
    return {"Mode": mode, "RetainUntilDate": soon(**delta)}


def enabled(**rule):
    rule = {"Rule": {"DefaultRetention": rule}} if rule else {}
    return {"ObjectLockEnabled": "Enabled", **rule}


# buckets


def test_a_bucket_made_to_lock_keeps_versions(s3, locking):
    assert s3.get_bucket_versioning(Bucket=locking)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"] == enabled()
    suspend = {"Status": "Suspended"}
    answer = refused(s3.put_bucket_versioning, Bucket=locking, VersioningConfiguration=suspend)
    assert answer == ("InvalidBucketState", 409)
    assert s3.get_bucket_versioning(Bucket=locking)["Status"] == "Enabled"
    s3.put_bucket_versioning(Bucket=locking, VersioningConfiguration={"Status": "Enabled"})


@pytest.mark.parametrize("rule", [{"Mode": "GOVERNANCE", "Days": 1}, {"Mode": "COMPLIANCE", "Years": 1}, {}])
def test_configuration_round_trip(s3, locking, rule):
    s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=enabled(**rule))
    assert s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"] == enabled(**rule)


def test_configuration_of_a_bucket_that_does_not_lock(s3, bucket):
    none = refused(s3.get_object_lock_configuration, Bucket=bucket)
    assert none == ("ObjectLockConfigurationNotFoundError", 404)
    rule = {"Bucket": bucket, "ObjectLockConfiguration": enabled(Mode="GOVERNANCE", Days=1)}
    assert refused(s3.put_object_lock_configuration, **rule) == ("InvalidBucketState", 409)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert refused(s3.put_object_lock_configuration, **rule) == ("InvalidBucketState", 409)
    gone = refused(s3.get_object_lock_configuration, Bucket="none-" + uuid.uuid4().hex[:8])
    assert gone == ("NoSuchBucket", 404)


def test_a_bucket_with_versions_can_begin_to_lock(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=enabled())
    answer = refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert answer == ("InvalidBucketState", 409)


@pytest.mark.parametrize("configuration, answer", [
    (enabled(Mode="GOVERNANCE", Days=0), ("InvalidRetentionPeriod", 400)),
    (enabled(Mode="GOVERNANCE", Years=-1), ("InvalidRetentionPeriod", 400)),
    (enabled(Mode="GOVERNANCE", Days=1, Years=1), ("MalformedXML", 400)),
    (enabled(Mode="GOVERNANCE"), ("MalformedXML", 400)),
    (enabled(Mode="governance", Days=1), ("MalformedXML", 400)),
    (enabled(Mode="ABIDING", Years=1), ("MalformedXML", 400)),
    (enabled(Days=1), ("MalformedXML", 400)),
    ({**enabled(Mode="COMPLIANCE", Years=1), "ObjectLockEnabled": "Disabled"}, ("MalformedXML", 400)),
    ({"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}}, ("MalformedXML", 400)),
    ({"ObjectLockEnabled": "Enabled", "Rule": {}}, ("MalformedXML", 400)),
])
def test_bad_configurations(s3, locking, configuration, answer):
    assert refused(s3.put_object_lock_configuration, Bucket=locking, ObjectLockConfiguration=configuration) == answer
    assert s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"] == enabled()


# retention


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_retention_round_trip(s3, locking, mode):
    which = put(s3, locking)
    retention = retained(mode, seconds=3)
    s3.put_object_retention(**which, Retention=retention)
    assert s3.get_object_retention(**which)["Retention"] == retention
    assert s3.get_object_retention(Bucket=locking, Key="k")["Retention"] == retention
    for answer in [s3.head_object(Bucket=locking, Key="k"), s3.get_object(**which)]:
        assert (answer["ObjectLockMode"], answer["ObjectLockRetainUntilDate"]) == (mode, retention["RetainUntilDate"])
        assert "ObjectLockLegalHoldStatus" not in answer


def test_retention_of_one_version_only(s3, locking):
    first, second = put(s3, locking), put(s3, locking, body=b"2")
    s3.put_object_retention(**first, Retention=retained("GOVERNANCE", days=1))
    assert s3.get_object_retention(**first)["Retention"]["Mode"] == "GOVERNANCE"
    assert refused(s3.get_object_retention, **second) == ("NoSuchObjectLockConfiguration", 404)
    s3.delete_object(**second)
    assert refused(s3.delete_object, **first) == DENIED


def test_buckets_that_do_not_lock(s3, versioned):
    which = put(s3, versioned)
    retention = retained("GOVERNANCE", days=1)
    assert refused(s3.put_object_retention, **which, Retention=retention) == NOT_LOCKING
    assert refused(s3.get_object_retention, **which) == NOT_LOCKING
    assert refused(s3.put_object_legal_hold, **which, LegalHold={"Status": "ON"}) == NOT_LOCKING
    assert refused(s3.get_object_legal_hold, **which) == NOT_LOCKING
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": retention["RetainUntilDate"]}
    target = {"Bucket": versioned, "Key": "new"}
    for held in [lock, {"ObjectLockLegalHoldStatus": "ON"}, {"ObjectLockLegalHoldStatus": "OFF"}]:
        assert refused(s3.put_object, **target, Body=b"x", **held) == NOT_LOCKING
        assert refused(s3.create_multipart_upload, **target, **held) == NOT_LOCKING
        assert refused(s3.copy_object, **target, CopySource={"Bucket": versioned, "Key": "k"}, **held) == NOT_LOCKING


@pytest.mark.parametrize("retention, code", [
    ({"Mode": "governance", "RetainUntilDate": soon(days=1)}, "MalformedXML"),
    ({"Mode": "abc", "RetainUntilDate": soon(days=1)}, "MalformedXML"),
    ({"Mode": "GOVERNANCE"}, "MalformedXML"),
    ({"RetainUntilDate": soon(days=1)}, "MalformedXML"),
    ({"Mode": "GOVERNANCE", "RetainUntilDate": soon(days=-1)}, "InvalidArgument"),
])
def test_bad_retention(s3, locking, retention, code):
    which = put(s3, locking)
    assert refused(s3.put_object_retention, **which, Retention=retention) == (code, 400)
    assert refused(s3.get_object_retention, **which) == ("NoSuchObjectLockConfiguration", 404)


def test_what_is_not_there_cannot_be_retained(s3, locking):
    retention = retained("GOVERNANCE", days=1)
    none = {"Bucket": locking, "Key": "none"}
    for call, arguments in [
        (s3.put_object_retention, {"Retention": retention}),
        (s3.get_object_retention, {}),
        (s3.put_object_legal_hold, {"LegalHold": {"Status": "ON"}}),
        (s3.get_object_legal_hold, {}),
    ]:
        assert refused(call, **none, **arguments) == ("NoSuchKey", 404)
    put(s3, locking)
    version = {"Bucket": locking, "Key": "k", "VersionId": "0" * 32}
    assert refused(s3.put_object_retention, **version, Retention=retention) == ("NoSuchVersion", 404)
    marker = s3.delete_object(Bucket=locking, Key="k")["VersionId"]
    marker = {"Bucket": locking, "Key": "k", "VersionId": marker}
    assert refused(s3.put_object_retention, **marker, Retention=retention) == ("MethodNotAllowed", 405)


def test_governance_is_extended_by_all_and_shortened_with_a_bypass(s3, locking):
    which = put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=soon(days=2))
    s3.put_object_retention(**which, Retention=retained("GOVERNANCE", days=3))
    shorter = retained("GOVERNANCE", days=1)
    assert refused(s3.put_object_retention, **which, Retention=shorter) == DENIED
    other = retained("COMPLIANCE", days=9)
    assert refused(s3.put_object_retention, **which, Retention=other) == DENIED
    assert refused(s3.put_object_retention, **which, Retention={}) == DENIED
    s3.put_object_retention(**which, Retention=shorter, BypassGovernanceRetention=True)
    assert s3.get_object_retention(**which)["Retention"] == shorter
    s3.put_object_retention(**which, Retention={}, BypassGovernanceRetention=True)
    assert refused(s3.get_object_retention, **which) == ("NoSuchObjectLockConfiguration", 404)
    s3.put_object_retention(**which, Retention=retained("COMPLIANCE", seconds=2))


def test_compliance_stands_against_everybody(s3, locking):
    which = put(s3, locking, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=soon(seconds=4))
    for weaker in [retained("COMPLIANCE", seconds=2), retained("GOVERNANCE", days=1), {}]:
        answer = refused(s3.put_object_retention, **which, Retention=weaker, BypassGovernanceRetention=True)
        assert answer == DENIED, weaker
    assert refused(s3.delete_object, **which) == DENIED
    assert refused(s3.delete_object, **which, BypassGovernanceRetention=True) == DENIED
    s3.put_object_retention(**which, Retention=retained("COMPLIANCE", seconds=5))


def test_retention_ends(s3, locking):
    which = put(s3, locking, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=soon(seconds=2))
    assert refused(s3.delete_object, **which) == DENIED
    time.sleep(2.5)
    s3.delete_object(**which)
    assert refused(s3.get_object, **which) == ("NoSuchVersion", 404)


# deletes


def test_a_locked_version_can_be_hidden_but_not_deleted(s3, locking):
    which = put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=soon(days=1))
    assert refused(s3.delete_object, **which) == DENIED
    marker = s3.delete_object(Bucket=locking, Key="k")
    assert marker["DeleteMarker"] is True
    assert s3.get_object(**which)["Body"].read() == b"x"
    s3.delete_object(Bucket=locking, Key="k", VersionId=marker["VersionId"])
    put(s3, locking, body=b"newer")
    assert s3.get_object(**which)["Body"].read() == b"x"
    assert refused(s3.delete_bucket, Bucket=locking) == ("BucketNotEmpty", 409)
    s3.delete_object(**which, BypassGovernanceRetention=True)
    assert refused(s3.get_object, **which) == ("NoSuchVersion", 404)


def test_many_deletes_are_refused_one_by_one(s3, locking):
    held = put(s3, locking, "held", ObjectLockLegalHoldStatus="ON")
    governed = put(s3, locking, "governed", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=soon(days=1))
    free = put(s3, locking, "free")
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in [held, governed, free]]
    answer = s3.delete_objects(Bucket=locking, Delete={"Objects": objects})
    assert [one["Key"] for one in answer["Deleted"]] == ["free"]
    assert {one["Key"]: (one["Code"], one["VersionId"]) for one in answer["Errors"]} == {
        one["Key"]: ("AccessDenied", one["VersionId"]) for one in [held, governed]
    }
    answer = s3.delete_objects(Bucket=locking, Delete={"Objects": objects[:2]}, BypassGovernanceRetention=True)
    assert [one["Key"] for one in answer["Deleted"]] == ["governed"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("held", "AccessDenied")]


# legal holds


def test_a_legal_hold(s3, locking):
    which = put(s3, locking)
    assert refused(s3.get_object_legal_hold, **which) == ("NoSuchObjectLockConfiguration", 404)
    s3.put_object_legal_hold(**which, LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(**which)["LegalHold"] == {"Status": "ON"}
    assert s3.head_object(**which)["ObjectLockLegalHoldStatus"] == "ON"
    assert refused(s3.delete_object, **which) == DENIED
    assert refused(s3.delete_object, **which, BypassGovernanceRetention=True) == DENIED
    s3.put_object_legal_hold(**which, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(Bucket=locking, Key="k")["LegalHold"] == {"Status": "OFF"}
    assert s3.head_object(**which)["ObjectLockLegalHoldStatus"] == "OFF"
    s3.delete_object(**which)


def test_bad_holds(s3, raw, locking):
    which = put(s3, locking)
    for status in ["abc", "on", ""]:
        assert refused(s3.put_object_legal_hold, **which, LegalHold={"Status": status}) == ("MalformedXML", 400)
    for body in [b"", b"<LegalHold/>", b"<LegalHold>", b"<Other><Status>ON</Status></Other>"]:
        assert raw.call("PUT", f"/{locking}/k", "legal-hold", body=body) == ("MalformedXML", 400), body


def test_hold_and_retention_are_apart(s3, locking):
    which = put(s3, locking, ObjectLockLegalHoldStatus="ON", ObjectLockMode="GOVERNANCE",
                ObjectLockRetainUntilDate=soon(days=1))
    s3.put_object_legal_hold(**which, LegalHold={"Status": "OFF"})
    assert refused(s3.delete_object, **which) == DENIED
    assert s3.get_object_retention(**which)["Retention"]["Mode"] == "GOVERNANCE"


# new objects


def test_locks_in_headers(s3, locking):
    until = soon(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": "ON"}
    put(s3, locking, "put", **lock)
    upload = s3.create_multipart_upload(Bucket=locking, Key="parts", **lock)["UploadId"]
    part = s3.upload_part(Bucket=locking, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=locking, Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.copy_object(Bucket=locking, Key="copy", CopySource={"Bucket": locking, "Key": "put"}, **lock)
    for key in ["put", "parts", "copy"]:
        head = s3.head_object(Bucket=locking, Key=key)
        assert {name: head[name] for name in lock} == lock, key
    s3.copy_object(Bucket=locking, Key="free", CopySource={"Bucket": locking, "Key": "put"})
    assert "ObjectLockMode" not in s3.head_object(Bucket=locking, Key="free")


def test_bad_locks_in_headers(s3, raw, locking):
    tomorrow = soon(days=1).strftime("%Y-%m-%dT%H:%M:%SZ")
    mode, until, hold = (
        "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")
    for headers in [
        {mode: "GOVERNANCE"},
        {until: tomorrow},
        {mode: "governance", until: tomorrow},
        {mode: "GOVERNANCE", until: "2020-01-01T00:00:00Z"},
        {mode: "GOVERNANCE", until: "tomorrow"},
        {hold: "maybe"},
    ]:
        assert raw.call("PUT", f"/{locking}/k", headers=headers, body=b"x") == ("InvalidArgument", 400), headers
        assert raw.call("POST", f"/{locking}/k", "uploads", headers=headers) == ("InvalidArgument", 400), headers
    assert "Versions" not in s3.list_object_versions(Bucket=locking)


def test_the_default_applies_to_whatever_brings_none(s3, locking):
    s3.put_object_lock_configuration(
        Bucket=locking, ObjectLockConfiguration=enabled(Mode="GOVERNANCE", Days=1))
    put(s3, locking, "put")
    upload = s3.create_multipart_upload(Bucket=locking, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=locking, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=locking, Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.copy_object(Bucket=locking, Key="copy", CopySource={"Bucket": locking, "Key": "put"})
    for key in ["put", "parts", "copy"]:
        head = s3.head_object(Bucket=locking, Key=key)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        left = head["ObjectLockRetainUntilDate"] - datetime.datetime.now(UTC)
        assert datetime.timedelta(hours=23) < left <= datetime.timedelta(days=1)
    put(s3, locking, "own", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=soon(seconds=2))
    assert s3.head_object(Bucket=locking, Key="own")["ObjectLockMode"] == "COMPLIANCE"


@pytest.mark.skipif("STEAD_BIN" not in os.environ, reason="it takes the command line")
def test_the_command_line_frees_nothing_that_is_locked(s3, locking):
    which = put(s3, locking, body=os.urandom(200_000), ObjectLockLegalHoldStatus="ON")
    body = s3.get_object(**which)["Body"].read()

    def stead(*arguments):
        return subprocess.run([os.environ["STEAD_BIN"], *arguments], capture_output=True, text=True, timeout=60)

    for arguments in [("rm", "-r", "--versions", f"{locking}/"), ("rm", "--version", which["VersionId"], f"{locking}/k")]:
        refusal = stead(*arguments)
        assert refusal.returncode != 0 and "STEAD-0122" in refusal.stderr, refusal
    collected = stead("gc", "--grace", "0s", "--retention", "0s")
    assert collected.returncode == 0, collected
    assert s3.get_object(**which)["Body"].read() == body
