"""Growing: one node becomes several, and nobody gets in unapproved."""

import time

from nodes import Node, wait_for


def test_three_commands_and_two_approvals_make_a_cluster_that_has_the_first_nodes_data(cluster):
    first = cluster.found()
    s3 = first.s3()
    s3.create_bucket(Bucket="before")
    s3.put_object(Bucket="before", Key="small", Body=b"written before there was a cluster")
    large = bytes(range(256)) * 12_000
    s3.put_object(Bucket="before", Key="large", Body=large)

    began = time.monotonic()
    cluster.add()
    third = cluster.add()
    cluster.settle()
    took = time.monotonic() - began

    own = third.s3()
    assert own.get_object(Bucket="before", Key="small")["Body"].read() == b"written before there was a cluster"
    assert own.get_object(Bucket="before", Key="large")["Body"].read() == large
    own.put_object(Bucket="before", Key="after", Body=b"through the third")
    assert s3.get_object(Bucket="before", Key="after")["Body"].read() == b"through the third"
    status = first.status()
    assert len(status["nodes"]) == 3 and len(status["voters"]) == 3
    first.wait_can_lose(1)
    assert first.json("cluster", "can-lose")["can_lose"] == 1
    print(f"three nodes in {took:.1f} s")


def test_every_node_has_the_same_log_and_it_verifies(three):
    s3 = three.nodes[1].s3()
    s3.create_bucket(Bucket="box")
    for number in range(30):
        three.nodes[number % 3].s3().put_object(Bucket="box", Key=f"{number}", Body=b"x" * number)
    three.settle()
    assert len({node.head() for node in three.nodes}) == 1
    for node in three.nodes:
        assert node.json("log", "verify")["ok"]
        assert node.json("view", "rebuild")["equal"]


def test_nobody_is_let_in_by_a_wrong_code_and_who_waits_is_shown(cluster):
    first = cluster.found()
    node = Node(cluster.directory / "2", 2).start("--join", first.ticket(), wait=False)
    cluster.nodes.append(node)
    code = node.wait_code()
    waiting = wait_for(lambda: first.json("node", "list")["waiting"])
    assert [one["code"] for one in waiting] == [code]

    wrong = "AAAAAA" if code != "AAAAAA" else "BBBBBB"
    refused = first.run("approve", wrong, check=False)
    assert refused.returncode == 1
    assert "STEAD-0085" in refused.stderr and wrong in refused.stderr
    assert len(first.status()["nodes"]) == 1

    first.run("approve", code.lower())
    node.wait_ready()
    again = first.run("approve", code, check=False)
    assert again.returncode == 1, "a code works once"


def test_a_member_other_than_the_one_that_is_waited_at_approves_as_well(cluster):
    cluster.found()
    second = cluster.add()
    cluster.settle()
    third = cluster.add(approve_at=second)
    cluster.settle()
    assert len(third.status()["nodes"]) == 3


def test_a_directory_with_data_of_its_own_does_not_join(cluster):
    first = cluster.found()
    other = Node(cluster.directory / "other", 2).start()
    other.stop()
    done = other.run("up", "--listen", "127.0.0.1:0", "--join", first.ticket(), check=False)
    assert done.returncode == 1 and "data of its own" in done.stderr
    assert len(first.status()["nodes"]) == 1


def test_what_is_no_ticket_is_refused_before_anything_is_made(cluster):
    node = Node(cluster.directory / "1", 1)
    for word in ("nonsense", "stead1-", "stead1-AAAA"):
        done = node.run("up", "--listen", "127.0.0.1:0", "--join", word, check=False)
        assert done.returncode == 2 and "ticket" in done.stderr, done.stderr
    assert not (cluster.directory / "1").exists()


def test_a_node_that_was_removed_is_answered_nothing_more(three):
    gone = three.nodes[2]
    if three.leader() is gone:
        gone = three.nodes[1]
    stays = three.nodes[0] if gone is not three.nodes[0] else three.nodes[1]
    stays.run("node", "remove", gone.status()["node"][:16])
    wait_for(lambda: len(stays.status()["nodes"]) == 2)
    stays.s3().create_bucket(Bucket="without")
    status = stays.status()
    assert len(status["voters"]) == 1
    # It cannot write, and what it reads it says it cannot vouch for.
    s3 = gone.s3()
    failed = None
    try:
        s3.create_bucket(Bucket="by-the-removed")
    except Exception as error:  # boto3 has a class for each code
        failed = error
    assert failed is not None
    names = [one["Name"] for one in stays.s3().list_buckets()["Buckets"]]
    assert names == ["without"]


def test_a_witness_votes_and_two_nodes_with_it_survive_the_loss_of_either(cluster):
    first = cluster.found()
    second = cluster.add()
    cluster.add("--witness")
    cluster.settle()
    first.wait_can_lose(1)
    first.s3().create_bucket(Bucket="box")
    first.s3().put_object(Bucket="box", Key="k", Body=b"v" * 200_000)
    cluster.settle()
    first.kill()

    def served():
        try:
            return second.s3().get_object(Bucket="box", Key="k")["Body"].read() == b"v" * 200_000
        except Exception:
            return False

    wait_for(served, otherwise="the second node does not serve after the first was lost")
    second.s3().put_object(Bucket="box", Key="later", Body=b"w" * 200_000)


def test_a_witness_frees_what_nothing_reaches(cluster):
    cluster.of(2)
    cluster.add("--witness")
    cluster.settle()
    s3 = cluster.nodes[0].s3()
    s3.create_bucket(Bucket="box")
    # Of several blocks each, so that there are blocks which name others, and which a witness has not.
    for number in range(3):
        s3.put_object(Bucket="box", Key=f"k{number}", Body=bytes([number]) * 2_500_000)
    for number in range(20):
        s3.put_object(Bucket="box", Key="small", Body=b"%d" % number * 5000)
    witness = cluster.nodes[2]
    collected = witness.json("gc", "--grace", "0s", "--retention", "0s")
    assert collected["unreadable"] == 0, collected
    assert collected["deleted"] > 0, collected
