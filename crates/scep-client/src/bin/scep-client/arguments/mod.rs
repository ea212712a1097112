//! The command line.

mod parts;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use pki_core::SerialNumber;
use scep_client::RenewalWindow;

pub(crate) use self::{
    parts::{Algorithms, ChallengeSource, Hook, Server, Tolerated, Vouching, VouchingIfAny, Waiting, Wanted},
    values::{Cipher, Fingerprint, KeyType},
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done: what was asked for is here
  1  something on this machine: a file, a key
  2  the command line
  3  the server was not reached, or what it said is no SCEP
  4  the CA or its answer cannot be trusted: wrong fingerprint, wrong signature, wrong certificate
  5  the CA refused the request
  6  the request waits for approval; run the same command again later, or scep-client poll
  7  renew --renew-within: not due yet, nothing was done";

const EXAMPLES: &str = "\
Examples:
  Look at a CA, and compare its fingerprint with what its operator says:
    scep-client get-ca http://ca.example.com/scep
  Get a first certificate; key.pem, cert.pem and ca.pem are written:
    scep-client enroll http://ca.example.com/scep --ca-fingerprint SHA256HEX \\
      --subject CN=laptop-1,O=Example --san dns:laptop-1.example.com --challenge-file challenge.txt
  Renew it in place in the last fifth of its lifetime, and do nothing before; fit for a timer:
    scep-client renew http://ca.example.com/scep --ca-cert ca.pem \\
      --cert cert.pem --key key.pem --renew-within 20%
  The same, without a timer:
    scep-client daemon http://ca.example.com/scep --ca-cert ca.pem --cert cert.pem --key key.pem
";

/// Gets certificates over SCEP (RFC 8894), and keeps them renewed.
#[derive(Debug, Parser)]
#[command(version, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    /// Print one JSON object on standard output, for scripts; docs/scep-client.md describes it
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// No progress; warnings and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a first certificate, proving the right to it with a challenge
    #[command(after_help = EXIT_CODES)]
    Enroll(Box<Enroll>),
    /// Ask about a request that waits for approval, from the file that it left
    #[command(after_help = EXIT_CODES)]
    Poll(Poll),
    /// Get a new certificate, proving the right to it with the current one
    #[command(after_help = EXIT_CODES)]
    Renew(Box<Renew>),
    /// Stay, and renew a certificate whenever it is time
    #[command(after_help = EXIT_CODES)]
    Daemon(Box<Renew>),
    /// Show the CA's certificates and their fingerprints
    #[command(after_help = EXIT_CODES)]
    GetCa(GetCa),
    /// Get the certificate that the CA will use next, signed by the one it uses now
    #[command(after_help = EXIT_CODES)]
    GetNextCa(GetNextCa),
    /// Get the CRL on which a certificate would be
    #[command(after_help = EXIT_CODES)]
    GetCrl(GetCrl),
    /// Get a certificate that the CA issued, by its serial number
    #[command(after_help = EXIT_CODES)]
    GetCert(GetCert),
    /// Show what the server says it can
    #[command(after_help = EXIT_CODES)]
    Capabilities(Capabilities),
}

