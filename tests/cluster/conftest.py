import pathlib
import shutil
import tempfile

import pytest

import lab as network
from nodes import Cluster

# Before anything listens. Where it is impossible, tests that pull cables fail and say why.
WHY_NO_LAB = network.leave()


def made(lab=None):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stead-cluster-"))
    cluster = Cluster(directory, lab)
    yield cluster
    cluster.end()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def cluster():
    """No node yet, on loopback; all that a test starts are ended behind it."""
    yield from made()


@pytest.fixture
def three(cluster):
    return cluster.of(3)


@pytest.fixture
def lab():
    assert WHY_NO_LAB is None, WHY_NO_LAB
    network_of_its_own = network.Lab()
    yield network_of_its_own
    network_of_its_own.end()


@pytest.fixture
def hosts(lab):
    """No node yet; each on a host of its own, whose cable can be pulled."""
    yield from made(lab)


@pytest.fixture
def three_hosts(hosts):
    return hosts.of(3)
