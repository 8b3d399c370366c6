//! In what form: `?format=` before `Accept`, as the specification has it since IPIP-0523.

use crate::answer::Refusal;
use crate::request::Request;
use http::header::ACCEPT;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Files and directories, as a browser wants them.
    Deserialized,
    /// One block.
    Raw,
    /// Blocks in a CAR.
    Car,
    /// Files and directories in an archive.
    Tar,
    /// A signed record of a name.
    IpnsRecord,
    /// Data as dag-json.
    DagJson,
    /// Data as dag-cbor.
    DagCbor,
    /// Data as JSON.
    Json,
    /// Data as CBOR.
    Cbor,
}

impl Format {
    /// As in `?format=`.
    pub fn name(self) -> Option<&'static str> {
        let known = KNOWN.iter().find(|(.., format)| *format == self);
        known.map(|(name, ..)| *name)
    }
}

/// Names in `?format=`, media types in `Accept`.
const KNOWN: &[(&str, &str, Format)] = &[
    ("raw", "application/vnd.ipld.raw", Format::Raw),
    ("car", "application/vnd.ipld.car", Format::Car),
    ("tar", "application/x-tar", Format::Tar),
    (
        "ipns-record",
        "application/vnd.ipfs.ipns-record",
        Format::IpnsRecord,
    ),
    ("dag-json", "application/vnd.ipld.dag-json", Format::DagJson),
    ("dag-cbor", "application/vnd.ipld.dag-cbor", Format::DagCbor),
    ("json", "application/json", Format::Json),
    ("cbor", "application/cbor", Format::Cbor),
];

/// What a request asks for, and the parameters of the media type that it was asked by.
pub fn of(request: &Request) -> Result<(Format, String), Refusal> {
    if let Some(name) = request.parameter("format") {
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        return match known {
            Some((_, media, format)) => Ok((*format, parameters(request, media))),
            None => Err(Refusal::Bad(format!(
                "there is no format {:?}: raw, car, tar, ipns-record, dag-json, dag-cbor, json, cbor",
                name.chars().take(40).collect::<String>()
            ))),
        };
    }
    let mut refused = None;
    for (media, parameters) in accepted(request) {
        if let Some((.., format)) = KNOWN.iter().find(|(_, known, _)| *known == media) {
            return Ok((*format, parameters));
        }
        if media.starts_with("application/vnd.ip") {
            refused = Some(media);
        } else {
            return Ok((Format::Deserialized, String::new()));
        }
    }
    match refused {
        Some(media) => Err(Refusal::NotAcceptable(format!("this does not answer {media}"))),
        None => Ok((Format::Deserialized, String::new())),
    }
}

/// The media types of `Accept`, in their order, with their parameters.
fn accepted(request: &Request) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for value in request.headers.get_all(ACCEPT) {
        let text = value.to_str().unwrap_or_default();
        for part in text.split(',').take(64) {
            let (media, parameters) = part.split_once(';').unwrap_or((part, ""));
            all.push((media.trim().to_ascii_lowercase(), parameters.trim().to_owned()));
        }
    }
    all
}

fn parameters(request: &Request, media: &str) -> String {
    let found = accepted(request).into_iter().find(|(known, _)| known == media);
    found.map(|(_, parameters)| parameters).unwrap_or_default()
}
