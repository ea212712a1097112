//! Requests in the making, each part open to be spoiled.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use keys_software::{AwsLc, EcdsaKey, RsaKey};
use pki_core::{
    Certificate, ContentKey, DigestAlgorithm, Extension, KeyEncryptor as _, KeyTransport, KeyUsage, Name,
    Oid, PublicKey, SigningKey, Validity, oids, tlv,
};

use super::{
    cms::{self, Attribute, EnvelopedMessage, SignedMessage, Signer},
    weak::{self, Cipher},
};

/// A key that signs, and the certificate that says whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) key: PartyKey,
    pub(crate) certificate: Certificate,
}

#[derive(Debug, Clone)]
pub(crate) enum PartyKey {
    Rsa(Arc<RsaKey>),
    Ec(Arc<EcdsaKey>),
}

impl PartyKey {
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Rsa(key) => SigningKey::public_key(&**key),
            Self::Ec(key) => key.public_key(),
        }
    }

    /// The signature over `message` and the DER of its algorithm, which is the usual one for the key where `digest` is
    /// SHA-256.
    pub(crate) fn sign(&self, digest: DigestAlgorithm, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (key, algorithm): (&dyn SigningKey, _) = match self {
            Self::Rsa(key) if digest != DigestAlgorithm::Sha256 => {
                let signature = weak::sign_rsa(key, digest.oid(), message);
                return (signature.unwrap_or_default(), rsa_with(digest));
            }
            Self::Rsa(key) => (&**key, key.algorithm().to_der()),
            Self::Ec(key) => (&**key, key.algorithm().to_der()),
        };
        let signature = at_once(key.sign(message)).and_then(Result::ok);
        (signature.unwrap_or_default(), algorithm)
    }
}

/// Keys in memory need not be waited for.
pub(crate) fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn rsa_with(digest: DigestAlgorithm) -> Vec<u8> {
    const MD5_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.4");
    const SHA1_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.5");
    const SHA384_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.12");
    const SHA512_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.13");
    let oid = match digest {
        DigestAlgorithm::Md5 => MD5_WITH_RSA,
        DigestAlgorithm::Sha1 => SHA1_WITH_RSA,
        DigestAlgorithm::Sha384 => SHA384_WITH_RSA,
        _ => SHA512_WITH_RSA,
    };
    tlv::sequence([&*tlv::oid(oid), &[5, 0]])
}

/// A CertificationRequest.
#[derive(Debug, Clone)]
pub(crate) struct CsrDraft {
    pub(crate) subject: Vec<u8>,
    pub(crate) key: PartyKey,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) digest: DigestAlgorithm,
}

impl CsrDraft {
    /// Asks for `extensions`.
    pub(crate) fn ask_for(&mut self, extensions: &[Extension]) {
        let list: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
        self.attributes.push((oids::EXTENSION_REQUEST, vec![tlv::wrap(tlv::SEQUENCE, &list)]));
    }

    pub(crate) fn without_challenge(&mut self) {
        self.attributes.retain(|(id, _)| *id != oids::CHALLENGE_PASSWORD);
    }

    /// `value` is the DER of the string.
    pub(crate) fn challenge(&mut self, value: Vec<u8>) {
        self.without_challenge();
        self.attributes.push((oids::CHALLENGE_PASSWORD, vec![value]));
    }

    fn encode(&self) -> Vec<u8> {
        let mut attributes: Vec<Vec<u8>> = self.attributes.iter().map(cms::encode_attribute).collect();
        attributes.sort();
        let info = tlv::sequence([
            &[tlv::INTEGER, 1, 0][..],
            &self.subject,
            self.key.public_key().as_der(),
            &tlv::wrap(0xA0, &attributes.concat()),
        ]);
        let (signature, algorithm) = self.key.sign(self.digest, &info);
        tlv::sequence([&*info, &algorithm, &tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat())])
    }
}

/// The whole of a request. The fields are what it says; the hooks spoil what was made of them, from the inside out.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) message_type: String,
    pub(crate) transaction: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) csr: CsrDraft,
    pub(crate) signer: Party,
    /// In the place of the signer's alone.
    pub(crate) certificates: Option<Vec<Certificate>>,
    pub(crate) recipient: Certificate,
    pub(crate) transport: KeyTransport,
    pub(crate) cipher: Cipher,
    pub(crate) digest: DigestAlgorithm,
    pub(crate) content_key: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    /// In the place of the CSR.
    pub(crate) plain: Option<Vec<u8>>,
    /// In its place, and encrypted without padding: whole blocks.
    pub(crate) raw_plain: Option<Vec<u8>>,
    /// In the place of the one RecipientInfo.
    pub(crate) recipient_info: Option<Vec<u8>>,
    pub(crate) on_plain: fn(&mut Vec<u8>),
    pub(crate) on_envelope: fn(&mut EnvelopedMessage),
    pub(crate) on_signed: fn(&mut SignedMessage),
    pub(crate) after_signing: fn(&mut SignedMessage),
}

