//! Latencies of any number of requests, to within three percent.

use std::time::Duration;

/// Parts that a doubling is divided into.
const PARTS: u32 = 32;
/// Doublings from one microsecond on: up to a minute and more.
const DOUBLINGS: u32 = 27;

/// Counts by latency.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    most: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        let slots = usize::try_from(PARTS.saturating_mul(DOUBLINGS)).unwrap_or(0);
        Self { counts: vec![0; slots], count: 0, most: Duration::ZERO }
    }
}

impl Histogram {
    pub(crate) fn note(&mut self, latency: Duration) {
        let slot = slot(latency).min(self.counts.len().saturating_sub(1));
        if let Some(count) = self.counts.get_mut(slot) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.most = self.most.max(latency);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.count = self.count.saturating_add(other.count);
        self.most = self.most.max(other.most);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// p50, p99, p99.9 and the longest, in ms.
    pub(crate) fn quantiles(&self) -> [f64; 4] {
        let [p50, p99, p999] = [500, 990, 999].map(|per_mille| self.quantile(per_mille));
        [p50, p99, p999, self.most.as_secs_f64() * 1e3]
    }

    fn quantile(&self, per_mille: u64) -> f64 {
        let wanted = self.count.saturating_mul(per_mille).div_ceil(1000);
        let mut sum = 0_u64;
        let before = self.counts.iter().take_while(|count| {
            sum = sum.saturating_add(**count);
            sum < wanted
        });
        end(before.count()) / 1e3
    }
}

/// Microseconds 1 to 2 are the first doubling, 2 to 4 the next, each in as many parts.
fn slot(latency: Duration) -> usize {
    let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1024);
    // In 1024ths of a microsecond or so, whose doublings are those of a binary number.
    let doubling = nanos.ilog2().saturating_sub(10);
    let part = (nanos >> doubling).saturating_sub(1024) >> 5;
    usize::try_from(u64::from(doubling.saturating_mul(PARTS)).saturating_add(part)).unwrap_or(usize::MAX)
}

/// Where a slot ends, in microseconds.
fn end(slot: usize) -> f64 {
    let slot = u32::try_from(slot).unwrap_or(u32::MAX);
    let (doubling, part) = (slot.div_euclid(PARTS), slot.rem_euclid(PARTS));
    1.024 * 2f64.powf(f64::from(doubling)) * (1.0 + f64::from(part.saturating_add(1)) / f64::from(PARTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_enough() {
        let mut one = Histogram::default();
        let mut other = Histogram::default();
        for micros in 1..=10_000 {
            let half = if micros % 2 == 0 { &mut one } else { &mut other };
            half.note(Duration::from_micros(micros));
        }
        one.merge(&other);
        assert_eq!(one.count(), 10_000);
        let [p50, p99, p999, most] = one.quantiles();
        for (found, true_one) in [(p50, 5.0), (p99, 9.9), (p999, 9.99)] {
            assert!((true_one..true_one * 1.035).contains(&found), "{found} for {true_one}");
        }
        assert!((most - 10.0).abs() < 1e-9);
        one.note(Duration::from_secs(1000));
        one.note(Duration::ZERO);
    }
}
