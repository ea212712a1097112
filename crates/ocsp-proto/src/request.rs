//! OCSPRequest, as a responder reads it.

use alloc::vec::Vec;

use pki_core::{DecodeError, Oid, SignatureAlgorithm};

use crate::{
    CertId, ErrorStatus,
    nonce::Nonce,
    oids,
    preferred::Preferences,
    reader::{OCTET_STRING, Reader, SEQUENCE, explicit},
};

const WHAT: &str = "an OCSPRequest";

/// A request ([RFC 6960 §4.1.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.1.1)), parsed without copying.
///
/// ```text
/// OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
/// TBSRequest ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
///                           requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
/// Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
///
/// Signature and requestorName are not looked at: a responder may ignore the one and treats the other as absent
/// (RFC 9919 §3.1.2). Extensions that are not known are ignored, unless they are critical.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    cert_ids: Vec<CertId<'a>>,
    extensions: RequestExtensions<'a>,
    /// optionalSignature, undecoded.
    signature: Option<&'a [u8]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct RequestExtensions<'a> {
    nonce: Option<Nonce<'a>>,
    preferences: Option<Preferences<'a>>,
}

impl<'a> Request<'a> {
    /// The most CertIDs in one request that [`Request::parse`] takes.
    pub const DEFAULT_MAX_CERT_IDS: usize = 8;

    /// Parses, taking up to [`Request::DEFAULT_MAX_CERT_IDS`] CertIDs.
    pub fn parse(der: &'a [u8]) -> Result<Self, RequestError> {
        Self::parse_at_most(der, Self::DEFAULT_MAX_CERT_IDS)
    }

    /// Parses, taking up to `max_cert_ids` CertIDs.
    pub fn parse_at_most(der: &'a [u8], max_cert_ids: usize) -> Result<Self, RequestError> {
        let mut outer = Reader::into(der, SEQUENCE, WHAT)?;
        let mut tbs = outer.enter(SEQUENCE)?;
        let signature = outer.optional(explicit(0))?.map(|element| element.value);
        outer.finish()?;

        tbs.version_1()?;
        tbs.optional(explicit(1))?;
        let cert_ids = request_list(tbs.enter(SEQUENCE)?, max_cert_ids)?;
        let extensions = match tbs.optional(explicit(2))? {
            Some(extensions) => request_extensions(extensions.value)?,
            None => RequestExtensions::default(),
        };
        tbs.finish()?;
        Ok(Self { cert_ids, extensions, signature })
    }

    /// What is asked about, in order; never empty.
    pub fn cert_ids(&self) -> &[CertId<'a>] {
        &self.cert_ids
    }

    /// The 1 to 128 octets of the nonce (RFC 9654), if there is one. A nonce of another size fails
    /// [`Request::parse`].
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.extensions.nonce.map(Nonce::octets)
    }

    /// The signature algorithms that the client prefers and that are known here, the dearest first (RFC 6960 §4.4.7).
    pub fn preferred_algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.extensions.preferences.map(Preferences::signatures).unwrap_or_default()
    }

    /// The algorithm that the request says it is signed by, if it is signed and the algorithm is known. The signature
    /// is never verified.
    pub fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        let mut signature = Reader::into(self.signature?, SEQUENCE, WHAT).ok()?;
        SignatureAlgorithm::from_der(signature.expect(SEQUENCE).ok()?.bytes).ok()
    }

    pub(crate) fn preferences(&self) -> Option<Preferences<'a>> {
        self.extensions.preferences
    }

    pub(crate) fn nonce_extension_value(&self) -> Option<&'a [u8]> {
        self.extensions.nonce.map(Nonce::extension_value)
    }
}

/// Why a request was turned down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Not DER, or not an OCSPRequest.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A nonce of a size that there is not (RFC 9654 §2.1).
    #[error(transparent)]
    Nonce(DecodeError),
    /// More CertIDs than this responder takes.
    #[error("the request asks about more than {limit} certificates; ask about fewer at a time")]
    TooManyCertIds {
        /// The most that is taken.
        limit: usize,
    },
    /// An extension that must not be ignored (RFC 6960 §4.1.2) and is not known.
    #[error(
        "the request has the critical extension {0}, which is not known here; leave it out or make it non-critical"
    )]
    UnknownCriticalExtension(Oid),
}

