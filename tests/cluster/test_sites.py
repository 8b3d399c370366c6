"""Sites: when a writer is answered, and from where a reader reads."""

import os
import time

import pytest
from botocore.exceptions import ClientError

from nodes import wait_for
from test_copies import MIB


def settled_in(cluster, sites):
    """A node at each of these sites."""
    for number, site in enumerate(sites):
        cluster.settings = f'[node]\nsite = "{site}"\n[copies]\nevery_seconds = 2\n'
        if number == 0:
            cluster.found()
        else:
            cluster.add()
    cluster.settle()
    return cluster.nodes


def test_a_node_that_is_slow_holds_no_writer_up(cluster):
    cluster.of(5)
    leader = cluster.leader()
    writer, slow = [node for node in cluster.nodes if node is not leader][:2]
    s3 = writer.s3()
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="before", Body=os.urandom(2 * MIB))
    slow.pause()
    try:
        for number in range(4):
            began = time.monotonic()
            s3.put_object(Bucket="box", Key=f"k{number}", Body=os.urandom(3 * MIB))
            assert time.monotonic() - began < 15
    finally:
        slow.go_on()
    for number in range(4):
        assert len(slow.s3().get_object(Bucket="box", Key=f"k{number}")["Body"].read()) == 3 * MIB


def test_local_writers_do_not_wait_for_another_site_and_others_do(cluster):
    home, second, barn = settled_in(cluster, ["home", "home", "barn"])
    s3 = home.s3()
    for bucket, writes in [("here", "local"), ("both", "across-sites")]:
        s3.create_bucket(Bucket=bucket)
        home.run("bucket", "set", bucket, "--writes", writes)
    listed = {one["name"]: one.get("writes") for one in home.json("bucket", "list")["buckets"]}
    assert listed == {"here": "local", "both": "across-sites"}
    body = os.urandom(3 * MIB)
    for bucket in ("here", "both"):
        s3.put_object(Bucket=bucket, Key="all-up", Body=body)
    wait_for(lambda: barn.s3().get_object(Bucket="both", Key="all-up")["Body"].read() == body)

    if cluster.leader() is barn:
        barn.stop()
        barn.start()
    wait_for(lambda: cluster.leader() is not barn, 30, "it leads still")
    barn.kill()
    s3.put_object(Bucket="here", Key="alone", Body=body)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="both", Key="alone", Body=body)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "site" in refused.value.response["Error"]["Message"]
    # Small objects travel through the log, which most voters have.
    s3.put_object(Bucket="both", Key="small", Body=b"small")
    barn.start()
    cluster.settle()
    s3.put_object(Bucket="both", Key="alone", Body=body)
    for node in (home, second, barn):
        for bucket in ("here", "both"):
            assert node.s3().get_object(Bucket=bucket, Key="alone")["Body"].read() == body


def test_what_is_no_way_to_answer_is_refused(cluster):
    cluster.found()
    node = cluster.nodes[0]
    node.s3().create_bucket(Bucket="box")
    refused = node.run("bucket", "set", "box", "--writes", "often", check=False)
    assert refused.returncode == 2
    assert node.run("bucket", "set", "box", check=False).returncode == 2
