//! Labels to print: one for each device and one for each network cable.

use super::super::device::{Scene, Side};
use super::super::{circuits, figures};
use super::html::{Html, escape};
use crate::lab::{Resolved, ThingId};

/// Labels of devices, then of cables.
pub(super) fn all(lab: &Resolved, html: &mut Html) {
    let scene = Scene::new(lab, Side::Rear);
    html.raw("<section class=\"labels\"><h2>Labels</h2>\n<div>\n");
    for (id, thing) in lab.ids().filter(|(_, thing)| thing.kind.is_device()) {
        let letters: Vec<String> = scene
            .circuits
            .of(id)
            .iter()
            .map(|number| circuits::letter(*number))
            .collect();
        let plug = match scene.feeds(id).join(" + ") {
            none if none.is_empty() => "plugged in nowhere".to_owned(),
            feeds if letters.is_empty() => feeds,
            feeds => format!("{} · {feeds}", letters.join("+")),
        };
        one(html, &thing.name, &[&plug, &place(lab, id)]);
    }
    for link in &lab.links {
        let (from, to) = (lab.thing(link.from), lab.thing(link.to));
        let ends = format!("{} ↔ {}", from.name, to.name);
        let speed = link.mbit_per_second.map_or(String::new(), figures::speed);
        let head = if link.name == format!("{} to {}", from.name, to.name) {
            "cable"
        } else {
            link.name.as_str()
        };
        let place = [speed, site(lab, link.from)];
        let place: Vec<String> = place.into_iter().filter(|text| !text.is_empty()).collect();
        one(html, head, &[&ends, &place.join(" · ")]);
    }
    html.raw("</div></section>\n");
}

fn site(lab: &Resolved, id: ThingId) -> String {
    lab.thing(id)
        .site
        .map_or(String::new(), |site| lab.thing(site).name.clone())
}

/// The site, the rack, the unit: as far as they are known.
fn place(lab: &Resolved, id: ThingId) -> String {
    let rack = lab
        .thing(id)
        .rack
        .map_or(String::new(), |rack| lab.thing(rack).name.clone());
    let unit = lab
        .common(id)
        .and_then(|common| common.at_u)
        .map_or(String::new(), |unit| format!("U{unit}"));
    let parts = [site(lab, id), rack, unit];
    let known: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(" · ")
}

fn one(html: &mut Html, head: &str, lines: &[&str]) {
    html.raw(&format!("<p><b><bdi>{}</bdi></b>", escape(head)));
    for line in lines {
        html.raw(&format!("<span><bdi>{}</bdi></span>", escape(line)));
    }
    html.raw("</p>\n");
}
