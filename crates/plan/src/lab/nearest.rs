//! What somebody may have meant.

/// Texts longer than this are compared by their beginnings.
const COMPARED: usize = 64;

/// The candidate that takes the fewest changes to reach, if these are few enough to be a slip: a third of the text,
/// or where one holds the other whole. Letters count the same in either case.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let few = (wanted.chars().count().min(COMPARED) / 3).max(1);
    let rate = |candidate: &str| {
        let other = candidate.to_lowercase();
        let changes = changes(&wanted, &other);
        let holds = wanted.len() > 2 && (other.contains(&wanted) || wanted.contains(&other));
        (changes <= few || holds).then_some((changes > few, changes))
    };
    candidates
        .into_iter()
        .filter_map(|candidate| Some((rate(candidate)?, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `Did you mean …?`, or nothing.
pub(super) fn did_you_mean<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(text, candidates).map(|candidate| format!("Did you mean `{candidate}`?"))
}

/// Insertions, deletions, changes and swaps of neighbours between two texts (optimal string alignment).
fn changes(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(COMPARED).collect();
    let other: Vec<char> = other.chars().take(COMPARED).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let change = last[column] + usize::from(letter != against);
            let mut fewest = change.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped = row > 0 && column > 0 && one[row - 1] == *against && *letter == other[column - 1];
            if swapped {
                fewest = fewest.min(before[column - 1] + 1);
            }
            next.push(fewest);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_strangers_are_not() {
        let fields = ["idle_w", "stress_w", "power", "part"];
        for (typed, meant) in [
            ("idel_w", Some("idle_w")),
            ("Idle_W", Some("idle_w")),
            ("stres_w", Some("stress_w")),
            ("powr", Some("power")),
            ("pwoer", Some("power")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, fields), meant, "{typed}");
        }
        let parts = ["Raspberry Pi 5 model B", "Raspberry Pi 4 model B"];
        assert_eq!(nearest("raspberry pi 5", parts), Some("Raspberry Pi 5 model B"));
    }
}