impl Command {
    /// Its name on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Enroll(_) => "enroll",
            Self::Poll(_) => "poll",
            Self::Renew(_) => "renew",
            Self::Daemon(_) => "daemon",
            Self::GetCa(_) => "get-ca",
            Self::GetNextCa(_) => "get-next-ca",
            Self::GetCrl(_) => "get-crl",
            Self::GetCert(_) => "get-cert",
            Self::Capabilities(_) => "capabilities",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Enroll {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: Vouching,

    #[command(flatten)]
    pub(crate) challenge: ChallengeSource,

    /// The name to ask for, most specific part first (RFC 4514), such as CN=laptop-1,O=Example
    #[arg(long, value_name = "NAME", help_heading = "What to ask for")]
    pub(crate) subject: pki_core::Name,

    #[command(flatten)]
    pub(crate) wanted: Wanted,

    #[command(flatten)]
    pub(crate) waiting: Waiting,

    /// Use this key instead of making one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_type", "key_out"], help_heading = "Files")]
    pub(crate) key: Option<PathBuf>,

    /// Where the new key goes, readable by its owner alone
    #[arg(long, value_name = "FILE", default_value = "key.pem", help_heading = "Files")]
    pub(crate) key_out: PathBuf,

    /// Where the certificate goes
    #[arg(long, value_name = "FILE", default_value = "cert.pem", help_heading = "Files")]
    pub(crate) cert_out: PathBuf,

    /// Where the CA certificate goes
    #[arg(long, value_name = "FILE", default_value = "ca.pem", help_heading = "Files")]
    pub(crate) ca_out: PathBuf,

    /// Replace the key at --key-out, once the new certificate is here
    #[arg(long, help_heading = "Files")]
    pub(crate) force: bool,

    /// Forget the transaction that an earlier run left
    #[arg(long, help_heading = "Waiting")]
    pub(crate) start_over: bool,

    /// Ask for a certificate of the CA that takes over next, to be used from then on
    #[arg(long, help_heading = "What to ask for")]
    pub(crate) next_ca: bool,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct Poll {
    /// The file that the request left: the name of the certificate file, and .pending
    #[arg(long, value_name = "FILE", default_value = "cert.pem.pending", help_heading = "Waiting")]
    pub(crate) state: PathBuf,

    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// Both `renew` and `daemon`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub(crate) struct Renew {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: Vouching,

    /// The current certificate
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) cert: PathBuf,

    /// The key of the current certificate
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) key: PathBuf,

    /// Do nothing before the certificate is this close to its end: 30d, 12h, or a share of its lifetime, such as 20%,
    /// which is what the daemon does unless told otherwise
    #[arg(long, value_name = "TIME", help_heading = "When")]
    #[expect(clippy::struct_field_names, reason = "named as on the command line")]
    pub(crate) renew_within: Option<RenewalWindow>,

    /// Keep the key. A new one is better, and some CAs (NDES) answer with the old certificate
    #[arg(long, conflicts_with_all = ["key_type", "key_out"], help_heading = "What to ask for")]
    pub(crate) reuse_key: bool,

    #[command(flatten)]
    pub(crate) challenge: ChallengeSource,

    #[command(flatten)]
    pub(crate) wanted: Wanted,

    #[command(flatten)]
    pub(crate) waiting: Waiting,

    /// Where the new key goes, readable by its owner alone; in place of the current one unless said otherwise
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) key_out: Option<PathBuf>,

    /// Where the new certificate goes; in place of the current one unless said otherwise
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) cert_out: Option<PathBuf>,

    /// Where the CA certificate goes; nowhere unless said
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) ca_out: Option<PathBuf>,

    /// Replace another key that lies at --key-out
    #[arg(long, help_heading = "Files")]
    pub(crate) force: bool,

    /// Forget the transaction that an earlier run left
    #[arg(long, help_heading = "Waiting")]
    pub(crate) start_over: bool,

    /// Ask for a certificate of the CA that takes over next, to be used from then on
    #[arg(long, requires_all = ["key_out", "cert_out"], help_heading = "What to ask for")]
    pub(crate) next_ca: bool,

    #[command(flatten)]
    pub(crate) hook: Hook,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct GetCa {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: VouchingIfAny,

    /// Write the CA certificate here
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct GetNextCa {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: Vouching,

    /// Write the next CA certificate here
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct GetCrl {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: Vouching,

    /// The certificate to look for; its CRL is taken from where it says, and over SCEP if it says nothing
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) cert: PathBuf,

    /// The key of --cert, to ask over SCEP with
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) key: Option<PathBuf>,

    /// Ask over SCEP, whatever the certificate says
    #[arg(long, requires = "key", help_heading = "What to ask for")]
    pub(crate) scep: bool,

    /// Where the CRL goes, as DER
    #[arg(long, value_name = "FILE", default_value = "crl.der", help_heading = "Files")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct GetCert {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) vouching: Vouching,

    /// The number of the certificate, in hexadecimal; colons and case do not matter
    #[arg(long, value_name = "HEX", help_heading = "What to ask for")]
    pub(crate) serial: SerialNumber,

    /// A key (RSA) to ask with
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) key: PathBuf,

    /// A certificate of that key; a self-signed one is made if none is given
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) cert: Option<PathBuf>,

    /// Where the certificate goes
    #[arg(long, value_name = "FILE", default_value = "cert.pem", help_heading = "Files")]
    pub(crate) out: PathBuf,

    /// Replace the file at --out
    #[arg(long, help_heading = "Files")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
}

