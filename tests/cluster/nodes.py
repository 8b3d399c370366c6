"""Nodes as real processes on loopback, which tests join, kill, stop and start again.

STEAD_BIN names the binary. Every node has a directory of its own below one that is removed behind the test.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time

import boto3
from botocore.config import Config

BINARY = os.environ["STEAD_BIN"]

# Only bounds: on a busy machine everything takes its time.
PATIENCE = 60


class Node:
    """One process, or the directory of one that does not run."""

    def __init__(self, data, number):
        self.data = str(data)
        self.number = number
        self.prefix = []
        self.listen = "127.0.0.1:0"
        self.process = None
        self.ready = None
        self.code = None
        self._lines = None

    # -- life

    def start(self, *more, wait=True):
        """Starts the process; with `wait`, returns when it is ready."""
        log = open(f"{self.data}.log", "ab")
        command = [*self.prefix, BINARY, "up", "--data", self.data, "--listen", self.listen, "--json", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self._lines), daemon=True).start()
        if wait:
            self.wait_ready()
        return self

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line)
        lines.put(None)

    def _line(self, limit):
        line = self._lines.get(timeout=limit)
        assert line is not None, f"node {self.number} ended: {self.log()}"
        return json.loads(line)

    def wait_code(self, limit=PATIENCE):
        """The code of a node that waits to be let in."""
        said = self._line(limit)
        assert said.get("waiting") is True, said
        self.code = said["code"]
        assert len(self.code) == 6
        return self.code

    def wait_ready(self, limit=PATIENCE):
        said = self._line(limit)
        assert said.get("ready") is True, said
        self.ready = said
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, limit=PATIENCE):
        """Ends it as an operator does; returns its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=limit)

    def end(self):
        if self.process and self.process.poll() is None:
            self.go_on()
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(f"{self.data}.log", "rb") as log:
            return log.read()[-3000:].decode(errors="replace")

    # -- asking

    def run(self, *command, check=True, limit=PATIENCE):
        done = subprocess.run(
            [BINARY, "--data", self.data, *command], capture_output=True, text=True, timeout=limit
        )
        if check:
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done

    def json(self, *command):
        return json.loads(self.run(*command, "--json").stdout)

    def ticket(self):
        return self.run("ticket").stdout.strip()

    def status(self):
        return self.json("status")

    def s3(self, timeout=40, access_key=None, secret_key=None):
        return boto3.client(
            "s3",
            endpoint_url=self.ready["endpoints"]["s3"],
            aws_access_key_id=access_key or self.ready["access_key"],
            aws_secret_access_key=secret_key or self.ready["secret_key"],
            region_name="us-east-1",
            config=Config(
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                read_timeout=timeout,
                connect_timeout=5,
            ),
        )

    def blocks(self):
        """How many blocks are on this node."""
        return self.status()["blocks"]["blocks"]

    def wait_can_lose(self, count):
        """Waits until so many nodes may be lost: not before copies are known to be where they belong."""
        wait_for(lambda: self.status()["can_lose"] == count, 30, f"not {count}: {self.status()['because']}")

    def head(self):
        """Where every log ends here: tenant, position and CID."""
        logs = self.status()["logs"]
        return tuple(sorted((log["tenant"], log["position"], log.get("head")) for log in logs))


class Cluster:
    """Nodes that are one cluster."""

    def __init__(self, directory, lab=None):
        self.directory = directory
        self.lab = lab
        self.nodes = []
        self.made = 0
        # What every node's stead.toml says.
        self.settings = ""

    def new(self):
        """A node that does not run yet, on a host of its own where there is a lab."""
        self.made += 1
        data = self.directory / str(self.made)
        if self.settings:
            data.mkdir(mode=0o700)
            (data / "stead.toml").write_text(self.settings)
        return self.lab.host().node(data, self.made) if self.lab else Node(data, self.made)

    def found(self):
        self.nodes.append(self.new().start())
        return self.nodes[0]

    def add(self, *more, approve_at=None):
        """One more node, let in by a member."""
        member = approve_at or self.nodes[0]
        node = self.new()
        node.start("--join", self.nodes[0].ticket(), *more, wait=False)
        self.nodes.append(node)
        member.run("approve", node.wait_code())
        return node.wait_ready()

    def of(self, count):
        self.found()
        while len(self.nodes) < count:
            self.add()
        self.settle()
        return self

    def running(self):
        return [node for node in self.nodes if node.process and node.process.poll() is None]

    def settle(self, voters=None, limit=PATIENCE):
        """Waits until every running node is a member that is up to date, and so many vote."""
        running = self.running()
        if voters is None:
            most = min(len(self.nodes), 5)
            voters = most if most % 2 else most - 1

        def settled():
            for node in running:
                status = node.status()
                up = [one for one in status["nodes"] if one["state"] == "up"]
                if len(up) < len(running) or len(status["voters"]) != voters or not status.get("leader"):
                    return False
            return len({node.head() for node in running}) == 1

        wait_for(settled, limit, "the cluster has not settled")

    def leader(self, limit=PATIENCE):
        """The node that leads, as a running one knows it."""
        running = self.running()

        def find():
            name = running[0].status().get("leader")
            for node in running:
                if name and node.status()["node"] == name:
                    return node
            return None

        return wait_for(find, limit, "nobody leads")

    def end(self):
        for node in self.nodes:
            node.end()


def wait_for(what, limit=PATIENCE, otherwise="it did not come"):
    """Waits until `what()` is true; answers it."""
    until = time.monotonic() + limit
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, otherwise
        time.sleep(0.1)
