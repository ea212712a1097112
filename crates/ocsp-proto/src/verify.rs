//! Judging a response, as a client does.

use alloc::vec::Vec;
use core::time::Duration;

use pki_core::{
    AlgorithmError, CertStatus, Certificate, CrlReason, DecodeError, Name, Oid, SignatureAlgorithm,
    SignatureVerifier, UnixTime,
};

use crate::{
    CertId, DelegateError, ErrorStatus, NonceDemand, Question, SingleStatus,
    delegate::{has_nocheck, is_issued_by, is_valid_at, may_answer},
    nonce::Nonce,
    oids,
    reader::{ENUMERATED, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, explicit},
    request::{RawExtension, each_extension},
};

const WHAT: &str = "an OCSPResponse";

/// More certificates, or more statuses, than this in one response are refused.
const MAX_CERTIFICATES: usize = 10;
const MAX_RESPONSES: usize = 64;

impl Question {
    /// Accepts a response by the rules of [RFC 6960 §3.2](https://www.rfc-editor.org/rfc/rfc6960#section-3.2): there
    /// is one status for each CertID asked about; the signature holds, and is the issuer's own or that of a delegate
    /// which the issuer's key certified directly for id-kp-OCSPSigning, or of one that [`Question::trusting`] names; every
    /// status is of `now`, give or take `tolerance`, and as recent as [`Question::with_max_age`] says; and the nonce, if
    /// both sides have one, is the one sent.
    ///
    /// A response without nextUpdate is refused (RFC 9919 §4). One without the nonce that was asked for is not:
    /// RFC 9919 §4 has clients fall back to the times, and [`VerifiedResponse::nonce`] tells.
    pub fn verify(
        &self,
        response: &[u8],
        now: UnixTime,
        tolerance: Duration,
        verifier: &dyn SignatureVerifier,
    ) -> Result<VerifiedResponse, VerifyError> {
        let basic = Basic::from_response(response)?;
        let data = ResponseData::from_der(basic.tbs)?;
        let algorithm = SignatureAlgorithm::from_der(basic.algorithm)?;
        let signer = self.signer(&data, &basic, algorithm, now, verifier)?;
        if algorithm == SignatureAlgorithm::RsaPkcs1Sha1 {
            return Err(VerifyError::WeakSignature);
        }
        let nonce = self.check_nonce(data.nonce)?;
        let statuses =
            self.cert_ids().iter().map(|cert_id| data.status_of(cert_id)).collect::<Result<_, _>>()?;
        let statuses: Vec<SingleStatus> = statuses;
        let max_age = self.demands().max_age;
        statuses.iter().try_for_each(|single| is_fresh(single, now, tolerance, max_age))?;
        let (signer, entitlement) = signer;
        Ok(VerifiedResponse { produced_at: data.produced_at, statuses, nonce, signer, entitlement })
    }

    /// Who signed, if that is someone who may. Several may be called what the response calls its signer, so each is
    /// tried.
    fn signer(
        &self,
        data: &ResponseData<'_>,
        basic: &Basic<'_>,
        algorithm: SignatureAlgorithm,
        now: UnixTime,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(Certificate, Entitlement), VerifyError> {
        let issuer = self.issuer().certificate();
        let (trusted, enclosed) = (self.demands().trusted.iter(), basic.certificates()?);
        let local = trusted.map(|certificate| (certificate, Entitlement::Trusted));
        let named = local.chain([(issuer, Entitlement::Issuer)]);
        let named =
            named.chain(enclosed.iter().map(|certificate| (certificate, Entitlement::of(certificate))));
        let mut problem = VerifyError::SignerMissing;
        for (certificate, entitlement) in named.filter(|(certificate, _)| data.responder.is(certificate)) {
            if let Err(error) = entitlement.check(certificate, issuer, now, verifier) {
                if problem == VerifyError::SignerMissing {
                    problem = error.into();
                }
            } else if verifier.verify(certificate.public_key(), algorithm, basic.tbs, basic.signature).is_ok()
            {
                return Ok((certificate.clone(), entitlement));
            } else {
                problem = VerifyError::BadSignature;
            }
        }
        Err(problem)
    }

    fn check_nonce(&self, returned: Option<&[u8]>) -> Result<NonceCheck, VerifyError> {
        match (self.nonce(), returned) {
            // RFC 9919 §4: a nonce nobody asked for is to be ignored.
            (None, _) => Ok(NonceCheck::NotAsked),
            (Some(_), None) if self.demands().nonce == NonceDemand::Required => Err(VerifyError::NoNonce),
            (Some(_), None) => Ok(NonceCheck::Absent),
            (Some(sent), Some(value)) => {
                let matches = Nonce::from_extension_value(value).is_ok_and(|nonce| nonce.octets() == sent);
                if matches { Ok(NonceCheck::Matched) } else { Err(VerifyError::WrongNonce) }
            }
        }
    }
}

/// A response that may be believed.
#[derive(Debug, Clone)]
pub struct VerifiedResponse {
    produced_at: UnixTime,
    statuses: Vec<SingleStatus>,
    nonce: NonceCheck,
    signer: Certificate,
    entitlement: Entitlement,
}

impl VerifiedResponse {
    /// When it was made.
    pub fn produced_at(&self) -> UnixTime {
        self.produced_at
    }

