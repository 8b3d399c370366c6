"""Lifecycle rules: what is accepted, refused and answered; and what is carried out, where days are short."""

import datetime
import os
import re
import time

import pytest

from conftest import refused

DAY = int(os.environ.get("STEAD_LIFECYCLE_DAY_SECONDS", "86400"))
UTC = datetime.timezone.utc
MIDNIGHT = datetime.datetime(2040, 1, 1, tzinfo=UTC)
short = pytest.mark.skipif(DAY > 10, reason="a day is too long to wait for")


def rule(**change):
    kept = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, **change}
    return {name: value for name, value in kept.items() if value is not None}


def put(s3, bucket, *rules):
    return s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def test_none_is_there(s3, bucket):
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == ("NoSuchLifecycleConfiguration", 404)
    assert s3.delete_bucket_lifecycle(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = {"Bucket": "no-such-bucket-here", "LifecycleConfiguration": {"Rules": [rule()]}}
    assert refused(s3.put_bucket_lifecycle_configuration, **gone) == ("NoSuchBucket", 404)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket="no-such-bucket-here") == ("NoSuchBucket", 404)


FORMS = [
    rule(),
    rule(Filter={}),
    rule(Filter=None, Prefix="old/"),
    rule(Filter=None, Prefix=""),
    rule(Status="Disabled"),
    rule(Filter={"Tag": {"Key": "k", "Value": "v"}}),
    rule(Filter={"ObjectSizeGreaterThan": 500}),
    rule(Filter={"ObjectSizeLessThan": 500}),
    rule(Filter={"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}],
                         "ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 9}}),
    rule(Expiration={"Date": MIDNIGHT}),
    rule(Expiration={"ExpiredObjectDeleteMarker": True}),
    rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 2}),
    rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 2, "NewerNoncurrentVersions": 5}),
    rule(Expiration=None, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    rule(ID="i" * 255),
]


@pytest.mark.parametrize("one", FORMS)
def test_round_trip(s3, bucket, one):
    put(s3, bucket, one)
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [one]


def test_many_rules_are_replaced_and_removed(s3, bucket):
    many = [rule(ID=f"r{n}", Filter={"Prefix": f"{n}/"}) for n in range(1000)]
    put(s3, bucket, *many)
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == many
    put(s3, bucket, rule(ID="one"))
    assert [one["ID"] for one in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]] == ["one"]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == ("NoSuchLifecycleConfiguration", 404)


def test_rules_without_an_id_get_one(s3, bucket):
    put(s3, bucket, rule(ID=None), rule(ID=None, Filter={"Prefix": "b"}))
    ids = [one["ID"] for one in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]]
    assert all(ids) and len(set(ids)) == 2


BAD = [
    ([rule(ID="i" * 256)], "InvalidArgument"),
    ([rule(), rule(Filter={"Prefix": "b"})], "InvalidArgument"),
    ([rule(Status="enabled")], "MalformedXML"),
    ([rule(Status="Enable")], "MalformedXML"),
    ([rule(Status="invalid")], "MalformedXML"),
    ([rule(Filter=None)], "MalformedXML"),
    ([rule(Prefix="both")], "MalformedXML"),
    ([rule(Filter={"Prefix": "a", "Tag": {"Key": "k", "Value": "v"}})], "MalformedXML"),
    ([rule(Expiration=None)], "InvalidRequest"),
    ([rule(Expiration={})], "MalformedXML"),
    ([rule(Expiration={"Days": 1, "Date": MIDNIGHT})], "MalformedXML"),
    ([rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})], "MalformedXML"),
    ([rule(Expiration={"Days": 0})], "InvalidArgument"),
    ([rule(Expiration={"Days": -1})], "InvalidArgument"),
    ([rule(Expiration={"Date": MIDNIGHT + datetime.timedelta(hours=1)})], "InvalidArgument"),
    ([rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 0})], "InvalidArgument"),
    ([rule(Expiration=None, NoncurrentVersionExpiration={})], "MalformedXML"),
    ([rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101})],
     "InvalidArgument"),
    ([rule(Expiration=None, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})], "InvalidArgument"),
    ([rule(Expiration=None, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1},
           Filter={"Tag": {"Key": "k", "Value": "v"}})], "InvalidRequest"),
    ([rule(Expiration={"ExpiredObjectDeleteMarker": True}, Filter={"Tag": {"Key": "k", "Value": "v"}})],
     "InvalidRequest"),
    ([rule(Filter={"And": {"Prefix": "a", "ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}})], "InvalidRequest"),
    ([rule(Filter={"And": {"Prefix": "a", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]}})],
     "InvalidRequest"),
    ([rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])], "InvalidStorageClass"),
    ([rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "GLACIER"}])], "InvalidStorageClass"),
    ([rule(ID=f"r{n}") for n in range(1001)], "MalformedXML"),
    ([], "MalformedXML"),
]


