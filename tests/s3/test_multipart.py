"""Uploads in parts: create, upload, copy, list, complete, abort, and what must not be."""

import hashlib
import os

import pytest

from conftest import keys_of, refused

MIB = 1 << 20


@pytest.fixture(scope="module")
def five():
    return os.urandom(5 * MIB)


def start(s3, bucket, key="k", **arguments):
    return {"Bucket": bucket, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key, **arguments)["UploadId"]}


def put(s3, upload, number, body):
    return {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}


def complete(s3, upload, parts, **arguments):
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **arguments)


def etag_of(bodies):
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(bodies)}"'


@pytest.mark.parametrize("sizes", [[100], [5 * MIB, 1], [5 * MIB, 5 * MIB + 333, 7], [6 * MIB, 6 * MIB], [5 * MIB, 0]])
def test_round_trip(s3, bucket, five, sizes):
    bodies = [(five * 2)[:size] for size in sizes]
    upload = start(s3, bucket, ContentType="a/b", Metadata={"m": "1"}, Tagging="t=1")
    assert keys_of(s3, bucket) == [("upload", "k")]
    parts = [put(s3, upload, number, body) for number, body in enumerate(bodies, 1)]
    assert [part["ETag"] for part in parts] == [f'"{hashlib.md5(body).hexdigest()}"' for body in bodies]
    assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    done = complete(s3, upload, parts)
    assert (done["ETag"], done["Bucket"], done["Key"]) == (etag_of(bodies), bucket, "k")
    assert done["Location"].endswith(f"/{bucket}/k")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(bodies)
    assert (got["ETag"], got["ContentType"], got["Metadata"], got["TagCount"]) == (etag_of(bodies), "a/b", {"m": "1"}, 1)
    assert "UploadId" not in str(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ""))
    start_of_part = 0
    for number, body in enumerate(bodies, 1):
        part = s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert part["Body"].read() == body and part["PartsCount"] == len(bodies)
        assert s3.head_object(Bucket=bucket, Key="k", PartNumber=number)["ContentLength"] == len(body)
        if body:
            assert part["ContentRange"].startswith(f"bytes {start_of_part}-")
        start_of_part += len(body)
    beyond = refused(s3.get_object, Bucket=bucket, Key="k", PartNumber=len(bodies) + 1)
    assert beyond == ("InvalidPartNumber", 416)


def test_whole_mebibytes_give_the_same_cid_as_one_put(s3, bucket, five):
    body = five + five[: 2 * MIB + 5]
    one = s3.put_object(Bucket=bucket, Key="one", Body=body)["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"]
    upload = start(s3, bucket, "parts")
    done = complete(s3, upload, [put(s3, upload, 1, five), put(s3, upload, 2, body[5 * MIB :])])
    assert done["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"] == one


def test_ranges_across_parts(s3, bucket, five):
    bodies = [five, five[:333_333], five[: 5 * MIB]]
    upload = start(s3, bucket)
    # The middle part is too small; whole parts of odd sizes are not.
    bodies[1] = five + b"odd"
    parts = [put(s3, upload, number, body) for number, body in enumerate(bodies, 1)]
    complete(s3, upload, parts)
    whole = b"".join(bodies)
    for first, last in [(0, 9), (5 * MIB - 3, 5 * MIB + 3), (10 * MIB - 1, 10 * MIB + 10), (len(whole) - 5, len(whole) - 1), (1, len(whole) - 2)]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")
        assert got["Body"].read() == whole[first : last + 1], (first, last)


def test_parts_may_come_in_any_order_with_gaps_and_be_replaced(s3, bucket, five):
    upload = start(s3, bucket)
    last = put(s3, upload, 9999, b"last")
    old = put(s3, upload, 7, five)
    new = put(s3, upload, 7, five[::-1])
    put(s3, upload, 8, b"left out")
    assert refused(complete, s3=s3, upload=upload, parts=[old, last]) == ("InvalidPart", 400)
    complete(s3, upload, [new, last])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == five[::-1] + b"last"


