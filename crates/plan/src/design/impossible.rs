//! Wishes that nothing fits: which of them is in the way, and what is possible.

use super::Wish;
use super::search::Space;
use serde::Serialize;

/// Why there is no design.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[error("no design of the catalogue fits all of these wishes")]
pub struct Impossible {
    /// Each wish that would have to give, alone, and how far.
    pub give: Vec<String>,
}

/// Gives up each wish in turn, and looks how little is enough.
pub(super) fn why(space: &mut Space, wish: &Wish) -> Impossible {
    let mut give = Vec::new();
    let mut least = |wish: &Wish, of: &dyn Fn(&super::search::Candidate<'_>) -> f64| {
        let found = space.fitting(wish);
        found.iter().map(of).min_by(f64::total_cmp)
    };
    if let Some(budget) = wish.budget_usd {
        let without = Wish {
            budget_usd: None,
            ..wish.clone()
        };
        if let Some(price) = least(&without, &|one| one.middle_price()) {
            give.push(format!(
                "a budget of {:.0} USD instead of {budget:.0}",
                price.ceil()
            ));
        }
    }
    if let Some(watts) = wish.watts {
        let without = Wish {
            watts: None,
            ..wish.clone()
        };
        if let Some(most) = least(&without, &|one| one.watts.high) {
            give.push(format!("{:.0} W instead of {watts:.0}", most.ceil()));
        }
    }
    let without = Wish {
        usable_tb: 0.0,
        ..wish.clone()
    };
    if let Some(room) = least(&without, &|one| -one.usable_tb) {
        give.push(format!("{:.1} TB usable instead of {}", -room, wish.usable_tb));
    }
    for kind in &wish.survive {
        let mut without = wish.clone();
        without.survive.remove(kind);
        if least(&without, &|one| one.middle_price()).is_some() {
            give.push(format!("not to survive the failure of a {}", kind.words()));
        }
    }
    if give.is_empty() {
        let without = Wish {
            budget_usd: None,
            watts: None,
            ..wish.clone()
        };
        let price = least(&without, &|one| one.middle_price());
        let watts = least(&without, &|one| one.watts.high);
        match price.zip(watts) {
            Some((price, watts)) => give.push(format!(
                "more than one wish: it takes {:.0} USD at least, and {:.0} W at least",
                price.ceil(),
                watts.ceil()
            )),
            None => give.push(
                "no budget is enough: at most 7 machines with 2 disks each, on one site, are tried"
                    .to_owned(),
            ),
        }
    }
    Impossible { give }
}
