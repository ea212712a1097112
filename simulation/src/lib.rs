//! What becomes of a directory's limits, of freshness and of bad days when many devices check in: virtual time, seeded,
//! the same on every machine.
//!
//! A [`Scenario`] can be looked at in two ways. [`drive`] has devices check in, one by one, with the
//! [`GuardedDirectory`](directory::GuardedDirectory) that responders use, before a directory that keeps Microsoft
//! Graph's published limits. [`model()`] follows how many devices are known since when, and takes as long for 100 million as
//! for one thousand. The tests show that both tell the same of a fleet that is small enough for both; the program writes
//! `docs/scale.md` from them.

mod day;
mod driven;
mod limits;
mod model;
mod outcome;
pub mod page;
mod plot;
mod scenario;

pub use day::demand;
pub use driven::drive;
pub use limits::{Bucket, Limit};
pub use model::model;
pub use outcome::{Minute, Outcome};
pub use plot::{Axis, Curve, Line, Plot, Scale};
pub use scenario::{Canary, Routing, Scenario, Strategy, Trouble, TroubleKind};
