import json
import os
import subprocess

import pytest

from nut import Nut, wait

STEAD = os.environ["STEAD_BIN"]


@pytest.fixture
def nut():
    """A NUT server that does not run yet."""
    server = Nut()
    yield server
    server.end()


class Read:
    """What `stead power read --nut` said."""

    def __init__(self, place):
        done = subprocess.run(
            [STEAD, "power", "read", "--nut", place, "--json"], capture_output=True, text=True, timeout=30
        )
        self.code, self.error = done.returncode, done.stderr
        assert self.code in (0, 1), done.stderr
        self.said = json.loads(done.stdout)
        self.ups = {ups["name"]: ups for ups in self.said["ups"]}
        self.watts = {reading["device"]: reading["watts"] for reading in self.said["readings"]}


@pytest.fixture
def read(nut):
    return lambda: Read(nut.address)


@pytest.fixture
def supply(nut):
    """Waits until a UPS is fed so, and gives what was read then."""

    def until(name, supply, seconds=20):
        def fed():
            got = Read(nut.address)
            return got if got.ups.get(name, {}).get("supply") == supply else None

        return wait(fed, f"{name} is {supply}", seconds)

    return until
