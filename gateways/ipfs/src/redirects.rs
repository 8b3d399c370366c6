//! `_redirects`: the rules of a site for paths that it does not have, by
//! <https://specs.ipfs.tech/http-gateways/web-redirects-file/>.
//!
//! Only the text is looked at here. A file that is not wholly understood is no file: rules that were left out
//! would send people elsewhere than whoever wrote them meant.

use http::StatusCode;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::collections::HashSet;

/// Bytes of a file at most.
pub const SIZE_MAX: u64 = 64 << 10;
/// The file's name, below the root.
pub const NAME: &str = "_redirects";
/// The placeholder that takes up what is left of a path.
const SPLAT: &str = "splat";
/// What could end a value, or begin something else, in whatever part of a URL it is put.
const VALUE: &AsciiSet = &crate::request::PATH
    .add(b'/')
    .add(b'=')
    .add(b'+')
    .add(b';')
    .add(b':')
    .add(b'@');

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    from: Vec<Part>,
    /// Where to, with placeholders in it.
    to: String,
    /// With what status.
    pub status: StatusCode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Exact(String),
    Placeholder(String),
    Splat,
}

/// All rules of a file, or in which line what is wrong.
pub fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        rules.push(rule(line).map_err(|why| format!("line {}: {why}", number + 1))?);
    }
    Ok(rules)
}

