//! `scep-conformance`: judges any SCEP server over HTTP.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use conformance::{Endpoint, OutputArguments, octets, run_program, scep};
use pki_core::Name;

const EXAMPLES: &str = "\
The challenge command is run by the shell before each request that needs a challenge, and prints a fresh one:

  scep-conformance --url http://127.0.0.1:8080/scep --subject CN=demo-laptop \\
    --challenge-cmd 'scep-server challenge create --object demo-laptop'

Some two hundred requests are sent, most of them malformed on purpose, and some dozens of certificates issued. Run it
against servers that are yours to test. Where a person approves requests, --approve-cmd stands for somebody who always
says yes.

Exit codes:
  0  nothing failed, or only what the exceptions file excuses
  1  something failed, or an exception is out of date
  2  the command line, a file
  3  the server was not reached at all";

/// Plays a good and a hostile client against a SCEP server, and judges it by RFC 8894.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Where the server serves SCEP
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    url: Option<Endpoint>,

    /// Prints a fresh challenge
    #[arg(long, value_name = "COMMAND", required_unless_present_any = ["challenge", "list"])]
    challenge_cmd: Option<String>,

    /// One challenge for all requests
    #[arg(
        long,
        value_name = "TEXT",
        env = "SCEP_CHALLENGE",
        hide_env_values = true,
        conflicts_with = "challenge_cmd"
    )]
    challenge: Option<String>,

    /// Approves a request that waits for a person, whose transactionID is in the environment as SCEP_TRANSACTION_ID
    #[arg(long, value_name = "COMMAND")]
    approve_cmd: Option<String>,

    /// The name to ask for, which the server must grant
    #[arg(long, value_name = "NAME", default_value = "CN=scep-conformance")]
    subject: Name,

    /// SHA-256 of the CA certificate, in hexadecimal
    #[arg(long, value_name = "SHA256HEX", value_parser = fingerprint)]
    ca_fingerprint: Option<[u8; 32]>,

    /// Which CA is meant, where one URL serves several
    #[arg(long, value_name = "TEXT")]
    ca_identifier: Option<String>,

    /// Seconds to wait for any one answer
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    timeout: u64,

    #[command(flatten)]
    output: OutputArguments,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run_program(&arguments.output, &scep::checks(), |wanted, progress| {
        scep::run(target(&arguments), wanted, progress)
    })
}

fn target(arguments: &Arguments) -> scep::Target {
    let challenges = match (&arguments.challenge_cmd, &arguments.challenge) {
        (Some(command), _) => scep::Challenges::Command(command.clone()),
        (None, text) => scep::Challenges::Static(text.clone().unwrap_or_default()),
    };
    // Without a URL nothing but the list is asked for.
    let endpoint = arguments.url.clone().unwrap_or_default();
    let target = scep::Target::new(endpoint, challenges)
        .with_subject(arguments.subject.clone())
        .with_timeout(Duration::from_secs(arguments.timeout.max(1)));
    let target = match arguments.ca_fingerprint {
        Some(fingerprint) => target.with_ca_fingerprint(fingerprint),
        None => target,
    };
    let target = match &arguments.approve_cmd {
        Some(command) => target.with_approvals(scep::Approvals::Command(command.clone())),
        None => target,
    };
    match &arguments.ca_identifier {
        Some(identifier) => target.with_ca_identifier(identifier.clone()),
        None => target,
    }
}

fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let problem = "expected 64 hexadecimal digits: SHA-256 of the CA certificate";
    octets(text)?.try_into().map_err(|_| problem.into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn fingerprints_are_read_as_people_paste_them() {
        assert_eq!(fingerprint(&vec!["AB"; 32].join(":")), Ok([0xAB; 32]));
        for text in ["", "ab", "zz", &"ab".repeat(33)] {
            assert!(fingerprint(text).is_err(), "{text}");
        }
    }
}
