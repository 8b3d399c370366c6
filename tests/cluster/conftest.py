import pathlib
import shutil
import tempfile

import pytest

from nodes import Cluster


@pytest.fixture
def cluster():
    """No node yet; all that a test starts are ended behind it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stead-cluster-"))
    made = Cluster(directory)
    yield made
    made.end()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def three(cluster):
    return cluster.of(3)
