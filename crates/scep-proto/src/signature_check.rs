//! Whether a message is what its signer signed.

use alloc::vec::Vec;

use pki_core::{DigestAlgorithm, Oid, PublicKey, SignatureAlgorithm, SignatureVerifier, tlv};

use crate::{
    AlgorithmPolicy, Tolerance, Tolerances,
    attributes::{SignedAttributes, set_of},
    cms_oids,
    signed_data::{SignedData, SignerInfo},
};

/// All that a signature depends on, kept from parsing to checking.
#[derive(Debug)]
pub(crate) struct SignatureCheck {
    digest: Oid,
    /// The DER of the AlgorithmIdentifier.
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// The SET of attributes in DER order, then, if it differs, in the order received.
    attributes: Vec<Vec<u8>>,
    content_type: ContentType,
    message_digest: Option<Vec<u8>>,
    encapsulated_type: Oid,
    content: Vec<u8>,
}

/// The contentType attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentType {
    Is(Oid),
    Absent,
    /// Repeated, or not one object identifier.
    Malformed,
}

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    Algorithm { what: &'static str, oid: Oid },
    Attribute(&'static str),
    AmbiguousContent,
    Mismatch,
}

impl SignatureCheck {
    pub(crate) fn new(
        message: &SignedData<'_>,
        signer: &SignerInfo<'_>,
        attributes: &SignedAttributes<'_>,
    ) -> Self {
        let value = |id, tag| {
            let value = attributes.single(id).ok().flatten();
            value.filter(|element| element.tag == tag).map(|element| element.value)
        };
        let content_type = match attributes.single(cms_oids::CONTENT_TYPE) {
            Ok(None) => ContentType::Absent,
            _ => value(cms_oids::CONTENT_TYPE, tlv::OBJECT_IDENTIFIER)
                .and_then(|octets| Oid::from_content(octets).ok())
                .map_or(ContentType::Malformed, ContentType::Is),
        };
        let received = tlv::wrap(tlv::SET, signer.signed_attributes);
        let sorted = set_of(attributes.encodings());
        Self {
            digest: signer.digest,
            algorithm: signer.algorithm.to_vec(),
            signature: signer.signature.to_vec(),
            attributes: if sorted == received { [sorted].into() } else { [sorted, received].into() },
            content_type,
            message_digest: value(cms_oids::MESSAGE_DIGEST, tlv::OCTET_STRING).map(<[u8]>::to_vec),
            encapsulated_type: message.content_type,
            content: message.content.unwrap_or_default().to_vec(),
        }
    }

    /// What has to be tolerated about the attributes and the signature.
    pub(crate) fn tolerated(&self) -> Tolerances {
        let by_key = signature_oid(&self.algorithm) == Some(cms_oids::RSA_ENCRYPTION);
        Tolerances::NONE
            .with_if(Tolerance::UnsortedAttributes, self.attributes.len() > 1)
            .with_if(Tolerance::MissingContentType, self.content_type == ContentType::Absent)
            .with_if(Tolerance::RsaEncryptionSignature, by_key)
    }

    /// The digest of the signer, if it is known by name.
    pub(crate) fn digest(&self) -> Option<DigestAlgorithm> {
        DigestAlgorithm::from_oid(self.digest).ok()
    }

    /// The octets of the signature.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The octets of eContent; none when it is absent.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Checks what [RFC 5652 §5.6](https://www.rfc-editor.org/rfc/rfc5652#section-5.6) asks for, and that the content
    /// cannot be taken for signed attributes, so that a signature made without them proves nothing here
    /// ([draft-ietf-lamps-cms-euf-cma-signeddata](https://datatracker.ietf.org/doc/draft-ietf-lamps-cms-euf-cma-signeddata/)).
    pub(crate) fn check(
        &self,
        key: &PublicKey,
        verifier: &dyn SignatureVerifier,
        policy: &AlgorithmPolicy,
    ) -> Result<(), SignatureFault> {
        let (digest, algorithm) = self.algorithms(policy)?;
        let content_type = match self.content_type {
            ContentType::Is(oid) => oid == cms_oids::DATA,
            ContentType::Absent => policy.tolerances().contains(Tolerance::MissingContentType),
            ContentType::Malformed => false,
        };
        if self.encapsulated_type != cms_oids::DATA || !content_type {
            return Err(SignatureFault::Attribute("contentType"));
        }
        if self.message_digest.is_none() || self.message_digest != digest.digest(&self.content) {
            return Err(SignatureFault::Attribute("messageDigest"));
        }
        if reads_as_attributes(&self.content) {
            return Err(SignatureFault::AmbiguousContent);
        }
        // RFC 5652 §5.4 has the attributes digested in DER order; some clients digest the order that they send.
        let mut forms = self.attributes.iter();
        let holds = forms.any(|form| verifier.verify(key, algorithm, form, &self.signature).is_ok());
        if holds { Ok(()) } else { Err(SignatureFault::Mismatch) }
    }

    fn algorithms(
        &self,
        policy: &AlgorithmPolicy,
    ) -> Result<(DigestAlgorithm, SignatureAlgorithm), SignatureFault> {
        let refused = |what, oid| SignatureFault::Algorithm { what, oid };
        let digest =
            DigestAlgorithm::from_oid(self.digest).ok().filter(|digest| policy.allows_digest(*digest));
        let digest = digest.ok_or(refused("digest", self.digest))?;
        let algorithm = SignatureAlgorithm::of_signer_der(&self.algorithm, digest).ok();
        let algorithm = algorithm.filter(|algorithm| algorithm.digest() == digest);
        let named = signature_oid(&self.algorithm).unwrap_or(self.digest);
        Ok((digest, algorithm.ok_or(refused("signature", named))?))
    }
}

fn signature_oid(algorithm: &[u8]) -> Option<Oid> {
    tlv::Cursor::into(algorithm, tlv::SEQUENCE, "an AlgorithmIdentifier")
        .and_then(|mut fields| fields.oid())
        .ok()
}

fn reads_as_attributes(content: &[u8]) -> bool {
    let set = tlv::Cursor::over(content, "no attributes").and_then(|mut outer| outer.expect(tlv::SET));
    set.is_ok_and(|set| SignedAttributes::read(set.value).is_ok())
}
