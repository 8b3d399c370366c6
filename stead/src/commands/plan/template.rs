//! The example that an inventory begins with.

/// Before this machine.
pub(super) const HEAD: &str = r#"# A lab: what there is, what feeds it, what connects it. `stead plan check` says what follows.
# Units are in the names of fields. A figure may be a number, or [least, most]. What is not known is left out.
# Names are unique in the whole file, so that a plug or a cable can name its other end.

name = "my lab"
currency = "EUR"
tariff_per_kwh = 0.30
# The built-in catalogue's prices are in dollars; with this they count here.
# price_per_usd = 0.90

# What data there is, and how it is kept: "3" copies, "2 strict" (both written before an answer), "4+2" pieces.
[[data]]
name = "everything"
redundancy = "3"
# size_gb = 500

[[site]]
name = "home"

# A breaker. 80 % of it may be taken for hours; `continuous_percent` says otherwise.
[[circuit]]
name = "kitchen"
volts = 230
amps = 16
# What others take of it:
# other_load_w = [0, 200]

[[outlet]]
name = "wall"
circuit = "kitchen"

# [[ups]]
# name = "ups"
# power = ["wall"]
# max_w = 360
# battery_wh = [100, 120]
# plugs = 4

# [[pdu]]
# name = "strip"
# power = ["ups"]
# plugs = 6
# max_amps = 16

# A rack of 10 or 19 inches, or a shelf.
[[rack]]
name = "shelf"
kind = "shelf"
units = 8

# A switch or router. One that gives power over Ethernet can be named in `power` of what it feeds.
[[switch]]
name = "switch"
power = ["wall"]
rack = "shelf"
ports = 8
uplink = true
# poe_budget_w = 60
idle_w = [2, 10]
stress_w = [3, 12]
"#;

/// After it.
pub(super) const TAIL: &str = r#"
# Another machine, with a part of the catalogue:
# [[node]]
# name = "pi"
# part = "Raspberry Pi 5 model B"
# role = "storage"          # or "witness": votes, holds no data; or "other"
# power = ["strip"]
# network = ["switch"]
# rack = "shelf"
# memory_gb = 8
# cores = 4
# price = 90
# disk = [{ kind = "nvme", size_gb = 1000, price = 70 }]

# A cable between switches, or one more from a machine:
# [[cable]]
# from = "switch"
# to = "pi"
# mbit_per_second = 1000

# A part that the catalogue does not have, with where its figures are from:
# [[part]]
# name = "my board"
# kind = "node"
# source = "own plug meter, 2026"
# method = "metered at the plug"
# idle_w = 3.1
# stress_w = 9.5
"#;
