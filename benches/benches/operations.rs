//! Times every operation. `cargo bench -p benches -- ocsp/` runs one group.
#![allow(missing_docs, reason = "criterion's macros make functions")]

use benches::Run;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn operations(criterion: &mut Criterion) {
    for operation in benches::operations() {
        criterion.bench_function(operation.name, |bencher| match (operation.prepare)() {
            Run::Same(run) => bencher.iter(run),
            Run::Fed { make, run } => bencher.iter_batched(make, run, BatchSize::SmallInput),
        });
    }
}

criterion_group!(all, operations);
criterion_main!(all);
