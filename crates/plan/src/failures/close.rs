//! Failures that do the same.

use super::bits::Bits;
use super::graph::{Broken, Graph};
use crate::lab::ThingKind;

impl Graph {
    /// Adds to what is broken all that is dead or useless because of it, so that failures which do the same to the
    /// cluster look the same, whatever fails besides.
    pub(super) fn close(&self, broken: &Broken, alive: &Bits) -> Broken {
        let mut closed = broken.clone();
        let dead = |at: usize, closed: &mut Broken| {
            closed.things.set(at);
            self.links_of[at].iter().for_each(|link| closed.links.set(*link));
            self.plugs_of[at].clone().for_each(|plug| closed.plugs.set(plug));
        };
        for at in (0..self.kinds.len()).filter(|at| !alive.has(*at)) {
            dead(at, &mut closed);
        }
        for member in self.members.iter().filter(|_| self.switched) {
            let reached = self.links_of[*member].iter().any(|link| !closed.links.has(*link));
            if !reached {
                dead(*member, &mut closed);
            }
        }
        let mut feeding = Bits::none(self.kinds.len());
        for at in self.order.iter().rev() {
            for plug in self.plugs_of[*at].clone() {
                let feed = self.plugs[plug].feed;
                if closed.things.has(feed) {
                    closed.plugs.set(plug);
                }
            }
            let passes = matches!(
                self.kinds[*at],
                ThingKind::Circuit | ThingKind::Outlet | ThingKind::Ups | ThingKind::Pdu
            );
            if passes && !feeding.has(*at) {
                dead(*at, &mut closed);
            }
            if closed.things.has(*at) {
                closed.batteries.set(*at);
                continue;
            }
            let whole = self.plugs_of[*at].clone().filter(|plug| !closed.plugs.has(*plug));
            whole.for_each(|plug| feeding.set(self.plugs[plug].feed));
        }
        closed
    }
}
