//! One page to print: pictures, figures, a bill of materials, a runbook, labels.
//!
//! Owns: the report. Promises: one HTML document that needs nothing else, without a script; a small lab fits one sheet
//! of A4 or US Letter, a larger one takes more sheets and no picture or line is cut.

mod bill;
mod html;
mod labels;
mod runbook;

pub use bill::{Item, bill};
pub use runbook::Runbook;

use super::svg::Picture;
use super::{Side, Theme, figures, network, power, racks};
use crate::budget::Budget;
use crate::lab::Resolved;
use html::{Html, escape};

/// What fits on a sheet that is both A4 and Letter, less 7 mm on each side, in CSS pixels of 1/96 inch.
const WIDTH: f64 = 733.0;
/// How high pictures are together, so that there is room for the rest.
const HEIGHT: f64 = 500.0;
/// Between pictures.
const GAP: f64 = 8.0;
/// How much smaller pictures may become: letters of 13 units are then of 5 points.
const SCALES: [f64; 8] = [0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];

/// The report of a lab.
pub fn report(lab: &Resolved, budget: &Budget, runbook: &Runbook) -> String {
    let mut html = Html::default();
    let name = match lab.lab.name.as_str() {
        "" => "Lab",
        name => name,
    };
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width\">\n");
    html.raw(&format!(
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        escape(name),
        include_str!("page.css")
    ));
    html.raw("<header>");
    html.element("h1", name);
    html.raw(&format!("<p>{}</p></header>\n", escape(&counted(lab))));
    pictures(lab, budget, &mut html);
    html.raw("<div class=\"columns\">\n");
    bill::table(lab, &mut html);
    summary(budget, &mut html);
    html.raw("</div>\n");
    by_hand(runbook, &mut html);
    labels::all(lab, &mut html);
    html.raw("</body>\n</html>\n");
    html.0
}

fn counted(lab: &Resolved) -> String {
    let disks: usize = lab.things.iter().map(|thing| thing.disks.len()).sum();
    let all = [
        (lab.lab.nodes.len(), "machine"),
        (disks, "disk"),
        (lab.lab.circuits.len(), "circuit"),
    ];
    let all = all.map(|(count, word)| figures::counted(count, word));
    all.join(", ")
}

fn pictures(lab: &Resolved, budget: &Budget, html: &mut Html) {
    let theme = Theme::Light;
    let all = [
        racks(lab, Side::Front, theme),
        racks(lab, Side::Rear, theme),
        power(lab, budget, theme),
        network(lab, theme),
    ];
    let scale = SCALES.into_iter().find(|scale| height(&all, *scale) <= HEIGHT);
    let scale = scale.unwrap_or(SCALES[SCALES.len() - 1]);
    html.raw("<div class=\"pictures\">\n");
    for picture in &all {
        html.raw(&picture.scaled(scale));
    }
    html.raw("</div>\n");
}

/// How high pictures are in rows.
fn height(all: &[Picture], scale: f64) -> f64 {
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    for picture in all {
        let (width, height) = (picture.width * scale + 2.0, picture.height * scale + 2.0);
        if x > 0.0 && x + width > WIDTH {
            (x, y, row) = (0.0, y + row + GAP, 0.0);
        }
        // What is wider than the sheet is made as wide as the sheet.
        let fits = (WIDTH / width).min(1.0);
        (x, row) = (x + width * fits + GAP, row.max(height * fits));
    }
    y + row
}

fn summary(budget: &Budget, html: &mut Html) {
    let totals = &budget.totals;
    let verdict = if budget.is_within() {
        "within all limits"
    } else {
        "not within its limits, or not for certain"
    };
    let mut rows = vec![("Limits".to_owned(), verdict.to_owned())];
    for circuit in &budget.circuits {
        let says = format!(
            "{} of {} W",
            figures::span(circuit.continuous_w),
            figures::plain(circuit.limit_w)
        );
        rows.push((format!("Circuit {}", circuit.name), says));
    }
    for ups in &budget.upses {
        let lasts = ups
            .runtime_stress_minutes
            .map(|time| format!("; {} min at work", figures::span(time)));
        rows.push((
            format!("UPS {}", ups.name),
            figures::watts(ups.load_w) + &lasts.unwrap_or_default(),
        ));
    }
    rows.push((
        "At rest, at work".to_owned(),
        format!(
            "{}, {}",
            figures::watts(totals.idle_w),
            figures::watts(totals.stress_w)
        ),
    ));
    rows.push((
        "Heat".to_owned(),
        format!("{} BTU/h", figures::span(totals.heat_btu_per_hour)),
    ));
    rows.push((
        "Energy a month".to_owned(),
        format!("{} kWh", figures::span(totals.energy_kwh_per_month)),
    ));
    if let Some(cost) = totals.cost_per_month {
        rows.push((
            "That costs".to_owned(),
            format!("{} {}", figures::span(cost), budget.currency),
        ));
    }
    for usable in &budget.usable {
        rows.push((
            format!("Room for {}", usable.name),
            format!("{} TB", figures::plain(usable.usable_tb)),
        ));
    }
    html.raw("<section><h2>Power and room</h2>\n<table><tbody>\n");
    for (what, says) in rows {
        html.raw(&format!(
            "<tr><td><bdi>{}</bdi></td><td class=\"n\">{}</td></tr>\n",
            escape(&what),
            escape(&says)
        ));
    }
    html.raw("</tbody></table></section>\n");
}

fn by_hand(runbook: &Runbook, html: &mut Html) {
    let steps = |head: &str, steps: &[String]| {
        let mut own = Html::default();
        own.raw(&format!("<section><h2>{head}</h2>\n<ol>\n"));
        steps.iter().for_each(|step| own.element("li", step));
        own.raw("</ol></section>\n");
        own.0
    };
    let (stop, start) = (
        steps("Switching off", &runbook.stop),
        steps("Switching on", &runbook.start),
    );
    html.raw("<div class=\"columns\">\n<div>\n");
    html.raw(&stop);
    html.raw(&start);
    html.raw("</div>\n<section><h2>When something fails</h2>\n<dl>\n");
    for (what, says) in &runbook.failures {
        html.element("dt", what);
        html.element("dd", says);
    }
    html.raw("</dl></section>\n</div>\n");
}
