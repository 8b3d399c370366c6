"""Who may ask: signatures, tokens, the socket; and what is told without any."""

import http.client
import time
import urllib.parse

from conftest import KEY, Api, put


def test_signatures_are_taken_and_without_one_nothing_is_told(nobody, bucket):
    assert Api(key=KEY).get("/api/v1/status")["running"]
    assert Api(key=KEY).refused("GET", "/api/v1/objects/nope-nope", 404)["code"] == "STEAD-0100"
    nobody.refused("GET", f"/api/v1/objects/{bucket}", 403)
    Api(key=(KEY[0], "wrong-secret-wrong")).refused("GET", "/api/v1/status", 403)
    for path in ["/healthz", "/metrics", "/api/v1/openapi.json", "/api/v1/explain/STEAD-0101"]:
        assert nobody.ok("GET", path).body


def test_tokens_work_in_header_and_url_and_only_for_reading_in_the_url(local, nobody, bucket):
    token = local.post("/api/v1/tokens", {"expires_s": 60})["token"]
    put(Api(token=token), bucket, "a", b"a")
    answer = nobody("GET", f"/api/v1/objects/{bucket}/a?token={token}")
    assert (answer.status, answer.body) == (200, b"a")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert nobody("PUT", f"/api/v1/objects/{bucket}/b?token={token}", b"b").status >= 400


def test_a_forged_or_expired_token_is_refused(local, nobody):
    token = local.post("/api/v1/tokens", {"expires_s": 1})["token"]
    form, claims, mac = token.split(".")
    for bad in [f"{form}.{claims}.{mac[:-2]}AA", f"{form}.{claims}x.{mac}", "st1..", "x", token + ".y"]:
        assert Api(token=bad).refused("GET", "/api/v1/overview", 401)["code"] == "STEAD-0208"
    time.sleep(1.2)
    Api(token=token).refused("GET", "/api/v1/overview", 401)


def test_a_token_never_outgrows_its_maker(local, bucket):
    narrow = local.post("/api/v1/tokens", {"expires_s": 5, "scope": {"read_only": True, "buckets": [bucket]}})
    put(local, bucket, "a", b"a")
    reader = Api(token=narrow["token"])
    assert reader.ok("GET", f"/api/v1/objects/{bucket}/a").body == b"a"
    reader.refused("PUT", f"/api/v1/objects/{bucket}/b", 403, b"b")
    reader.refused("GET", "/api/v1/log", 403)
    assert reader.ok("GET", f"/api/v1/log?stream=bucket/{bucket}").json["items"]
    wider = reader.post("/api/v1/tokens", {"expires_s": 3600, "scope": {}})
    assert wider["expires"] <= narrow["expires"]
    Api(token=wider["token"]).refused("PUT", f"/api/v1/objects/{bucket}/b", 403, b"b")
    reader.refused("POST", "/api/v1/tokens", 403, {"scope": {"buckets": ["another"]}})
    reader.refused("POST", "/api/v1/keys", 403, {"name": "x"})
    local.refused("POST", "/api/v1/tokens", 400, {"expires_s": 86400 * 30})


def test_a_token_ends_with_its_key(local):
    key = local.post("/api/v1/keys", {"name": "passing", "scope": {"read_only": True}})
    token = Api(key=(key["access_key"], key["secret_key"])).post("/api/v1/tokens", {})["token"]
    Api(token=token).get("/api/v1/buckets")
    local.ok("DELETE", f"/api/v1/keys/{key['access_key']}")
    Api(token=token).refused("GET", "/api/v1/buckets", 401)


def test_presigned_urls_work_without_a_key(local, versioned):
    first = put(local, versioned, "a b/ü.txt", b"one")
    put(local, versioned, "a b/ü.txt", b"two")
    for version, body in [(None, b"two"), (first["version"], b"one")]:
        wanted = {"bucket": versioned, "key": "a b/ü.txt", "expires_s": 60}
        if version:
            wanted["version"] = version
        url = urllib.parse.urlsplit(local.post("/api/v1/presign", wanted)["url"])
        connection = http.client.HTTPConnection(url.netloc, timeout=10)
        connection.request("GET", f"{url.path}?{url.query}")
        assert connection.getresponse().read() == body
    local.refused("POST", "/api/v1/presign", 400, {"bucket": versioned, "key": "x", "expires_s": 10**7})
    local.refused("POST", "/api/v1/presign", 400, {"bucket": versioned, "key": "x", "method": "POST"})
