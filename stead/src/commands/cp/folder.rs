//! Folders: many copies at the same time.

use super::{Copied, Job, across, download, upload};
use crate::codes;
use crate::commands::ls::Pages;
use crate::commands::path::Place;
use crate::commands::progress;
use crate::failure::Failure;
use futures::StreamExt;
use std::future::Future;
use std::path::Path;

/// Copies that run at the same time.
const AT_ONCE: usize = 16;

/// A folder and all that is in it, below a prefix.
pub(super) async fn up(job: &Job<'_>, folder: &Path, to: &Place) -> Result<Copied, Failure> {
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)?;
    let prefix = prefix(&to.key);
    let one = quiet(job);
    let copies = files.into_iter().map(|relative| {
        let place = Place {
            bucket: to.bucket.clone(),
            key: format!("{prefix}{relative}"),
        };
        let (path, one) = (folder.join(&relative), &one);
        async move {
            upload::file(one, &path, &place)
                .await
                .map_err(|failure| (path.display().to_string(), failure))
        }
    });
    all(job, copies.collect()).await
}

/// Everything below a prefix, into a folder.
pub(super) async fn down(job: &Job<'_>, from: &Place, folder: &Path) -> Result<Copied, Failure> {
    let one = quiet(job);
    let mut copied = Copied::default();
    let from = Place {
        key: prefix(&from.key),
        ..from.clone()
    };
    refuse_collisions(job, &from).await?;
    let mut pages = Pages::new(job.client, &from, None, job.at.as_deref());
    while let Some(page) = pages.next().await? {
        let copies = page.items.into_iter().map(|object| {
            let relative = object.key.get(from.key.len()..).unwrap_or_default().to_owned();
            let marker = object.size == 0 && object.key.ends_with('/');
            let source = Place {
                bucket: object.bucket,
                key: object.key,
            };
            let one = &one;
            async move {
                let name = source.to_string();
                if marker {
                    return make_folder(folder, &relative).map_err(|failure| (name, failure));
                }
                fetch(one, source, folder, &relative)
                    .await
                    .map_err(|failure| (name, failure))
            }
        });
        let page = all(job, copies.collect()).await?;
        copied.objects += page.objects;
        copied.bytes += page.bytes;
    }
    Ok(copied)
}

/// Reads the names of all that is to be copied, before anything is written: where two of them cannot both be
/// files in one folder, nothing is copied.
async fn refuse_collisions(job: &Job<'_>, from: &Place) -> Result<(), Failure> {
    let mut names = Names::default();
    let mut pages = Pages::new(job.client, from, None, job.at.as_deref());
    while let Some(page) = pages.next().await? {
        for object in &page.items {
            let relative = object.key.get(from.key.len()..).unwrap_or_default();
            if let Some((first, why)) = names.next(relative) {
                let message = format!(
                    "{}/{}{first} and {}/{} cannot both be copied into one folder: {why}",
                    from.bucket, from.key, object.bucket, object.key
                );
                return Err(Failure::new(codes::LOCAL_FILE, message)
                    .next("nothing was written; copy one of the two by itself, to a file that you name"));
            }
        }
    }
    Ok(())
}

/// Finds names that collide as files, among names in ascending order and with as little kept as one path has
/// levels.
#[derive(Default)]
struct Names {
    /// Earlier names, each the beginning of the next and of the last one seen.
    begun: Vec<String>,
}

impl Names {
    /// The earlier name that collides with this one, and why.
    fn next(&mut self, name: &str) -> Option<(String, &'static str)> {
        while self
            .begun
            .last()
            .is_some_and(|begun| !name.starts_with(begun.as_str()))
        {
            self.begun.pop();
        }
        let found = self.begun.iter().find_map(|begun| match &name[begun.len()..] {
            ".part" => Some((
                begun.clone(),
                "the second is the name under which the first arrives",
            )),
            rest if rest.starts_with('/') => {
                Some((begun.clone(), "the first would be a file and a folder at once"))
            }
            _ => None,
        });
        // A name that ends with a slash is a folder, which others may be in.
        if !name.is_empty() && !name.ends_with('/') {
            self.begun.push(name.to_owned());
        }
        found
    }
}

/// An empty object `a/` is how some tools write a folder.
fn make_folder(folder: &Path, relative: &str) -> Result<Copied, Failure> {
    let path = match relative.strip_suffix('/') {
        // The marker of what is copied: the folder itself.
        None => folder.to_owned(),
        Some(name) => folder.join(download::safe(name).ok_or_else(|| no_path(relative))?),
    };
    std::fs::create_dir_all(&path)
        .map_err(|e| Failure::io(format_args!("cannot make {}", path.display()), &e))?;
    Ok(Copied::default())
}

fn no_path(key: &str) -> Failure {
    Failure::usage(format!("the key {key:?} is no path below a folder"))
        .next("copy it by itself, to a file that you name")
}

