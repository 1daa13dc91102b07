//! Reads a request body up to a limit and within a time.
//!
//! A body that is refused is read and thrown away all the same, up to a bound: closing a connection while the client still
//! sends would reset it, and the client would see a broken pipe instead of the answer.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;

use super::answer::Problem;

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How much of a refused body is thrown away before the answer is sent regardless.
const DISCARD_BYTES_MAX: usize = 256 << 20;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoBody {
    /// Larger than the limit.
    TooLarge,
    /// The client stopped in the middle.
    Broken,
    /// It took too long.
    Slow,
}

/// The whole body, if it is within the limit.
pub(super) async fn read(payload: &mut Payload, bytes_max: usize) -> Result<Bytes, NoBody> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| NoBody::Broken)?;
            if body.len() + chunk.len() > bytes_max {
                return Err(NoBody::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let read = tokio::time::timeout(ARRIVAL, reading).await.unwrap_or(Err(NoBody::Slow));
    if read == Err(NoBody::TooLarge) {
        discard(payload).await;
    }
    read
}

/// Throws the rest of a body away, so that the answer can be read.
pub(super) async fn discard(payload: &mut Payload) {
    let throwing = async {
        let mut discarded = 0;
        while let Some(Ok(chunk)) = payload.next().await {
            discarded += chunk.len();
            if discarded > DISCARD_BYTES_MAX {
                break;
            }
        }
    };
    // A client that is too slow loses its answer; nothing of its body was taken.
    _ = tokio::time::timeout(ARRIVAL, throwing).await;
}

impl NoBody {
    /// What to answer where `bytes_max` is the limit.
    pub(super) fn problem(self, bytes_max: usize) -> Problem {
        match self {
            Self::TooLarge => {
                Problem::too_large(format!("the body is larger than {bytes_max} bytes: send it in parts"))
            }
            Self::Broken => Problem::BROKEN_BODY,
            Self::Slow => Problem::SLOW_BODY,
        }
    }
}
