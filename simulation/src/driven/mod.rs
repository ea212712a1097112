//! A fleet of devices, each for itself, at responders that guard a directory as the servers do.

mod follower;
mod graph;
mod lot;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use directory::{Directory, DirectoryError, GuardSettings, GuardedDirectory, ObjectState, Observation};
use pki_core::{Clock as _, UnixTime};
use serial_binding::{BoundObject, ObjectId, ObjectKind};
use testkit::FixedClock;
use tokio::time::sleep;

use crate::{Canary, Outcome, Routing, Scenario, Strategy};
use follower::Follower;
use graph::Graph;
use lot::Lot;

/// Midnight of the simulated day.
const MIDNIGHT: u64 = 1_795_219_200;
/// Parts of a second in which questions come.
const TICKS: u32 = 20;
/// Devices that are disabled to see how long that takes to show: so few that no breaker wonders.
const DISABLED: u32 = 18;

/// What becomes of the scenario, question by question, in virtual time. `seed` decides who asks whom.
pub fn drive(scenario: &Scenario, seed: u64) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async { Fleet::new(scenario, seed).run().await }))
}

/// Everything that there is.
struct Fleet {
    scenario: Scenario,
    clock: Arc<FixedClock>,
    graph: Arc<Graph>,
    responders: Vec<Responder>,
    tally: Arc<Mutex<Tally>>,
    lot: Lot,
}

/// What is counted.
#[derive(Default)]
struct Tally {
    outcome: Outcome,
    /// Devices called gone, and by whom.
    wrong: BTreeSet<(u32, u32)>,
}

/// Who was asked about whom.
#[derive(Clone, Copy)]
struct Asked {
    device: u32,
    responder: u32,
    /// Counted from the first second that is counted; `None` before that.
    second: Option<u32>,
}

struct Responder {
    directory: GuardedDirectory,
    follower: Option<Arc<Follower>>,
}

/// The object of a device; of the canary, for the number behind the last one.
fn object(device: u32) -> Option<BoundObject> {
    BoundObject::new(ObjectKind::NUMBERED, ObjectId::Number(device.into())).ok()
}

impl Fleet {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let clock = Arc::new(FixedClock::new(at(scenario.begins())));
        let graph = Arc::new(Graph::new(scenario, Arc::clone(&clock)));
        let responders = (0..scenario.responders).map(|_| Responder::new(scenario, &clock, &graph)).collect();
        let (from, to) = scenario.counted;
        let outcome = Outcome::of(to.saturating_sub(from));
        let tally = Arc::new(Mutex::new(Tally { outcome, ..Tally::default() }));
        Self { scenario: scenario.clone(), clock, graph, responders, tally, lot: Lot::new(seed) }
    }

    async fn run(mut self) -> Outcome {
        let (from, to) = self.scenario.counted;
        let (mut due, mut disabled) = (0.0, BTreeSet::new());
        for now in self.scenario.begins()..to {
            self.clock.set(at(now));
            self.follow(now);
            if now == self.scenario.disabled_at {
                disabled = self.disable(now);
            }
            let before = self.graph.used();
            let questions = self.scenario.questions(now);
            for _ in 0..TICKS {
                due += questions / f64::from(TICKS);
                while due >= 1.0 {
                    due -= 1.0;
                    self.ask(now.checked_sub(from));
                }
                sleep(Duration::from_secs(1).checked_div(TICKS).unwrap_or_default()).await;
            }
            let after = self.graph.used();
            self.probe(&mut disabled).await;
            if let Some(minute) = now.checked_sub(from)
                && let Some(minute) = lock(&self.tally).outcome.minute(minute)
            {
                minute.units += after.units - before.units;
                minute.throttled += after.throttled - before.throttled;
            }
        }
        let mut outcome = std::mem::take(&mut lock(&self.tally).outcome);
        outcome.still_good.iter_mut().for_each(|count| *count /= f64::from(DISABLED));
        outcome
    }

    /// Some device is asked about somewhere; counted when `second` is.
    fn ask(&mut self, second: Option<u32>) {
        let device = self.lot.below(self.scenario.devices);
        let responder = match self.scenario.routing {
            Routing::Spread => self.lot.below(self.scenario.responders),
            Routing::ByDevice => device.checked_rem(self.scenario.responders).unwrap_or(0),
        };
        let at = usize::try_from(responder).ok().and_then(|at| self.responders.get(at));
        let (Some(at), Some(object)) = (at, object(device)) else { return };
        let (directory, clock) = (at.directory.clone(), Arc::clone(&self.clock));
        let (tally, fresh) = (Arc::clone(&self.tally), self.scenario.fresh);
        let asked = Asked { device, responder, second };
        tokio::spawn(async move {
            let observed = directory.observe(object).await;
            lock(&tally).note(asked, fresh, clock.now(), &observed);
        });
    }

    fn follow(&self, now: u32) {
        for (at, responder) in (0..).zip(&self.responders) {
            if let Some(follower) = &responder.follower
                && self.scenario.looks_at(at, now)
            {
                let (follower, directory) = (Arc::clone(follower), responder.directory.clone());
                tokio::spawn(async move { follower.look(&directory).await });
            }
        }
    }

    /// Disables some devices, and has the responders told where they are.
    fn disable(&mut self, now: u32) -> BTreeSet<(u32, u32)> {
        let devices: BTreeSet<u32> = std::iter::repeat_with(|| self.lot.below(self.scenario.devices))
            .take(usize::try_from(DISABLED).unwrap_or(0))
            .collect();
        for object in devices.iter().copied().filter_map(object) {
            self.graph.disable(object, now);
            if let Strategy::Notified { after } = self.scenario.strategy {
                let directories: Vec<_> =
                    self.responders.iter().map(|responder| responder.directory.clone()).collect();
                tokio::spawn(async move {
                    sleep(Duration::from_secs(after.into())).await;
                    for directory in directories {
                        directory.forget_freshness(object);
                    }
                });
            }
        }
        let responders = 0..self.scenario.responders;
        devices.iter().flat_map(|device| responders.clone().map(|responder| (*device, responder))).collect()
    }

    /// Asks about the disabled ones wherever they were still called good a second ago.
    async fn probe(&self, still_good: &mut BTreeSet<(u32, u32)>) {
        if still_good.is_empty() {
            return;
        }
        let mut left = BTreeSet::new();
        for (device, responder) in std::mem::take(still_good) {
            let at = usize::try_from(responder).ok().and_then(|at| self.responders.get(at));
            let (Some(responder_at), Some(object)) = (at, object(device)) else { continue };
            let observed = responder_at.directory.observe(object).await;
            if observed.is_ok_and(|observed| observed.state == Some(ObjectState::Enabled)) {
                left.insert((device, responder));
            }
        }
        let devices: BTreeSet<u32> = left.iter().map(|(device, _)| *device).collect();
        let count = u32::try_from(devices.len()).unwrap_or(u32::MAX);
        if count > 0 {
            lock(&self.tally).outcome.still_good.push(f64::from(count));
        }
        *still_good = left;
    }
}

