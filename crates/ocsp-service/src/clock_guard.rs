//! Notices that somebody set the clock.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pki_core::{Clock, UnixTime};

/// What clocks may differ by before that counts as a jump.
const MAX_JUMP: Duration = Duration::from_secs(60);
/// How long a clock that has jumped must run on before its new time is believed.
const SETTLING: Duration = Duration::from_secs(900);

/// Compares the wall clock with one that nobody sets. While the former has jumped, nothing is signed: a time that is
/// wrong makes yesterday's status look like today's. A clock that comes back is believed at once, a new time after
/// [`SETTLING`].
#[derive(Debug)]
pub(crate) struct ClockGuard {
    clock: Arc<dyn Clock>,
    steady: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Both clocks, while they were believed.
    believed: Option<Reading>,
    /// Both clocks when the jump was noticed.
    jumped: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: UnixTime,
    monotonic: Duration,
}

impl ClockGuard {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let believed = Reading::of(&*clock);
        Self { clock, steady: AtomicBool::new(true), state: Mutex::new(State { believed, jumped: None }) }
    }

    /// Whether the clock was steady when it was looked at last.
    pub(crate) fn is_steady(&self) -> bool {
        self.steady.load(Ordering::Relaxed)
    }

    /// Looks at the clock; the time, if it is to be believed.
    pub(crate) fn now(&self) -> Option<UnixTime> {
        let Some(reading) = Reading::of(&*self.clock) else { return Some(self.clock.now()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = state.judge(reading);
        if self.steady.swap(steady, Ordering::Relaxed) != steady {
            if steady {
                tracing::warn!(now = %reading.wall, "the clock is believed again");
            } else {
                tracing::error!(now = %reading.wall, "the clock has jumped; nothing is signed until it is steady");
            }
        }
        steady.then_some(reading.wall)
    }
}

impl State {
    fn judge(&mut self, now: Reading) -> bool {
        let believed = *self.believed.get_or_insert(now);
        if now.agrees_with(believed) {
            self.jumped = None;
            return true;
        }
        let jumped = self.jumped.filter(|jumped| now.agrees_with(*jumped));
        let since = jumped.unwrap_or(now);
        self.jumped = Some(since);
        let settled = now.monotonic.saturating_sub(since.monotonic) >= SETTLING;
        if settled {
            *self = Self { believed: Some(now), jumped: None };
        }
        settled
    }
}

impl Reading {
    fn of(clock: &dyn Clock) -> Option<Self> {
        clock.monotonic().map(|monotonic| Self { wall: clock.now(), monotonic })
    }

    /// Whether both clocks have gone on by the same since `earlier`, give or take [`MAX_JUMP`].
    fn agrees_with(self, earlier: Self) -> bool {
        let elapsed = self.monotonic.saturating_sub(earlier.monotonic);
        let expected = earlier.wall.saturating_add(elapsed);
        let ahead = self.wall.saturating_since(expected);
        ahead.max(expected.saturating_since(self.wall)) <= MAX_JUMP
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    const START: u64 = 1_795_262_400;

    #[derive(Debug)]
    struct TwoClocks {
        wall: AtomicU64,
        monotonic: AtomicU64,
    }

    impl Clock for TwoClocks {
        fn now(&self) -> UnixTime {
            UnixTime(self.wall.load(Ordering::SeqCst))
        }

        fn monotonic(&self) -> Option<Duration> {
            Some(Duration::from_secs(self.monotonic.load(Ordering::SeqCst)))
        }
    }

    /// A guard that has been running for an hour, and its clocks.
    fn guard() -> (ClockGuard, Arc<TwoClocks>) {
        let clocks = Arc::new(TwoClocks { wall: AtomicU64::new(START), monotonic: AtomicU64::new(9) });
        let guard = ClockGuard::new(clocks.clone());
        clocks.pass(3600);
        (guard, clocks)
    }

    impl TwoClocks {
        fn pass(&self, seconds: u64) {
            self.wall.fetch_add(seconds, Ordering::SeqCst);
            self.monotonic.fetch_add(seconds, Ordering::SeqCst);
        }

        fn set(&self, wall: u64) {
            self.wall.store(wall, Ordering::SeqCst);
        }
    }

    #[test]
    fn small_corrections_are_followed() {
        let (guard, clocks) = guard();
        for wall in [START + 3660, START + 3540] {
            clocks.set(wall);
            assert_eq!(guard.now(), Some(UnixTime(wall)));
        }
    }

    // clause: RFC 9919 93
    #[test]
    fn row_59_a_clock_that_jumps_is_not_believed_until_it_comes_back() {
        for wall in [START, START + 7200, 0, START + 31_536_000, START + 3661, START + 3539] {
            let (guard, clocks) = guard();
            clocks.set(wall);
            assert_eq!((guard.now(), guard.is_steady()), (None, false), "{wall}");
            clocks.set(START + 3600);
            assert_eq!((guard.now(), guard.is_steady()), (Some(UnixTime(START + 3600)), true), "{wall}");
        }
    }

    #[test]
    fn row_59_a_new_time_that_lasts_is_believed_in_the_end() {
        let (guard, clocks) = guard();
        clocks.set(START + 86_400);
        assert_eq!(guard.now(), None);
        clocks.pass(600);
        assert_eq!(guard.now(), None);
        // Another jump begins the wait anew.
        clocks.set(START + 172_800);
        assert_eq!(guard.now(), None);
        clocks.pass(899);
        assert_eq!(guard.now(), None);
        clocks.pass(1);
        assert_eq!(guard.now(), Some(UnixTime(START + 172_800 + 900)));
        clocks.pass(86_400);
        assert!(guard.now().is_some());
    }
}
