use stead_plan::{Budget, Lab, draw::*};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let lab = Lab::read(&std::fs::read_to_string(&a[1]).unwrap())
        .unwrap()
        .resolve()
        .unwrap();
    let b = Budget::of(&lab);
    for (n, t) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let w = |k: &str, p: Picture| std::fs::write(format!("{}/{k}-{n}.svg", a[2]), p.svg).unwrap();
        w("front", racks(&lab, Side::Front, t));
        w("rear", racks(&lab, Side::Rear, t));
        w("network", network(&lab, t));
        w("power", power(&lab, &b, t));
    }
}
