"""Users of the node under test, made by its own command line."""

import functools
import json
import os
import subprocess

import boto3
from botocore import UNSIGNED
from botocore.config import Config

ALL = "http://acs.amazonaws.com/groups/global/AllUsers"
KNOWN = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def _client(**arguments):
    return boto3.client(
        "s3",
        endpoint_url=os.environ["STEAD_ENDPOINT"],
        region_name=os.environ.get("STEAD_REGION", "us-east-1"),
        **arguments,
    )


_PLAIN = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}}


def anonymous_client():
    return _client(config=Config(signature_version=UNSIGNED, **_PLAIN))


def make_key(name, *options):
    """`stead key create`: access_key, secret_key and id."""
    command = [os.environ["STEAD_BIN"], "--data", os.environ["STEAD_DATA"], "key", "create", name, *options, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


class User:
    """A user with a key that has no scope."""

    def __init__(self, name, *options):
        key = make_key(name, *options)
        self.name, self.id = name, key["id"]
        self.access_key, self.secret_key = key["access_key"], key["secret_key"]

    @functools.cached_property
    def s3(self):
        return _client(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(**_PLAIN),
        )


def grants(answer):
    """An access control list as (grantee, permission), in order."""
    found = []
    for grant in answer["Grants"]:
        grantee = grant["Grantee"]
        assert grantee["Type"] == ("Group" if "URI" in grantee else "CanonicalUser")
        found.append((grantee.get("URI") or grantee["ID"], grant["Permission"]))
    return found


def a_list(owner, *pairs):
    """An AccessControlPolicy of an owner's canonical id and (grantee, permission) pairs."""
    def grantee(to):
        return {"Type": "Group", "URI": to} if to.startswith("http") else {"Type": "CanonicalUser", "ID": to}
    return {"Owner": {"ID": owner}, "Grants": [{"Grantee": grantee(to), "Permission": what} for to, what in pairs]}
