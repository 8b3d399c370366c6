"""Named locks: one holder, leases that run out, tokens that fence writes off."""

import os
import subprocess
import threading
import time
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import KEY, Api, put


@pytest.fixture
def name():
    return f"test/{uuid.uuid4().hex[:12]}"


def acquire(api, name, **wanted):
    return api.post(f"/api/v1/locks/{name}", wanted)


def release(api, name, token):
    return api.ok("DELETE", f"/api/v1/locks/{name}?fencing_token={token}")


def user(local, **scope):
    key = local.post("/api/v1/keys", {"name": f"u{uuid.uuid4().hex[:8]}", "scope": scope})
    return Api(key=(key["access_key"], key["secret_key"]))


def test_one_holds_it_and_the_next_has_a_higher_token(local, name):
    first = acquire(local, name, owner="first")
    assert (first["name"], first["owner"], first["ttl_s"]) == (name, "first", 15)
    problem = local.refused("POST", f"/api/v1/locks/{name}", 409, {"owner": "second"})
    assert problem["code"] == "STEAD-0125" and "first" in problem["detail"]
    assert local.get(f"/api/v1/locks/{name}")["token"] == first["token"]
    assert name in [lock["name"] for lock in local.get("/api/v1/locks", limit=1000)["items"]]
    release(local, name, first["token"])
    assert local.refused("GET", f"/api/v1/locks/{name}", 404)["code"] == "STEAD-0127"
    second = acquire(local, name)
    assert second["token"] > first["token"]
    # Who held it before can neither renew nor release what is another's now.
    for method, path, body in [
        ("PUT", f"/api/v1/locks/{name}", {"token": first["token"]}),
        ("DELETE", f"/api/v1/locks/{name}?fencing_token={first['token']}", None),
    ]:
        assert local.refused(method, path, 409, body)["code"] == "STEAD-0126"
    release(local, name, second["token"])


def test_the_same_request_is_granted_once(local, name):
    one = acquire(local, name, request="drawn-once", ttl_s=5)
    again = acquire(local, name, request="drawn-once", ttl_s=5)
    assert one["token"] == again["token"]
    stranger = user(local)
    stranger.refused("POST", f"/api/v1/locks/{name}", 409, {"request": "drawn-once"})
    release(local, name, one["token"])


def test_a_lease_runs_out_without_signs_of_life_and_not_with_them(local, name):
    held = acquire(local, name, ttl_s=2)
    for _ in range(8):
        time.sleep(0.5)
        local.ok("PUT", f"/api/v1/locks/{name}", {"token": held["token"]})
    assert local.get(f"/api/v1/locks/{name}")["token"] == held["token"]
    began = time.monotonic()
    after = acquire(local, name, owner="next", wait_s=20)
    waited = time.monotonic() - began
    assert after["token"] > held["token"]
    assert waited >= 1.9, f"the lease was {waited:.2f} s long, of 2"
    local.refused("PUT", f"/api/v1/locks/{name}", 409, {"token": held["token"]})
    release(local, name, after["token"])
    items = local.get("/api/v1/log", stream=f"lock/{name}")["items"]
    lines = [item["line"] for item in items]
    assert [(e["kind"], e["body"].get("why")) for e in lines] == [
        ("lock.acquired", None),
        ("lock.released", "expired"),
        ("lock.acquired", None),
        ("lock.released", "released"),
    ]


def test_many_that_wait_have_it_one_after_the_other(local, name):
    inside, most, tokens, failed = [0], [0], [], []
    guard = threading.Lock()

    def work():
        try:
            held = acquire(local, name, wait_s=55, ttl_s=30)
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                tokens.append(held["token"])
            time.sleep(0.05)
            with guard:
                inside[0] -= 1
            release(local, name, held["token"])
        except Exception as error:  # noqa: BLE001: told by the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and most[0] == 1
    assert len(tokens) == 12 and tokens == sorted(tokens)


