//! How directories fare, for Prometheus.

use std::{fmt, sync::Arc};

use directory::{DirectoryHealth, GuardedDirectory};
use pki_core::Clock;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

/// Shows how each of `services` fares whenever somebody reads the metrics.
pub fn register_directories(registry: &mut Registry, services: Vec<GuardedDirectory>, clock: Arc<dyn Clock>) {
    let mut named: Vec<(String, GuardedDirectory)> = Vec::new();
    for service in services {
        let namesakes = named.iter().filter(|(_, known)| known.name() == service.name()).count();
        let number = namesakes.saturating_add(1);
        let name = service.name();
        let name = if number == 1 { name.to_owned() } else { format!("{name} {number}") };
        named.push((name, service));
    }
    if !named.is_empty() {
        registry.register_collector(Box::new(Directories { named, clock }));
    }
}

#[derive(Debug)]
struct Directories {
    named: Vec<(String, GuardedDirectory)>,
    clock: Arc<dyn Clock>,
}

/// A counter: its name, what it counts, and where that stands.
type Counted = (&'static str, &'static str, fn(&DirectoryHealth) -> u64);

const COUNTERS: [Counted; 4] = [
    ("certbound_directory_asked", "Questions sent to a directory", |health| health.asked),
    ("certbound_directory_failed", "Questions without an answer that can be believed", |health| {
        health.failed
    }),
    ("certbound_directory_held_back", "Answers not believed: they take away too many objects", |health| {
        health.disbelieved
    }),
    ("certbound_directory_without_canary", "Answers not believed: the canary is missing too", |health| {
        health.without_canary
    }),
];

/// A gauge; `None` shows nothing.
type Gauged = (&'static str, &'static str, fn(&DirectoryHealth, u64) -> Option<u64>);

const GAUGES: [Gauged; 4] = [
    ("certbound_directory_remembered", "Objects of a directory that are remembered", |health, _| {
        u64::try_from(health.remembered).ok()
    }),
    (
        "certbound_directory_disbelieved",
        "1 while a directory takes away too many objects at once",
        |health, _| Some(u64::from(health.is_disbelieved)),
    ),
    ("certbound_directory_in_trouble", "1 while the last question has failed", |health, _| {
        Some(u64::from(health.trouble.is_some()))
    }),
    (
        "certbound_directory_last_answer_age_seconds",
        "Since the last answer that was believed",
        |health, now| health.answered_at.map(|at| now.saturating_sub(at.0)),
    ),
];

impl Collector for Directories {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let now = self.clock.now().0;
        let all: Vec<_> = self.named.iter().map(|(name, service)| (&**name, service.health())).collect();
        for (metric, help, count) in COUNTERS {
            let mut metric = encoder.encode_descriptor(metric, help, None, MetricType::Counter)?;
            for (name, health) in &all {
                let labels = [("directory", *name)];
                ConstCounter::new(count(health)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let help = "Answers that were believed, by what they say of the object";
        let mut metric =
            encoder.encode_descriptor("certbound_directory_answers", help, None, MetricType::Counter)?;
        for (name, health) in &all {
            let answers = &health.answers;
            for (state, count) in [
                ("enabled", answers.enabled),
                ("disabled", answers.disabled),
                ("gone", answers.gone),
                ("missing", answers.missing),
            ] {
                let labels = [("directory", *name), ("object", state)];
                ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
            }
        }
        for (metric, help, value) in GAUGES {
            let mut metric = encoder.encode_descriptor(metric, help, None, MetricType::Gauge)?;
            for (name, health) in &all {
                let labels = [("directory", *name)];
                if let Some(value) = value(health, now) {
                    ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}
