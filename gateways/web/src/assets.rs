//! The console's files, embedded in the binary as they were written: no build step, nothing fetched.
//!
//! Scripts and styles live below a directory that is named by the hash of all of them, so a browser may keep
//! them for ever; the pages name that directory.

use bytes::Bytes;
use sha2::{Digest, Sha256};

struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! files {
    ($($kind:ident $name:literal),* $(,)?) => {
        &[$(File { name: $name, kind: $kind, text: include_str!(concat!("../assets/", $name)) }),*]
    };
}

const FILES: &[File] = files![
    STYLE "style.css",
    SCRIPT "signin.js",
    SCRIPT "js/app.js",
    SCRIPT "js/dom.js",
    SCRIPT "js/format.js",
    SCRIPT "js/api.js",
    SCRIPT "js/ui.js",
    SCRIPT "js/chart.js",
    SCRIPT "js/facts.js",
    SCRIPT "js/preview.js",
    SCRIPT "js/share.js",
    SCRIPT "js/travel.js",
    SCRIPT "js/upload.js",
    SCRIPT "js/pages/bucket.js",
    SCRIPT "js/pages/cluster.js",
    SCRIPT "js/pages/guides.js",
    SCRIPT "js/pages/health.js",
    SCRIPT "js/pages/log.js",
    SCRIPT "js/pages/object.js",
    SCRIPT "js/pages/overview.js",
    SCRIPT "js/pages/buckets.js",
    SCRIPT "js/pages/keys.js",
];

const INDEX: &str = include_str!("../assets/index.html");
const SIGN_IN: &str = include_str!("../assets/signin.html");
const ICON: &str = include_str!("../assets/icon.svg");
/// In the pages, stands for the directory's name.
const PLACE: &str = "{{assets}}";

/// The files, ready to be served.
pub(crate) struct Assets {
    directory: String,
    index: Bytes,
    sign_in: Bytes,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let mut hash = Sha256::new();
        for file in FILES {
            hash.update(file.name);
            hash.update(file.text);
        }
        let directory = format!("/assets/{}", &hex::encode(hash.finalize())[..16]);
        let page = |text: &str| Bytes::from(text.replace(PLACE, &directory));
        Self {
            index: page(INDEX),
            sign_in: page(SIGN_IN),
            directory,
        }
    }

    pub(crate) fn index(&self) -> Bytes {
        self.index.clone()
    }

    pub(crate) fn sign_in(&self) -> Bytes {
        self.sign_in.clone()
    }

    pub(crate) fn icon() -> Bytes {
        Bytes::from_static(ICON.as_bytes())
    }

    /// The file at a path, and its type.
    pub(crate) fn find(&self, path: &str) -> Option<(&'static str, Bytes)> {
        let name = path.strip_prefix(&self.directory)?.strip_prefix('/')?;
        let file = FILES.iter().find(|file| file.name == name)?;
        Some((file.kind, Bytes::from_static(file.text.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_name_files_that_are_there() {
        let assets = Assets::new();
        for page in [assets.index(), assets.sign_in()] {
            let page = String::from_utf8(page.to_vec()).unwrap();
            assert!(!page.contains(PLACE));
            let named: Vec<&str> = page
                .split('"')
                .filter(|word| word.starts_with("/assets/"))
                .collect();
            assert!(named.len() >= 2, "{named:?}");
            for path in named {
                assert!(assets.find(path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn imports_name_files_that_are_there_and_no_other_host() {
        for file in FILES {
            let here = file.name.rsplit_once('/').map_or("", |(dir, _)| dir);
            let quoted = file.text.split(['"', '\'']).filter(|word| word.ends_with(".js"));
            for word in quoted.filter(|word| word.starts_with("./") || word.starts_with("../")) {
                let mut path: Vec<&str> = here.split('/').filter(|part| !part.is_empty()).collect();
                for part in word.split('/') {
                    match part {
                        "." => {}
                        ".." => drop(path.pop()),
                        part => path.push(part),
                    }
                }
                let path = path.join("/");
                assert!(
                    FILES.iter().any(|file| file.name == path),
                    "{}: {word}",
                    file.name
                );
            }
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "https://",
            ] {
                assert!(!file.text.contains(forbidden), "{} has {forbidden}", file.name);
            }
        }
    }
}
