"""Locks when nodes fail: one holder at a time, and none loses its lock who is heard of."""

import subprocess
import time

from nodes import BINARY, wait_for

MARKING = 'while :; do date +%s.%N >> "{mark}"; sleep 0.05; done'


class Holder:
    """`stead lock run` at a node, with a command that says when it was alive."""

    def __init__(self, node, name, mark, ttl):
        self.mark = mark
        command = [BINARY, "--data", node.data, "lock", "run", "--ttl", str(ttl), name, "--"]
        script = f"echo $STEAD_LOCK_TOKEN > {mark}.token; " + MARKING.format(mark=mark)
        self.process = subprocess.Popen(
            [*command, "sh", "-c", script], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    @property
    def token(self):
        return int(open(f"{self.mark}.token").read())

    def alive_at(self):
        """The moments, of which the last may be written now."""
        return [float(line) for line in self.mark.read_text().splitlines() if "." in line][:-1]

    def wait_running(self):
        wait_for(lambda: self.mark.exists() and len(self.alive_at()) > 1, otherwise="the command does not run")
        return self

    def end(self):
        self.process.terminate()
        self.process.communicate(timeout=60)


def test_a_lock_outlives_the_leader_that_granted_it(three, tmp_path):
    leader = three.leader()
    others = [node for node in three.nodes if node is not leader]
    holder = Holder(others[0], "backup", tmp_path / "mark", ttl=6).wait_running()
    try:
        leader.kill()
        three.leader()
        # Longer than the lease: nothing but signs of life at the new leader keeps it.
        time.sleep(15)
        assert holder.process.poll() is None, holder.process.communicate()
        held = others[1].json("lock", "show", "backup")
        assert held["token"] == holder.token
        taken = others[1].run("lock", "run", "--no-wait", "backup", "--", "true", check=False)
        assert taken.returncode == 1 and "STEAD-0125" in taken.stderr
    finally:
        holder.end()
    # Released, not run out.
    after = others[1].json("lock", "acquire", "backup", "--no-wait")
    assert after["token"] > holder.token


def test_a_leader_that_was_paused_ends_no_lease_that_its_successor_keeps(three, tmp_path):
    leader = three.leader()
    others = [node for node in three.nodes if node is not leader]
    holder = Holder(others[0], "backup", tmp_path / "mark", ttl=6).wait_running()
    try:
        old = leader.status()["node"]
        leader.pause()
        wait_for(lambda: others[0].status().get("leader") not in (None, old), otherwise="nobody else leads")
        time.sleep(12)
        # For the paused one, no sign of life has come for twice the lease.
        leader.go_on()
        time.sleep(5)
        assert holder.process.poll() is None, holder.process.communicate()
        assert others[1].json("lock", "show", "backup")["token"] == holder.token
    finally:
        holder.end()


def test_a_holder_that_is_cut_off_has_ended_before_the_next_one_begins(three_hosts, tmp_path):
    nodes = three_hosts.nodes
    leader = three_hosts.leader()
    cut_off = next(node for node in nodes if node is not leader)
    third = next(node for node in nodes if node not in (leader, cut_off))
    first = Holder(cut_off, "backup", tmp_path / "first", ttl=4).wait_running()
    second = Holder(third, "backup", tmp_path / "second", ttl=4)
    try:
        time.sleep(3)
        assert not second.mark.exists(), "two hold one lock"
        cut_off.host.cut()
        second.wait_running()
        _, said = first.process.communicate(timeout=60)
        assert first.process.returncode == 1 and "STEAD-0126" in said, said
        last = max(float(line) for line in first.mark.read_text().splitlines() if "." in line)
        began = second.alive_at()[0]
        assert last < began, f"both ran for {last - began:.2f} s"
        assert second.token > first.token
    finally:
        cut_off.host.heal()
        second.end()


def test_a_write_of_a_former_holder_is_refused_at_every_node(three):
    first, second, third = three.nodes
    s3 = first.s3()
    s3.create_bucket(Bucket="box")
    token = first.json("lock", "acquire", "writer", "--ttl", "2")["token"]

    def fenced(node, number):
        client = node.s3()
        client.meta.events.register(
            "before-sign.s3", lambda request, **_: request.headers.add_header("x-stead-lock", f"writer={number}")
        )
        return client

    fenced(second, token).put_object(Bucket="box", Key="k", Body=b"first")
    after = third.json("lock", "acquire", "writer", "--ttl", "60")["token"]
    for node in three.nodes:
        try:
            fenced(node, token).put_object(Bucket="box", Key="k", Body=b"late")
            raise AssertionError("a former holder's write was taken")
        except s3.exceptions.ClientError as refused:
            assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 412, refused
    fenced(first, after).put_object(Bucket="box", Key="k", Body=b"second")
    assert third.s3().get_object(Bucket="box", Key="k")["Body"].read() == b"second"
