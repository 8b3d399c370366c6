//! Cross-origin resource sharing: which pages of other origins may use a bucket from a browser.
//!
//! Owns: the rules of a bucket, what a browser asks ahead (`OPTIONS`), and the headers of the answer that
//! follows. After "Using cross-origin resource sharing" of the Amazon S3 user guide; the first rule that fits
//! decides. Never: lets anybody do what access control denies; a browser only learns whether it may look.

use crate::errors::{self, custom};
use crate::service::S3Gateway;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method, Response, StatusCode};
use s3s::dto::{CORSConfiguration, CORSRule};
use s3s::{Body, S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The configuration document that a bucket's rules are kept in.
pub const DOCUMENT: &str = "cors";

const RULES_MAX: usize = 100;
const ID_MAX: usize = 255;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const VARIES: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

/// A bucket's rules, as they are kept.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    origins: Vec<String>,
    methods: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expose: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<i32>,
}

/// What a browser says of the request that a page wants to make.
struct Wish<'a> {
    origin: &'a str,
    method: &'a str,
    /// Lower case.
    headers: Vec<String>,
}

impl Rules {
    /// From a document of S3, checked.
    ///
    /// # Errors
    /// `MalformedXML` or `InvalidRequest`.
    pub fn from_s3(document: CORSConfiguration) -> S3Result<Self> {
        let rules = document.cors_rules;
        if rules.is_empty() {
            return Err(s3_error!(MalformedXML));
        }
        if rules.len() > RULES_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The number of CORS rules should not exceed allowed limit of {RULES_MAX} rules."
            ));
        }
        let rules = rules.into_iter().map(Rule::from_s3);
        Ok(Self {
            rules: rules.collect::<S3Result<_>>()?,
        })
    }

    /// As a document of S3.
    pub fn to_s3(&self) -> Vec<CORSRule> {
        self.rules.iter().map(Rule::to_s3).collect()
    }

    fn find(&self, wish: &Wish<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.allows(wish))
    }
}

impl Rule {
    fn from_s3(rule: CORSRule) -> S3Result<Self> {
        let rule = Self {
            id: rule.id.filter(|id| !id.is_empty()),
            origins: rule.allowed_origins,
            methods: rule.allowed_methods,
            headers: rule.allowed_headers.unwrap_or_default(),
            expose: rule.expose_headers.unwrap_or_default(),
            max_age: rule.max_age_seconds,
        };
        rule.check()?;
        Ok(rule)
    }

    fn check(&self) -> S3Result<()> {
        if self.origins.is_empty() || self.methods.is_empty() || self.max_age.is_some_and(|age| age < 0) {
            return Err(s3_error!(MalformedXML));
        }
        if self.id.as_ref().is_some_and(|id| id.chars().count() > ID_MAX) {
            return Err(s3_error!(
                InvalidRequest,
                "A CORS rule's ID must not be longer than {ID_MAX} characters."
            ));
        }
        if let Some(method) = self
            .methods
            .iter()
            .find(|method| !METHODS.contains(&method.as_str()))
        {
            return Err(s3_error!(
                InvalidRequest,
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            ));
        }
        for (what, texts) in [("AllowedOrigin", &self.origins), ("AllowedHeader", &self.headers)] {
            if let Some(text) = texts.iter().find(|text| text.matches('*').count() > 1) {
                return Err(s3_error!(
                    InvalidRequest,
                    "{what} \"{text}\" can not have more than one wildcard."
                ));
            }
        }
        if let Some(text) = self.expose.iter().find(|text| text.contains('*')) {
            return Err(s3_error!(
                InvalidRequest,
                "ExposeHeader \"{text}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            ));
        }
        Ok(())
    }

    fn to_s3(&self) -> CORSRule {
        let some = |texts: &Vec<String>| Some(texts.clone()).filter(|texts| !texts.is_empty());
        CORSRule {
            allowed_headers: some(&self.headers),
            allowed_methods: self.methods.clone(),
            allowed_origins: self.origins.clone(),
            expose_headers: some(&self.expose),
            id: self.id.clone(),
            max_age_seconds: self.max_age,
        }
    }

    fn allows(&self, wish: &Wish<'_>) -> bool {
        let header = |wanted: &String| {
            let mut allowed = self.headers.iter();
            allowed.any(|pattern| fits(&pattern.to_ascii_lowercase(), wanted))
        };
        self.methods.iter().any(|method| method == wish.method)
            && self.origins.iter().any(|pattern| fits(pattern, wish.origin))
            && wish.headers.iter().all(header)
    }

    /// What this rule answers to a page of `origin`.
    fn dress(&self, origin: &str, headers: &mut HeaderMap) {
        if self.origins.iter().any(|origin| origin == "*") {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            errors::insert(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        errors::insert(headers, ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(", "));
        if !self.expose.is_empty() {
            errors::insert(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose.join(", "));
        }
        if let Some(age) = self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age));
        }
    }
}

/// Whether a text fits a pattern with at most one `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail)
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value).filter(|value| !value.is_empty())
}

fn forbidden(why: &str) -> S3Error {
    custom(
        "AccessForbidden",
        StatusCode::FORBIDDEN,
        format!("CORSResponse: {why}"),
    )
}

fn bad(why: String) -> S3Error {
    custom("BadRequest", StatusCode::BAD_REQUEST, why)
}

