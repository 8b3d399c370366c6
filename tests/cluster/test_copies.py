"""Where copies are: on so many nodes as a bucket wants, behind different breakers, and where they are to be again
after a node has come or gone."""

import os

import pytest

from nodes import wait_for

# Seconds, so that a test sees what takes minutes and hours otherwise.
QUICK = """
[copies]
every_seconds = 2
out_after_seconds = 5
surplus_after_seconds = 1
"""
MIB = 1 << 20


def bytes_of(count):
    """Objects of which every block is another one: three of a MiB each, none in the log."""
    return {f"o{number}": os.urandom(3 * MIB) for number in range(count)}


def put_all(node, objects, bucket="box"):
    s3 = node.s3()
    s3.create_bucket(Bucket=bucket)
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def check_all(node, objects, bucket="box"):
    s3 = node.s3()
    for key, body in objects.items():
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body, key


def leaves(node):
    """Blocks of bytes that are on a node: MiB of them, for all here are of one."""
    return node.status()["blocks"]["bytes"] // MIB


def all_leaves(cluster):
    return [leaves(node) for node in cluster.running()]


def wait_level(cluster, total, limit=90):
    """Waits until there are so many copies of leaves in all, and every node says that it has what is its own."""

    def level():
        counts = all_leaves(cluster)
        nodes = cluster.running()[0].status()["nodes"]
        said = [one["copies"]["level"] for one in nodes if one["state"] == "up"]
        return sum(counts) == total and all(said)

    try:
        wait_for(level, limit, "")
    except AssertionError:
        raise AssertionError(f"{all_leaves(cluster)}, wanted {total} in all") from None
    return all_leaves(cluster)


def test_five_nodes_have_three_copies_and_every_node_answers_for_all(cluster):
    cluster.settings = QUICK
    cluster.of(5)
    objects = bytes_of(10)
    put_all(cluster.nodes[3], objects)
    counts = wait_level(cluster, 3 * 30)
    assert max(counts) < 30, "nobody has everything"
    for node in cluster.nodes:
        check_all(node, objects)
    assert all_leaves(cluster) == counts, "reading what is elsewhere keeps no copy"


def test_a_lost_node_s_copies_are_made_again_and_given_up_when_it_is_back(cluster):
    cluster.settings = QUICK
    cluster.of(5)
    objects = bytes_of(8)
    put_all(cluster.nodes[0], objects)
    counts = wait_level(cluster, 3 * 24)
    lost = max(range(5), key=lambda at: (cluster.nodes[at] is not cluster.leader(), counts[at]))
    cluster.nodes[lost].kill()
    wait_level(cluster, 3 * 24)
    for node in cluster.running():
        check_all(node, objects)
    cluster.nodes[lost].start()
    cluster.settle()
    wait_level(cluster, 3 * 24)
    for node in cluster.nodes:
        check_all(node, objects)


def test_a_new_node_takes_its_share(cluster):
    cluster.settings = QUICK
    cluster.of(3)
    objects = bytes_of(12)
    put_all(cluster.nodes[0], objects)
    assert wait_level(cluster, 3 * 36) == [36, 36, 36]
    cluster.add()
    cluster.settle()
    counts = wait_level(cluster, 3 * 36)
    assert min(counts) > 10, counts
    check_all(cluster.nodes[3], objects)


def test_a_drained_node_holds_nothing_that_others_do_not_hold(cluster):
    cluster.settings = QUICK
    cluster.of(4)
    objects = bytes_of(8)
    put_all(cluster.nodes[0], objects)
    wait_level(cluster, 3 * 24)
    drained = cluster.leader()
    other = next(node for node in cluster.nodes if node is not drained)
    name = drained.status()["node"]
    other.run("node", "drain", name, limit=120)
    wait_for(lambda: cluster.leader() is not drained, 30, "it leads still")
    status = wait_for(
        lambda: (s := other.status()) and name not in s["voters"] and s, 30, "it votes still"
    )
    assert next(one for one in status["nodes"] if one["id"] == name)["draining"]
    drained.kill()
    for node in cluster.running():
        assert leaves(node) == 24
        check_all(node, objects)
    other.run("node", "remove", name)
    cluster.nodes.remove(drained)
    cluster.settle()


def test_the_last_that_holds_data_is_not_drained(cluster):
    cluster.found()
    refused = cluster.nodes[0].run("node", "drain", cluster.nodes[0].status()["node"], check=False)
    assert refused.returncode == 1
    assert "no other node is there to hold the data" in refused.stderr


