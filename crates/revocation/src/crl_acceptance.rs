//! Which CRLs are believed.

use std::time::Duration;

use pki_core::{
    Certificate, CoveredCertificates, Crl, CrlNumber, DecodeError, KeyUsage, Oid, SignatureAlgorithm,
    SignatureVerifier, UnixTime, oids, tlv,
};

/// How far ahead of ours the clock of a CRL's issuer may be.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Whose CRLs are believed, and which of them.
#[derive(Debug)]
pub(crate) struct Acceptance {
    issuer: Certificate,
    /// subjectKeyIdentifier of the issuer, where it has one.
    key_identifier: Option<Vec<u8>>,
    /// What a CRL that is one of several must be named.
    distribution_point: Option<String>,
}

impl Acceptance {
    /// Fails when the issuer's certificate does not let it sign CRLs.
    pub(crate) fn new(issuer: Certificate, distribution_point: Option<String>) -> Result<Self, NoCrlIssuer> {
        if issuer.key_usage()?.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(NoCrlIssuer::MayNotSignCrls);
        }
        let key_identifier = match issuer.extension(oids::SUBJECT_KEY_IDENTIFIER) {
            None => None,
            Some(extension) => {
                let mut value = tlv::Cursor::over(extension.value(), "a SubjectKeyIdentifier")?;
                Some(value.expect(tlv::OCTET_STRING)?.value.to_vec())
            }
        };
        Ok(Self { issuer, key_identifier, distribution_point })
    }

    /// Whether to believe `crl` at `now` (RFC 5280 §6.3.3); until when.
    pub(crate) fn check(
        &self,
        crl: &Crl,
        now: UnixTime,
        verifier: &dyn SignatureVerifier,
    ) -> Result<UnixTime, CrlRefused> {
        if !crl.issuer().matches(self.issuer.subject()) {
            return Err(CrlRefused::OtherIssuer { found: crl.issuer().to_string() });
        }
        let keys = self.key_identifier.as_deref().zip(crl.authority_key());
        if keys.is_some_and(|(own, named)| own != named) {
            return Err(CrlRefused::OtherKey);
        }
        if let Some(oid) = crl.unknown_critical() {
            return Err(CrlRefused::UnknownCritical(oid));
        }
        self.check_scope(crl)?;
        let next_update = crl.next_update().ok_or(CrlRefused::NoNextUpdate)?;
        if crl.this_update() > now.saturating_add(TOLERANCE) {
            return Err(CrlRefused::FromTheFuture { this_update: crl.this_update() });
        }
        if next_update < now {
            return Err(CrlRefused::RunOut { next_update });
        }
        // SHA-1 collides: whoever can have something revoked might have something else on the list as well, or off it.
        if crl.signature_algorithm().is_ok_and(|algorithm| algorithm == SignatureAlgorithm::RsaPkcs1Sha1) {
            return Err(CrlRefused::Sha1);
        }
        crl.verify_signed_by(self.issuer.public_key(), verifier).map_err(|_| CrlRefused::BadSignature)?;
        Ok(next_update)
    }

    fn check_scope(&self, crl: &Crl) -> Result<(), CrlRefused> {
        if crl.names_issuers() {
            return Err(CrlRefused::Partial("entries of other issuers (an indirect CRL)"));
        }
        let Some(scope) = crl.scope() else { return Ok(()) };
        if let Some(restriction) = scope.restriction() {
            return Err(CrlRefused::Partial(restriction));
        }
        match scope.covers() {
            CoveredCertificates::All | CoveredCertificates::EndEntities => {}
            CoveredCertificates::Authorities => return Err(CrlRefused::Partial("onlyContainsCACerts")),
            CoveredCertificates::Attributes => {
                return Err(CrlRefused::Partial("onlyContainsAttributeCerts"));
            }
        }
        let Some(mut uris) = scope.uris() else { return Ok(()) };
        match &self.distribution_point {
            Some(expected) if uris.any(|uri| uri == expected) => Ok(()),
            _ => Err(CrlRefused::OtherDistributionPoint {
                found: scope.uris().map(|uris| uris.collect::<Vec<_>>().join(", ")).unwrap_or_default(),
            }),
        }
    }
}

/// The certificate is no one's whose CRLs could be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCrlIssuer {
    /// keyUsage lacks cRLSign.
    #[error("expected the certificate of a CA that may sign CRLs: its keyUsage lacks cRLSign")]
    MayNotSignCrls,
    /// An extension of the certificate cannot be read.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// A CRL was not taken over; what was there before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlRefused {
    /// It is no CRL.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// Another CA issued it.
    #[error("expected a CRL of the configured issuer: it is one of {found}")]
    OtherIssuer {
        /// Which one, as text.
        found: String,
    },
    /// Another key of a CA of that name is to have signed it.
    #[error(
        "expected a CRL signed with the configured issuer's key: its authority key identifier names another"
    )]
    OtherKey,
    /// The signature does not hold.
    #[error("the CRL's signature does not verify")]
    BadSignature,
    /// It is signed with SHA-1.
    #[error("the CRL is signed with SHA-1: have its issuer sign with SHA-256 or better")]
    Sha1,
    /// It says something that this must know and does not.
    #[error("the CRL has a critical extension that is not known here: {0}")]
    UnknownCritical(Oid),
    /// It is not the whole word on the certificates of its issuer.
    #[error("expected a CRL that covers every certificate of its issuer: it has {0}")]
    Partial(&'static str),
    /// It is one of several, and not the one that was configured.
    #[error("the CRL is one of several, found at {found:?}: name that as its distribution point")]
    OtherDistributionPoint {
        /// Where it says that it is found.
        found: String,
    },
    /// It does not say until when it is good.
    #[error("the CRL has no nextUpdate, so that nobody can tell whether it is still good")]
    NoNextUpdate,
    /// It was issued after now.
    #[error(
        "the CRL was issued at {this_update}, which is yet to come: correct the clock, here or at its issuer"
    )]
    FromTheFuture {
        /// When.
        this_update: UnixTime,
    },
    /// Its time is over.
    #[error("the CRL was good until {next_update}: see that its issuer publishes, and where")]
    RunOut {
        /// Until when it was good.
        next_update: UnixTime,
    },
    /// A later one was taken over before.
    #[error(
        "the CRL is older than the one before it (number {found:?}, before {held:?}): it may have been replayed"
    )]
    Older {
        /// Its number.
        found: Option<CrlNumber>,
        /// The number of the one before.
        held: Option<CrlNumber>,
    },
    /// A delta CRL, where none are used, or one without a number.
    #[error("expected a full CRL: it is a delta CRL; name its place as that of deltas")]
    UnexpectedDelta,
}
