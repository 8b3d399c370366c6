"""Drills and forecasts of the running cluster: what is safe is tried, what is not is refused, and both say why."""

import json
import signal
import subprocess
import threading
import time

from nodes import BINARY, wait_for

SWITCHES = ["left", "left", "right", "right", "right"]


def of(cluster, count, switches=SWITCHES):
    """Nodes with names and switches of their own."""
    for number in range(count):
        cluster.settings = f'[node]\nswitch = "{switches[number]}"\n[copies]\nevery_seconds = 2\n'
        name = ["--name", f"n{number + 1}"]
        if number == 0:
            cluster.nodes.append(cluster.new().start(*name))
        else:
            cluster.add(*name)
    cluster.settle()
    wait_for(lambda: all(one["copies"]["level"] for one in cluster.nodes[0].status()["nodes"]), 60, "not level")
    return cluster


def leader(cluster):
    status = cluster.nodes[0].status()
    number = next(at for at, node in enumerate(status["nodes"]) if node["leader"])
    return status["nodes"][number]["name"]


def other(cluster, name):
    """A node that is not called that."""
    return next(node for at, node in enumerate(cluster.nodes) if f"n{at + 1}" != name)


def test_losing_whoever_leads_is_tried_and_is_as_forecast(cluster):
    of(cluster, 3)
    who = leader(cluster)
    asked = other(cluster, who)
    dry = json.loads(asked.run("drill", who, "--dry-run", "--json").stdout)
    assert dry["forecast"]["leader"] and dry["forecast"]["service_goes_on"] and "happened" not in dry
    done = json.loads(asked.run("drill", who, "--seconds", "8", "--json", limit=200).stdout)
    assert done["differs"] == []
    happened = done["happened"]
    assert happened["written"] > 10 and happened["lost"] == 0 and not happened["stopped"]
    assert happened["write_pause_s"] > 0.1, "another one had to be elected"
    status = asked.status()
    assert all(node["state"] == "up" for node in status["nodes"])
    assert "stead-drill" not in asked.run("bucket", "list").stdout


def test_a_node_that_is_cut_off_for_a_drill_is_away_to_the_others_and_says_so(cluster):
    of(cluster, 3)
    asked = next(node for at, node in enumerate(cluster.nodes) if f"n{at + 1}" == leader(cluster))
    who = next(f"n{at + 1}" for at, node in enumerate(cluster.nodes) if node is not asked)
    process = subprocess.Popen(
        [BINARY, "--data", asked.data, "drill", who, "--seconds", "300", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        state = lambda: next(node["state"] for node in asked.status()["nodes"] if node["name"] == who)  # noqa: E731
        wait_for(lambda: state() == "away", 60, "it was never away")
        # While one is away, losing another one would stop everything: refused.
        third = ({"n1", "n2", "n3"} - {who, leader(cluster)}).pop()
        refused = asked.run("drill", third, check=False)
        assert refused.returncode == 1 and "nothing can be written" in refused.stderr, refused.stderr
        live = asked.run("plan", "what-if", "--live", f"{third} dies", check=False)
        assert live.returncode == 1 and "is away now" in live.stdout, live.stdout
        # The stop button.
        process.send_signal(signal.SIGINT)
        done = json.loads(process.communicate(timeout=150)[0])
        assert process.returncode == 0 and done["happened"]["stopped"]
        assert done["happened"]["seconds"] < 200 and done["happened"]["lost"] == 0
        assert state() == "up"
    finally:
        process.kill()
        process.wait()


def test_a_drill_that_another_began_is_stopped(cluster):
    of(cluster, 3)
    asked = next(node for at, node in enumerate(cluster.nodes) if f"n{at + 1}" == leader(cluster))
    who = next(f"n{at + 1}" for at, node in enumerate(cluster.nodes) if node is not asked)
    told = []
    running = threading.Thread(
        target=lambda: told.append(asked.run("drill", who, "--seconds", "60", limit=300, check=False))
    )
    begun = time.monotonic()
    running.start()
    state = lambda: next(node["state"] for node in asked.status()["nodes"] if node["name"] == who)  # noqa: E731
    wait_for(lambda: state() == "away", 50, "it was never away")
    assert "over" in asked.run("drill", "--stop").stdout
    wait_for(lambda: state() == "up", 30, "it is not back")
    assert time.monotonic() - begun < 60
    running.join()
    assert told[0].returncode == 0 and "as forecast" in told[0].stdout, (told[0].stdout, told[0].stderr)


def test_what_is_not_safe_is_not_tried(cluster):
    of(cluster, 3)
    first = cluster.nodes[0]
    # Two of three behind one switch; and this node itself.
    for what, why in (
        ("left", "nothing can be written"),
        ("n1", "ask another one"),
        ("nothing-of-that-name", "nothing here is called"),
        ("n2", "5 to 600"),
    ):
        seconds = "3" if why == "5 to 600" else "10"
        asked = cluster.nodes[2] if what == "left" else first
        refused = asked.run("drill", what, "--seconds", seconds, check=False)
        assert refused.returncode != 0 and why in refused.stderr, (what, refused.stderr)
    assert all(node["state"] == "up" for node in first.status()["nodes"])
    assert "stead-drill" not in first.run("bucket", "list").stdout


def test_a_switch_fails_for_a_while_where_enough_is_behind_the_other(cluster):
    of(cluster, 5)
    behind_right = cluster.nodes[4]
    forecast = behind_right.run("plan", "what-if", "--live", "switch left fails", check=False)
    assert forecast.returncode == 0, forecast.stdout + forecast.stderr
    done = json.loads(behind_right.run("drill", "switch left", "--seconds", "6", "--json", limit=200).stdout)
    assert sorted(done["forecast"]["nodes"]) == ["n1", "n2"] and done["differs"] == []
    live = behind_right.run("plan", "what-if", "--live", "switch right fails", check=False)
    assert live.returncode == 1
    not_understood = behind_right.run("plan", "what-if", "--live", "blorb", check=False)
    assert not_understood.returncode == 2
