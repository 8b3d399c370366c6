//! The meter's month in the data directory, so that a restart does not begin it anew.
//!
//! Never: keeps a node from starting. A file that is not understood is left out, and written anew.

use crate::directory::write_private;
use std::io;
use std::path::Path;
use stead_power::Meter;
use stead_power::meter::Saved;

/// The file's name in the data directory.
const FILE: &str = "power.json";

/// More than a meter's devices take.
const MAX_BYTES: u64 = 1 << 20;

/// Has a meter go on from the file, where there is one.
pub(super) fn read(data: &Path, meter: &mut Meter) {
    let path = data.join(FILE);
    let kept = match load(&path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            return tracing::warn!(%error, file = %path.display(), "the month's energy begins anew");
        }
    };
    if let Err(why) = meter.resume(kept) {
        tracing::warn!(%why, file = %path.display(), "the month's energy begins anew");
    }
}

fn load(path: &Path) -> io::Result<Saved> {
    if std::fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::other("it is larger than a meter's file can be"));
    }
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// Writes the file.
pub(super) fn write(data: &Path, saved: &Saved) -> io::Result<()> {
    write_private(&data.join(FILE), &serde_json::to_vec(saved)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_power::Reading;

    #[test]
    fn what_is_kept_is_read_back_and_rubbish_is_not() {
        let data = tempfile::tempdir().unwrap();
        let mut meter = Meter::new(None);
        for (second, energy) in [(0, 10.0), (60, 12.5)] {
            let reading = Reading {
                source: "test".into(),
                device: "plug".into(),
                watts: None,
                energy_wh: Some(energy),
                part_of: None,
                at_micros: 1_795_132_800_000_000 + second * 1_000_000,
            };
            meter.take(&reading).unwrap();
        }
        write(data.path(), &meter.saved()).unwrap();
        let mut again = Meter::new(None);
        read(data.path(), &mut again);
        assert_eq!(again.month_wh(), 2.5);
        for rubbish in [
            "",
            "{}",
            "{\"version\":1,\"month\":null,\"devices\":[],\"more\":1}",
        ] {
            std::fs::write(data.path().join(FILE), rubbish).unwrap();
            let mut meter = Meter::new(None);
            read(data.path(), &mut meter);
            assert_eq!(meter.month_wh(), 0.0, "{rubbish}");
        }
    }
}
