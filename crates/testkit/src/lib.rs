//! Fixed clock, seeded randomness and ready keys, for tests only.
//!
//! ```
//! use std::sync::Arc;
//! use pki_core::{Clock, SigningKey};
//!
//! let clock = testkit::FixedClock::default();
//! let ca = testkit::ca();
//! assert!(ca.certificate.validity().contains(clock.now()));
//! let key: Arc<dyn SigningKey> = ca.key;
//! let signature = testkit::block_on(key.sign(b"a message")).unwrap();
//! # assert!(!signature.is_empty());
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on must say so at once"
)]

mod block_on;
mod fixed_clock;
mod fixtures;
pub mod keys;
mod micromdm;
mod run;
mod samba;
mod seeded_random;
mod service;
mod slapd;

pub use block_on::block_on;
pub use fixed_clock::{FixedClock, NOW};
pub use fixtures::{Authority, Device, ca, device, device_p256, rsa_ca};
pub use micromdm::{Micromdm, later_program};
pub use run::{run, run_in, run_with_input, try_run_in};
pub use samba::Samba;
pub use seeded_random::SeededRandom;
pub use service::{Answer, Asked, PagedService, ScriptedService};
pub use slapd::{BASE, Slapd, tls_files};
pub use tempfile::{TempDir, tempdir};
