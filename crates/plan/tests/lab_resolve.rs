//! What cannot be in a lab, and what its figures are.

use stead_plan::Interval;
use stead_plan::lab::{Lab, LabError, LabErrorKind as Kind, Resolved, ThingKind, locate};

fn read(text: &str) -> Lab {
    Lab::read(text).expect("a file")
}

fn good(text: &str) -> Resolved {
    read(text).resolve().expect("a lab that holds together")
}

fn wrong(text: &str) -> Vec<LabError> {
    let mut errors = read(text).resolve().expect_err(text);
    locate(text, &mut errors);
    errors
}

fn kinds(text: &str) -> Vec<Kind> {
    wrong(text).into_iter().map(|error| error.kind).collect()
}

const WALL: &str =
    "[[circuit]]\nname = \"c\"\nvolts = 230\namps = 16\n[[outlet]]\nname = \"o\"\ncircuit = \"c\"\n";

#[test]
fn a_ups_in_itself_and_longer_circles_are_told_once() {
    let errors = wrong("[[ups]]\nname = \"u\"\npower = [\"u\"]\n");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind, Kind::PowerCycle);
    assert_eq!(
        errors[0].message,
        "power goes in a circle: `u` is plugged into `u`"
    );
    let text = format!(
        "{WALL}[[pdu]]\nname = \"p\"\npower = [\"u\"]\n[[ups]]\nname = \"u\"\npower = [\"q\", \"o\"]\n\
         [[pdu]]\nname = \"q\"\npower = [\"p\"]\n[[node]]\nname = \"n\"\npower = [\"p\"]\n"
    );
    let errors = wrong(&text);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message.contains("`p`"), "{}", errors[0].message);
    let switches = "[[switch]]\nname = \"a\"\npower = [\"b\"]\n[[switch]]\nname = \"b\"\npower = [\"a\"]\n";
    assert_eq!(kinds(switches), [Kind::PowerCycle]);
}

#[test]
fn all_that_is_wrong_is_told_with_its_line() {
    let text = format!(
        "{WALL}[[node]]\nname = \"n\"\npower = [\"outlet\"]\nnetwork = [\"sw\"]\n\
         [[node]]\nname = \"m\"\npower = [\"n\"]\npart = \"Rasberry Pi 5 model B\"\n"
    );
    let errors = wrong(&text);
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error.kind, error.place.expect("a line").line))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::UnknownName, 9),
            (Kind::UnknownName, 9),
            (Kind::WrongKind, 13),
            (Kind::UnknownPart, 13)
        ]
    );
    assert_eq!(errors[3].next, "Did you mean `Raspberry Pi 5 model B`?");
}

#[test]
fn names_are_unique_whatever_they_name() {
    assert_eq!(
        kinds("[[site]]\nname = \"a\"\n[[node]]\nname = \"a\"\n"),
        [Kind::NameTwice]
    );
    let disk = "{ name = \"d\", kind = \"ssd\", size_gb = 1 }";
    assert_eq!(
        kinds(&format!("[[node]]\nname = \"a\"\ndisk = [{disk}, {disk}]\n")),
        [Kind::NameTwice]
    );
}

#[test]
fn plugs_and_ports_are_counted_and_a_cable_with_power_is_one() {
    let three = |ports: u32| {
        let node = |name| format!("[[node]]\nname = \"{name}\"\npower = [\"s\"]\nnetwork = [\"s\"]\n");
        format!(
            "{WALL}[[switch]]\nname = \"s\"\npower = [\"o\"]\nports = {ports}\n{}{}{}",
            node("a"),
            node("b"),
            node("d")
        )
    };
    assert_eq!(good(&three(3)).links.len(), 3);
    let errors = wrong(&three(2));
    assert_eq!(
        errors[0].message,
        "`s` has 2 ports (stated in this file), and 3 are taken"
    );
    let strip = format!(
        "{WALL}[[pdu]]\nname = \"p\"\npower = [\"o\"]\nplugs = 1\n[[node]]\nname = \"a\"\npower = [\"p\", \"p\"]\n"
    );
    assert_eq!(kinds(&strip), [Kind::TooFewPlugs]);
    let itself = "[[switch]]\nname = \"s\"\nnetwork = [\"s\"]\n[[cable]]\nfrom = \"s\"\nto = \"s\"\n";
    assert_eq!(kinds(itself), [Kind::CableLoop, Kind::CableLoop]);
    let ring = "[[switch]]\nname = \"a\"\nnetwork = [\"b\"]\n[[switch]]\nname = \"b\"\nnetwork = [\"a\"]\n";
    let names: Vec<_> = good(ring).links.into_iter().map(|link| link.name).collect();
    assert_eq!(names, ["a to b", "b to a"], "a circle of cables is no error");
}