/// Reads what a browser asks ahead.
fn wish(headers: &HeaderMap) -> S3Result<Wish<'_>> {
    let origin = text(headers, ORIGIN)
        .ok_or_else(|| bad("Insufficient information. Origin request header needed.".into()))?;
    let method = text(headers, ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("null");
    if !METHODS.contains(&method) {
        return Err(bad(format!("Invalid Access-Control-Request-Method: {method}")));
    }
    let wanted = text(headers, ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let names = wanted.split(',').map(|name| name.trim().to_ascii_lowercase());
    Ok(Wish {
        origin,
        method,
        headers: names.filter(|name| !name.is_empty()).collect(),
    })
}

impl S3Gateway {
    /// A bucket's rules, where it has any.
    pub(crate) fn cors(&self, bucket: &str) -> S3Result<Option<Rules>> {
        let kept = self.names()?.config(bucket, DOCUMENT);
        let Some(kept) = kept.map_err(|error| errors::from_object(error.into()))? else {
            return Ok(None);
        };
        serde_json::from_str(&kept).map(Some).map_err(|error| {
            s3_error!(
                InternalError,
                "the CORS rules of {bucket} cannot be read: {error}"
            )
        })
    }

    /// The answer to what a browser asks ahead; nobody signs that.
    pub(crate) fn preflight(&self, bucket: Option<&str>, headers: &HeaderMap) -> S3Result<Response<Body>> {
        let wish = wish(headers)?;
        let bucket = bucket.ok_or_else(|| forbidden("Bucket not found"))?;
        let Some(rules) = self.cors(bucket)? else {
            self.bucket(bucket).map_err(|_| forbidden("Bucket not found"))?;
            return Err(forbidden("CORS is not enabled for this bucket."));
        };
        let rule = rules.find(&wish).ok_or_else(|| {
            forbidden(
                "This CORS request is not allowed. This is usually because the evalution of Origin, request \
                 method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted \
                 by the resource's CORS spec.",
            )
        })?;
        let mut answer = Response::new(Body::empty());
        let headers = answer.headers_mut();
        rule.dress(wish.origin, headers);
        if !wish.headers.is_empty() {
            errors::insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, &wish.headers.join(", "));
        }
        headers.insert(VARY, VARIES);
        Ok(answer)
    }

    /// Tells a browser whether the page of `asked`'s origin may look at an answer about `bucket`. An answer
    /// whose rules cannot be read says nothing, so that the browser shows it to nobody.
    pub(crate) fn share(&self, bucket: &str, method: &Method, asked: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = text(asked, ORIGIN) else {
            return;
        };
        let Ok(Some(rules)) = self.cors(bucket) else {
            return;
        };
        answer.append(VARY, VARIES);
        let method = text(asked, ACCESS_CONTROL_REQUEST_METHOD).unwrap_or(method.as_str());
        let wish = Wish {
            origin,
            method,
            headers: Vec::new(),
        };
        if let Some(rule) = rules.find(&wish) {
            rule.dress(origin, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str], methods: &[&str]) -> CORSRule {
        let own = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        CORSRule {
            allowed_headers: None,
            allowed_methods: own(methods),
            allowed_origins: own(origins),
            expose_headers: None,
            id: None,
            max_age_seconds: None,
        }
    }

    fn rules(rules: Vec<CORSRule>) -> Result<Rules, String> {
        Rules::from_s3(CORSConfiguration { cors_rules: rules })
            .map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        assert_eq!(rules(vec![]), Err("MalformedXML".into()));
        assert_eq!(rules(vec![rule(&["*"], &[])]), Err("MalformedXML".into()));
        assert_eq!(rules(vec![rule(&[], &["GET"])]), Err("MalformedXML".into()));
        for bad in [
            rule(&["*"], &["PATCH"]),
            rule(&["*"], &["get"]),
            rule(&["http://*.a.*"], &["GET"]),
            CORSRule {
                allowed_headers: Some(vec!["x-*-*".into()]),
                ..rule(&["*"], &["GET"])
            },
            CORSRule {
                expose_headers: Some(vec!["x-*".into()]),
                ..rule(&["*"], &["GET"])
            },
            CORSRule {
                id: Some("i".repeat(256)),
                ..rule(&["*"], &["GET"])
            },
        ] {
            assert_eq!(rules(vec![bad]), Err("InvalidRequest".into()));
        }
        let many = |n| (0..n).map(|_| rule(&["*"], &["GET"])).collect();
        assert!(rules(many(100)).is_ok());
        assert_eq!(rules(many(101)), Err("InvalidRequest".into()));
    }

    #[test]
    fn what_is_kept_reads_back() {
        let full = CORSRule {
            allowed_headers: Some(vec!["*".into()]),
            expose_headers: Some(vec!["etag".into()]),
            id: Some("one".into()),
            max_age_seconds: Some(60),
            ..rule(&["http://a"], &["GET", "PUT"])
        };
        let kept = rules(vec![full, rule(&["*"], &["HEAD"])]).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), kept);
        assert_eq!(kept.to_s3()[0].max_age_seconds, Some(60));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let kept = rules(vec![
            CORSRule {
                allowed_headers: Some(vec!["X-Amz-*".into()]),
                ..rule(&["http://*.example.com"], &["PUT"])
            },
            rule(&["*"], &["GET"]),
        ])
        .unwrap();
        let find = |origin, method, headers: &[&str]| {
            let headers = headers.iter().map(ToString::to_string).collect();
            let found = kept.find(&Wish {
                origin,
                method,
                headers,
            });
            found.map(|rule| rule.origins[0].clone())
        };
        let first = Some("http://*.example.com".to_owned());
        assert_eq!(find("http://a.example.com", "PUT", &["x-amz-date"]), first);
        assert_eq!(find("http://.example.com", "PUT", &[]), first);
        assert_eq!(find("http://example.com", "PUT", &[]), None);
        assert_eq!(find("http://a.example.com", "PUT", &["range"]), None);
        assert_eq!(find("http://else", "GET", &[]), Some("*".into()));
        assert!(!fits("ab*ba", "aba"));
    }
}
