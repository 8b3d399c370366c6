import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cluster"))
import lab as network  # noqa: E402

# Guides show addresses of a home and the usual ports, so they are followed in a network of their own. Before anything
# listens; where it is impossible, the tests fail and say why.
WHY_NO_NETWORK = network.leave()
if WHY_NO_NETWORK is None:
    for number in range(1, 6):
        network.ip("addr", "add", f"10.0.0.{number}/24", "dev", "lo")
