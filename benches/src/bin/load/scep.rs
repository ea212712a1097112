//! SCEP enrollments for a CA.

use std::{fs, path::PathBuf, sync::Arc};

use benches::{
    connection::{Connection, Reply, get, post},
    scep::Client,
};
use clap::Args;
use keys_software::RsaKey;
use pki_core::{Certificate, ChallengePassword, Clock as _, Name, SystemClock};
use scep_proto::{
    AwaitedReply, PKI_MESSAGE_MEDIA_TYPE,
    ca_certificates::{self, RaCertificates},
};

use crate::{Failure, Job, Target};

#[derive(Args)]
pub(crate) struct Options {
    /// The subject of each request; `{n}` becomes its number.
    #[arg(long, default_value = "CN=laptop-{n}")]
    subject: String,
    /// The number of the first request.
    #[arg(long, default_value_t = 1)]
    first: usize,
    /// The challenge of every request, where that is static.
    #[arg(long)]
    challenge: Option<String>,
    /// A file with the challenge of each request, one a line, where these are for one use.
    #[arg(long, conflicts_with = "challenge")]
    challenges: Option<PathBuf>,
    /// How many keys the requests share.
    #[arg(long, default_value_t = 8)]
    keys: usize,
}

/// What reads a reply.
pub(crate) struct Memory {
    client: Client,
    awaited: AwaitedReply,
    trusted: Arc<[Certificate]>,
}

/// Makes all requests.
pub(crate) fn prepare(target: &Target, options: &Options, count: usize) -> Result<Vec<Job<Memory>>, Failure> {
    let certificates = ca_certificates(target)?;
    let ra = RaCertificates::pick(&certificates).ok_or("GetCACert has no certificate to encrypt to")?;
    let trusted: Arc<[Certificate]> = certificates.into();
    let keys = (0..options.keys.max(1))
        .map(|_| RsaKey::generate_2048().map(Arc::new))
        .collect::<Result<Vec<_>, _>>()?;
    let challenges = challenges(options)?;
    let (mut keys, mut challenges) = (keys.iter().cycle(), challenges.iter());
    let mut next_challenge = || match (&options.challenge, &options.challenges) {
        (Some(secret), _) => Ok(Some(ChallengePassword::new(secret.clone()))),
        (None, Some(_)) => match challenges.next() {
            Some(secret) => Ok(Some(ChallengePassword::new(secret.clone()))),
            None => Err(Failure::from("fewer challenges than requests")),
        },
        (None, None) => Ok(None),
    };
    let make = |at: usize| {
        let number = options.first.saturating_add(at).to_string();
        let subject: Name = options.subject.replace("{n}", &number).parse()?;
        let key = keys.next().ok_or("no key")?;
        let client = Client::new(Arc::clone(key), subject, SystemClock.now());
        let sent = client.request(next_challenge()?.as_ref(), &ra.encryption);
        let path = format!("{}?operation=PKIOperation", target.path());
        let request = post(target.host(), &path, PKI_MESSAGE_MEDIA_TYPE, &sent.message);
        Ok(Job { request, memory: Memory { client, awaited: sent.awaited, trusted: Arc::clone(&trusted) } })
    };
    (0..count).map(make).collect()
}

/// What a client makes of a reply.
pub(crate) fn judge(memory: &Memory, reply: &Reply) -> String {
    match memory.client.open(&memory.awaited, &reply.body, &memory.trusted) {
        Some(_) => "issued".into(),
        None if reply.status == 200 => "error: not issued".into(),
        None => format!("error: HTTP {}", reply.status),
    }
}

fn ca_certificates(target: &Target) -> Result<Vec<Certificate>, Failure> {
    let query = get(target.host(), &format!("{}?operation=GetCACert", target.path()));
    let reply = Connection::open(target.address())?.exchange(&query)?;
    ca_certificates::parse(&reply.body).map_err(|error| format!("GetCACert: {error}").into())
}

fn challenges(options: &Options) -> Result<Vec<String>, Failure> {
    let Some(path) = &options.challenges else { return Ok(Vec::new()) };
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().map(String::from).collect())
}
