"""Settings that all nodes share: set at any node, seen at all, at once or after a restart as they say; refused whole."""

import json
import os
import subprocess

from nodes import BINARY, wait_for


def setting(node, name):
    found = [one for one in node.json("config", "show", name)["settings"] if one["name"] == name]
    assert len(found) == 1, name
    return found[0]


def wait_value(nodes, name, value):
    for node in nodes:
        wait_for(lambda node=node: setting(node, name)["value"] == value, 20, f"{name} is not {value}")


def write(tmp_path, text):
    path = tmp_path / "shared.toml"
    path.write_text(text)
    return str(path)


def test_a_document_set_at_a_follower_counts_on_every_node_at_once(three, tmp_path):
    follower = next(node for node in three.nodes if node is not three.leader())
    assert three.nodes[0].json("config", "show")["revision"] == 0
    path = write(tmp_path, "# a week is enough\n[gc]\nretention_days = 7\n[copies]\nevery_seconds = 3\n")
    changed = json.loads(follower.run("config", "apply", path, "-m", "less room", "--json").stdout)
    assert changed["revision"] == 1
    assert {(one["name"], one["to"], one["restart"]) for one in changed["changes"]} == {
        ("gc.retention_days", 7, False),
        ("copies.every_seconds", 3, False),
    }
    wait_value(three.nodes, "gc.retention_days", 7)
    for node in three.nodes:
        shown = setting(node, "copies.every_seconds")
        assert (shown["value"], shown["origin"], shown["live"]) == (3, "cluster", True)
        assert "# a week is enough" in node.run("config", "show", "--document").stdout
    # One that comes later has it, too.
    late = three.add()
    wait_value([late], "gc.retention_days", 7)
    history = late.json("config", "history")
    assert [(one["revision"], one["message"]) for one in history] == [(1, "less room")]
    assert history[0]["set_by"] and history[0]["set_at"]


def test_what_counts_at_once_is_what_the_node_does(three):
    """The collector's retention: what was overwritten is kept, until the shared setting says for how long."""
    first, other = three.nodes[0], three.nodes[1]
    first.s3().create_bucket(Bucket="box")
    for round in range(3):
        first.s3().put_object(Bucket="box", Key="k", Body=os.urandom(200_000))
    first.run("gc", "--grace", "0s")
    assert len(first.run("history", "box/k").stdout.splitlines()) >= 3
    kept = first.blocks()
    other.run("config", "set", "gc.retention_days", "0")
    other.run("config", "set", "gc.grace_hours", "0")
    wait_value([first], "gc.grace_hours", 0)
    done = first.json("gc")
    assert done["pruned"] and done["deleted"] > 0, done
    assert first.blocks() < kept


def test_what_needs_a_restart_says_so_and_counts_after_it(three):
    first, second = three.nodes[:2]
    said = first.run("config", "set", "s3.domains", '["files.example"]').stdout
    assert "after a restart" in said
    wait_value(three.nodes, "s3.domains", ["files.example"])
    shown = setting(second, "s3.domains")
    assert shown["running"] == ["s3.localhost", "localhost"] and not shown["live"]
    assert second.json("config", "show")["waiting"] == ["s3.domains"]
    assert "started anew for: s3.domains" in second.run("config", "show").stdout
    assert second.stop() == 0
    second.start()
    assert second.json("config", "show")["waiting"] == []
    assert "running" not in setting(second, "s3.domains")
    assert first.json("config", "show")["waiting"] == ["s3.domains"]


def test_a_node_s_own_file_wins_for_that_node(three):
    first, second = three.nodes[:2]
    assert second.stop() == 0
    with open(f"{second.data}/stead.toml", "w") as own:
        own.write("[gc]\nretention_days = 90\n")
    second.start()
    first.run("config", "set", "gc.retention_days", "7")
    wait_value([first], "gc.retention_days", 7)
    first.run("config", "set", "gc.grace_hours", "5")
    wait_value([first, second], "gc.grace_hours", 5)
    own = setting(second, "gc.retention_days")
    assert (own["value"], own["origin"]) == (90, "node")
    # Shared no more, the default counts again.
    first.run("config", "unset", "gc.grace_hours")
    wait_value(three.nodes, "gc.grace_hours", 24)
    refused = first.run("config", "unset", "gc.grace_hours", check=False)
    assert refused.returncode == 1 and "STEAD-0076" in refused.stderr


