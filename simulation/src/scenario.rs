//! What is looked at.

use crate::limits::Limit;

/// The devices of one tenant, the responders that they ask, and how those ask the tenant's directory.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Scenario {
    /// How many devices.
    pub devices: u32,
    /// How many responders, which share nothing but the application's limit.
    pub responders: u32,
    /// Which responder a device's question goes to.
    pub routing: Routing,
    /// How often a device is asked about in a day.
    pub checks_a_day: f64,
    /// How the responders know of the directory.
    pub strategy: Strategy,
    /// `fresh_seconds`.
    pub fresh: u32,
    /// `max_stale_seconds`.
    pub max_stale: u32,
    /// Whether the directory has a canary.
    pub canary: Canary,
    /// What the tenant's directory lets the responders ask in all.
    pub limit: Limit,
    /// Seconds of the day between which is counted; from midnight.
    pub counted: (u32, u32),
    /// When some devices are disabled, to see how long that takes to show.
    pub disabled_at: u32,
    /// The directory's bad hour.
    pub trouble: Option<Trouble>,
}

/// Which responder is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Routing {
    /// Any, by lot: a plain balancer.
    Spread,
    /// Always the same for the same device.
    ByDevice,
}

/// How responders know what the directory says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Strategy {
    /// They ask when they are asked.
    Ask,
    /// The same, and the directory tells that an object has changed, so many seconds after it did.
    Notified {
        /// Seconds.
        after: u32,
    },
    /// They hold every object, and ask for what has changed every so many seconds.
    Follow {
        /// Seconds.
        every: u32,
    },
}

/// Whether there is an object that is never deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Canary {
    /// There is.
    Named,
    /// There is none.
    Absent,
}

/// When the directory has a bad time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "closed")]
pub struct Trouble {
    /// What it does.
    pub kind: TroubleKind,
    /// From that second of the day.
    pub from: u32,
    /// To that one.
    pub to: u32,
}

/// What a directory does in a bad hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum TroubleKind {
    /// It answers nothing.
    Outage,
    /// It says of every object that there is none.
    NotFound,
}

/// Objects on a page of a delta query; what Graph gives when not asked for more.
pub(crate) const PAGE: f64 = 100.0;
/// The share of a fleet that changes in a day in a way that a delta query tells.
pub(crate) const CHANGES_A_DAY: f64 = 0.02;

impl Default for Scenario {
    /// A million devices of one tenant, each asked about twelve times a day at two responders with the usual settings.
    fn default() -> Self {
        Self {
            devices: 1_000_000,
            responders: 2,
            routing: Routing::Spread,
            checks_a_day: 12.0,
            strategy: Strategy::Ask,
            fresh: 5,
            max_stale: 600,
            canary: Canary::Named,
            limit: Limit::IDENTITY,
            counted: (8 * 3600, 11 * 3600),
            disabled_at: 10 * 3600 + 1800,
            trouble: None,
        }
    }
}

impl Scenario {
    /// The same in small: fewer devices before a limit that is as much lower.
    #[must_use]
    pub fn scaled_to(&self, devices: u32) -> Self {
        let by = f64::from(devices) / f64::from(self.devices);
        Self { devices, limit: self.limit.scaled(by), ..self.clone() }
    }

    /// How many responders a device's questions are spread over.
    pub(crate) fn spread(&self) -> f64 {
        match self.routing {
            Routing::Spread => f64::from(self.responders),
            Routing::ByDevice => 1.0,
        }
    }

    /// When to begin, so that what is remembered is as it always is when counting begins.
    pub(crate) fn begins(&self) -> u32 {
        let warm = self.fresh.max(self.max_stale).max(600);
        self.counted.0.saturating_sub(warm.saturating_mul(2))
    }

    /// Questions of the whole fleet in that second.
    pub(crate) fn questions(&self, second: u32) -> f64 {
        f64::from(self.devices) * self.checks_a_day / f64::from(crate::day::DAY) * crate::demand(second)
    }

    pub(crate) fn trouble_at(&self, second: u32) -> Option<TroubleKind> {
        self.trouble
            .filter(|trouble| (trouble.from..trouble.to).contains(&second))
            .map(|trouble| trouble.kind)
    }

    /// When a responder looks for changes next, from that second on: they take turns.
    pub(crate) fn looks_at(&self, responder: u32, second: u32) -> bool {
        let Strategy::Follow { every } = self.strategy else { return false };
        let turn = every.saturating_mul(responder).checked_div(self.responders).unwrap_or(0);
        second.wrapping_sub(turn).checked_rem(every) == Some(0)
    }
}
