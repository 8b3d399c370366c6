//! Long work over HTTP: one JSON line for each step, the last of which is the result or the error.

use crate::operations::Progress;
use crate::{ApiError, wire};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use serde::Serialize;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often progress is told, at most.
const EVERY: Duration = Duration::from_millis(100);
/// How often it is told even where nothing moved, so that nobody takes the connection for dead.
const AT_LEAST: Duration = Duration::from_secs(10);

struct Running<T> {
    work: Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send>>,
    told: watch::Receiver<wire::Progress>,
    ended: bool,
}

/// Runs `work` and answers its steps as they come. If the client goes away, the work is dropped.
pub(crate) fn answer<T, W>(work: impl FnOnce(Progress) -> W) -> Response
where
    T: Serialize + Send + 'static,
    W: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let (tell, told) = watch::channel(wire::Progress::default());
    let progress: Progress = Arc::new(move |step| {
        tell.send_replace(step);
    });
    let running = Running {
        work: Box::pin(work(progress)),
        told,
        ended: false,
    };
    let lines = stream::unfold(running, |mut running| async move {
        if running.ended {
            return None;
        }
        let step = next(&mut running).await;
        running.ended = !matches!(step, wire::Step::Progress(_));
        Some((Ok::<_, Infallible>(line(&step)), running))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    response
}

async fn next<T>(running: &mut Running<T>) -> wire::Step<T> {
    let told = &mut running.told;
    let moved = async {
        tokio::time::sleep(EVERY).await;
        match tokio::time::timeout(AT_LEAST, told.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            // Nobody tells any more: only the end is left to wait for.
            Ok(Err(_)) => tokio::time::sleep(AT_LEAST).await,
        }
    };
    let ended = tokio::select! {
        ended = &mut running.work => Some(ended),
        () = moved => None,
    };
    match ended {
        Some(Ok(result)) => wire::Step::Result(result),
        Some(Err(error)) => wire::Step::Error(*error.body),
        None => wire::Step::Progress(*running.told.borrow_and_update()),
    }
}

fn line<T: Serialize>(step: &wire::Step<T>) -> Bytes {
    let mut text = serde_json::to_vec(step).unwrap_or_else(|e| {
        let error = ApiError::internal(format!("the result cannot be written: {e}"));
        serde_json::to_vec(&wire::Step::<()>::Error(*error.body)).unwrap_or_default()
    });
    text.push(b'\n');
    text.into()
}
