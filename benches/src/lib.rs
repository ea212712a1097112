//! What is measured: operations, each prepared once and then repeated. The benchmarks time them, `count` counts their
//! instructions, and `load` uses the same messages and connections against a running server.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a measurement that cannot go on must say so at once"
)]

pub mod connection;
pub mod hyper_baseline;
pub mod ocsp;
pub mod primitives;
pub mod scep;
pub mod serials;

use std::fmt;

/// Something to measure.
#[expect(clippy::exhaustive_structs, reason = "built by every table of operations")]
pub struct Operation {
    /// What it is called, with its group: `ocsp/parse request`.
    pub name: &'static str,
    /// Makes everything ready, and returns what is then repeated.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({})", self.name)
    }
}

/// Every operation, in the order of the groups.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let groups = [
        primitives::OPERATIONS,
        serials::OPERATIONS,
        ocsp::OPERATIONS,
        scep::OPERATIONS,
        hyper_baseline::OPERATIONS,
    ];
    groups.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_runs_and_can_be_repeated() {
        for operation in operations() {
            let mut run = (operation.prepare)();
            run();
            run();
        }
    }

    #[test]
    fn names_are_distinct_and_have_a_group() {
        let names: Vec<_> = operations().map(|operation| operation.name).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.contains('/'), "{name}");
            assert!(!names[at + 1..].contains(name), "{name}");
        }
    }
}
