//! How much work is taken on at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Refusal;

/// Lets so many requests ask sources and sign side by side, and so many more wait for them; whoever comes on top of
/// that is turned away at once.
#[derive(Debug)]
pub(crate) struct Admission {
    working: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// A place among those who wait; given back when dropped.
pub(crate) struct Place<'a>(&'a AtomicUsize);

impl Admission {
    /// `at_once` and `max_waiting` of them.
    pub(crate) fn new(at_once: usize, max_waiting: usize) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self { working: Semaphore::new(at_once), waiting: AtomicUsize::new(0), max_waiting }
    }

    /// Waits until there is room to work.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        if let Ok(permit) = self.working.try_acquire() {
            return Ok(permit);
        }
        let _place = self.wait()?;
        self.working.acquire().await.map_err(|_| Refusal::Overloaded)
    }

    /// A place to wait for what somebody else works at.
    pub(crate) fn wait(&self) -> Result<Place<'_>, Refusal> {
        let place = Place(&self.waiting);
        // Counted first, so that it is given back whether it is taken or not.
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before < self.max_waiting { Ok(place) } else { Err(Refusal::Overloaded) }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
