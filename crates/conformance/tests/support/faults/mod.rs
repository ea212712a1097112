//! The faults that are planted, and the checks that have to find them.

mod approvals;
mod certificates;
mod deliveries;
mod envelopes;
mod http;
mod messages;
mod replies;
mod requests;
mod transactions;

use conformance::Verdict;

use super::broken_scep::Break;

/// A fault, and what becomes of the verdicts. Those of all other checks stay as they are.
pub struct Fault {
    pub name: &'static str,
    pub what: Break,
    /// Checks that fail.
    pub fails: &'static [&'static str],
    /// Checks that end otherwise than usual, without failing.
    pub also: &'static [(&'static str, Verdict)],
    /// Whether others may be left unjudged.
    pub blocks: bool,
    /// Checks of which it depends on the sound server whether they change.
    pub may: &'static [&'static str],
}

impl Fault {
    /// The checks that it is planted for.
    pub fn checks(&self) -> Vec<&'static str> {
        self.fails.iter().copied().chain(self.also.iter().map(|(check, _)| *check)).collect()
    }

    const fn new(what: Break, fails: &'static [&'static str]) -> Self {
        let name = match fails {
            [first, ..] => first,
            [] => "",
        };
        Self { name, what, fails, also: &[], blocks: false, may: &[] }
    }

    const fn blocking(self) -> Self {
        Self { blocks: true, ..self }
    }

    const fn also(self, also: &'static [(&'static str, Verdict)]) -> Self {
        Self { also, ..self }
    }

    const fn may(self, may: &'static [&'static str]) -> Self {
        Self { may, ..self }
    }
}

/// All of them.
pub const TABLES: [&[Fault]; 9] = [
    certificates::FAULTS,
    http::FAULTS,
    replies::FAULTS,
    deliveries::FAULTS,
    messages::FAULTS,
    envelopes::FAULTS,
    requests::FAULTS,
    transactions::FAULTS,
    approvals::FAULTS,
];