def test_a_write_with_a_token_is_refused_when_the_lock_is_lost(local, bucket, name):
    held = acquire(local, name)
    fence = {"x-stead-lock": f"{name}={held['token']}"}
    path = f"/api/v1/objects/{bucket}/report"
    local.ok("PUT", path, b"one", fence)
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["STEAD_ENDPOINT"],
        aws_access_key_id=KEY[0],
        aws_secret_access_key=KEY[1],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    s3.meta.events.register("before-sign.s3", lambda request, **_: request.headers.add_header(*fence_pair(fence)))
    s3.put_object(Bucket=bucket, Key="report", Body=b"two")
    # Somebody else has the lock now.
    local.ok("DELETE", f"/api/v1/locks/{name}?force=true")
    after = acquire(local, name)
    for change in [
        lambda: s3.put_object(Bucket=bucket, Key="report", Body=b"late"),
        lambda: s3.put_object(Bucket=bucket, Key="report", Body=b"l" * 3_000_000),
        lambda: s3.delete_object(Bucket=bucket, Key="report"),
        lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/report"),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="report"),
    ]:
        with pytest.raises(ClientError) as refused:
            change()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert s3.get_object(Bucket=bucket, Key="report")["Body"].read() == b"two"
    for method in ["PUT", "DELETE"]:
        answer = local(method, path, b"late" if method == "PUT" else None, fence)
        assert (answer.status, answer.json["code"]) == (409, "STEAD-0126")
    local.ok("PUT", path, b"three", {"x-stead-lock": f"{name}={after['token']}"})
    release(local, name, after["token"])


def fence_pair(fence):
    return next(iter(fence.items()))


def test_whose_lock_it_is_and_who_may_lock(local, nobody, bucket, name):
    one, two, root = user(local), user(local), Api(key=KEY)
    held = acquire(one, name)
    for other in [two]:
        other.refused("PUT", f"/api/v1/locks/{name}", 409, {"token": held["token"]})
        other.refused("DELETE", f"/api/v1/locks/{name}?fencing_token={held['token']}", 409)
        other.refused("DELETE", f"/api/v1/locks/{name}?force=true", 403)
    one.ok("PUT", f"/api/v1/locks/{name}", {"token": held["token"]})
    root.ok("DELETE", f"/api/v1/locks/{name}?force=true")
    reader = user(local, read_only=True)
    reader.refused("POST", f"/api/v1/locks/{name}", 403, {})
    mine = user(local, buckets=[bucket])
    mine.refused("POST", f"/api/v1/locks/{name}", 403, {})
    inside = acquire(mine, f"{bucket}/nightly")
    assert [lock["name"] for lock in mine.get("/api/v1/locks")["items"]] == [f"{bucket}/nightly"]
    release(mine, f"{bucket}/nightly", inside["token"])
    nobody.refused("POST", f"/api/v1/locks/{name}", 403, {})
    nobody.refused("GET", "/api/v1/locks", 403)


@pytest.mark.parametrize(
    "wanted",
    [{"ttl_s": 0}, {"ttl_s": 86_401}, {"ttl_s": -1}, {"ttl_s": "5"}, {"owner": "x" * 257}, {"owner": "a\nb"}, {"request": "x" * 257}],
)
def test_wishes_that_are_none(local, name, wanted):
    local.refused("POST", f"/api/v1/locks/{name}", 400, wanted)
    local.refused("GET", f"/api/v1/locks/{name}", 404)


@pytest.mark.parametrize("bad", ["x" * 257, "%0A", "%20x", "x%00"])
def test_names_that_are_none(local, bad):
    local.refused("POST", f"/api/v1/locks/{bad}", 400, {})


@pytest.mark.parametrize("fence", ["x", "x=", "=5", "x=y", "x=-1", "x=99999999999999999999999"])
def test_fences_that_are_none(local, bucket, fence):
    answer = local("PUT", f"/api/v1/objects/{bucket}/k", b"v", {"x-stead-lock": fence})
    assert answer.status == 400 and answer.json["code"].startswith("STEAD-"), answer
    local.refused("GET", f"/api/v1/objects/{bucket}/k", 404)


# -- the command


