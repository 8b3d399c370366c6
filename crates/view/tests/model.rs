//! Random histories: what the views say is what a simple model says, at every position, and a rebuild
//! gives the same tables byte for byte.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stead_event::Position;
use stead_event::body::Versioning;
use stead_view::{ListQuery, Names, VersionQuery, rebuild_offline};
use support::{Node, create, delete, drop_bucket, put, tag, versioned};

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    Delete(usize),
    DeleteVersion(usize, usize),
    Tag(usize, usize),
    Versioning(bool),
    Checkpoint,
}

const KEYS: &[&str] = &[
    "",
    "a",
    "a/",
    "a/b",
    "a/b/c",
    "a\0",
    "a\0b",
    "a0",
    "b",
    "b/\u{10ffff}",
    "é",
    "zz",
];

fn step() -> impl Strategy<Value = Step> {
    // A few keys again and again, so that each has a history; the others for their names.
    let key = prop_oneof![4 => 1..4usize, 1 => 1..KEYS.len()];
    prop_oneof![
        6 => key.clone().prop_map(Step::Put),
        3 => key.clone().prop_map(Step::Delete),
        3 => (key.clone(), 0..3usize).prop_map(|(key, nth)| Step::DeleteVersion(key, nth)),
        1 => (key, 0..4usize).prop_map(|(key, nth)| Step::Tag(key, nth)),
        2 => prop::bool::weighted(0.7).prop_map(Step::Versioning),
        1 => Just(Step::Checkpoint),
    ]
}

/// A listed state: version id, whether it is a marker, ETag, tag.
#[derive(Clone, Debug, PartialEq)]
struct State {
    version: String,
    marker: bool,
    etag: String,
    colour: Option<String>,
}

/// Listed states by key, newest first.
type Listed = BTreeMap<String, Vec<State>>;

#[derive(Default)]
struct Model {
    versioning: Versioning,
    listed: Listed,
    /// As it was at each position. Tags are of now: they change a state in place.
    then: BTreeMap<Position, Listed>,
}

impl Model {
    fn add(&mut self, key: &str, id: String, marker: bool, etag: String) {
        let states = self.listed.entry(key.to_owned()).or_default();
        let null = self.versioning != Versioning::Enabled;
        if null {
            states.retain(|state| state.version != "null");
        }
        let version = if null { "null".to_owned() } else { id };
        states.insert(
            0,
            State {
                version,
                marker,
                etag,
                colour: None,
            },
        );
    }

    fn remove(&mut self, key: &str, version: &str) {
        if let Some(states) = self.listed.get_mut(key) {
            states.retain(|state| state.version != version);
        }
    }

    fn version(&self, key: &str, nth: usize) -> Option<String> {
        self.listed.get(key)?.get(nth).map(|state| state.version.clone())
    }
}

fn play(node: &mut Node, steps: &[Step]) -> Model {
    let mut model = Model::default();
    let (_, at) = node.append(create("b"));
    model.then.insert(at, Listed::new());
    for (number, step) in steps.iter().enumerate() {
        let body = match step {
            Step::Put(key) => put("b", KEYS[*key], &number.to_string()),
            Step::Delete(key) => delete("b", KEYS[*key], None),
            Step::DeleteVersion(key, nth) => match model.version(KEYS[*key], *nth) {
                Some(version) => delete("b", KEYS[*key], Some(&version)),
                None => delete("b", KEYS[*key], Some("no such version")),
            },
            Step::Tag(key, nth) => match model.version(KEYS[*key], *nth) {
                Some(version) => tag("b", KEYS[*key], Some(&version), &number.to_string()),
                None => continue,
            },
            Step::Versioning(true) => versioned("b", Versioning::Enabled),
            Step::Versioning(false) => versioned("b", Versioning::Suspended),
            Step::Checkpoint => {
                stead_log::Machine::checkpoint(&mut node.engine).unwrap();
                continue;
            }
        };
        let (id, at) = node.append(body);
        match step {
            Step::Put(key) => model.add(KEYS[*key], id.to_string(), false, format!("etag-{number}")),
            Step::Delete(key) if model.versioning == Versioning::Off => model.remove(KEYS[*key], "null"),
            Step::Delete(key) => model.add(KEYS[*key], id.to_string(), true, String::new()),
            Step::DeleteVersion(key, nth) => {
                if let Some(version) = model.version(KEYS[*key], *nth) {
                    model.remove(KEYS[*key], &version);
                }
            }
            Step::Tag(key, nth) => {
                let state = &mut model.listed.get_mut(KEYS[*key]).unwrap()[*nth];
                if !state.marker {
                    state.colour = Some(number.to_string());
                }
            }
            Step::Versioning(true) => model.versioning = Versioning::Enabled,
            Step::Versioning(false) => model.versioning = Versioning::Suspended,
            Step::Checkpoint => {}
        }
        model.then.insert(at, model.listed.clone());
    }
    model
}