    /// One status for each certificate asked about, in the order of the [`Question`].
    pub fn statuses(&self) -> &[SingleStatus] {
        &self.statuses
    }

    /// Whether it was made for this request.
    pub fn nonce(&self) -> NonceCheck {
        self.nonce
    }

    /// Whose key signed it: the issuer, its delegate, or one that is trusted for another reason.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Why its signer may say this.
    pub fn entitlement(&self) -> Entitlement {
        self.entitlement
    }
}

/// Why the signer of a response may speak for the issuer
/// ([RFC 6960 §4.2.2.2](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every client must decide each case")]
pub enum Entitlement {
    /// The client was told to trust it.
    Trusted,
    /// It is the issuer.
    Issuer,
    /// The issuer delegated to it, and says that it need not be asked about (id-pkix-ocsp-nocheck).
    Delegate,
    /// The issuer delegated to it. Whether it was revoked since is for the client to find out, by a CRL or by asking
    /// whoever its authorityInfoAccess names (§4.2.2.2.1).
    DelegateToBeChecked,
}

impl Entitlement {
    /// Of a certificate that came with the response.
    fn of(certificate: &Certificate) -> Self {
        if has_nocheck(certificate) { Self::Delegate } else { Self::DelegateToBeChecked }
    }

    fn check(
        self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: UnixTime,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), DelegateError> {
        match self {
            Self::Issuer => Ok(()),
            Self::Trusted => is_valid_at(certificate, now),
            Self::Delegate | Self::DelegateToBeChecked => {
                is_issued_by(certificate, issuer, verifier)?;
                is_valid_at(certificate, now)?;
                may_answer(certificate)
            }
        }
    }
}

/// What became of the nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every client must decide each case")]
pub enum NonceCheck {
    /// The request had none.
    NotAsked,
    /// The request had one and the response repeats it: the response is no older than the request.
    Matched,
    /// The request had one and the response has none: only its times say how old it is.
    Absent,
}

/// A response that must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not DER, not an OCSPResponse, or not of the basic type.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The responder declined to answer.
    #[error("the responder answers {0}")]
    Refused(ErrorStatus),
    /// The signer's certificate is neither the issuer's nor in the response.
    #[error("the response does not hold the certificate of its signer")]
    SignerMissing,
    /// The signer may not speak for the issuer.
    #[error(transparent)]
    SignerNotEntitled(#[from] DelegateError),
    /// The signature's algorithm is not known.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// The signature uses SHA-1.
    #[error("the response is signed by an algorithm that is too weak")]
    WeakSignature,
    /// The signature does not hold.
    #[error("the signature of the response does not verify")]
    BadSignature,
    /// The nonce is another than that of the request.
    #[error("the response was made for another request: its nonce differs")]
    WrongNonce,
    /// There is no nonce, and one was required.
    #[error("the response lacks the nonce of the request; it may be an old one")]
    NoNonce,
    /// An extension that must not be ignored and is not known.
    #[error("the response has the critical extension {0}, which is not known here")]
    UnknownCriticalExtension(Oid),
    /// A certificate that was asked about is not in the response, or twice.
    #[error("the response holds {found} statuses of a certificate asked about, where one belongs")]
    StatusCount {
        /// How many statuses it holds.
        found: usize,
    },
    /// thisUpdate lies in the future.
    #[error("the status is of {this_update}, which is yet to come; check the clocks")]
    NotYetValid {
        /// thisUpdate.
        this_update: UnixTime,
    },
    /// thisUpdate lies too far in the past for this client.
    #[error("the status is of {this_update}, which is too long ago")]
    TooOld {
        /// thisUpdate.
        this_update: UnixTime,
    },
    /// nextUpdate lies in the past.
    #[error("the status was to be renewed at {next_update}")]
    OutOfDate {
        /// nextUpdate.
        next_update: UnixTime,
    },
    /// nextUpdate is absent.
    #[error("the status does not say until when it may be relied on")]
    NoNextUpdate,
}

fn is_fresh(
    single: &SingleStatus,
    now: UnixTime,
    tolerance: Duration,
    max_age: Option<Duration>,
) -> Result<(), VerifyError> {
    let SingleStatus { this_update, next_update, .. } = *single;
    let next_update = next_update.ok_or(VerifyError::NoNextUpdate)?;
    if this_update > now.saturating_add(tolerance) {
        return Err(VerifyError::NotYetValid { this_update });
    }
    if next_update.saturating_add(tolerance) < now {
        return Err(VerifyError::OutOfDate { next_update });
    }
    let age = now.saturating_since(this_update);
    if max_age.is_some_and(|max_age| age > max_age.saturating_add(tolerance)) {
        return Err(VerifyError::TooOld { this_update });
    }
    Ok(())
}

/// BasicOCSPResponse, undecoded; its ASN.1 stands at
/// [`UnsignedResponse::finish`](crate::UnsignedResponse::finish).
struct Basic<'a> {
    tbs: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    certs: Option<&'a [u8]>,
}

