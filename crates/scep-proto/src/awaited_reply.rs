//! Replies as a client receives them.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    vec::Vec,
};

use pki_core::{
    BadSignature, Certificate, ChallengePassword, ContentKey, DecodeError, KeyTransport, PublicKey,
    SignatureVerifier, WrappedKey,
};

use crate::{
    AlgorithmPolicy, Exchange, FailInfo, MessageType, PkiStatus, ReplyError, Tolerance, Tolerances,
    TransactionId,
    attributes::SignedAttributes,
    ber,
    enveloped_data::{Envelope, EnvelopeFault, Recipient},
    password_recipient::PasswordRecipient,
    signature_check::{SignatureCheck, SignatureFault},
    signed_data::SignedData,
};

/// Knows the reply to one request from any other.
#[derive(Debug, Clone)]
pub struct AwaitedReply {
    transaction_id: TransactionId,
    sender_nonce: Vec<u8>,
    recipient: Certificate,
}

/// A reply that is signed by who should and belongs to the request
/// ([RFC 8894 §3.3.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.3.2)).
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum CertRep {
    /// Granted: unwrap, open.
    Success(SealedReply),
    /// Refused.
    Failure {
        /// Why, for programs.
        fail_info: FailInfo,
        /// Why, for people. It comes from the network: escape it before it reaches a terminal.
        text: Option<String>,
    },
    /// Not decided: poll.
    Pending,
}

impl AwaitedReply {
    pub(crate) fn new(transaction_id: TransactionId, sender_nonce: Vec<u8>, recipient: Certificate) -> Self {
        Self { transaction_id, sender_nonce, recipient }
    }

    /// Reads a reply, DER or BER, that one of `trusted` has signed: certificates of GetCACert that the caller has
    /// authenticated, never those that come with the reply.
    ///
    /// Departures from the RFC are read as far as `policy` tolerates them.
    pub fn read(
        &self,
        reply: &[u8],
        trusted: &[Certificate],
        verifier: &dyn SignatureVerifier,
        policy: &AlgorithmPolicy,
    ) -> Result<CertRep, ReplyError> {
        let mut needed = Tolerances::NONE;
        self.read_noting(reply, trusted, verifier, policy, &mut needed)
    }

    /// [`AwaitedReply::read`], adding to `needed` the departures from the RFC that show in the reply, whether it is
    /// taken or not.
    pub fn read_noting(
        &self,
        reply: &[u8],
        trusted: &[Certificate],
        verifier: &dyn SignatureVerifier,
        policy: &AlgorithmPolicy,
        needed: &mut Tolerances,
    ) -> Result<CertRep, ReplyError> {
        let der = ber::normalize(reply)?;
        let data = SignedData::read(&der)?;
        let signer = data.signer()?;
        let attributes = SignedAttributes::read(signer.signed_attributes)?;
        let candidate = trusted.iter().find(|certificate| signer.id.matches(certificate));
        let key = candidate.ok_or(ReplyError::UnknownSigner)?.public_key();
        let signature = SignatureCheck::new(&data, &signer, &attributes);
        let status = attributes.pki_status()?;
        *needed = needed
            .union(attributes.tolerated())
            .union(signature.tolerated())
            .with_if(Tolerance::Ber, matches!(der, Cow::Owned(_)))
            .with_if(Tolerance::ReplyNonce, self.is_no_fresh_nonce(&attributes))
            .with_if(
                Tolerance::ReplyContent,
                status != PkiStatus::Success && !signature.content().is_empty(),
            );
        granted(*needed, policy)?;
        signature.check(key, verifier, policy)?;
        self.check_belongs(&attributes)?;
        match status {
            PkiStatus::Pending => Ok(CertRep::Pending),
            PkiStatus::Failure => {
                Ok(CertRep::Failure { fail_info: attributes.fail_info()?, text: attributes.fail_info_text() })
            }
            PkiStatus::Success => {
                let sealed = self.sealed(signature.content(), policy)?;
                *needed = needed.union(sealed.envelope.tolerated);
                granted(*needed, policy)?;
                Ok(CertRep::Success(sealed))
            }
        }
    }

    /// Whether senderNonce is absent, or the requester's own come back.
    fn is_no_fresh_nonce(&self, attributes: &SignedAttributes<'_>) -> bool {
        attributes.sender_nonce().map_or(true, |nonce| nonce == self.sender_nonce)
    }

    fn check_belongs(&self, attributes: &SignedAttributes<'_>) -> Result<(), ReplyError> {
        if attributes.message_type()? != Ok(MessageType::CertRep) {
            return Err(DecodeError::new("a CertRep", "another messageType").into());
        }
        if attributes.transaction_id()? != self.transaction_id {
            return Err(ReplyError::NotTheReply("transactionID"));
        }
        if attributes.recipient_nonce()? != self.sender_nonce {
            return Err(ReplyError::NotTheReply("recipientNonce"));
        }
        Ok(())
    }

