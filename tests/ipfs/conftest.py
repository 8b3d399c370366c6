"""A node of its own, the gateway specification's CAR fixtures imported and published.

The binary is given by STEAD_BIN. Cases are written from the text of the specifications at
https://specs.ipfs.tech/http-gateways/.
"""

import hashlib
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.parse

import pytest

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
# Not whole, or with names that objects cannot have: kept as blocks.
PARTIAL = ["missing", "dag-cbor-with-links", "inside-root", "outside-root", "subdomain"]
BINARY = os.environ.get("STEAD_BIN", "target/debug/stead")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def cid_length(data):
    """Bytes of the CID that data begins with."""
    if data[0] == 0x12:
        return 34
    _, at = varint(data, 0)
    _, at = varint(data, at)
    _, at = varint(data, at)
    length, at = varint(data, at)
    return at + length


def blocks(car):
    """(CID bytes, block) of a CAR, in order; every sha2-256 block is compared with its name."""
    length, at = varint(car, 0)
    at += length
    found = []
    while at < len(car):
        length, at = varint(car, at)
        section = car[at : at + length]
        assert len(section) == length, "the CAR is cut off"
        cut = cid_length(section)
        cid, block = section[:cut], section[cut:]
        assert hashlib.sha256(block).digest() == cid[-32:]
        found.append((cid, block))
        at += length
    return found


def understood(car):
    """A CAR without the blocks whose hash is not sha2-256: those are refused, and not what is tested with it."""
    length, at = varint(car, 0)
    kept, at = car[: at + length], at + length
    while at < len(car):
        length, begin = varint(car, at)
        if car[begin] == 0x12 or b"\x12\x20" in car[begin : begin + 5]:
            kept += car[at : begin + length]
        at = begin + length
    return kept


class Answer:
    def __init__(self, answer, body):
        self.status, self.headers, self.body = answer.status, answer.headers, body


class Node:
    def __init__(self, work):
        self.data = os.path.join(work, "data")
        command = [BINARY, "--data", self.data, "up", "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.ipfs = urllib.parse.urlsplit(self.ready["endpoints"]["ipfs"])

    def run(self, *arguments, ok=True):
        done = subprocess.run([BINARY, "--data", self.data, *map(str, arguments)], capture_output=True, text=True)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection(self.ipfs.hostname, self.ipfs.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Answer(answer, body)

    def until(self, path, **headers):
        """The same once it is there: what was stored becomes public a moment later."""
        deadline = time.monotonic() + 10
        while (answer := self.get(path, **headers)).status == 404 and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer


@pytest.fixture(scope="session")
def node():
    work = tempfile.mkdtemp(prefix="stead-ipfs-")
    node = Node(work)
    try:
        node.run("bucket", "create", "public")
        node.run("bucket", "create", "private")
        node.roots = {}
        for car in sorted(FIXTURES.glob("*.car")):
            partial = ["--partial"] if any(part in car.name for part in PARTIAL) else []
            file = pathlib.Path(work) / "in.car"
            file.write_bytes(understood(car.read_bytes()))
            done = node.json("ipfs", "import", *partial, file, f"public/{car.stem}")
            node.roots[car.stem] = done["roots"]
        node.published = node.json("ipfs", "publish", "public")
        yield node
    finally:
        node.process.terminate()
        node.process.wait(60)
        shutil.rmtree(work)
