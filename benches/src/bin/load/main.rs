//! Drives a server that runs on this machine with requests made beforehand, each different, and measures it.
//!
//! ```sh
//! cargo xtask load ocsp --url http://127.0.0.1:8080/ocsp --serial 25AB.. --nonce --pid 4711
//! cargo xtask load scep --url http://127.0.0.1:8080/scep --subject CN=laptop-{n} --challenge s3cret --pid 4711
//! cargo xtask load devices 10000 > directory.toml                     # for the server that `load scep` will drive
//! cargo xtask load empty --url http://127.0.0.1:8081/ --pid 4712     # `cargo run --release --bin empty-reply`
//! ```

mod drive;
mod ocsp;
mod process;
mod report;
mod scep;
mod target;

use std::{error::Error, process::ExitCode};

use benches::{connection::post, enrollment::directory_of};
use clap::{Args, Parser, Subcommand};

use drive::{Job, drive};
use process::Process;
use report::Report;
use target::Target;

/// Drives a server that runs on this machine with requests made beforehand, each different, and measures it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Asks an OCSP responder.
    Ocsp {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: ocsp::Options,
    },
    /// Enrolls with a SCEP server.
    Scep {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: scep::Options,
    },
    /// Prints a directory file with that many devices, laptop-1 and so on, for a server that `scep` will drive.
    Devices {
        /// How many.
        count: usize,
    },
    /// Posts 100 octets, for a server that replies with nothing.
    Empty {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// Where the server is; only addresses of this machine are taken.
    #[arg(long)]
    url: Target,
    /// How many requests to send.
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// Over how many connections at a time.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// The server's process, whose CPU time and memory are read.
    #[arg(long)]
    pid: Option<u32>,
}

/// What a program may fail with.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(Outcome::Printed) => ExitCode::SUCCESS,
        Ok(Outcome::Measured(report)) => {
            print!("{report}");
            if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was done.
enum Outcome {
    Printed,
    Measured(Report),
}

fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let report = match arguments.kind {
        Kind::Devices { count } => {
            print!("{}", directory_of(count));
            return Ok(Outcome::Printed);
        }
        Kind::Ocsp { common, options } => {
            let asked = ocsp::prepare(&common.url, &options, common.requests)?;
            measure(&common, &asked, ocsp::judge)
        }
        Kind::Scep { common, options } => {
            let asked = scep::prepare(&common.url, &options, common.requests)?;
            measure(&common, &asked, scep::judge)
        }
        Kind::Empty { common } => {
            let request = post(common.url.host(), common.url.path(), "application/octet-stream", &[0; 100]);
            let asked = vec![Job { request, memory: () }; common.requests];
            measure(&common, &asked, |(), reply| format!("HTTP {}", reply.status))
        }
    };
    report.map(Outcome::Measured)
}

/// Sends everything, then has every reply judged, so that judging does not disturb the measurement.
fn measure<M: Sync>(
    common: &Common,
    jobs: &[Job<M>],
    judge: fn(&M, &benches::connection::Reply) -> String,
) -> Result<Report, Failure> {
    let process = common.pid.map(Process::new);
    let before = process.as_ref().map(Process::usage).transpose()?;
    let driven = drive(common.url.address(), common.connections, jobs)?;
    let after = process.as_ref().map(Process::usage).transpose()?;
    let verdicts = jobs.iter().zip(&driven.replies).map(|(job, reply)| judge(&job.memory, reply)).collect();
    Ok(Report { elapsed: driven.elapsed, latencies: driven.latencies, verdicts, usage: before.zip(after) })
}
