//! Which certificates of CAs go along with others.

use std::path::Path;

use keys_software::AwsLc;
use ocsp_server::ServerError;
use pki_core::Certificate;

use crate::settings::{ProfileSettings, ReplyKind};

/// The certificates of CAs that a profile hands out.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    ca: Certificate,
    above: Vec<Certificate>,
}

impl Chain {
    /// The CA's certificate and those of the profile's `chain_file`, which must lead upward from it. Relative paths are
    /// below `data`.
    pub(crate) fn new(ca: &Certificate, profile: &ProfileSettings, data: &Path) -> Result<Self, ServerError> {
        let wants_chain = [profile.reply_with, profile.get_ca_cert].contains(&ReplyKind::Chain);
        let wrong =
            |problem: &str| ServerError::new(format_args!("the profile {:?}: {problem}", profile.name));
        if profile.get_ca_cert == ReplyKind::Nothing {
            return Err(wrong(
                "get_ca_cert: expected \"ca\" or \"chain\": clients need the CA's certificate",
            ));
        }
        let above = match (&profile.chain_file, wants_chain) {
            (Some(file), _) => read(&data.join(file), ca)?,
            (None, false) => Vec::new(),
            (None, true) => {
                return Err(wrong("\"chain\" needs chain_file, a file with the certificates above the CA's"));
            }
        };
        Ok(Self { ca: ca.clone(), above })
    }

    /// The CA's certificate alone.
    pub(crate) fn of_ca(ca: &Certificate) -> Self {
        Self { ca: ca.clone(), above: Vec::new() }
    }

    /// Those of that kind.
    pub(crate) fn of_kind(&self, kind: ReplyKind) -> Vec<Certificate> {
        match kind {
            ReplyKind::Nothing => Vec::new(),
            ReplyKind::Ca => vec![self.ca.clone()],
            ReplyKind::Chain => std::iter::once(&self.ca).chain(&self.above).cloned().collect(),
        }
    }
}

fn read(path: &Path, ca: &Certificate) -> Result<Vec<Certificate>, ServerError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let text = std::fs::read_to_string(path).map_err(|error| ServerError::of_file(path, error))?;
    let blocks = text.match_indices(BEGIN).map(|(at, _)| text.get(at..).unwrap_or_default());
    let certificates = blocks.map(Certificate::from_pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| ServerError::of_file(path, error))?;
    let mut below = ca;
    for above in &certificates {
        let is_issuer = below.issuer().matches(above.subject())
            && below.verify_signed_by(above.public_key(), &AwsLc).is_ok();
        if !is_issuer {
            let problem = format_args!(
                "expected the certificate of {}, which issued {}: it is that of {}",
                below.issuer(),
                below.subject(),
                above.subject()
            );
            return Err(ServerError::of_file(path, problem));
        }
        below = above;
    }
    if certificates.is_empty() {
        return Err(ServerError::of_file(path, "expected certificates in PEM: none"));
    }
    Ok(certificates)
}
