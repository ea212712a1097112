//! The plots.

use super::tables::{OUTAGE, through_an_outage, ways};
use crate::{Axis, Curve, Limit, Line, Outcome, Plot, Routing, Scale, Scenario, Strategy, model};

/// Each with the name of its file.
pub(super) fn all() -> Vec<(&'static str, Plot)> {
    vec![("lookups", lookups()), ("morning", morning()), ("outage", outage()), ("disabled", disabled())]
}

const UNLIMITED: Limit = Limit { units: 1e12, ..Limit::IDENTITY };

fn lookups() -> Plot {
    const FRESH: [u32; 11] = [5, 15, 60, 150, 300, 600, 1200, 2400, 3600, 7200, 21_600];
    let by_fresh = |name: &str, scenario: Scenario| Curve {
        name: name.into(),
        points: FRESH
            .iter()
            .map(|fresh| {
                let scenario = Scenario { fresh: *fresh, limit: UNLIMITED, ..scenario.clone() };
                (f64::from(*fresh), model(&scenario).most_units_a_second())
            })
            .collect(),
        line: Line::Solid,
    };
    let fleet =
        |devices, responders, routing| Scenario { devices, responders, routing, ..Scenario::default() };
    let following =
        Scenario { strategy: Strategy::Follow { every: 60 }, ..fleet(10_000_000, 4, Routing::Spread) };
    let flat = |name: &str, rate, line| Curve {
        name: name.into(),
        points: vec![(5.0, rate), (21_600.0, rate)],
        line,
    };
    Plot {
        title: "What one tenant's directory is asked in the busiest minute",
        x: Axis {
            name: "fresh_seconds",
            marks: vec![(5.0, "5"), (60.0, "60"), (300.0, "300"), (3600.0, "3600"), (21_600.0, "21600")],
            scale: Scale::Logarithmic,
        },
        y: Axis {
            name: "lookups a second",
            marks: vec![
                (0.1, "0.1"),
                (1.0, "1"),
                (10.0, "10"),
                (100.0, "100"),
                (1000.0, "1,000"),
                (10_000.0, "10,000"),
                (100_000.0, "100,000"),
            ],
            scale: Scale::Logarithmic,
        },
        curves: vec![
            by_fresh("100 million, 8 responders", fleet(100_000_000, 8, Routing::Spread)),
            by_fresh("10 million, 4 responders", fleet(10_000_000, 4, Routing::Spread)),
            by_fresh("the same, a device at one", fleet(10_000_000, 4, Routing::ByDevice)),
            by_fresh("1 million, 2 responders", fleet(1_000_000, 2, Routing::Spread)),
            flat("10 million, followed every 60 s", model(&following).most_units_a_second(), Line::Solid),
            flat("limit: 8000 units in 10 s", Limit::IDENTITY.rate(), Line::Dashed),
            flat("limit of Intune: 2000 in 20 s", Limit::INTUNE.rate(), Line::Dashed),
        ],
    }
}

const FULL: [(f64, &str); 5] =
    [(0.0, "0 %"), (25.0, "25 %"), (50.0, "50 %"), (75.0, "75 %"), (100.0, "100 %")];

/// The share of questions that got an answer, minute by minute.
fn answered(name: &str, scenario: &Scenario, outcome: &Outcome) -> Curve {
    let from = f64::from(scenario.counted.0) / 3600.0;
    let points = (0_u32..)
        .zip(&outcome.minutes)
        .map(|(at, minute)| (from + f64::from(at) / 60.0, 100.0 * (1.0 - minute.try_later / minute.asked)));
    Curve { name: name.into(), points: points.collect(), line: Line::Solid }
}

fn hours(marks: &[(f64, &'static str)]) -> Axis {
    Axis { name: "time of the day", marks: marks.to_vec(), scale: Scale::Linear }
}

fn morning() -> Plot {
    let (from, to) = (6 * 3600, 13 * 3600);
    let fleet = |fresh, routing| Scenario {
        devices: 10_000_000,
        responders: 4,
        counted: (from, to),
        fresh,
        max_stale: 600.max(fresh),
        routing,
        ..Scenario::default()
    };
    let curve = |name: &str, scenario: Scenario| answered(name, &scenario, &model(&scenario));
    Plot {
        title: "10 million devices of one tenant: questions that get an answer",
        x: hours(&[(6.0, "6"), (8.0, "8"), (9.0, "9"), (10.0, "10"), (12.0, "12"), (13.0, "13")]),
        y: Axis { name: "answered", marks: FULL.to_vec(), scale: Scale::Linear },
        curves: vec![
            curve("ask, fresh for 5 s", fleet(5, Routing::Spread)),
            curve("ask, 3600 s", fleet(3600, Routing::Spread)),
            curve("ask, 3600 s, at one responder", fleet(3600, Routing::ByDevice)),
            curve(
                "follow, every 60 s",
                Scenario { strategy: Strategy::Follow { every: 60 }, ..fleet(150, Routing::Spread) },
            ),
        ],
    }
}

fn outage() -> Plot {
    let curves = through_an_outage().into_iter().map(|(name, scenario)| {
        let (name, counted) =
            (name.replace(", always", ""), (OUTAGE.from.saturating_sub(900), OUTAGE.to.saturating_add(1800)));
        let scenario = Scenario { counted, ..scenario };
        answered(&name, &scenario, &model(&scenario))
    });
    Plot {
        title: "1 million devices, no directory from nine to ten",
        x: hours(&[(8.75, "8:45"), (9.0, "9:00"), (9.5, "9:30"), (10.0, "10:00"), (10.5, "10:30")]),
        y: Axis { name: "answered", marks: FULL.to_vec(), scale: Scale::Linear },
        curves: curves.collect(),
    }
}

fn disabled() -> Plot {
    let curves = ways().into_iter().map(|(name, way)| {
        let outcome = model(&Scenario { limit: UNLIMITED, ..way });
        let points = (1_u32..).zip(outcome.still_good.iter().chain([&0.0]));
        // As many as the eye can tell apart.
        let points = points.filter(|(at, still)| *at < 60 || at.is_multiple_of(20) || **still <= 0.0);
        let points = points.map(|(at, still)| (f64::from(at), 100.0 * still)).collect();
        Curve {
            name: name.replace(", a device always", "").replace("always ", ""),
            points,
            line: Line::Solid,
        }
    });
    Plot {
        title: "Devices that some responder still calls good after they were disabled",
        x: Axis {
            name: "seconds since then",
            marks: vec![
                (1.0, "1"),
                (10.0, "10"),
                (60.0, "60"),
                (300.0, "300"),
                (3600.0, "3600"),
                (21_600.0, "21600"),
            ],
            scale: Scale::Logarithmic,
        },
        y: Axis { name: "of all devices", marks: FULL.to_vec(), scale: Scale::Linear },
        curves: curves.collect(),
    }
}
