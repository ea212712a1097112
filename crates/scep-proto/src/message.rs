//! Requests as a CA receives them.

use alloc::{borrow::Cow, string::String, vec::Vec};

use pki_core::{
    Certificate, ChallengePassword, DecodeError, DigestAlgorithm, Extension, SecureRandom, SignatureVerifier,
    oids,
};

use crate::{
    AlgorithmPolicy, Exchange, MessageType, RejectReason, Rejection, Request, SealedRequest, Tolerance,
    Tolerances,
    attributes::SignedAttributes,
    ber,
    certificate_id::CertificateId,
    enveloped_data::{Envelope, EnvelopeFault, Recipient},
    limits::MAX_MESSAGE_LEN,
    sealed_request::Opening,
    signature_check::{SignatureCheck, SignatureFault},
    signed_data::SignedData,
};

const WHAT: &str = "a pkiMessage";

/// A `pkiMessage` ([RFC 8894 §3.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.2)) that was parsed and **not**
/// verified: nothing in it may be acted on, except to answer it.
#[derive(Debug)]
pub struct PkiMessage {
    exchange: Exchange,
    message_type: Result<MessageType, String>,
    signature: SignatureCheck,
}

impl PkiMessage {
    /// Parses DER or BER.
    ///
    /// # Errors
    /// When no answer can be addressed, which is for HTTP to say (400): not a SignedData; not exactly one signer; not
    /// exactly one certificate that is the signer's; messageType, transactionID or senderNonce absent, repeated or
    /// of a wrong type, or not among the signed attributes; anything beyond [`crate::limits`]. Whatever else is wrong
    /// with a message is for [`PkiMessage::verify`] to find.
    pub fn parse(message: &[u8]) -> Result<Self, DecodeError> {
        if message.len() > MAX_MESSAGE_LEN {
            return Err(DecodeError::new(WHAT, format_args!("{} octets", message.len())));
        }
        let der = ber::normalize(message)?;
        let data = SignedData::read(&der)?;
        let signer = data.signer()?;
        let attributes = SignedAttributes::read(signer.signed_attributes)?;
        let message_type = attributes.message_type()?;
        let (transaction_id, sender_nonce) = (attributes.transaction_id()?, attributes.sender_nonce()?);
        let mut matching = data.parsed_certificates().filter(|certificate| signer.id.matches(certificate));
        let (Some(certificate), None) = (matching.next(), matching.next()) else {
            return Err(DecodeError::new(WHAT, "not exactly one certificate of its signer"));
        };
        let signature = SignatureCheck::new(&data, &signer, &attributes);
        let tolerated = of_signer(&certificate, &signer.id)
            .union(attributes.tolerated())
            .union(signature.tolerated())
            .with_if(Tolerance::Ber, matches!(der, Cow::Owned(_)));
        let exchange = Exchange::new(transaction_id, sender_nonce, certificate).tolerating(tolerated);
        Ok(Self { exchange, message_type, signature })
    }

    /// Whom and how to answer.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Which departures from the RFC show in it so far; [`PkiMessage::verify`] refuses those that its policy does not
    /// tolerate. What is in the envelope adds its own: see [`Exchange::tolerated`].
    pub fn tolerated(&self) -> Tolerances {
        self.exchange.tolerated()
    }

    /// What it claims to be; `None` when RFC 8894 has no such type. [`PkiMessage::verify`] refuses those.
    pub fn message_type(&self) -> Option<MessageType> {
        self.message_type.as_ref().ok().copied()
    }

    /// The digest that it names for its signature; `None` for one that nobody here knows.
    pub fn digest(&self) -> Option<DigestAlgorithm> {
        self.signature.digest()
    }

    /// Checks that it is a request, that `policy` allows its algorithms and tolerates its departures from the RFC, that
    /// its signature holds, and that it has an envelope.
    ///
    /// The signature is taken over the signed attributes in DER order, as RFC 5652 section 5.4 has it, or in the order
    /// sent, as some clients have it ([`Tolerance::UnsortedAttributes`]).
    ///
    /// Who the signer is has not been decided: anybody can sign with a certificate made for the purpose.
    pub fn verify(
        &self,
        verifier: &dyn SignatureVerifier,
        policy: &AlgorithmPolicy,
    ) -> Result<VerifiedMessage, Rejection> {
        let message_type = self.request_type().map_err(|reason| Rejection::new(reason, &self.exchange))?;
        let key = self.exchange.signer().public_key();
        let read = || {
            granted(self.tolerated(), policy.tolerances())?;
            if !policy.allows_signer_key(key.kind()) {
                return Err(RejectReason::SignerCannotDecrypt(key.kind()));
            }
            self.signature.check(key, verifier, policy)?;
            let envelope = Envelope::read(self.signature.content(), policy)?;
            granted(envelope.tolerated, policy.tolerances())?;
            Ok(envelope)
        };
        let envelope = read().map_err(|reason| Rejection::new(reason, &self.exchange))?;
        let exchange = self.exchange.clone().tolerating(envelope.tolerated).answered_in(&envelope);
        let signature = self.signature.signature().to_vec();
        Ok(VerifiedMessage { exchange, message_type, envelope, signature, granted: policy.tolerances() })
    }

