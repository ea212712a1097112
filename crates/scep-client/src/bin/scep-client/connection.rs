//! From arguments to a client and a CA that is trusted.

use std::{fs, path::Path, sync::Arc};

use keys_software::AwsLc;
use pki_core::{Certificate, SystemClock};
use scep_client::{ClientError, ClientParts, HttpTransport, ScepClient, Trust, TrustedCa};
use scep_proto::{Capabilities, Capability, Legacy, Tolerance};
use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Algorithms, Cipher, Fingerprint, Server, Tolerated, Vouching},
    failure::Failure,
    files,
    terminal::Terminal,
};

/// Why a CA is trusted, read from wherever it was said.
#[derive(Debug)]
pub(crate) enum Vouched {
    Fingerprint(Fingerprint),
    Certificate(Certificate),
    ByNobody,
}

impl Vouching {
    /// Reads the certificate, if it is one.
    pub(crate) fn read(&self) -> Result<Vouched, Failure> {
        vouched(self.ca_fingerprint, self.ca_cert.as_deref())
    }
}

/// Who vouches, if anybody does.
pub(crate) fn vouched(
    fingerprint: Option<Fingerprint>,
    certificate: Option<&Path>,
) -> Result<Vouched, Failure> {
    match (fingerprint, certificate) {
        (Some(fingerprint), _) => Ok(Vouched::Fingerprint(fingerprint)),
        (None, Some(path)) => files::certificate(path).map(Vouched::Certificate),
        (None, None) => Ok(Vouched::ByNobody),
    }
}

/// A client of that server.
pub(crate) fn client(server: &Server, algorithms: &Algorithms) -> Result<ScepClient, Failure> {
    let transport = match &server.tls_ca {
        None => HttpTransport::new(server.timeout),
        Some(path) => {
            let roots = fs::read(path)
                .map_err(|error| Failure::local(format_args!("cannot read {}: {error}", path.display())))?;
            HttpTransport::with_tls_roots(server.timeout, &roots)
        }
    };
    let parts = ClientParts {
        transport: Arc::new(transport.map_err(Failure::local)?),
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        random: Arc::new(AwsLc),
        clock: Arc::new(SystemClock),
    };
    let ra = server.ra_cert.iter().map(|path| files::certificate(path)).collect::<Result<_, _>>()?;
    let client = ScepClient::new(&server.url, parts)
        .with_ra(ra)
        .with_ca_identifier(&server.ca_identifier)
        .with_algorithms(algorithms.for_client());
    if algorithms.assume_standard {
        let assumed = [Capability::ScepStandard, Capability::Renewal];
        return Ok(client.assuming(assumed.into_iter().collect::<Capabilities>()));
    }
    Ok(client)
}

/// The CA, if it is the one that was vouched for.
pub(crate) async fn trusted_ca(
    client: &ScepClient,
    vouched: &Vouched,
    terminal: Terminal,
) -> Result<TrustedCa, Failure> {
    terminal.progress(format_args!("asking {} for its CA certificate", client.url()));
    let ca = match vouched {
        Vouched::Fingerprint(Fingerprint(fingerprint)) => client.ca(Trust::Fingerprint(*fingerprint)).await,
        Vouched::Certificate(anchor) => client.ca_of(anchor).await,
        Vouched::ByNobody => client.ca(Trust::FirstSeen).await,
    };
    let ca = ca.map_err(|error| match (error, vouched) {
        (ClientError::Untrusted(error), Vouched::Certificate(anchor)) => {
            let fingerprint = Fingerprint(anchor.fingerprint());
            let name = anchor.subject();
            Failure::from(ClientError::Untrusted(error))
                .explained(format_args!("with the CA {name} ({fingerprint}) of --ca-cert"))
        }
        (error, _) => error.into(),
    })?;
    if matches!(vouched, Vouched::ByNobody) {
        let fingerprint = Fingerprint(ca.certificate().fingerprint());
        Terminal::warn(format_args!(
            "nobody vouched for this CA; next time pass --ca-fingerprint {fingerprint}"
        ));
    }
    terminal.progress(format_args!("the CA is {}", ca.issuer().subject()));
    Ok(ca)
}

/// Which CA of a server certificates are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Generation {
    /// The one that issues now.
    Current,
    /// The one that takes over from it.
    Next,
}

impl Generation {
    /// As the flag `--next-ca` says.
    pub(crate) fn of_flag(next_ca: bool) -> Self {
        if next_ca { Self::Next } else { Self::Current }
    }
}

/// Whom certificates are asked of, and who vouched for it.
#[derive(Debug)]
pub(crate) struct Issuing {
    /// What was trusted at first.
    pub(crate) anchor: Certificate,
    pub(crate) ca: TrustedCa,
    pub(crate) generation: Generation,
}

/// The CA to ask for certificates.
pub(crate) async fn issuing_ca(
    client: &ScepClient,
    vouched: &Vouched,
    generation: Generation,
    terminal: Terminal,
) -> Result<Issuing, Failure> {
    let current = trusted_ca(client, vouched, terminal).await?;
    let anchor = current.certificate().clone();
    let ca = match generation {
        Generation::Current => current,
        Generation::Next => client.next_ca(&current).await?,
    };
    Ok(Issuing { anchor, ca, generation })
}

impl Algorithms {
    fn for_client(&self) -> scep_client::Algorithms {
        let floor = scep_client::Algorithms::default().policy;
        let policy = self.allow.iter().fold(floor, |policy, tolerated| match tolerated {
            Tolerated::Sha1 => policy.with_legacy(Legacy::Sha1),
            Tolerated::TripleDes => policy.with_legacy(Legacy::TripleDes),
            Tolerated::SingleDes => policy.with_legacy(Legacy::SingleDesReplies),
            Tolerated::ReplyNonce => {
                let tolerances = policy.tolerances().with(Tolerance::ReplyNonce);
                policy.tolerating(tolerances)
            }
        });
        // Whoever sends Triple DES means to get it back.
        let policy = match self.cipher {
            Some(Cipher::TripleDes) => policy.with_legacy(Legacy::TripleDes),
            _ => policy,
        };
        scep_client::Algorithms {
            policy,
            cipher: self.cipher.map(Into::into),
            key_transport: self.key_transport.into(),
        }
    }
}
