//! Request bodies, read no further than they may go.

use std::{future::poll_fn, pin::pin};

use bytes::{Buf as _, Bytes, BytesMut};
use hyper::body::Body;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Longer than the limit.
    TooLong,
    /// The connection broke, or its framing did.
    Broken,
}

/// All of `body`, if that is at most `limit` octets. A body in one piece, as nearly all are, is not copied.
pub(crate) async fn read_at_most<B: Body>(body: B, limit: usize) -> Result<Bytes, BodyError> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit {
        return Err(BodyError::TooLong);
    }
    let mut body = pin!(body);
    let mut read = Bytes::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(mut data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if read.len().saturating_add(data.remaining()) > limit {
            return Err(BodyError::TooLong);
        }
        let piece = data.copy_to_bytes(data.remaining());
        read = if read.is_empty() { piece } else { joined(&read, &piece) };
    }
    Ok(read)
}

fn joined(first: &[u8], second: &[u8]) -> Bytes {
    let mut both = BytesMut::with_capacity(first.len().saturating_add(second.len()));
    both.extend_from_slice(first);
    both.extend_from_slice(second);
    both.freeze()
}