def test_a_document_that_cannot_be_is_refused_whole(three, tmp_path):
    first = three.nodes[0]
    first.run("config", "set", "gc.retention_days", "7")
    before = first.json("config", "show")
    for text, why in (
        ("[gc]\nretention_days = 8\nretention_day = 1\n", "did you mean gc.retention_days?"),
        ("[gc]\nretention_days = 99999999\n", "must be from 0 to"),
        ('[node]\nsite = "here"\n', "each node's own"),
        ('[[webhook]]\nname = "a"\nurl = "http://localhost"\nsecret = "s3cr3t"\n', "each node's own"),
        ("[gc", "expected"),
        ("# " + "x" * 70_000, "more than 65536 bytes"),
    ):
        refused = first.run("config", "apply", write(tmp_path, text), check=False)
        assert refused.returncode == 1 and why in refused.stderr and "STEAD-0076" in refused.stderr, refused.stderr
    now = first.json("config", "show")
    assert (now["revision"], now["document"]) == (before["revision"], before["document"])
    dry = first.run("config", "apply", "--dry-run", write(tmp_path, "[gc]\nretention_days = 1\n"))
    assert "nothing was changed" in dry.stdout
    assert first.json("config", "show")["revision"] == before["revision"]


def test_of_two_who_change_it_at_once_one_is_told(three, tmp_path):
    first, second = three.nodes[:2]
    assert first.run("config", "set", "gc.retention_days", "7").returncode == 0
    wait_value([second], "gc.retention_days", 7)
    one = write(tmp_path, "[gc]\nretention_days = 8\n")
    assert first.run("config", "apply", one, "--over", "1").returncode == 0
    late = second.run("config", "apply", one, "--over", "1", check=False)
    assert late.returncode == 1 and "STEAD-0077" in late.stderr, late.stderr
    # Really at once: as many as are told that they were taken are in the history.
    commands = [
        subprocess.Popen(
            [BINARY, "--data", three.nodes[at % 3].data, "config", "set", "gc.retention_days", str(20 + at)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for at in range(6)
    ]
    said = [command.communicate(timeout=60) + (command.returncode,) for command in commands]
    taken = sum(code == 0 for _, _, code in said)
    assert taken >= 1 and all("STEAD-0077" in err for _, err, code in said if code), said
    assert [one["revision"] for one in first.json("config", "history")] == list(range(2 + taken, 0, -1))


def test_an_earlier_document_comes_back_and_what_differs_is_shown(three):
    first = three.nodes[0]
    for days in ("7", "8", "9"):
        first.run("config", "set", "gc.retention_days", days, "-m", f"try {days}")
    differs = first.run("config", "diff", "1", check=False)
    assert differs.returncode == 1
    assert "-retention_days = 7" in differs.stdout and "+retention_days = 9" in differs.stdout
    assert first.run("config", "diff", "3").stdout == ""
    said = first.run("config", "rollback", "1").stdout
    assert "revision 4 counts" in said
    wait_value(three.nodes, "gc.retention_days", 7)
    assert first.run("config", "diff", "1", "4").stdout == ""
    assert first.json("config", "history")[0]["message"] == "back to revision 1"
    gone = first.run("config", "rollback", "99", check=False)
    assert gone.returncode == 1 and "STEAD-0078" in gone.stderr
    # The log has it all: the view is what a rebuild makes of it.
    assert first.run("view", "rebuild").returncode == 0


def test_an_editor_gets_it_back_until_it_is_right(three, tmp_path):
    first = three.nodes[0]
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        f'if grep -q "^#! .*retention_day" "$1"; then cp "$1" {tmp_path}/seen; '
        'printf "[gc]\\nretention_days = 6\\n" > "$1"; else printf "[gc]\\nretention_day = 6\\n" > "$1"; fi\n'
    )
    editor.chmod(0o755)
    done = subprocess.run(
        [BINARY, "--data", first.data, "config", "edit", "-m", "by hand"],
        env={**os.environ, "EDITOR": str(editor), "VISUAL": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text().startswith("#! ")
    wait_value(three.nodes, "gc.retention_days", 6)
    unchanged = subprocess.run(
        [BINARY, "--data", first.data, "config", "edit"],
        env={**os.environ, "EDITOR": "true", "VISUAL": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert unchanged.returncode == 0 and "nothing was changed" in unchanged.stdout
    assert first.json("config", "show")["revision"] == 1
