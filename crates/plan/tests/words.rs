//! What people type, and how it is taken.

use stead_plan::failures::understand;
use stead_plan::lab::{Lab, Resolved};

const LAB: &str = r#"
[[site]]
name = "home"
[[circuit]]
name = "kitchen"
volts = 230
amps = 16
[[outlet]]
name = "wall"
circuit = "kitchen"
[[ups]]
name = "ups-1"
power = ["wall"]
battery_wh = 100
[[switch]]
name = "switch-1"
power = ["ups-1"]
[[switch]]
name = "switch-2"
power = ["wall"]
network = ["switch-1"]
[[node]]
name = "n1"
power = ["ups-1", "wall"]
network = ["switch-1", "switch-2"]
disk = [{ kind = "ssd", size_gb = 1000 }, { kind = "ssd", size_gb = 1000 }]
[[node]]
name = "n2"
power = ["wall"]
network = ["switch-1"]
disk = [{ kind = "ssd", size_gb = 1000, name = "system" }]
[[node]]
name = "living room"
power = ["wall"]
network = ["switch-2"]
disk = [{ kind = "ssd", size_gb = 1000 }]
"#;

fn lab() -> Resolved {
    Lab::read(LAB).expect("a file").resolve().expect("a lab")
}

#[test]
fn what_people_type_is_understood() {
    let lab = lab();
    for (typed, taken) in [
        ("unplug switch-1", "switch-1 fails"),
        ("UNPLUG SWITCH-1!", "switch-1 fails"),
        ("n2 and disk-1 of n1 die", "n2 dies and disk-1 of n1 dies"),
        ("n1's disk-2 dies", "disk-2 of n1 dies"),
        ("n1/disk-2", "disk-2 of n1 dies"),
        ("system dies", "system of n2 dies"),
        ("all disks of n1 fail", "disk-1 of n1 dies and disk-2 of n1 dies"),
        ("power goes out at home", "the power at home goes out"),
        ("the power goes out", "the power at home goes out"),
        ("home burns down", "site home is lost (fire, flood, theft)"),
        ("circuit kitchen trips", "circuit kitchen trips"),
        ("kitchen", "circuit kitchen trips"),
        (
            "pull the cable between n1 and switch-1",
            "the cable n1 to switch-1 fails",
        ),
        ("pull n1 from switch-2", "the cable n1 to switch-2 fails"),
        ("unplug n1 from wall", "the power supply of n1 at wall fails"),
        (
            "the power supply of n2 fails",
            "the power supply of n2 at wall fails",
        ),
        ("nic of n2 dies", "the network card of n2 to switch-1 fails"),
        (
            "network card of n1 to switch-2",
            "the network card of n1 to switch-2 fails",
        ),
        ("ups-1 battery is dead", "the battery of ups-1 is dead"),
        ("unplug ups-1", "the power supply of ups-1 at wall fails"),
        ("ups-1 fails", "ups-1 fails"),
        ("turn off n1, n2", "n1 is off and n2 is off"),
        ("n1 and n2 are off", "n1 is off and n2 is off"),
        (
            "unplug switch-1, n1 and n2 die",
            "switch-1 fails, n1 dies and n2 dies",
        ),
        ("\"living room\" reboots", "living room is off"),
        ("living room dies", "living room dies"),
        ("n1 dies and n1 dies", "n1 dies"),
    ] {
        let understood = understand(&lab, typed).map(|it| it.text);
        assert_eq!(
            understood.as_deref().map_err(|e| e.message.as_str()),
            Ok(taken),
            "{typed}"
        );
    }
}

#[test]
fn what_is_not_understood_is_said_with_what_would_be() {
    let lab = lab();
    for (typed, why, next) in [
        ("", "no words are there", "Name what fails."),
        (
            "unplug swich-1",
            "\"swich-1\" is no name",
            "Did you mean `switch-1`?",
        ),
        ("paint n1", "\"paint\" is no name", "Use names"),
        ("unplug", "it names nothing of the lab", "Name what fails."),
        (
            "disk of n1 dies",
            "n1 has 2 disks",
            "Say which, or `all disks`: disk-1, disk-2.",
        ),
        ("disk-1 dies", "several machines have a disk", "Say of which"),
        ("disk-1 of n2", "n2 has no such disk", "system"),
        ("cable of n1", "there are 2 cables", "Say which"),
        ("battery of n1", "n1 has no battery", "Name a UPS."),
        ("home", "a site can lose its power", "`home burns down`"),
        ("n1 n2 die", "it names several things", "Put `and` between them."),
        (
            "pull the cable between n2 and switch-2",
            "there are 0 cables",
            "Name something else.",
        ),
        ("\"nobody\" dies", "\"nobody\" is no name", "Use names"),
    ] {
        let refused = understand(&lab, typed).expect_err(typed);
        assert!(refused.message.contains(why), "{typed}: {}", refused.message);
        assert!(refused.next.contains(next), "{typed}: {}", refused.next);
        for example in &refused.understood {
            assert!(understand(&lab, example).is_ok(), "{example}");
        }
    }
    assert!(understand(&lab, &"n1 ".repeat(1_000)).is_err());
}
