//! When Graph asks for patience.

use pki_core::UnixTime;

use super::Refused;
use crate::{GraphLimits, http::Reply};

/// Length of a window, in seconds.
const WINDOW: u64 = 10;
/// From this share on the client is warned, in percent.
const WARNED: u32 = 80;

/// What was spent in the window that runs.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    window: u64,
    spent: u32,
    second: u64,
    about_risk: u32,
}

/// How much of what may be spent is spent, in percent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share(u32);

impl Share {
    /// Says so when it is much.
    pub(super) fn show(self, reply: Reply) -> Reply {
        if self.0 < WARNED {
            return reply;
        }
        let (whole, rest) = (self.0.checked_div(100).unwrap_or_default(), self.0.checked_rem(100));
        reply.with("x-ms-throttle-limit-percentage", format!("{whole}.{:02}", rest.unwrap_or_default()))
    }
}

impl Throttle {
    /// A question that costs `units`.
    pub(super) fn spend(&mut self, now: UnixTime, units: u32, limits: GraphLimits) -> Result<Share, Refused> {
        let window = now.0.checked_div(WINDOW).unwrap_or_default();
        if window != self.window {
            (self.window, self.spent) = (window, 0);
        }
        if self.spent.saturating_add(units) > limits.units {
            let wait = WINDOW.saturating_sub(now.0.checked_rem(WINDOW).unwrap_or_default());
            return Err(Refused::new(429, "TooManyRequests", "Too many requests.")
                .with("retry-after", wait.to_string())
                .with("x-ms-throttle-scope", "Tenant_Application/ReadWrite")
                .with("x-ms-throttle-information", "ResourceUnitLimitExceeded"));
        }
        self.spent = self.spent.saturating_add(units);
        Ok(Share(self.spent.saturating_mul(100).checked_div(limits.units).unwrap_or(100)))
    }

    /// A question about risk, which has a limit of its own and does not say how long to wait.
    pub(super) fn spend_risk(&mut self, now: UnixTime, limits: GraphLimits) -> Result<Share, Refused> {
        if now.0 != self.second {
            (self.second, self.about_risk) = (now.0, 0);
        }
        if self.about_risk >= limits.risk {
            return Err(Refused::new(429, "TooManyRequests", "Too many requests."));
        }
        self.about_risk = self.about_risk.saturating_add(1);
        Ok(Share(0))
    }
}
