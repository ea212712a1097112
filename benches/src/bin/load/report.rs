//! What a person reads in the end.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::process::Usage;

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) elapsed: Duration,
    pub(crate) latencies: Vec<Duration>,
    /// One word for each reply; those that begin with `error` failed.
    pub(crate) verdicts: Vec<String>,
    /// Of the server, before and after.
    pub(crate) usage: Option<(Usage, Usage)>,
}

impl Report {
    /// How many requests were not answered as they should be.
    pub(crate) fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.starts_with("error")).count()
    }

    /// Requests a second, p50 and p99 in ms, and the server's CPU time a request in us: for programs.
    pub(crate) fn brief(&self) -> String {
        let [p50, p99, _] = self.latencies();
        let used = |(before, after): (Usage, Usage)| {
            let user = after.user.saturating_sub(before.user);
            self.per_request(user.saturating_add(after.system.saturating_sub(before.system)))
        };
        let cpu = self.usage.map_or(0.0, used);
        format!("{:.1} {p50:.4} {p99:.4} {cpu:.3}\n", self.count() / self.elapsed.as_secs_f64())
    }

    /// p50, p99 and the longest, in ms.
    fn latencies(&self) -> [f64; 3] {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        [500, 990, 1000].map(|per_mille| micros(quantile(&sorted, per_mille)) / 1000.0)
    }

    fn per_request(&self, time: Duration) -> f64 {
        micros(time) / self.count()
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^52 requests")]
    fn count(&self) -> f64 {
        self.verdicts.len().max(1) as f64
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The latency that this part of a thousand requests did not exceed.
fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    let at = sorted.len().saturating_mul(per_mille).div_euclid(1000).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, seconds) = (self.verdicts.len(), self.elapsed.as_secs_f64());
        writeln!(f, "{count} requests in {seconds:.2} s: {:.0}/s", self.count() / seconds)?;
        let mut verdicts = BTreeMap::<&str, usize>::new();
        for verdict in &self.verdicts {
            let count = verdicts.entry(verdict).or_default();
            *count = count.saturating_add(1);
        }
        for (verdict, count) in verdicts {
            writeln!(f, "  {count:>8} {verdict}")?;
        }
        let [p50, p99, most] = self.latencies();
        writeln!(f, "latency: p50 {p50:.2} ms, p99 {p99:.2} ms, longest {most:.2} ms")?;
        let Some((before, after)) = self.usage else { return Ok(()) };
        let user = self.per_request(after.user.saturating_sub(before.user));
        let system = self.per_request(after.system.saturating_sub(before.system));
        writeln!(f, "server CPU a request: {:.1} us ({user:.1} user, {system:.1} system)", user + system)?;
        let [resident, peak] = [after.resident, after.peak].map(|size| size.div_euclid(1024));
        writeln!(f, "server memory: {resident} MiB resident, {peak} MiB at most")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_rate_verdicts_latency_and_usage() {
        let usage = |ms| Usage {
            user: Duration::from_millis(ms),
            system: Duration::ZERO,
            resident: 2048,
            peak: 4096,
        };
        let report = Report {
            elapsed: Duration::from_secs(2),
            latencies: (1..=100).rev().map(Duration::from_millis).collect(),
            verdicts: (0..100)
                .map(|n| if n == 0 { "error: HTTP 503".into() } else { "good".into() })
                .collect(),
            usage: Some((usage(100), usage(200))),
        };
        assert_eq!(report.failed(), 1);
        assert_eq!(report.brief(), "50.0 51.0000 100.0000 1000.000\n");
        let text = report.to_string();
        for part in [
            "50/s",
            "99 good",
            "1 error: HTTP 503",
            "p50 51.00 ms, p99 100.00 ms",
            "1000.0 us",
            "2 MiB",
            "4 MiB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
