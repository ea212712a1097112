//! Serves empty replies with hyper alone: what every throughput here is compared to. `empty-reply [ADDRESS [p256|rsa2048]]`:
//! with a kind of key, after one signature each.

use std::{env, io, sync::Arc};

use pki_core::SigningKey;

/// The servers' own, so that the floor is theirs too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let key: Option<Arc<dyn SigningKey>> = match env::args().nth(2).as_deref() {
        None => None,
        Some("p256") => Some(testkit::keys::p256()),
        Some("rsa2048") => Some(testkit::keys::rsa_2048()),
        Some(other) => return Err(io::Error::other(format!("{other}: expected p256 or rsa2048"))),
    };
    benches::hyper_baseline::serve_empty_replies(&address, key)
}
