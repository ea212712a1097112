//! Requests as a CA receives them.

use alloc::{borrow::Cow, string::String, vec::Vec};

use pki_core::{
    Certificate, ContentKey, DecodeError, Extension, SecureRandom, SignatureAlgorithm, SignatureVerifier,
    VerifiedRequest, WrappedKey, oids,
};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::{
    AlgorithmPolicy, Exchange, MessageType, RejectReason, Rejection, Request, RequestMessage, Tolerance,
    Tolerances,
    attributes::SignedAttributes,
    ber,
    certificate_id::CertificateId,
    enveloped_data::{Envelope, EnvelopeFault, Recipient},
    limits::MAX_MESSAGE_LEN,
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
    exchange: Exchange,
    message_type: MessageType,
    envelope: Envelope,
    signature: Vec<u8>,
    granted: Tolerances,
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
                Ok(SealedRequest { message: self, wrapped, recipient: recipient.clone(), tolerated })
            }
            [Recipient::Unsupported] => Err(rejected(RejectReason::UnsupportedRecipient)),
            _ => Err(rejected(RejectReason::NotForRecipient)),
        }
    }
}

/// A request that is encrypted to a known recipient alone.
///
/// # No oracle
///
/// Whoever records a request can send its envelope again, changed, within a message of his own: the outer signature is
/// by a certificate that he makes himself, and CBC protects nothing. Any answer that depends on what such an envelope
/// decrypts to would decrypt the recorded one, challenge and all, in some hundred queries an octet. So
/// [`SealedRequest::open`] has one answer for every content but those that their author has vouched for:
///
/// * a PKCS #10 request counts when the key within has signed it;
/// * GetCert and GetCRL count when they name the issuer of the recipient's certificate, or the recipient itself;
/// * of CertPoll the content does not count at all. RFC 8894 section 3.3.3 wants polls told by their transactionID
///   anyway; who asks is told by the signer.
#[derive(Debug)]
pub struct SealedRequest<'m> {
    message: &'m VerifiedMessage,
    wrapped: &'m WrappedKey,
    recipient: Certificate,
    tolerated: Tolerances,
}

impl SealedRequest<'_> {
    /// The content key, for the recipient's [`DecryptionKey`](pki_core::DecryptionKey).
    pub fn wrapped_key(&self) -> &WrappedKey {
        self.wrapped
    }

    /// Decrypts and reads the request. `key` is what unwrapping gave; pass `None` when it gave an error, of whatever
    /// kind, and do not answer that error in any other way.
    ///
    /// A random key is drawn first, and takes the place of one that is absent or of a wrong length. From there on
    /// everything goes the same way, proof of possession included, and fails with the same
    /// [`RejectReason::Undecryptable`], so that nobody can tell a wrong padding of the key from a wrong padding of the
    /// content or a wrong content ([RFC 3218](https://www.rfc-editor.org/rfc/rfc3218)).
    #[expect(clippy::needless_pass_by_value, reason = "the key is used up and wiped here")]
    pub fn open(
        &self,
        key: Option<ContentKey>,
        verifier: &dyn SignatureVerifier,
        random: &dyn SecureRandom,
    ) -> Result<Request, Rejection> {
        let VerifiedMessage { exchange, message_type, envelope, .. } = self.message;
        let rejection = |reason| Rejection::new(reason, exchange);
        let stand_in = envelope.cipher().draw_key(random);
        let stand_in = stand_in.map_err(|_| rejection(RejectReason::NoRandomness))?;
        let (key, usable) = key_or(key.as_ref(), &stand_in);
        let plaintext = envelope.decrypt(&key);
        let message = plaintext.read(|der| RequestMessage::from_der(*message_type, der).ok());
        let message = message.filter(|_| usable.into());
        let vouched = self.vouched_for(message, verifier);
        let (message, proven) = vouched.ok_or_else(|| rejection(RejectReason::Undecryptable))?;
        let exchange = exchange.clone().tolerating(self.tolerated.union(of_request(&message)));
        // Only now, when the author of the content has vouched for it.
        let granted = granted(exchange.tolerated(), self.message.granted);
        granted.map_err(|reason| Rejection::new(reason, &exchange))?;
        Ok(Request { message, exchange, proven })
    }

    /// With the certification request once more, where there is one.
    fn vouched_for(
        &self,
        message: Option<RequestMessage>,
        verifier: &dyn SignatureVerifier,
    ) -> Option<(RequestMessage, Option<VerifiedRequest>)> {
        let VerifiedMessage { exchange, message_type, signature, .. } = self.message;
        let (issuer, signer) = (self.recipient.issuer(), exchange.signer());
        if *message_type == MessageType::CertPoll {
            let (issuer, subject) = (issuer.clone(), signer.subject().clone());
            return Some((RequestMessage::CertPoll { issuer, subject }, None));
        }
        let proven = match &message {
            Some(RequestMessage::PkcsReq(request) | RequestMessage::RenewalReq(request)) => {
                Some(request.verified(verifier).ok()?)
            }
            Some(
                RequestMessage::GetCert { issuer: named, .. } | RequestMessage::GetCrl { issuer: named, .. },
            ) if named.matches(issuer) || named.matches(self.recipient.subject()) => None,
            Some(_) => return None,
            None => {
                // As long as checking a request would have taken.
                let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
                let _ = verifier.verify(signer.public_key(), algorithm, &[], signature);
                return None;
            }
        };
        Some((message?, proven))
    }
}

fn granted(needed: Tolerances, granted: Tolerances) -> Result<(), RejectReason> {
    needed.beyond(granted).map_or(Ok(()), |beyond| Err(RejectReason::NotTolerated(beyond)))
}

/// What has to be tolerated about the certificate of a signer, at which `id` points.
fn of_signer(certificate: &Certificate, id: &CertificateId) -> Tolerances {
    let identifier = certificate.extension(oids::AUTHORITY_KEY_IDENTIFIER);
    let critical = identifier.is_some_and(Extension::is_critical);
    Tolerances::NONE
        .with_if(Tolerance::CriticalAuthorityKeyIdentifier, critical)
        .with_if(Tolerance::SignerSerialNumber, certificate.serial_number().is_none())
        .with_if(Tolerance::ReEncodedIssuer, id.re_encodes_issuer_of(certificate))
}

fn of_request(message: &RequestMessage) -> Tolerances {
    let (RequestMessage::PkcsReq(request) | RequestMessage::RenewalReq(request)) = message else {
        return Tolerances::NONE;
    };
    let deviations = request.deviations().iter().copied().map(Tolerances::from);
    deviations.fold(Tolerances::NONE, Tolerances::union)
}

/// `key` if it is as long as `stand_in`, otherwise `stand_in`, by the same steps.
fn key_or(key: Option<&ContentKey>, stand_in: &ContentKey) -> (ContentKey, Choice) {
    let given = key.map(ContentKey::expose).unwrap_or_default();
    let fits = given.len().ct_eq(&stand_in.expose().len());
    let given = given.iter().chain(core::iter::repeat(&0));
    let pairs = stand_in.expose().iter().zip(given);
    let octets: Vec<u8> = pairs.map(|(other, given)| u8::conditional_select(other, given, fits)).collect();
    (ContentKey::new(octets), fits)
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
