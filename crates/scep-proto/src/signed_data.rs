//! SignedData, read and made.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{Certificate, DecodeError, DigestAlgorithm, Oid, SignatureAlgorithm, tlv};

use crate::{
    EncodeError,
    attributes::AttributeList,
    certificate_id::{self, CertificateId},
    cms_oids,
    limits::MAX_CERTIFICATES,
};

const WHAT: &str = "a SignedData";

const CONTEXT_0: u8 = 0xA0;
const CONTEXT_1: u8 = 0xA1;

/// `SignedData` ([RFC 5652 §5.1](https://www.rfc-editor.org/rfc/rfc5652#section-5.1)).
///
/// ```text
/// SignedData ::= SEQUENCE {
///     version CMSVersion, digestAlgorithms SET OF DigestAlgorithmIdentifier,
///     encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///     certificates [0] IMPLICIT SET OF CertificateChoices OPTIONAL,
///     crls [1] IMPLICIT SET OF RevocationInfoChoice OPTIONAL, signerInfos SET OF SignerInfo }
/// ```
///
/// Read by hand and not with the `cms` crate, whose types lose the order of SETs and refuse certificates with serial
/// numbers of more than 20 octets, which sscep makes.
pub(crate) struct SignedData<'a> {
    pub(crate) content_type: Oid,
    pub(crate) content: Option<&'a [u8]>,
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) crls: Vec<&'a [u8]>,
    signers: tlv::Cursor<'a>,
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo that holds a SignedData.
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = content_of(der, cms_oids::SIGNED_DATA, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        fields.expect(tlv::SET)?;
        let mut encapsulated = fields.enter(tlv::SEQUENCE)?;
        let content_type = encapsulated.oid()?;
        let content = encapsulated.optional(CONTEXT_0)?.map(|explicit| octets(explicit.value)).transpose()?;
        encapsulated.finish()?;
        let certificates = elements(fields.optional(CONTEXT_0)?, MAX_CERTIFICATES)?;
        let crls = elements(fields.optional(CONTEXT_1)?, MAX_CERTIFICATES)?;
        let signers = fields.enter(tlv::SET)?;
        fields.finish()?;
        Ok(Self { content_type, content, certificates, crls, signers })
    }

    /// Whether it is degenerate, as far as its signers go.
    pub(crate) fn has_no_signer(&self) -> bool {
        self.signers.is_empty()
    }

    /// The one signer. None or several would leave open who said what.
    pub(crate) fn signer(&self) -> Result<SignerInfo<'a>, DecodeError> {
        let mut signers = self.signers.clone();
        let signer = SignerInfo::read(&mut signers)?;
        if signers.is_empty() { Ok(signer) } else { Err(DecodeError::new(WHAT, "more than one signer")) }
    }

    /// The certificates that parse; attribute certificates and other forms are passed over.
    pub(crate) fn parsed_certificates(&self) -> impl Iterator<Item = Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::from_der(der).ok())
    }
}

/// `SignerInfo` ([RFC 5652 §5.3](https://www.rfc-editor.org/rfc/rfc5652#section-5.3)).
///
/// ```text
/// SignerInfo ::= SEQUENCE {
///     version CMSVersion, sid SignerIdentifier, digestAlgorithm DigestAlgorithmIdentifier,
///     signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL, signatureAlgorithm SignatureAlgorithmIdentifier,
///     signature OCTET STRING, unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
/// ```
pub(crate) struct SignerInfo<'a> {
    pub(crate) id: CertificateId,
    pub(crate) digest: Oid,
    /// The content of the SET. SCEP keeps its own fields there, so it is never absent.
    pub(crate) signed_attributes: &'a [u8],
    /// The DER of the AlgorithmIdentifier: the parameters of RSASSA-PSS count.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> SignerInfo<'a> {
    fn read(signers: &mut tlv::Cursor<'a>) -> Result<Self, DecodeError> {
        let mut fields = signers.enter(tlv::SEQUENCE)?;
        fields.expect(tlv::INTEGER)?;
        let id = CertificateId::read(&mut fields)?;
        let digest = fields.enter(tlv::SEQUENCE)?.oid()?;
        let signed_attributes = fields.expect(CONTEXT_0)?.value;
        let algorithm = fields.expect(tlv::SEQUENCE)?.bytes;
        let signature = fields.expect(tlv::OCTET_STRING)?.value;
        fields.optional(CONTEXT_1)?;
        fields.finish()?;
        Ok(Self { id, digest, signed_attributes, algorithm, signature })
    }
}

/// Into the content of a ContentInfo of that type
/// ([RFC 5652 §3](https://www.rfc-editor.org/rfc/rfc5652#section-3)).
///
/// ```text
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY DEFINED BY contentType }
/// ```
pub(crate) fn content_of<'a>(
    der: &'a [u8],
    content_type: Oid,
    what: &'static str,
) -> Result<tlv::Cursor<'a>, DecodeError> {
    let mut info = tlv::Cursor::into(der, tlv::SEQUENCE, what)?;
    let found = info.oid()?;
    if found != content_type {
        return Err(DecodeError::new(what, format_args!("content of type {found}")));
    }
    let mut explicit = info.enter(CONTEXT_0)?;
    info.finish()?;
    let fields = explicit.enter(tlv::SEQUENCE)?;
    explicit.finish()?;
    Ok(fields)
}

/// The DER of a ContentInfo.
pub(crate) fn content_info(content_type: Oid, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(content_type), &tlv::wrap(CONTEXT_0, content)])
}

