//! The tables.

use std::{fmt::Write as _, io};

use crate::{
    Canary, Limit, Outcome, Routing, Scenario, Strategy, Trouble, TroubleKind, drive, model,
    scenario::CHANGES_A_DAY,
};

/// Each with its name.
pub(super) fn all() -> io::Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("sizes", sizes()),
        ("staleness", staleness()),
        ("outage", outage()),
        ("not found", not_found()),
        ("first list", first_list()),
        ("agreement", agreement()?),
    ])
}

/// A fleet: how it is named, devices in all, tenants, responders.
struct Fleet {
    name: &'static str,
    devices: u32,
    tenants: u32,
    responders: u32,
}

const FLEETS: [Fleet; 5] = [
    Fleet { name: "1 million, 1 tenant", devices: 1_000_000, tenants: 1, responders: 2 },
    Fleet { name: "10 million, 1 tenant", devices: 10_000_000, tenants: 1, responders: 4 },
    Fleet { name: "10 million, 10 tenants", devices: 10_000_000, tenants: 10, responders: 4 },
    Fleet { name: "100 million, 1 tenant", devices: 100_000_000, tenants: 1, responders: 8 },
    Fleet { name: "100 million, 100 tenants", devices: 100_000_000, tenants: 100, responders: 8 },
];

/// Ways to know, with the name that the page calls them by.
pub(super) fn ways() -> Vec<(&'static str, Scenario)> {
    let ask = |fresh, routing| Scenario { routing, fresh, ..Scenario::default() };
    let follow =
        |every, fresh| Scenario { strategy: Strategy::Follow { every }, fresh, ..Scenario::default() };
    vec![
        ("ask, fresh for 5 s", ask(5, Routing::Spread)),
        ("ask, 300 s", ask(300, Routing::Spread)),
        ("ask, 3600 s", ask(3600, Routing::Spread)),
        ("ask, 3600 s, a device always at one responder", ask(3600, Routing::ByDevice)),
        (
            "ask and be notified after 60 s, 6 h, always at one responder",
            Scenario { strategy: Strategy::Notified { after: 60 }, ..ask(21_600, Routing::ByDevice) },
        ),
        ("follow, every 60 s", follow(60, 150)),
        ("follow, every 300 s", follow(300, 750)),
    ]
}

impl Fleet {
    /// One of its tenants.
    fn tenant(&self, way: &Scenario) -> Scenario {
        let devices = self.devices.checked_div(self.tenants).unwrap_or(0);
        Scenario { devices, responders: self.responders, ..way.clone() }
    }

    /// What its directory is asked in the busiest minute, and how many questions stay without an answer for its limits.
    fn cell(&self, way: &Scenario) -> String {
        let tenant = self.tenant(way);
        let without = Limit { units: 1e12, ..tenant.limit };
        let wanted = model(&Scenario { limit: without, ..tenant.clone() }).most_units_a_second();
        let share_of_application = Limit::IDENTITY_OF_APPLICATION.scaled(1.0 / f64::from(self.tenants));
        let is_less = share_of_application.rate() < tenant.limit.rate();
        let limit = if is_less { share_of_application } else { tenant.limit };
        let unanswered = model(&Scenario { limit, ..tenant }).share_try_later();
        let rate = rate(wanted);
        if unanswered < 0.0005 { rate } else { format!("**{rate}, {} unanswered**", percent(unanswered)) }
    }
}

fn sizes() -> String {
    let names: Vec<_> = FLEETS.iter().map(|fleet| fleet.name).collect();
    let ruler = "---|".repeat(FLEETS.len().saturating_add(1));
    let mut table = format!("| | {} |\n|{ruler}\n", names.join(" | "));
    let intune = Scenario { limit: Limit::INTUNE, ..Scenario::default() };
    let intune = [("ask Intune (100/s), fresh for 5 s", intune)];
    for (name, way) in ways().into_iter().chain(intune) {
        let cells: Vec<_> = FLEETS.iter().map(|fleet| fleet.cell(&way)).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    table
}

fn staleness() -> String {
    let mut table = String::from(
        "| | age of what good answers rest on: half, 99 %, most | disabled until refused everywhere: half, 99 %, most |\n\
         |---|---|---|\n",
    );
    for (name, way) in ways() {
        // 1.0 would be the age of the last of all.
        let outcome = model(&Scenario { limit: Limit::IDENTITY.scaled(1000.0), ..way });
        let ages = [0.5, 0.99, 0.999_999].map(|share| duration(outcome.age(share)));
        let seen = [0.5, 0.99, 0.999_999].map(|share| duration(outcome.seen_after(share)));
        let _ = writeln!(table, "| {name} | {} | {} |", ages.join(", "), seen.join(", "));
    }
    table
}

/// From nine to ten, when most is asked.
pub(super) const OUTAGE: Trouble = Trouble { kind: TroubleKind::Outage, from: 32_400, to: 36_000 };

/// Ways to get over an hour without a directory.
pub(super) fn through_an_outage() -> Vec<(&'static str, Scenario)> {
    let base = Scenario { trouble: Some(OUTAGE), ..Scenario::default() };
    let follow = Strategy::Follow { every: 60 };
    vec![
        ("ask, fresh for 5 s, stale for 600 s", base.clone()),
        ("ask, 5 s, stale for 3900 s", Scenario { max_stale: 3900, ..base.clone() }),
        (
            "ask, 3600 s, stale for 3900 s, always at one responder",
            Scenario { fresh: 3600, max_stale: 3900, routing: Routing::ByDevice, ..base.clone() },
        ),
        ("follow, every 60 s, stale for 600 s", Scenario { strategy: follow, fresh: 150, ..base.clone() }),
        (
            "follow, every 60 s, stale for 3900 s",
            Scenario { strategy: follow, fresh: 150, max_stale: 3900, ..base },
        ),
    ]
}

fn outage() -> String {
    let mut table = String::from(
        "| | answered in its first ten minutes | in all of it | most that the directory is asked in the minutes after it |\n\
         |---|---|---|---|\n",
    );
    for (name, scenario) in through_an_outage() {
        let outcome = model(&scenario);
        let minute = |second: u32| second.saturating_sub(scenario.counted.0).div_euclid(60);
        let (from, to) = (minute(OUTAGE.from), minute(OUTAGE.to));
        let first = answered(&outcome, from, from.saturating_add(10));
        let after = part(&outcome, to, to.saturating_add(10)).iter().map(|minute| minute.units / 60.0);
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} |",
            percent(first),
            percent(answered(&outcome, from, to)),
            rate(after.fold(0.0, f64::max))
        );
    }
    table
}