#[test]
fn two_devices_in_one_unit_and_one_above_the_top() {
    let rack = |kind: &str, a: &str, b: &str| {
        format!(
            "[[rack]]\nname = \"r\"\nkind = \"{kind}\"\nunits = 6\n[[node]]\nname = \"a\"\nrack = \"r\"\n{a}\n\
             [[node]]\nname = \"b\"\nrack = \"r\"\n{b}\n"
        )
    };
    assert_eq!(
        kinds(&rack("10-inch", "at_u = 1\nheight_u = 2", "at_u = 2")),
        [Kind::UnitTaken]
    );
    assert_eq!(kinds(&rack("19-inch", "at_u = 3", "at_u = 3")), [Kind::UnitTaken]);
    assert_eq!(
        kinds(&rack("19-inch", "at_u = 6\nheight_u = 2", "at_u = 1")),
        [Kind::OutsideRack]
    );
    assert_eq!(
        kinds(&rack("19-inch", "at_u = 0", "at_u = 2")),
        [Kind::OutsideRack]
    );
    good(&rack("shelf", "at_u = 3", "at_u = 3"));
    good(&rack("10-inch", "at_u = 1\nheight_u = 2", "at_u = 3"));
    good(&rack("10-inch", "at_u = 1\nheight_u = 1.5", "at_u = 6"));
    assert_eq!(kinds("[[node]]\nname = \"a\"\nat_u = 3\n"), [Kind::MissingField]);
}

#[test]
fn data_needs_a_machine_and_circuits_need_volts() {
    assert_eq!(
        kinds("[[data]]\nname = \"d\"\nredundancy = \"2\"\n"),
        [Kind::NoStorage]
    );
    let witness = "[[data]]\nname = \"d\"\nredundancy = \"2\"\n[[node]]\nname = \"w\"\nrole = \"witness\"\n";
    assert_eq!(kinds(witness), [Kind::NoStorage]);
    assert_eq!(
        kinds("[[circuit]]\nname = \"c\"\nvolts = 0\namps = 16\n"),
        [Kind::WrongFigure]
    );
    assert_eq!(
        kinds("[[circuit]]\nname = \"c\"\nvolts = 230\namps = 16\ncontinuous_percent = 130\n"),
        [Kind::WrongFigure]
    );
}

#[test]
fn figures_are_measured_else_the_part_s_else_between_bounds() {
    let lab = good(
        "currency = \"EUR\"\nprice_per_usd = 0.5\n\
         [[node]]\nname = \"own\"\npart = \"GMKtec NucBox G3 Plus\"\nidle_w = 6.5\n\
         [[node]]\nname = \"part\"\npart = \"GMKtec NucBox G3 Plus\"\n\
         [[node]]\nname = \"none\"\n\
         [[node]]\nname = \"mine\"\npart = \"Board\"\n\
         [[part]]\nname = \"Board\"\nkind = \"node\"\nsource = \"me\"\nmethod = \"metered\"\nidle_w = 2\nstress_w = 4\n",
    );
    let figures = |name: &str| {
        let thing = lab.thing(lab.by_name(name).expect(name));
        thing.figures.clone().expect("figures")
    };
    let own = figures("own");
    assert_eq!(
        (own.idle_w.value, own.idle_w.source.as_str()),
        (Interval::exactly(6.5), "measured here")
    );
    let part = figures("part");
    assert_eq!(part.idle_w.value, Interval::exactly(9.3));
    assert_eq!(
        part.stress_w.value,
        Interval::exactly(28.5),
        "the most that was metered"
    );
    assert!(
        part.stress_w.source.contains("sbc-reviews/issues/64"),
        "{}",
        part.stress_w.source
    );
    assert_eq!(part.price.expect("a price").value, 159.99 * 0.5);
    let none = figures("none");
    assert!(
        !none.idle_w.known
            && none.idle_w.value
                == Interval {
                    low: 0.5,
                    high: 103.0
                }
    );
    assert_eq!(figures("mine").start_w.value, Interval { low: 2.0, high: 4.0 });
    assert!(
        lab.of_kind(ThingKind::Node)
            .all(|(_, node)| node.figures.is_some())
    );
}

