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


def test_bad_version_ids(s3, versioned):
    s3.put_object(Bucket=versioned, Key="k", Body=b"1")
    for version in ["nonsense", "0" * 32]:
        answer = refused(s3.get_object, Bucket=versioned, Key="k", VersionId=version)
        assert answer in [("NoSuchVersion", 404), ("InvalidArgument", 400)], answer


def test_head_shows_what_a_multipart_upload_made(s3, versioned):
    upload = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=versioned, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    done = s3.complete_multipart_upload(
        Bucket=versioned, Key="k", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    assert s3.head_object(Bucket=versioned, Key="k")["VersionId"] == done["VersionId"]
