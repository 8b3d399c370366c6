"""Nodes behind a UPS: what they tell, when they stop, in which order, and when they do not."""

import pathlib
import shutil
import sys
import tempfile
import time
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cluster"))
from nodes import Cluster  # noqa: E402

from nut import MAX_AGE, wait  # noqa: E402

FINE = dict(ups_status="OL", battery_charge=100, battery_runtime=1800, ups_load=25, ups_realpower_nominal=600)
LOW = FINE | dict(ups_status="OB DISCHRG LB", battery_charge=9, battery_runtime=90)


@pytest.fixture
def cluster(nut):
    """No node yet; each is behind the UPS `rack`."""
    nut.start(rack=FINE)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stead-power-"))
    nodes = Cluster(directory)
    nodes.settings = settings(nut)
    yield nodes
    nodes.end()
    shutil.rmtree(directory, ignore_errors=True)


def settings(nut, more=""):
    return f'[power]\nevery_seconds = 1\nups = "rack@{nut.address}"\n{more}\n'


def power(node):
    return node.status().get("power")


def rack(node):
    """The UPS, as the node tells it; nothing before it was asked."""
    return next(iter((power(node) or {"ups": []})["ups"]), {"supply": "not asked"})


def is_fed_by(node, supply, seconds=25):
    def says():
        said = rack(node)
        return said if said["supply"] == supply else None

    return wait(says, f"the node says {supply}", seconds)


def metrics(node):
    with urllib.request.urlopen(node.ready["endpoints"]["api"] + "/metrics", timeout=10) as answer:
        return answer.read().decode()


def ended(node):
    return node.process.poll() is not None


def test_a_node_tells_what_feeds_it_and_stops_when_that_fails(cluster, nut):
    node = cluster.found()
    assert is_fed_by(node, "mains")["feeds_this"] is True
    assert power(node)["watts"] == 150
    text = metrics(node)
    labels = f'source="nut {nut.address}"'
    assert f'stead_power_watts{{{labels},device="rack"}} 150.0' in text
    assert f'stead_ups_on_battery{{{labels},ups="rack"}} 0' in text

    # Unknown is not fine, and no reason to stop.
    nut.freeze("rack")
    assert "stale" in is_fed_by(node, "unknown", MAX_AGE + 20)["why"]
    assert "stead_ups_on_battery{" not in metrics(node)
    nut.says("rack", **FINE | dict(ups_status="OL OB LB"))
    nut.thaw("rack")
    wait(lambda: "both" in rack(node).get("why", ""), "a contradiction is told")
    time.sleep(4)
    assert not ended(node), node.log()

    # On battery with enough left is no reason either.
    nut.says("rack", **FINE | dict(ups_status="OB DISCHRG", battery_charge=80))
    is_fed_by(node, "battery")
    assert "stead_ups_on_battery{" + labels + ',ups="rack"} 1' in metrics(node)
    time.sleep(4)
    assert not ended(node), node.log()

    nut.says("rack", **LOW)
    assert node.process.wait(timeout=60) == 0, node.log()
    assert "the UPS fails" in node.log()


def test_a_silent_ups_that_was_on_battery_is_empty_after_its_grace(cluster, nut):
    cluster.settings = settings(nut, "unknown_grace_seconds = 6")
    node = cluster.found()
    nut.says("rack", **FINE | dict(ups_status="OB DISCHRG", battery_charge=80))
    is_fed_by(node, "battery")
    begun = time.monotonic()
    nut.stop_server()
    assert node.process.wait(timeout=60) == 0, node.log()
    assert time.monotonic() - begun > 5
    assert "has not been known" in node.log()


def three(cluster, nut, more):
    """Nodes called a, b and c."""
    cluster.settings = settings(nut, 'ups_nodes = ["c", "a", "b"]\n' + more)
    cluster.nodes.append(cluster.new().start("--name", "a"))
    cluster.add("--name", "b")
    cluster.add("--name", "c")
    cluster.settle()
    for node in cluster.nodes:
        is_fed_by(node, "mains")
    return cluster.nodes


def test_nodes_stop_least_worth_first(cluster, nut):
    a, b, c = three(cluster, nut, "stop_seconds = 6")
    nut.says("rack", **LOW)
    order = []

    def all_ended():
        for name, node in zip("abc", (a, b, c)):
            if name not in order and ended(node):
                order.append(name)
        return len(order) == 3

    wait(all_ended, "all three stop", 90)
    assert order == ["c", "a", "b"], [node.log() for node in (a, b, c)]
    assert [node.process.returncode for node in (a, b, c)] == [0, 0, 0]


def test_whose_turn_has_not_come_goes_on_when_mains_are_back(cluster, nut):
    a, b, c = three(cluster, nut, "stop_seconds = 25")
    nut.says("rack", **LOW)
    assert c.process.wait(timeout=60) == 0
    # Each sees the UPS for itself, a little later or earlier.
    left = wait(lambda: power(a).get("stops_in_seconds"), "a will stop")
    assert 0 < left <= 25
    nut.says("rack", **FINE)
    is_fed_by(a, "mains")
    wait(lambda: "stops_in_seconds" not in power(a), "a goes on")
    time.sleep(27)
    assert not ended(a) and not ended(b)
    a.run("bucket", "create", "still-here")


def test_a_ups_that_switches_off_leaves_no_time_to_go_one_by_one(cluster, nut):
    a, b, c = three(cluster, nut, "stop_seconds = 10")
    nut.says("rack", **FINE | dict(ups_status="FSD OB LB"))
    ends = {}

    def all_ended():
        for name, node in zip("abc", (a, b, c)):
            if name not in ends and ended(node):
                ends[name] = time.monotonic()
        return len(ends) == 3

    wait(all_ended, "all three stop", 90)
    assert max(ends, key=ends.get) == "b"
    # Together, where one by one would be ten seconds apart.
    assert abs(ends["a"] - ends["c"]) < 7, ends
