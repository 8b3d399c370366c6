"""Nodes that keep blocks on several disks: one is away, one comes back, one is emptied and taken out."""

import json
import os
import shutil
import threading

import pytest
from nodes import Node, wait_for

MIB = 1 << 20


def disks(node):
    return {os.path.basename(disk["path"]): disk for disk in node.json("disk", "list")}


def states(node):
    return {name: disk["state"] for name, disk in disks(node).items()}


def name_disks(node, *paths):
    """Writes a node's settings: these directories besides its own."""
    os.makedirs(node.data, mode=0o700, exist_ok=True)
    with open(f"{node.data}/stead.toml", "w") as settings:
        settings.write("[copies]\nevery_seconds = 2\n[storage]\nblocks = [")
        settings.write(", ".join(f'"{path}"' for path in paths) + "]\n")


def put_all(node, objects):
    for key, body in objects.items():
        node.s3().put_object(Bucket="box", Key=key, Body=body)


def check_all(node, objects):
    for key, body in objects.items():
        assert node.s3().get_object(Bucket="box", Key=key)["Body"].read() == body, key


def some(count, prefix="o"):
    return {f"{prefix}{number}": os.urandom(4 * MIB) for number in range(count)}


@pytest.fixture
def paths(tmp_path):
    return [str(tmp_path / name) for name in ("disk1", "disk2")]


@pytest.fixture
def alone(tmp_path, paths):
    node = Node(tmp_path / "node", 1)
    name_disks(node, *paths)
    node.start()
    node.s3().create_bucket(Bucket="box")
    yield node
    node.end()


def test_large_objects_are_on_all_disks(alone, paths):
    objects = some(12)
    put_all(alone, objects)
    check_all(alone, objects)
    assert states(alone) == {"blocks": "in-use", "disk1": "in-use", "disk2": "in-use"}
    assert all(disk["bytes"] > 4 * MIB for disk in disks(alone).values()), disks(alone)
    alone.kill()
    alone.start()
    check_all(alone, objects)
    assert alone.run("scrub").returncode == 0


def test_a_disk_is_emptied_while_objects_are_put_and_taken_out(alone, paths):
    objects = some(10)
    put_all(alone, objects)
    more, stop = {}, threading.Event()

    def go_on():
        while not stop.is_set():
            fresh = some(1, f"live{len(more)}-")
            put_all(alone, fresh)
            more.update(fresh)

    putting = threading.Thread(target=go_on)
    putting.start()
    try:
        emptied = alone.json("disk", "empty", paths[0])
    finally:
        stop.set()
        putting.join()
    assert emptied["moved"] >= 1 and emptied["stuck"] == 0
    assert os.listdir(paths[0]) == []
    assert states(alone)["disk1"] == "leaving"
    assert alone.stop() == 0
    os.rmdir(paths[0])
    name_disks(alone, paths[1])
    alone.start()
    assert states(alone) == {"blocks": "in-use", "disk2": "in-use"}
    check_all(alone, objects | more)


def test_without_others_what_was_on_a_disk_is_missing_until_it_is_back(alone, paths):
    objects = some(10)
    put_all(alone, objects)
    assert alone.stop() == 0
    os.rename(paths[1], paths[1] + ".aside")
    os.mkdir(paths[1])
    alone.start()
    assert states(alone)["disk2"] == "away"
    said = json.loads(alone.run("doctor", "--json", check=False).stdout)
    doctor = {check["name"]: check for check in said["checks"]}
    assert doctor["disks"]["verdict"] == "warn" and paths[1] in doctor["disks"]["message"]
    fresh = some(3, "later")
    put_all(alone, fresh)
    check_all(alone, fresh)
    assert os.listdir(paths[1]) == [], "nothing is put where a disk should be"
    # What cannot be read whole is an error, never other bytes, and the collector takes nothing for it.
    failed = 0
    for key, body in objects.items():
        try:
            assert alone.s3().get_object(Bucket="box", Key=key)["Body"].read() == body
        except AssertionError:
            raise
        except Exception:  # noqa: BLE001 - an error's name, or a body cut short
            failed += 1
    assert failed > 0
    alone.run("gc", "--grace", "0s", check=False)
    assert alone.stop() == 0
    os.rmdir(paths[1])
    os.rename(paths[1] + ".aside", paths[1])
    alone.start()
    assert states(alone)["disk2"] == "in-use"
    check_all(alone, objects | fresh)
    assert alone.run("scrub").returncode == 0


def test_in_a_cluster_what_was_on_a_lost_disk_comes_from_the_others(cluster, tmp_path, paths):
    first = cluster.new()
    name_disks(first, *paths)
    cluster.nodes.append(first.start())
    cluster.add()
    cluster.add()
    cluster.settle()
    first.s3().create_bucket(Bucket="box")
    objects = some(10)
    put_all(first, objects)
    whole = first.blocks()
    assert first.stop() == 0
    shutil.rmtree(paths[0])
    first.start()
    assert states(first)["disk1"] == "away"
    check_all(first, objects)
    lost = disks(first)
    wait_for(lambda: all(one["copies"]["level"] for one in first.status()["nodes"]), 60, "not level")
    # It has them again itself: both others may go, for reading from the store.
    assert first.blocks() >= whole, lost
    assert first.run("scrub").returncode == 0


def test_what_cannot_be_a_disk_keeps_the_node_from_starting(alone, tmp_path, paths):
    assert alone.stop() == 0
    other = Node(tmp_path / "other", 2)
    for named, why in (
        ([paths[0]], "another node"),
        (["relative/path"], "begin with /"),
        ([str(tmp_path / "a"), str(tmp_path / "a")], "twice"),
    ):
        name_disks(other, *named)
        refused = other.run("up", check=False)
        assert refused.returncode != 0 and why in refused.stderr, refused.stderr
        assert "STEAD-0071" in refused.stderr, refused.stderr
    alone.start()
    refused = alone.run("disk", "empty", "/nowhere", check=False)
    assert refused.returncode == 1 and "stead disk list" in refused.stderr
    refused = alone.run("disk", "empty", f"{alone.data}/blocks", check=False)
    assert refused.returncode == 1 and "stays" in refused.stderr
