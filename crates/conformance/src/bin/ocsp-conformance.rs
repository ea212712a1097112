//! `ocsp-conformance`: judges any OCSP responder over HTTP.

use std::{fs, path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use clap::Parser;
use conformance::{Endpoint, OutputArguments, RunError, ocsp, octets, run_program};
use pki_core::Certificate;

const EXAMPLES: &str = "\
A certificate is named by its file (PEM or DER) or by its serial number in hexadecimal:

  ocsp-conformance --url http://127.0.0.1:8080/ocsp --issuer ca.pem --good laptop.pem --revoked 20EB1AB6

About a hundred requests are sent, many of them malformed on purpose. Run it against responders that are yours to test.

Exit codes:
  0  nothing failed, or only what the exceptions file excuses
  1  something failed, or an exception is out of date
  2  the command line, a file
  3  the responder was not reached at all";

/// Plays good and hostile clients against an OCSP responder, and judges it by RFC 6960, RFC 9919 and RFC 9654.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Where the responder answers
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    url: Option<Endpoint>,

    /// The certificate of the CA whose certificates are asked about
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    issuer: Option<PathBuf>,

    /// A certificate that is good
    #[arg(long, value_name = "SERIAL|FILE", required_unless_present = "list")]
    good: Option<Serial>,

    /// A certificate that is revoked or on hold
    #[arg(long, value_name = "SERIAL|FILE")]
    revoked: Option<Serial>,

    /// A serial number that was never given, in the place of one made up
    #[arg(long, value_name = "SERIAL")]
    unknown: Option<Serial>,

    /// Seconds to wait for any one answer
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    timeout: u64,

    #[command(flatten)]
    output: OutputArguments,
}

/// The content octets of a serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Serial(Vec<u8>);

impl FromStr for Serial {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Ok(mut octets) = octets(text) else {
            return certificate(&PathBuf::from(text)).map(|found| Self(found.serial_octets().to_vec()));
        };
        // A serial number is positive.
        if octets.first().is_some_and(|first| first & 0x80 != 0) {
            octets.insert(0, 0);
        }
        Ok(Self(octets))
    }
}

fn certificate(path: &PathBuf) -> Result<Certificate, String> {
    let of_file = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let octets = fs::read(path).map_err(|error| of_file(&error))?;
    let read = match std::str::from_utf8(&octets) {
        Ok(text) => Certificate::from_pem(text),
        Err(_) => Certificate::from_der(&octets),
    };
    read.map_err(|error| of_file(&error))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run_program(&arguments.output, &ocsp::checks(), |wanted, progress| {
        ocsp::run(target(&arguments).map_err(RunError::Local)?, wanted, progress)
    })
}

fn target(arguments: &Arguments) -> Result<ocsp::Target, String> {
    let (Some(url), Some(issuer), Some(good)) = (&arguments.url, &arguments.issuer, &arguments.good) else {
        return Err("expected --url, --issuer and --good".into());
    };
    let target = ocsp::Target::new(url.clone(), certificate(issuer)?, good.0.clone())
        .with_timeout(Duration::from_secs(arguments.timeout.max(1)));
    let target = match &arguments.revoked {
        Some(serial) => target.with_revoked(serial.0.clone()),
        None => target,
    };
    Ok(match &arguments.unknown {
        Some(serial) => target.with_unknown(serial.0.clone()),
        None => target,
    })
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
    fn serial_numbers_are_read_as_people_paste_them() {
        for (text, octets) in [("0A:ff", vec![0x0A, 0xFF]), ("abc", vec![0x0A, 0xBC]), ("ff", vec![0, 0xFF])]
        {
            assert_eq!(text.parse(), Ok(Serial(octets)), "{text}");
        }
        assert!("no-such-file.pem".parse::<Serial>().is_err());
    }
}
