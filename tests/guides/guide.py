"""Guides as files: what stands above them, and the sessions in them.

A fenced block `console run` is a session that is really run. A line `$ COMMAND` or `NAME$ COMMAND` is typed on a machine,
the lines below it are what has to be printed. In those, `...` stands for anything within a line, a line `...` for any
lines, and the width of a gap does not matter. Lines `> …` go on with what is typed. A command `^C` is Ctrl-C in the
terminal where the node runs. `console run without=NAME` is run after that machine has lost its power.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent.parent
DIRECTORY = ROOT / "docs" / "guides"
PROMPT = re.compile(r"^([a-z]*)\$ (.*)$")
CODE = re.compile(r"stead approve ([A-Z0-9]{6})\b")
FENCE = re.compile(r"^```(.*)$")


class Command:
    def __init__(self, machine, line, number):
        self.machine, self.line, self.number = machine, line, number
        self.shown = []

    def __repr__(self):
        return f"line {self.number}: {self.machine}$ {self.line}"


class Block:
    """A fenced block, and what it is said to be."""

    def __init__(self, info, number):
        words = info.split()
        self.number = number
        self.kind = words[0] if words else ""
        self.run = words[:2] == ["console", "run"]
        self.without = [word.removeprefix("without=") for word in words[2:]]
        self.lines = []

    def commands(self):
        commands = []
        for offset, line in enumerate(self.lines):
            typed = PROMPT.match(line)
            if typed:
                commands.append(Command(typed[1], typed[2], self.number + 1 + offset))
            elif commands and line.startswith("> ") and not commands[-1].shown:
                commands[-1].line += "\n" + line.removeprefix("> ")
            else:
                assert commands, f"line {self.number + 1 + offset}: a session begins with a command"
                commands[-1].shown.append(line)
        return commands


class Guide:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.text = path.read_text()
        parts = self.text.split("---\n", 2)
        assert len(parts) == 3 and not parts[0], f"{self.name} has no front matter"
        self.front = dict(line.split(": ", 1) for line in parts[1].splitlines())
        self.nodes = int(self.front.get("nodes", 1))
        # A UPS of this name, at a NUT server on 127.0.0.1.
        self.ups = self.front.get("ups")
        self.blocks = list(self._blocks())

    def _blocks(self):
        block = None
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = FENCE.match(line.strip())
            if not fence:
                if block:
                    block.lines.append(line.removeprefix(block.indent))
            elif block:
                yield block
                block = None
            else:
                block = Block(fence[1], number)
                block.indent = line[: len(line) - len(line.lstrip())]
        assert block is None, f"{self.name}: a fence is open"

    def sessions(self):
        return [block for block in self.blocks if block.run]


def every():
    return [Guide(path) for path in sorted(DIRECTORY.glob("*.md"))]


def pattern(shown):
    """A regular expression for the lines that are shown."""
    lines = []
    for line in shown:
        if line.strip() in ("...", "…"):
            lines.append(r"(?:[^\n]*\n)*?")
            continue
        # A code is another one every time.
        pieces = re.split(r"(\.\.\.|…|\s+)", CODE.sub("stead approve ...", line.strip()))
        one = "".join(
            r"[^\n]*?" if piece in ("...", "…") else r"[ \t]+" if piece.isspace() else re.escape(piece)
            for piece in pieces
            if piece
        )
        lines.append(r"[ \t]*" + one + r"[ \t]*\n")
    return re.compile("".join(lines))
