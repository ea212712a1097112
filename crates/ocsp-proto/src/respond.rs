//! Building a response around a signature that is made elsewhere.

use alloc::vec::Vec;
use core::time::Duration;

use pki_core::{CertStatus, UnixTime};

use crate::{
    CertId, Delegate, Request, Response, SingleStatus, oids,
    reader::{ENUMERATED, GENERALIZED_TIME, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, explicit},
    response::ResponseTimes,
    writer::BackWriter,
};

/// What goes into a response besides the statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResponseOptions {
    nonce: NonceReply,
    archive_retention: Option<Duration>,
}

/// What becomes of the nonce of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum NonceReply {
    /// The response repeats it.
    #[default]
    Repeated,
    /// The response has none, so that it is good for everyone (RFC 9919 §3.2.1).
    LeftOut,
}

impl ResponseOptions {
    /// What becomes of the nonce; it is repeated by default.
    #[must_use]
    pub fn with_nonce(self, nonce: NonceReply) -> Self {
        Self { nonce, ..self }
    }

    /// Says of certificates that are good or revoked that their status is kept for that long past their end: the archive
    /// cutoff of [RFC 6960 §4.4.4](https://www.rfc-editor.org/rfc/rfc6960#section-4.4.4), producedAt less `retention`.
    #[must_use]
    pub fn with_archive_cutoff(self, retention: Duration) -> Self {
        Self { archive_retention: Some(retention), ..self }
    }
}

impl Delegate {
    /// Answers `request`: one status for each CertID, in order. The nonce is repeated, CertIDs go back byte for byte.
    ///
    /// Times are put right, never forward: thisUpdate is no later than `produced_at`, revocationTime no later than
    /// thisUpdate, and nextUpdate no later than the end of this delegate's certificate.
    pub fn respond(
        &self,
        request: &Request<'_>,
        statuses: &[SingleStatus],
        produced_at: UnixTime,
    ) -> Result<UnsignedResponse, RespondError> {
        self.respond_with(request, statuses, produced_at, ResponseOptions::default())
    }

    /// The same, with more or less in it.
    pub fn respond_with(
        &self,
        request: &Request<'_>,
        statuses: &[SingleStatus],
        produced_at: UnixTime,
        options: ResponseOptions,
    ) -> Result<UnsignedResponse, RespondError> {
        let cert_ids = request.cert_ids();
        if cert_ids.len() != statuses.len() {
            return Err(RespondError::StatusCount { asked: cert_ids.len(), given: statuses.len() });
        }
        if !cert_ids.iter().all(|cert_id| self.issuer().is_named_by(cert_id)) {
            return Err(RespondError::OtherIssuer);
        }
        let statuses = self.put_times_right(statuses, produced_at)?;
        let nonce = request.nonce_extension_value().filter(|_| options.nonce == NonceReply::Repeated);
        let cutoff = options.archive_retention.map(|retention| produced_at.saturating_sub(retention));
        let tbs = self.response_data(cert_ids, &statuses, produced_at, nonce, cutoff);
        Ok(UnsignedResponse {
            tbs,
            delegate: self.clone(),
            times: ResponseTimes { produced_at, next_update: earliest(&statuses) },
            is_cacheable: nonce.is_none() && statuses.iter().all(is_authoritative),
        })
    }

    fn put_times_right(
        &self,
        statuses: &[SingleStatus],
        produced_at: UnixTime,
    ) -> Result<Vec<SingleStatus>, RespondError> {
        let validity = self.certificate().validity();
        if !validity.contains(produced_at) {
            return Err(RespondError::DelegateNotValid { not_after: validity.not_after(), produced_at });
        }
        let put_right = |single: &SingleStatus| {
            let this_update = single.this_update.min(produced_at);
            let next_update = single.next_update.map(|time| time.min(validity.not_after()));
            let status = match single.status {
                CertStatus::Revoked { at, reason } => CertStatus::Revoked { at: at.min(this_update), reason },
                other => other,
            };
            match next_update {
                Some(next_update) if next_update < produced_at => {
                    Err(RespondError::OutOfDate { next_update, produced_at })
                }
                _ => Ok(SingleStatus { status, this_update, next_update }),
            }
        };
        statuses.iter().map(put_right).collect()
    }