async fn fetch(job: &Job<'_>, source: Place, folder: &Path, relative: &str) -> Result<Copied, Failure> {
    let path = folder.join(download::safe(relative).ok_or_else(|| no_path(&source.key))?);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|e| Failure::io(format_args!("cannot make {}", parent.display()), &e))?;
    }
    download::file(job, &source, &path).await
}

/// Everything below a prefix, to below another.
pub(super) async fn across_all(job: &Job<'_>, from: &Place, to: &Place) -> Result<Copied, Failure> {
    let target = prefix(&to.key);
    let from = Place {
        key: prefix(&from.key),
        ..from.clone()
    };
    let mut copied = Copied::default();
    let mut pages = Pages::new(job.client, &from, None, job.at.as_deref());
    while let Some(page) = pages.next().await? {
        let copies = page.items.into_iter().map(|object| {
            let rest = object.key.get(from.key.len()..).unwrap_or_default();
            let goal = Place {
                bucket: to.bucket.clone(),
                key: format!("{target}{rest}"),
            };
            let source = Place {
                bucket: object.bucket,
                key: object.key,
            };
            async move {
                across(job, &source, &goal)
                    .await
                    .map_err(|failure| (source.to_string(), failure))
            }
        });
        let page = all(job, copies.collect()).await?;
        copied.objects += page.objects;
        copied.bytes += page.bytes;
    }
    Ok(copied)
}

fn quiet<'a>(job: &Job<'a>) -> Job<'a> {
    Job {
        client: job.client,
        at: job.at.clone(),
        version: None,
        quiet: true,
        restart: job.restart,
    }
}

/// A prefix that names a folder: nothing, or something that ends with a slash.
fn prefix(key: &str) -> String {
    if key.is_empty() || key.ends_with('/') {
        key.to_owned()
    } else {
        format!("{key}/")
    }
}

/// Runs the copies; one that fails does not keep the others from going on.
async fn all<F>(job: &Job<'_>, copies: Vec<F>) -> Result<Copied, Failure>
where
    F: Future<Output = Result<Copied, (String, Failure)>>,
{
    let bar = progress::count("copying", copies.len() as u64, job.quiet);
    let mut running = futures::stream::iter(copies).buffer_unordered(AT_ONCE);
    let (mut copied, mut failed, mut last) = (Copied::default(), 0, None);
    while let Some(done) = running.next().await {
        bar.inc(1);
        match done {
            Ok(one) => {
                copied.objects += one.objects;
                copied.bytes += one.bytes;
            }
            Err((what, failure)) => {
                failed += 1;
                bar.suspend(|| eprintln!("{what}: [{}] {}", failure.code, failure.message));
                last = Some(failure);
            }
        }
    }
    bar.finish_and_clear();
    match last {
        None => Ok(copied),
        Some(only) if failed == 1 && copied.objects == 0 => Err(only),
        Some(_) => {
            let (done, missing) = (copied.objects, failed);
            Err(Failure::new(
                codes::PARTIAL,
                format!("{missing} of {} were not copied", done + missing),
            ))
        }
    }
}

/// Files below a folder, by their paths in it. Symbolic links are followed to files, not to folders.
fn collect(root: &Path, relative: &Path, files: &mut Vec<String>) -> Result<(), Failure> {
    let folder = root.join(relative);
    let unreadable = |e: std::io::Error| Failure::io(format_args!("cannot read {}", folder.display()), &e);
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = relative.join(entry.file_name());
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(root, &path, files)?;
        } else if kind.is_file() || entry.path().is_file() {
            let Some(text) = path.to_str() else {
                let message = format!("the name {} is not UTF-8, and keys must be", path.display());
                return Err(Failure::new(codes::LOCAL_FILE, message).next("rename the file"));
            };
            files.push(text.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_files_together_are_found() {
        let first = |keys: &[&str]| {
            let mut names = Names::default();
            keys.iter()
                .find_map(|key| names.next(key).map(|(first, _)| format!("{first} {key}")))
        };
        assert_eq!(first(&["a", "a.part"]).as_deref(), Some("a a.part"));
        assert_eq!(first(&["a", "a!", "a!b", "a-", "a/b"]).as_deref(), Some("a a/b"));
        assert_eq!(
            first(&["d/", "d/a", "d/a.", "d/a.part"]).as_deref(),
            Some("d/a d/a.part")
        );
        assert_eq!(
            first(&["", "a", "a.parts", "ab", "b/a", "b/a.par", "c.part", "d/"]),
            None
        );
    }

    #[test]
    fn markers_become_folders_below_the_target_only() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("out");
        for marker in ["", "a/", "b/c/"] {
            make_folder(&root, marker).unwrap();
        }
        assert!(root.join("a").is_dir() && root.join("b/c").is_dir());
        for marker in ["/", "../x/", "a//", "./"] {
            assert!(make_folder(&root, marker).is_err(), "{marker}");
        }
    }
}