impl RequestError {
    /// What the peer is told. A request that is well-formed and still not served is `unauthorized`; the RFC gives no
    /// code to critical extensions, and a message that cannot be understood is `malformedRequest`.
    pub fn status(&self) -> ErrorStatus {
        match self {
            Self::Malformed(_) | Self::Nonce(_) | Self::UnknownCriticalExtension(_) => {
                ErrorStatus::MalformedRequest
            }
            Self::TooManyCertIds { .. } => ErrorStatus::Unauthorized,
        }
    }
}

fn request_list(mut list: Reader<'_>, max: usize) -> Result<Vec<CertId<'_>>, RequestError> {
    let mut cert_ids = Vec::with_capacity(1);
    while !list.is_empty() {
        if cert_ids.len() >= max {
            return Err(RequestError::TooManyCertIds { limit: max });
        }
        let mut request = list.enter(SEQUENCE)?;
        cert_ids.push(CertId::from_der(request.next()?.bytes)?);
        if let Some(extensions) = request.optional(explicit(0))? {
            single_request_extensions(extensions.value)?;
        }
        request.finish()?;
    }
    if cert_ids.is_empty() { Err(list.error("an empty requestList").into()) } else { Ok(cert_ids) }
}

/// Nothing in them changes an answer: the service locator is for responders that forward, and a nonce belongs
/// elsewhere, though some clients put it here.
fn single_request_extensions(explicit: &[u8]) -> Result<(), RequestError> {
    each_extension(explicit, |extension| refuse_critical(&extension, &[oids::SERVICE_LOCATOR, oids::NONCE]))
}

/// Acceptable response types are not looked at, because there is only one type.
fn request_extensions(explicit: &[u8]) -> Result<RequestExtensions<'_>, RequestError> {
    let mut found = RequestExtensions::default();
    each_extension(explicit, |extension| {
        let twice = match extension.id {
            oids::NONCE => {
                let nonce = Nonce::from_extension_value(extension.value).map_err(RequestError::Nonce)?;
                found.nonce.replace(nonce).is_some()
            }
            oids::PREFERRED_ALGORITHMS => {
                let preferences = Preferences::from_extension_value(extension.value)?;
                found.preferences.replace(preferences).is_some()
            }
            _ => return refuse_critical(&extension, &[oids::ACCEPTABLE_RESPONSES]),
        };
        if twice { Err(DecodeError::new(WHAT, "an extension twice").into()) } else { Ok(()) }
    })?;
    Ok(found)
}

fn refuse_critical(extension: &RawExtension<'_>, known: &[&[u8]]) -> Result<(), RequestError> {
    if !extension.critical || known.contains(&extension.id) {
        return Ok(());
    }
    Err(RequestError::UnknownCriticalExtension(Oid::from_content(extension.id)?))
}

/// One `Extension` (RFC 5280 §4.1), undecoded.
pub(crate) struct RawExtension<'a> {
    /// Content octets of extnID.
    pub(crate) id: &'a [u8],
    pub(crate) critical: bool,
    /// Content octets of extnValue.
    pub(crate) value: &'a [u8],
}

/// Calls `visit` with each extension of `Extensions ::= SEQUENCE OF Extension`. An empty list is taken: clients send
/// it.
pub(crate) fn each_extension<'a, E: From<DecodeError>>(
    explicit: &'a [u8],
    mut visit: impl FnMut(RawExtension<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut list = Reader::into(explicit, SEQUENCE, "Extensions")?;
    while !list.is_empty() {
        let mut fields = list.enter(SEQUENCE)?;
        let id = fields.oid()?;
        let critical = fields.default_false()?;
        let value = fields.expect(OCTET_STRING)?.value;
        fields.finish()?;
        visit(RawExtension { id, critical, value })?;
    }
    Ok(())
}
