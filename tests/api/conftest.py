"""What every test of the HTTP API starts from.

The server is given by STEAD_API, STEAD_DATA (for its socket), STEAD_ENDPOINT, STEAD_ACCESS_KEY and
STEAD_SECRET_KEY. Requests are signed by botocore, not by code of ours.
"""

import hashlib
import http.client
import itertools
import json
import os
import socket
import urllib.parse
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

API = os.environ["STEAD_API"].rstrip("/")
if "://" not in API:
    API = "http://" + API
HOST = urllib.parse.urlsplit(API).netloc
KEY = (os.environ["STEAD_ACCESS_KEY"], os.environ["STEAD_SECRET_KEY"])
SOCKET = os.path.join(os.environ["STEAD_DATA"], "stead.sock")

_number = itertools.count()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:500]!r}"


class Api:
    """Sends requests: signed, with a token, over the socket, or with nothing."""

    def __init__(self, key=None, token=None, local=False):
        self.key, self.token, self.local = key, token, local

    def open(self, method, path, body=None, headers=None, timeout=30):
        headers = dict(headers or {})
        # botocore signs a query as it is, and a slash in it is signed escaped.
        path, mark, query = path.partition("?")
        path += mark + query.replace("/", "%2F")
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        if self.local:
            connection = http.client.HTTPConnection("stead", timeout=timeout)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(timeout)
            connection.sock.connect(SOCKET)
        else:
            connection = http.client.HTTPConnection(HOST, timeout=timeout)
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        if self.key:
            hashed = {"X-Amz-Content-SHA256": hashlib.sha256(body or b"").hexdigest()}
            request = AWSRequest(method=method, url=API + path, data=body or b"", headers=hashed)
            SigV4Auth(Credentials(*self.key), "stead", "stead").add_auth(request)
            headers.update(dict(request.headers.items()))
        connection.request(method, path, body=body, headers=headers)
        return connection, connection.getresponse()

    def __call__(self, method, path, body=None, headers=None):
        connection, response = self.open(method, path, body, headers)
        answer = Answer(response.status, response.getheaders(), response.read())
        connection.close()
        return answer

    def ok(self, method, path, body=None, headers=None):
        answer = self(method, path, body, headers)
        assert 200 <= answer.status < 300, answer
        return answer

    def get(self, path, **query):
        text = urllib.parse.urlencode(query, doseq=True)
        return self.ok("GET", path + ("?" + text if text else "")).json

    def post(self, path, body):
        return self.ok("POST", path, body).json

    def refused(self, method, path, status, body=None):
        """A problem document of that status."""
        answer = self(method, path, body)
        assert answer.status == status, answer
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json
        assert problem["status"] == status and problem["code"].startswith("STEAD-"), problem
        assert problem["title"] and problem["detail"] and problem["next"], problem
        assert problem["type"].endswith(problem["code"])
        return problem


@pytest.fixture(scope="session")
def local():
    return Api(local=True)


@pytest.fixture(scope="session")
def nobody():
    return Api()


@pytest.fixture
def bucket(local):
    name = f"api-{uuid.uuid4().hex[:10]}-{next(_number)}"
    local.ok("PUT", f"/api/v1/buckets/{name}")
    return name


@pytest.fixture
def versioned(local):
    name = f"api-{uuid.uuid4().hex[:10]}-{next(_number)}"
    local.ok("PUT", f"/api/v1/buckets/{name}?versioned=true")
    return name


def put(api, bucket, key, body, **headers):
    path = f"/api/v1/objects/{bucket}/{urllib.parse.quote(key)}"
    return api.ok("PUT", path, body, {name.replace("_", "-"): value for name, value in headers.items()}).json


def pages(api, path, **query):
    """Every item of a list."""
    found, cursor = [], None
    while True:
        page = api.get(path, **query, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page.get("next")
        if not cursor:
            return found
