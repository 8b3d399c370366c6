"""Versions, delete markers and the null version."""

import pytest

from conftest import refused


def listed(s3, bucket, **arguments):
    page = s3.list_object_versions(Bucket=bucket, **arguments)
    versions = [(one["Key"], one["VersionId"], one["IsLatest"], "v") for one in page.get("Versions", [])]
    markers = [(one["Key"], one["VersionId"], one["IsLatest"], "d") for one in page.get("DeleteMarkers", [])]
    return versions, markers


def test_every_write_is_kept(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=str(n).encode())["VersionId"] for n in range(3)]
    assert len(set(ids)) == 3
    for number, version in enumerate(ids):
        got = s3.get_object(Bucket=versioned, Key="k", VersionId=version)
        assert got["Body"].read() == str(number).encode() and got["VersionId"] == version
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == ids[2]
    versions, markers = listed(s3, versioned)
    assert versions == [("k", ids[2], True, "v"), ("k", ids[1], False, "v"), ("k", ids[0], False, "v")]
    assert markers == []


def test_delete_markers(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    deleted = s3.delete_object(Bucket=versioned, Key="k")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"] is True and marker != first
    answer = refused(s3.get_object, Bucket=versioned, Key="k")
    assert answer == ("NoSuchKey", 404)
    assert answer.headers["x-amz-delete-marker"] == "true" and answer.headers["x-amz-version-id"] == marker
    head = refused(s3.head_object, Bucket=versioned, Key="k")
    assert head.status == 404 and head.headers["x-amz-delete-marker"] == "true"
    named = refused(s3.get_object, Bucket=versioned, Key="k", VersionId=marker)
    assert named == ("MethodNotAllowed", 405)
    assert named.headers["x-amz-delete-marker"] == "true" and named.headers["allow"] == "DELETE"
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
    assert listed(s3, versioned) == ([("k", first, False, "v")], [("k", marker, True, "d")])
    assert s3.get_object(Bucket=versioned, Key="k", VersionId=first)["Body"].read() == b"1"
    gone = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert gone["DeleteMarker"] is True and gone["VersionId"] == marker
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == first


def test_deleting_versions(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=str(n).encode())["VersionId"] for n in range(3)]
    gone = s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[2])
    assert gone["VersionId"] == ids[2] and "DeleteMarker" not in gone
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"
    assert refused(s3.get_object, Bucket=versioned, Key="k", VersionId=ids[2]) == ("NoSuchVersion", 404)
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[0])
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[0])  # again
    assert listed(s3, versioned)[0] == [("k", ids[1], True, "v")]
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[1])
    assert listed(s3, versioned) == ([], [])
    assert refused(s3.get_object, Bucket=versioned, Key="k") == ("NoSuchKey", 404)


def test_the_null_version(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    assert "VersionId" not in put
    assert "VersionId" not in s3.get_object(Bucket=bucket, Key="k")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    new = s3.put_object(Bucket=bucket, Key="k", Body=b"new")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"null"
    assert listed(s3, bucket)[0] == [("k", new, True, "v"), ("k", "null", False, "v")]


def test_suspended(s3, versioned):
    kept = s3.put_object(Bucket=versioned, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"one", b"two"):
        assert s3.put_object(Bucket=versioned, Key="k", Body=body)["VersionId"] == "null"
    assert listed(s3, versioned)[0] == [("k", "null", True, "v"), ("k", kept, False, "v")]
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"two"
    deleted = s3.delete_object(Bucket=versioned, Key="k")
    assert deleted["DeleteMarker"] is True and deleted["VersionId"] == "null"
    assert listed(s3, versioned) == ([("k", kept, False, "v")], [("k", "null", True, "d")])
    s3.delete_object(Bucket=versioned, Key="k", VersionId="null")
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"kept"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_versions(s3, versioned, size):
    expected = []
    for key in ("a", "b"):
        ids = [s3.put_object(Bucket=versioned, Key=key, Body=b"x")["VersionId"] for _ in range(3)]
        ids.append(s3.delete_object(Bucket=versioned, Key=key)["VersionId"])
        expected += [(key, version) for version in reversed(ids)]
    found, arguments = [], {}
    for _ in range(20):
        page = s3.list_object_versions(Bucket=versioned, MaxKeys=size, **arguments)
        here = page.get("Versions", []) + page.get("DeleteMarkers", [])
        assert len(here) <= size
        found += [(one["Key"], one["VersionId"]) for one in here]
        if not page["IsTruncated"]:
            break
        arguments = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert sorted(found) == sorted(expected) and len(found) == len(set(found))


def test_tags_by_version(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1", Tagging="a=1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"2", Tagging="a=2")["VersionId"]
    tags = [{"Key": "a", "Value": "changed"}]
    answer = s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=first, Tagging={"TagSet": tags})
    assert answer["VersionId"] == first
    assert s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=first)["TagSet"] == tags
    current = s3.get_object_tagging(Bucket=versioned, Key="k")
    assert current["VersionId"] == second and current["TagSet"] == [{"Key": "a", "Value": "2"}]