def test_bad_part_numbers(s3, raw, bucket):
    upload = start(s3, bucket)
    for number in ["0", "10001", "-1", "x", "", "99999999999999999999"]:
        query = f"partNumber={number}&uploadId={upload['UploadId']}"
        assert raw.call("PUT", f"/{bucket}/k", query, body=b"x") == ("InvalidArgument", 400), number
    assert raw.call("PUT", f"/{bucket}/k", "partNumber=1", body=b"x").status == 400
    assert "Parts" not in s3.list_parts(**upload)
    put(s3, upload, 1, b"x"), put(s3, upload, 10000, b"x")
    assert [part["PartNumber"] for part in s3.list_parts(**upload)["Parts"]] == [1, 10000]


def test_bad_completions_make_nothing(s3, raw, bucket, five):
    upload = start(s3, bucket)
    one, two, three = put(s3, upload, 1, five), put(s3, upload, 2, b"small"), put(s3, upload, 3, five)
    wrong = {**one, "ETag": '"00000000000000000000000000000000"'}
    for parts, code in [
        ([two, one], "InvalidPartOrder"),
        ([one, one], "InvalidPartOrder"),
        ([wrong, three], "InvalidPart"),
        ([one, {"PartNumber": 4, "ETag": one["ETag"]}], "InvalidPart"),
        ([one, two, three], "EntityTooSmall"),
        ([{"PartNumber": 0, "ETag": one["ETag"]}], "InvalidArgument"),
        ([{"PartNumber": 10001, "ETag": one["ETag"]}], "InvalidArgument"),
    ]:
        assert refused(complete, s3=s3, upload=upload, parts=parts) == (code, 400), (parts, code)
    path, query = f"/{bucket}/k", f"uploadId={upload['UploadId']}"
    for body in [b"<CompleteMultipartUpload/>", b"<CompleteMultipartUpload>", b"nonsense", b"\xff\xfe",
                 b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
                 b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>y</ETag></Part></CompleteMultipartUpload>"]:
        assert raw.call("POST", path, query, body=body) == ("MalformedXML", 400), body
    assert raw.call("POST", path, query, body=b"").status == 400
    assert keys_of(s3, bucket) == [("upload", "k")]
    assert len(s3.list_parts(**upload)["Parts"]) == 3


def test_no_such_upload(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"x")
    for upload_id in ["0" * 32, "nonsense", start(s3, bucket, "other")["UploadId"]]:
        upload = {"Bucket": bucket, "Key": "k", "UploadId": upload_id}
        part = {"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}
        assert refused(s3.upload_part, **upload, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)
        source = {"Bucket": bucket, "Key": "source"}
        assert refused(s3.upload_part_copy, **upload, PartNumber=1, CopySource=source) == ("NoSuchUpload", 404)
        assert refused(s3.list_parts, **upload) == ("NoSuchUpload", 404)
        assert refused(complete, s3=s3, upload=upload, parts=[part]) == ("NoSuchUpload", 404)
        assert refused(s3.abort_multipart_upload, **upload) == ("NoSuchUpload", 404)


def test_abort(s3, bucket):
    upload = start(s3, bucket)
    part = put(s3, upload, 1, b"x")
    s3.abort_multipart_upload(**upload)
    assert keys_of(s3, bucket) == []
    assert refused(complete, s3=s3, upload=upload, parts=[part]) == ("NoSuchUpload", 404)
    assert refused(s3.upload_part, **upload, PartNumber=2, Body=b"x") == ("NoSuchUpload", 404)


def test_completing_again_gives_the_same_answer(s3, bucket):
    upload = start(s3, bucket)
    parts = [put(s3, upload, 1, b"x")]
    first, second = complete(s3, upload, parts), complete(s3, upload, parts)
    assert first["ETag"] == second["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert refused(complete, s3=s3, upload=upload, parts=parts) == ("NoSuchUpload", 404)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"newer"


def test_conditional_completion(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    upload = start(s3, bucket)
    parts = [put(s3, upload, 1, b"x")]
    answer = refused(complete, s3=s3, upload=upload, parts=parts, IfNoneMatch="*")
    assert answer == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"there"
    s3.delete_object(Bucket=bucket, Key="k")
    complete(s3, upload, parts, IfNoneMatch="*")


def test_part_copy(s3, bucket, five):
    source = five + five[: 3 * MIB + 11]
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    copy = {"Bucket": bucket, "Key": "source"}
    upload = start(s3, bucket)
    first, last = 70_001, 70_000 + 6 * MIB
    one = s3.upload_part_copy(**upload, PartNumber=1, CopySource=copy, CopySourceRange=f"bytes={first}-{last}")
    piece = source[first : last + 1]
    assert one["CopyPartResult"]["ETag"] == f'"{hashlib.md5(piece).hexdigest()}"'
    two = s3.upload_part_copy(**upload, PartNumber=2, CopySource=copy)
    parts = [{"PartNumber": n, "ETag": part["CopyPartResult"]["ETag"]} for n, part in [(1, one), (2, two)]]
    complete(s3, upload, parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == piece + source


def test_bad_part_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    copy = {"Bucket": bucket, "Key": "source"}
    upload = start(s3, bucket)
    for text in ["bytes=0-10", "bytes=5-", "bytes=-3", "0-3", "bytes=5-2", "bytes=20-30"]:
        answer = refused(s3.upload_part_copy, **upload, PartNumber=1, CopySource=copy, CopySourceRange=text)
        assert answer.status in (400, 416), text
    gone = {"Bucket": bucket, "Key": "none"}
    assert refused(s3.upload_part_copy, **upload, PartNumber=1, CopySource=gone) == ("NoSuchKey", 404)
    unmet = refused(s3.upload_part_copy, **upload, PartNumber=1, CopySource=copy, CopySourceIfMatch='"x"')
    assert unmet == ("PreconditionFailed", 412)
    assert "Parts" not in s3.list_parts(**upload)


def test_listing_parts_in_pages(s3, bucket):
    upload = start(s3, bucket)
    for number in range(1, 8):
        put(s3, upload, number, bytes(number))
    found, marker = [], 0
    for _ in range(10):
        page = s3.list_parts(**upload, MaxParts=3, PartNumberMarker=marker)
        found += [(part["PartNumber"], part["Size"]) for part in page["Parts"]]
        assert page["MaxParts"] == 3 and page["PartNumberMarker"] == marker
        if not page["IsTruncated"]:
            break
        marker = page["NextPartNumberMarker"]
    assert found == [(number, number) for number in range(1, 8)]
    assert "Parts" not in s3.list_parts(**upload, PartNumberMarker=7)


def test_listing_uploads(s3, bucket):
    uploads = [(key, start(s3, bucket, key)["UploadId"]) for key in ["a", "a", "dir/1", "dir/2", "z"]]
    listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert sorted((one["Key"], one["UploadId"]) for one in listed) == sorted(uploads)
    assert [one["Key"] for one in listed] == ["a", "a", "dir/1", "dir/2", "z"]
    page = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [one["Key"] for one in page["Uploads"]] == ["a", "a", "z"]
    assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["dir/"]
    page = s3.list_multipart_uploads(Bucket=bucket, Prefix="dir/")
    assert [one["Key"] for one in page["Uploads"]] == ["dir/1", "dir/2"]
    found, arguments = [], {}
    for _ in range(10):
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1, **arguments)
        found += [(one["Key"], one["UploadId"]) for one in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        arguments = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == [(one["Key"], one["UploadId"]) for one in listed]


def test_open_uploads_go_with_their_bucket(s3, bucket):
    start(s3, bucket)
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.head_bucket, Bucket=bucket).status == 404


def test_transfer_manager(s3, bucket, tmp_path):
    from boto3.s3.transfer import TransferConfig

    body = os.urandom(23 * MIB + 17)
    (tmp_path / "up").write_bytes(body)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file(str(tmp_path / "up"), bucket, "k", Config=config)
    s3.download_file(bucket, "k", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "down").read_bytes() == body


def test_keys_that_xml_cannot_hold(s3, raw, bucket):
    path = f"/{bucket}/a%01b%0D"
    made = raw.call("POST", path, "uploads")
    assert made.status == 200 and b"<Key>a\xef\xbf\xbdb&#13;</Key>" in made.body
    upload = made.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    etag = raw.call("PUT", path, f"partNumber=1&uploadId={upload}", body=b"x").headers["etag"]
    parts = raw.call("GET", path, f"uploadId={upload}")
    assert parts.status == 200 and b"<Key>a\xef\xbf\xbdb&#13;</Key>" in parts.body
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    done = raw.call("POST", path, f"uploadId={upload}", body=body.encode())
    assert done.status == 200 and b"<Key>a\xef\xbf\xbdb&#13;</Key>" in done.body
    assert raw.call("GET", path).body == b"x"
    assert raw.call("DELETE", path).status == 204


def test_part_copies_of_versions_and_odd_names(s3, versioned):
    key = "a b+c/ü&?%d"
    first = s3.put_object(Bucket=versioned, Key=key, Body=b"first")["VersionId"]
    s3.put_object(Bucket=versioned, Key=key, Body=b"second")
    upload = start(s3, versioned, "target")
    for version, body in [(first, b"first"), (None, b"second")]:
        source = {"Bucket": versioned, "Key": key, **({"VersionId": version} if version else {})}
        part = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)
        assert part["CopyPartResult"]["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        assert version is None or part["CopySourceVersionId"] == version
    ranged = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=1-2")
    complete(s3, upload, [{"PartNumber": 1, "ETag": ranged["CopyPartResult"]["ETag"]}])
    assert s3.get_object(Bucket=versioned, Key="target")["Body"].read() == b"ec"


def test_an_upload_that_is_done_takes_no_more(s3, bucket):
    upload = start(s3, bucket)
    parts = [put(s3, upload, 1, b"x")]
    complete(s3, upload, parts)
    assert refused(s3.upload_part, **upload, PartNumber=2, Body=b"x") == ("NoSuchUpload", 404)
    assert refused(s3.list_parts, **upload) == ("NoSuchUpload", 404)
    assert refused(s3.abort_multipart_upload, **upload) == ("NoSuchUpload", 404)


def test_etags_with_and_without_quotes(s3, bucket):
    for change in [str, lambda etag: etag.strip('"')]:
        upload = start(s3, bucket)
        part = put(s3, upload, 1, b"x")
        complete(s3, upload, [{**part, "ETag": change(part["ETag"])}])


def test_attributes_of_parts_in_pages(s3, bucket, five):
    upload = start(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = []
    for number, body in [(2, five), (4, five), (9, b"end")]:
        part = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    complete(s3, upload, parts)
    ask = {"Bucket": bucket, "Key": "k", "ObjectAttributes": ["ObjectParts", "Checksum", "ETag", "ObjectSize"]}
    page = s3.get_object_attributes(**ask, MaxParts=2)["ObjectParts"]
    assert (page["TotalPartsCount"], page["IsTruncated"], page["NextPartNumberMarker"]) == (3, True, 4)
    assert [part["PartNumber"] for part in page["Parts"]] == [2, 4]
    rest = s3.get_object_attributes(**ask, PartNumberMarker=4)
    assert [part["Size"] for part in rest["ObjectParts"]["Parts"]] == [3]
    assert rest["ObjectParts"]["IsTruncated"] is False and rest["ObjectSize"] == 2 * len(five) + 3


def test_answers_say_when_an_upload_is_given_up(s3, bucket):
    rule = {"ID": "abort", "Status": "Enabled", "Filter": {"Prefix": "a/"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 50}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    made = s3.create_multipart_upload(Bucket=bucket, Key="a/k")
    assert made["AbortRuleId"] == "abort" and made["AbortDate"].year >= 2026
    parts = s3.list_parts(Bucket=bucket, Key="a/k", UploadId=made["UploadId"])
    assert parts["AbortRuleId"] == "abort" and abs((parts["AbortDate"] - made["AbortDate"]).total_seconds()) <= 86400
    assert "AbortDate" not in s3.create_multipart_upload(Bucket=bucket, Key="b/k")
