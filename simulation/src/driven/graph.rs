//! A tenant's directory behind Graph's limits.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use pki_core::{BoxFuture, Clock as _, UnixTime};
use serial_binding::BoundObject;
use testkit::FixedClock;
use tokio::time::sleep;

use super::{MIDNIGHT, lock};
use crate::{
    Bucket, Scenario, TroubleKind,
    scenario::{CHANGES_A_DAY, PAGE},
};

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(120);

/// Answers for every device, as long as it may.
pub(super) struct Graph {
    scenario: Scenario,
    clock: Arc<FixedClock>,
    state: Mutex<State>,
}

struct State {
    bucket: Bucket,
    used: Used,
    /// Who is disabled, and since when.
    disabled: BTreeMap<BoundObject, u32>,
}

/// What was asked of it so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) units: f64,
    pub(super) throttled: f64,
}

/// What has changed, as far as a follower needs to know.
pub(super) struct Changes {
    pub(super) known_at: UnixTime,
    pub(super) disabled: Vec<BoundObject>,
}

impl Graph {
    pub(super) fn new(scenario: &Scenario, clock: Arc<FixedClock>) -> Self {
        let bucket = Bucket::new(scenario.limit, scenario.begins());
        let state = State { bucket, used: Used::default(), disabled: BTreeMap::new() };
        Self { scenario: scenario.clone(), clock, state: Mutex::new(state) }
    }

    pub(super) fn used(&self) -> Used {
        lock(&self.state).used
    }

    pub(super) fn disable(&self, object: BoundObject, now: u32) {
        lock(&self.state).disabled.insert(object, now);
    }

    /// A delta query: what has changed since, page by page.
    pub(super) async fn changes(&self, since: Option<UnixTime>) -> Result<Changes, DirectoryError> {
        let known_at = self.clock.now();
        sleep(LATENCY).await;
        let elapsed = since.map_or(0.0, |since| known_at.saturating_since(since).as_secs_f64());
        let changed = f64::from(self.scenario.devices) * CHANGES_A_DAY * elapsed / f64::from(crate::day::DAY);
        let mut pages = 1.0 + (changed / PAGE).floor();
        while pages > 0.0 {
            self.pay()?;
            pages -= 1.0;
        }
        let since = since.map_or(0, |since| since.0.saturating_sub(MIDNIGHT));
        let state = lock(&self.state);
        let later = state.disabled.iter().filter(|(_, at)| u64::from(**at) >= since);
        Ok(Changes { known_at, disabled: later.map(|(object, _)| *object).collect() })
    }

    async fn asked(&self, object: BoundObject) -> Result<Option<ObjectState>, DirectoryError> {
        sleep(LATENCY).await;
        self.pay()?;
        if self.trouble() == Some(TroubleKind::NotFound) {
            return Ok(None);
        }
        let is_disabled = lock(&self.state).disabled.contains_key(&object);
        Ok(Some(if is_disabled { ObjectState::Disabled { since: None } } else { ObjectState::Enabled }))
    }

    /// Takes a unit off the limit, if there is anybody to take it.
    fn pay(&self) -> Result<(), DirectoryError> {
        if self.trouble() == Some(TroubleKind::Outage) {
            return Err(DirectoryError::unavailable("graph", "HTTP 503"));
        }
        let now = self.second();
        let mut state = lock(&self.state);
        if state.bucket.take_one(now) {
            state.used.units += 1.0;
            return Ok(());
        }
        state.used.throttled += 1.0;
        let retry_after = Duration::from_secs(self.scenario.limit.retry_after.into());
        Err(DirectoryError::Throttled { directory: "graph".into(), retry_after })
    }

    pub(super) fn trouble(&self) -> Option<TroubleKind> {
        self.scenario.trouble_at(self.second())
    }

    fn second(&self) -> u32 {
        u32::try_from(self.clock.now().0.saturating_sub(MIDNIGHT)).unwrap_or(u32::MAX)
    }
}

impl Directory for Graph {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(self.asked(object))
    }

    fn names(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }

    fn identify<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph({} devices)", self.scenario.devices)
    }
}
