"""Every guide is followed: each session in it is typed, and what is printed compared with what is shown."""

import os
import re
import shlex
import subprocess
import tempfile

import pytest

from conftest import WHY_NO_NETWORK
from guide import DIRECTORY, PROMPT, ROOT, every, pattern
from home import Home

STEAD = os.environ["STEAD_BIN"]
GUIDES = every()
BY_NAME = [pytest.param(guide, id=guide.name) for guide in GUIDES]


@pytest.mark.parametrize("guide", [one for one in BY_NAME if one.values[0].sessions()])
def test_what_a_guide_shows_is_what_happens(guide):
    assert WHY_NO_NETWORK is None, WHY_NO_NETWORK
    with tempfile.TemporaryDirectory(prefix="stead-guide-") as root:
        home = Home(root, guide)
        try:
            for block in guide.sessions():
                for name in block.without:
                    home.machine(name).lose_power()
                for command in block.commands():
                    home.follow(command)
        finally:
            home.end()


def test_there_are_guides_with_sessions():
    assert len(GUIDES) >= 12
    followed = [guide.name for guide in GUIDES if guide.sessions()]
    assert len(followed) == len(GUIDES), set(guide.name for guide in GUIDES) - set(followed)


@pytest.mark.parametrize("guide", BY_NAME)
def test_the_front_matter_is_whole(guide):
    assert set(guide.front) - {"nodes", "ups"} == {"title", "room", "summary", "minutes", "needs"}
    assert guide.front["room"] in ("Hardware", "Ops", "Software", "Personal software")
    assert 0 < int(guide.front["minutes"]) <= 600
    assert len(guide.text.splitlines()) <= 130


@pytest.mark.parametrize("guide", BY_NAME)
def test_a_block_that_is_not_run_is_announced(guide):
    kinds = {block.kind for block in guide.blocks}
    assert kinds <= {"console", "toml", "ini"}, kinds
    if any(block.kind == "console" and not block.run for block in guide.blocks):
        assert "not run by the test" in re.sub(r"\s+", " ", guide.text), "say so"


def commands_shown(guide):
    """What begins with `stead ` in blocks and between backticks."""
    for block in guide.blocks:
        for line in block.lines:
            typed = PROMPT.match(line)
            if typed:
                yield from re.findall(r"(?:^|[|;&(]\s*|\s-- )(stead [^|;&<>()`]*)", typed[2])
    prose = "\n".join(guide.text.split("```")[::2])
    yield from (" ".join(code.split()) for code in re.findall(r"`(stead [^`]+)`", prose))


def usage(path, known={}):  # noqa: B006: kept on purpose, each is asked once
    if path not in known:
        done = subprocess.run([STEAD, *path, "--help"], capture_output=True, text=True, timeout=60)
        known[path] = done.stdout if done.returncode == 0 else None
    return known[path]


@pytest.mark.parametrize("guide", BY_NAME)
def test_commands_that_are_shown_exist(guide):
    found = 0
    for line in commands_shown(guide):
        words = shlex.split(line)[1:]
        path, rest = (), list(words)
        while rest and not rest[0].startswith("-") and not rest[0].isupper():
            listed = re.search(r"^Commands:\n((?: +.*\n)+)", usage(path) or "", re.M)
            if not listed:
                break
            assert usage((*path, rest[0])) is not None, f"`{line}`: there is no `{' '.join((*path, rest[0]))}`"
            path = (*path, rest.pop(0))
        text = usage(path)
        assert text is not None, line
        for option in rest:
            if option == "--":
                break
            if option.startswith("-") and option != "-":
                name = option.split("=")[0]
                assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text), f"`{line}`: no option {name}"
        found += 1
    assert found, "it shows no command of Stead's"


@pytest.mark.parametrize("guide", BY_NAME)
def test_links_lead_somewhere(guide):
    for target in re.findall(r"\]\(([^)]+)\)", guide.text):
        assert "://" not in target, f"{target}: a guide needs no network"
        file, _, anchor = target.partition("#")
        path = (DIRECTORY / file).resolve() if file else guide.path
        assert path.is_file() and path.is_relative_to(ROOT), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
            slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in slugs, f"{target}: {slugs}"


def test_the_comparison_can_fail():
    shown = ["NODE    NAME", "...", "done in ... ms"]
    assert pattern(shown).fullmatch("NODE  NAME\na\nb\n  done in 3 ms\n")
    for wrong in ("NODE NAMES\ndone in 3 ms\n", "NODE NAME\ndone in 3 s\n", "NODE NAME\ndone in 3 ms\nmore\n", ""):
        assert not pattern(shown).fullmatch(wrong), wrong
    assert pattern([]).fullmatch("") and not pattern([]).fullmatch("x\n")
