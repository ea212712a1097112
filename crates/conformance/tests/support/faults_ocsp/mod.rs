//! The faults that are planted in responders, and the checks that have to find them.

mod headers;
mod questions;
mod requests;
mod responses;
mod signers;
mod statuses;

use conformance::Verdict;

use super::broken_ocsp::Break;

/// A fault, and what becomes of the verdicts. Those of all other checks stay as they are.
pub struct Fault {
    pub what: Break,
    /// Checks that fail.
    pub fails: &'static [&'static str],
    /// Checks that end otherwise than usual, without failing.
    pub also: &'static [(&'static str, Verdict)],
    /// Whether others may be left unjudged.
    pub blocks: bool,
}

impl Fault {
    /// The checks that it is planted for.
    pub fn checks(&self) -> Vec<&'static str> {
        self.fails.iter().copied().chain(self.also.iter().map(|(check, _)| *check)).collect()
    }

    const fn new(what: Break, fails: &'static [&'static str]) -> Self {
        Self { what, fails, also: &[], blocks: false }
    }

    const fn blocking(self) -> Self {
        Self { blocks: true, ..self }
    }

    const fn also(self, also: &'static [(&'static str, Verdict)]) -> Self {
        Self { also, ..self }
    }
}

/// All of them.
pub const TABLES: [&[Fault]; 6] = [
    statuses::FAULTS,
    responses::FAULTS,
    signers::FAULTS,
    questions::FAULTS,
    requests::FAULTS,
    headers::FAULTS,
];
