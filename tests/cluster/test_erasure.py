"""Erasure coding: pieces with parity on different nodes, of which some may be lost."""

import os

import pytest

from nodes import wait_for
from test_copies import MIB, QUICK, all_leaves, check_all, put_all, wait_level


def objects_of(count, mib=4):
    return {f"o{number}": os.urandom(mib * MIB) for number in range(count)}


def striped(node, pieces, bucket="box"):
    node.s3().create_bucket(Bucket=bucket)
    node.run("bucket", "set", bucket, "--erasure", pieces)


def store(node, objects, bucket="box"):
    s3 = node.s3()
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def test_two_and_one_takes_half_as_much_again_and_any_node_may_be_lost(cluster):
    cluster.settings = QUICK
    cluster.of(3)
    striped(cluster.nodes[0], "2+1")
    objects = objects_of(8)
    store(cluster.nodes[0], objects)
    counts = wait_level(cluster, 8 * 6)
    assert counts == [16, 16, 16], "a piece of every stripe on each node"
    cluster.nodes[0].wait_can_lose(1)
    for lost in range(3):
        cluster.nodes[lost].kill()
        rest = cluster.running()
        cluster.leader()
        for node in rest:
            check_all(node, objects)
        # Writes go on with one away, and survive the loss of whoever took them.
        after = {f"after{lost}": os.urandom(5 * MIB)}
        store(rest[0], after)
        cluster.nodes[lost].start()
        cluster.settle()
        check_all(cluster.nodes[lost], objects | after)
        objects |= after
    # Of 5 MiB the last is in no stripe: it has two copies.
    wait_level(cluster, 8 * 6 + 3 * 8)


def test_what_was_acknowledged_while_a_node_was_away_survives_the_writer(cluster):
    cluster.settings = QUICK.replace("surplus_after_seconds = 1", "surplus_after_seconds = 600")
    cluster.of(3)
    striped(cluster.nodes[0], "2+1")
    leader = cluster.leader()
    away, writer = [node for node in cluster.nodes if node is not leader]
    away.kill()
    objects = objects_of(3)
    store(writer, objects)
    writer.kill()
    away.start(wait=False)
    away.wait_ready()
    cluster.leader()
    for node in (leader, away):
        check_all(node, objects)


def test_lost_pieces_are_made_again_from_the_others(cluster):
    cluster.settings = QUICK
    cluster.of(4)
    striped(cluster.nodes[0], "2+1")
    objects = objects_of(10)
    store(cluster.nodes[1], objects)
    wait_level(cluster, 10 * 6)
    lost = next(node for node in cluster.nodes if node is not cluster.leader())
    lost.kill()
    counts = wait_level(cluster, 10 * 6)
    assert counts == [20, 20, 20]
    # Once another one votes in its place, the next may be lost.
    wait_for(lambda: cluster.leader().status()["can_lose"] == 1, 120, "nobody votes in its place")
    second = next(node for node in cluster.running() if node is not cluster.leader())
    second.kill()
    rest = cluster.running()
    for node in rest:
        wait_for(lambda node=node: reads(node, objects), 60, "a piece is missing")


def reads(node, objects):
    try:
        check_all(node, objects)
        return True
    except Exception:  # noqa: BLE001: an election may be under way
        return False


def test_any_two_of_five_may_be_lost_with_three_and_two(cluster):
    cluster.settings = QUICK
    cluster.of(5)
    striped(cluster.nodes[0], "3+2")
    objects = objects_of(6, mib=6)
    store(cluster.nodes[2], objects)
    wait_level(cluster, 6 * 10)
    cluster.nodes[0].wait_can_lose(2)
    for node in cluster.nodes[3:]:
        node.kill()
    cluster.leader()
    for node in cluster.running():
        check_all(node, objects)


def test_a_bucket_becomes_striped_and_back_and_nothing_changes_for_readers(cluster):
    cluster.settings = QUICK
    cluster.of(3)
    first = cluster.nodes[0]
    objects = objects_of(5)
    put_all(first, objects)
    wait_level(cluster, 5 * 12)
    cids = [head["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"] for head in heads(first, objects)]
    first.run("bucket", "set", "box", "--erasure", "2+1")
    assert first.json("bucket", "list")["buckets"][0]["erasure"] == "2+1"
    wait_level(cluster, 5 * 6)
    for node in cluster.nodes:
        check_all(node, objects)
    same = [head["ResponseMetadata"]["HTTPHeaders"]["x-stead-cid"] for head in heads(first, objects)]
    assert same == cids
    # A copy, a range, a multipart upload; a view that is folded anew says the same.
    s3 = cluster.nodes[1].s3()
    s3.copy_object(Bucket="box", Key="copy", CopySource="box/o1")
    assert s3.get_object(Bucket="box", Key="copy", Range=f"bytes={MIB - 3}-{MIB + 4}")["Body"].read() == (
        objects["o1"][MIB - 3 : MIB + 5]
    )
    upload = s3.create_multipart_upload(Bucket="box", Key="parts")["UploadId"]
    bodies = [os.urandom(6 * MIB), os.urandom(3 * MIB)]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(Bucket="box", Key="parts", UploadId=upload, PartNumber=number, Body=body)["ETag"],
        }
        for number, body in enumerate(bodies, 1)
    ]
    s3.complete_multipart_upload(
        Bucket="box", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    objects |= {"copy": objects["o1"], "parts": b"".join(bodies)}
    # Nine leaves: four stripes, and one block alone with two copies.
    wait_level(cluster, 5 * 6 + 4 * 3 + 2)
    cluster.nodes[2].kill()
    cluster.leader()
    check_all(first, objects)
    cluster.nodes[2].start()
    cluster.settle()
    rebuilt = first.json("view", "rebuild")
    assert rebuilt["equal"], rebuilt
    first.run("bucket", "set", "box", "--copies", "usual")
    wait_for(lambda: min(all_leaves(cluster)) >= 5 * 4 + 9, 90, "copies are not made again")
    for node in cluster.nodes:
        check_all(node, objects)
    assert first.json("gc", "--grace", "0s")["unreadable"] == 0


def heads(node, objects):
    s3 = node.s3()
    return [s3.head_object(Bucket="box", Key=key) for key in objects]


def test_pieces_that_cannot_be_are_refused(cluster):
    cluster.of(3)
    first = cluster.nodes[0]
    first.s3().create_bucket(Bucket="box")
    for pieces in ["1+1", "2+5", "13+1", "2", "2+", "+1", "a+b", "2+1+1"]:
        refused = first.run("bucket", "set", "box", "--erasure", pieces, check=False)
        assert refused.returncode != 0 and "STEAD-" in refused.stderr, (pieces, refused.stderr)
    few = first.run("bucket", "set", "box", "--erasure", "4+2", check=False)
    assert few.returncode == 1 and "6 nodes" in few.stderr, few.stderr
    both = first.run("bucket", "set", "box", "--erasure", "2+1", "--copies", "3", check=False)
    assert both.returncode == 2
    with pytest.raises(KeyError):
        first.json("bucket", "list")["buckets"][0]["erasure"]
