//! Which CA to trust, and what follows from that.

use pki_core::{Certificate, KeyUsage, SignatureVerifier, UnixTime};
use scep_proto::ca_certificates::RaCertificates;

use crate::Untrusted;

/// Why a CA is trusted ([RFC 8894 §2.2](https://www.rfc-editor.org/rfc/rfc8894#section-2.2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// SHA-256 over the DER of its certificate, which somebody trustworthy told.
    Fingerprint([u8; 32]),
    /// Whichever answers first. Anyone on the way can pose as the CA, and then reads the challenge.
    FirstSeen,
}

/// A CA that is trusted, and the certificates of its RA that it vouches for.
#[derive(Debug, Clone)]
pub struct TrustedCa {
    anchor: Certificate,
    issuers: Vec<Certificate>,
    ra: RaCertificates,
}

impl TrustedCa {
    /// Judges an answer to GetCACert: the certificate that `trust` names is among them, and those used for messages
    /// are it or descend from it and are valid now. Others are left out.
    pub fn new(
        certificates: &[Certificate],
        trust: Trust,
        verifier: &dyn SignatureVerifier,
        now: UnixTime,
    ) -> Result<Self, Untrusted> {
        let anchor = anchor(certificates, trust)?;
        let trusted = descendants(&anchor, certificates, verifier);
        let ra = RaCertificates::pick(&trusted).ok_or(Untrusted::NoRa)?;
        for certificate in [&anchor, &ra.encryption, &ra.signing] {
            check_validity(certificate, now)?;
        }
        let issuers = trusted.into_iter().filter(may_issue).collect();
        Ok(Self { anchor, issuers, ra })
    }

    /// The certificate that was trusted.
    pub fn certificate(&self) -> &Certificate {
        &self.anchor
    }

    /// The CA that issues; the trusted one, or one below it.
    pub fn issuer(&self) -> &Certificate {
        &self.ra.ca
    }

    /// What requests are encrypted to.
    pub(crate) fn recipient(&self) -> &Certificate {
        &self.ra.encryption
    }

    /// Who may sign replies.
    pub(crate) fn reply_signers(&self) -> [Certificate; 2] {
        [self.ra.signing.clone(), self.ra.ca.clone()]
    }

    /// Whether this CA issued `certificate`.
    pub(crate) fn issued(&self, certificate: &Certificate, verifier: &dyn SignatureVerifier) -> bool {
        self.issuers.iter().any(|issuer| issued_by(certificate, issuer, verifier))
    }
}

fn anchor(certificates: &[Certificate], trust: Trust) -> Result<Certificate, Untrusted> {
    match trust {
        Trust::Fingerprint(expected) => {
            let anchor = certificates.iter().find(|certificate| certificate.fingerprint() == expected);
            anchor.cloned().ok_or_else(|| Untrusted::Fingerprint {
                expected,
                found: certificates.iter().map(Certificate::fingerprint).collect(),
            })
        }
        Trust::FirstSeen => {
            let picked = RaCertificates::pick(certificates).ok_or(Untrusted::NoRa)?;
            Ok(picked.ca)
        }
    }
}

/// `anchor`, and those of `certificates` that it or a CA below it signed. Their number bounds the work: a message
/// carries few certificates, and each is accepted at most once.
fn descendants(
    anchor: &Certificate,
    certificates: &[Certificate],
    verifier: &dyn SignatureVerifier,
) -> Vec<Certificate> {
    let mut trusted = vec![anchor.clone()];
    let mut rest: Vec<&Certificate> = certificates.iter().filter(|&other| other != anchor).collect();
    loop {
        let vouched_for = |certificate: &Certificate| {
            trusted.iter().any(|issuer| may_issue(issuer) && issued_by(certificate, issuer, verifier))
        };
        let (found, left): (Vec<_>, Vec<_>) = rest.into_iter().partition(|&other| vouched_for(other));
        if found.is_empty() {
            return trusted;
        }
        trusted.extend(found.into_iter().cloned());
        rest = left;
    }
}

fn issued_by(certificate: &Certificate, issuer: &Certificate, verifier: &dyn SignatureVerifier) -> bool {
    certificate.issuer().matches(issuer.subject())
        && certificate.verify_signed_by(issuer.public_key(), verifier).is_ok()
}

fn may_issue(certificate: &Certificate) -> bool {
    let ca = certificate.basic_constraints().is_ok_and(|constraints| constraints.ca);
    let signs = certificate
        .key_usage()
        .is_ok_and(|usage| usage.is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN)));
    ca && signs
}

fn check_validity(certificate: &Certificate, now: UnixTime) -> Result<(), Untrusted> {
    let validity = certificate.validity();
    if validity.contains(now) {
        return Ok(());
    }
    let (from, to) = (validity.not_before(), validity.not_after());
    Err(Untrusted::NotNow { subject: certificate.subject().to_string(), from, to, now })
}