impl<'a> Basic<'a> {
    fn from_response(der: &'a [u8]) -> Result<Self, VerifyError> {
        let mut outer = Reader::into(der, SEQUENCE, WHAT)?;
        if let [code] = outer.expect(ENUMERATED)?.value
            && let Some(status) = ErrorStatus::from_code(*code)
        {
            return Err(VerifyError::Refused(status));
        }
        let mut explicit_bytes = outer.enter(explicit(0))?;
        outer.finish()?;
        let mut response_bytes = explicit_bytes.enter(SEQUENCE)?;
        explicit_bytes.finish()?;
        if response_bytes.expect(OBJECT_IDENTIFIER)?.value != oids::BASIC {
            return Err(DecodeError::new("a response of type id-pkix-ocsp-basic", "another type").into());
        }
        let basic = response_bytes.expect(OCTET_STRING)?.value;
        response_bytes.finish()?;
        Ok(Self::from_der(basic)?)
    }

    fn from_der(der: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Reader::into(der, SEQUENCE, "a BasicOCSPResponse")?;
        let tbs = fields.expect(SEQUENCE)?.bytes;
        let algorithm = fields.expect(SEQUENCE)?.bytes;
        let signature = fields.octet_bits()?;
        let certs = fields.optional(explicit(0))?.map(|element| element.value);
        fields.finish()?;
        Ok(Self { tbs, algorithm, signature, certs })
    }

    fn certificates(&self) -> Result<Vec<Certificate>, DecodeError> {
        let Some(certs) = self.certs else { return Ok(Vec::new()) };
        let mut list = Reader::into(certs, SEQUENCE, "the certs of a BasicOCSPResponse")?;
        let mut certificates = Vec::new();
        while !list.is_empty() {
            if certificates.len() >= MAX_CERTIFICATES {
                return Err(list.error("too many certificates"));
            }
            certificates.push(Certificate::from_der(list.expect(SEQUENCE)?.bytes)?);
        }
        Ok(certificates)
    }
}

struct ResponseData<'a> {
    responder: ResponderId<'a>,
    produced_at: UnixTime,
    responses: Vec<(CertId<'a>, SingleStatus)>,
    nonce: Option<&'a [u8]>,
}

