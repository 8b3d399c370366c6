//! Any bytes as a pack's header, records and dead entries: the thing or an error, and never another thing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stead_block::pack::record::{PackHeader, Record};

fuzz_target!(|data: &[u8]| {
    let fixed = PackHeader { number: 1, salt: 7 };
    let pack = PackHeader::parse(data).map_or(fixed, |(header, _)| header);
    let _ = pack.parse_dead(data);
    for at in 0..data.len().min(256) {
        if let Ok((record, bytes)) = Record::parse_whole(&fixed, 192, &data[at..]) {
            assert_eq!(bytes.len(), record.len as usize);
            assert!(record.encode(&fixed, 192).is_some());
        }
    }
});
