"""Metadata, the past, bringing back, zips."""

import io
import subprocess
import urllib.parse
import zipfile

from conftest import put


def test_meta_tells_everything_and_pages_states(local, versioned):
    for n in range(3):
        last = put(local, versioned, "a/b.txt", b"x" * n, content_type="text/plain", x_stead_meta_who="ana")
    meta = local.get(f"/api/v1/meta/{versioned}/a/b.txt", limit=2)
    assert meta["version"] == last["version"] and meta["cid"] == last["cid"] and meta["size"] == 2
    assert meta["headers"]["content-type"] == "text/plain" and meta["metadata"] == {"who": "ana"}
    assert meta["actor"] and meta["via"] == "api" and meta["listed"]
    rest = local.get(f"/api/v1/meta/{versioned}/a/b.txt", limit=2, cursor=meta["versions"]["next"])
    sizes = [state["size"] for state in meta["versions"]["items"] + rest["versions"]["items"]]
    assert sizes == [2, 1, 0] and "next" not in rest["versions"]
    early = local.get(f"/api/v1/meta/{versioned}/a/b.txt", at=meta["position"] - 1)
    assert early["size"] == 1
    local.refused("GET", f"/api/v1/meta/{versioned}/none", 404)


def test_undelete_brings_back_with_and_without_versions(local, versioned, bucket):
    for name, marker in [(versioned, True), (bucket, False)]:
        put(local, name, "k", b"kept")
        local.refused("POST", "/api/v1/undelete", 412, {"bucket": name, "key": "k"})
        local.ok("DELETE", f"/api/v1/objects/{name}/k")
        local.refused("GET", f"/api/v1/objects/{name}/k", 404)
        back = local.post("/api/v1/undelete", {"bucket": name, "key": "k"})
        assert back["marker_removed"] == marker
        assert local.ok("GET", f"/api/v1/objects/{name}/k").body == b"kept"
    local.refused("POST", "/api/v1/undelete", 404, {"bucket": bucket, "key": "never"})


def test_an_older_state_is_restored_by_a_copy(local, bucket):
    first = put(local, bucket, "k", b"old")
    put(local, bucket, "k", b"new")
    copy = {"source_bucket": bucket, "source_key": "k", "source_at": str(first["position"]), "bucket": bucket}
    local.post("/api/v1/copy", copy | {"key": "k"})
    assert local.ok("GET", f"/api/v1/objects/{bucket}/k").body == b"old"
    at = local.get("/api/v1/timeline/" + bucket)
    assert at["first"]["position"] < first["position"] < at["last"]["position"]
    assert local.get("/api/v1/at", time=at["last"]["time"])["position"] >= first["position"]


def test_a_zip_holds_what_was_there_under_names_that_stay_inside(local, nobody, bucket, tmp_path):
    large = bytes(range(256)) * 4096 * 3  # three blocks
    wanted = {"a/one.txt": b"one", "a/large": large, "a/empty": b"", "ü/../x": b"odd"}
    for key, body in wanted.items():
        put(local, bucket, key, body)
    position = local.get("/api/v1/overview")["position"]
    put(local, bucket, "a/one.txt", b"changed")
    answer = local.ok("POST", "/api/v1/zip", {"bucket": bucket, "prefixes": [""], "at": str(position)})
    assert int(answer.headers["content-length"]) == len(answer.body)
    made = zipfile.ZipFile(io.BytesIO(answer.body))
    assert made.testzip() is None
    names = {"a/one.txt", "a/large", "a/empty", "ü/__/x"}
    assert set(made.namelist()) == names
    assert made.read("a/one.txt") == b"one" and made.read("a/large") == large
    file = tmp_path / "all.zip"
    file.write_bytes(answer.body)
    assert subprocess.run(["unzip", "-tq", file], capture_output=True).returncode == 0
    token = local.post("/api/v1/tokens", {})["token"]
    query = urllib.parse.urlencode([("bucket", bucket), ("key", "a/one.txt"), ("key", "a/empty"), ("token", token)])
    some = zipfile.ZipFile(io.BytesIO(nobody.ok("GET", f"/api/v1/zip?{query}").body))
    assert some.read("a/one.txt") == b"changed" and some.read("a/empty") == b""
    local.refused("POST", "/api/v1/zip", 404, {"bucket": bucket, "keys": ["none"]})
    local.refused("POST", "/api/v1/zip", 400, {"bucket": bucket})
