//! A disk that forgets what was not fsynced: a file system in memory, mounted by FUSE.
//!
//! Owns: the mount, and the image behind it with two states of everything, as it is seen and as it is kept.
//! Promises: [`PowerCut::cut`] leaves exactly what was synced: a file's bytes and length as of its last
//! fsync or fdatasync, a directory's names as of the directory's last fsync (as fsync(2) says: a new file's
//! name is kept only if its directory is synced too). In the torn variant each unsynced page or directory
//! may have got through all the same, as disks do.
//! Never: looks into what is stored. It shares nothing with Stead, so it cannot share its mistakes.

mod image;
mod pages;
mod serve;
mod wire;

use crate::Outcome;
use crate::content::Random;
use image::Image;
use rustix::mount::{MountFlags, UnmountFlags};
use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a disk does beside its work.
#[derive(Default)]
pub struct Trouble {
    /// How long each sync takes, and whatever comes behind it.
    pub sync_ms: AtomicU64,
    /// Whether there is no room for anything more.
    pub full: AtomicBool,
}

/// The mounted disk.
pub struct PowerCut {
    at: PathBuf,
    image: Arc<Mutex<Image>>,
    trouble: Arc<Trouble>,
    server: Option<JoinHandle<()>>,
}

impl PowerCut {
    /// An empty disk at an existing directory.
    pub fn mount(at: &Path) -> Outcome<Self> {
        let mut disk = Self {
            at: at.to_owned(),
            image: Arc::new(Mutex::new(Image::new())),
            trouble: Arc::default(),
            server: None,
        };
        // A mount that a killed run left behind.
        let _ = rustix::mount::unmount(at, UnmountFlags::DETACH);
        disk.attach()?;
        Ok(disk)
    }

    fn attach(&mut self) -> Outcome {
        let device = File::options().read(true).write(true).open("/dev/fuse");
        let device =
            device.map_err(|why| format!("/dev/fuse: {why} (the power-cut test needs FUSE and root)"))?;
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
            device.as_raw_fd()
        );
        let options = CString::new(options)?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount("stead-powercut", &self.at, "fuse", flags, options.as_c_str()).map_err(
            |why| {
                format!(
                    "mounting FUSE at {}: {why} (this test needs root)",
                    self.at.display()
                )
            },
        )?;
        let (image, trouble) = (Arc::clone(&self.image), Arc::clone(&self.trouble));
        self.server = Some(std::thread::spawn(move || serve::serve(device, &image, &trouble)));
        Ok(())
    }

    /// What it does beside its work; may be set at any time.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    fn detach(&mut self) -> Outcome {
        // A process that was just killed may hold its files for a moment longer.
        for _ in 0..500 {
            match rustix::mount::unmount(&self.at, UnmountFlags::empty()) {
                Err(rustix::io::Errno::BUSY) => std::thread::sleep(Duration::from_millis(10)),
                result => {
                    result?;
                    if let Some(server) = self.server.take() {
                        server.join().map_err(|_| "the file system's thread panicked")?;
                    }
                    return Ok(());
                }
            }
        }
        Err(format!("{} stays busy", self.at.display()).into())
    }

    /// Cuts the power: unmounts, drops what was not synced (or, with `torn`, a random part of it), mounts
    /// again. Nobody may have files open. Answers how many bytes were dropped.
    pub fn cut(&mut self, torn: Option<&mut Random>) -> Outcome<u64> {
        self.detach()?;
        let dropped = self
            .image
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cut(torn);
        self.attach()?;
        Ok(dropped)
    }
}

impl Drop for PowerCut {
    fn drop(&mut self) {
        if self.detach().is_err() {
            // Whoever still holds files is left with them; the mount point is free again.
            let _ = rustix::mount::unmount(&self.at, UnmountFlags::DETACH);
        }
    }
}

#[cfg(test)]
mod tests;
