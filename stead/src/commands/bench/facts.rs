//! What the machine is: model, processor, memory, disks, kernel. Read, never guessed.

use crate::commands::plan::host::Host;
use std::path::Path;
use stead_guide::showcase::Machine;

/// Its name.
pub(super) fn name() -> Option<String> {
    Host::read(Path::new("/")).name
}

pub(super) fn machine() -> Machine {
    let host = Host::read(Path::new("/"));
    let disks = host.disks.iter().map(|disk| {
        let model = disk.model.as_deref().unwrap_or("model not said");
        format!("{}, {:.0} GB, {model}", disk.kind, disk.size_gb)
    });
    Machine {
        model: host.product.clone(),
        cpu: text("/proc/cpuinfo").and_then(|text| processor(&text)),
        arch: std::env::consts::ARCH.to_owned(),
        cores: host.cores,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        memory_gb: host.memory_gb,
        kernel: text("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
        disks: disks.collect(),
    }
}

fn text(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// As `/proc/cpuinfo` calls it: the first of them.
fn processor(cpuinfo: &str) -> Option<String> {
    let named = |key: &str| {
        cpuinfo.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key && !value.trim().is_empty()).then(|| value.trim().to_owned())
        })
    };
    ["model name", "Model", "Hardware", "uarch"]
        .into_iter()
        .find_map(named)
}

/// The kind of file system that a directory is on.
pub(super) fn file_system(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    kind(&text("/proc/self/mounts")?, &dir)
}

/// The mount with the longest path above a directory; the last of equals, which lies over the others.
fn kind(mounts: &str, dir: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        // The kernel writes spaces as octal digits.
        let place = place.replace("\\040", " ");
        dir.starts_with(&place).then(|| (place.len(), kind.to_owned()))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_and_file_systems_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: Cortex-A76\n\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(processor(text).as_deref(), Some("Cortex-A76"));
        assert_eq!(
            processor("Model\t\t: Raspberry Pi 5\n").as_deref(),
            Some("Raspberry Pi 5")
        );
        assert_eq!(processor("model name:\n"), None);
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /srv/my\\040data xfs rw 0 0\nx /tmp btrfs rw 0 0\n";
        for (dir, wanted) in [
            ("/home", "ext4"),
            ("/tmp/x", "btrfs"),
            ("/srv/my data/stead", "xfs"),
            ("/tmpfoo", "ext4"),
        ] {
            assert_eq!(kind(mounts, Path::new(dir)).as_deref(), Some(wanted), "{dir}");
        }
        assert_eq!(kind("", Path::new("/")), None);
    }
}
