//! How much one source, and all together, may ask for.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http_listener::source_of;
use pki_core::UnixTime;

/// Sources that are remembered at once, about 4 MiB of them. When there are more than that, those that come new share
/// one allowance until others have paid theirs off.
pub(crate) const MAX_SOURCES: usize = 65_536;

/// So many at once, and so many a minute from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two numbers")]
pub struct Rate {
    /// How many come back each minute; none with 0.
    pub per_minute: u32,
    /// How many may be used at once; at least 1.
    pub burst: u32,
}

/// Which sources are held back. `None`: nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct ThrottleLimits {
    /// PKIOperations of one source.
    pub requests: Option<Rate>,
    /// Messages of one source that cannot be decrypted. A source that has used these up is answered without the RA's
    /// key being used, for decryptions are what an attacker needs by the thousand
    /// ([RFC 3218](https://www.rfc-editor.org/rfc/rfc3218)).
    pub undecryptable: Option<Rate>,
}

/// Counts what sources ask for; several services share one. A source is an IPv4 address or an IPv6 /64.
#[derive(Debug)]
pub struct Throttle {
    requests: Option<Sources>,
    undecryptable: Option<Sources>,
}

impl Throttle {
    /// Within these limits.
    pub fn new(limits: ThrottleLimits) -> Self {
        Self {
            requests: limits.requests.map(Sources::new),
            undecryptable: limits.undecryptable.map(Sources::new),
        }
    }

    /// Counts a request from `address`; the error is the time after which the next one is taken.
    pub fn admit(&self, address: IpAddr, now: UnixTime) -> Result<(), Duration> {
        let source = source_of(address);
        if let Some(undecryptable) = &self.undecryptable {
            undecryptable.state().look(source, &undecryptable.pace, now)?;
        }
        self.requests.as_ref().map_or(Ok(()), |requests| requests.state().take(source, &requests.pace, now))
    }

    /// Counts a message from `address` that could not be decrypted; whether that was the last one it had.
    pub fn undecryptable(&self, address: IpAddr, now: UnixTime) -> bool {
        let Some(sources) = &self.undecryptable else { return false };
        let (source, mut state) = (source_of(address), sources.state());
        let took = state.take(source, &sources.pace, now);
        took.is_ok() && state.look(source, &sources.pace, now).is_err()
    }
}

/// One allowance that all share.
#[derive(Debug)]
pub(crate) struct Allowance {
    pace: Pace,
    due: Mutex<Due>,
}

impl Allowance {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { pace: Pace::new(rate), due: Mutex::default() }
    }

    /// Uses one; the error is the time after which there is one again.
    pub(crate) fn take(&self, now: UnixTime) -> Result<(), Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        *due = due.after_one(&self.pace, now)?;
        Ok(())
    }
}

/// A rate in microseconds.
#[derive(Debug)]
struct Pace {
    /// From one to the next.
    interval: u64,
    /// How far ahead of time a source may be: all of a burst but the last one.
    slack: u64,
}

impl Pace {
    fn new(rate: Rate) -> Self {
        const MINUTE: u64 = 60_000_000;
        // What never comes back comes back after a year.
        let interval =
            MINUTE.checked_div(u64::from(rate.per_minute)).unwrap_or(MINUTE * 60 * 24 * 365).max(1);
        let slack = interval.saturating_mul(u64::from(rate.burst.saturating_sub(1)));
        Self { interval, slack }
    }
}

/// When whoever asks at the steady pace would ask next, in microseconds. The past, or nothing, is the same as never
/// having asked.
#[derive(Debug, Clone, Copy, Default)]
struct Due(u64);

impl Due {
    fn after_one(self, pace: &Pace, now: UnixTime) -> Result<Self, Duration> {
        let due = self.checked(pace, now)?;
        Ok(Self(due.0.saturating_add(pace.interval)))
    }

    /// The same, if one more may be asked for now.
    fn checked(self, pace: &Pace, now: UnixTime) -> Result<Self, Duration> {
        let now = micros(now);
        // A clock that was put back makes nobody wait longer than somebody who has used up everything just now.
        let most = now.saturating_add(pace.slack).saturating_add(pace.interval);
        let due = self.0.clamp(now, most);
        match due.saturating_sub(now).checked_sub(pace.slack) {
            None | Some(0) => Ok(Self(due)),
            Some(wait) => Err(Duration::from_micros(wait)),
        }
    }

    fn is_past(self, now: UnixTime) -> bool {
        self.0 <= micros(now)
    }
}

fn micros(time: UnixTime) -> u64 {
    time.0.saturating_mul(1_000_000)
}

#[derive(Debug)]
struct Sources {
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    due: HashMap<IpAddr, Due>,
    /// Of all that came when there was no room.
    others: Due,
    swept: Option<UnixTime>,
}

