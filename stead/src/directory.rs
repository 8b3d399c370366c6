//! The data directory: who may open it, and what lies at its top level.
//!
//! Owns: the lock, the format version, permissions, the node's key, the storage key and the root
//! credential.
//! Promises: a directory is opened by one process at a time, of this release's format or an older one, and
//! by its owner; anything else is refused with what to do. Nothing outside the directory is touched.
//! Never: reads what the log, the blocks or the views keep in their own folders.

use crate::codes;
use crate::failure::Failure;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use stead_event::NodeId;
use stead_runtime::Rng;

/// The newest format of the directory that this release knows, and the one that it writes.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "format";
const LOCK_FILE: &str = "lock";
const NODE_KEY: &str = "node.key";
const SECRET_KEY: &str = "secret.key";
const ROOT_FILE: &str = "root.json";
const SOCKET: &str = "stead.sock";

/// What may lie in a directory that is not Stead's yet.
const FOREIGN_ALLOWED: [&str; 5] = [
    crate::settings::FILE,
    LOCK_FILE,
    FORMAT_FILE,
    "lost+found",
    SOCKET,
];

/// The access key that the first start made, kept so that later starts can tell programs.
#[derive(Clone, Serialize, Deserialize)]
pub struct RootCredential {
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

/// A data directory that this process holds.
pub struct Directory {
    path: PathBuf,
    fresh: bool,
    // Held for its lock, which the system releases when the process ends, however it ends. None where there
    // is no lock file, and none can be made: then nobody else can have made one either.
    _lock: Option<File>,
}

impl Directory {
    /// Opens `path` and locks it, making it where it does not exist.
    pub fn create_or_open(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|e| unusable(path, &e))?;
            // Its name in the parent is to survive a power cut as well; a parent that cannot be opened is not
            // ours to sync.
            if let Some(parent) = path.parent().and_then(|parent| fs::File::open(parent).ok()) {
                parent.sync_all().map_err(|e| unusable(path, &e))?;
            }
        }
        check_owner(path)?;
        check_writable(path)?;
        let begun = read_format(path)?.is_some();
        if !begun {
            check_empty(path)?;
        }
        let lock = lock(path)?;
        // Asked again: until it was locked, another process could begin in it.
        let fresh = match read_format(path)? {
            Some(_) => false,
            None => {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                    .map_err(|e| unusable(path, &e))?;
                write_private(&path.join(FORMAT_FILE), format!("{FORMAT}\n").as_bytes())
                    .map_err(|e| unusable(path, &e))?;
                true
            }
        };
        Ok(Self {
            path: path.to_owned(),
            fresh,
            _lock: Some(lock),
        })
    }

    /// Opens a directory that exists, to read it: locked as far as that can be done without writing, so that a
    /// directory or a file system that is read-only can be read as well.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if !is_stead(path)? {
            return Err(Failure::new(
                codes::NO_DIRECTORY,
                format!("no Stead data in {}", path.display()),
            ));
        }
        check_owner(path)?;
        let lock = lock_to_read(path)?;
        read_format(path)?;
        Ok(Self {
            path: path.to_owned(),
            fresh: false,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's signing key, made at the first start.
    pub fn node_key(&self, rng: &Rng) -> Result<SigningKey, Failure> {
        Ok(SigningKey::from_bytes(&self.key_file(NODE_KEY, rng)?))
    }

    /// The key that seals stored secrets, made at the first start.
    pub fn storage_key(&self, rng: &Rng) -> Result<[u8; 32], Failure> {
        self.key_file(SECRET_KEY, rng)
    }

    /// Keeps the storage key that a cluster gave, in the place of one that sealed nothing yet.
    pub fn keep_storage_key(&self, key: &[u8; 32]) -> Result<(), Failure> {
        let path = self.path.join(SECRET_KEY);
        write_private(&path, format!("{}\n", hex::encode(key)).as_bytes())
            .map_err(|e| Failure::io(format_args!("cannot write {}", path.display()), &e))
    }

    /// Whether a node has run here and so has a log of its own.
    pub fn has_history(&self) -> bool {
        self.path.join("raft").exists() || self.path.join("log").exists()
    }

    /// The root credential, if the first start got as far as making one.
    pub fn root_credential(&self) -> Result<Option<RootCredential>, Failure> {
        read_root(&self.path)
    }

    /// Keeps the root credential.
    pub fn keep_root_credential(&self, root: &RootCredential) -> Result<(), Failure> {
        let path = self.path.join(ROOT_FILE);
        let text =
            serde_json::to_string_pretty(root).map_err(|e| Failure::new(codes::INTERNAL, e.to_string()))?;
        write_private(&path, text.as_bytes())
            .map_err(|e| Failure::io(format_args!("cannot write {}", path.display()), &e))
    }

    /// A 32-byte key in hexadecimal; made where there is none, and refused where others may read it.
    fn key_file(&self, name: &str, rng: &Rng) -> Result<[u8; 32], Failure> {
        let path = self.path.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.may_make(name) => {
                let key = rng.bytes::<32>();
                write_private(&path, format!("{}\n", hex::encode(key)).as_bytes())
                    .map_err(|e| Failure::io(format_args!("cannot write {}", path.display()), &e))?;
                return Ok(key);
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::new(
                    codes::KEY_FILE,
                    format!("{} is missing", path.display()),
                ));
            }
            Err(e) => return Err(Failure::io(format_args!("cannot read {}", path.display()), &e)),
        };
        let mode = fs::metadata(&path).map(|m| m.mode() & 0o777).unwrap_or(0o600);
        if mode & 0o077 != 0 {
            return Err(Failure::new(
                codes::KEY_FILE,
                format!("{} is readable by others (mode {mode:o})", path.display()),
            )
            .next(format!(
                "run `chmod 600 {}`, and think about who may have read it",
                path.display()
            )));
        }
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map(|()| key)
            .map_err(|_| {
                Failure::new(
                    codes::KEY_FILE,
                    format!("{} does not hold 64 hexadecimal digits", path.display()),
                )
            })
    }

    /// A key is made only before there is anything that an older key of that name made.
    fn may_make(&self, name: &str) -> bool {
        self.fresh || (name == NODE_KEY || name == SECRET_KEY) && !self.path.join("raft").exists()
    }
}

