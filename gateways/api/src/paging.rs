//! Pages of lists: opaque cursors, and how many items a page has.

use crate::{ApiError, wire};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Items of a page where nobody says how many.
pub(crate) const PAGE: usize = 100;
/// Items of a page at most.
pub(crate) const MOST: usize = 1000;

/// How many items the page is to have.
pub(crate) fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(PAGE).clamp(1, MOST)
}

/// Where the next page begins, as text that its receiver has no reason to take apart.
pub(crate) fn cursor<T: Serialize>(place: &T) -> String {
    // Strings and numbers, which JSON can hold.
    BASE64.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// What [`cursor`] was made of.
pub(crate) fn place<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return Ok(None);
    };
    let wrong = || ApiError::invalid("the cursor is not one that this list answered");
    let bytes = BASE64.decode(cursor).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| wrong())
}

/// A page of a list that is in memory whole, in the order of `name`, which is the place of an item.
pub(crate) fn page<T>(
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    after: Option<String>,
    limit: usize,
) -> wire::Page<T> {
    let mut items = all;
    if let Some(after) = after {
        items.retain(|item| name(item) > after.as_str());
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| cursor(&name(last)));
    wire::Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_on_each_other_and_foreign_cursors_are_refused() {
        let all = || ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = page(all(), |name| name, place(after.as_deref()).unwrap(), 2);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all());
        assert!(place::<String>(Some("%")).is_err());
        assert!(place::<(String, u64)>(Some(&cursor(&"x"))).is_err());
    }
}