impl Sources {
    fn new(rate: Rate) -> Self {
        Self { pace: Pace::new(rate), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look(&self, source: IpAddr, pace: &Pace, now: UnixTime) -> Result<(), Duration> {
        let full = self.due.len() >= MAX_SOURCES;
        let known = self.due.get(&source).copied();
        known.unwrap_or(if full { self.others } else { Due::default() }).checked(pace, now).map(drop)
    }

    fn take(&mut self, source: IpAddr, pace: &Pace, now: UnixTime) -> Result<(), Duration> {
        if let Some(due) = self.due.get_mut(&source) {
            *due = due.after_one(pace, now)?;
            return Ok(());
        }
        self.sweep(now);
        if self.due.len() >= MAX_SOURCES {
            self.others = self.others.after_one(pace, now)?;
        } else {
            self.due.insert(source, Due::default().after_one(pace, now)?);
        }
        Ok(())
    }

    /// Forgets those that owe nothing, when there is no room; once a second at most.
    fn sweep(&mut self, now: UnixTime) {
        if self.due.len() >= MAX_SOURCES && self.swept != Some(now) {
            self.swept = Some(now);
            self.due.retain(|_, due| !due.is_past(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use testkit::NOW;

    use super::*;

    fn after(seconds: u64) -> UnixTime {
        NOW.saturating_add(Duration::from_secs(seconds))
    }

    fn throttle(requests: Rate) -> Throttle {
        Throttle::new(ThrottleLimits { requests: Some(requests), undecryptable: None })
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn a_burst_then_the_steady_rate() {
        let throttle = throttle(Rate { per_minute: 6, burst: 3 });
        let ask = |seconds| throttle.admit(address(1), after(seconds));
        assert_eq!([ask(0), ask(0), ask(0)], [Ok(()); 3]);
        assert_eq!(ask(0), Err(Duration::from_secs(10)));
        assert_eq!(ask(4), Err(Duration::from_secs(6)), "asking in vain costs nothing");
        assert_eq!((ask(10), ask(10)), (Ok(()), Err(Duration::from_secs(10))));
        assert_eq!([ask(100), ask(100), ask(100)], [Ok(()); 3], "and no more than a burst is saved up");
        assert!(ask(100).is_err());
        assert_eq!(throttle.admit(address(2), after(0)), Ok(()), "others have their own");
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let throttle = throttle(Rate { per_minute: 60, burst: 1 });
        assert_eq!(throttle.admit(address(1), after(100_000)), Ok(()));
        assert_eq!(throttle.admit(address(1), after(0)), Err(Duration::from_secs(1)));
        assert_eq!(throttle.admit(address(1), after(1)), Err(Duration::from_secs(1)), "counted from now on");
    }

    #[test]
    fn one_source_is_an_address_or_a_64() {
        let throttle = throttle(Rate { per_minute: 1, burst: 1 });
        let ask = |text: &str| throttle.admit(text.parse().unwrap(), NOW).is_ok();
        assert!(ask("192.0.2.1") && !ask("::ffff:192.0.2.1") && ask("192.0.2.2"));
        assert!(ask("2001:db8::1") && !ask("2001:db8::ffff") && ask("2001:db8:0:1::1"));
    }

    #[test]
    fn row_11_failed_decryptions_use_up_a_budget_of_their_own() {
        let limits =
            ThrottleLimits { requests: None, undecryptable: Some(Rate { per_minute: 60, burst: 2 }) };
        let throttle = Throttle::new(limits);
        let (mallory, alice) = (address(1), address(2));
        assert!(!throttle.undecryptable(mallory, NOW));
        assert_eq!(throttle.admit(mallory, NOW), Ok(()));
        assert!(throttle.undecryptable(mallory, NOW), "that was the last one");
        assert_eq!(throttle.admit(mallory, NOW), Err(Duration::from_secs(1)));
        assert!(!throttle.undecryptable(mallory, NOW), "said once");
        assert_eq!((throttle.admit(alice, NOW), throttle.admit(mallory, after(1))), (Ok(()), Ok(())));
    }

    #[test]
    fn memory_is_bounded_and_those_who_are_known_keep_what_they_have() {
        let throttle = throttle(Rate { per_minute: 1, burst: 2 });
        let sources = u32::try_from(MAX_SOURCES).unwrap();
        for number in 0..sources + 10 {
            let _ = throttle.admit(address(number), NOW);
        }
        let remembered = || throttle.requests.as_ref().unwrap().state().due.len();
        assert_eq!(remembered(), MAX_SOURCES);
        assert!(throttle.admit(address(sources + 11), NOW).is_err(), "newcomers share one allowance");
        assert_eq!(throttle.admit(address(0), NOW), Ok(()), "whoever was there has its own");
        assert_eq!(
            throttle.admit(address(sources + 11), after(200)),
            Ok(()),
            "when the others have paid off"
        );
        assert!(remembered() < 10);
    }

    #[test]
    fn what_never_comes_back_is_gone_for_a_year() {
        let throttle = throttle(Rate { per_minute: 0, burst: 1 });
        assert_eq!(throttle.admit(address(1), NOW), Ok(()));
        assert!(throttle.admit(address(1), after(86_400 * 364)).is_err());
    }
}