    /// ```text
    /// ResponseData ::= SEQUENCE {
    ///     version [0] EXPLICIT Version DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
    ///     responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
    /// ```
    fn response_data(
        &self,
        cert_ids: &[CertId<'_>],
        statuses: &[SingleStatus],
        produced_at: UnixTime,
        nonce: Option<&[u8]>,
        archive_cutoff: Option<UnixTime>,
    ) -> Vec<u8> {
        const AROUND: usize = 80;
        const AROUND_EACH: usize = 72;
        const ARCHIVE_CUTOFF: usize = 36;
        let around_each = AROUND_EACH.saturating_add(archive_cutoff.map_or(0, |_| ARCHIVE_CUTOFF));
        let of_each = cert_ids.iter().map(|id| id.as_der().len().saturating_add(around_each));
        let mut size = of_each.fold(AROUND, usize::saturating_add);
        size = size.saturating_add(nonce.map_or(0, |nonce| nonce.len().saturating_add(32)));
        let mut out = BackWriter::with_capacity(size);
        out.wrap(SEQUENCE, |out| {
            put_response_extensions(out, nonce, statuses);
            out.wrap(SEQUENCE, |out| {
                for (cert_id, single) in cert_ids.iter().zip(statuses).rev() {
                    put_single_response(out, cert_id, single, archive_cutoff);
                }
            });
            put_time(out, produced_at);
            out.put(self.responder_id());
        });
        out.finish()
    }
}

/// A response that lacks only its signature.
#[derive(Debug)]
#[must_use]
pub struct UnsignedResponse {
    tbs: Vec<u8>,
    delegate: Delegate,
    times: ResponseTimes,
    is_cacheable: bool,
}

impl UnsignedResponse {
    /// The bytes to sign, with the delegate's key: the DER of ResponseData.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The delegate whose key is to sign.
    pub fn delegate(&self) -> &Delegate {
        &self.delegate
    }

    /// The response, with the signature made over [`UnsignedResponse::tbs`].
    ///
    /// ```text
    /// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT ResponseBytes OPTIONAL }
    /// ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
    /// BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier,
    ///                                  signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
    /// ```
    pub fn finish(self, signature: &[u8]) -> Response {
        let (delegate, tbs) = (&self.delegate, &self.tbs);
        let size = [tbs.len(), signature.len(), delegate.certs().len(), delegate.algorithm_der().len(), 64]
            .into_iter()
            .fold(0, usize::saturating_add);
        let mut out = BackWriter::with_capacity(size);
        out.wrap(SEQUENCE, |out| {
            out.wrap(explicit(0), |out| {
                out.wrap(SEQUENCE, |out| {
                    out.wrap(OCTET_STRING, |out| {
                        out.wrap(SEQUENCE, |out| put_basic(out, delegate, tbs, signature));
                    });
                    out.element(OBJECT_IDENTIFIER, oids::BASIC);
                });
            });
            out.element(ENUMERATED, &[0]);
        });
        Response::signed(out.finish(), self.times, self.is_cacheable)
    }
}

/// Why no response could be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespondError {
    /// Not one status for each CertID.
    #[error("the request asks about {asked} certificates, and {given} statuses were given")]
    StatusCount {
        /// CertIDs in the request.
        asked: usize,
        /// Statuses given.
        given: usize,
    },
    /// A CertID names a CA that the delegate does not speak for.
    #[error(
        "the request asks about a certificate of another CA than the one that delegated to this responder"
    )]
    OtherIssuer,
    /// The delegate's certificate is not valid now.
    #[error("the responder certificate is not valid at {produced_at}; it ends at {not_after}")]
    DelegateNotValid {
        /// Last second of its validity.
        not_after: UnixTime,
        /// When the response was to be made.
        produced_at: UnixTime,
    },
    /// The response would be out of date before it is made.
    #[error("the status is reliable until {next_update} and it is {produced_at}")]
    OutOfDate {
        /// The end of the status's reliability.
        next_update: UnixTime,
        /// When the response was to be made.
        produced_at: UnixTime,
    },
}

