"""Object CIDs compared with an independent implementation (npm ipfs-unixfs-importer, unixfs-v1-2025).

Run by `cargo xtask test --only cids`; the argument is the directory of unixfs-cids.mjs and its packages.
"""

import os
import subprocess
import sys

import boto3
from botocore.config import Config

MIB = 1024 * 1024
SIZES = [0, 1, 1000, MIB - 1, MIB, MIB + 1, 5 * MIB, 5 * MIB + 12345, 20 * MIB]
PATH = os.path.join(os.environ["WORK"], "file")
s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["STEAD_ENDPOINT"],
    config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
)


def independent(data):
    """The CID that the other implementation gives these bytes."""
    with open(PATH, "wb") as file:
        file.write(data)
    command = ["node", os.path.join(sys.argv[1], "unixfs-cids.mjs"), PATH]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def cid_of(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"]


def check(what, got, wanted):
    print("ok " if got == wanted else "BAD", what, got)
    assert got == wanted, f"{what}: {got}, the other implementation says {wanted}"


def multipart(key, parts):
    upload = s3.create_multipart_upload(Bucket="cids", Key=key)["UploadId"]
    done = []
    for number, part in enumerate(parts, 1):
        answer = s3.upload_part(Bucket="cids", Key=key, UploadId=upload, PartNumber=number, Body=part)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(Bucket="cids", Key=key, UploadId=upload, MultipartUpload={"Parts": done})
    return cid_of(s3.head_object(Bucket="cids", Key=key))


def main():
    s3.create_bucket(Bucket="cids")
    for size in SIZES:
        data = os.urandom(size)
        wanted = independent(data)
        check(f"put of {size}", cid_of(s3.put_object(Bucket="cids", Key=f"put-{size}", Body=data)), wanted)
        check(f"head of {size}", cid_of(s3.head_object(Bucket="cids", Key=f"put-{size}")), wanted)
        got = s3.get_object(Bucket="cids", Key=f"put-{size}")
        check(f"get of {size}", cid_of(got), wanted)
        assert got["Body"].read() == data

    # Parts of whole MiB give the CID of the whole file.
    data = os.urandom(17 * MIB + 99)
    parts = [data[: 5 * MIB], data[5 * MIB : 11 * MIB], data[11 * MIB :]]
    check("multipart of whole MiB", multipart("whole", parts), independent(data))
    s3.copy_object(Bucket="cids", Key="copy", CopySource={"Bucket": "cids", "Key": "whole"})
    check("a copy of it", cid_of(s3.head_object(Bucket="cids", Key="copy")), independent(data))

    # Other parts give another tree over the same bytes.
    parts = [data[: 5 * MIB + 1], data[5 * MIB + 1 :]]
    multipart("odd", parts)
    assert s3.get_object(Bucket="cids", Key="odd")["Body"].read() == data
    part = s3.get_object(Bucket="cids", Key="odd", Range=f"bytes={5 * MIB - 3}-{6 * MIB + 7}")["Body"].read()
    assert part == data[5 * MIB - 3 : 6 * MIB + 8]
    print("all well")


main()
