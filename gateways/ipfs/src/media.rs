//! What kind of thing a file is: by its name, or by its first bytes where they can mean no harm.

/// Files that a browser would run or draw with scripts in them.
const ACTIVE: &[&str] = &[
    "text/html",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/xml",
    "application/xml",
];

/// The media type of a file.
pub fn of(name: Option<&str>, begin: &[u8]) -> String {
    let by_name = name.and_then(|name| mime_guess::from_path(name).first_raw());
    match by_name {
        Some(media) if media.starts_with("text/") => format!("{media}; charset=utf-8"),
        Some(media) => media.to_owned(),
        None => sniff(begin).to_owned(),
    }
}

/// Pictures, sounds and text; never anything that runs.
fn sniff(begin: &[u8]) -> &'static str {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"OggS", "application/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
    ];
    if let Some((_, media)) = MAGIC.iter().find(|(magic, _)| begin.starts_with(magic)) {
        return media;
    }
    if begin.starts_with(b"RIFF") && begin.get(8..12) == Some(b"WEBP") {
        return "image/webp";
    }
    let text = match std::str::from_utf8(begin) {
        Ok(text) => text,
        // A character may have been cut in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&begin[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return "application/octet-stream",
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    if text.contains(odd) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

/// Whether a browser would run what is in it.
pub fn is_active(media: &str) -> bool {
    let bare = media.split(';').next().unwrap_or_default().trim();
    ACTIVE.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_first_and_nothing_that_runs_is_guessed() {
        assert_eq!(of(Some("a.html"), b""), "text/html; charset=utf-8");
        assert_eq!(of(Some("a.png"), b"text"), "image/png");
        assert_eq!(of(None, b"<html><script>"), "text/plain; charset=utf-8");
        assert_eq!(
            of(None, "ü".as_bytes().split_last().unwrap().1),
            "text/plain; charset=utf-8"
        );
        assert_eq!(of(None, &[0, 1, 2]), "application/octet-stream");
        assert_eq!(of(Some("x"), b"\xff\xd8\xff\xe0"), "image/jpeg");
        assert!(is_active("text/html; charset=utf-8") && !is_active("text/plain"));
    }
}
