//! The program `scep-server`.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use scep_server::{arguments::Arguments, commands};

/// A request allocates some two hundred small things that live for a moment; the system's allocator takes three times as
/// long for that as this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a standard error that is closed.
            let _ = writeln!(std::io::stderr(), "scep-server: {error}");
            ExitCode::FAILURE
        }
    }
}