    fn request_type(&self) -> Result<MessageType, RejectReason> {
        match &self.message_type {
            Err(text) => Err(RejectReason::UnknownMessageType(text.clone())),
            Ok(MessageType::CertRep) => Err(RejectReason::NotARequest(MessageType::CertRep)),
            Ok(
                request @ (MessageType::PkcsReq
                | MessageType::RenewalReq
                | MessageType::CertPoll
                | MessageType::GetCert
                | MessageType::GetCrl),
            ) => Ok(*request),
        }
    }
}

/// A request whose signature holds; its content is still encrypted.
#[derive(Debug)]
pub struct VerifiedMessage {
    pub(crate) exchange: Exchange,
    pub(crate) message_type: MessageType,
    pub(crate) envelope: Envelope,
    pub(crate) signature: Vec<u8>,
    pub(crate) granted: Tolerances,
}

impl VerifiedMessage {
    /// Whom and how to answer.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// What it is.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// Whether the content key is wrapped by the challenge, as a client does for a CA whose key cannot encipher:
    /// [`VerifiedMessage::open_with_challenge`] opens it.
    pub fn is_sealed_by_challenge(&self) -> bool {
        matches!(self.envelope.recipients.as_slice(), [Recipient::Password(_)])
    }

    /// Decrypts and reads a request whose content key `challenge` has wrapped
    /// ([RFC 8894 §3.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.1)). `ca` is the certificate of who answers.
    ///
    /// Another challenge and a changed message fail alike, as in [`SealedRequest::open`]; so does a certification
    /// request that holds another challenge than the one it came under. Each call costs up to
    /// [`MAX_PBKDF2_ITERATIONS`](crate::limits::MAX_PBKDF2_ITERATIONS) hashes that the sender chose, so let few be tried.
    pub fn open_with_challenge(
        &self,
        challenge: &ChallengePassword,
        ca: &Certificate,
        verifier: &dyn SignatureVerifier,
        random: &dyn SecureRandom,
    ) -> Result<Request, Rejection> {
        let [Recipient::Password(password)] = self.envelope.recipients.as_slice() else {
            return Err(Rejection::new(RejectReason::NotForRecipient, &self.exchange));
        };
        let key = password.unwrap(challenge);
        let under = Some(challenge);
        let opening = Opening { message: self, recipient: ca, tolerated: Tolerances::NONE, under };
        opening.open(key.as_ref(), verifier, random)
    }

    /// What only the holder of `recipient`, the RA certificate, can open. Where there are several, as in a rollover, ask
    /// for each.
    ///
    /// The message must be for that recipient alone, by issuer and serial number or by key identifier. A second
    /// recipient would give someone who varies it an oracle about the first
    /// ([CVE-2019-1563](https://www.cve.org/CVERecord?id=CVE-2019-1563)).
    pub fn sealed_for(&self, recipient: &Certificate) -> Result<SealedRequest<'_>, Rejection> {
        let rejected = |reason| Rejection::new(reason, &self.exchange);
        match self.envelope.recipients.as_slice() {
            [Recipient::KeyTransport { id, wrapped }] if id.matches(recipient) => {
                let re_encoded = id.re_encodes_issuer_of(recipient);
                let tolerated = Tolerances::NONE.with_if(Tolerance::ReEncodedIssuer, re_encoded);
                granted(tolerated, self.granted).map_err(rejected)?;
                Ok(SealedRequest::new(self, wrapped, recipient.clone(), tolerated))
            }
            [Recipient::Unsupported | Recipient::Password(_)] => {
                Err(rejected(RejectReason::UnsupportedRecipient))
            }
            _ => Err(rejected(RejectReason::NotForRecipient)),
        }
    }
}

pub(crate) fn granted(needed: Tolerances, granted: Tolerances) -> Result<(), RejectReason> {
    needed.beyond(granted).map_or(Ok(()), |beyond| Err(RejectReason::NotTolerated(beyond)))
}

/// What has to be tolerated about the certificate of a signer, at which `id` points.
pub(crate) fn of_signer(certificate: &Certificate, id: &CertificateId) -> Tolerances {
    let identifier = certificate.extension(oids::AUTHORITY_KEY_IDENTIFIER);
    let critical = identifier.is_some_and(Extension::is_critical);
    Tolerances::NONE
        .with_if(Tolerance::CriticalAuthorityKeyIdentifier, critical)
        .with_if(Tolerance::SignerSerialNumber, certificate.serial_number().is_none())
        .with_if(Tolerance::ReEncodedIssuer, id.re_encodes_issuer_of(certificate))
}

impl From<SignatureFault> for RejectReason {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Algorithm { what, oid } => Self::AlgorithmNotAllowed { what, oid },
            SignatureFault::Attribute(name) => Self::SignedAttribute(name),
            SignatureFault::AmbiguousContent => Self::AmbiguousContent,
            SignatureFault::Mismatch => Self::SignatureMismatch,
        }
    }
}

impl From<EnvelopeFault> for RejectReason {
    fn from(fault: EnvelopeFault) -> Self {
        match fault {
            EnvelopeFault::Malformed(error) => Self::Envelope(error),
            EnvelopeFault::Algorithm { what, oid } => Self::AlgorithmNotAllowed { what, oid },
        }
    }
}
