//! Long work: progress as it comes, then the result.

use super::{Answer, Client, broken};
use crate::codes;
use crate::failure::Failure;
use bytes::{Buf, BytesMut};
use http::Request;
use http::Response;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use stead_client::wire::{Progress, Step};

impl Client {
    /// Sends a request whose answer is steps.
    pub async fn steps<T: DeserializeOwned>(
        &self,
        request: Request<super::Body>,
        mut progress: impl FnMut(Progress),
    ) -> Result<T, Failure> {
        let mut lines = LinesOf::new(self.send(request).await?);
        while let Some(line) = lines.next().await? {
            let step: Step<T> = serde_json::from_slice(&line).map_err(|e| {
                Failure::new(
                    codes::PROTOCOL,
                    format!("the node's answer is not understood: {e}"),
                )
            })?;
            match step {
                Step::Progress(step) => progress(step),
                Step::Result(result) => return Ok(result),
                Step::Error(error) => return Err(error.into()),
            }
        }
        Err(broken(&"it ended without a result".into()))
    }
}

/// An answer, line by line.
pub struct LinesOf {
    body: Answer,
    read: BytesMut,
}

impl LinesOf {
    /// Of an answer.
    pub fn new(response: Response<Answer>) -> Self {
        Self {
            body: response.into_body(),
            read: BytesMut::new(),
        }
    }

    /// The next line, without its line feed; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<BytesMut>, Failure> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.read[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(searched + end);
                self.read.advance(1);
                return Ok(Some(line));
            }
            searched = self.read.len();
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(broken(&error)),
                None if self.read.is_empty() => return Ok(None),
                None => return Ok(Some(self.read.split())),
            }
        }
    }
}