def stead(*words, **more):
    command = [os.environ["STEAD_BIN"], "--data", os.environ["STEAD_DATA"], *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def test_a_command_runs_while_the_lock_is_held(local, name):
    done = stead("lock", "run", name, "--", "sh", "-c", 'echo "$STEAD_LOCK_NAME $STEAD_LOCK_TOKEN"; exit 7')
    assert done.returncode == 7
    said, token = done.stdout.split()
    assert said == name and int(token) > 0
    local.refused("GET", f"/api/v1/locks/{name}", 404)
    assert stead("lock", "run", name, "--", "sh", "-c", "kill -9 $$").returncode == 137
    missing = stead("lock", "run", name, "--", "/no/such/program")
    assert missing.returncode == 1 and "does not start" in missing.stderr
    local.refused("GET", f"/api/v1/locks/{name}", 404)


def test_the_command_does_not_wait_or_waits_as_told(local, name):
    held = acquire(local, name, owner="a test")
    began = time.monotonic()
    done = stead("lock", "run", "--no-wait", name, "--", "true")
    assert done.returncode == 1 and "a test" in done.stderr and time.monotonic() - began < 10
    done = stead("lock", "run", "--wait", "1", name, "--", "true")
    assert done.returncode == 1 and "STEAD-0125" in done.stderr
    shown = stead("lock", "show", name)
    assert shown.returncode == 0 and "a test" in shown.stdout
    assert stead("lock", "release", name, str(held["token"])).returncode == 0
    assert stead("lock", "show", name).returncode == 1
    token = stead("lock", "acquire", name, "--ttl", "60").stdout.strip()
    assert stead("lock", "renew", name, token).returncode == 0
    assert stead("lock", "break", name).returncode == 0
    lost = stead("lock", "renew", name, token)
    assert lost.returncode == 1 and "STEAD-0126" in lost.stderr


def test_a_command_is_ended_when_its_lock_is_broken(local, name, tmp_path):
    mark = tmp_path / "mark"
    command = [os.environ["STEAD_BIN"], "--data", os.environ["STEAD_DATA"], "lock", "run", "--ttl", "2", name, "--"]
    script = f"trap '' TERM; while :; do date +%s.%N > {mark}; sleep 0.05; done"
    running = subprocess.Popen([*command, "sh", "-c", script], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not mark.exists() or not mark.read_text().strip():
        assert running.poll() is None
        time.sleep(0.05)
    time.sleep(3)
    assert local.get(f"/api/v1/locks/{name}")["ttl_s"] == 2, "it is kept while the command runs"
    local.ok("DELETE", f"/api/v1/locks/{name}?force=true")
    broken = time.time()
    _, said = running.communicate(timeout=20)
    assert running.returncode == 1 and "STEAD-0126" in said, said
    time.sleep(0.3)
    assert float(mark.read_text()) < broken + 2.5


def test_a_command_ends_with_the_one_that_holds_its_lock(local, name, tmp_path):
    mark = tmp_path / "mark"
    command = [os.environ["STEAD_BIN"], "--data", os.environ["STEAD_DATA"], "lock", "run", "--ttl", "2", name, "--"]
    running = subprocess.Popen([*command, "sh", "-c", f"while :; do date +%s.%N > {mark}; sleep 0.05; done"], stdin=subprocess.DEVNULL)
    while not mark.exists() or not mark.read_text().strip():
        assert running.poll() is None
        time.sleep(0.05)
    running.kill()
    running.wait()
    killed = time.time()
    after = acquire(local, name, wait_s=20)
    release(local, name, after["token"])
    assert float(mark.read_text()) < killed + 0.5


def test_signals_reach_the_command(local, name):
    command = [os.environ["STEAD_BIN"], "--data", os.environ["STEAD_DATA"], "lock", "run", name, "--"]
    script = "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    running = subprocess.Popen([*command, "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "ready\n"
    running.terminate()
    assert running.communicate(timeout=20)[0] == "ended\n"
    assert running.returncode == 3
    local.refused("GET", f"/api/v1/locks/{name}", 404)
