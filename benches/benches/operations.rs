//! Times every operation. `cargo bench -p benches -- ocsp/` runs one group.
#![allow(missing_docs, reason = "criterion's macros make functions")]

use criterion::{Criterion, criterion_group, criterion_main};

fn operations(criterion: &mut Criterion) {
    for operation in benches::operations() {
        criterion.bench_function(operation.name, |bencher| {
            let mut run = (operation.prepare)();
            bencher.iter(&mut run);
        });
    }
}

criterion_group!(all, operations);
criterion_main!(all);
