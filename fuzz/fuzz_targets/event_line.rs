//! Any bytes as a log line, and as a chain of lines: an event or an error; what is read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stead_event::{ChainHead, Event};

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = Event::from_line(data) {
        let line = event.to_line().expect("what was read can be written");
        let again = Event::from_canonical_line(&line).expect("what was written is canonical");
        assert_eq!(again, event);
    }
    let mut head = ChainHead::default();
    for line in data.split(|byte| *byte == b'\n') {
        if head.follow(line).is_err() {
            break;
        }
    }
});
