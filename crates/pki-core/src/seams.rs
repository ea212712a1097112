//! Time and randomness as arguments.

use alloc::boxed::Box;
use core::{fmt, future::Future, pin::Pin, time::Duration};

use crate::UnixTime;

/// A boxed future; what every seam chosen at run time returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tells the time. Services own one; protocol crates take [`UnixTime`] arguments.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall time now.
    fn now(&self) -> UnixTime;

    /// How long this has been running, by a clock that nobody sets; what the wall time is compared with, to find out
    /// whether somebody set it. `None` where there is no such clock.
    fn monotonic(&self) -> Option<Duration> {
        None
    }
}

/// A source of cryptographically secure random bytes.
pub trait SecureRandom: fmt::Debug + Send + Sync {
    /// Fills all of `out`, or fails.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed>;
}

/// No randomness could be had; whatever needed it must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct RandomFailed;
