//! Groups of arguments that several commands have.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use pki_core::{GeneralName, KeyUsage, Oid};
use serde::{Deserialize, Serialize};

use super::values::{
    Cipher, Fingerprint, KeyTransportChoice, KeyType, alternative_name, extended_key_usage, key_usage,
    seconds,
};

/// Where the CA is, and how to talk to it. Kept with a transaction that waits.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Server")]
pub(crate) struct Server {
    /// Where the CA serves SCEP, such as http://ca.example.com/scep; without a path it is /cgi-bin/pkiclient.exe
    pub(crate) url: String,

    /// Which CA is meant, where one URL serves several
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) ca_identifier: String,

    /// A certificate (PEM) of the CA's registration authority, from a source you trust, beside those that the CA itself
    /// vouches for. May be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) ra_cert: Vec<PathBuf>,

    /// Seconds to wait for any one answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,

    /// The CAs (PEM) that https:// servers may have their certificate from, in place of those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
}

/// What a server is trusted with. AES and SHA-256 are the floor, whatever it says, unless something here says more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Old servers")]
pub(crate) struct Algorithms {
    /// Accept this from the server. May be repeated. Each makes the exchange weaker: only for servers that cannot do
    /// better
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) allow: Vec<Tolerated>,

    /// The cipher of requests; AES-128 unless said otherwise
    #[arg(long, value_enum)]
    pub(crate) cipher: Option<Cipher>,

    /// How content keys are encrypted to the server
    #[arg(long, value_enum, default_value = "pkcs1")]
    pub(crate) key_transport: KeyTransportChoice,

    /// Go on as if the server had said SCEPStandard, Renewal and POSTPKIOperation: what it says is not authenticated
    #[arg(long)]
    pub(crate) assume_standard: bool,
}

/// What is accepted from servers that are older than RFC 8894.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tolerated {
    /// SHA-1 as the digest of replies
    Sha1,
    /// Triple DES, in replies, and in requests where the server has nothing better
    TripleDes,
    /// Single DES, in replies alone (micromdm). Whoever records them can read them
    SingleDes,
    /// Replies without a nonce of their own (micromdm, step-ca)
    ReplyNonce,
}

/// Why the CA is trusted.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Why to trust the CA, one of")]
pub(crate) struct Vouching {
    /// SHA-256 of the CA certificate, from a source you trust; colons and case do not matter
    #[arg(long, value_name = "SHA256HEX")]
    pub(crate) ca_fingerprint: Option<Fingerprint>,

    /// The CA certificate itself (PEM), from a source you trust, such as an earlier enrollment
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,

    /// Take whatever CA answers. Anyone on the way can then read the challenge and hand out certificates
    #[arg(long)]
    pub(crate) insecure_trust_first: bool,
}

/// The same, for commands that only show.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Why to trust the CA")]
pub(crate) struct VouchingIfAny {
    /// SHA-256 that the CA certificate must have; colons and case do not matter
    #[arg(long, value_name = "SHA256HEX")]
    pub(crate) ca_fingerprint: Option<Fingerprint>,

    /// The certificate that the CA must have (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

/// Where the challenge comes from; the environment variable SCEP_CHALLENGE is asked last.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Challenge")]
pub(crate) struct ChallengeSource {
    /// File whose first line is the challenge; - is standard input. Or set the environment variable SCEP_CHALLENGE
    #[arg(long, value_name = "FILE")]
    pub(crate) challenge_file: Option<PathBuf>,

    /// The challenge itself. Other users of this machine can read command lines, and shells keep them: prefer
    /// --challenge-file
    #[arg(long, value_name = "TEXT")]
    pub(crate) challenge: Option<String>,
}

/// What to ask for beside the name.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to ask for")]
pub(crate) struct Wanted {
    /// An alternative name: dns:host, email:a@b, uri:..., upn:a@b or ip:address. May be repeated
    #[arg(long = "san", value_name = "TYPE:VALUE", value_parser = alternative_name)]
    pub(crate) alternative_names: Vec<GeneralName>,

    /// What the key may do, with commas between: digitalSignature, nonRepudiation, keyEncipherment,
    /// dataEncipherment, keyAgreement
    #[arg(long, value_name = "USAGES", value_parser = key_usage)]
    pub(crate) key_usage: Option<KeyUsage>,

    /// What the certificate is for: clientAuth, serverAuth, emailProtection, codeSigning, smartcardLogon or an object
    /// identifier, with commas between
    #[arg(long = "eku", value_name = "PURPOSES", value_delimiter = ',', value_parser = extended_key_usage)]
    pub(crate) extended_key_usages: Vec<Oid>,

    /// Kind of the new key
    #[arg(long, value_enum, default_value = "rsa2048")]
    pub(crate) key_type: KeyType,
}

/// How long to wait for approval.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Waiting {
    /// Seconds to wait for a request that has to be approved
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub(crate) max_wait: Duration,

    /// How often to look at it in that time, at most
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_polls: Option<u32>,

    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) poll_interval: Duration,

    /// How often to send a message again that got no answer
    #[arg(long, value_name = "COUNT", default_value = "3")]
    pub(crate) retries: u32,
}

/// What happens when a new certificate is in place.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Afterwards")]
pub(crate) struct Hook {
    /// Run this command with sh once the new certificate is in place, such as "systemctl reload nginx". It finds the
    /// files in SCEP_CERT and SCEP_KEY
    #[arg(long, value_name = "COMMAND")]
    pub(crate) hook: Option<String>,
}
