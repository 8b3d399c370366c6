//! Rules read and written, and what a plan makes of versions.

use super::due::Day;
use super::plan::Planner;
use super::rules::{Expiration, Filter, Noncurrent, Rule, Rules};
use super::{document, rules};
use s3s::dto::*;
use stead_event::body::{LockMode, Retention};
use stead_event::{EventId, Principal, TextMap, Timestamp as At, Via};
use stead_view::{ObjectRecord, VersionEntry};

fn at(text: &str) -> At {
    text.parse().unwrap()
}

fn on(day: u32) -> At {
    at(&format!("2026-01-{day:02}T12:00:00Z"))
}

fn record(number: u8, made: At, marker: bool) -> ObjectRecord {
    let event = EventId::new(1000 + u64::from(number), [number; 10]);
    ObjectRecord {
        stripes: None,
        encryption: None,
        event,
        seq: u64::from(number),
        at: made,
        version: Some(event.to_string()),
        marker,
        listed: true,
        superseded: None,
        actor: Principal("ana".into()),
        via: Via::default(),
        cid: None,
        etag: String::new(),
        size: 100,
        headers: TextMap::new(),
        metadata: TextMap::new(),
        tags: TextMap::new(),
        checksum: None,
        parts: Vec::new(),
        source: None,
        upload: None,
        owner: None,
        acl: Vec::new(),
        retention: None,
        hold: false,
        hold_said: false,
    }
}

/// The versions of one key, newest first.
fn versions(key: &str, records: Vec<ObjectRecord>) -> Vec<VersionEntry> {
    let entry = |(place, record)| VersionEntry {
        key: key.to_owned(),
        latest: place == 0,
        record,
    };
    records.into_iter().enumerate().map(entry).collect()
}

fn rule(change: impl FnOnce(&mut Rule)) -> Rules {
    let mut rule = Rule {
        id: "r".into(),
        enabled: true,
        ..Rule::default()
    };
    change(&mut rule);
    Rules { rules: vec![rule] }
}

/// What is due: key, and the number of the version (none for the current object).
fn due(rules: &Rules, now: At, entries: Vec<VersionEntry>) -> Vec<(String, Option<u8>)> {
    let mut out = Vec::new();
    let mut planner = Planner::new(rules, Day::default(), now);
    for entry in entries {
        planner.look(entry, &mut out);
    }
    planner.end(&mut out);
    let number = |id: String| id.parse::<EventId>().unwrap().as_bytes()[15];
    out.into_iter()
        .map(|one| (one.key, one.version.map(number)))
        .collect()
}

#[test]
fn a_current_object_goes_at_the_midnight_after_its_days() {
    let rules = rule(|rule| rule.expiration = Some(Expiration::Days(2)));
    let entries = || versions("k", vec![record(1, on(1), false)]);
    assert_eq!(due(&rules, at("2026-01-03T23:59:59Z"), entries()), []);
    assert_eq!(
        due(&rules, at("2026-01-04T00:00:00Z"), entries()),
        [("k".into(), None)]
    );
    let dated = rule(|rule| rule.expiration = Some(Expiration::Date(at("2026-01-10T00:00:00Z"))));
    assert_eq!(due(&dated, on(9), entries()), []);
    assert_eq!(due(&dated, on(10), entries()), [("k".into(), None)]);
    let off = rule(|rule| (rule.enabled, rule.expiration) = (false, Some(Expiration::Days(1))));
    assert_eq!(due(&off, on(30), entries()), []);
}

#[test]
fn a_version_goes_after_it_ceased_to_be_current() {
    let rules = rule(|rule| rule.noncurrent = Some(Noncurrent { days: 3, newer: None }));
    // Number 1 was current until the fifth, number 2 until the tenth.
    let three = || {
        versions(
            "k",
            vec![
                record(3, on(10), false),
                record(2, on(5), false),
                record(1, on(1), false),
            ],
        )
    };
    assert_eq!(due(&rules, on(8), three()), []);
    assert_eq!(due(&rules, on(9), three()), [("k".into(), Some(1))]);
    assert_eq!(
        due(&rules, on(14), three()),
        [("k".into(), Some(2)), ("k".into(), Some(1))]
    );
    let keeping = rule(|rule| {
        rule.noncurrent = Some(Noncurrent {
            days: 1,
            newer: Some(1),
        })
    });
    assert_eq!(due(&keeping, on(30), three()), [("k".into(), Some(1))]);
}

