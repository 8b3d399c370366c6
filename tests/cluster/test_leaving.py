"""Leaving: for a while, or for good."""

import time

from nodes import wait_for


def test_a_leader_that_is_stopped_hands_over_first(three):
    leader = three.leader()
    other = [node for node in three.nodes if node is not leader][0]
    s3 = other.s3()
    s3.create_bucket(Bucket="box")
    assert leader.stop() == 0
    began = time.monotonic()
    s3.put_object(Bucket="box", Key="k", Body=b"v")
    print(f"a write after the stop took {time.monotonic() - began:.2f} s")
    leader.start()
    three.settle()
    assert leader.s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v"


def test_the_leader_itself_can_leave(three):
    leader = three.leader()
    stays = [node for node in three.nodes if node is not leader]
    stays[0].s3().create_bucket(Bucket="box")
    leader.run("leave")
    leader.stop()
    wait_for(lambda: len(stays[0].status()["nodes"]) == 2)
    stays[1].s3().put_object(Bucket="box", Key="k", Body=b"v")
    assert stays[0].s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v"


def test_the_only_node_cannot_leave(cluster):
    first = cluster.found()
    done = first.run("leave", check=False)
    assert done.returncode == 1 and "only node" in done.stderr
    first.s3().create_bucket(Bucket="still-there")


def test_a_lost_node_is_replaced_by_another(three):
    gone = [node for node in three.nodes if node is not three.leader()][0]
    here = [node for node in three.nodes if node is not gone]
    s3 = here[0].s3()
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="k", Body=b"v" * 3_000_000)
    name = gone.status()["node"]
    gone.kill()
    here[0].run("node", "remove", name)
    three.nodes.remove(gone)
    three.nodes[0], three.nodes[1] = here
    new = three.add()
    three.settle(voters=3)
    assert new.s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v" * 3_000_000
    new.wait_can_lose(1)


def test_the_whole_cluster_is_stopped_cleanly_and_starts_by_itself(three):
    s3 = three.nodes[0].s3()
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="k", Body=b"v" * 300_000)
    three.nodes[1].run("cluster", "stop")
    for node in three.nodes:
        assert node.process.wait(timeout=60) == 0, node.log()
    for node in reversed(three.nodes):
        node.start(wait=False)
    for node in three.nodes:
        node.wait_ready()
    three.settle()
    assert three.nodes[2].s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v" * 300_000
