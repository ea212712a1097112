//! Drives a server that runs on this machine with requests made beforehand, each different, and measures it.
//!
//! ```sh
//! cargo xtask load ocsp --url http://127.0.0.1:8080/ocsp --serial 25AB.. --nonce --pid 4711
//! cargo xtask load scep --url http://127.0.0.1:8080/scep --subject CN=laptop-{n} --challenge s3cret --pid 4711
//! cargo xtask load devices 10000 > directory.toml                     # for the server that `load scep` will drive
//! cargo xtask load empty --url http://127.0.0.1:8081/ --pid 4712     # `cargo run --release --bin empty-reply`
//! cargo xtask load page --url http://127.0.0.1:8082/file --pid 4713   # any web server
//! cargo xtask load sign                                               # what no server can do without
//! cargo xtask load stream --url http://127.0.0.1:8080/ocsp --ask serials --data certbound-data --pid 4711
//! ```

mod disable;
mod drive;
mod histogram;
mod ocsp;
mod process;
mod report;
mod scep;
mod stream;
mod target;
mod template;
mod verdicts;

use std::{error::Error, hint::black_box, path::Path, process::ExitCode, sync::Arc, time::Duration};

use benches::{
    connection::{Reply, get, post},
    enrollment::directory_of,
};
use clap::{Args, Parser, Subcommand};
use pki_core::SigningKey;
use testkit::block_on;

use drive::{Job, Lifetime, Route, drive};
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
        count: u32,
    },
    /// Posts 100 octets, for a server that replies with nothing.
    Empty {
        #[command(flatten)]
        common: Common,
    },
    /// Gets one page, for a web server.
    Page {
        #[command(flatten)]
        common: Common,
    },
    /// Asks an OCSP responder more than fits into memory: requests are made as they are sent, replies are looked at and
    /// forgotten.
    Stream {
        #[command(flatten)]
        options: stream::Options,
    },
    /// Disables a device in the directory and asks until the responder says so.
    Disable {
        #[command(flatten)]
        options: disable::Options,
    },
    /// Signs and prints the CPU time of one signature, in us.
    Sign {
        /// How often.
        #[arg(long, default_value_t = 50_000)]
        times: u32,
        /// By which key.
        #[arg(long, value_enum, default_value_t = SigningKind::P256)]
        key: SigningKind,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SigningKind {
    P256,
    Rsa2048,
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
    /// For how many requests a connection is kept.
    #[arg(long, value_enum, default_value_t = Lifetime::All)]
    keep_alive: Lifetime,
    /// The server's process, whose CPU time and memory are read, with those of the processes that it started.
    #[arg(long)]
    pid: Option<u32>,
    /// Prints four numbers only: requests/s, p50 in ms, p99 in ms, the server's CPU time a request in us.
    #[arg(long)]
    brief: bool,
}

/// What a program may fail with.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(Outcome::Printed) => ExitCode::SUCCESS,
        Ok(Outcome::Streamed(streamed)) => {
            print!("{}", streamed.text);
            if streamed.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Outcome::Measured { report, brief }) => {
            print!("{}", if brief { report.brief() } else { report.to_string() });
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
    Streamed(stream::Streamed),
    Measured { report: Report, brief: bool },
}

fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    match arguments.kind {
        Kind::Devices { count } => {
            print!("{}", directory_of(count));
            Ok(Outcome::Printed)
        }
        Kind::Stream { options } => stream::stream(&options).map(Outcome::Streamed),
        Kind::Disable { options } => {
            print!("{}", disable::disable(&options)?);
            Ok(Outcome::Printed)
        }
        Kind::Sign { times, key } => {
            println!("{:.3}", signature_time(key, times)?.as_secs_f64() * 1e6);
            Ok(Outcome::Printed)
        }
        Kind::Ocsp { common, options } => {
            let asked = ocsp::prepare(&common.url, &options, common.requests)?;
            measure(&common, &asked, options.keep.as_deref(), ocsp::judge)
        }
        Kind::Scep { common, options } => {
            let asked = scep::prepare(&common.url, &options, common.requests)?;
            measure(&common, &asked, None, scep::judge)
        }
        Kind::Empty { common } => {
            let request = post(common.url.host(), common.url.path(), "application/octet-stream", &[0; 100]);
            let asked = vec![Job { request, memory: () }; common.requests];
            measure(&common, &asked, None, |(), reply| http_status(reply))
        }
        Kind::Page { common } => {
            let request = get(common.url.host(), common.url.path());
            let asked = vec![Job { request, memory: () }; common.requests];
            measure(&common, &asked, None, |(), reply| http_status(reply))
        }
    }
}

fn http_status(reply: &Reply) -> String {
    let prefix = if reply.status == 200 { "" } else { "error: " };
    format!("{prefix}HTTP {}", reply.status)
}

/// CPU time of one signature.
fn signature_time(kind: SigningKind, times: u32) -> Result<Duration, Failure> {
    let key: Arc<dyn SigningKey> = match kind {
        SigningKind::P256 => testkit::keys::p256(),
        SigningKind::Rsa2048 => testkit::keys::rsa_2048(),
    };
    let (this, times) = (Process::new(std::process::id()), times.max(1));
    let before = this.usage()?;
    for _ in 0..times {
        drop(black_box(block_on(key.sign(black_box(&[7; 200])))));
    }
    let after = this.usage()?;
    let used = after.user.saturating_add(after.system);
    let used = used.saturating_sub(before.user).saturating_sub(before.system);
    Ok(used.div_f64(times.into()))
}

/// Sends everything, then has every reply judged, so that judging does not disturb the measurement.
fn measure<M: Sync>(
    common: &Common,
    jobs: &[Job<M>],
    keep: Option<&Path>,
    judge: fn(&M, &Reply) -> String,
) -> Result<Outcome, Failure> {
    let process = common.pid.map(Process::new);
    let before = process.as_ref().map(Process::usage).transpose()?;
    let (connections, lifetime) = (common.connections, common.keep_alive);
    let driven = drive(Route { address: common.url.address(), connections, lifetime }, jobs)?;
    let after = process.as_ref().map(Process::usage).transpose()?;
    let verdicts = jobs.iter().zip(&driven.replies).map(|(job, reply)| judge(&job.memory, reply)).collect();
    keep.map(|path| ocsp::keep(path, &driven.replies)).transpose()?;
    let (elapsed, latencies, usage) = (driven.elapsed, driven.latencies, before.zip(after));
    Ok(Outcome::Measured { report: Report { elapsed, latencies, verdicts, usage }, brief: common.brief })
}