#[test]
fn what_is_locked_is_passed_over() {
    let rules = rule(|rule| rule.noncurrent = Some(Noncurrent { days: 1, newer: None }));
    let mut held = record(2, on(2), false);
    held.hold = true;
    let mut retained = record(1, on(1), false);
    let (mode, until) = (LockMode::Governance, on(20));
    retained.retention = Some(Retention { mode, until });
    let entries = versions("k", vec![record(3, on(3), false), held, retained]);
    assert_eq!(due(&rules, on(19), entries.clone()), []);
    assert_eq!(
        due(&rules, on(21), entries),
        [("k".into(), Some(1))],
        "until its retention ends"
    );
}

#[test]
fn a_delete_marker_goes_when_nothing_is_behind_it() {
    let clears = rule(|rule| rule.expiration = Some(Expiration::Marker(true)));
    let alone = || versions("a", vec![record(9, on(2), true)]);
    let covering = || versions("b", vec![record(8, on(2), true), record(7, on(1), false)]);
    let both = || [alone(), covering()].concat();
    assert_eq!(due(&clears, on(3), both()), [("a".into(), Some(9))]);
    assert_eq!(
        due(&clears, on(3), [covering(), alone()].concat()),
        [("a".into(), Some(9))]
    );
    let days = rule(|rule| rule.expiration = Some(Expiration::Days(5)));
    assert_eq!(due(&days, on(3), both()), []);
    assert_eq!(
        due(&days, on(9), both()),
        [("a".into(), Some(9))],
        "a marker that is as old goes too"
    );
    let kept = rule(|rule| rule.expiration = Some(Expiration::Marker(false)));
    assert_eq!(due(&kept, on(30), both()), []);
}

#[test]
fn filters_are_met_in_all_their_conditions() {
    let covers = |filter: Filter, key: &str| {
        let rules = rule(|rule| (rule.filter, rule.expiration) = (filter, Some(Expiration::Days(1))));
        let mut tagged = record(1, on(1), false);
        tagged.tags = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into();
        !due(&rules, on(9), versions(key, vec![tagged])).is_empty()
    };
    let prefix = |text: &str| Filter {
        prefix: Some(text.into()),
        ..Filter::default()
    };
    assert!(covers(Filter::default(), "k") && covers(prefix(""), "k") && covers(prefix("log/"), "log/1"));
    assert!(!covers(prefix("log/"), "k"));
    let tags = |value: &str| Filter {
        tags: [("a".to_owned(), value.to_owned())].into(),
        ..Filter::default()
    };
    assert!(covers(tags("1"), "k") && !covers(tags("2"), "k"));
    let sizes = |larger_than, smaller_than| Filter {
        larger_than,
        smaller_than,
        ..Filter::default()
    };
    assert!(covers(sizes(Some(99), Some(101)), "k"));
    assert!(!covers(sizes(Some(100), None), "k") && !covers(sizes(None, Some(100)), "k"));
}

#[test]
fn what_is_read_is_below_the_shortest_prefixes() {
    let with = |prefixes: &[&str]| Rules {
        rules: prefixes
            .iter()
            .map(|prefix| {
                rule(|rule| rule.filter.prefix = Some((*prefix).to_owned()))
                    .rules
                    .remove(0)
            })
            .collect(),
    };
    assert_eq!(with(&["b/c", "a", "b", "ab"]).prefixes(), ["a", "b"]);
    assert_eq!(with(&["x", ""]).prefixes(), [""]);
    let off = rule(|rule| rule.enabled = false);
    assert!(off.prefixes().is_empty());
}

#[test]
fn the_header_names_the_first_day_and_its_rule() {
    let mut rules = rule(|rule| rule.expiration = Some(Expiration::Days(9)));
    let mut sooner = rules.rules[0].clone();
    (sooner.id, sooner.expiration) = ("two \"quotes\"".into(), Some(Expiration::Days(1)));
    rules.rules.push(sooner);
    let expiry = rules
        .expiry("k", &record(1, on(1), false), Day::default())
        .unwrap();
    assert_eq!(
        document::header(expiry).unwrap(),
        "expiry-date=\"Sat, 03 Jan 2026 00:00:00 GMT\", rule-id=\"two%20%22quotes%22\""
    );
    let never = rules::Due {
        at: At::from_micros(i64::MAX),
        rule: "r",
    };
    assert_eq!(document::header(never), None);
}

