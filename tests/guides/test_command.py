"""`stead guide`: lists, searches, suggests, and says of an outage what is so now. `stead bench host` leaves nothing behind."""

import json
import os
import subprocess
import tempfile
import tomllib

import pytest

from conftest import WHY_NO_NETWORK
from guide import ROOT, every
from home import Home
from nodes import wait_for

STEAD = os.environ["STEAD_BIN"]


def stead(*arguments, environment=None, code=0):
    keep = {key: value for key, value in os.environ.items() if not key.startswith("STEAD_")}
    done = subprocess.run(
        [STEAD, *arguments], capture_output=True, text=True, timeout=60, env=keep | (environment or {})
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def test_guides_are_listed_by_room_and_each_is_shown():
    listed = stead("guide").stdout
    places = [listed.index(f"{room}\n") for room in ("Hardware", "Ops", "Software", "Personal software")]
    assert places == sorted(places)
    told = {one["name"]: one for one in json.loads(stead("guide", "--json").stdout)}
    assert set(told) == {guide.name for guide in every()}
    for guide in every():
        assert f"  {guide.name} " in listed
        assert stead("guide", guide.name, "--markdown").stdout == guide.text
        if guide.name != "outage":
            shown = stead("guide", guide.name).stdout
            assert shown.startswith(guide.front["title"] + "\n")
            for block in guide.blocks:
                assert all(line.strip() in shown for line in block.lines), guide.name
            assert json.loads(stead("guide", guide.name, "--json").stdout)["blocks"]


def test_a_slip_is_understood_and_words_are_found():
    wrong = stead("guide", "outrage", code=2)
    assert "did you mean `stead guide outage`" in wrong.stderr and not wrong.stdout
    found = json.loads(stead("guide", "--search", "nut battery", "--json").stdout)
    assert [one["guide"]["name"] for one in found] == ["power-and-ups"] or found[0]["guide"]["name"] == "power-and-ups"
    assert "two forms" in stead("guide", "outage", "--markdown", "--json", code=2).stderr
    assert "no guide has" in stead("guide", "--search", "zzzz").stdout


def test_recommendations_come_with_their_sources():
    told = json.loads(stead("guide", "--recommendations", "--json").stdout)
    assert len(told) > 20 and all(one["source"] and one["method"] for one in told)
    shown = stead("guide", "--recommendations").stdout
    assert all(one["name"] in shown and one["source"] in shown for one in told)


def first_section(text):
    """The first section of the guide itself, behind what is so now."""
    lines = text.splitlines()
    headings = [line for line, below in zip(lines, lines[1:]) if below and set(below) == {"-"}]
    assert headings[0] == "Now", headings
    return headings[1]


def test_of_an_outage_what_is_there_comes_first():
    assert WHY_NO_NETWORK is None, WHY_NO_NETWORK

    class Three:
        nodes, ups = 3, None

    with tempfile.TemporaryDirectory(prefix="stead-guide-") as root:
        home = Home(root, Three)
        try:
            attic, cellar, shed = (home.machines[name] for name in ("attic", "cellar", "shed"))

            def asked():
                return stead("guide", "outage", "--data", str(attic.data)).stdout

            well = wait_for(lambda: (text := asked()) and "No symptom" in text and text, 30, "it is not well")
            assert first_section(well) == "Nothing answers" and "attic" in well
            shed.lose_power()
            away = wait_for(lambda: (text := asked()) and "A node is away: no answer from shed" in text and text, 30, "shed is not missed")
            assert first_section(away) == "A node is away"
            assert "writes are accepted" in away
            cellar.lose_power()
            none = wait_for(lambda: (text := asked()) and "of 3 voters answer, and 2 have to" in text and text, 60, "it has a quorum")
            assert first_section(none) == "Nothing can be written" and "writes are accepted" not in none
            live = json.loads(stead("guide", "outage", "--json", "--data", str(attic.data)).stdout)["live"]
            assert live["present"][0]["section"] == "Nothing can be written"
            attic.lose_power()
            gone = asked()
            assert first_section(gone) == "Nothing answers" and "no node runs" in gone
        finally:
            home.end()


def test_an_outage_is_explained_where_there_is_nothing_at_all():
    with tempfile.TemporaryDirectory() as empty:
        text = stead("guide", "outage", "--data", empty + "/none").stdout
        assert first_section(text) == "Nothing answers" and "no Stead data" in text
    refused = stead("guide", "outage", "--server", "http://127.0.0.1:1", "--access-key", "A", "--secret-key", "B")
    assert first_section(refused.stdout) == "Nothing answers"


def test_a_machine_is_measured_and_nothing_is_left(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    file = tmp_path / "own.toml"
    told = stead("bench", "host", "--quick", "--dir", str(place), "--write", str(file), "--name", "mine", "--json")
    assert list(place.iterdir()) == []
    own = tomllib.loads(file.read_text())
    assert own == json.loads(told.stdout)["showcase"] and own["name"] == "mine"
    for figure in (own["hashing"]["one_thread_mb_per_s"], own["disk"]["appends_per_s"]):
        assert 0 < figure["least"] <= figure["median"] <= figure["most"] and figure["runs"] == 3
    assert "power" not in own or own["power"]["source"] in ("rapl", "hwmon")

    # It is not written over, and what is no showcase is named.
    assert "there already" in stead("bench", "host", "--write", str(file), code=2).stderr
    beside = stead("bench", "host", "--quick", "--dir", str(place), "--compare", str(ROOT / "docs/showcases"), "--json")
    compared = json.loads(beside.stdout)["compared"]
    assert compared and all(len(one["rows"]) >= 5 for one in compared)
    bad = tmp_path / "bad.toml"
    bad.write_text(file.read_text().replace("median", "middle", 1))
    assert "middle" in stead("bench", "host", "--compare", str(bad), code=1).stderr
    gone = stead("bench", "host", "--quick", "--dir", str(tmp_path / "none"), code=1)
    assert "none" in gone.stderr


def test_another_node_is_timed(tmp_path):
    assert WHY_NO_NETWORK is None, WHY_NO_NETWORK

    class One:
        nodes, ups = 1, None

    with tempfile.TemporaryDirectory(prefix="stead-guide-") as root:
        home = Home(root, One)
        try:
            peer = ("--peer", "http://127.0.0.1:7300")
            told = stead("bench", "host", "--quick", "--dir", str(tmp_path), *peer, "--json")
            trip = json.loads(told.stdout)["showcase"]["network"]["peer_round_trip_ms"]
            assert 0 < trip["median"] < 2000
        finally:
            home.end()
    refused = stead("bench", "host", "--quick", "--dir", str(tmp_path), "--peer", "http://127.0.0.1:7300", code=1)
    assert "no node answers" in refused.stderr


@pytest.mark.parametrize("bad", ["https://127.0.0.1:1", "nowhere"])
def test_a_peer_that_is_no_address_is_not_understood(bad):
    assert "--peer" in stead("bench", "host", "--peer", bad, code=2).stderr
