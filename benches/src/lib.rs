//! What is measured: operations, each prepared once and then repeated. The benchmarks time them, `count` counts their
//! instructions, and `load` uses the same messages and connections against a running server.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a measurement that cannot go on must say so at once"
)]

pub mod connection;
pub mod crl;
pub mod enrollment;
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
    /// Makes everything ready.
    pub prepare: fn() -> Run,
}

/// What is repeated.
#[expect(clippy::exhaustive_enums, reason = "whoever measures must know each")]
pub enum Run {
    /// The same each time.
    Same(Box<dyn FnMut()>),
    /// Something else each time, which is made before and not measured.
    Fed {
        /// Makes the input of one run.
        make: Box<dyn FnMut() -> Vec<u8>>,
        /// Uses it up.
        run: Box<dyn FnMut(Vec<u8>)>,
    },
}

impl Run {
    /// Of a closure that does the same each time.
    pub fn same(run: impl FnMut() + 'static) -> Self {
        Self::Same(Box::new(run))
    }

    /// Runs once to warm up, and then `times` more, each within `around`.
    pub fn repeat(self, times: usize, around: fn(&mut dyn FnMut())) {
        match self {
            Self::Same(mut run) => {
                run();
                (0..times).for_each(|_| around(&mut run));
            }
            Self::Fed { mut make, mut run } => {
                run(make());
                for input in std::iter::repeat_with(make).take(times) {
                    let mut input = Some(input);
                    around(&mut || input.take().into_iter().for_each(&mut run));
                }
            }
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Same(_)) { "Same(..)" } else { "Fed { .. }" })
    }
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
        crl::OPERATIONS,
        scep::OPERATIONS,
        enrollment::OPERATIONS,
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
            (operation.prepare)().repeat(1, |run| run());
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
