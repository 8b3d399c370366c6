"""What users may ask who are not the administrator: nothing of others, everything of their own."""

import json
import os
import urllib.parse
import uuid

import boto3
import pytest
from botocore.config import Config
from conftest import KEY, Api, put

# The endpoints that answer any user, and tell nothing of anybody else's data.
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/explain/{code}"),
    ("GET", "/api/v1/guides"),
    ("GET", "/api/v1/guides/{guide}"),
    ("GET", "/api/v1/overview"),
    ("GET", "/api/v1/buckets"),
    ("GET", "/api/v1/at"),
    ("GET", "/api/v1/ipfs"),
    ("POST", "/api/v1/tokens"),
    ("POST", "/api/v1/console/link"),
    # Everybody who signs may hold locks; whose a lock is, test_locks.py asks.
    ("GET", "/api/v1/locks"),
    ("GET", "/api/v1/locks/{name}"),
    ("POST", "/api/v1/locks/{name}"),
    ("PUT", "/api/v1/locks/{name}"),
    ("DELETE", "/api/v1/locks/{name}"),
}

# Access denied, no such bucket, key, version or upload. Not: a signature that is wrong.
REFUSED = {"STEAD-0100", "STEAD-0101", "STEAD-0102", "STEAD-0104", "STEAD-0200"}


def is_refused(answer):
    return answer.status in (403, 404) and answer.json["code"] in REFUSED


def new_user(local):
    name = f"user-{uuid.uuid4().hex[:8]}"
    key = local.post("/api/v1/keys", {"name": name})
    api = Api(key=(key["access_key"], key["secret_key"]))
    api.name = name
    return api


@pytest.fixture(scope="module")
def ana(local):
    return new_user(local)


@pytest.fixture(scope="module")
def ben(local):
    return new_user(local)


