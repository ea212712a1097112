//! GetNextCACert ([RFC 8894 §4.7](https://www.rfc-editor.org/rfc/rfc8894#section-4.7)): the answer, and how a client
//! checks it.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{Certificate, SignatureAlgorithm, SignatureVerifier, UnixTime};

use crate::{
    AlgorithmPolicy, EncodeError, ReplyError,
    attributes::{AttributeList, SignedAttributes},
    ber, ca_certificates,
    signature_check::SignatureCheck,
    signed_data::{SignedData, SignedDataParts, UnsignedSignedData, degenerate},
};

/// The media type of the answer.
pub const NEXT_CA_CERT_MEDIA_TYPE: &str = "application/x-x509-next-ca-cert";

/// An answer that lacks only its signature, by the key of the current CA. It names the time it was made, and no
/// transaction: it is the same for everybody, and can be kept.
///
/// ```no_run
/// # use pki_core::{Certificate, KeyError, SigningKey, UnixTime};
/// # use scep_proto::{EncodeError, next_ca_certificates};
/// # async fn answer(ca: &Certificate, next: &[Certificate], key: &dyn SigningKey, now: UnixTime)
/// # -> Result<Vec<u8>, Box<dyn std::error::Error>> {
/// let unsigned = next_ca_certificates::prepare(next, ca, key.algorithm(), now)?;
/// let signature = key.sign(unsigned.tbs()).await?;
/// let body = unsigned.finish(&signature);
/// # Ok(body) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct UnsignedAnswer(UnsignedSignedData);

impl UnsignedAnswer {
    /// Bytes to sign: the DER of the signed attributes.
    pub fn tbs(&self) -> &[u8] {
        self.0.tbs()
    }

    /// Attaches the signature made over [`UnsignedAnswer::tbs`] and returns the body to send, of media type
    /// [`NEXT_CA_CERT_MEDIA_TYPE`].
    pub fn finish(self, signature: &[u8]) -> Vec<u8> {
        self.0.finish(signature)
    }
}

/// Announces `next`, the certificates to be used when that of `ca` expires: the CA's first, then those of its RA, as
/// GetCACert will answer. The key of `ca`, and not that of its RA, signs with `algorithm`.
///
/// The outer SignedData has content of type id-data, whose octets are a whole ContentInfo: that is what OpenSSL, and so
/// every client made with it, takes apart.
pub fn prepare(
    next: &[Certificate],
    ca: &Certificate,
    algorithm: SignatureAlgorithm,
    now: UnixTime,
) -> Result<UnsignedAnswer, EncodeError> {
    if next.is_empty() {
        return Err(EncodeError::NothingToDeliver);
    }
    let parts = SignedDataParts {
        signer: ca,
        algorithm,
        chain: &[],
        content: Some(Cow::Owned(degenerate(next, None))),
        attributes: AttributeList::default().with_signing_time(now),
    };
    UnsignedSignedData::new(parts).map(UnsignedAnswer)
}

/// Reads an answer that `current`, the certificate of the CA that the client trusts, has signed; those of its RA do not
/// count. At most [`MAX_CERTIFICATES`](crate::limits::MAX_CERTIFICATES) certificates come out, at least one.
///
/// # Errors
/// When somebody else signed it, when nobody did, or when its content is no certificate.
pub fn parse(
    body: &[u8],
    current: &Certificate,
    verifier: &dyn SignatureVerifier,
    policy: &AlgorithmPolicy,
) -> Result<Vec<Certificate>, ReplyError> {
    let der = ber::normalize(body)?;
    let data = SignedData::read(&der)?;
    let signer = data.signer()?;
    if !signer.id.matches(current) {
        return Err(ReplyError::UnknownSigner);
    }
    let attributes = SignedAttributes::read(signer.signed_attributes)?;
    let signature = SignatureCheck::new(&data, &signer, &attributes);
    signature.check(current.public_key(), verifier, policy)?;
    Ok(ca_certificates::parse(signature.content())?)
}
