//! Serves empty replies with hyper alone: what every throughput here is compared to.

use std::{env, io};

/// The servers' own, so that the floor is theirs too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    benches::hyper_baseline::serve_empty_replies(&address)
}