fn part(outcome: &Outcome, from: u32, to: u32) -> &[crate::Minute] {
    let [from, to] = [from, to].map(|minute| usize::try_from(minute).unwrap_or(0));
    outcome.minutes.get(from..to).unwrap_or_default()
}

/// The share of questions in those minutes that got an answer.
fn answered(outcome: &Outcome, from: u32, to: u32) -> f64 {
    let minutes = part(outcome, from, to);
    let asked: f64 = minutes.iter().map(|minute| minute.asked).sum();
    let unanswered: f64 = minutes.iter().map(|minute| minute.try_later).sum();
    1.0 - unanswered / asked
}

fn not_found() -> String {
    let trouble = Some(Trouble { kind: TroubleKind::NotFound, from: 32_400, to: 33_000 });
    let mut table = String::from("| one tenant, fresh for 5 s | with a canary | without |\n|---|---|---|\n");
    for (name, devices, responders) in
        [("1 million", 1_000_000, 2), ("10 million", 10_000_000, 4), ("100 million", 100_000_000, 8)]
    {
        let base = Scenario { devices, responders, trouble, ..Scenario::default() };
        let wrong = |canary| model(&Scenario { canary, ..base.clone() }).total().wrong;
        let [with, without] = [Canary::Named, Canary::Absent].map(|canary| count(wrong(canary)));
        let _ = writeln!(table, "| {name} | {with} | {without} |");
    }
    table
}

/// How long it takes to read every object once, page after page.
fn first_list() -> String {
    let mut table = String::from(
        "| objects of a tenant | pages of 100 | of 999 | changes a day, units to follow them |\n|---|---|---|---|\n",
    );
    for (name, objects) in [("1 million", 1e6), ("10 million", 1e7)] {
        // An answer takes 120 ms, and names the page after it.
        let time = |page: f64| duration((objects / page).ceil() * 0.12);
        let changes = objects * CHANGES_A_DAY;
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {}, {} |",
            time(100.0),
            time(999.0),
            count(changes),
            count(changes / 100.0 + 1440.0)
        );
    }
    table
}

/// Devices that are driven one by one.
const DRIVEN: u32 = 20_000;
const SEED: u64 = 5;

fn agreement() -> io::Result<String> {
    let small = |scenario: &Scenario| {
        let counted = (30_600, 36_000);
        Scenario { counted, disabled_at: 31_207, ..scenario.clone() }.scaled_to(DRIVEN)
    };
    let outage = Trouble { to: 34_200, ..OUTAGE };
    let rows = [
        ("ask, fresh for 5 s", Scenario::default()),
        (
            "ask, 1800 s, always at one responder",
            Scenario { fresh: 1800, routing: Routing::ByDevice, ..Scenario::default() },
        ),
        (
            "ask, 5 s, ten times as many as the limit lets",
            Scenario { devices: 10_000_000, ..Scenario::default() },
        ),
        (
            "ask, 900 s, stale for 3600 s, half an hour of outage",
            Scenario { fresh: 900, max_stale: 3600, trouble: Some(outage), ..Scenario::default() },
        ),
        (
            "follow, every 60 s, half an hour of outage",
            Scenario {
                strategy: Strategy::Follow { every: 60 },
                fresh: 150,
                trouble: Some(outage),
                ..Scenario::default()
            },
        ),
    ];
    let mut table = String::from(
        "| | lookups: model, guard | from memory: model, guard | unanswered: model, guard | mean age in s: model, guard |\n\
         |---|---|---|---|---|\n",
    );
    for (name, scenario) in rows {
        let scenario = small(&scenario);
        let (told, driven) = (model(&scenario), drive(&scenario, SEED)?);
        let (a, b) = (told.total(), driven.total());
        let pair = |a: f64, b: f64| format!("{}, {}", count(a), count(b));
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} |",
            pair(a.units, b.units),
            pair(a.stale, b.stale),
            pair(a.try_later, b.try_later),
            pair(told.mean_age(), driven.mean_age())
        );
    }
    Ok(table)
}

/// With one digit where that says something.
fn rate(a_second: f64) -> String {
    if a_second < 10.0 { format!("{a_second:.2}/s") } else { format!("{}/s", count(a_second)) }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if (0.05..9.95).contains(&percent) { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

fn duration(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// With a comma every three digits.
fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0.0, 999.4, 1234.0, 1_234_567.0].map(count), ["0", "999", "1,234", "1,234,567"]);
        assert_eq!([0.034, 417.4].map(rate), ["0.03/s", "417/s"]);
        assert_eq!([0.0, 0.012, 0.5].map(percent), ["0 %", "1.2 %", "50 %"]);
        assert_eq!([59.0, 600.0, 9000.0].map(duration), ["59 s", "10 min", "2.5 h"]);
    }
}