@pytest.mark.parametrize("rules, code", BAD)
def test_bad_rules(s3, bucket, rules, code):
    configuration = {"Rules": rules}
    answer = refused(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=configuration)
    assert answer == (code, 400)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket).code == "NoSuchLifecycleConfiguration"


def test_bad_documents(raw, bucket):
    for body in [b"", b"<LifecycleConfiguration>", b"<Other/>", b"nonsense",
                 b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix/><Expiration><Days>x</Days></Expiration>"
                 b"</Rule></LifecycleConfiguration>"]:
        answer = raw.call("PUT", f"/{bucket}", "lifecycle", body=body)
        assert answer == ("MalformedXML", 400), body


def test_answers_say_when_an_object_expires(s3, bucket):
    put(s3, bucket, rule(ID="far", Filter={"Prefix": "logs/"}, Expiration={"Days": 30}),
        rule(ID="tagged", Filter={"Tag": {"Key": "k", "Value": "v"}}, Expiration={"Days": 10}),
        rule(ID="big", Filter={"ObjectSizeGreaterThan": 10}, Expiration={"Days": 20}))

    def announced(answer):
        found = re.fullmatch(r'expiry-date="(.*)", rule-id="(.*)"', answer["Expiration"])
        date = datetime.datetime.strptime(found[1], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        assert date.timestamp() % DAY == 0
        days = (date - datetime.datetime.now(UTC)).total_seconds() / DAY
        return found[2], int(days)

    made = s3.put_object(Bucket=bucket, Key="logs/1", Body=b"x")
    assert announced(made) == ("far", 30)
    assert announced(s3.head_object(Bucket=bucket, Key="logs/1")) == ("far", 30)
    assert announced(s3.get_object(Bucket=bucket, Key="logs/1")) == ("far", 30)
    assert announced(s3.put_object(Bucket=bucket, Key="logs/2", Body=b"x" * 11)) == ("big", 20)
    assert announced(s3.put_object(Bucket=bucket, Key="logs/3", Body=b"x" * 11, Tagging="k=v")) == ("tagged", 10)
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"x")
    assert announced(s3.copy_object(Bucket=bucket, Key="logs/4", CopySource=f"{bucket}/other")) == ("far", 30)


# What follows is carried out while the test waits: `[s3] lifecycle_day_seconds`.


def until(holds, days=5):
    end = time.monotonic() + days * DAY + 5
    while not holds():
        assert time.monotonic() < end, "not carried out"
        time.sleep(0.2)


def keys(s3, bucket):
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def versions(s3, bucket):
    page = s3.list_object_versions(Bucket=bucket)
    return [one["VersionId"] for one in page.get("Versions", [])], len(page.get("DeleteMarkers", []))


@short
def test_objects_expire(s3, bucket):
    put(s3, bucket, rule(ID="a", Filter={"Prefix": "soon/"}), rule(ID="b", Filter={"Prefix": "late/"}, Expiration={"Days": 99}),
        rule(ID="c", Filter={"Prefix": "off/"}, Status="Disabled"),
        rule(ID="d", Filter={"Prefix": "past/"}, Expiration={"Date": datetime.datetime(2020, 1, 1, tzinfo=UTC)}))
    for key in ["soon/1", "soon/2", "late/1", "off/1", "other", "past/1"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    until(lambda: keys(s3, bucket) == ["late/1", "off/1", "other"])


@short
def test_versions_expire(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"] for _ in range(4)]
    put(s3, versioned, rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 1}))
    until(lambda: versions(s3, versioned) == ([ids[3], ids[2]], 0))
    put(s3, versioned, rule())
    until(lambda: versions(s3, versioned) == ([ids[3], ids[2]], 1))
    assert refused(s3.get_object, Bucket=versioned, Key="k") == ("NoSuchKey", 404)
    put(s3, versioned, rule(Expiration={"ExpiredObjectDeleteMarker": True}, NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    until(lambda: versions(s3, versioned) == ([], 0))


@short
def test_uploads_are_given_up(s3, bucket):
    put(s3, bucket, rule(Expiration=None, Filter={"Prefix": "a/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    for key in ["a/1", "b/1"]:
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    open_keys = lambda: [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
    until(lambda: open_keys() == ["b/1"])


@short
def test_locked_versions_stay(s3, versioned):
    s3.put_object_lock_configuration(Bucket=versioned, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    held = s3.put_object(Bucket=versioned, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    free = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    last = s3.put_object(Bucket=versioned, Key="k", Body=b"3")["VersionId"]
    put(s3, versioned, rule(Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    until(lambda: free not in versions(s3, versioned)[0])
    assert versions(s3, versioned)[0] == [last, held]
    s3.put_object_legal_hold(Bucket=versioned, Key="k", VersionId=held, LegalHold={"Status": "OFF"})
    until(lambda: versions(s3, versioned)[0] == [last])
