//! EnvelopedData, read and made.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{
    AlgorithmError, Certificate, ChallengePassword, ContentKey, DecodeError, KeyEncryptor, KeyTransport, Oid,
    SecureRandom, WrappedKey, tlv,
};

use crate::{
    AlgorithmPolicy, ContentCipher, EncodeError, Tolerance, Tolerances, ber,
    certificate_id::{self, CertificateId},
    cms_oids,
    content_cipher::{Ciphertext, Plaintext},
    limits::MAX_CERTIFICATES,
    password_recipient::{self, PasswordRecipient},
    signed_data::{content_info, content_of},
};

const WHAT: &str = "a pkcsPKIEnvelope";

/// `EnvelopedData` ([RFC 5652 §6.1](https://www.rfc-editor.org/rfc/rfc5652#section-6.1)), the pkcsPKIEnvelope of RFC
/// 8894 section 3.2.2.
///
/// ```text
/// EnvelopedData ::= SEQUENCE {
///     version CMSVersion, originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL, recipientInfos SET OF RecipientInfo,
///     encryptedContentInfo SEQUENCE { contentType OBJECT IDENTIFIER,
///         contentEncryptionAlgorithm AlgorithmIdentifier, encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL },
///     unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
/// ```
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) recipients: Vec<Recipient>,
    /// Whether it came as BER.
    pub(crate) tolerated: Tolerances,
    ciphertext: Ciphertext,
}

/// A `RecipientInfo`.
#[derive(Debug)]
pub(crate) enum Recipient {
    /// ```text
    /// KeyTransRecipientInfo ::= SEQUENCE { version CMSVersion, rid RecipientIdentifier,
    ///     keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier, encryptedKey OCTET STRING }
    /// ```
    KeyTransport { id: CertificateId, wrapped: WrappedKey },
    /// By the challenge.
    Password(PasswordRecipient),
    /// Key agreement, key encryption key, other.
    Unsupported,
}

