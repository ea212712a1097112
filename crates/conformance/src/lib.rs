//! Plays good and hostile clients against a server, and judges its behavior over HTTP clause by clause.
//!
//! The programs `scep-conformance` and `ocsp-conformance` are this library with a command line. A test of your own
//! runs it so:
//!
//! ```no_run
//! use conformance::{Ink, scep};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let challenges = scep::Challenges::Static("s3cret".into());
//! let target = scep::Target::new("http://127.0.0.1:8080/scep".parse()?, challenges);
//! let report = scep::run(target, |_| true, &mut |check| eprintln!("{check}"))?;
//! print!("{}", conformance::to_table(&report, Ink::Plain));
//! assert!(report.is_clean());
//! # Ok(()) }
//! ```
//!
//! A [`Check`] finds out about one [`Clause`]; its [`Verdict`] is one of five. [`Exceptions`] say which verdicts are
//! known and why they are let pass; an exception that no longer applies is a failure of its own.

mod clause;
mod exceptions;
mod http;
pub mod ocsp;
mod program;
mod report;
pub mod scep;
mod verdict;

pub use clause::{Check, Clause, Level, Section};
pub use exceptions::{Exception, Exceptions, ExceptionsError};
pub use http::{Endpoint, Exchange, HttpResponse, InvalidUrl};
pub use program::{Color, OutputArguments, RunError, octets, run_program};
pub use report::{
    Finding, Ink, Progress, Report, Ruling, hex_dump, to_json, to_junit, to_table, write_bytes,
};
pub use verdict::{Judgement, Verdict};
