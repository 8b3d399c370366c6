"""Machines of a home, at which somebody follows a guide.

Each has a home directory, a shell that keeps what is exported in it, and an address. They are one machine, really: the
names of directories and the addresses are what tells them apart.
"""

import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

import nut
from guide import CODE, pattern
from nodes import BINARY, Node, wait_for
from nut import Nut

# Guides name no port where it is the usual one.
nut.free_port = lambda: 3493
FINE = dict(ups_status="OL", battery_charge=100, battery_runtime=1800, ups_load=25, ups_realpower_nominal=600)

NAMES = ["attic", "cellar", "shed", "loft", "barn"]
PATIENCE = 60
# A word that has nothing by which it is known, and where it was shown.
SECRET, SECRET_SHOWN = re.compile(r"--secret-key \.\.\."), re.compile(r"^secret key +(\S+)$", re.M)
# What stays in the foreground of its terminal.
STAYS = "stead up"
# What ends what stays.
STOPS = "stead cluster stop"
# What changes nothing, and is looked at again while a cluster takes its moment to notice.
LOOKS = ("stead node list", "stead cluster can-lose", "stead guide outage", "stead power read")


class Machine:
    def __init__(self, root, name, bin_directory):
        self.name = name
        self.address = f"10.0.0.{NAMES.index(name) + 1}" if name in NAMES else None
        self.home = root / name
        self.home.mkdir()
        self.data = self.home / ".local" / "share" / "stead"
        self.data.parent.mkdir(parents=True)
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "STEAD_", "RCLONE_"))}
        self.environment = keep | {
            "HOME": str(self.home),
            "STEAD_DATA": str(self.data),
            "PATH": f"{bin_directory}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PAGER": "",
        }
        self.shell = None
        # What runs in the foreground of a terminal of its own.
        self.foreground = []
        self.node = None

    # -- a command that ends

    def type(self, line):
        """Types a line at the shell; answers what it printed and its exit code."""
        if self.shell is None:
            self.shell = Stream(["bash", "--norc", "--noprofile"], self, stdin=subprocess.PIPE)
        mark = f"done-{time.monotonic_ns()}"
        self.shell.process.stdin.write(f"{{ {line}\n}} < /dev/null; echo \"{mark} $?\"\n")
        self.shell.process.stdin.flush()
        said = self.shell.until(lambda text: re.search(rf"{mark} (\d+)\n", text), line)
        text = self.shell.take()
        return text[: said.start()], int(said[1])

    # -- a command that stays

    def stay(self, line, shown):
        # What a node logs, on standard error, guides do not show.
        log = self.home / "log"
        stream = Stream(["bash", "--norc", "--noprofile", "-c", f"exec {line} 2>>{log}"], self)
        self.foreground.append(stream)
        wanted = pattern(shown)
        stream.until(wanted.match, line)
        return stream.text

    def interrupt(self):
        """Ctrl-C where the node runs."""
        process = self.foreground.pop().process if self.foreground else self.node.process
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0, f"{self.name} did not stop well"

    def wait_end(self):
        nodes = [self.node] if self.node else []
        for one in self.foreground + nodes:
            one.process.wait(timeout=PATIENCE)
        self.foreground.clear()

    def lose_power(self):
        for stream in self.foreground:
            stream.kill()
        self.foreground.clear()
        if self.node:
            self.node.end()

    def end(self):
        self.lose_power()
        if self.shell:
            self.shell.kill()


