"""Finding a cluster by multicast, in a network of namespaces."""

import socket
import struct
import time

from nodes import wait_for

GROUP, PORT = "224.0.0.251", 5353
SERVICE = b"\x06_stead\x04_udp\x05local\x00"


def answers_to_a_query(seconds=3):
    """What comes back when somebody on the bridge asks for the service, as avahi-browse does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.254"))
        asker.bind(("10.77.0.254", 0))
        # One question, PTR, class IN; the answer comes to whoever asks from another port than mDNS's.
        asker.sendto(struct.pack(">6H", 7, 0, 1, 0, 0, 0) + SERVICE + struct.pack(">2H", 12, 1), (GROUP, PORT))
        asker.settimeout(0.5)
        until, answers = time.monotonic() + seconds, []
        while time.monotonic() < until:
            try:
                answers.append(asker.recv(9000))
            except TimeoutError:
                pass
        return answers


def test_a_node_finds_the_cluster_nearby_and_shows_the_code_that_lets_it_in(hosts):
    first = hosts.found()
    name = first.status()["node"]
    wait_for(
        lambda: any(name[:12].encode() in answer for answer in answers_to_a_query()), 30, "it is not announced"
    )
    second = hosts.new()
    second.start("--join", wait=False)
    hosts.nodes.append(second)
    code = second.wait_code()
    waiting = wait_for(lambda: first.status()["waiting"], 30, "nobody waits")
    assert [(one["code"], one["id"] != name) for one in waiting] == [(code, True)]
    first.run("approve", code.lower())
    second.wait_ready()
    # A third, let in at the second; and the first, which was never asked for a ticket, comes back as a member.
    third = hosts.new()
    third.start("--join", "--witness", wait=False)
    hosts.nodes.append(third)
    second.run("approve", third.wait_code())
    third.wait_ready()
    hosts.settle()
    first.kill()
    first.start()
    hosts.settle()


def test_a_code_that_nobody_shows_lets_nobody_in(hosts):
    first = hosts.found()
    second = hosts.new()
    second.start("--join", wait=False)
    hosts.nodes.append(second)
    code = second.wait_code()
    wrong = ("B" if code[0] == "A" else "A") + code[1:]
    refused = first.run("approve", wrong, check=False)
    assert refused.returncode == 1 and wrong in refused.stderr
    first.run("approve", code)
    second.wait_ready()


def test_a_node_that_only_this_machine_reaches_is_not_announced(cluster, hosts):
    cluster.found()
    alone = hosts.new()
    alone.start("--join", wait=False)
    hosts.nodes.append(alone)
    wait_for(lambda: alone.process.poll() is not None, 60, "it goes on looking")
    assert "no cluster was found nearby" in alone.log()


def test_a_member_that_was_started_anew_shows_another_code(hosts):
    first = hosts.found()
    second = hosts.new()
    second.start("--join", wait=False)
    hosts.nodes.append(second)
    before = second.wait_code()
    first.kill()
    first.start()
    after = second.wait_code(60)
    assert before != after
    first.run("approve", after)
    second.wait_ready()
