"""What every test of the S3 gateway starts from.

The server is given by STEAD_ENDPOINT, STEAD_ACCESS_KEY and STEAD_SECRET_KEY. Each test has a bucket of its
own, which is emptied and removed behind it.
"""

import itertools
import os
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from raw import Raw
from users import User, anonymous_client

ENDPOINT = os.environ["STEAD_ENDPOINT"]
ACCESS_KEY = os.environ["STEAD_ACCESS_KEY"]
SECRET_KEY = os.environ["STEAD_SECRET_KEY"]
REGION = os.environ.get("STEAD_REGION", "us-east-1")

_number = itertools.count()


def make_client(access_key=ACCESS_KEY, secret_key=SECRET_KEY, **config):
    """A boto3 client that does not retry: a test wants to see the first answer."""
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=REGION,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config),
    )


@pytest.fixture(scope="session")
def s3():
    return make_client()


@pytest.fixture(scope="session")
def raw():
    return Raw(ENDPOINT, ACCESS_KEY, SECRET_KEY, REGION)


@pytest.fixture(scope="session")
def ana():
    """An ordinary user, with everything that is hers."""
    return User("ana")


@pytest.fixture(scope="session")
def ben():
    """Another."""
    return User("ben")


@pytest.fixture(scope="session")
def anonymous():
    """Nobody in particular: requests without a signature."""
    return anonymous_client()


@pytest.fixture
def home(ana, s3):
    """A bucket of ana's."""
    name = new_bucket(ana.s3)
    yield name
    clear(s3, name)


def clear(s3, name):
    """Removes a bucket, whatever protects it from its owner."""
    try:
        s3.delete_bucket_policy(Bucket=name)
        empty(s3, name)
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def empty(s3, bucket):
    """Removes every object, version, delete marker and open upload."""
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        gone = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in gone]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


def new_bucket(s3):
    name = f"test-{uuid.uuid4().hex[:12]}-{next(_number)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def bucket(s3):
    name = new_bucket(s3)
    yield name
    clear(s3, name)


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


class Refused:
    """The code and status of a refused boto3 call."""

    def __init__(self, error):
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"].get("Message", "")
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        self.headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        self.response = error.response

    def __eq__(self, other):
        return (self.code, self.status) == other

    def __repr__(self):
        return f"({self.code!r}, {self.status}): {self.message}"


def refused(call, **arguments):
    """Makes a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return Refused(caught.value)


def keys_of(s3, bucket):
    """All that a bucket shows: keys, versions, and open uploads. Empty where nothing was stored."""
    versions = s3.list_object_versions(Bucket=bucket)
    found = [one["Key"] for one in versions.get("Versions", []) + versions.get("DeleteMarkers", [])]
    uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return sorted(found) + [("upload", upload["Key"]) for upload in uploads]