    fn sealed(&self, content: &[u8], policy: &AlgorithmPolicy) -> Result<SealedReply, ReplyError> {
        let envelope = Envelope::read(content, &policy.for_replies())?;
        // Of no octets, which no key opens, where the challenge does.
        let none = || WrappedKey::new(KeyTransport::RsaPkcs1, Vec::new());
        let mut recipients = envelope.recipients.iter();
        let found = recipients.find_map(|recipient| match recipient {
            Recipient::KeyTransport { id, wrapped } if id.matches(&self.recipient) => {
                Some((wrapped.clone(), None))
            }
            Recipient::Password(password) => Some((none(), Some(password.clone()))),
            _ => None,
        });
        let (wrapped, password) = found.ok_or(ReplyError::NotForRecipient)?;
        Ok(SealedReply { wrapped, password, envelope })
    }
}

fn granted(needed: Tolerances, policy: &AlgorithmPolicy) -> Result<(), ReplyError> {
    needed.beyond(policy.tolerances()).map_or(Ok(()), |beyond| Err(ReplyError::NotTolerated(beyond)))
}

/// The reply to a request that someone else made: for proxies, recorders and testers, who read the request first.
impl From<&Exchange> for AwaitedReply {
    fn from(exchange: &Exchange) -> Self {
        let nonce = exchange.sender_nonce().to_vec();
        Self::new(exchange.transaction_id().clone(), nonce, exchange.signer().clone())
    }
}

/// What a SUCCESS delivers, still encrypted.
#[derive(Debug)]
pub struct SealedReply {
    wrapped: WrappedKey,
    password: Option<PasswordRecipient>,
    envelope: Envelope,
}

impl SealedReply {
    /// Whether the content key is wrapped by the challenge of the request, because the key that signed it cannot
    /// encipher: [`SealedReply::open_with_challenge`] opens it.
    pub fn is_sealed_by_challenge(&self) -> bool {
        self.password.is_some()
    }

    /// The content key, wrapped for the key that signed the request. Of no octets where
    /// [`SealedReply::is_sealed_by_challenge`].
    pub fn wrapped_key(&self) -> &WrappedKey {
        &self.wrapped
    }

    /// Decrypts by the challenge that the request held
    /// ([RFC 8894 §3.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.1)).
    pub fn open_with_challenge(&self, challenge: &ChallengePassword) -> Result<Issued, ReplyError> {
        let key = self.password.as_ref().and_then(|password| password.unwrap(challenge));
        self.open(&key.ok_or(ReplyError::Undecryptable)?)
    }

    /// Decrypts with the unwrapped content key.
    pub fn open(&self, key: &ContentKey) -> Result<Issued, ReplyError> {
        if key.expose().len() != self.envelope.cipher().key_len() {
            return Err(ReplyError::Undecryptable);
        }
        let plaintext = self.envelope.decrypt(key);
        plaintext.read(|content| Issued::read(content).ok()).ok_or(ReplyError::Undecryptable)
    }
}

/// What a SUCCESS delivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Issued {
    /// Certificates in the order sent. Servers that write strict DER sort them, so the first one need not be the one
    /// issued; see [`Issued::certificate_for`].
    pub certificates: Vec<Certificate>,
    /// CRLs, as their DER.
    pub crls: Vec<Vec<u8>>,
}

impl Issued {
    /// The certificate of that key.
    pub fn certificate_for(&self, key: &PublicKey) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| certificate.public_key() == key)
    }

    fn read(content: &[u8]) -> Result<Self, DecodeError> {
        let der = ber::normalize(content)?;
        let data = SignedData::read(&der)?;
        let crls = data.crls.iter().map(|&crl| crl.to_owned()).collect();
        Ok(Self { certificates: data.parsed_certificates().collect(), crls })
    }
}

impl From<SignatureFault> for ReplyError {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Algorithm { oid, .. } => Self::AlgorithmNotAllowed(oid),
            SignatureFault::Attribute(_) | SignatureFault::AmbiguousContent | SignatureFault::Mismatch => {
                Self::Signature(BadSignature)
            }
        }
    }
}

impl From<EnvelopeFault> for ReplyError {
    fn from(fault: EnvelopeFault) -> Self {
        match fault {
            EnvelopeFault::Malformed(error) => Self::Decode(error),
            EnvelopeFault::Algorithm { oid, .. } => Self::AlgorithmNotAllowed(oid),
        }
    }
}
