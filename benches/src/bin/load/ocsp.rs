//! OCSP requests for a responder.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64ct::{Base64, Encoding as _};
use benches::connection::{Connection, Reply, get, post};
use clap::{Args, ValueEnum};
use keys_software::AwsLc;
use ocsp_proto::{Issuer, NonceCheck, Question, REQUEST_MEDIA_TYPE, get_url};
use pki_core::{
    CertStatus, Certificate, Clock as _, DigestAlgorithm, SecureRandom as _, SerialNumber, SystemClock,
};

use crate::{Failure, Job, Target};

#[derive(Args)]
pub(crate) struct Options {
    /// The CA's certificate, PEM or DER; otherwise it is taken from /ca of the server.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Asks about these serial numbers in turn; may be repeated. Without any, each request has one of its own that was
    /// never issued.
    #[arg(long)]
    serial: Vec<SerialNumber>,
    /// The same, one a line in a file.
    #[arg(long, conflicts_with = "serial")]
    serials: Option<PathBuf>,
    /// Writes every response to a file, in base64, one a line.
    #[arg(long)]
    pub(crate) keep: Option<PathBuf>,
    /// Puts a nonce into each request, so that each response has to be signed.
    #[arg(long)]
    nonce: bool,
    /// Names certificates by SHA-1, as most clients do, instead of SHA-256.
    #[arg(long)]
    sha1: bool,
    /// How requests are sent.
    #[arg(long, value_enum, default_value_t = Method::Post)]
    method: Method,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Method {
    Post,
    Get,
}

/// Makes all requests.
pub(crate) fn prepare(
    target: &Target,
    options: &Options,
    count: usize,
) -> Result<Vec<Job<Question>>, Failure> {
    let issuer = Issuer::new(ca(target, options)?);
    let digest = if options.sha1 { DigestAlgorithm::Sha1 } else { DigestAlgorithm::Sha256 };
    let serials = serials(options)?;
    let mut serials = serials.iter().cycle();
    let make = |_| {
        let serial = serials.next().copied().map_or_else(random_serial, Ok)?;
        let question = Question::new(issuer.clone(), digest, [serial.as_be_bytes()])?;
        let question = if options.nonce { question.with_nonce(&random::<32>()?)? } else { question };
        let request = match options.method {
            Method::Post => post(target.host(), target.path(), REQUEST_MEDIA_TYPE, question.as_der()),
            Method::Get => get(target.host(), &get_url(target.path(), question.as_der())),
        };
        Ok(Job { request, memory: question })
    };
    (0..count).map(make).collect()
}

/// What a client makes of a reply.
pub(crate) fn judge(question: &Question, reply: &Reply) -> String {
    if reply.status != 200 {
        return format!("error: HTTP {}", reply.status);
    }
    let now = SystemClock.now();
    match question.verify(&reply.body, now, Duration::from_secs(300), &AwsLc) {
        Err(error) => format!("error: {error}"),
        Ok(verified) => {
            let nonce = if verified.nonce() == NonceCheck::Matched { ", with the nonce" } else { "" };
            let status = verified.statuses().first().map(|single| single.status);
            match status {
                Some(CertStatus::Good) => format!("good{nonce}"),
                Some(CertStatus::Revoked { .. }) => format!("revoked{nonce}"),
                _ => format!("unknown{nonce}"),
            }
        }
    }
}

/// What a responder says instead of an answer.
pub(crate) fn error_of(response: &[u8]) -> String {
    // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, ... }
    match response {
        [0x30, 3, 0x0A, 1, status] => format!("responseStatus {status}"),
        _ => "no OCSP response".into(),
    }
}

fn serials(options: &Options) -> Result<Vec<SerialNumber>, Failure> {
    let Some(path) = &options.serials else { return Ok(options.serial.clone()) };
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines().map(|line| line.parse().map_err(Failure::from)).collect()
}

/// Writes the bodies of replies, one a line.
pub(crate) fn keep(path: &Path, replies: &[Reply]) -> Result<(), Failure> {
    let lines = replies.iter().map(|reply| Base64::encode_string(&reply.body) + "\n");
    fs::write(path, lines.collect::<String>()).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn ca(target: &Target, options: &Options) -> Result<Certificate, Failure> {
    let octets = match &options.ca {
        Some(path) => fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => Connection::open(target.address())?.exchange(&get(target.host(), "/ca"))?.body,
    };
    let pem = std::str::from_utf8(&octets).ok().and_then(|text| Certificate::from_pem(text).ok());
    match pem {
        Some(certificate) => Ok(certificate),
        None => Certificate::from_der(&octets)
            .map_err(|error| format!("no CA certificate: {error}; give it with --ca").into()),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut octets = [0; N];
    AwsLc.fill(&mut octets)?;
    Ok(octets)
}

/// 20 octets, as ours have.
fn random_serial() -> Result<SerialNumber, Failure> {
    let mut octets: [u8; 20] = random()?;
    octets[0] = 0x20;
    Ok(SerialNumber::from_be_bytes(&octets)?)
}