/// The socket on which a running node answers its owner.
pub fn socket(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// Whether `path` is a data directory of Stead, of any format. One that may not be looked into is no answer
/// but a failure, which says whose it is.
pub fn is_stead(path: &Path) -> Result<bool, Failure> {
    match fs::metadata(path.join(FORMAT_FILE)) {
        Ok(meta) => Ok(meta.is_file()),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            if fs::metadata(path).is_ok() {
                check_owner(path)?;
            }
            let message = format!("{} may not be looked into by this user: {e}", path.display());
            Err(Failure::new(codes::OWNER, message))
        }
        Err(_) => Ok(false),
    }
}

/// The root credential kept in `data`.
pub fn read_root(data: &Path) -> Result<Option<RootCredential>, Failure> {
    let path = data.join(ROOT_FILE);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|e| Failure::new(codes::KEY_FILE, format!("{} is not valid: {e}", path.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::io(format_args!("cannot read {}", path.display()), &e)),
    }
}

/// The node's name from its key.
pub fn node_id(key: &SigningKey) -> NodeId {
    NodeId::from_public_key(&key.verifying_key().to_bytes())
}

/// Where data lies when nobody says: the system's place for root, else the user's.
pub fn default_path() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/stead");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(home)
        .unwrap_or_else(|| PathBuf::from("."))
        .join("stead")
}

/// Whether the directory belongs to the user who asks.
pub fn is_own(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.uid() == rustix::process::geteuid().as_raw())
}

fn unusable(path: &Path, source: &io::Error) -> Failure {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let message = format!("cannot use {} as a data directory: {source}", path.display());
    match source.kind() {
        ReadOnlyFilesystem | PermissionDenied => Failure::new(codes::READ_ONLY, message),
        _ => Failure::io(
            format_args!("cannot use {} as a data directory", path.display()),
            source,
        ),
    }
}

fn check_owner(path: &Path) -> Result<(), Failure> {
    let meta = fs::metadata(path).map_err(|e| unusable(path, &e))?;
    if !meta.is_dir() {
        return Err(Failure::new(
            codes::NO_DIRECTORY,
            format!("{} is not a directory", path.display()),
        ));
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Err(Failure::new(
            codes::OWNER,
            format!(
                "{} belongs to user {}, and this process runs as user {me}",
                path.display(),
                meta.uid()
            ),
        )
        .next(format!(
            "run stead as that user, or hand the directory over: chown -R {me} {}",
            path.display()
        )));
    }
    Ok(())
}

fn check_writable(path: &Path) -> Result<(), Failure> {
    let meta = fs::metadata(path).map_err(|e| unusable(path, &e))?;
    if meta.mode() & 0o200 == 0 {
        return Err(Failure::new(
            codes::READ_ONLY,
            format!("{} is read-only", path.display()),
        ));
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, Failure> {
    let mut file = open_lock(path).map_err(|e| unusable(path, &e))?;
    hold(path, &mut file)?;
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    // The number is a courtesy to whoever is refused; the lock holds without it.
    if let Err(e) = written {
        tracing::debug!(error = %e, "the lock file does not say who holds it");
    }
    Ok(file)
}

/// The lock of a directory that is only read. What may not be written is locked all the same: the system locks
/// files that are open for reading, too.
fn lock_to_read(path: &Path) -> Result<Option<File>, Failure> {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    match open_lock(path) {
        Ok(_) => return lock(path).map(Some),
        Err(e) if matches!(e.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull) => {}
        Err(e) => return Err(unusable(path, &e)),
    }
    match File::open(path.join(LOCK_FILE)) {
        Ok(mut file) => hold(path, &mut file).map(|()| Some(file)),
        Err(e) if e.kind() == NotFound => Ok(None),
        Err(e) => Err(unusable(path, &e)),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join(LOCK_FILE))
}

fn hold(path: &Path, file: &mut File) -> Result<(), Failure> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let who = if pid.trim().is_empty() {
                "another process".into()
            } else {
                format!("process {}", pid.trim())
            };
            return Err(Failure::new(
                codes::LOCKED,
                format!("{} is in use by {who}", path.display()),
            ));
        }
        Err(TryLockError::Error(e)) => return Err(unusable(path, &e)),
    }
    Ok(())
}