#[test]
fn disks_add_unless_they_were_in_what_was_metered() {
    let ssd = "{ kind = \"nvme\", size_gb = 500 }";
    let hdd = "{ kind = \"hdd-3.5\", size_gb = 8000, part = \"3.5in 8TB SMR HDD\" }";
    let lab = good(&format!(
        "[[node]]\nname = \"a\"\npart = \"Raspberry Pi CM4 + NVMe\"\ndisk = [{ssd}]\n\
         [[node]]\nname = \"b\"\npart = \"Raspberry Pi CM4 + NVMe\"\ndisk = [{ssd}, {hdd}]\n\
         [[node]]\nname = \"c\"\nidle_w = 20\nstress_w = 40\ndisk = [{hdd}]\n",
    ));
    let figures = |name: &str| {
        let thing = lab.thing(lab.by_name(name).expect(name));
        let figures = thing.figures.clone().expect("figures");
        (
            figures.idle_w.value,
            figures.stress_w.value,
            figures.start_w.value,
        )
    };
    let range = |low, high| Interval { low, high };
    assert_eq!(figures("a"), (range(3.0, 3.0), range(7.5, 7.5), range(3.0, 7.5)));
    // The disk takes 5 at rest, 7.5 at work, 10 to 24 while it spins up.
    assert_eq!(
        figures("b"),
        (range(8.0, 8.0), range(15.0, 15.0), range(13.0, 31.5))
    );
    assert_eq!(
        figures("c"),
        (range(20.0, 20.0), range(40.0, 40.0), range(25.0, 56.5))
    );
}

#[test]
fn power_comes_in_order_and_sites_follow_racks_and_circuits() {
    let lab = good(
        "[[site]]\nname = \"home\"\n[[site]]\nname = \"barn\"\n\
         [[circuit]]\nname = \"c\"\nsite = \"barn\"\nvolts = 230\namps = 16\n[[outlet]]\nname = \"o\"\ncircuit = \"c\"\n\
         [[rack]]\nname = \"r\"\nunits = 4\nsite = \"home\"\n\
         [[node]]\nname = \"n\"\npower = [\"s\"]\n[[node]]\nname = \"m\"\nrack = \"r\"\n\
         [[switch]]\nname = \"s\"\npower = [\"u\"]\n[[ups]]\nname = \"u\"\npower = [\"o\"]\n",
    );
    let place = |name: &str| lab.by_name(name).expect(name);
    let order = |name: &str| {
        lab.power_order
            .iter()
            .position(|id| *id == place(name))
            .expect(name)
    };
    for (first, then) in [("c", "o"), ("o", "u"), ("u", "s"), ("s", "n")] {
        assert!(order(first) < order(then), "{first} before {then}");
    }
    let site = |name: &str| {
        lab.thing(place(name))
            .site
            .map(|site| lab.thing(site).name.clone())
    };
    assert_eq!(site("n").as_deref(), Some("barn"));
    assert_eq!(site("m").as_deref(), Some("home"));
    assert_eq!(
        lab.circuits_of(place("n")).into_iter().collect::<Vec<_>>(),
        [place("c")]
    );
}

#[test]
fn hostile_files_of_a_mebibyte_end_soon() {
    let chain: String = (0..4_000)
        .map(|at| format!("[[pdu]]\nname = \"p{at}\"\npower = [\"p{}\"]\n", at + 1))
        .collect();
    assert_eq!(kinds(&chain), [Kind::UnknownName]);
    let circle = format!("{chain}[[pdu]]\nname = \"p4000\"\npower = [\"p0\"]\n");
    assert_eq!(kinds(&circle), [Kind::PowerCycle]);
    let many: String = (0..20_000)
        .map(|at| format!("[[node]]\nname = \"n{at}\"\n"))
        .collect();
    assert_eq!(kinds(&many), [Kind::TooLarge]);
    let long = "x".repeat(90);
    let strangers: String = (0..4_000)
        .map(|at| format!("[[node]]\nname = \"{long}{at}\"\npower = [\"{long}y{at}\"]\n"))
        .collect();
    assert_eq!(kinds(&strangers).len(), 50, "no more than are read");
}