def s3(api=None):
    access_key, secret_key = api.key if api else KEY
    return boto3.client(
        "s3",
        endpoint_url=os.environ["STEAD_ENDPOINT"],
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture
def home(ana, local):
    """A bucket with versions that is ana's, with an object and one that is deleted."""
    name = f"ana-{uuid.uuid4().hex[:10]}"
    ana.ok("PUT", f"/api/v1/buckets/{name}?versioned=true")
    put(ana, name, "k", b"mine")
    put(ana, name, "gone", b"was mine")
    ana.ok("DELETE", f"/api/v1/objects/{name}/gone")
    return name


def asked(home, upload):
    """What the endpoints that are not only a path are asked with: a query, a body, or both."""
    place = {"bucket": home, "key": "k"}
    target = "?" + urllib.parse.urlencode(place)
    part = {"parts": [[1, "x"]]}
    return {
        ("POST", "/api/v1/copy"): ("", {"source_bucket": home, "source_key": "k", **place}),
        ("POST", "/api/v1/undelete"): ("", {"bucket": home, "key": "gone"}),
        ("POST", "/api/v1/presign"): ("", place),
        ("GET", "/api/v1/zip"): (target, None),
        ("POST", "/api/v1/zip"): ("", {"bucket": home, "keys": [], "prefixes": [""]}),
        ("POST", "/api/v1/uploads"): ("", place),
        ("GET", "/api/v1/uploads/{upload}"): (target, None),
        ("POST", "/api/v1/uploads/{upload}"): (target, part),
        ("DELETE", "/api/v1/uploads/{upload}"): (target, None),
        ("PUT", "/api/v1/uploads/{upload}/{number}"): (target, b"part"),
        ("GET", "/api/v1/why"): (f"?path={home}/k", None),
        ("GET", "/api/v1/log"): (f"?stream=bucket/{home}", None),
        ("GET", "/api/v1/events"): (f"?stream=bucket/{home}", None),
        ("POST", "/api/v1/keys"): ("", {"name": "another"}),
        ("POST", "/api/v1/ipfs/import"): (target, b"car"),
        ("POST", "/api/v1/ipfs/pin"): ("", {**place, "cid": "bafkqaaa", "from": []}),
        ("POST", "/api/v1/ipfs/unpin"): ("", {**place, "cid": "bafkqaaa"}),
        ("GET", "/api/v1/ipfs/export"): (target, None),
        ("POST", "/api/v1/ipfs/publish"): ("", {"bucket": home, "prefix": ""}),
        ("POST", "/api/v1/ipfs/unpublish"): ("", {"bucket": home, "prefix": ""}),
    }


def table(nobody):
    """The router's own table, as the document tells it."""
    paths = nobody.get("/api/v1/openapi.json")["paths"]
    for path, methods in paths.items():
        for method in methods:
            if method in ("get", "put", "post", "delete", "head", "patch"):
                yield method.upper(), path


def test_every_endpoint_refuses_who_has_no_right(ana, ben, nobody, home):
    upload = ana.post("/api/v1/uploads", {"bucket": home, "key": "k"})["upload"]
    position = ana.get("/api/v1/log", stream=f"bucket/{home}")["items"][-1]["position"]
    names = {"bucket": home, "key": "k", "*key": "k", "upload": upload, "number": "1",
             "position": str(position), "access_key": KEY[0], "code": "STEAD-0101", "node": "nobody", "revision": "1"}
    wrong, seen = [], 0
    for method, path in table(nobody):
        if (method, path) in OPEN:
            continue
        whole = path
        for name, text in names.items():
            whole = whole.replace("{%s}" % name, text)
        assert "{" not in whole, f"{path}: name its parts in this test"
        query, body = asked(home, upload).get((method, path), ("", None))
        connection, response = ben.open(method, whole + query, body, timeout=10)
        # Making a bucket that is there already tells only that.
        right = (409,) if (method, path) == ("PUT", "/api/v1/buckets/{bucket}") else (403, 404)
        fits = response.status in right and (409 in right or json.loads(response.read())["code"] in REFUSED)
        if not fits:
            wrong.append((method, path, response.status))
        connection.close()
        seen += 1
    assert not wrong and seen > 25, wrong
    assert ana.ok("GET", f"/api/v1/objects/{home}/k").body == b"mine"
    assert ana.get(f"/api/v1/uploads/{upload}", bucket=home, key="k")["parts"] == []


def test_the_guide_of_outages_tells_how_the_node_is_only_to_who_oversees_it(ana, local):
    listed = ana.get("/api/v1/guides")
    assert {"name": "outage", "room": "Ops"}.items() <= next(one for one in listed if one["name"] == "outage").items()
    assert "live" not in ana.get("/api/v1/guides/outage")
    told = local.get("/api/v1/guides/outage")["live"]
    assert any("leads, and writes are accepted" in fact for fact in told["facts"]), told
    assert "live" not in local.get("/api/v1/guides/first-node")
    problem = local.refused("GET", "/api/v1/guides/outrage", 404)
    assert "outage" in problem["next"]


def test_what_has_more_than_one_form_is_refused_in_each(ana, ben, home):
    own = f"ben-{uuid.uuid4().hex[:10]}"
    ben.ok("PUT", f"/api/v1/buckets/{own}")
    version = ana.get(f"/api/v1/objects/{home}?versions=true")["items"][0]["version"]
    for path in [f"/api/v1/objects/{home}?versions=true", f"/api/v1/objects/{home}?at=1", f"/api/v1/zip?bucket={home}&key=k&at=1",
                 f"/api/v1/zip?bucket={home}&prefix=", "/api/v1/log", "/api/v1/events", "/api/v1/log?last=5",
                 "/api/v1/log?stream=user/root", f"/api/v1/log?stream=bucket/{home}&tenant=system",
                 f"/api/v1/objects/{home}/k?version={version}", "/api/v1/why?cid=bafkqaaa"]:
        assert is_refused(ben("GET", path)), path
    for wanted in [{"method": "PUT"}, {"method": "DELETE"}, {"method": "HEAD"}, {"version": version}]:
        ben.refused("POST", "/api/v1/presign", 403, {"bucket": home, "key": "k", **wanted})
    ben.refused("POST", "/api/v1/presign", 400, {"bucket": own, "key": "", "method": "DELETE"})
    copy = {"source_bucket": home, "source_key": "k", "bucket": own, "key": "c"}
    for more in [{}, {"source_version": version}, {"source_at": "1"}]:
        assert is_refused(ben("POST", "/api/v1/copy", {**copy, **more}))
    put(ben, own, "b", b"b")
    ben.refused("POST", "/api/v1/copy", 403, {"source_bucket": own, "source_key": "b", "bucket": home, "key": "c"})
    shown = ben.get("/api/v1/overview")
    assert shown["warnings"] == [] and [bucket["name"] for bucket in shown["buckets"]] == [own]


def test_of_their_own_users_may_everything(ana, nobody, home):
    target = {"bucket": home, "key": "large"}
    upload = ana.post("/api/v1/uploads", target)["upload"]
    query = urllib.parse.urlencode(target)
    part = ana.ok("PUT", f"/api/v1/uploads/{upload}/1?{query}", b"part").json
    assert ana.get(f"/api/v1/uploads/{upload}", **target)["parts"] == [part]
    ana.post(f"/api/v1/uploads/{upload}?{query}", {"parts": [[1, part["etag"]]]})
    upload = ana.post("/api/v1/uploads", target)["upload"]
    ana.ok("DELETE", f"/api/v1/uploads/{upload}?{query}")
    ana.post("/api/v1/copy", {"source_bucket": home, "source_key": "large", "bucket": home, "key": "copy"})
    assert ana.post("/api/v1/undelete", {"bucket": home, "key": "gone"})["marker_removed"]
    assert ana.ok("GET", f"/api/v1/zip?bucket={home}&key=k&prefix=").body
    assert ana.post("/api/v1/presign", {"bucket": home, "key": "k"})["url"]
    stream = f"bucket/{home}"
    lines = ana.get("/api/v1/log", stream=stream)["items"]
    assert lines and {line["line"]["stream"] for line in lines} == {stream}
    assert ana.get(f"/api/v1/log/{lines[-1]['position']}")["prev_ok"]
    connection, response = ana.open("GET", f"/api/v1/events?stream={stream}&from=1")
    assert response.status == 200
    connection.close()
    for path in [f"/api/v1/meta/{home}/k", f"/api/v1/history/{home}", f"/api/v1/timeline/{home}", f"/api/v1/why?path={home}/k"]:
        ana.get(path)
    ana.post("/api/v1/ipfs/publish", {"bucket": home, "prefix": ""})
    assert home in [found["bucket"] for found in ana.get("/api/v1/ipfs")["published"]]
    ana.post("/api/v1/ipfs/unpublish", {"bucket": home, "prefix": ""})


def test_what_others_published_is_not_listed(ana, ben, home):
    ana.post("/api/v1/ipfs/publish", {"bucket": home, "prefix": ""})
    assert home not in [found["bucket"] for found in ben.get("/api/v1/ipfs")["published"]]


def test_a_token_is_no_wider_than_its_maker(ana, ben, home):
    for scope in [{}, {"buckets": [home]}, {"read_only": True}, {"read_only": True, "buckets": [home]}]:
        token = Api(token=ben.post("/api/v1/tokens", {"scope": scope})["token"])
        token.refused("GET", f"/api/v1/objects/{home}/k", 403)
        token.refused("PUT", f"/api/v1/objects/{home}/k", 403, b"x")
        token.refused("GET", f"/api/v1/log?stream=bucket/{home}", 403)
        token.refused("GET", "/api/v1/status", 403)
        # A session would have the whole key, and last longer.
        token.refused("POST", "/api/v1/console/link", 403)
        assert home not in [bucket["name"] for bucket in token.get("/api/v1/buckets")["items"]]
    own = Api(token=ana.post("/api/v1/tokens", {"scope": {"read_only": True, "buckets": [home]}})["token"])
    assert own.ok("GET", f"/api/v1/objects/{home}/k").body == b"mine"
    own.refused("PUT", f"/api/v1/objects/{home}/k", 403, b"x")


def test_a_policy_binds_the_administrators_key_and_not_the_socket(ana, local, home):
    root = Api(key=KEY)
    assert root.ok("GET", f"/api/v1/objects/{home}/k").body == b"mine"
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject*", "s3:ListBucket*", "s3:PutBucketWebsite"],
            "Resource": [f"arn:aws:s3:::{home}", f"arn:aws:s3:::{home}/*"]}
    s3(ana).put_bucket_policy(Bucket=home, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    for api in [root, ana, Api(token=local.post("/api/v1/tokens", {})["token"])]:
        for path in [f"/api/v1/objects/{home}/k", f"/api/v1/objects/{home}", f"/api/v1/meta/{home}/k", f"/api/v1/zip?bucket={home}&key=k",
                     f"/api/v1/zip?bucket={home}&prefix=", f"/api/v1/history/{home}/k", f"/api/v1/objects/{home}?versions=true"]:
            api.refused("GET", path, 403)
        api.refused("POST", "/api/v1/ipfs/publish", 403, {"bucket": home, "prefix": ""})
    assert local.ok("GET", f"/api/v1/objects/{home}/k").body == b"mine"


def test_what_a_policy_allows_is_allowed(ana, ben, home):
    allow = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{home}/shared/*"}
    s3(ana).put_bucket_policy(Bucket=home, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    target = {"bucket": home, "key": "shared/large"}
    upload = ben.post("/api/v1/uploads", target)["upload"]
    query = urllib.parse.urlencode(target)
    part = ben.ok("PUT", f"/api/v1/uploads/{upload}/1?{query}", b"part").json
    ben.post(f"/api/v1/uploads/{upload}?{query}", {"parts": [[1, part["etag"]]]})
    assert ben.ok("GET", f"/api/v1/zip?bucket={home}&key=shared/large").body
    assert ben.post("/api/v1/presign", {"bucket": home, "key": "shared/large"})["url"]
    ben.refused("POST", "/api/v1/presign", 403, {"bucket": home, "key": "k"})
    assert is_refused(ben("GET", f"/api/v1/zip?bucket={home}&key=shared/large&key=k"))


def test_what_a_bucket_was_before_is_not_its_new_owners(ana, ben, local):
    name = f"reused-{uuid.uuid4().hex[:10]}"
    ana.ok("PUT", f"/api/v1/buckets/{name}")
    then = put(ana, name, "secret", b"ana's")["position"]
    ana.ok("DELETE", f"/api/v1/objects/{name}/secret")
    ana.ok("DELETE", f"/api/v1/buckets/{name}")
    ben.ok("PUT", f"/api/v1/buckets/{name}")
    put(ben, name, "k", b"ben's")
    for path in [f"/api/v1/objects/{name}?at={then}", f"/api/v1/objects/{name}/secret?at={then}", f"/api/v1/meta/{name}/secret",
                 f"/api/v1/history/{name}/secret", f"/api/v1/why?path={name}/secret", f"/api/v1/log/{then}",
                 f"/api/v1/zip?bucket={name}&key=secret&at={then}"]:
        assert ben("GET", path).status == 404, path
    assert ben("POST", "/api/v1/undelete", {"bucket": name, "key": "secret"}).status == 404
    for query in [{}, {"from": 1}, {"last": 1000}]:
        lines = ben.get("/api/v1/log", stream=f"bucket/{name}", **query)["items"]
        assert lines and min(line["position"] for line in lines) > then
    assert "secret" not in json.dumps(ben.get(f"/api/v1/history/{name}"))
    assert local.get(f"/api/v1/history/{name}/secret?full=1")["items"]