impl Draft {
    /// The octets to send.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let ciphertext = match &self.raw_plain {
            Some(blocks) => self.cipher.encrypt_blocks(&self.content_key, &self.iv, blocks.clone()),
            None => self.cipher.encrypt(&self.content_key, &self.iv, &self.plain_octets()),
        };
        let recipient_info = self.recipient_info.clone();
        let recipient_info =
            recipient_info.unwrap_or_else(|| recipient(&self.recipient, self.transport, &self.content_key));
        let mut envelope = EnvelopedMessage {
            recipients: vec![recipient_info],
            content_type: cms::DATA,
            cipher: self.cipher.oid(),
            iv: self.iv.clone(),
            ciphertext,
        };
        (self.on_envelope)(&mut envelope);
        self.signed(envelope.encode())
    }

    /// What goes into the envelope.
    pub(crate) fn plain_octets(&self) -> Vec<u8> {
        let mut plain = self.plain.clone().unwrap_or_else(|| self.csr.encode());
        (self.on_plain)(&mut plain);
        plain
    }

    /// The octets of a message around that content.
    pub(crate) fn signed(&self, content: Vec<u8>) -> Vec<u8> {
        let own = [self.signer.certificate.clone()];
        let certificates = self.certificates.as_deref().unwrap_or(&own);
        let mut message = SignedMessage {
            content_type: cms::DATA,
            content: None,
            certificates: certificates.iter().map(|one| one.as_der().to_vec()).collect(),
            crls: Vec::new(),
            signers: vec![self.signer_info()],
        };
        message.put_content(content);
        (self.on_signed)(&mut message);
        self.sign(&mut message);
        (self.after_signing)(&mut message);
        message.encode()
    }

    fn signer_info(&self) -> Signer {
        let mut signer = Signer {
            id: cms::issuer_and_serial(&self.signer.certificate),
            digest: self.digest.oid(),
            signed_attributes: Vec::new(),
            unsigned_attributes: Vec::new(),
            algorithm: Vec::new(),
            signature: Vec::new(),
        };
        signer.add(cms::CONTENT_TYPE, tlv::oid(cms::DATA));
        signer.add(cms::MESSAGE_TYPE, cms::printable(&self.message_type));
        signer.add(cms::TRANSACTION_ID, cms::printable(&self.transaction));
        signer.add(cms::SENDER_NONCE, tlv::wrap(tlv::OCTET_STRING, &self.nonce));
        signer
    }

    fn sign(&self, message: &mut SignedMessage) {
        let (signature, algorithm) = self.signer.key.sign(self.digest, &message.to_be_signed());
        for signer in &mut message.signers {
            signer.signature.clone_from(&signature);
            signer.algorithm.clone_from(&algorithm);
        }
    }
}

/// A certificate of `subject`'s key in the name of `issuer`, signed by `key`, whoever that is.
pub(crate) fn forged_certificate(
    issuer: &Name,
    key: &PartyKey,
    subject: &Name,
    public_key: &PublicKey,
    validity: Validity,
) -> Option<Certificate> {
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    let usage = Extension::new(oids::KEY_USAGE, usage.to_der()).critical().to_der();
    let times = [tlv::time(validity.not_before()), tlv::time(validity.not_after())].concat();
    let (_, algorithm) = key.sign(DigestAlgorithm::Sha256, &[]);
    let tbs = tlv::sequence([
        &[0xA0, 3, tlv::INTEGER, 1, 2, tlv::INTEGER, 4, 0x41, 0x42, 0x43, 0x44][..],
        &algorithm,
        issuer.as_der(),
        &tlv::wrap(tlv::SEQUENCE, &times),
        subject.as_der(),
        public_key.as_der(),
        &tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &usage)),
    ]);
    let (signature, _) = key.sign(DigestAlgorithm::Sha256, &tbs);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &bits])).ok()
}

/// A certificate that says what `original` says, but of `key`, and signed by it.
pub(crate) fn copied_certificate(original: &Certificate, key: &PartyKey) -> Option<Certificate> {
    let mut fields = tlv::Cursor::into(original.tbs(), tlv::SEQUENCE, "a TBSCertificate").ok()?;
    let (_, algorithm) = key.sign(DigestAlgorithm::Sha256, &[]);
    let mut parts = Vec::new();
    while !fields.is_empty() {
        let element = fields.next().ok()?;
        // version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
        parts.push(match parts.len() {
            2 => algorithm.clone(),
            6 => key.public_key().as_der().to_vec(),
            _ => element.bytes.to_vec(),
        });
    }
    let tbs = tlv::wrap(tlv::SEQUENCE, &parts.concat());
    let (signature, _) = key.sign(DigestAlgorithm::Sha256, &tbs);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &bits])).ok()
}

/// A KeyTransRecipientInfo of `key` for `certificate`.
pub(crate) fn recipient(certificate: &Certificate, transport: KeyTransport, key: &[u8]) -> Vec<u8> {
    let key = ContentKey::new(key.to_vec());
    let wrapped = AwsLc.wrap_key(certificate.public_key(), transport, &key).unwrap_or_default();
    recipient_of(certificate, transport, &wrapped)
}

/// A KeyTransRecipientInfo with those octets as the encryptedKey.
pub(crate) fn recipient_of(certificate: &Certificate, transport: KeyTransport, wrapped: &[u8]) -> Vec<u8> {
    tlv::sequence([
        &[tlv::INTEGER, 1, 0][..],
        &cms::issuer_and_serial(certificate),
        &transport.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, wrapped),
    ])
}
