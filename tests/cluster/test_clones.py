"""A copy of a node's directory has its key. Only one process may speak, and vote, as that node."""

import shutil

from nodes import Node, wait_for


def copy_of(node, directory):
    """The directory of a node that does not run, as another machine would have it from a backup."""
    shutil.copytree(node.data, directory)
    return Node(directory, 99)


def ends_by_itself(node, limit=60):
    wait_for(lambda: node.process.poll() is not None, limit, "the copy goes on")
    return node.log()


def test_a_copy_that_is_started_beside_the_node_stops_and_the_node_goes_on(three, tmp_path):
    one, two, victim = three.nodes
    victim.stop()
    copy = copy_of(victim, tmp_path / "copy")
    victim.start()
    three.settle()
    copy.start("--mesh-listen", "127.0.0.2:0", wait=False)
    try:
        assert "this process must not go on" in ends_by_itself(copy)
        three.settle()
        s3 = victim.s3()
        s3.create_bucket(Bucket="box")
        s3.put_object(Bucket="box", Key="k", Body=b"v")
        for node in three.nodes:
            assert node.s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v"
    finally:
        copy.end()


def test_an_older_copy_does_not_take_the_place_of_a_node_that_is_down(three, tmp_path):
    one, two, victim = three.nodes
    victim.stop()
    copy = copy_of(victim, tmp_path / "copy")
    for _ in range(2):
        victim.start()
        three.settle()
        victim.stop()
    copy.start("--mesh-listen", "127.0.0.2:0", wait=False)
    try:
        said = ends_by_itself(copy)
        assert "older copy" in said
    finally:
        copy.end()
    victim.start()
    three.settle()


def test_a_killed_node_comes_back_at_once(three):
    for node in three.nodes:
        node.kill()
        node.start()
        three.settle()
