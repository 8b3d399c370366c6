"""A real NUT server with Debian's dummy-ups drivers, in a directory of its own, on loopback."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# Debian's /sbin/upsd is a script that first wants /etc/nut/nut.conf to say so.
LIB = pathlib.Path("/lib/nut")

# Seconds after which upsd calls data stale. The driver sends a sign of life every second or so.
MAX_AGE = 4


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait(until, what, seconds=20):
    """Waits until something holds, and gives what it gave."""
    end = time.monotonic() + seconds
    while True:
        got = until()
        if got:
            return got
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


class Nut:
    """`upsd`, and a driver for each UPS that a test names."""

    def __init__(self, users=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="stead-nut-"))
        os.chmod(self.dir, 0o700)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.drivers = {}
        self.written = 0
        self.server = None
        self.environment = os.environ | {
            "NUT_CONFPATH": str(self.dir),
            "NUT_STATEPATH": str(self.dir),
            "NUT_ALTPIDPATH": str(self.dir),
        }
        (self.dir / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {self.port}\nMAXAGE {MAX_AGE}\n")
        (self.dir / "upsd.users").write_text(users or "")

    def start(self, **upses):
        """Starts all, each UPS with its variables."""
        sections = []
        for name, variables in upses.items():
            self.says(name, **variables)
            sections.append(f"[{name}]\n driver = dummy-ups\n port = {self.dir}/{name}.dev\n desc = \"The {name}\"\n")
        (self.dir / "ups.conf").write_text("".join(sections))
        for name in upses:
            self.drive(name)
        log = open(self.dir / "upsd.log", "ab")
        self.server = subprocess.Popen(
            [LIB / "upsd", "-F", "-u", "root"], env=self.environment, stdout=log, stderr=log
        )
        wait(self.listens, f"upsd listens: {self.log()}")
        return self

    def log(self):
        return (self.dir / "upsd.log").read_text(errors="replace")

    def listens(self):
        assert self.server.poll() is None, self.log()
        with socket.socket() as trying:
            return trying.connect_ex(("127.0.0.1", self.port)) == 0

    def drive(self, name):
        log = open(self.dir / f"{name}.log", "ab")
        self.drivers[name] = subprocess.Popen(
            [LIB / "dummy-ups", "-a", name, "-u", "root", "-F", "-i", "1"],
            env=self.environment,
            stdout=log,
            stderr=log,
        )

    def says(self, name, **variables):
        """What the UPS says from now on: `ups_status="OL"` is ups.status."""
        lines = "".join(f"{key.replace('_', '.')}: {value}\n" for key, value in variables.items())
        # At once: the driver may be reading.
        whole = self.dir / f"{name}.new"
        whole.write_text(lines)
        # The driver looks at whole seconds: two files of one second are one to it.
        self.written = max(self.written + 1, int(time.time()))
        os.utime(whole, (self.written, self.written))
        whole.rename(self.dir / f"{name}.dev")

    def freeze(self, name):
        """Its driver hangs: upsd calls it stale."""
        self.drivers[name].send_signal(signal.SIGSTOP)

    def thaw(self, name):
        self.drivers[name].send_signal(signal.SIGCONT)

    def kill(self, name):
        self.drivers[name].kill()
        self.drivers[name].wait()

    def stop_server(self):
        self.server.kill()
        self.server.wait()

    def end(self):
        for process in [*self.drivers.values(), self.server]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