def test_bad_version_ids(s3, raw, versioned):
    s3.put_object(Bucket=versioned, Key="k", Body=b"1")
    for version in ["nonsense", "0" * 32]:
        expected = ("NoSuchVersion", 404) if version == "0" * 32 else ("InvalidArgument", 400)
        which = {"Bucket": versioned, "Key": "k", "VersionId": version}
        assert refused(s3.get_object, **which) == expected
        assert refused(s3.head_object, **which).status == expected[1]
        assert refused(s3.get_object_tagging, **which) == expected
        assert refused(s3.copy_object, Bucket=versioned, Key="c", CopySource=which) == expected
    for method in ["GET", "DELETE"]:
        assert raw.call(method, f"/{versioned}/k", "versionId=") == ("InvalidArgument", 400)
    assert raw.call("DELETE", f"/{versioned}/k", "versionId=nonsense") == ("InvalidArgument", 400)
    assert s3.delete_object(Bucket=versioned, Key="k", VersionId="0" * 32)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"


def test_head_shows_what_a_multipart_upload_made(s3, versioned):
    upload = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=versioned, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    done = s3.complete_multipart_upload(
        Bucket=versioned, Key="k", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    assert s3.head_object(Bucket=versioned, Key="k")["VersionId"] == done["VersionId"]


def test_a_named_delete_marker_is_not_an_object(s3, raw, versioned):
    s3.put_object(Bucket=versioned, Key="k", Body=b"1")
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    for method in ["GET", "HEAD"]:
        answer = raw.call(method, f"/{versioned}/k", f"versionId={marker}")
        assert answer.status == 405
        assert (answer.headers["x-amz-delete-marker"], answer.headers["allow"]) == ("true", "DELETE")
        answer = raw.call(method, f"/{versioned}/k")
        assert (answer.status, answer.headers["x-amz-delete-marker"]) == (404, "true")
        assert answer.headers["x-amz-version-id"] == marker
    source = {"Bucket": versioned, "Key": "k", "VersionId": marker}
    assert refused(s3.copy_object, Bucket=versioned, Key="c", CopySource=source) == ("InvalidRequest", 400)
    source.pop("VersionId")
    assert refused(s3.copy_object, Bucket=versioned, Key="c", CopySource=source) == ("NoSuchKey", 404)


def test_a_version_is_copied_back(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1", Tagging="a=1", Metadata={"n": "1"})["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"2")
    source = {"Bucket": versioned, "Key": "k", "VersionId": first}
    copied = s3.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert copied["CopySourceVersionId"] == first and copied["VersionId"] not in (first, "null")
    got = s3.get_object(Bucket=versioned, Key="k")
    assert (got["Body"].read(), got["Metadata"], got["TagCount"]) == (b"1", {"n": "1"}, 1)
    assert got["VersionId"] == copied["VersionId"]


def test_the_null_version_can_be_deleted_from_below(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    new = s3.put_object(Bucket=bucket, Key="k", Body=b"new")["VersionId"]
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId="null")["VersionId"] == "null"
    assert listed(s3, bucket)[0] == [("k", new, True, "v")]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert listed(s3, bucket) == ([("k", new, False, "v")], [("k", "null", True, "d")])


def test_versioning_is_refused_where_it_cannot_be(s3, raw, bucket):
    mfa = {"Status": "Enabled", "MFADelete": "Enabled"}
    assert refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=mfa).status in (400, 501)
    for body in [b"<VersioningConfiguration/>", b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"]:
        assert raw.call("PUT", f"/{bucket}", "versioning", body=body).status == 400
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_many_versions_deleted_at_once(s3, versioned):
    from concurrent.futures import ThreadPoolExecutor

    ids = [s3.put_object(Bucket=versioned, Key=f"k{n % 5}", Body=b"x")["VersionId"] for n in range(40)]
    which = [{"Key": f"k{n % 5}", "VersionId": version} for n, version in enumerate(ids)]
    with ThreadPoolExecutor(5) as pool:
        halves = [which[:25], which[15:], which[10:30], which, which[::-1]]
        answers = list(pool.map(lambda part: s3.delete_objects(Bucket=versioned, Delete={"Objects": part}), halves))
    assert not any("Errors" in answer for answer in answers)
    assert [len(answer["Deleted"]) for answer in answers] == [len(part) for part in halves]
    assert listed(s3, versioned) == ([], [])