impl Responder {
    fn new(scenario: &Scenario, clock: &Arc<FixedClock>, graph: &Arc<Graph>) -> Self {
        let follower = match scenario.strategy {
            Strategy::Follow { .. } => Some(Arc::new(Follower::new(Arc::clone(graph)))),
            Strategy::Ask | Strategy::Notified { .. } => None,
        };
        let asked: Arc<dyn Directory> = match &follower {
            Some(follower) => Arc::clone(follower) as _,
            None => Arc::clone(graph) as _,
        };
        let canary = match scenario.canary {
            Canary::Named => object(scenario.devices),
            Canary::Absent => None,
        };
        let settings = GuardSettings {
            fresh_for: Duration::from_secs(scenario.fresh.into()),
            max_stale: Duration::from_secs(scenario.max_stale.into()),
            // Room enough in each of its parts, so that nobody has to go.
            capacity: usize::try_from(scenario.devices.saturating_mul(2)).unwrap_or(usize::MAX),
            canary,
            ..GuardSettings::default()
        };
        Self { directory: GuardedDirectory::new("graph", asked, Arc::clone(clock) as _, settings), follower }
    }
}

impl Tally {
    fn note(
        &mut self,
        asked: Asked,
        fresh: u32,
        now: UnixTime,
        observed: &Result<Observation, DirectoryError>,
    ) {
        let Some(second) = asked.second else { return };
        let age = observed.as_ref().ok().and_then(|observed| observed.known_at);
        let age = age.map_or(0, |at| u32::try_from(now.saturating_since(at).as_secs()).unwrap_or(u32::MAX));
        let state = observed.as_ref().map(|observed| observed.state);
        if state == Ok(Some(ObjectState::Enabled)) {
            self.outcome.note_age(age, 1.0);
        }
        let is_wrong = matches!(state, Ok(None | Some(ObjectState::Gone { .. })));
        let is_new = is_wrong && self.wrong.insert((asked.device, asked.responder));
        let Some(minute) = self.outcome.minute(second) else { return };
        minute.asked += 1.0;
        match state {
            Err(_) => minute.try_later += 1.0,
            Ok(_) if is_wrong => minute.wrong += f64::from(u8::from(is_new)),
            Ok(_) if age < fresh => minute.fresh += 1.0,
            Ok(_) => minute.stale += 1.0,
        }
    }
}

/// A second of the simulated day.
fn at(second: u32) -> UnixTime {
    UnixTime(MIDNIGHT.saturating_add(second.into()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