/// For whom an envelope is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SealedTo<'a> {
    Key(&'a Certificate, KeyTransport),
    Challenge(&'a ChallengePassword),
}

impl<'a> SealedTo<'a> {
    /// The key of `recipient` where it can encipher, and otherwise the challenge
    /// ([RFC 8894 §3.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.1)).
    pub(crate) fn choose(
        recipient: &'a Certificate,
        transport: KeyTransport,
        challenge: Option<&'a ChallengePassword>,
    ) -> Result<Self, EncodeError> {
        let key = recipient.public_key();
        match challenge {
            _ if key.can_encipher() => Ok(Self::Key(recipient, transport)),
            Some(challenge) => Ok(Self::Challenge(challenge)),
            None => Err(EncodeError::CannotEncipher(key.kind())),
        }
    }
}

/// Why an envelope cannot be read. Depends on nothing secret.
#[derive(Debug)]
pub(crate) enum EnvelopeFault {
    Malformed(DecodeError),
    Algorithm { what: &'static str, oid: Oid },
}

impl From<DecodeError> for EnvelopeFault {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl Envelope {
    /// Reads the content of a pkiMessage, which may be BER within whatever the message was in.
    pub(crate) fn read(content: &[u8], policy: &AlgorithmPolicy) -> Result<Self, EnvelopeFault> {
        let der = ber::normalize(content)?;
        let tolerated = Tolerances::NONE.with_if(Tolerance::Ber, matches!(der, Cow::Owned(_)));
        let mut fields = content_of(&der, cms_oids::ENVELOPED_DATA, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        fields.optional(0xA0)?;
        let mut set = fields.enter(tlv::SET)?;
        let mut recipients = Vec::new();
        while !set.is_empty() {
            if recipients.len() >= MAX_CERTIFICATES {
                return Err(DecodeError::new(WHAT, "too many recipients").into());
            }
            recipients.push(Recipient::read(set.next()?, policy)?);
        }
        let ciphertext = encrypted_content(fields.enter(tlv::SEQUENCE)?, policy)?;
        fields.optional(0xA1)?;
        fields.finish()?;
        Ok(Self { recipients, tolerated, ciphertext })
    }

    pub(crate) fn cipher(&self) -> ContentCipher {
        self.ciphertext.cipher()
    }

    /// `key` is as long as the cipher wants it.
    pub(crate) fn decrypt(&self, key: &ContentKey) -> Plaintext {
        self.ciphertext.decrypt(key)
    }

    /// The DER of a ContentInfo that holds `plaintext`, encrypted.
    pub(crate) fn seal(
        plaintext: &[u8],
        to: SealedTo<'_>,
        cipher: ContentCipher,
        encryptor: &dyn KeyEncryptor,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, EncodeError> {
        if cipher == ContentCipher::DesCbc {
            return Err(EncodeError::OnlyRead);
        }
        let (key, ciphertext) = Ciphertext::encrypt(cipher, plaintext, random)?;
        // RFC 5652 §6.1: 3 when there is a PasswordRecipientInfo.
        let (version, recipient) = match to {
            SealedTo::Key(certificate, transport) => {
                let wrapped = encryptor.wrap_key(certificate.public_key(), transport, &key)?;
                (0, key_transport_info(certificate, transport, &wrapped))
            }
            SealedTo::Challenge(challenge) => (3, PasswordRecipient::seal(&key, challenge, cipher, random)?),
        };
        let version: &[u8] = &[tlv::INTEGER, 1, version];
        let encrypted = tlv::sequence([&*tlv::oid(cms_oids::DATA), &ciphertext.to_der()]);
        let data = tlv::sequence([version, &tlv::wrap(tlv::SET, &recipient), &encrypted]);
        Ok(content_info(cms_oids::ENVELOPED_DATA, &data))
    }
}

fn key_transport_info(recipient: &Certificate, transport: KeyTransport, wrapped: &[u8]) -> Vec<u8> {
    let version_0: &[u8] = &[tlv::INTEGER, 1, 0];
    tlv::sequence([
        version_0,
        &certificate_id::issuer_and_serial(recipient),
        &transport.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, wrapped),
    ])
}

impl Recipient {
    fn read(element: tlv::Tlv<'_>, policy: &AlgorithmPolicy) -> Result<Self, EnvelopeFault> {
        match element.tag {
            tlv::SEQUENCE => {}
            password_recipient::TAG => return PasswordRecipient::read(element, policy).map(Self::Password),
            _ => return Ok(Self::Unsupported),
        }
        let mut fields = tlv::Cursor::into(element.bytes, tlv::SEQUENCE, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        let id = CertificateId::read(&mut fields)?;
        let transport = key_transport(fields.expect(tlv::SEQUENCE)?.bytes, policy)?;
        let octets = fields.expect(tlv::OCTET_STRING)?.value.to_vec();
        fields.finish()?;
        Ok(Self::KeyTransport { id, wrapped: WrappedKey::new(transport, octets) })
    }
}

fn key_transport(der: &[u8], policy: &AlgorithmPolicy) -> Result<KeyTransport, EnvelopeFault> {
    let refused = |oid| EnvelopeFault::Algorithm { what: "key transport", oid };
    let oid = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?.oid()?;
    match KeyTransport::from_der(der) {
        Ok(transport) if policy.allows_key_transport(transport) => Ok(transport),
        Err(AlgorithmError::Malformed(error)) => Err(error.into()),
        Ok(_) | Err(_) => Err(refused(oid)),
    }
}

fn encrypted_content(
    mut fields: tlv::Cursor<'_>,
    policy: &AlgorithmPolicy,
) -> Result<Ciphertext, EnvelopeFault> {
    let content_type = fields.oid()?;
    if content_type != cms_oids::DATA {
        return Err(DecodeError::new(WHAT, format_args!("encrypted content of type {content_type}")).into());
    }
    let mut algorithm = fields.enter(tlv::SEQUENCE)?;
    let oid = algorithm.oid()?;
    let cipher = ContentCipher::from_oid(oid).filter(|cipher| policy.allows_cipher(*cipher));
    let cipher = cipher.ok_or(EnvelopeFault::Algorithm { what: "content encryption", oid })?;
    let iv = algorithm.expect(tlv::OCTET_STRING)?.value;
    algorithm.finish()?;
    let octets = fields.expect(0x80)?.value.to_vec();
    fields.finish()?;
    Ok(Ciphertext::new(cipher, iv, octets)?)
}