/// Objects and common prefixes of a listing, in order.
fn expected_page(listed: &Listed, prefix: &str, delimiter: Option<&str>) -> Vec<(String, Option<String>)> {
    let mut rows = Vec::new();
    for (key, states) in listed.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let Some(state) = states.first().filter(|state| !state.marker) else {
            continue;
        };
        let rolled = delimiter.and_then(|d| key[prefix.len()..].find(d).map(|at| at + d.len()));
        match rolled {
            Some(to) => {
                let common = key[..prefix.len() + to].to_owned();
                if rows.last() != Some(&(common.clone(), None)) {
                    rows.push((common, None));
                }
            }
            None => rows.push((key.clone(), Some(state.etag.clone()))),
        }
    }
    rows
}

fn every_page(
    mut page: impl FnMut(&ListQuery) -> stead_view::Page,
    prefix: &str,
    delimiter: Option<&str>,
    max: usize,
) -> Vec<(String, Option<String>)> {
    let mut rows = Vec::new();
    let mut query = ListQuery {
        prefix: prefix.into(),
        after: None,
        delimiter: delimiter.map(str::to_owned),
        max,
    };
    loop {
        let page = page(&query);
        assert!(page.objects.len() + page.prefixes.len() <= max);
        let mut found: Vec<(String, Option<String>)> = page
            .objects
            .into_iter()
            .map(|(key, record)| (key, Some(record.etag)))
            .collect();
        found.extend(page.prefixes.into_iter().map(|prefix| (prefix, None)));
        found.sort();
        rows.extend(found);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return rows,
        }
    }
}

/// A version in a listing, or a common prefix.
type VersionRow = (String, Option<(bool, State)>);

fn expected_versions(listed: &Listed, prefix: &str, delimiter: Option<&str>) -> Vec<VersionRow> {
    let mut rows: Vec<VersionRow> = Vec::new();
    for (key, states) in listed
        .iter()
        .filter(|(key, states)| key.starts_with(prefix) && !states.is_empty())
    {
        match delimiter.and_then(|d| key[prefix.len()..].find(d).map(|at| at + d.len())) {
            Some(to) => {
                let common = (key[..prefix.len() + to].to_owned(), None);
                if rows.last() != Some(&common) {
                    rows.push(common);
                }
            }
            None => {
                let each = states.iter().enumerate();
                rows.extend(each.map(|(nth, state)| (key.clone(), Some((nth == 0, state.clone())))));
            }
        }
    }
    rows
}

fn every_version(names: &Names, prefix: &str, delimiter: Option<&str>, max: usize) -> Vec<VersionRow> {
    let mut rows = Vec::new();
    let delimiter = delimiter.map(str::to_owned);
    let mut query = VersionQuery {
        prefix: prefix.into(),
        delimiter,
        max,
        ..VersionQuery::default()
    };
    loop {
        let page = names.list_versions("b", &query).unwrap();
        assert!(page.versions.len() + page.prefixes.len() <= max);
        let mut found: Vec<VersionRow> = page.prefixes.into_iter().map(|prefix| (prefix, None)).collect();
        for entry in page.versions {
            let record = entry.record;
            let state = State {
                version: record.version_id().to_owned(),
                marker: record.marker,
                etag: record.etag,
                colour: record.tags.get("colour").cloned(),
            };
            found.push((entry.key, Some((entry.latest, state))));
        }
        // Stable, so that the versions of a key stay in their order.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        rows.extend(found);
        match page.next {
            Some((key, version)) => (query.key_marker, query.version_marker) = (Some(key), version),
            None => return rows,
        }
    }
}

fn check_listings(node: &Node, model: &Model, prefix: &str, max: usize) {
    let names = node.views.names().unwrap();
    for delimiter in [None, Some("/"), Some("b/")] {
        let now = expected_page(&model.listed, prefix, delimiter);
        let list = |query: &ListQuery| names.list("b", query).unwrap();
        assert_eq!(
            every_page(list, prefix, delimiter, max),
            now,
            "now, {delimiter:?}"
        );
        for (position, listed) in &model.then {
            let list = |query: &ListQuery| names.list_at("b", query, *position).unwrap();
            let then = expected_page(listed, prefix, delimiter);
            assert_eq!(
                every_page(list, prefix, delimiter, max),
                then,
                "at {position}, {delimiter:?}"
            );
        }
    }
    for delimiter in [None, Some("/"), Some("b/")] {
        let expected = expected_versions(&model.listed, prefix, delimiter);
        assert_eq!(
            every_version(&names, prefix, delimiter, max),
            expected,
            "versions, {delimiter:?}"
        );
    }
}