fn put_basic(out: &mut BackWriter, delegate: &Delegate, tbs: &[u8], signature: &[u8]) {
    out.put(delegate.certs());
    out.wrap(crate::reader::BIT_STRING, |out| {
        out.put(signature);
        out.put(&[0]);
    });
    out.put(delegate.algorithm_der());
    out.put(tbs);
}

/// ```text
/// SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
///     nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
fn put_single_response(
    out: &mut BackWriter,
    cert_id: &CertId<'_>,
    single: &SingleStatus,
    archive_cutoff: Option<UnixTime>,
) {
    out.wrap(SEQUENCE, |out| {
        if let Some(cutoff) = archive_cutoff.filter(|_| is_authoritative(single)) {
            out.wrap(explicit(1), |out| out.wrap(SEQUENCE, |out| put_archive_cutoff(out, cutoff)));
        }
        if let Some(next_update) = single.next_update {
            out.wrap(explicit(0), |out| put_time(out, next_update));
        }
        put_time(out, single.this_update);
        put_cert_status(out, single.status);
        out.put(cert_id.as_der());
    });
}

/// ```text
/// CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT NULL }
/// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }
/// ```
fn put_cert_status(out: &mut BackWriter, status: CertStatus) {
    match status {
        CertStatus::Good => out.put(&[0x80, 0]),
        CertStatus::Unknown => out.put(&[0x82, 0]),
        CertStatus::Revoked { at, reason } => out.wrap(explicit(1), |out| {
            if let Some(reason) = reason {
                out.wrap(explicit(0), |out| out.element(ENUMERATED, &[reason.code()]));
            }
            put_time(out, at);
        }),
    }
}

fn put_response_extensions(out: &mut BackWriter, nonce: Option<&[u8]>, statuses: &[SingleStatus]) {
    let extended_revoke = statuses.iter().any(SingleStatus::says_not_issued);
    if nonce.is_none() && !extended_revoke {
        return;
    }
    out.wrap(explicit(1), |out| {
        out.wrap(SEQUENCE, |out| {
            if extended_revoke {
                put_extension(out, oids::EXTENDED_REVOKE, &[5, 0]);
            }
            if let Some(nonce) = nonce {
                put_extension(out, oids::NONCE, nonce);
            }
        });
    });
}

/// Puts an extension that is not critical.
pub(crate) fn put_extension(out: &mut BackWriter, id: &[u8], value: &[u8]) {
    out.wrap(SEQUENCE, |out| {
        out.element(OCTET_STRING, value);
        out.element(OBJECT_IDENTIFIER, id);
    });
}

/// ```text
/// ArchiveCutoff ::= GeneralizedTime
/// ```
fn put_archive_cutoff(out: &mut BackWriter, cutoff: UnixTime) {
    let mut value = BackWriter::with_capacity(17);
    put_time(&mut value, cutoff);
    put_extension(out, oids::ARCHIVE_CUTOFF, &value.finish());
}

fn put_time(out: &mut BackWriter, time: UnixTime) {
    out.element(GENERALIZED_TIME, &time.to_generalized());
}

/// The first nextUpdate; `None` if one is absent.
fn earliest(statuses: &[SingleStatus]) -> Option<UnixTime> {
    statuses.iter().map(|single| single.next_update).min().flatten()
}

/// Whether this rests on a record of the certificate. What is unknown today may be issued in a minute.
fn is_authoritative(single: &SingleStatus) -> bool {
    single.status != CertStatus::Unknown && !single.says_not_issued()
}
