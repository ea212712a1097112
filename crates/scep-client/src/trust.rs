//! Which CA to trust, and what follows from that.

use pki_core::{Certificate, KeyUsage, Oid, SignatureVerifier, UnixTime, oids};
use scep_proto::ca_certificates::RaCertificates;

use crate::Untrusted;

/// What the certificate of an RA may be for, where it says: id-kp-cmcRA (RFC 6402 §2.10), and Microsoft's Certificate
/// Request Agent, which NDES has.
const RA_USAGES: [Oid; 3] = [
    oids::ANY_EXTENDED_KEY_USAGE,
    Oid::new_unwrap("1.3.6.1.5.5.7.3.28"),
    Oid::new_unwrap("1.3.6.1.4.1.311.20.2.1"),
];

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
    issuer: Certificate,
    issuers: Vec<Certificate>,
    recipient: Certificate,
    reply_signers: Vec<Certificate>,
}

impl TrustedCa {
    /// Judges an answer to GetCACert: the certificate that `trust` names is among them, and those used for messages
    /// are it or descend from it and are valid now. Others are left out, and so are certificates whose extKeyUsage says
    /// that they are for something else than an RA: a device's certificate is the CA's as well, and whoever put it
    /// into the answer would read the challenge.
    ///
    /// Where an RA has one certificate for encryption and another for signatures, as NDES does, each is used for its
    /// own. Where no keyUsage fits, it is ignored, as
    /// [RFC 8894 §3.5.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.5.2) advises.
    pub fn new(
        certificates: &[Certificate],
        trust: Trust,
        verifier: &dyn SignatureVerifier,
        now: UnixTime,
    ) -> Result<Self, Untrusted> {
        Self::with_ra(certificates, &[], trust, verifier, now)
    }

    /// The same, where somebody trustworthy has named the certificates of the RA: they count whoever issued them and
    /// whatever their extKeyUsage says.
    pub fn with_ra(
        certificates: &[Certificate],
        ra: &[Certificate],
        trust: Trust,
        verifier: &dyn SignatureVerifier,
        now: UnixTime,
    ) -> Result<Self, Untrusted> {
        let ca = Self::below(anchor(certificates, trust)?, certificates, ra, verifier)?;
        for certificate in [&ca.anchor, &ca.issuer, &ca.recipient] {
            check_validity(certificate, now)?;
        }
        let valid = |certificate: &Certificate| certificate.validity().contains(now);
        let reply_signers = ca.reply_signers.into_iter().filter(valid).collect();
        Ok(Self { reply_signers, ..ca })
    }

    /// The CA that takes over from this one, by certificates that this one has vouched for. It need not be valid yet.
    pub(crate) fn next(
        &self,
        certificates: &[Certificate],
        verifier: &dyn SignatureVerifier,
        now: UnixTime,
    ) -> Result<Self, Untrusted> {
        let mut ca = Self::below(anchor(certificates, Trust::FirstSeen)?, certificates, &[], verifier)?;
        for certificate in [&ca.anchor, &ca.issuer, &ca.recipient] {
            check_validity(certificate, now.max(certificate.validity().not_before()))?;
        }
        ca.reply_signers.extend_from_slice(&self.reply_signers);
        Ok(ca)
    }

    /// `anchor`, what of `certificates` descends from it, and `ra`.
    fn below(
        anchor: Certificate,
        certificates: &[Certificate],
        ra: &[Certificate],
        verifier: &dyn SignatureVerifier,
    ) -> Result<Self, Untrusted> {
        let mut trusted = descendants(&anchor, certificates, verifier);
        trusted
            .retain(|certificate| certificate == &anchor || may_issue(certificate) || may_be_ra(certificate));
        let issuers = trusted.iter().filter(|&certificate| may_issue(certificate)).cloned().collect();
        let (issuer, recipient) = match RaCertificates::pick(ra_first(&anchor, ra).as_slice()) {
            Some(named) if !ra.is_empty() => {
                (roles(&trusted).map_or(anchor.clone(), |(issuer, _)| issuer), named.encryption)
            }
            _ => roles(&trusted).ok_or(Untrusted::NoRa)?,
        };
        trusted.extend_from_slice(ra);
        Ok(Self { anchor, issuer, issuers, recipient, reply_signers: trusted })
    }

    /// The certificate that was trusted.
    pub fn certificate(&self) -> &Certificate {
        &self.anchor
    }

    /// The CA that issues; the trusted one, or one below it.
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// The trusted CA certificate and those below it.
    pub fn issuers(&self) -> &[Certificate] {
        &self.issuers
    }

    /// What requests are encrypted to.
    pub fn recipient(&self) -> &Certificate {
        &self.recipient
    }

    /// Who may sign replies.
    pub fn reply_signers(&self) -> &[Certificate] {
        &self.reply_signers
    }

    /// Whether this CA issued `certificate`.
    pub(crate) fn issued(&self, certificate: &Certificate, verifier: &dyn SignatureVerifier) -> bool {
        self.issuers.iter().any(|issuer| issued_by(certificate, issuer, verifier))
    }
}

/// The RA's certificates as GetCACert would list them.
fn ra_first(anchor: &Certificate, ra: &[Certificate]) -> Vec<Certificate> {
    ra.iter().chain([anchor]).cloned().collect()
}

/// The CA that issues, and the certificate that requests are encrypted to.
fn roles(trusted: &[Certificate]) -> Option<(Certificate, Certificate)> {
    if let Some(picked) = RaCertificates::pick(trusted) {
        return Some((picked.ca, picked.encryption));
    }
    // No keyUsage fits; an RA that can decrypt at all will have to do.
    let ra = trusted.iter().find(|certificate| certificate.public_key().can_encipher())?;
    let issuer = trusted.iter().find(|issuer| ra.issuer().matches(issuer.subject()))?;
    Some((issuer.clone(), ra.clone()))
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
        Trust::FirstSeen => roles(certificates).map(|(issuer, _)| issuer).ok_or(Untrusted::NoRa),
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

fn may_be_ra(certificate: &Certificate) -> bool {
    let usages = certificate.extended_key_usages();
    usages.is_ok_and(|usages| usages.is_empty() || usages.iter().any(|usage| RA_USAGES.contains(usage)))
}

fn check_validity(certificate: &Certificate, now: UnixTime) -> Result<(), Untrusted> {
    let validity = certificate.validity();
    if validity.contains(now) {
        return Ok(());
    }
    let (from, to) = (validity.not_before(), validity.not_after());
    Err(Untrusted::NotNow { subject: certificate.subject().to_string(), from, to, now })
}
