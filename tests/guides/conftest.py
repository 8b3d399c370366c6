import pathlib
import sys

for suite in ("cluster", "power"):
    # Behind this directory's own: each suite has its `conftest`.
    sys.path.append(str(pathlib.Path(__file__).parent.parent / suite))
import lab as network  # noqa: E402

# Guides show addresses of a home and the usual ports, so they are followed in a network of their own. Before anything
# listens; where it is impossible, the tests fail and say why.
WHY_NO_NETWORK = network.leave()
if WHY_NO_NETWORK is None:
    for number in range(1, 6):
        for net in ("10.0.0", "192.168.5"):
            network.ip("addr", "add", f"{net}.{number}/24", "dev", "lo")
