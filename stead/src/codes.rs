//! Error codes: the gateway's table, and the few that only the command line and the start of a node have.
//!
//! Owns: the codes from 80 to 99 and their pages. Codes are never reused for something else.

pub use stead_gateway::codes::*;

/// The node does not start or stop as it must.
pub const START: Code = Code(80);
/// A check found something wrong.
pub const FOUND: Code = Code(81);
/// What is stored is not what was sent.
pub const MISMATCH: Code = Code(82);
/// Some of many things failed.
pub const PARTIAL: Code = Code(83);
/// The node answered something that is not understood.
pub const PROTOCOL: Code = Code(84);

/// Something about the cluster is not to be done as things are.
pub const CLUSTER: Code = Code(85);
/// Nobody leads, so nothing can be decided.
pub const NO_LEADER: Code = Code(86);

/// An inventory says what cannot be.
pub const INVENTORY: Code = Code(87);
/// A meter or UPS was not read.
pub const POWER: Code = Code(90);
/// The UPS that feeds the node is not on mains.
pub const UPS: Code = Code(91);
/// A breaker carries nearly as much as it may.
pub const BREAKER: Code = Code(92);

macro_rules! pages {
    ($($code:ident: $title:literal, $meaning:literal, $next:literal;)*) => {
        &[$(Page { code: $code, title: $title, meaning: $meaning, next: $next },)*]
    };
}

/// The pages of these, by code.
const OWN: &[Page] = pages! {
    START: "The node does not start or stop as it must",
        "A part of the node found its files in a state that it must not go on from, or could not finish what it \
         began. The message says which part and why.",
        "Run `stead doctor` on the directory; keep a copy of the directory before changing anything in it.";
    FOUND: "A check found something wrong",
        "The command did its work, and found something that is not as it must be; the lines above say what.",
        "Follow the next step beside each finding.";
    MISMATCH: "What is stored is not what was sent",
        "The content identifier computed by this command differs from the one that the node answered: the bytes \
         changed on the way, or the file changed while it was read.",
        "Repeat the command; if it happens again, check the memory and the network of both machines.";
    PARTIAL: "Some of it failed",
        "Part of the work was done; the lines above say what was not, and why.",
        "Repeat the command for what failed.";
    PROTOCOL: "The answer is not understood",
        "What answered does not speak Stead's API, or speaks another release's.",
        "Check that --server names the API's address (not S3's), and that both sides run the same release.";
    CLUSTER: "The cluster does not do that as things are",
        "What was asked about the nodes of a cluster cannot be done now: the message says why. A code that nobody \
         waits with may have been typed wrongly, or its node has given up; a node that is named may be no member.",
        "`stead node list` shows the members and who waits to be let in.";
    NO_LEADER: "Too few nodes answer to decide anything",
        "A change of the cluster, as every write, needs more than half of the voters. Fewer answer each other now, \
         or they are just electing who leads.",
        "Wait a few seconds and repeat; `stead status` says which nodes are away. Bring one of them back.";
    INVENTORY: "The inventory says what cannot be",
        "A lab's file could not be read, or what it says does not hold together: a field that there is none of, a plug \
         that is not there, power that goes in a circle, two devices in one unit. The lines above say what and where.",
        "Mend the lines that are named; `stead plan init -` prints an example with every kind of table.";
    POWER: "A meter or UPS could not be read",
        "A source of power readings did not answer in time, does not let in, or said what is not understood or cannot \
         be. Nothing of what it said counts. A UPS is unknown where its data are stale, its driver does not run, or it \
         contradicts itself; that alone stops nothing.",
        "Ask it alone with `stead power read`, from the machine where it failed; for a UPS, look with `upsc` on the \
         machine of its NUT server whether its driver runs.";
    UPS: "The UPS that feeds this node is not on mains",
        "It is on battery, or it switches off, or its state is unknown. On battery, below `power.stop_below_percent` or \
         `power.stop_below_seconds`, the nodes that it feeds stop one after the other, least worth first; when mains are \
         back before a node's turn, it goes on.",
        "See to the mains. `stead power read --nut HOST` shows what the UPS says; `stead status --json | jq .power` \
         shows when this node stops.";
    BREAKER: "A breaker carries nearly as much as it may",
        "What is measured together is above nine tenths of what the breaker of `power.breaker_watts` may carry for \
         hours, which is 80 % of its rating. Above that it may go on for three hours; above the rating it trips.",
        "Put something behind another breaker, or stop what is not needed; `stead status --json | jq .power` shows \
         what each device draws.";
};

/// A code's page, wherever it is defined. Takes `STEAD-0001`, `stead-1` and `1`.
pub fn find(code: &str) -> Option<&'static Page> {
    let own = |page: &&Page| {
        code.trim().eq_ignore_ascii_case(&page.code.to_string()) || number(code) == Some(page.code)
    };
    explain(code).or_else(|| OWN.iter().find(own))
}

fn number(code: &str) -> Option<Code> {
    let text = code.trim().to_ascii_lowercase();
    text.strip_prefix("stead-")
        .unwrap_or(&text)
        .parse()
        .ok()
        .map(Code)
}

/// Every page there is, by code.
pub fn all() -> Vec<&'static Page> {
    let mut all: Vec<_> = pages().iter().chain(OWN).collect();
    all.sort_by_key(|page| page.code);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_page_with_a_next_step() {
        let all = all();
        for pair in all.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} is used twice", pair[0].code);
        }
        for page in all {
            assert!(
                !page.title.is_empty() && !page.meaning.is_empty() && !page.next.is_empty(),
                "{}",
                page.code
            );
        }
        for text in ["STEAD-0081", "stead-81", "81"] {
            assert_eq!(find(text).map(|page| page.code), Some(FOUND), "{text}");
        }
        assert_eq!(find("STEAD-0001").map(|page| page.code), Some(LOCKED));
        assert!(find("STEAD-9999").is_none());
        assert!(find("nonsense").is_none());
    }
}
