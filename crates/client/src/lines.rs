//! Answers line by line.

use crate::{Answer, Error};
use bytes::{Buf, BytesMut};
use http::Response;
use http_body_util::BodyExt;

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
    pub async fn next(&mut self) -> Result<Option<BytesMut>, Error> {
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
                Some(Err(error)) => return Err(Error::Broken(error.to_string())),
                None if self.read.is_empty() => return Ok(None),
                None => return Ok(Some(self.read.split())),
            }
        }
    }
}
