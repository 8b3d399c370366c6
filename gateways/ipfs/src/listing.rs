//! A directory as a page.

use crate::request::encode;
use stead_gateway::ipfs::ListedEntry;

/// Nothing is loaded, nothing runs, nobody frames it.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'; sandbox";

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// The page. Links are relative, so that it works below any path and any host.
pub fn page(title: &str, cid: &str, up: bool, entries: &[ListedEntry], more: bool) -> String {
    let title = escape(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;\
         margin:2rem auto;padding:0 1rem}}table{{width:100%;border-collapse:collapse}}td{{padding:.2rem .5rem;\
         border-top:1px solid #8884;overflow-wrap:anywhere}}td+td{{text-align:right;white-space:nowrap}}\
         code{{font-size:.8em;overflow-wrap:anywhere}}</style></head><body>\n<h1>{title}</h1>\n\
         <p><code>{}</code></p>\n<table>\n",
        escape(cid)
    );
    if up {
        html.push_str("<tr><td><a href=\"../\">..</a></td><td></td></tr>\n");
    }
    for entry in entries {
        // `./` keeps a name with a colon from being read as a scheme.
        html.push_str(&format!(
            "<tr><td><a href=\"./{}\">{}</a><br><code>{}</code></td><td>{}</td></tr>\n",
            escape(&encode(&entry.name)),
            escape(&entry.name),
            entry.cid,
            size(entry.total_size)
        ));
    }
    html.push_str("</table>\n");
    if more {
        html.push_str(
            "<p>There are more entries than are listed here; each can be asked for by its name.</p>\n",
        );
    }
    html.push_str("</body></html>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::cids;

    #[test]
    fn names_cannot_leave_their_place() {
        let name = "\"><script>alert(1)</script>'&?#%41/javascript:x";
        let entries = [ListedEntry {
            name: name.to_owned(),
            cid: cids::raw(b""),
            total_size: 2048,
        }];
        let page = page("/ipfs/<b>", "bafy", true, &entries, false);
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("%3Cscript%3E") && page.contains("%2541") && page.contains("2.0 KiB"));
        assert!(page.contains("href=\"./%22%3E"));
    }
}
