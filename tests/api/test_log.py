"""The log: filters, proofs, and live."""

import base64
import hashlib
import json
import threading

from conftest import Api, pages, put


def read_events(response, count):
    """The next so many events of a stream: (id, data, the line's bytes)."""
    found, position = [], None
    while len(found) < count:
        line = response.readline()
        assert line, "the stream ended"
        if line.startswith(b"id: "):
            position = int(line[4:])
        if line.startswith(b"data: "):
            data = line[6:-1]
            raw = data[data.index(b'"line":') + 7 : -1]
            found.append((position, json.loads(data), raw))
    return found


def cid_of(line):
    code = b"\x01\xa9\x02\x12\x20" + hashlib.sha256(line).digest()
    return "b" + base64.b32encode(code).decode().lower().rstrip("=")


def test_filters_look_at_the_top_of_a_line_only(local, bucket):
    put(local, bucket, "k", b"1", x_stead_meta_stream="bucket/other", x_stead_meta_kind="key.created")
    lines = pages(local, "/api/v1/log", stream=f"bucket/{bucket}")
    assert [line["line"]["kind"] for line in lines] == ["bucket.created", "object.put"]
    assert not [l for l in pages(local, "/api/v1/log", stream="bucket/other") if l["line"]["body"].get("key") == "k"]
    last = local.get("/api/v1/log", last=1, stream=f"bucket/{bucket}")["items"]
    assert last == lines[-1:]
    before = local.get("/api/v1/log", last=1, before=lines[1]["position"], stream=f"bucket/{bucket}")["items"]
    assert before == lines[:1]
    at = lines[1]["line"]["at"]
    assert lines[1] in pages(local, "/api/v1/log", since=at, until=at)
    local.refused("GET", "/api/v1/log?since=yesterday", 400)


def test_a_line_is_proven_without_stead(local, bucket):
    put(local, bucket, "k", b"1")
    line = local.get("/api/v1/log", last=1, stream=f"bucket/{bucket}")["items"][0]
    put(local, bucket, "l", b"1")
    proven = local.get(f"/api/v1/log/{line['position']}")
    assert proven["prev_ok"] and proven["proof"]["next_ok"] and proven["line"] == line["line"]
    assert cid_of(proven["text"].encode()) == proven["cid"] == line["cid"]
    assert hashlib.sha256(proven["text"].encode()).hexdigest() == proven["proof"]["sha256"]
    assert proven["line"]["prev"]["/"] == proven["proof"]["previous"]
    local.refused("GET", "/api/v1/log/99999999", 404)
    local.refused("GET", "/api/v1/log/0", 404)


def test_events_come_live_and_resume_where_they_stopped(local, bucket):
    token = local.post("/api/v1/tokens", {})["token"]
    api = Api(token=token)
    stream = f"/api/v1/events?stream=bucket/{bucket}&kind=object.*"
    connection, live = api.open("GET", stream)
    assert live.headers["content-type"] == "text/event-stream"
    assert live.readline().startswith(b"retry:")
    stored = [put(local, bucket, f"k{n}", b"1")["position"] for n in range(5)]
    seen = read_events(live, 5)
    connection.close()
    assert [position for position, _, _ in seen] == stored
    for _, data, raw in seen:
        assert cid_of(raw) == data["cid"] and json.loads(raw) == data["line"]
    connection, again = api.open("GET", stream, headers={"last-event-id": str(stored[1])})
    assert [position for position, _, _ in read_events(again, 3)] == stored[2:]
    connection.close()
    connection, past = api.open("GET", stream + f"&from={stored[0]}")
    assert [position for position, _, _ in read_events(past, 5)] == stored
    connection.close()


def test_a_slow_subscriber_misses_nothing(local, bucket):
    api = Api(token=local.post("/api/v1/tokens", {})["token"])
    connection, slow = api.open("GET", f"/api/v1/events?stream=bucket/{bucket}", timeout=120)
    text = "x" * 1500

    def write(writer):
        for n in range(250):
            put(local, bucket, f"{writer}/{n}", b"", x_stead_meta_pad=text)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    [writer.start() for writer in writers]
    [writer.join() for writer in writers]
    seen = [position for position, _, _ in read_events(slow, 1000)]
    connection.close()
    stored = [line["position"] for line in pages(local, "/api/v1/log", stream=f"bucket/{bucket}", limit=1000)]
    assert seen == stored[1:]


def test_what_the_console_draws_is_there(local, bucket):
    overview = local.get("/api/v1/overview")
    assert overview["node"]["uptime_s"] >= 0 and overview["space"]["total"] > overview["space"]["free"] > 0
    assert any(found["name"] == bucket for found in overview["buckets"])
    assert set(overview["rates"]) >= {"requests_per_s", "bytes_in_per_s", "bytes_out_per_s"}
    for warning in overview["warnings"]:
        assert warning["what"] and local.get(warning["explain"])["code"] == warning["code"]
    series = local.get("/api/v1/series", names="requests,rss_bytes")
    assert series["step_s"] == 10 and [one["name"] for one in series["series"]] == ["requests", "rss_bytes"]
    local.refused("GET", "/api/v1/series?names=nonsense", 400)
    assert "checkpoint" in local.get("/api/v1/upkeep")
    steps = local.ok("POST", "/api/v1/scrub").body.splitlines()
    assert json.loads(steps[-1])["result"]["damaged"] == []
    assert local.get("/api/v1/upkeep")["scrub"]["complete"]
