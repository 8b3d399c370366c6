//! A bucket as a static website: what its configuration says, and how it is served.
//!
//! After "Hosting a static website using Amazon S3" of the user guide. A site has hosts of its own,
//! `photos.s3-website.localhost`: what is uploaded runs in a browser there, and in no origin of Stead's.
//! Never: shows what anonymous readers may not read.

mod page;
mod rules;
mod serve;

use crate::errors;
use crate::service::S3Gateway;
use rules::Rule;
use s3s::dto::{
    ErrorDocument, GetBucketWebsiteOutput, IndexDocument, Protocol, RedirectAllRequestsTo,
    WebsiteConfiguration,
};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The configuration document that a bucket's website is kept in.
pub const DOCUMENT: &str = "website";

const RULES_MAX: usize = 50;

/// A website, as it is kept.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Website {
    /// Everything is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<Elsewhere>,
    /// What stands for a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    /// What is shown with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Elsewhere {
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
}

fn argument(why: &'static str) -> S3Error {
    s3_error!(InvalidArgument, "{why}")
}

/// `http` or `https`.
fn protocol(given: Option<Protocol>) -> S3Result<Option<String>> {
    match given.as_ref().map(Protocol::as_str) {
        None | Some("") => Ok(None),
        Some(protocol @ ("http" | "https")) => Ok(Some(protocol.to_owned())),
        Some(_) => Err(s3_error!(
            InvalidRequest,
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."
        )),
    }
}

impl Website {
    /// From a document of S3, checked.
    ///
    /// # Errors
    /// `InvalidArgument`, `InvalidRequest` or `MalformedXML`.
    pub fn from_s3(document: WebsiteConfiguration) -> S3Result<Self> {
        let WebsiteConfiguration {
            error_document,
            index_document,
            redirect_all_requests_to,
            routing_rules,
        } = document;
        if let Some(all) = redirect_all_requests_to {
            if index_document.is_some() || error_document.is_some() || routing_rules.is_some() {
                return Err(s3_error!(
                    InvalidRequest,
                    "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
                ));
            }
            if all.host_name.is_empty() {
                return Err(s3_error!(MalformedXML));
            }
            let protocol = protocol(all.protocol)?;
            let host = all.host_name;
            return Ok(Self {
                elsewhere: Some(Elsewhere { host, protocol }),
                ..Self::default()
            });
        }
        let index = index_document
            .map(|index| index.suffix)
            .filter(|suffix| !suffix.is_empty())
            .ok_or_else(|| {
                argument(
                    "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
                )
            })?;
        if index.contains('/') {
            return Err(argument("The IndexDocument Suffix is not well formed"));
        }
        let error = error_document.map(|error| error.key);
        if error.as_ref().is_some_and(String::is_empty) {
            return Err(argument("The ErrorDocument Key is not well formed"));
        }
        let rules = routing_rules.unwrap_or_default();
        if rules.len() > RULES_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "{} routing rules provided, the number of routing rules in a website configuration is limited to {RULES_MAX}.",
                rules.len()
            ));
        }
        Ok(Self {
            elsewhere: None,
            index: Some(index),
            error,
            rules: rules.into_iter().map(Rule::from_s3).collect::<S3Result<_>>()?,
        })
    }

    /// As a document of S3.
    pub fn to_s3(&self) -> GetBucketWebsiteOutput {
        GetBucketWebsiteOutput {
            error_document: self.error.clone().map(|key| ErrorDocument { key }),
            index_document: self.index.clone().map(|suffix| IndexDocument { suffix }),
            redirect_all_requests_to: self.elsewhere.as_ref().map(|all| RedirectAllRequestsTo {
                host_name: all.host.clone(),
                protocol: all.protocol.clone().map(Protocol::from),
            }),
            routing_rules: (!self.rules.is_empty()).then(|| self.rules.iter().map(Rule::to_s3).collect()),
        }
    }
}

impl S3Gateway {
    /// A bucket's website.
    ///
    /// # Errors
    /// `NoSuchBucket`, or `NoSuchWebsiteConfiguration` where it is none.
    pub(crate) fn website(&self, bucket: &str) -> S3Result<Website> {
        let kept = self.names()?.config(bucket, DOCUMENT);
        let Some(kept) = kept.map_err(|error| errors::from_object(error.into()))? else {
            self.bucket(bucket)?;
            return Err(errors::custom(
                "NoSuchWebsiteConfiguration",
                http::StatusCode::NOT_FOUND,
                "The specified bucket does not have a website configuration".into(),
            ));
        };
        serde_json::from_str(&kept)
            .map_err(|error| s3_error!(InternalError, "the website of {bucket} cannot be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(index: &str, error: Option<&str>) -> WebsiteConfiguration {
        WebsiteConfiguration {
            index_document: Some(IndexDocument { suffix: index.into() }),
            error_document: error.map(|key| ErrorDocument { key: key.into() }),
            ..Default::default()
        }
    }

    fn elsewhere(protocol: &str) -> WebsiteConfiguration {
        WebsiteConfiguration {
            redirect_all_requests_to: Some(RedirectAllRequestsTo {
                host_name: "example.com".into(),
                protocol: Some(Protocol::from(protocol.to_owned())),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn sites_that_are_none_are_refused() {
        let code = |document| Website::from_s3(document).unwrap_err().code().as_str().to_owned();
        assert_eq!(code(WebsiteConfiguration::default()), "InvalidArgument");
        assert_eq!(code(plain("", None)), "InvalidArgument");
        assert_eq!(code(plain("a/index.html", None)), "InvalidArgument");
        assert_eq!(code(plain("index.html", Some(""))), "InvalidArgument");
        assert_eq!(code(elsewhere("ftp")), "InvalidRequest");
        let both = WebsiteConfiguration {
            index_document: plain("i", None).index_document,
            ..elsewhere("http")
        };
        assert_eq!(code(both), "InvalidRequest");
    }

    #[test]
    fn what_is_kept_reads_back() {
        for document in [plain("index.html", Some("e.html")), elsewhere("https")] {
            let site = Website::from_s3(document).unwrap();
            let text = serde_json::to_string(&site).unwrap();
            assert_eq!(serde_json::from_str::<Website>(&text).unwrap(), site);
        }
    }
}
