"""A node with a plug that measures: figures, the breaker's warning, and a month that a restart keeps."""

import http.client
import http.server
import json
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cluster"))
from nodes import Cluster  # noqa: E402

from nut import wait  # noqa: E402


class Plug:
    """A Shelly of the second generation, on loopback."""

    def __init__(self):
        self.watts, self.energy = 1000.0, 5000.0
        plug = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                assert self.path == "/rpc/Shelly.GetStatus"
                switch = {"id": 0, "output": True, "apower": plug.watts, "aenergy": {"total": plug.energy}}
                body = json.dumps({"sys": {"uptime": 5}, "switch:0": switch}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def plug():
    made = Plug()
    yield made
    made.end()


@pytest.fixture
def node(plug):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stead-power-"))
    cluster = Cluster(directory)
    cluster.settings = (
        f'[power]\nevery_seconds = 1\nsources = ["shelly http://{plug.address}"]\nbreaker_watts = 2300\n'
    )
    yield cluster.found()
    cluster.end()
    shutil.rmtree(directory, ignore_errors=True)


def until(node, holds, what):
    def asked():
        power = node.status().get("power")
        return power if power and holds(power) else None

    return wait(asked, f"{what}: {node.log()}", 30)


def overview(node):
    """As the owner sees it, at the node's socket."""
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"{node.data}/stead.sock")
    connection.request("GET", "/api/v1/overview")
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def warnings(node):
    return {warning["code"] for warning in overview(node)["warnings"]}


def test_a_plug_is_measured_and_its_month_kept(plug, node):
    power = until(node, lambda power: power.get("watts") == 1000, "the plug is read")
    assert power["breaker"] == "fine" and power["failed"] == []
    reading = power["readings"][0]
    assert (reading["source"], reading["device"]) == (f"shelly {plug.address}", "switch:0")

    plug.energy += 2.5
    until(node, lambda power: power["month_watt_hours"] == 2.5, "the counter is counted")
    # Eighty per cent of 2,300 W is 1,840 W, and nine tenths of that 1,656 W.
    for watts, breaker in [(1700, "near"), (1900, "above"), (2400, "over"), (900, "fine")]:
        plug.watts = watts
        until(node, lambda power: power.get("breaker") == breaker, f"{watts} W are {breaker}")
        assert ("STEAD-0092" in warnings(node)) == (breaker != "fine")
    assert overview(node)["power"]["watts"] == 900
    assert "900 W" in node.run("status").stdout

    # What cannot be is in no sum, and told.
    for lie in (-900, 1e9):
        plug.watts = lie
        power = until(node, lambda power: power["failed"], f"{lie} W are refused")
        assert "cannot be" in power["failed"][0]["why"] and power["readings"] == []
        assert "STEAD-0090" in warnings(node)
        plug.watts = 900
        until(node, lambda power: not power["failed"], "the plug is believed again")

    assert node.stop() == 0
    plug.energy += 10
    node.start()
    until(node, lambda power: power["month_watt_hours"] == 12.5, "what was drawn meanwhile is counted")


def test_nothing_is_asked_where_nothing_is_named(tmp_path):
    cluster = Cluster(tmp_path)
    try:
        node = cluster.found()
        status = node.status()
        assert "power" not in status
        assert "power" not in {task["name"] for task in status["tasks"]}
        with urllib.request.urlopen(node.ready["endpoints"]["api"] + "/metrics", timeout=10) as answer:
            assert "stead_power_watts{" not in answer.read().decode()
    finally:
        cluster.end()


def test_settings_that_cannot_be_are_refused(tmp_path):
    cluster = Cluster(tmp_path)
    cluster.settings = '[power]\nsources = ["shelly https://10.0.0.5"]\n'
    node = cluster.new().start(wait=False)
    assert node.process.wait(timeout=60) == 1
    assert "power.sources" in node.log() and "STEAD-0071" in node.log()
