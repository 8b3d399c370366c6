"""Losing nodes: what was acknowledged stays, and service goes on while more than half are there."""

import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from nodes import wait_for

FAILED = (ClientError, BotoCoreError)


def put_until(s3, bucket, key, body, limit=60):
    """Puts until it is acknowledged; answers how long that took."""
    began = time.monotonic()
    while True:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            return time.monotonic() - began
        except FAILED:
            assert time.monotonic() - began < limit, "nothing is accepted any more"
            time.sleep(0.05)


def test_writes_go_on_when_the_leader_is_killed_and_it_catches_up(three):
    leader = three.leader()
    others = [node for node in three.nodes if node is not leader]
    s3 = others[0].s3()
    s3.create_bucket(Bucket="box")
    for number in range(20):
        s3.put_object(Bucket="box", Key=f"before{number}", Body=b"%d" % number)
    leader.kill()
    stopped = put_until(s3, "box", "after", b"the leader is gone")
    print(f"writes stopped for {stopped:.2f} s")
    s3.put_object(Bucket="box", Key="large", Body=b"z" * 3_000_000)
    for node in others:
        assert node.s3().get_object(Bucket="box", Key="after")["Body"].read() == b"the leader is gone"
        assert node.s3().get_object(Bucket="box", Key="before7")["Body"].read() == b"7"

    leader.start()
    three.settle()
    own = leader.s3()
    assert own.get_object(Bucket="box", Key="after")["Body"].read() == b"the leader is gone"
    assert own.get_object(Bucket="box", Key="large")["Body"].read() == b"z" * 3_000_000
    assert len({node.head() for node in three.nodes}) == 1


def test_two_of_three_lost_nothing_is_accepted_and_it_says_why(three):
    s3 = three.nodes[0].s3()
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="k", Body=b"v")
    for node in three.nodes[1:]:
        node.kill()
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="box", Key="k", Body=b"w")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "members" in refused.value.response["Error"]["Message"]
    assert three.nodes[0].status()["can_lose"] == 0
    for node in three.nodes[1:]:
        node.start(wait=False)
    for node in three.nodes[1:]:
        node.wait_ready()
    three.settle()
    put_until(s3, "box", "k", b"x")
    assert three.nodes[2].s3().get_object(Bucket="box", Key="k")["Body"].read() == b"x"


def test_all_lose_power_at_once_and_come_back_by_themselves(three):
    acknowledged = {}
    s3 = [node.s3() for node in three.nodes]
    s3[0].create_bucket(Bucket="box")
    for number in range(60):
        body = b"%d" % number * (1 if number % 5 else 30_000)
        s3[number % 3].put_object(Bucket="box", Key=f"k{number}", Body=body)
        acknowledged[f"k{number}"] = body
    for node in three.nodes:
        node.process.kill()
    for node in three.nodes:
        node.process.wait()
    for node in three.nodes:
        node.start(wait=False)
    for node in three.nodes:
        node.wait_ready()
    three.settle()
    for number, (key, body) in enumerate(acknowledged.items()):
        own = three.nodes[number % 3].s3()
        assert own.get_object(Bucket="box", Key=key)["Body"].read() == body, key
    for node in three.nodes:
        assert node.json("log", "verify")["ok"]


def test_a_leader_that_hangs_is_replaced_and_what_it_wakes_up_with_is_not_stale(three):
    leader = three.leader()
    others = [node for node in three.nodes if node is not leader]
    s3 = others[0].s3()
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="k", Body=b"old")
    leader.pause()
    put_until(s3, "box", "k", b"new")
    leader.go_on()

    def read():
        try:
            return leader.s3().get_object(Bucket="box", Key="k")["Body"].read()
        except FAILED:
            return None

    assert wait_for(read) == b"new", "the first answer it gives must be the current one"


def test_a_node_that_was_away_over_checkpoints_takes_the_log_over(three):
    """What it missed is no longer in anybody's write-ahead log."""
    away = [node for node in three.nodes if node is not three.leader()][0]
    here = [node for node in three.nodes if node is not away]
    away.stop()
    s3 = here[0].s3()
    s3.create_bucket(Bucket="box")
    for number in range(40):
        s3.put_object(Bucket="box", Key=f"{number}", Body=b"%d" % number * 1000)
    s3.put_object(Bucket="box", Key="large", Body=b"q" * 2_500_000)
    # A stop makes a checkpoint, behind which the write-ahead log is purged.
    for node in here:
        node.stop()
    for node in here:
        node.start(wait=False)
    for node in here:
        node.wait_ready()
    three.settle()
    away.start()
    three.settle()
    own = away.s3()
    assert own.get_object(Bucket="box", Key="31")["Body"].read() == b"31" * 1000
    assert own.get_object(Bucket="box", Key="large")["Body"].read() == b"q" * 2_500_000
    assert away.json("log", "verify")["ok"]
    assert away.json("view", "rebuild")["equal"]


def test_a_damaged_copy_is_answered_from_another_node_and_healed(three):
    s3 = three.nodes[0].s3()
    s3.create_bucket(Bucket="box")
    body = bytes(range(251)) * 20_000
    s3.put_object(Bucket="box", Key="k", Body=body)
    three.settle()
    node = three.nodes[2]
    node.stop()
    import pathlib

    flipped = 0
    for pack in pathlib.Path(node.data, "blocks").glob("*.pack"):
        data = bytearray(pack.read_bytes())
        # A byte within the object's own bytes: 300 of them in a row are there once in each leaf's stretch.
        at = data.find(bytes(range(251)) * 2)
        if at >= 0:
            data[at + 100] ^= 0x10
            pack.write_bytes(data)
            flipped += 1
    assert flipped > 0
    node.start()
    three.settle()
    assert node.s3().get_object(Bucket="box", Key="k")["Body"].read() == body
    assert node.json("scrub")["damaged"] == []


def test_keys_made_at_one_node_sign_at_every_node(three):
    made = three.nodes[1].json("key", "create", "ana")
    s3 = three.nodes[2].s3(access_key=made["access_key"], secret_key=made["secret_key"])
    s3.create_bucket(Bucket="anas")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["anas"]
