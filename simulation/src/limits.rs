//! What Microsoft Graph lets an application ask, as its documentation of September 2025 has it.

/// So much within so long, and what is said to those who ask more.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a table of numbers")]
pub struct Limit {
    /// Units; an object by its id with `$select` costs one, and so does a page of a delta query.
    pub units: f64,
    /// In so many seconds.
    pub within: f64,
    /// What Retry-After says, in seconds. Not published; a window's length.
    pub retry_after: u32,
}

impl Limit {
    /// Identity and access: devices and users of one tenant with more than 500 users, for one application.
    pub const IDENTITY: Self = Self { units: 8000.0, within: 10.0, retry_after: 10 };
    /// The same for all tenants together.
    pub const IDENTITY_OF_APPLICATION: Self = Self { units: 150_000.0, within: 20.0, retry_after: 20 };
    /// Managed devices of Intune: one tenant, one application.
    pub const INTUNE: Self = Self { units: 2000.0, within: 20.0, retry_after: 20 };

    /// Units a second.
    pub fn rate(self) -> f64 {
        self.units / self.within
    }

    /// The same for a fleet of another size.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self { units: self.units * by, ..self }
    }
}

/// A bucket of tokens that fills evenly.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    limit: Limit,
    left: f64,
    at: u32,
}

impl Bucket {
    /// Full, at that second.
    pub fn new(limit: Limit, at: u32) -> Self {
        Self { limit, left: limit.units, at }
    }

    /// Takes as many of `units` as there are; how many that is.
    pub fn take_up_to(&mut self, units: f64, now: u32) -> f64 {
        self.fill(now);
        let taken = units.min(self.left);
        self.left -= taken;
        taken
    }

    /// Takes one, if there is one.
    pub fn take_one(&mut self, now: u32) -> bool {
        self.fill(now);
        let has_one = self.left >= 1.0;
        if has_one {
            self.left -= 1.0;
        }
        has_one
    }

    fn fill(&mut self, now: u32) {
        let elapsed = f64::from(now.saturating_sub(self.at));
        self.left = (self.left + elapsed * self.limit.rate()).min(self.limit.units);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_has_run_into_it() {
        let mut bucket = Bucket::new(Limit { units: 10.0, within: 10.0, retry_after: 5 }, 100);
        assert!((bucket.take_up_to(25.0, 100) - 10.0).abs() < 1e-9);
        assert!(!bucket.take_one(100) && bucket.take_one(101) && !bucket.take_one(101));
        assert!((bucket.take_up_to(25.0, 1000) - 10.0).abs() < 1e-9, "it does not run over");
    }
}