class Stream:
    """A process, and what it has printed."""

    def __init__(self, command, machine, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            command,
            cwd=machine.home,
            env=machine.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.text = ""
        self.pieces = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.pieces.put(line)
        self.pieces.put(None)

    def until(self, found, what):
        """Reads until `found(text)` is true, and answers that."""
        limit = time.monotonic() + PATIENCE
        while True:
            hit = found(self.text)
            if hit:
                return hit
            try:
                piece = self.pieces.get(timeout=max(0.01, limit - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"`{what}` is not so far within {PATIENCE} s; it said:\n{self.text}") from None
            assert piece is not None, f"`{what}` ended; it said:\n{self.text}"
            self.text += piece

    def take(self):
        text, self.text = self.text, ""
        return text

    def kill(self):
        if self.process.poll() is None:
            # With what it has started: its own session, so nobody else's.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Home:
    def __init__(self, root, guide):
        self.root = pathlib.Path(root)
        self.nut = None
        self.bin = self.root / "bin"
        self.bin.mkdir()
        (self.bin / "stead").symlink_to(BINARY)
        self.machines = {}
        # All that any command printed, for what a reader would copy from it.
        self.printed = ""
        if guide.ups:
            self.nut = Nut()
            self.nut.start(**{guide.ups: FINE})
        for name in NAMES[: guide.nodes]:
            self.start(name, alone=guide.nodes == 1)

    def machine(self, name):
        name = name or NAMES[0]
        if name not in self.machines:
            self.machines[name] = Machine(self.root, name, self.bin)
        return self.machines[name]

    def start(self, name, alone):
        """A node that is there when the guide begins."""
        machine = self.machine(name)
        node = machine.node = Node(machine.data, name)
        first = self.machine(NAMES[0])
        node.listen = "127.0.0.1:7300" if alone else f"{machine.address}:7300"
        if machine is first:
            node.start("--name", name)
            # Somebody lives here already.
            node.run("bucket", "create", "family")
            return
        node.start("--name", name, "--join", first.node.ticket(), wait=False)
        first.node.run("approve", node.wait_code())
        node.wait_ready()
        count = len([one for one in self.machines.values() if one.node])
        voters = count if count % 2 else count - 1

        def settled():
            status = node.status()
            level = all((one.get("copies") or {}).get("level") for one in status["nodes"])
            return len(status["voters"]) == voters and level and first.node.head() == node.head()

        wait_for(settled, PATIENCE, f"{name} does not settle")

    def filled(self, line):
        """The command with what a reader copies from the screen: words with `...`, and codes."""
        code = CODE.search(line)
        if code:
            shown = CODE.findall(self.printed)
            assert shown, f"no code was shown before `{line}`"
            line = line.replace(code[1], shown[-1])

        line = SECRET.sub(lambda _: "--secret-key " + SECRET_SHOWN.findall(self.printed)[-1], line)

        def copy(word):
            parts = [re.escape(part) for part in re.split(r"\.\.\.|…", word[0])]
            found = re.findall(r"(?<!\S)" + r"\S+?".join(parts) + r"(?!\S)", self.printed)
            assert found, f"nothing was printed that `{word[0]}` is"
            return found[-1]

        return re.sub(r"\S*[A-Za-z0-9=_-]\S*(?:\.\.\.|…)\S*", copy, line)

    def follow(self, command):
        machine = self.machine(command.machine)
        line = self.filled(command.line)
        shown = command.shown
        if line == "^C":
            machine.interrupt()
            return
        if line.startswith(STAYS):
            self.printed += machine.stay(line, shown)
            return
        limit = time.monotonic() + (PATIENCE if line.startswith(LOOKS) else 0)
        while True:
            text, code = machine.type(line)
            right = pattern(shown).fullmatch(text)
            if right or time.monotonic() >= limit:
                break
            time.sleep(0.5)
        self.printed += text
        wanted_failure = any(part.startswith("error[") for part in shown)
        assert (code != 0) == wanted_failure, f"{command} ended with {code}:\n{text}"
        if not right:
            raise AssertionError(f"{command} has to print\n{chr(10).join(shown)}\n--- and printed\n{text}")
        if line.startswith(STOPS):
            # A person waits for the prompt of the other terminals to come back.
            for one in self.machines.values():
                one.wait_end()

    def end(self):
        for machine in self.machines.values():
            machine.end()
        if self.nut:
            self.nut.end()