fn lifecycle_rule(change: impl FnOnce(&mut LifecycleRule)) -> LifecycleRule {
    let mut rule = LifecycleRule {
        abort_incomplete_multipart_upload: None,
        expiration: Some(LifecycleExpiration {
            days: Some(1),
            ..LifecycleExpiration::default()
        }),
        filter: Some(LifecycleRuleFilter::default()),
        id: Some("r".into()),
        noncurrent_version_expiration: None,
        noncurrent_version_transitions: None,
        prefix: None,
        status: ExpirationStatus::from_static("Enabled"),
        transitions: None,
    };
    change(&mut rule);
    rule
}

fn read(rules: Vec<LifecycleRule>) -> Result<Rules, String> {
    document::read(BucketLifecycleConfiguration { rules }, || "made".into())
        .map_err(|error| error.code().as_str().to_owned())
}

#[test]
fn a_document_is_answered_in_the_form_in_which_it_came() {
    let tag = |key: &str| Tag {
        key: Some(key.into()),
        value: Some("v".into()),
    };
    let and = LifecycleRuleFilter {
        and: Some(LifecycleRuleAndOperator {
            object_size_greater_than: Some(1),
            object_size_less_than: Some(9),
            prefix: Some("p/".into()),
            tags: Some(vec![tag("a"), tag("b")]),
        }),
        ..LifecycleRuleFilter::default()
    };
    let forms = vec![
        lifecycle_rule(|rule| {
            (rule.filter, rule.prefix, rule.id) = (None, Some("old".into()), Some("1".into()))
        }),
        lifecycle_rule(|rule| (rule.filter, rule.id) = (Some(and), Some("2".into()))),
        lifecycle_rule(|rule| {
            rule.filter = Some(LifecycleRuleFilter {
                tag: Some(tag("a")),
                ..LifecycleRuleFilter::default()
            });
            rule.id = Some("3".into());
        }),
        lifecycle_rule(|rule| rule.id = Some("4".into())),
    ];
    let rules = read(forms.clone()).unwrap();
    assert_eq!(Rules::read(&rules.write()), rules);
    assert_eq!(document::write(rules), forms);
    let named = read(vec![lifecycle_rule(|rule| rule.id = None)]).unwrap();
    assert_eq!(named.rules[0].id, "made");
    assert_eq!(Rules::read("nonsense"), Rules::default());
}

#[test]
fn what_amazon_refuses_is_refused() {
    let code = |change: fn(&mut LifecycleRule)| read(vec![lifecycle_rule(change)]).unwrap_err();
    assert_eq!(read(vec![]).unwrap_err(), "MalformedXML");
    assert_eq!(
        code(|rule| rule.status = "enabled".to_owned().into()),
        "MalformedXML"
    );
    assert_eq!(code(|rule| rule.filter = None), "MalformedXML");
    assert_eq!(code(|rule| rule.prefix = Some("both".into())), "MalformedXML");
    assert_eq!(code(|rule| rule.id = Some("i".repeat(256))), "InvalidArgument");
    assert_eq!(code(|rule| rule.expiration = None), "InvalidRequest");
    assert_eq!(
        code(|rule| rule.expiration = Some(LifecycleExpiration::default())),
        "MalformedXML"
    );
    let days = |rule: &mut LifecycleRule| rule.expiration.as_mut().unwrap().days = Some(0);
    assert_eq!(code(days), "InvalidArgument");
    let noon = |rule: &mut LifecycleRule| {
        let expiration = rule.expiration.as_mut().unwrap();
        (expiration.days, expiration.date) = (None, Some(crate::dates::s3(on(1))));
    };
    assert_eq!(code(noon), "InvalidArgument");
    let moves = |rule: &mut LifecycleRule| rule.transitions = Some(vec![Transition::default()]);
    assert_eq!(code(moves), "InvalidStorageClass");
    let tagged_abort = |rule: &mut LifecycleRule| {
        rule.filter.as_mut().unwrap().tag = Some(Tag {
            key: Some("a".into()),
            value: Some(String::new()),
        });
        rule.abort_incomplete_multipart_upload = Some(AbortIncompleteMultipartUpload {
            days_after_initiation: Some(1),
        });
    };
    assert_eq!(code(tagged_abort), "InvalidRequest");
    let twice = read(vec![lifecycle_rule(|_| {}), lifecycle_rule(|_| {})]);
    assert_eq!(twice.unwrap_err(), "InvalidArgument");
    let many = (0..1001).map(|n| lifecycle_rule(|rule| rule.id = Some(n.to_string())));
    assert_eq!(read(many.collect()).unwrap_err(), "MalformedXML");
}
