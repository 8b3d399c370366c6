"""Cables that are pulled: whoever is cut off says so, and nobody decides twice."""

import pathlib
import time

from botocore.exceptions import BotoCoreError, ClientError

from nodes import wait_for

FAILED = (ClientError, BotoCoreError)


def put(node, key, body, bucket="box"):
    """Through the node's socket: it is reached when its host is not."""
    file = pathlib.Path(node.data).parent / f"{node.number}-{key}"
    file.write_bytes(body)
    return node.run("cp", str(file), f"{bucket}/{key}", check=False, limit=90)


def get(node, key, bucket="box"):
    return node.run("cat", f"{bucket}/{key}", check=False, limit=90)


def test_a_leader_that_is_cut_off_decides_nothing_and_the_others_go_on(three_hosts):
    leader = three_hosts.leader()
    others = [node for node in three_hosts.nodes if node is not leader]
    others[0].run("bucket", "create", "box")
    assert put(others[0], "k", b"before").returncode == 0
    leader.host.cut()

    began = time.monotonic()
    wait_for(lambda: put(others[0], "k", b"during").returncode == 0, otherwise="the majority does not go on")
    print(f"the majority went on after {time.monotonic() - began:.1f} s")
    refused = put(leader, "alone", b"never")
    assert refused.returncode == 1 and "members" in refused.stderr, refused.stderr
    stale = get(leader, "k")
    assert stale.returncode == 1 or stale.stdout == "during", "something old was answered as if it were current"

    leader.host.heal()
    three_hosts.settle()
    assert get(leader, "k").stdout == "during"
    for node in three_hosts.nodes:
        assert get(node, "alone").returncode == 1
        assert node.json("log", "verify")["ok"]


def test_a_follower_that_is_cut_off_comes_back_with_what_it_missed(three_hosts):
    leader = three_hosts.leader()
    away = [node for node in three_hosts.nodes if node is not leader][0]
    leader.run("bucket", "create", "box")
    away.host.cut()
    large = bytes(range(253)) * 9_000
    for number in range(5):
        assert put(leader, f"k{number}", b"%d" % number).returncode == 0
    assert put(leader, "large", large).returncode == 0
    wait_for(lambda: leader.status()["can_lose"] == 0, otherwise="nobody notices that a node is away")

    away.host.heal()
    three_hosts.settle()
    assert get(away, "k3").stdout == "3"
    blocks = leader.status()["blocks"]["blocks"]
    wait_for(lambda: away.status()["blocks"]["blocks"] == blocks, otherwise="copies that it was owed did not come")


def test_two_that_do_not_reach_each_other_but_both_reach_the_third(three_hosts):
    """Not a clean cut: whom each reaches differs."""
    three_hosts.nodes[0].run("bucket", "create", "box")
    first, second, third = three_hosts.nodes
    first.host.isolate()
    second.host.isolate()
    wait_for(lambda: put(third, "k", b"through the third").returncode == 0)

    def agreed():
        return all(get(node, "k").stdout == "through the third" for node in three_hosts.nodes)

    wait_for(agreed, otherwise="one of them does not follow")
    first.host.isolate(False)
    second.host.isolate(False)
    three_hosts.settle()


def test_a_cable_that_is_pulled_again_and_again_under_writes_loses_nothing(three_hosts):
    node = three_hosts.nodes[0]
    node.run("bucket", "create", "box")
    acknowledged = {}
    for round_ in range(4):
        out = three_hosts.nodes[round_ % 3]
        here = [one for one in three_hosts.nodes if one is not out]
        out.host.cut()
        for number in range(4):
            key, body = f"k{round_}-{number}", b"%d-%d" % (round_, number)
            if put(here[number % 2], key, body).returncode == 0:
                acknowledged[key] = body.decode()
        out.host.heal()
    three_hosts.settle()
    assert len(acknowledged) >= 8, "hardly anything was accepted with two of three there"
    for number, (key, body) in enumerate(acknowledged.items()):
        assert get(three_hosts.nodes[number % 3], key).stdout == body, key


def test_a_node_whose_address_changes_while_it_runs_stays_a_member(hosts):
    first = hosts.found()
    node = hosts.new()
    node.listen = "0.0.0.0:7300"
    node.start("--join", first.ticket(), wait=False)
    hosts.nodes.append(node)
    first.run("approve", node.wait_code())
    node.wait_ready()
    hosts.add()
    hosts.settle()
    first.run("bucket", "create", "box")
    node.host.inside("ip", "addr", "del", f"10.77.0.{node.host.number}/24", "dev", "eth0")
    node.host.inside("ip", "addr", "add", "10.77.0.77/24", "dev", "eth0")
    assert put(first, "k", b"after it moved").returncode == 0
    wait_for(lambda: get(node, "k").stdout == "after it moved", otherwise="it is a member no longer")
    hosts.settle()
