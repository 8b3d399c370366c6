//! What a form is answered: the status that it asks for, a document, or a redirect.

use super::form::Form;
use crate::errors::{self, escape};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;

/// What stays as it is in a key that is part of a URL.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');
/// The same in a value of a query.
const VALUE: &AsciiSet = &KEY.add(b'/');

/// What the form asks to be answered.
pub struct Wanted {
    redirect: Option<String>,
    status: StatusCode,
}

impl Wanted {
    /// By its fields. A redirect that is no URL, and a status other than three, count as not there.
    pub fn of(form: &Form) -> Self {
        let redirect = form
            .value("success_action_redirect")
            .or_else(|| form.value("redirect"))
            .filter(|url| is_url(url))
            .map(str::to_owned);
        let status = match form.value("success_action_status").map(str::trim) {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        };
        Self { redirect, status }
    }
}

fn is_url(text: &str) -> bool {
    let absolute = |uri: Uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"));
    text.parse().is_ok_and(absolute)
}

/// What was stored, and how it was asked for.
pub struct Stored<'a> {
    /// The request's head.
    pub head: &'a Parts,
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
}

impl Stored<'_> {
    fn location(&self) -> String {
        let host = self.head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let path = self.head.uri.path().trim_end_matches('/');
        let key = utf8_percent_encode(self.key, KEY);
        match host {
            Some(host) => format!("http://{host}{path}/{key}"),
            None => format!("{path}/{key}"),
        }
    }
}

/// The answer, from that of the put.
pub fn write(wanted: &Wanted, stored: &Stored<'_>, done: Response<Body>) -> Response<Body> {
    let (mut head, _) = done.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    let etag = head.headers.get(ETAG).and_then(|etag| etag.to_str().ok());
    let etag = etag.unwrap_or_default().to_owned();
    let mut location = stored.location();
    let mut body = Body::empty();
    head.status = wanted.status;
    if let Some(redirect) = &wanted.redirect {
        head.status = StatusCode::SEE_OTHER;
        location = redirected(redirect, stored, &etag);
    } else if wanted.status == StatusCode::CREATED {
        body = Body::from(document(&location, stored, &etag));
        head.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    }
    errors::insert(&mut head.headers, LOCATION, &location);
    Response::from_parts(head, body)
}

fn document(location: &str, stored: &Stored<'_>, etag: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
         <Key>{}</Key><ETag>{}</ETag></PostResponse>",
        escape(location),
        escape(stored.bucket),
        escape(stored.key),
        escape(etag)
    )
}

/// The URL of the form, with bucket, key and ETag added to its query.
fn redirected(url: &str, stored: &Stored<'_>, etag: &str) -> String {
    let (url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let join = if url.contains('?') { '&' } else { '?' };
    let value = |text: &str| utf8_percent_encode(text, VALUE).to_string();
    format!(
        "{url}{join}bucket={}&key={}&etag={}{fragment}",
        value(stored.bucket),
        value(stored.key),
        value(etag)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(head: &Parts) -> Stored<'_> {
        Stored {
            head,
            bucket: "photos",
            key: "a b/é&.png",
        }
    }

    #[test]
    fn places_are_urls() {
        let request = http::Request::post("/photos/").header(HOST, "s3.localhost:7300");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let stored = stored(&head);
        assert_eq!(
            stored.location(),
            "http://s3.localhost:7300/photos/a%20b/%C3%A9%26.png"
        );
        assert_eq!(
            redirected("http://x/done?a=1#top", &stored, "\"e\""),
            "http://x/done?a=1&bucket=photos&key=a%20b%2F%C3%A9%26.png&etag=%22e%22#top"
        );
        assert!(
            document("l", &stored, "\"e\"").contains("<Key>a b/é&amp;.png</Key><ETag>&quot;e&quot;</ETag>")
        );
    }

    #[test]
    fn only_urls_of_the_web_redirect() {
        for (url, right) in [
            ("http://localhost/x", true),
            ("https://a.b/?c=d", true),
            ("javascript:alert(1)", false),
            ("/relative", false),
            ("", false),
        ] {
            assert_eq!(is_url(url), right, "{url}");
        }
    }
}
