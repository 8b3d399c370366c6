"""A quorum that is lost for good: one command, and what this node has goes on."""


def test_one_of_three_goes_on_alone_with_all_that_it_has(three):
    s3 = three.nodes[0].s3()
    s3.create_bucket(Bucket="box")
    for number in range(10):
        s3.put_object(Bucket="box", Key=f"{number}", Body=b"%d" % number * 20_000)
    three.settle()
    first, second, third = three.nodes
    for node in (first, second):
        node.kill()
    third.stop()

    asked = third.run("cluster", "recover", check=False)
    assert asked.returncode == 1 and "--i-have-lost-quorum" in asked.stderr
    third.run("cluster", "recover", "--i-have-lost-quorum")
    third.start()
    own = third.s3()
    for number in range(10):
        assert own.get_object(Bucket="box", Key=f"{number}")["Body"].read() == b"%d" % number * 20_000
    own.put_object(Bucket="box", Key="alone", Body=b"again")
    status = third.status()
    assert len(status["nodes"]) == 1 and status["leader"] == status["node"]
    assert third.json("log", "verify")["ok"]

    # It grows again from there, and one that was a member before is none any more.
    three.nodes[:] = [third]
    three.add()
    three.add()
    three.settle()
    third.wait_can_lose(1)
    first.start(wait=False)
    three.nodes.append(first)
    try:
        first.wait_ready()
        old = first.s3()
        refused = None
        try:
            old.put_object(Bucket="box", Key="old", Body=b"history")
        except Exception as error:  # boto3 has a class for each code
            refused = error
        assert refused is not None
    finally:
        first.kill()
        three.nodes.remove(first)
    assert own.get_object(Bucket="box", Key="alone")["Body"].read() == b"again"
    assert len(third.status()["nodes"]) == 3


def test_a_node_that_was_always_alone_has_nothing_to_recover_from(cluster):
    first = cluster.found()
    busy = first.run("cluster", "recover", "--i-have-lost-quorum", check=False)
    assert busy.returncode == 1, "a node that runs is not recovered under its feet"
    first.stop()
    done = first.run("cluster", "recover", "--i-have-lost-quorum", check=False)
    assert done.returncode == 1 and "never one of several" in done.stderr