impl<'a> ResponseData<'a> {
    fn from_der(der: &'a [u8]) -> Result<Self, VerifyError> {
        let mut fields = Reader::into(der, SEQUENCE, "a ResponseData")?;
        fields.version_1()?;
        let responder = ResponderId::read(&mut fields)?;
        let produced_at = fields.time()?;
        let mut list = fields.enter(SEQUENCE)?;
        let mut responses = Vec::new();
        while !list.is_empty() {
            if responses.len() >= MAX_RESPONSES {
                return Err(list.error("too many statuses").into());
            }
            responses.push(single_response(list.enter(SEQUENCE)?)?);
        }
        let mut nonce = None;
        if let Some(extensions) = fields.optional(explicit(1))? {
            each_extension(extensions.value, |extension| {
                if extension.id == oids::NONCE {
                    nonce = Some(extension.value);
                    return Ok(());
                }
                refuse_critical(&extension)
            })?;
        }
        fields.finish()?;
        Ok(Self { responder, produced_at, responses, nonce })
    }

    /// The one status of `cert_id`. Two would leave it to chance which is believed.
    fn status_of(&self, cert_id: &[u8]) -> Result<SingleStatus, VerifyError> {
        let asked = CertId::from_der(cert_id)?;
        let mut found = self.responses.iter().filter(|(answered, _)| asked.names_the_same(answered));
        match (found.next(), found.count()) {
            (Some((_, single)), 0) => Ok(*single),
            (first, more) => {
                Err(VerifyError::StatusCount { found: more.saturating_add(usize::from(first.is_some())) })
            }
        }
    }
}

enum ResponderId<'a> {
    Name(Name),
    /// SHA-1 of a key.
    Key(&'a [u8]),
}

impl<'a> ResponderId<'a> {
    fn read(fields: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if let Some(name) = fields.optional(explicit(1))? {
            return Ok(Self::Name(Name::from_der(name.value)?));
        }
        let mut key = fields.enter(explicit(2))?;
        let hash = key.expect(OCTET_STRING)?.value;
        key.finish()?;
        Ok(Self::Key(hash))
    }

    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.subject().matches(name),
            Self::Key(hash) => certificate.public_key().key_identifier() == **hash,
        }
    }
}

fn single_response(mut fields: Reader<'_>) -> Result<(CertId<'_>, SingleStatus), VerifyError> {
    let cert_id = CertId::from_der(fields.expect(SEQUENCE)?.bytes)?;
    let status = cert_status(&mut fields)?;
    let this_update = fields.time()?;
    let next_update = match fields.optional(explicit(0))? {
        None => None,
        Some(element) => {
            let mut inner = Reader::over(element.value, WHAT);
            let time = inner.time()?;
            inner.finish()?;
            Some(time)
        }
    };
    if let Some(extensions) = fields.optional(explicit(1))? {
        each_extension(extensions.value, |extension| refuse_critical(&extension))?;
    }
    fields.finish()?;
    Ok((cert_id, SingleStatus { status, this_update, next_update }))
}

fn cert_status(fields: &mut Reader<'_>) -> Result<CertStatus, DecodeError> {
    let element = fields.next()?;
    match (element.tag, element.value) {
        (0x80, []) => Ok(CertStatus::Good),
        (0x82, []) => Ok(CertStatus::Unknown),
        (0xA1, _) => {
            let mut revoked = Reader::over(element.value, "a RevokedInfo");
            let at = revoked.time()?;
            let reason = match revoked.optional(explicit(0))? {
                None => None,
                Some(element) => Some(crl_reason(element.value)?),
            };
            revoked.finish()?;
            Ok(CertStatus::Revoked { at, reason })
        }
        _ => Err(DecodeError::new("a CertStatus", format_args!("tag {:#04x}", element.tag))),
    }
}

fn crl_reason(explicit: &[u8]) -> Result<CrlReason, DecodeError> {
    let reason = match *explicit {
        [ENUMERATED, 1, code] => CrlReason::from_code(code),
        _ => None,
    };
    reason.ok_or_else(|| DecodeError::new("a CRLReason of RFC 5280 §5.3.1", "none of them"))
}

fn refuse_critical(extension: &RawExtension<'_>) -> Result<(), VerifyError> {
    if extension.critical {
        return Err(VerifyError::UnknownCriticalExtension(Oid::from_content(extension.id)?));
    }
    Ok(())
}
