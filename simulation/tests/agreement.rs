//! The model and the fleet that is driven one by one tell the same, of a fleet that both can do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use simulation::{Canary, Limit, Outcome, Routing, Scenario, Strategy, Trouble, TroubleKind, drive, model};

const SEED: u64 = 6960;

/// Small enough for a test, large enough for its chances to even out.
const DEVICES: u32 = 20_000;

fn both(scenario: &Scenario) -> (Outcome, Outcome) {
    let scenario = scenario.scaled_to(DEVICES);
    (model(&scenario), drive(&scenario, SEED).unwrap())
}

/// `share` of the larger, or `least`.
fn near(what: &str, told: f64, driven: f64, share: f64, least: f64) {
    let allowed = (told.max(driven) * share).max(least);
    assert!((told - driven).abs() <= allowed, "{what}: the model says {told}, the fleet {driven}");
}

fn agree(scenario: &Scenario) {
    let (told, driven) = both(scenario);
    println!("{scenario:?}\n{:?}\n{:?}", told.total(), driven.total());
    let (a, b) = (told.total(), driven.total());
    near("asked", a.asked, b.asked, 0.001, 2.0);
    near("answered by what is fresh", a.fresh, b.fresh, 0.04, 0.002 * a.asked);
    near("answered by what was known last", a.stale, b.stale, 0.06, 0.004 * a.asked);
    near("not answered", a.try_later, b.try_later, 0.04, 0.004 * a.asked);
    near("units", a.units, b.units, 0.04, 10.0);
    near("mean age", told.mean_age(), driven.mean_age(), 0.05, 1.0);
}

fn usual() -> Scenario {
    let hour = 3600;
    Scenario { counted: (8 * hour + 1800, 10 * hour), disabled_at: 8 * hour + 2407, ..Scenario::default() }
}

#[test]
fn where_everybody_may_ask() {
    for (fresh, routing) in [(5, Routing::Spread), (300, Routing::Spread), (1800, Routing::ByDevice)] {
        agree(&Scenario { fresh, routing, ..usual() });
    }
}

#[test]
fn where_too_many_ask() {
    for (fresh, max_stale) in [(5, 600), (5, 3600), (900, 1800)] {
        agree(&Scenario { devices: 10_000_000, fresh, max_stale, ..usual() });
    }
    agree(&Scenario { limit: Limit::INTUNE, ..usual() });
}

#[test]
fn in_an_outage() {
    let trouble = Some(Trouble { kind: TroubleKind::Outage, from: 32_400, to: 34_200 });
    for (strategy, fresh, max_stale) in [
        (Strategy::Ask, 5, 600),
        (Strategy::Ask, 900, 3600),
        (Strategy::Follow { every: 60 }, 150, 600),
        (Strategy::Follow { every: 60 }, 150, 3600),
    ] {
        agree(&Scenario { strategy, fresh, max_stale, trouble, ..usual() });
    }
}

#[test]
fn when_nobody_is_found() {
    let trouble = Some(Trouble { kind: TroubleKind::NotFound, from: 32_400, to: 33_000 });
    let (told, driven) = both(&Scenario { trouble, ..usual() });
    assert!(told.total().wrong < 0.5 && driven.total().wrong < 0.5, "a canary saves everybody");
    let (told, driven) = both(&Scenario { trouble, canary: Canary::Absent, ..usual() });
    near("wrong", told.total().wrong, driven.total().wrong, 0.1, 2.0);
    assert!(driven.total().wrong > 0.0);
}

#[test]
fn until_a_disabled_device_is_seen() {
    for (strategy, fresh) in [
        (Strategy::Ask, 1800),
        (Strategy::Notified { after: 60 }, 3600),
        (Strategy::Follow { every: 60 }, 150),
    ] {
        let (told, driven) = both(&Scenario { strategy, fresh, max_stale: 3600, ..usual() });
        near("seen after", told.mean_seen_after(), driven.mean_seen_after(), 0.25, 3.0);
    }
}

#[test]
fn the_same_seed_tells_the_same() {
    let scenario = Scenario { counted: (30_000, 30_600), disabled_at: 30_100, fresh: 60, ..usual() };
    let scenario = scenario.scaled_to(2000);
    assert_eq!(drive(&scenario, 1).unwrap(), drive(&scenario, 1).unwrap());
    assert_ne!(drive(&scenario, 1).unwrap(), drive(&scenario, 2).unwrap());
}
