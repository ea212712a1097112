//! Gets certificates over SCEP from the command line.

mod arguments;
mod challenge;
mod connection;
mod daemon;
mod failure;
mod fetching;
mod files;
mod hook;
mod keys;
mod outputs;
mod report;
mod requests;
mod state;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
    report::{Outcome, Report},
    terminal::Terminal,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = if arguments.json { Form::Json } else { Form::Text };
    let terminal = match (arguments.quiet, arguments.json) {
        (true, _) => Terminal::Quiet,
        (false, true) => Terminal::Unwatched,
        (false, false) => Terminal::found(),
    };
    let name = arguments.command.name();
    let report = match run(arguments.command, terminal, form) {
        Ok(report) => report,
        Err(failure) => Report::failed(name, &failure),
    };
    form.tell(&report);
    ExitCode::from(report.exit_code())
}

fn run(command: Command, terminal: Terminal, form: Form) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::local(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Enroll(enroll) => requests::enroll(&enroll, terminal).await,
            Command::Poll(poll) => requests::poll(&poll, terminal).await,
            Command::Renew(renew) => requests::renew(&renew, terminal).await,
            Command::Daemon(renew) => {
                daemon::run(*renew, terminal, |report| form.tell(report)).await.map(|never| match never {})
            }
            Command::GetCa(get) => fetching::ca(&get).await,
            Command::GetNextCa(get) => fetching::next_ca(&get, terminal).await,
            Command::GetCrl(get) => fetching::crl(&get, terminal).await,
            Command::GetCert(get) => fetching::certificate(&get, terminal).await,
            Command::Capabilities(get) => fetching::capabilities(&get).await,
        }
    })
}

/// How results are told.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Json,
}

impl Form {
    /// Results go to standard output; in text, what is no result goes to standard error.
    fn tell(self, report: &Report) {
        match (self, report.result) {
            (Self::Json, _) => println!("{}", report.to_json()),
            (Self::Text, Outcome::Failed | Outcome::Pending) => eprint!("{report}"),
            (Self::Text, _) => print!("{report}"),
        }
    }
}
