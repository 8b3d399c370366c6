//! Headers of TAR archives: POSIX `ustar`, with `pax` records for what does not fit into one.

/// Everything in an archive is a multiple of this.
pub const BLOCK: usize = 512;
/// The largest size that eleven octal digits can say.
const SIZE_MAX: u64 = 0o777_7777_7777;
/// Where a name's or a link's field ends.
const NAME: usize = 100;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// A file of so many bytes.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link, and where it points.
    Symlink(&'a str),
}

/// The bytes before a member's contents. Times are not known, so all are the epoch: the same tree is always
/// the same archive.
pub fn header(path: &str, member: Member<'_>) -> Vec<u8> {
    let (kind, size, target, mode) = match member {
        Member::File(size) => (b'0', size, "", 0o644),
        Member::Directory => (b'5', 0, "", 0o755),
        Member::Symlink(target) => (b'2', 0, target, 0o777),
    };
    let mut path = path.to_owned();
    if member == Member::Directory {
        path.push('/');
    }
    let mut records = Vec::new();
    if !fits(&path) {
        record(&mut records, "path", &path);
    }
    if !fits(target) {
        record(&mut records, "linkpath", target);
    }
    if size > SIZE_MAX {
        record(&mut records, "size", &size.to_string());
    }
    let mut out = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        plain(&mut out, "pax", b'x', records.len() as u64, "", 0o644);
        out.extend_from_slice(&records);
        out.resize(out.len() + padding(records.len() as u64), 0);
    }
    plain(&mut out, &path, kind, size, target, mode);
    out
}

/// Zeros behind contents of that size.
pub fn padding(size: u64) -> usize {
    // Less than a block.
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// Whether readers of any age understand a name.
fn fits(name: &str) -> bool {
    name.len() <= NAME && name.is_ascii()
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(out: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}

fn plain(out: &mut Vec<u8>, path: &str, kind: u8, size: u64, target: &str, mode: u32) {
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // Where it does not fit, the record before says it whole.
    put(0, &path.as_bytes()[..path.len().min(NAME)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", size.min(SIZE_MAX)).as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, &target.as_bytes()[..target.len().min(NAME)]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_themselves() {
        for value in [0, 1, 88, 89, 90, 91, 985, 986, 987, 988, 5000] {
            let mut out = Vec::new();
            record(&mut out, "path", &"x".repeat(value));
            let said: usize = std::str::from_utf8(&out)
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(said, out.len(), "{value}");
        }
    }

    #[test]
    fn members_are_whole_blocks() {
        assert_eq!(header("a", Member::File(3)).len(), BLOCK);
        assert_eq!(header(&"ü".repeat(10), Member::Directory).len(), 3 * BLOCK);
        assert_eq!(header(&"a".repeat(101), Member::Symlink("x")).len(), 3 * BLOCK);
        let large = header("a", Member::File(SIZE_MAX + 1));
        assert!(
            large.windows(16).any(|part| part == b"size=8589934592\n"),
            "{large:?}"
        );
        assert_eq!(
            [padding(0), padding(1), padding(512), padding(513)],
            [0, 511, 0, 511]
        );
    }
}