#[derive(Debug, Args)]
pub(crate) struct Capabilities {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) algorithms: Algorithms,
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
    fn somebody_has_to_vouch_for_the_ca_or_nobody_explicitly() {
        let enroll = |extra: &[&str]| {
            let fixed = ["scep-client", "enroll", "http://ca/", "--subject", "CN=x"];
            Arguments::try_parse_from(fixed.iter().chain(extra)).is_ok()
        };
        assert!(!enroll(&[]));
        assert!(enroll(&["--insecure-trust-first"]));
        assert!(enroll(&["--ca-cert", "ca.pem"]));
        assert!(enroll(&["--ca-fingerprint", &"ab".repeat(32)]));
        assert!(!enroll(&["--insecure-trust-first", "--ca-fingerprint", &"ab".repeat(32)]));
        assert!(!enroll(&["--ca-cert", "ca.pem", "--ca-fingerprint", &"ab".repeat(32)]));
    }

    const PAGE: &str = include_str!("../../../../../../docs/scep-client.md");

    /// The words of each command on the page, as a shell and as systemd would take them apart.
    fn commands_of_the_page() -> Vec<Vec<String>> {
        let joined = PAGE.replace("\\\n", " ").replace("20%%", "20%");
        let commands = joined.lines().filter_map(|line| {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            command.strip_prefix("ExecStart=/usr/bin/").unwrap_or(command).strip_prefix("scep-client ")
        });
        let words = |command: &str| {
            let quoted = command.split('"').enumerate();
            let words = quoted.flat_map(|(at, part)| match at % 2 {
                0 => part.split_whitespace().map(String::from).collect(),
                _ => vec![part.to_owned()],
            });
            ["scep-client".to_owned()].into_iter().chain(words).collect()
        };
        commands.map(words).collect()
    }

    #[test]
    fn the_commands_of_the_page_are_commands() {
        let commands = commands_of_the_page();
        for words in &commands {
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{}: {error}", words.join(" "));
            }
        }
        let shown = |name: &str| commands.iter().any(|words| words.iter().any(|word| word == name));
        for subcommand in Arguments::command().get_subcommands() {
            assert!(shown(subcommand.get_name()), "the page does not show {}", subcommand.get_name());
        }
    }

    #[test]
    fn the_page_names_options_and_exit_codes_that_there_are() {
        let command = Arguments::command();
        let long = |command: &clap::Command| {
            command.get_arguments().filter_map(|one| one.get_long()).map(String::from).collect::<Vec<_>>()
        };
        let known: Vec<_> = command.get_subcommands().flat_map(long).chain(long(&command)).collect();
        let named = PAGE.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let options = named.filter_map(|word| word.strip_prefix("--")).filter(|word| !word.is_empty());
        let foreign = ["help", "now"];
        for option in options.filter(|option| !option.chars().all(|c| c == '-') && !foreign.contains(option))
        {
            assert!(known.iter().any(|known| known == option), "--{option}");
        }
        for code in EXIT_CODES.lines().skip(1) {
            let code = code.trim().split_once("  ").unwrap().0;
            assert!(PAGE.contains(&format!("\n| {code} | ")), "exit code {code}");
        }
    }

    // clause: RFC 8894 C1
    #[test]
    fn a_server_has_to_be_named() {
        assert!(Arguments::try_parse_from(["scep-client", "get-ca"]).is_err());
        assert!(Arguments::try_parse_from(["scep-client", "get-ca", "http://ca.example.com"]).is_ok());
    }
}
