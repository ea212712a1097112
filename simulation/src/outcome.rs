//! What came of it.

/// What happened in one minute, in questions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Minute {
    /// Questions asked of responders.
    pub asked: f64,
    /// Answered by what is fresh, or was just asked.
    pub fresh: f64,
    /// Answered by what was known last.
    pub stale: f64,
    /// Not answered.
    pub try_later: f64,
    /// Answered as revoked for ever, though nobody had deleted the device.
    pub wrong: f64,
    /// Units of the directory's limit used.
    pub units: f64,
    /// Questions that the directory refused.
    pub throttled: f64,
}

/// What happened while it was counted.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// By minute.
    pub minutes: Vec<Minute>,
    /// How many good answers rested on knowledge of that many seconds.
    ages: Vec<f64>,
    /// How probable it is that a device is still called good somewhere so many seconds after it was disabled.
    pub(crate) still_good: Vec<f64>,
}

impl Outcome {
    /// Of so many seconds.
    pub(crate) fn of(seconds: u32) -> Self {
        let minutes = usize::try_from(seconds.div_ceil(60)).unwrap_or(0);
        Self { minutes: vec![Minute::default(); minutes], ..Self::default() }
    }

    /// The minute that holds that second, counted from the first.
    pub(crate) fn minute(&mut self, second: u32) -> Option<&mut Minute> {
        self.minutes.get_mut(usize::try_from(second.div_euclid(60)).ok()?)
    }

    /// So many good answers rested on knowledge that old.
    pub(crate) fn note_age(&mut self, age: u32, answers: f64) {
        let at = usize::try_from(age).unwrap_or(usize::MAX).min(100_000);
        if self.ages.len() <= at {
            self.ages.resize(at.saturating_add(1), 0.0);
        }
        if let Some(count) = self.ages.get_mut(at) {
            *count += answers;
        }
    }

    /// All minutes as one.
    pub fn total(&self) -> Minute {
        self.minutes.iter().fold(Minute::default(), |sum, minute| Minute {
            asked: sum.asked + minute.asked,
            fresh: sum.fresh + minute.fresh,
            stale: sum.stale + minute.stale,
            try_later: sum.try_later + minute.try_later,
            wrong: sum.wrong + minute.wrong,
            units: sum.units + minute.units,
            throttled: sum.throttled + minute.throttled,
        })
    }

    /// Units a second in the minute that used most.
    pub fn most_units_a_second(&self) -> f64 {
        self.minutes.iter().map(|minute| minute.units / 60.0).fold(0.0, f64::max)
    }

    /// The share of questions without an answer.
    pub fn share_try_later(&self) -> f64 {
        let total = self.total();
        if total.asked > 0.0 { total.try_later / total.asked } else { 0.0 }
    }

    /// How old the knowledge behind good answers was at most, for that share of them; in seconds.
    pub fn age(&self, share: f64) -> f64 {
        let all: f64 = self.ages.iter().sum();
        let mut sum = 0.0;
        let at = self.ages.iter().take_while(|count| {
            sum += **count;
            sum < share * all
        });
        seconds(at.count())
    }

    /// Its mean.
    pub fn mean_age(&self) -> f64 {
        let all: f64 = self.ages.iter().sum();
        let sum: f64 = self.ages.iter().enumerate().map(|(age, count)| seconds(age) * count).sum();
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// After how many seconds no responder calls a disabled device good any more, for that share of devices.
    pub fn seen_after(&self, share: f64) -> f64 {
        seconds(self.still_good.iter().take_while(|still| **still > 1.0 - share).count())
    }

    /// The mean of the same.
    pub fn mean_seen_after(&self) -> f64 {
        self.still_good.iter().sum()
    }
}

fn seconds(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_answers() {
        let mut outcome = Outcome::of(90);
        assert_eq!(outcome.minutes.len(), 2);
        for (age, answers) in [(0, 50.0), (10, 40.0), (300, 10.0)] {
            outcome.note_age(age, answers);
        }
        assert_eq!(format!("{:?}", [0.5, 0.9, 0.99].map(|share| outcome.age(share))), "[0.0, 10.0, 300.0]");
        assert!((outcome.mean_age() - 34.0).abs() < 1e-9);
        outcome.still_good = vec![0.5, 0.25, 0.0];
        assert_eq!(
            format!("{:?}", [0.4, 0.7, 0.9].map(|share| outcome.seen_after(share))),
            "[0.0, 1.0, 2.0]"
        );
    }
}
