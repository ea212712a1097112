//! Disbelief, when more objects change for the worse than can be true.

use std::{collections::VecDeque, time::Duration};

use pki_core::UnixTime;

/// When a directory that takes many objects away at once is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct BreakerSettings {
    /// Over how long changes are counted.
    pub within: Duration,
    /// Fewer changes than this are always believed.
    pub at_least: usize,
    /// The share, in percent of the objects asked about in that time, that is still believed.
    pub percent: u8,
    /// For how long nothing of the kind is believed once there were more. It begins anew while there still are.
    pub hold: Duration,
}

impl Default for BreakerSettings {
    /// 20 objects and more than 5 % of those asked about within a minute; five minutes.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { within: minute, at_least: 20, percent: 5, hold: minute.saturating_mul(5) }
    }
}

/// What was asked lately, and how much of it came to be worse than it was.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    /// A second each, with the numbers of answers and of changes for the worse.
    seconds: VecDeque<(UnixTime, usize, usize)>,
    open_until: Option<UnixTime>,
    /// The operator has looked and believes what the directory says, until then.
    overruled_until: Option<UnixTime>,
}

/// What an answer says, beside what was known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// As well as before, or better.
    None,
    /// Worse than before: it was good and is not, or was on hold and is gone.
    ForTheWorse,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self { settings, seconds: VecDeque::new(), open_until: None, overruled_until: None }
    }

    /// Counts an answer; whether it is to be believed.
    pub(crate) fn believes(&mut self, change: Change, now: UnixTime) -> bool {
        self.count(change, now);
        if change == Change::None || self.overruled_until.is_some_and(|until| now < until) {
            return true;
        }
        if self.is_too_much() {
            self.open_until = Some(now.saturating_add(self.settings.hold));
        }
        self.open_until.is_none_or(|until| now >= until)
    }

    pub(crate) fn is_open(&self, now: UnixTime) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    pub(crate) fn overruled_until(&self) -> Option<UnixTime> {
        self.overruled_until
    }

    pub(crate) fn overrule(&mut self, until: UnixTime) {
        self.overruled_until = Some(until);
        self.open_until = None;
    }

    fn count(&mut self, change: Change, now: UnixTime) {
        let expired = now.saturating_sub(self.settings.within);
        while self.seconds.front().is_some_and(|(second, ..)| *second <= expired) {
            self.seconds.pop_front();
        }
        if self.seconds.back().is_none_or(|(second, ..)| *second != now) {
            self.seconds.push_back((now, 0, 0));
        }
        if let Some((_, answers, changes)) = self.seconds.back_mut() {
            *answers = answers.saturating_add(1);
            *changes = changes.saturating_add(usize::from(change == Change::ForTheWorse));
        }
    }

    fn is_too_much(&self) -> bool {
        let sum = |(answers, changes): (usize, usize), (_, a, c): &(UnixTime, usize, usize)| {
            (answers.saturating_add(*a), changes.saturating_add(*c))
        };
        let (answers, changes) = self.seconds.iter().fold((0, 0), sum);
        let share = answers.saturating_mul(usize::from(self.settings.percent));
        changes >= self.settings.at_least && changes.saturating_mul(100) > share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings::default())
    }

    #[test]
    fn a_few_changes_or_a_small_share_are_believed() {
        let mut few = breaker();
        assert!((0..19).all(|_| few.believes(Change::ForTheWorse, UnixTime(100))));
        let mut small = breaker();
        (0..2000).for_each(|_| assert!(small.believes(Change::None, UnixTime(100))));
        assert!((0..100).all(|_| small.believes(Change::ForTheWorse, UnixTime(101))));
    }

    #[test]
    fn many_are_not_until_they_have_stopped_for_a_while() {
        let mut breaker = breaker();
        let believed = (0..50).filter(|_| breaker.believes(Change::ForTheWorse, UnixTime(100))).count();
        assert_eq!(believed, 19);
        assert!(breaker.is_open(UnixTime(399)) && !breaker.is_open(UnixTime(400)));
        assert!(!breaker.believes(Change::ForTheWorse, UnixTime(399)), "alone, but soon after");
        assert!(breaker.believes(Change::None, UnixTime(399)), "what is well is well");
        assert!(breaker.believes(Change::ForTheWorse, UnixTime(1000)));
    }

    #[test]
    fn many_over_a_long_time_are_believed() {
        let mut breaker = breaker();
        assert!((0..1000).all(|n| breaker.believes(Change::ForTheWorse, UnixTime(100 + 4 * n))));
        assert!(breaker.seconds.len() <= 60);
    }

    #[test]
    fn an_operator_overrules_it() {
        let mut breaker = breaker();
        for _ in 0..50 {
            let _ = breaker.believes(Change::ForTheWorse, UnixTime(100));
        }
        breaker.overrule(UnixTime(200));
        assert!((0..50).all(|_| breaker.believes(Change::ForTheWorse, UnixTime(150))));
        assert!(!breaker.believes(Change::ForTheWorse, UnixTime(200)), "and only for that time");
    }
}