/// A SignedData of certificates and CRLs without content or signer
/// ([RFC 8894 §3.4](https://www.rfc-editor.org/rfc/rfc8894#section-3.4)).
///
/// Certificates stay in the order given, which DER would sort: iOS and others take the first one for the one issued.
pub(crate) fn degenerate(certificates: &[Certificate], crl: Option<&[u8]>) -> Vec<u8> {
    let certificates = if certificates.is_empty() { Vec::new() } else { bag(certificates) };
    let crl = crl.map(|crl| tlv::wrap(CONTEXT_1, crl)).unwrap_or_default();
    let encapsulated = tlv::sequence([&*tlv::oid(cms_oids::DATA)]);
    let empty_set: &[u8] = &[tlv::SET, 0];
    let data = tlv::sequence([&VERSION_1[..], empty_set, &encapsulated, &certificates, &crl, empty_set]);
    content_info(cms_oids::SIGNED_DATA, &data)
}

const VERSION_1: [u8; 3] = [tlv::INTEGER, 1, 1];

fn bag<'c>(certificates: impl IntoIterator<Item = &'c Certificate>) -> Vec<u8> {
    let all: Vec<&[u8]> = certificates.into_iter().map(Certificate::as_der).collect();
    tlv::wrap(CONTEXT_0, &all.concat())
}

/// What a SignedData is made of.
pub(crate) struct SignedDataParts<'a> {
    pub(crate) signer: &'a Certificate,
    pub(crate) algorithm: SignatureAlgorithm,
    /// Sent along with the signer's.
    pub(crate) chain: &'a [Certificate],
    pub(crate) content: Option<Cow<'a, [u8]>>,
    pub(crate) attributes: AttributeList,
}

/// A SignedData that lacks only its signature.
#[derive(Debug)]
pub(crate) struct UnsignedSignedData {
    attributes: Vec<u8>,
    /// Everything before the SignerInfos.
    head: Vec<u8>,
    signer_id: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl UnsignedSignedData {
    /// Adds contentType and messageDigest to the attributes; they belong there even when there is no content.
    pub(crate) fn new(parts: SignedDataParts<'_>) -> Result<Self, EncodeError> {
        let digest = parts.algorithm.digest();
        let content = parts.content.as_deref();
        let message_digest = digest.digest(content.unwrap_or_default()).ok_or(EncodeError::UnusableDigest)?;
        let attributes = parts
            .attributes
            .with(cms_oids::CONTENT_TYPE, &tlv::oid(cms_oids::DATA))
            .with_octets(cms_oids::MESSAGE_DIGEST, &message_digest)
            .to_der();
        let content = content
            .map(|octets| tlv::wrap(CONTEXT_0, &tlv::wrap(tlv::OCTET_STRING, octets)))
            .unwrap_or_default();
        let encapsulated = tlv::sequence([&*tlv::oid(cms_oids::DATA), &content]);
        let digests = tlv::wrap(tlv::SET, &digest_der(digest));
        let certificates = bag(core::iter::once(parts.signer).chain(parts.chain));
        Ok(Self {
            attributes,
            head: [&VERSION_1[..], &digests, &encapsulated, &certificates].concat(),
            signer_id: certificate_id::issuer_and_serial(parts.signer),
            algorithm: parts.algorithm,
        })
    }

    pub(crate) fn tbs(&self) -> &[u8] {
        &self.attributes
    }

    pub(crate) fn finish(mut self, signature: &[u8]) -> Vec<u8> {
        // The attributes are signed as a SET and sent under an implicit tag (RFC 5652 §5.4).
        if let Some(tag) = self.attributes.first_mut() {
            *tag = CONTEXT_0;
        }
        let signer = tlv::sequence([
            &VERSION_1[..],
            &self.signer_id,
            &digest_der(self.algorithm.digest()),
            &self.attributes,
            &signature_algorithm_der(self.algorithm),
            &tlv::wrap(tlv::OCTET_STRING, signature),
        ]);
        let data = tlv::sequence([&*self.head, &tlv::wrap(tlv::SET, &signer)]);
        content_info(cms_oids::SIGNED_DATA, &data)
    }
}

/// Without parameters ([RFC 5754 §2](https://www.rfc-editor.org/rfc/rfc5754#section-2)).
fn digest_der(digest: DigestAlgorithm) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(digest.oid())])
}

/// Signatures of PKCS #1 go by the name of the key
/// ([RFC 3370 §3.2](https://www.rfc-editor.org/rfc/rfc3370#section-3.2)): old readers know no other.
fn signature_algorithm_der(algorithm: SignatureAlgorithm) -> Vec<u8> {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha1
        | SignatureAlgorithm::RsaPkcs1Sha256
        | SignatureAlgorithm::RsaPkcs1Sha384
        | SignatureAlgorithm::RsaPkcs1Sha512 => {
            tlv::sequence([&*tlv::oid(cms_oids::RSA_ENCRYPTION), &[5, 0]])
        }
        other => other.to_der(),
    }
}

fn octets(explicit: &[u8]) -> Result<&[u8], DecodeError> {
    let mut explicit = tlv::Cursor::over(explicit, WHAT)?;
    let octets = explicit.expect(tlv::OCTET_STRING)?.value;
    explicit.finish()?;
    Ok(octets)
}

fn elements(set: Option<tlv::Tlv<'_>>, limit: usize) -> Result<Vec<&[u8]>, DecodeError> {
    let mut found = Vec::new();
    let Some(set) = set else { return Ok(found) };
    let mut set = tlv::Cursor::over(set.value, WHAT)?;
    while !set.is_empty() {
        if found.len() >= limit {
            return Err(DecodeError::new(WHAT, format_args!("more than {limit} certificates or CRLs")));
        }
        found.push(set.next()?.bytes);
    }
    Ok(found)
}