/// The directory's format; `None` where it has none yet.
fn read_format(path: &Path) -> Result<Option<u32>, Failure> {
    let at = path.join(FORMAT_FILE);
    let text = match fs::read_to_string(&at) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::io(format_args!("cannot read {}", at.display()), &e)),
    };
    match text.trim().parse::<u32>() {
        Ok(found @ 1..=FORMAT) => Ok(Some(found)),
        Ok(found) if found > FORMAT => Err(Failure::new(
            codes::NEWER_FORMAT,
            format!(
                "{} has format {found}, and this release (stead {}) knows formats up to {FORMAT}",
                path.display(),
                env!("CARGO_PKG_VERSION")
            ),
        )),
        _ => Err(Failure::new(
            codes::FORMAT_FILE,
            format!(
                "{} does not say a format version: {:?}",
                at.display(),
                text.trim()
            ),
        )),
    }
}

/// A directory with foreign things in it is left alone: somebody mistyped.
fn check_empty(path: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(path).map_err(|e| unusable(path, &e))? {
        let name = entry.map_err(|e| unusable(path, &e))?.file_name();
        let name = name.to_string_lossy();
        if !FOREIGN_ALLOWED.contains(&name.as_ref()) && !name.starts_with('.') {
            return Err(Failure::new(
                codes::NOT_EMPTY,
                format!(
                    "{} is not empty (it holds {name:?}) and not a Stead data directory",
                    path.display()
                ),
            ));
        }
    }
    Ok(())
}

/// Writes a file that only its owner reads, whole or not at all.
/// Writes a file that its owner alone may read; durable when it returns, and never half there.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half = path.with_extension("tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(opened: Result<Directory, Failure>) -> Failure {
        match opened {
            Ok(_) => panic!("it was opened"),
            Err(failure) => failure,
        }
    }

    #[test]
    fn a_new_directory_is_private_and_keeps_its_keys() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("deep/data");
        let rng = Rng::seeded(1);
        let first = Directory::create_or_open(&path).unwrap();
        let (node, storage) = (first.node_key(&rng).unwrap(), first.storage_key(&rng).unwrap());
        drop(first);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join(NODE_KEY)).unwrap().mode() & 0o777, 0o600);
        let again = Directory::open(&path).unwrap();
        assert_eq!(again.node_key(&rng).unwrap().to_bytes(), node.to_bytes());
        assert_eq!(again.storage_key(&rng).unwrap(), storage);
    }

    #[test]
    fn held_newer_foreign_and_absent_directories_are_refused_by_code() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        let held = Directory::create_or_open(&path).unwrap();
        let second = refused(Directory::create_or_open(&path));
        assert!(second.is(codes::LOCKED));
        assert!(
            second
                .message
                .contains(&format!("process {}", std::process::id())),
            "{second}"
        );
        drop(held);

        fs::write(path.join(FORMAT_FILE), "2\n").unwrap();
        assert!(refused(Directory::open(&path)).is(codes::NEWER_FORMAT));
        fs::write(path.join(FORMAT_FILE), "x\n").unwrap();
        assert!(refused(Directory::create_or_open(&path)).is(codes::FORMAT_FILE));

        let foreign = temp.path().join("home");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("letter.txt"), "dear").unwrap();
        assert!(refused(Directory::create_or_open(&foreign)).is(codes::NOT_EMPTY));
        assert!(refused(Directory::open(&temp.path().join("none"))).is(codes::NO_DIRECTORY));
    }

    #[test]
    fn a_directory_that_may_not_be_looked_into_is_not_taken_for_none() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        drop(Directory::create_or_open(&path).unwrap());
        assert!(is_stead(&path).unwrap());
        assert!(!is_stead(&temp.path().join("none")).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o200)).unwrap();
        let looked = is_stead(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        // Root may look into everything.
        match looked {
            Ok(there) => assert!(there && rustix::process::geteuid().is_root()),
            Err(failure) => assert!(failure.is(codes::OWNER), "{failure}"),
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let directory = Directory::create_or_open(temp.path()).unwrap();
        directory.node_key(&Rng::seeded(1)).unwrap();
        let path = temp.path().join(NODE_KEY);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            directory
                .node_key(&Rng::seeded(1))
                .unwrap_err()
                .is(codes::KEY_FILE)
        );
    }
}
