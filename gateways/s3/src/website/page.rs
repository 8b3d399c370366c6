//! Pages that the site itself makes: errors and redirects, for people.

use crate::errors::{self, escape};
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use s3s::{Body, S3Error};

/// An error's page, and its status.
pub fn error(error: &S3Error, key: Option<&str>, request: &str) -> Response<Body> {
    let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = error.code().as_str();
    let said = error.message().unwrap_or_else(|| errors::message(code));
    let mut rows = vec![("Code", code), ("Message", said)];
    rows.extend(key.map(|key| ("Key", key)));
    rows.extend([("RequestId", request), ("HostId", "stead")]);
    let rows: String = rows
        .into_iter()
        .map(|(name, value)| format!("<li>{name}: {}</li>\n", escape(value)))
        .collect();
    page(status, &format!("<ul>\n{rows}</ul>\n"))
}

/// A redirect.
pub fn redirect(status: StatusCode, place: &str) -> Response<Body> {
    let mut answer = page(status, "");
    errors::insert(answer.headers_mut(), LOCATION, place);
    answer
}

fn page(status: StatusCode, rest: &str) -> Response<Body> {
    let title = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    let text = format!(
        "<!doctype html>\n<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{rest}</body>\n</html>\n"
    );
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_page_is_taken_for_markup() {
        let answer = error(&s3s::s3_error!(NoSuchKey), Some("<script>"), "0A");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let text = String::from_utf8(answer.body().bytes().unwrap().to_vec()).unwrap();
        assert!(text.contains("<li>Key: &lt;script&gt;</li>") && text.contains("404 Not Found"));
    }
}
