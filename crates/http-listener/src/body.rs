//! Reads request bodies within limits.

use std::{error::Error, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;

/// Reads all of `body`, at most `max_len` octets of it, within `time`.
///
/// Memory grows with what arrives, never with what Content-Length announces; a body that announces too much is
/// refused unread.
pub async fn read_body<B>(body: B, max_len: usize, time: Duration) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > u64::try_from(max_len).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge { max_len });
    }
    match tokio::time::timeout(time, collect(body, max_len)).await {
        Ok(read) => read,
        Err(_) => Err(BodyError::TimedOut { time }),
    }
}

async fn collect<B>(body: B, max_len: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    // Nearly every body arrives in one piece, which is passed on as it is.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len().saturating_add(joined.len()).saturating_add(data.remaining());
        if length > max_len {
            return Err(BodyError::TooLarge { max_len });
        }
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

/// A request body that was not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// More octets than allowed; HTTP 413.
    #[error("expected a body of at most {max_len} octets, more came")]
    TooLarge {
        /// The limit, in octets.
        max_len: usize,
    },
    /// It did not arrive in time; HTTP 408.
    #[error("expected the whole body within {time:?}")]
    TimedOut {
        /// The limit.
        time: Duration,
    },
    /// The connection failed or the framing is wrong; there is hardly anybody to answer.
    #[error("the body broke off: {0}")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{Full, channel::Channel};
    use hyper::body::Frame;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_body_of_one_piece_is_not_copied() {
        let sent = Bytes::from_static(&[7; 100]);
        let read = read_body(Full::new(sent.clone()), 100, SECOND).await.unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
    }

    #[tokio::test]
    async fn pieces_are_joined() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(4);
        for piece in ["a", "", "bc", "d"] {
            sender.send_data(Bytes::from_static(piece.as_bytes())).await.unwrap();
        }
        drop(sender);
        assert_eq!(read_body(body, 4, SECOND).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn row_32_length_bomb_one_octet_too_many_is_refused() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(4);
        sender.send_data(Bytes::from_static(b"abc")).await.unwrap();
        sender.send_data(Bytes::from_static(b"de")).await.unwrap();
        assert!(matches!(read_body(body, 4, SECOND).await, Err(BodyError::TooLarge { max_len: 4 })));
        let announced = Full::new(Bytes::from_static(b"abcde"));
        assert!(matches!(read_body(announced, 4, SECOND).await, Err(BodyError::TooLarge { max_len: 4 })));
    }

    #[tokio::test(start_paused = true)]
    async fn row_63_slow_body_ends() {
        let (sender, body) = Channel::<Bytes, Infallible>::new(1);
        assert!(matches!(read_body(body, 4, SECOND).await, Err(BodyError::TimedOut { time: SECOND })));
        drop(sender);
    }

    #[tokio::test]
    async fn a_broken_body_is_an_error() {
        struct Broken;
        impl Body for Broken {
            type Data = Bytes;
            type Error = std::io::Error;
            fn poll_frame(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
                std::task::Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into())))
            }
        }
        assert!(matches!(read_body(Broken, 4, SECOND).await, Err(BodyError::Broken(_))));
    }
}
