//! A fleet as masses: how many devices are known since when, at any of the responders.

use std::collections::VecDeque;

use crate::{
    Bucket, Canary, Minute, Outcome, Scenario, Strategy, TroubleKind,
    scenario::{CHANGES_A_DAY, PAGE},
};

/// What becomes of the scenario, second by second. Devices are not told apart; every quantity is a mean.
pub fn model(scenario: &Scenario) -> Outcome {
    match scenario.strategy {
        Strategy::Ask | Strategy::Notified { .. } => Asking::new(scenario).run(),
        Strategy::Follow { .. } => following(scenario),
    }
}

/// Pairs of a device and a responder that knows it, by when the directory was asked.
struct Asking<'a> {
    scenario: &'a Scenario,
    outcome: Outcome,
    bucket: Bucket,
    quiet_until: u32,
    pairs: f64,
    fresh: VecDeque<(u32, f64)>,
    fresh_sum: f64,
    /// Known, but not fresh: each mass stands for itself times `scale`, by which all of them fade when they are asked
    /// about anew.
    stale: VecDeque<(u32, f64)>,
    stale_sum: f64,
    scale: f64,
    breaker: Breaker,
}

impl<'a> Asking<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let (from, to) = scenario.counted;
        Self {
            scenario,
            outcome: Outcome::of(to.saturating_sub(from)),
            bucket: Bucket::new(scenario.limit, scenario.begins()),
            quiet_until: 0,
            pairs: f64::from(scenario.devices) * scenario.spread(),
            fresh: VecDeque::new(),
            fresh_sum: 0.0,
            stale: VecDeque::new(),
            stale_sum: 0.0,
            scale: 1.0,
            breaker: Breaker::default(),
        }
    }

    fn run(mut self) -> Outcome {
        let (from, to) = self.scenario.counted;
        for now in self.scenario.begins()..to {
            let minute = self.step(now);
            if let Some(second) = now.checked_sub(from) {
                self.count(second, minute);
                self.note_ages(now, &minute);
            }
            if now == self.scenario.disabled_at {
                self.outcome.still_good = self.still_good(now);
            }
        }
        self.outcome
    }

    /// One second.
    fn step(&mut self, now: u32) -> Minute {
        self.age(now);
        // The share of pairs that is asked about.
        let share = (self.scenario.questions(now) / self.pairs).min(1.0);
        let (asked, hits) = (share * self.pairs, share * self.fresh_sum);
        let wanted = asked - hits;
        let trouble = self.scenario.trouble_at(now);
        let may_ask = now >= self.quiet_until && trouble != Some(TroubleKind::Outage);
        let granted = if may_ask { self.bucket.take_up_to(wanted, now) } else { 0.0 };
        let mut minute = Minute { asked, fresh: hits, units: granted, ..Minute::default() };
        if may_ask && granted < wanted {
            self.quiet_until = now.saturating_add(self.scenario.limit.retry_after);
            minute.throttled = wanted - granted;
        }
        if trouble == Some(TroubleKind::NotFound) {
            self.not_found(now, granted, &mut minute);
            let left = wanted - minute.wrong;
            self.answer_from_memory(left, &mut minute);
        } else {
            minute.fresh += granted;
            self.breaker.answered(now, granted / f64::from(self.scenario.responders));
            self.answer_from_memory(wanted - granted, &mut minute);
            self.learn(now, granted);
        }
        minute
    }

    /// Everybody asked about is called gone; how many of them that is believed of.
    fn not_found(&mut self, now: u32, granted: f64, minute: &mut Minute) {
        let responders = f64::from(self.scenario.responders);
        match self.scenario.canary {
            // And the canary is asked for, once a second.
            Canary::Named => minute.units += responders.min(granted),
            Canary::Absent => {
                minute.wrong = self.breaker.worsened(now, granted / responders) * responders;
            }
        }
    }

    /// What cannot be asked is answered by what was known last.
    fn answer_from_memory(&self, questions: f64, minute: &mut Minute) {
        let pool = self.pairs - self.fresh_sum;
        let known = if pool > 0.0 { questions * (self.stale_sum / pool).clamp(0.0, 1.0) } else { 0.0 };
        minute.stale += known;
        minute.try_later += questions - known;
    }

    /// So many were asked about and are fresh now.
    fn learn(&mut self, now: u32, granted: f64) {
        let pool = self.pairs - self.fresh_sum;
        if granted <= 0.0 || pool <= 0.0 {
            return;
        }
        let left = (1.0 - granted / pool).max(0.0);
        self.stale_sum *= left;
        self.scale *= left;
        if self.scale < 1e-100 {
            self.rescale();
        }
        self.fresh.push_back((now, granted));
        self.fresh_sum += granted;
    }

    fn rescale(&mut self) {
        self.stale.iter_mut().for_each(|(_, mass)| *mass *= self.scale);
        self.scale = 1.0;
    }

    /// What was fresh grows stale, and what was stale grows too old.
    fn age(&mut self, now: u32) {
        let Scenario { fresh, max_stale, .. } = *self.scenario;
        while let Some((at, mass)) = self.fresh.front().copied()
            && now.saturating_sub(at) >= fresh
        {
            self.fresh.pop_front();
            self.fresh_sum -= mass;
            if now.saturating_sub(at) < max_stale {
                self.stale.push_back((at, mass / self.scale));
                self.stale_sum += mass;
            }
        }
        while let Some((at, mass)) = self.stale.front().copied()
            && now.saturating_sub(at) >= max_stale
        {
            self.stale.pop_front();
            self.stale_sum = (self.stale_sum - mass * self.scale).max(0.0);
        }
    }

    fn count(&mut self, second: u32, more: Minute) {
        let Some(minute) = self.outcome.minute(second) else { return };
        minute.asked += more.asked;
        minute.fresh += more.fresh;
        minute.stale += more.stale;
        minute.try_later += more.try_later;
        minute.wrong += more.wrong;
        minute.units += more.units;
        minute.throttled += more.throttled;
    }

    /// Of what was answered in some seconds, of which there are one in sixteen and no order that could keep step with
    /// anything.
    fn note_ages(&mut self, now: u32, minute: &Minute) {
        if now.wrapping_mul(0x9E37_79B1) >> 28 != 0 {
            return;
        }
        let share = minute.asked / self.pairs;
        for (at, mass) in &self.fresh {
            self.outcome.note_age(now.saturating_sub(*at), share * mass);
        }
        let stale = if self.stale_sum > 0.0 { minute.stale / self.stale_sum * self.scale } else { 0.0 };
        for (at, mass) in &self.stale {
            self.outcome.note_age(now.saturating_sub(*at), stale * mass);
        }
        if self.scenario.trouble_at(now).is_none() {
            // Those just asked about, which the next second calls fresh.
            self.outcome.note_age(0, minute.units);
        }
    }

    /// For each number of seconds from now: the share of devices that some responder still takes for good.
    fn still_good(&self, now: u32) -> Vec<f64> {
        let Scenario { fresh, devices, .. } = *self.scenario;
        let mut left = self.fresh_sum;
        let mut still = Vec::new();
        let mut oldest = self.fresh.iter().copied().peekable();
        let end = match self.scenario.strategy {
            Strategy::Notified { after } => fresh.min(after),
            _ => fresh,
        };
        for seconds in 0..end {
            while let Some((at, mass)) = oldest.peek().copied()
                && now.saturating_add(seconds).saturating_sub(at) >= fresh
            {
                left -= mass;
                oldest.next();
            }
            let somewhere = left / f64::from(devices) / self.scenario.spread();
            still.push(1.0 - (1.0 - somewhere).max(0.0).powf(self.scenario.spread()));
        }
        still
    }
}

