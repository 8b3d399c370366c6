"""`stead power read --nut` against Debian's upsd, whose UPSes play what a house's UPS goes through."""

import os
import subprocess

from nut import MAX_AGE, Nut

FINE = dict(ups_status="OL", battery_charge=100, battery_runtime=1800, ups_load=25, ups_realpower_nominal=600)


def test_a_power_cut_from_beginning_to_end(nut, read, supply):
    nut.start(rack=FINE)
    got = supply("rack", "mains")
    assert got.code == 0
    rack = got.ups["rack"]
    assert (rack["charge_percent"], rack["runtime_seconds"], rack["load_percent"]) == (100, 1800, 25)
    assert got.watts == {"rack": 150}

    nut.says("rack", **FINE | dict(ups_status="OB DISCHRG", battery_charge=61, battery_runtime=700))
    got = supply("rack", "battery")
    assert got.code == 0 and got.ups["rack"]["charge_percent"] == 61

    nut.says("rack", **FINE | dict(ups_status="OB DISCHRG LB", battery_charge=9, battery_runtime=90))
    assert supply("rack", "battery_low").ups["rack"]["status"] == ["OB", "DISCHRG", "LB"]

    nut.says("rack", **FINE | dict(ups_status="OL CHRG RB", battery_charge=12))
    got = supply("rack", "mains")
    assert got.ups["rack"]["replace_battery"] is True

    nut.says("rack", **FINE | dict(ups_status="FSD OL"))
    supply("rack", "switches_off")


def test_what_is_stale_or_gone_is_unknown_and_never_fine(nut, read, supply):
    nut.start(rack=FINE, attic=FINE)
    supply("attic", "mains")
    supply("rack", "mains")

    nut.freeze("rack")
    got = supply("rack", "unknown", seconds=MAX_AGE + 15)
    assert "stale" in got.ups["rack"]["why"]
    assert got.code == 1 and "rack" in got.error and "STEAD-00" in got.error
    assert "rack" not in got.watts, "a stale power is none"
    assert got.ups["attic"]["supply"] == "mains" and got.watts == {"attic": 150}

    nut.thaw("rack")
    assert supply("rack", "mains").code == 0

    nut.kill("rack")
    got = supply("rack", "unknown")
    assert "driver" in got.ups["rack"]["why"]

    nut.drive("rack")
    supply("rack", "mains")

    nut.stop_server()
    got = read()
    assert got.code == 1 and got.said["ups"] == [] and nut.address in got.error


def test_lies_are_not_believed(nut, read, supply):
    nut.start(rack=FINE)
    supply("rack", "mains")
    nut.says("rack", **FINE | dict(ups_status="OL OB"))
    got = supply("rack", "unknown")
    assert got.code == 1 and "both" in got.ups["rack"]["why"]

    nut.says("rack", **FINE | dict(ups_status="CHRG"))
    supply("rack", "unknown")

    nut.says("rack", **FINE | dict(ups_status="OB", battery_charge=180, battery_runtime=-5))
    got = supply("rack", "battery")
    assert "charge_percent" not in got.ups["rack"] or got.ups["rack"]["charge_percent"] is None
    assert len(got.ups["rack"]["doubts"]) == 2

    for watts in [-140, 250000, "nan"]:
        nut.says("rack", **FINE | dict(ups_status="OL", ups_realpower=watts))
        got = read()
        for _ in range(100):
            if got.said["failed"]:
                break
            got = read()
        assert got.code == 1 and "cannot be" in got.said["failed"][0]["why"], got.said
        assert got.watts == {}
        # It is on mains all the same.
        assert got.ups["rack"]["supply"] == "mains"
        nut.says("rack", **FINE)
        supply("rack", "mains")


def test_a_login_is_taken_and_never_shown(read):
    nut = Nut(users='[ana]\n password = s3cret\n upsmon secondary\n')
    try:
        nut.start(rack=FINE)
        place = f"ana:s3cret@{nut.address}"
        said = subprocess.run(
            [os.environ["STEAD_BIN"], "power", "read", "--nut", place], capture_output=True, text=True, timeout=30
        )
        assert "rack" in said.stdout, said.stderr
        assert "s3cret" not in said.stdout + said.stderr
    finally:
        nut.end()