fn check_objects(node: &Node, model: &Model) {
    let names = node.views.names().unwrap();
    for key in KEYS {
        let listed = model.listed.get(*key).cloned().unwrap_or_default();
        let object = names.object("b", key).unwrap();
        let found = object.map(|record| (record.version_id().to_owned(), record.marker));
        assert_eq!(
            found,
            listed.first().map(|state| (state.version.clone(), state.marker)),
            "{key:?}"
        );
        for state in &listed {
            let record = names.version("b", key, &state.version).unwrap().unwrap();
            assert_eq!(
                (&record.etag, record.marker, record.listed),
                (&state.etag, state.marker, true)
            );
        }
        let kept = names.versions("b", key).unwrap();
        let visible = kept
            .iter()
            .filter(|record| record.listed)
            .map(|record| record.version_id());
        assert_eq!(
            visible.collect::<Vec<_>>(),
            listed.iter().map(|s| &s.version[..]).collect::<Vec<_>>()
        );
        for (position, then) in &model.then {
            let then = then.get(*key).and_then(|states| states.first());
            let record = names.object_at("b", key, *position).unwrap();
            let found = record.map(|record| (record.version_id().to_owned(), record.marker, record.etag));
            let then = then.map(|state| (state.version.clone(), state.marker, state.etag.clone()));
            assert_eq!(found, then, "{key:?} at {position}");
        }
    }
    let states: Vec<&State> = model.listed.values().flatten().collect();
    let counts = names.counts("b").unwrap();
    let objects = model
        .listed
        .values()
        .filter(|s| s.first().is_some_and(|s| !s.marker))
        .count() as u64;
    assert_eq!(
        (counts.objects, counts.objects + counts.versions),
        (objects, states.len() as u64)
    );
    let bytes: usize = states
        .iter()
        .map(|state| state.etag.len().saturating_sub("etag-".len()))
        .sum();
    assert_eq!(counts.bytes + counts.version_bytes, bytes as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn views_say_what_a_simple_model_says_and_a_rebuild_says_the_same(
        steps in prop::collection::vec(step(), 1..40),
        prefix in prop::sample::select(&["", "a", "a/", "a\0", "b", "x"][..]),
        max in 1usize..6,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut node = Node::open(directory.path());
        let model = play(&mut node, &steps);
        check_objects(&node, &model);
        check_listings(&node, &model, prefix, max);

        let before = node.views.dump_hash().unwrap();
        drop(node);
        let report = rebuild_offline(directory.path(), &mut |_, _| {}).unwrap();
        prop_assert!(report.equal, "{:?} differ", report.different);
        let node = Node::open(directory.path());
        prop_assert_eq!(node.views.dump_hash().unwrap(), before);
        check_objects(&node, &model);
    }

    #[test]
    fn a_replay_after_a_kill_at_any_moment_gives_the_same_lines_and_tables(
        steps in prop::collection::vec(step(), 2..30),
        kill in 0usize..30,
    ) {
        let [whole, killed] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut node = Node::open(whole.path());
        let kill = kill.min(steps.len());
        play(&mut node, &steps[..kill]);
        node.copy_as_killed(killed.path());
        node.append(versioned("b", Versioning::Enabled));
        node.append(put("b", "a", "last"));
        let again = Node::recover(killed.path(), &node.entries);
        prop_assert!(again.lines() == node.lines());
        prop_assert_eq!(again.views.dump_hash().unwrap(), node.views.dump_hash().unwrap());
    }
}

#[test]
fn a_bucket_deleted_with_things_in_it_leaves_nothing_listed_but_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    node.append(create("b"));
    node.append(put("b", "k", "one"));
    node.append(versioned("b", Versioning::Enabled));
    let (_, full) = node.append(put("b", "k", "two"));
    node.append(support::start_upload("b", "k"));
    node.append(drop_bucket("b"));
    let (_, anew) = node.append(create("b"));
    let names = node.views.names().unwrap();
    assert_eq!(names.object("b", "k").unwrap(), None);
    assert_eq!(names.counts("b").unwrap(), Default::default());
    let then = names.object_at("b", "k", full).unwrap().unwrap();
    assert_eq!(then.etag, "etag-two");
    assert_eq!(
        names.bucket_at("b", full).unwrap().unwrap().deleted.unwrap().0,
        anew - 1
    );
    let cids: BTreeSet<String> = names
        .reachable(None)
        .unwrap()
        .map(|cid| cid.unwrap().to_string())
        .collect();
    assert_eq!(cids.len(), 2);
}
