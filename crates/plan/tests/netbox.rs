//! NetBox: what it answers becomes an inventory, and an inventory what it would answer.

use stead_plan::Budget;
use stead_plan::lab::model::Role;
use stead_plan::lab::netbox::{export, import};
use stead_plan::lab::{Lab, LabErrorKind, Resolved};

fn resolved(lab: &Lab) -> Resolved {
    let text = toml::to_string(lab).expect("text");
    let read = Lab::read(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    assert_eq!(&read, lab, "what is written reads back");
    read.resolve()
        .unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

#[test]
fn answers_of_netbox_become_this_inventory() {
    let made = import(include_str!("labs/netbox.json")).expect("answers");
    let text = toml::to_string(&made.lab).expect("text");
    assert_eq!(text, include_str!("labs/netbox.toml"), "\n{text}");
    assert_eq!(
        made.notes,
        ["not in the catalogue, so without figures: APC Smart-UPS 750, Axis P3245"]
    );
    let lab = resolved(&made.lab);
    let budget = Budget::of(&lab);
    assert_eq!(budget.circuits[0].limit_w, 1_920.0);
    assert_eq!(budget.upses.len(), 1);
    let camera = lab.by_name("camera").expect("the camera");
    assert_eq!(lab.role(camera), Some(Role::Other));
}

#[test]
fn what_is_exported_comes_back_with_the_same_budget() {
    for text in [
        include_str!("labs/three-cm4.toml"),
        include_str!("labs/netbox.toml"),
    ] {
        let lab = Lab::read(text).expect("a file").resolve().expect("a lab");
        let answers = export(&lab);
        let made = import(&answers.to_string()).expect("answers");
        assert_eq!(made.notes, Vec::<String>::new());
        let again = resolved(&made.lab);
        assert_eq!(again.lab.data, lab.lab.data);
        let racks = |lab: &Resolved| {
            lab.lab
                .racks
                .iter()
                .map(|it| (it.name.clone(), it.kind, it.units))
                .collect::<Vec<_>>()
        };
        assert_eq!(racks(&again), racks(&lab));
        assert_eq!(again.lab.circuits.len(), lab.lab.circuits.len());
        assert_eq!(again.lab.outlets, lab.lab.outlets);
        let names = |lab: &Resolved| lab.links.iter().map(|link| link.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&again), names(&lab));
        assert_eq!(Budget::of(&again).to_string(), Budget::of(&lab).to_string());
        assert_eq!(export(&again), answers);
    }
}

#[test]
fn what_is_no_answer_is_refused_and_odd_ones_are_borne() {
    for text in ["", "[]", "{}", "3", "{\"devices\": 3}", "{\"devices\": []}"] {
        assert_eq!(import(text).expect_err(text).kind, LabErrorKind::Syntax, "{text}");
    }
    let odd = r#"{
        "devices": {"next": "more", "results": [
            {}, {"id": 1, "name": null}, {"id": -3, "name": "a\nb"}, {"id": 2, "name": "  ", "position": -4, "rack": 3},
            {"id": 3, "name": "x", "role": {"slug": "wall-outlet"}, "custom_fields": {"stead": 7}},
            {"id": 4, "name": "x", "custom_fields": {"stead": {"cores": "many"}}}, 7, null
        ]},
        "power_ports": [{"id": 1, "device": {"id": 1}, "maximum_draw": 1e300}, {"id": 2}],
        "cables": [{"a_terminations": [{"object_type": "dcim.powerport", "object_id": 1}],
                    "b_terminations": [{"object_type": "dcim.powerport", "object_id": 2}]}, {}, 3]
    }"#;
    let made = import(odd).expect("a lab");
    assert_eq!((made.lab.nodes.len(), made.lab.outlets.len()), (7, 1));
    assert_eq!(made.notes.len(), 3, "{:?}", made.notes);
    let mut names: Vec<_> = made
        .lab
        .nodes
        .iter()
        .map(|node| node.common.name.as_str())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 7);
}
