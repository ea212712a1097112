//! Gets certificates over SCEP from the command line.

mod arguments;
mod failure;
mod files;
mod keys;
mod outputs;
mod requests;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::local(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        match arguments.command {
            Command::Enroll(enroll) => requests::enroll(&enroll).await,
            Command::Renew(renew) => requests::renew(&renew).await,
        }
    })
}