/// The breaker of one responder, as `directory` has it.
#[derive(Default)]
struct Breaker {
    seconds: VecDeque<(u32, f64, f64)>,
    answers: f64,
    changes: f64,
    open_until: u32,
}

impl Breaker {
    fn answered(&mut self, now: u32, answers: f64) {
        self.count(now, answers, 0.0);
    }

    /// So many came to be worse; how many of them are believed.
    fn worsened(&mut self, now: u32, changes: f64) -> f64 {
        let before = self.changes;
        self.count(now, changes, changes);
        let believable = (0.05 * self.answers).max(19.0) - before;
        let believed = if now < self.open_until { 0.0 } else { changes.min(believable).max(0.0) };
        if believed < changes {
            self.open_until = now.saturating_add(300);
        }
        believed
    }

    fn count(&mut self, now: u32, answers: f64, changes: f64) {
        while let Some((at, a, c)) = self.seconds.front().copied()
            && now.saturating_sub(at) >= 60
        {
            self.seconds.pop_front();
            self.answers -= a;
            self.changes -= c;
        }
        self.seconds.push_back((now, answers, changes));
        self.answers += answers;
        self.changes += changes;
    }
}

/// Every responder holds every object; only how old its list is matters.
fn following(scenario: &Scenario) -> Outcome {
    let (from, to) = scenario.counted;
    let mut outcome = Outcome::of(to.saturating_sub(from));
    let mut bucket = Bucket::new(scenario.limit, scenario.begins());
    let mut known_at = vec![scenario.begins(); usize::try_from(scenario.responders).unwrap_or(0)];
    let mut seen_at: Vec<Option<u32>> = vec![None; known_at.len()];
    let Strategy::Follow { every } = scenario.strategy else { return outcome };
    let changed = f64::from(scenario.devices) * CHANGES_A_DAY * f64::from(every) / f64::from(crate::day::DAY);
    let pages = 1.0 + (changed / PAGE).floor();
    for now in scenario.begins()..to {
        let mut minute = Minute { asked: scenario.questions(now), ..Minute::default() };
        for ((responder, at), seen) in (0..).zip(&mut known_at).zip(&mut seen_at) {
            if scenario.looks_at(responder, now) && scenario.trouble_at(now).is_none() {
                let granted = bucket.take_up_to(pages, now);
                minute.units += granted;
                minute.throttled += pages - granted;
                if granted >= pages {
                    *at = now;
                    if now > scenario.disabled_at {
                        seen.get_or_insert(now);
                    }
                }
            }
            answer_from_list(scenario, now, *at, &mut minute, &mut outcome);
        }
        if let Some(second) = now.checked_sub(from)
            && let Some(sum) = outcome.minute(second)
        {
            sum.asked += minute.asked;
            sum.fresh += minute.fresh;
            sum.stale += minute.stale;
            sum.try_later += minute.try_later;
            sum.units += minute.units;
            sum.throttled += minute.throttled;
        }
    }
    let last = seen_at.into_iter().max().flatten().unwrap_or(to);
    let seconds = last.saturating_sub(scenario.disabled_at);
    outcome.still_good = vec![1.0; usize::try_from(seconds).unwrap_or(0)];
    outcome
}

/// One responder's share of a second's questions, by a list that was true at `known_at`.
fn answer_from_list(
    scenario: &Scenario,
    now: u32,
    known_at: u32,
    minute: &mut Minute,
    outcome: &mut Outcome,
) {
    let share = minute.asked / f64::from(scenario.responders);
    let age = now.saturating_sub(known_at);
    if age < scenario.fresh {
        minute.fresh += share;
    } else if age < scenario.max_stale {
        minute.stale += share;
    } else {
        minute.try_later += share;
        return;
    }
    if now >= scenario.counted.0 {
        outcome.note_age(age, share);
    }
}
