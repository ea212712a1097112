//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use pki_core::{CrlReason, SerialNumber, UnixTime};

/// A SCEP certification authority with its OCSP responder.
///
/// Without arguments it makes a CA in the folder certbound-data, or takes up the one that is there, serves SCEP and OCSP
/// on this machine, and prints how to enroll.
///
/// With ledger = "none" in the configuration it keeps no record, and any number of servers with the same keys and the
/// same configuration are one CA (docs/without-a-ledger.md).
#[derive(Debug, Parser)]
#[command(name = "scep-server", version, about, max_term_width = 100)]
pub struct Arguments {
    /// Configuration file (TOML). Every key can be overridden by an environment variable: SCEP_SERVER__LISTEN,
    /// SCEP_SERVER__ANSWERS__GOOD_SECONDS, …
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of keys, certificates, ledger and directory [default: certbound-data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<String>,
    #[command(subcommand)]
    /// What to do; serving when there is none.
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve (the default)
    Serve,
    /// Show CAs, and replace one by its next generation
    #[command(subcommand)]
    Ca(CaCommand),
    /// List, show and revoke certificates
    #[command(subcommand)]
    Cert(CertCommand),
    /// Decide requests that wait for approval
    #[command(subcommand)]
    Pending(PendingCommand),
    /// List what was refused, the latest first; docs/refusals.md explains the codes
    Refusals {
        /// Only those of this code
        #[arg(long, default_value = "", hide_default_value = true)]
        code: String,
        /// Only those with this in the subject, the transactionID or the address
        #[arg(long, default_value = "", hide_default_value = true)]
        text: String,
        /// Only those of this time until now: 2h, 7d
        #[arg(long, value_name = "TIME", value_parser = configuration::duration)]
        within: Option<std::time::Duration>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Take a captured message apart, offline, and say which clauses it breaks; docs/divergences.md has the codes
    Explain {
        /// A request or a reply in DER, BER, PEM or base64, an answer to GetCACert, GetNextCACert or GetCACaps, the
        /// target of a GET, or a whole HTTP message; - reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Private key (PEM) that opens the envelope: the RA's for a request, the requester's for a reply
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// File with the challenge, for an envelope that a challenge has closed
        #[arg(long, value_name = "FILE")]
        challenge: Option<PathBuf>,
    },
    /// Make one-time and sealed challenges
    #[command(subcommand)]
    Challenge(ChallengeCommand),
    /// Directories that are asked over the network
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Who may log in where challenges are handed out: NDES's page, Jamf Pro's webhook
    #[command(subcommand)]
    User(UserCommand),
    /// Show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the CRL in force, as PEM
    Crl {
        /// The id of the CA [default: the first one]
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        ca: String,
        /// The delta CRL
        #[arg(long)]
        delta: bool,
        /// Write it to a file instead: as PEM if that ends in .pem, else as DER
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a delegate, with which an ocsp-server without the CA's key can answer
    Delegate {
        /// The id of the CA that it answers for [default: the first one]
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        ca: String,
        /// Where to write delegate.pem and delegate.key.pem
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Days that it is valid for
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
}

/// Directories that are asked over the network.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Say that what directories take away is true, however much it is; running servers hear of it within a second
    Confirm {
        /// For how long from now: 10m, 1h
        #[arg(long = "for", value_name = "TIME", value_parser = configuration::duration)]
        long: std::time::Duration,
        /// The name of the directory that this is said of [default: all of them]
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        directory: String,
    },
}

/// CAs and their generations.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Show the generations of each CA: at work, next, earlier
    Show,
    /// The generation that follows the one at work
    #[command(subcommand)]
    Next(NextCommand),
}

/// The generation that follows the one at work.
#[derive(Debug, Subcommand)]
pub enum NextCommand {
    /// Make keys and certificates of the next CA; clients learn of them by GetNextCACert
    Create {
        /// The id of the CA [default: the first one]
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        ca: String,
    },
    /// Put the next CA to work; the one before goes on answering for what it issued
    Promote {
        /// The id of the CA [default: the first one]
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        ca: String,
    },
}

/// Certificates on record.
#[derive(Debug, Subcommand)]
pub enum CertCommand {
    /// List certificates, the latest first
    List {
        /// Only those whose subject has this in it
        #[arg(long, default_value = "", hide_default_value = true)]
        subject: String,
        /// Only those that end within this time from now: 30d, 12h
        #[arg(long, value_name = "TIME", value_parser = configuration::duration)]
        expires_within: Option<std::time::Duration>,
        /// Only the last one of each object and profile: what has no successor yet
        #[arg(long)]
        unreplaced: bool,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show a certificate, what it is bound to and what was ordered about it
    Show {
        /// Its serial number, in hexadecimal
        serial: SerialNumber,
    },
    /// Revoke a certificate, whatever the directory says of its object
    Revoke {
        /// Its serial number, in hexadecimal
        serial: SerialNumber,
        /// Why: keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn, or
        /// certificateHold, which can be lifted again
        #[arg(long)]
        reason: CrlReason,
        /// Since when, as 2026-11-21T12:00:00Z [default: now]
        #[arg(long, value_name = "TIME")]
        since: Option<UnixTime>,
    },
    /// Lift a hold
    Unrevoke {
        /// Its serial number, in hexadecimal
        serial: SerialNumber,
    },
}

/// Requests that wait for approval.
#[derive(Debug, Subcommand)]
pub enum PendingCommand {
    /// List requests that wait, the oldest first
    List {
        /// Those that were decided or given up, too
        #[arg(long)]
        all: bool,
    },
    /// Show a request: what it asks for, for which object, with which key
    Show {
        /// Its id, as listed; as much of it as no other has
        id: String,
    },
    /// Let a request have its certificate; the requester gets it when it asks again
    Approve {
        /// Its id, as listed
        id: String,
    },
    /// Refuse a request, for good
    Deny {
        /// Its id, as listed
        id: String,
        /// Why; the requester is told
        #[arg(long)]
        reason: String,
    },
}

/// One-time and sealed challenges.
#[derive(Debug, Subcommand)]
pub enum ChallengeCommand {
    /// Make a challenge and print it
    Create {
        /// The object that it enrolls: its name or id in the directory. A sealed challenge without one enrolls the
        /// object that the names in the request belong to
        #[arg(long, required_unless_present = "sealed")]
        object: Option<String>,
        /// The profile that it enrolls with [default: the first one that takes such challenges]
        #[arg(long)]
        profile: Option<String>,
        /// A sealed challenge, which any server with the same key takes
        #[arg(long)]
        sealed: bool,
        /// A name that the certificate may carry, if not all of the object's; may be given again
        #[arg(long = "name", value_name = "NAME", requires = "sealed")]
        names: Vec<String>,
        /// SHA-256 of the only key that it enrolls, of its SubjectPublicKeyInfo in DER, in hexadecimal
        #[arg(long, value_name = "SHA256", value_parser = sha256, requires = "sealed")]
        key: Option<[u8; 32]>,
        /// How long it lives: 60m, 2h [default: the profile's]
        #[arg(long, value_name = "TIME", value_parser = configuration::duration)]
        lifetime: Option<std::time::Duration>,
    },
}

/// Those who may log in.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a password for somebody, new or known, and print it; it is nowhere else
    Add {
        /// What they are called
        name: String,
    },
    /// Let somebody log in no more
    Remove {
        /// What they are called
        name: String,
    },
    /// List those who may log in
    List,
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration in force, defaults and environment variables included, as a configuration file
    Print,
}

/// 64 hexadecimal digits, with or without colons.
fn sha256(text: &str) -> Result<[u8; 32], String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let are_digits = rest.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let octets = if are_digits { pairs.iter().map(octet).collect::<Option<Vec<_>>>() } else { None };
    let octets = octets.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    octets.ok_or_else(|| format!("expected 64 hexadecimal digits, not {text:?}"))
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
    fn digests_are_read() {
        assert_eq!(sha256(&"0a".repeat(32)), Ok([10; 32]));
        assert_eq!(sha256(&["FF"; 32].join(":")), Ok([255; 32]));
        for text in ["", "0a", &"0g".repeat(32), &"0a".repeat(33), &"+a".repeat(32)] {
            assert!(sha256(text).is_err(), "{text}");
        }
    }
}
