//! The command line.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use pki_core::{ChallengePassword, GeneralName, Name};

use crate::failure::Failure;

const EXIT_CODES: &str = "\
Exit codes:
  0  the certificate is written
  1  something on this machine: a file, a key
  2  the command line
  3  the server was not reached, or what it said is no SCEP
  4  the CA or its answer cannot be trusted: wrong fingerprint, wrong signature, wrong certificate
  5  the CA refused the request
  6  the request was still waiting for approval when --max-wait was over; run the same command again";

/// Gets certificates over SCEP (RFC 8894).
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a first certificate, proving the right to it with a challenge
    #[command(after_help = EXIT_CODES)]
    Enroll(Enroll),
    /// Get a new certificate, proving the right to it with the current one
    #[command(after_help = EXIT_CODES)]
    Renew(Renew),
}

/// Which CA, and why to trust it.
#[derive(Debug, Args)]
pub(crate) struct Authority {
    /// Where the CA serves SCEP, such as http://ca.example.com/scep
    pub(crate) url: String,

    /// SHA-256 of the CA certificate, from a source you trust; colons and case do not matter
    #[arg(long, value_name = "SHA256HEX", required_unless_present = "insecure_trust_first")]
    pub(crate) ca_fingerprint: Option<Fingerprint>,

    /// Take whatever CA answers. Anyone on the way can then read the challenge and hand out certificates
    #[arg(long, conflicts_with = "ca_fingerprint")]
    pub(crate) insecure_trust_first: bool,

    /// Which CA is meant, where one URL serves several
    #[arg(long, value_name = "TEXT")]
    pub(crate) ca_identifier: Option<String>,

    /// Seconds to wait for any one answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// What to ask for, and how long.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// An alternative name: DNS:host, email:a@b, URI:..., UPN:a@b or IP:address. May be repeated
    #[arg(long = "san", value_name = "TYPE:VALUE", value_parser = alternative_name)]
    pub(crate) alternative_names: Vec<GeneralName>,

    /// Kind of the new key
    #[arg(long, value_enum, default_value = "rsa2048")]
    pub(crate) key_type: KeyType,

    /// Seconds to wait for a request that has to be approved
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub(crate) max_wait: Duration,

    /// Seconds between two looks at a request that has to be approved
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) poll_interval: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Enroll {
    #[command(flatten)]
    pub(crate) ca: Authority,

    /// The challenge that the CA handed out. Other users of this machine can read command lines: prefer
    /// --challenge-file or the environment
    #[arg(long, value_name = "TEXT", env = "SCEP_CHALLENGE", hide_env_values = true)]
    pub(crate) challenge: Option<String>,

    /// File whose first line is the challenge; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "challenge")]
    pub(crate) challenge_file: Option<PathBuf>,

    /// The name to ask for, most specific part first, such as CN=laptop-1,O=Example
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Name,

    #[command(flatten)]
    pub(crate) wanted: Wanted,

    /// Use this key instead of making one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_type", "key_out"])]
    pub(crate) key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Renew {
    #[command(flatten)]
    pub(crate) ca: Authority,

    /// The current certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: PathBuf,

    /// The key of the current certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) wanted: Wanted,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where to write.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Where the new key goes, readable by its owner alone
    #[arg(long, value_name = "FILE", default_value = "key.pem")]
    pub(crate) key_out: PathBuf,

    /// Where the certificate goes
    #[arg(long, value_name = "FILE", default_value = "cert.pem")]
    pub(crate) cert_out: PathBuf,

    /// Where the CA certificate goes
    #[arg(long, value_name = "FILE", default_value = "ca.pem")]
    pub(crate) ca_out: PathBuf,

    /// Replace the key at --key-out, once the new certificate is here
    #[arg(long)]
    pub(crate) force: bool,
}

/// Kinds of keys that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyType {
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

/// SHA-256 over the DER of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text.bytes().filter(|octet| !b": ".contains(octet)).collect();
        let wrong = || {
            let count = digits.len();
            format!("expected 64 hexadecimal digits (SHA-256 of the CA certificate), got {count} characters")
        };
        let mut octets = [0; 32];
        if digits.len() != 64 {
            return Err(wrong());
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(octets))
    }
}

impl Enroll {
    /// The challenge from wherever it was given; `None` when it was not.
    pub(crate) fn challenge(&self) -> Result<Option<ChallengePassword>, Failure> {
        let Some(path) = &self.challenge_file else {
            return Ok(self.challenge.clone().map(ChallengePassword::new));
        };
        let text = if path.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(path)
        };
        let text =
            text.map_err(|error| Failure::local(format_args!("cannot read the challenge: {error}")))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(Failure::local(format_args!("{} holds no challenge", path.display())));
        }
        Ok(Some(ChallengePassword::new(line.into())))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "expected a whole number of seconds".into())
}

fn alternative_name(text: &str) -> Result<GeneralName, String> {
    const EXPECTED: &str = "expected DNS:host, email:a@b, URI:..., UPN:a@b or IP:address";
    let (kind, value) = text.split_once(':').ok_or(EXPECTED)?;
    if value.is_empty() || !value.is_ascii() && !kind.eq_ignore_ascii_case("upn") {
        return Err(format!("{EXPECTED}, in ASCII (international host names as xn--...)"));
    }
    let ip = || match value.parse() {
        Ok(std::net::IpAddr::V4(v4)) => Ok(GeneralName::Ip(v4.octets().to_vec())),
        Ok(std::net::IpAddr::V6(v6)) => Ok(GeneralName::Ip(v6.octets().to_vec())),
        Err(_) => Err(format!("expected an IP address, got {value:?}")),
    };
    match kind.to_ascii_lowercase().as_str() {
        "dns" => Ok(GeneralName::Dns(value.into())),
        "email" => Ok(GeneralName::Email(value.into())),
        "uri" => Ok(GeneralName::Uri(value.into())),
        "upn" => Ok(GeneralName::Upn(value.into())),
        "ip" => ip(),
        _ => Err(EXPECTED.into()),
    }
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
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [&plain, &colons] {
            assert_eq!(text.parse(), Ok(Fingerprint([0xAB; 32])));
        }
        for text in ["", "abcd", &"ag".repeat(32), &"ü".repeat(32)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn alternative_names_are_read() {
        for (text, expected) in [
            ("DNS:host.example", GeneralName::Dns("host.example".into())),
            ("upn:a@b", GeneralName::Upn("a@b".into())),
            ("IP:192.0.2.1", GeneralName::Ip(vec![192, 0, 2, 1])),
            ("URI:urn:uuid:1", GeneralName::Uri("urn:uuid:1".into())),
            ("email:a@b", GeneralName::Email("a@b".into())),
        ] {
            assert_eq!(alternative_name(text), Ok(expected));
        }
        for text in ["host", "DNS:", "IP:host", "DNS:hüst", "X:y"] {
            assert!(alternative_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_or_an_explicit_waiver_is_required() {
        let enroll = |extra: &[&str]| {
            let fixed = ["scep-client", "enroll", "http://ca/", "--subject", "CN=x"];
            Arguments::try_parse_from(fixed.iter().chain(extra)).is_ok()
        };
        assert!(!enroll(&[]));
        assert!(enroll(&["--insecure-trust-first"]));
        assert!(enroll(&["--ca-fingerprint", &"ab".repeat(32)]));
        assert!(!enroll(&["--insecure-trust-first", "--ca-fingerprint", &"ab".repeat(32)]));
    }
}