fn rule(line: &str) -> Result<Rule, String> {
    if line.contains(|c: char| c.is_control() && c != '\t') {
        return Err("there is a control character in it".into());
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let (from, to, status) = match words.as_slice() {
        [from, to] => (*from, *to, StatusCode::MOVED_PERMANENTLY),
        [from, to, code] => (*from, *to, status(code)?),
        _ => return Err("a rule is `from to [status]`".into()),
    };
    let from = pattern(from)?;
    let path = to.starts_with('/') && !to.starts_with("//");
    let url = ["http://", "https://", "ipfs://", "ipns://"];
    let elsewhere = url
        .iter()
        .any(|scheme| to.len() > scheme.len() && to.starts_with(scheme));
    if !path && !elsewhere {
        return Err(format!(
            "{to:?} is neither a path that begins with one slash nor a URL"
        ));
    }
    if elsewhere && !status.is_redirection() {
        return Err("only a redirect can lead to another site".into());
    }
    let to = to.to_owned();
    Ok(Rule { from, to, status })
}

fn status(code: &str) -> Result<StatusCode, String> {
    if code.ends_with('!') {
        return Err("redirects of what exists (`!`) are not part of IPFS".into());
    }
    match code.parse() {
        Ok(code @ (200 | 301 | 302 | 303 | 307 | 308 | 404 | 410 | 451)) => {
            StatusCode::from_u16(code).map_err(|error| error.to_string())
        }
        _ => Err(format!("{code:?} is not a status that a rule can have")),
    }
}

fn pattern(from: &str) -> Result<Vec<Part>, String> {
    let path = from
        .strip_prefix('/')
        .ok_or_else(|| format!("{from:?} does not begin with a slash"))?;
    let mut names = HashSet::new();
    let mut parts = Vec::new();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    while let Some(segment) = segments.next() {
        if segment == "*" && segments.peek().is_none() {
            parts.push(Part::Splat);
        } else if segment.contains('*') {
            return Err("an asterisk can only be the last segment".into());
        } else if let Some(name) = segment.strip_prefix(':') {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || name == SPLAT || !name.chars().all(legal) {
                return Err(format!("{segment:?} is no placeholder"));
            }
            if !names.insert(name) {
                return Err(format!("the placeholder {segment:?} is there more than once"));
            }
            parts.push(Part::Placeholder(name.to_owned()));
        } else {
            parts.push(Part::Exact(decoded(segment)));
        }
    }
    Ok(parts)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl Rule {
    /// Where a path is sent, encoded as in a URL; `None` where the rule is not about it.
    pub fn target(&self, path: &[String]) -> Option<String> {
        let mut values: Vec<(&str, String)> = Vec::new();
        let mut rest = path.iter();
        for part in &self.from {
            match part {
                Part::Exact(wanted) => {
                    rest.next().filter(|segment| *segment == wanted)?;
                }
                Part::Placeholder(name) => values.push((name, value(rest.next()?))),
                Part::Splat => {
                    let all: Vec<String> = rest.by_ref().map(|segment| value(segment)).collect();
                    values.push((SPLAT, all.join("/")));
                }
            }
        }
        rest.next().is_none().then(|| filled(&self.to, &values))
    }
}

fn value(segment: &str) -> String {
    utf8_percent_encode(segment, VALUE).to_string()
}

/// A target with its placeholders filled in.
fn filled(to: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(to.len());
    let mut rest = to;
    while let Some(at) = rest.find(':') {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        out.push_str(before);
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = behind.split_at(end.unwrap_or(behind.len()));
        match values.iter().find(|(own, _)| *own == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                out.push(':');
                out.push_str(name);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    // Whatever else is not of ASCII has to be encoded to stand in a header.
    let out = utf8_percent_encode(&out, CONTROLS).to_string();
    // Two slashes would make a host of what follows.
    match out.starts_with("//") {
        true => format!("/{}", out.trim_start_matches('/')),
        false => out,
    }
}

/// A target with the query of the request: what the request says comes before what the rule says.
pub fn with_query(target: &str, query: Option<&str>) -> String {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        return target.to_owned();
    };
    let (target, fragment) = target
        .split_once('#')
        .map_or((target, None), |(to, end)| (to, Some(end)));
    let (path, own) = target.split_once('?').unwrap_or((target, ""));
    let name = |pair: &str| decoded(pair.split_once('=').map_or(pair, |(name, _)| name));
    let said: HashSet<String> = query.split('&').map(name).collect();
    let mut pairs: Vec<&str> = own.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.retain(|pair| !said.contains(&name(pair)));
    pairs.extend(query.split('&').filter(|pair| !pair.is_empty()));
    let fragment = fragment.map(|end| format!("#{end}")).unwrap_or_default();
    format!("{path}?{}{fragment}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(rules: &str, path: &str) -> Option<(u16, String)> {
        let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(decoded).collect();
        let rules = parse(rules).unwrap();
        rules
            .iter()
            .find_map(|rule| Some((rule.status.as_u16(), rule.target(&segments)?)))
    }

    #[test]
    fn the_first_rule_that_matches_is_it() {
        let rules =
            "# home\n/home /index.html\r\n\n/a/:b/:c /x/:c/:b 302\n/s/* /t/:splat 307\n/* /404.html 404\n";
        assert_eq!(target(rules, "/home"), Some((301, "/index.html".into())));
        assert_eq!(target(rules, "/a/1/2"), Some((302, "/x/2/1".into())));
        assert_eq!(target(rules, "/s/1/2/3"), Some((307, "/t/1/2/3".into())));
        assert_eq!(target(rules, "/s"), Some((307, "/t/".into())));
        assert_eq!(target(rules, "/a/1"), Some((404, "/404.html".into())));
        assert_eq!(target("/a /b", "/c"), None);
        assert_eq!(
            target("/a/:x /:x/:x?q=:x", "/a/é&"),
            Some((301, "/%C3%A9%26/%C3%A9%26?q=%C3%A9%26".into()))
        );
        assert_eq!(target("/f%20o /b", "/f%20o"), Some((301, "/b".into())));
    }

    #[test]
    fn nothing_in_a_path_becomes_a_host() {
        assert_eq!(
            target("/* /:splat", "/%2Fevil.example/x"),
            Some((301, "/%2Fevil.example/x".into()))
        );
        assert_eq!(
            target("/:a/:b /:a/:b", "/%5C/evil"),
            Some((301, "/%5C/evil".into()))
        );
        assert_eq!(target("/s/* /:splat/x", "/s"), Some((301, "/x".into())));
        assert_eq!(
            target("/s/* /:splat", "/s/%0D%0Aset-cookie:a"),
            Some((301, "/%0D%0Aset-cookie%3Aa".into()))
        );
    }

    #[test]
    fn files_that_are_not_understood_are_none() {
        for text in [
            "hello",
            "/a",
            "/a /b 999",
            "/a /b 301!",
            "/a /b 301 x",
            "a /b",
            "/a b",
            "/a //evil.example",
            "/a/*/b /c",
            "/a* /b",
            "/:a/:a /b",
            "/: /b",
            "/:splat /b",
            "/a https://b.example 200",
            "/a javascript:x",
            "/a https://",
            "/a /b\u{1}",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn queries_are_kept_and_win() {
        assert_eq!(with_query("/a", None), "/a");
        assert_eq!(with_query("/a#f", Some("x=1")), "/a?x=1#f");
        assert_eq!(with_query("/a?x=0&y=2", Some("x=1&z")), "/a?y=2&x=1&z");
    }
}