def test_a_bucket_may_want_fewer_copies_or_more(cluster):
    cluster.settings = QUICK
    cluster.of(4)
    node = cluster.nodes[1]
    few, usual = bytes_of(4), bytes_of(4)
    put_all(node, few, "few")
    put_all(node, usual, "usual")
    both = os.urandom(2 * MIB)
    for bucket in ("few", "usual"):
        node.s3().put_object(Bucket=bucket, Key="both", Body=both)
    wait_level(cluster, 3 * (12 + 12 + 2))
    node.run("bucket", "set", "few", "--copies", "1")
    assert next(b for b in node.json("bucket", "list")["buckets"] if b["name"] == "few")["copies"] == 1
    wait_level(cluster, 12 + 3 * (12 + 2))
    node.run("bucket", "set", "few", "--copies", "4")
    wait_level(cluster, 4 * (12 + 2) + 3 * 12)
    more = bytes_of(2)
    for key, body in more.items():
        node.s3().put_object(Bucket="few", Key="more" + key, Body=body)
    wait_level(cluster, 4 * (12 + 2 + 6) + 3 * 12)
    node.run("bucket", "set", "few", "--copies", "usual")
    wait_level(cluster, 3 * (12 + 2 + 6 + 12))
    for one in cluster.nodes:
        check_all(one, few, "few")
        check_all(one, usual, "usual")


@pytest.mark.parametrize("copies", ["0", "6", "-1", "many"])
def test_copies_that_cannot_be_are_refused(cluster, copies):
    node = cluster.found()
    node.s3().create_bucket(Bucket="box")
    refused = node.run("bucket", "set", "box", f"--copies={copies}", check=False)
    assert refused.returncode == 2
    assert "1 to 5" in refused.stderr


def test_two_copies_are_behind_two_breakers(cluster):
    for circuit in ("left", "left", "right", "right"):
        cluster.settings = QUICK + f'[node]\ncircuit = "{circuit}"\n'
        cluster.add() if cluster.nodes else cluster.found()
    cluster.settle()
    node = cluster.nodes[0]
    wait_for(
        lambda: [one.get("circuit") for one in node.status()["nodes"]] == ["left", "left", "right", "right"],
        30,
        "it is not known who is on which breaker",
    )
    objects = bytes_of(8)
    put_all(node, objects)
    node.run("bucket", "set", "box", "--copies", "2")
    counts = wait_level(cluster, 2 * 24)
    assert (counts[0] + counts[1], counts[2] + counts[3]) == (24, 24), counts


def loss_of(node, kind, name):
    losses = node.json("cluster", "can-lose")["losses"]
    return next(one for one in losses if (one["kind"], one["name"]) == (kind, name))


def test_what_may_fail_is_said_truly_and_happens_so(cluster):
    for circuit in ("left", "left", "right"):
        cluster.settings = QUICK + f'[node]\ncircuit = "{circuit}"\n'
        name = ("--name", f"n{len(cluster.nodes) + 1}")
        if not cluster.nodes:
            cluster.nodes.append(cluster.new().start(*name))
        else:
            cluster.add(*name)
    cluster.settle()
    one = cluster.nodes[0]
    objects = bytes_of(4)
    put_all(one, objects)
    wait_level(cluster, 3 * 12)
    wait_for(lambda: len(one.json("cluster", "can-lose")["losses"]) == 5, 30, "the breakers are not known")
    one.wait_can_lose(1)
    left, right = loss_of(one, "circuit", "left"), loss_of(one, "circuit", "right")
    assert (left["data_stays"], left["service_goes_on"], left["votes"], left["quorum"]) == (True, False, 1, 2)
    assert (right["data_stays"], right["service_goes_on"]) == (True, True)
    assert left["nodes"] == ["n1", "n2"]

    # One copy of something: no node that has it may be lost.
    one.run("bucket", "set", "box", "--copies", "1")
    said = wait_for(lambda: (s := one.json("cluster", "can-lose"))["can_lose"] == 0 and s, 30, "it was not noticed")
    assert "one copy" in said["because"]
    assert not loss_of(one, "node", "n3")["data_stays"]
    one.run("bucket", "set", "box", "--copies", "3")
    wait_level(cluster, 3 * 12)
    one.wait_can_lose(1)

    # What was said happens: the right breaker goes, and all is read and written.
    cluster.nodes[2].kill()
    wait_for(lambda: one.json("cluster", "can-lose")["can_lose"] == 0, 30, "a loss was not noticed")
    check_all(one, objects)
    one.s3().put_object(Bucket="box", Key="more", Body=b"x")
    assert not loss_of(one, "node", "n2")["service_goes_on"]
    text = one.run("cluster", "can-lose").stdout
    assert "circuit left" in text and "stops: 1 of 2 votes" in text
