//! A clock that stands still.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pki_core::{Clock, UnixTime};

/// What [`FixedClock::default`] shows: 2026-11-21T12:00:00Z. Every certificate of this crate is valid then.
pub const NOW: UnixTime = UnixTime(1_795_262_400);

/// A clock that stands still until it is moved. Share it by `Arc`.
#[derive(Debug)]
pub struct FixedClock(AtomicU64);

impl FixedClock {
    /// Stands at `time`.
    pub fn new(time: UnixTime) -> Self {
        Self(AtomicU64::new(time.0))
    }

    /// Puts it to `time`, forward or back.
    pub fn set(&self, time: UnixTime) {
        self.0.store(time.0, Ordering::SeqCst);
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::new(NOW)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_only_when_moved() {
        let clock = FixedClock::default();
        assert_eq!(clock.now().to_string(), "2026-11-21T12:00:00Z");
        clock.advance(Duration::from_secs(61));
        assert_eq!(clock.now().to_string(), "2026-11-21T12:01:01Z");
        clock.set(UnixTime(1));
        assert_eq!(clock.now(), UnixTime(1));
    }
}
