//! The bytes of a zip (PKWARE's APPNOTE 6.3.9): stored entries with a data descriptor, Zip64 where numbers
//! need it, names in UTF-8.

use bytes::{BufMut, Bytes, BytesMut};
use stead_event::Timestamp;

/// A number that does not fit its 32-bit field stands in the Zip64 extra field.
const BIG: u64 = u32::MAX as u64;
/// The checksum comes behind the bytes; the name is UTF-8.
const FLAGS: u16 = (1 << 3) | (1 << 11);
const PLAIN: u16 = 20;
const ZIP64: u16 = 45;
const UNIX: u16 = 3 << 8;
/// A regular file, mode 0644.
const MODE: u32 = 0o100_644 << 16;

/// An entry.
#[derive(Clone)]
pub(super) struct Entry {
    name: String,
    size: u64,
    date: u16,
    time: u16,
    offset: u64,
}

impl Entry {
    pub(super) fn new(name: String, size: u64, modified: Timestamp) -> Self {
        let at = modified.to_datetime();
        let years = at.year() - 1980;
        // Earlier and later than the format knows is its beginning.
        let years = u16::try_from(years).ok().filter(|years| *years < 128);
        let (date, time) = match years {
            Some(years) => (
                (years << 9) | (u16::from(u8::from(at.month())) << 5) | u16::from(at.day()),
                (u16::from(at.hour()) << 11) | (u16::from(at.minute()) << 5) | (u16::from(at.second()) / 2),
            ),
            None => ((1 << 5) | 1, 0),
        };
        Self {
            name,
            size,
            date,
            time,
            offset: 0,
        }
    }

    fn big(&self) -> bool {
        self.size >= BIG
    }

    fn local(&self) -> Bytes {
        let mut text = BytesMut::with_capacity(64 + self.name.len());
        text.put_u32_le(0x0403_4b50);
        text.put_u16_le(if self.big() { ZIP64 } else { PLAIN });
        self.common(&mut text, 0);
        text.put_u16_le(if self.big() { 20 } else { 0 });
        text.put_slice(self.name.as_bytes());
        if self.big() {
            text.put_u16_le(1);
            text.put_u16_le(16);
            text.put_u64_le(self.size);
            text.put_u64_le(self.size);
        }
        text.freeze()
    }

    /// From the flags to the length of the name.
    fn common(&self, text: &mut BytesMut, crc: u32) {
        let size = self.size.min(BIG) as u32;
        text.put_u16_le(FLAGS);
        text.put_u16_le(0); // stored
        text.put_u16_le(self.time);
        text.put_u16_le(self.date);
        text.put_u32_le(crc);
        text.put_u32_le(size);
        text.put_u32_le(size);
        text.put_u16_le(self.name.len() as u16);
    }

    fn descriptor(&self, crc: u32) -> Bytes {
        let mut text = BytesMut::with_capacity(24);
        text.put_u32_le(0x0807_4b50);
        text.put_u32_le(crc);
        for _ in 0..2 {
            if self.big() {
                text.put_u64_le(self.size);
            } else {
                text.put_u32_le(self.size as u32);
            }
        }
        text.freeze()
    }

    fn central(&self, text: &mut BytesMut, crc: u32) {
        let mut extra = BytesMut::new();
        if self.big() {
            extra.put_u64_le(self.size);
            extra.put_u64_le(self.size);
        }
        if self.offset >= BIG {
            extra.put_u64_le(self.offset);
        }
        let needs = if extra.is_empty() { PLAIN } else { ZIP64 };
        text.put_u32_le(0x0201_4b50);
        text.put_u16_le(UNIX | ZIP64);
        text.put_u16_le(needs);
        self.common(text, crc);
        text.put_u16_le(if extra.is_empty() {
            0
        } else {
            extra.len() as u16 + 4
        });
        text.put_u16_le(0); // no comment
        text.put_u16_le(0); // the only disk
        text.put_u16_le(0); // not known to be text
        text.put_u32_le(MODE);
        text.put_u32_le(self.offset.min(BIG) as u32);
        text.put_slice(self.name.as_bytes());
        if !extra.is_empty() {
            text.put_u16_le(1);
            text.put_u16_le(extra.len() as u16);
            text.put_slice(&extra);
        }
    }
}

/// The directory at the end, and how far the bytes before it are.
#[derive(Default)]
pub(super) struct Directory {
    central: BytesMut,
    entries: u64,
    offset: u64,
}

impl Directory {
    /// What comes before an entry's bytes.
    pub(super) fn begin(&mut self, entry: &Entry) -> Bytes {
        entry.local()
    }

    /// What comes behind an entry's bytes.
    pub(super) fn finish(&mut self, entry: Entry, crc: u32) -> Bytes {
        let entry = Entry {
            offset: self.offset,
            ..entry
        };
        let descriptor = entry.descriptor(crc);
        self.offset += entry.local().len() as u64 + entry.size + descriptor.len() as u64;
        entry.central(&mut self.central, crc);
        self.entries += 1;
        descriptor
    }

    /// What comes last.
    pub(super) fn end(&mut self) -> Bytes {
        let mut text = std::mem::take(&mut self.central);
        let (size, start, entries) = (text.len() as u64, self.offset, self.entries);
        if size >= BIG || start >= BIG || entries >= u64::from(u16::MAX) {
            text.put_u32_le(0x0606_4b50);
            text.put_u64_le(44);
            text.put_u16_le(UNIX | ZIP64);
            text.put_u16_le(ZIP64);
            text.put_u64_le(0); // the only disk
            for number in [entries, entries, size, start] {
                text.put_u64_le(number);
            }
            text.put_u32_le(0x0706_4b50);
            text.put_u32_le(0);
            text.put_u64_le(start + size);
            text.put_u32_le(1);
        }
        text.put_u32_le(0x0605_4b50);
        text.put_u32_le(0); // the only disk
        let count = entries.min(u64::from(u16::MAX)) as u16;
        text.put_u16_le(count);
        text.put_u16_le(count);
        text.put_u32_le(size.min(BIG) as u32);
        text.put_u32_le(start.min(BIG) as u32);
        text.put_u16_le(0); // no comment
        text.freeze()
    }
}

/// How long the whole will be, in bytes.
pub(super) fn length<'a>(entries: impl Iterator<Item = (&'a str, u64)>) -> u64 {
    let mut directory = Directory::default();
    for (name, size) in entries {
        let entry = Entry::new(name.to_owned(), size, Timestamp::from_micros(0));
        directory.finish(entry, 0);
    }
    directory.offset + directory.end().len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_what_comes() {
        for sizes in [vec![], vec![0, 5], vec![u64::from(u32::MAX) + 7, 3]] {
            let mut directory = Directory::default();
            let mut sum = 0;
            for size in &sizes {
                let entry = Entry::new(format!("n{size}"), *size, Timestamp::from_micros(0));
                sum += directory.begin(&entry).len() as u64 + size;
                sum += directory.finish(entry, 1).len() as u64;
            }
            sum += directory.end().len() as u64;
            let names: Vec<_> = sizes.iter().map(|size| format!("n{size}")).collect();
            let entries = names.iter().map(String::as_str).zip(sizes.iter().copied());
            assert_eq!(length(entries), sum);
        }
    }
}
