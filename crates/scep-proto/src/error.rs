//! What can go wrong on one's own side, and with replies.

use pki_core::{BadSignature, DecodeError, KeyError, KeyKind, Oid, RandomFailed};

use crate::Tolerance;

/// A message could not be made. Never the peer's doing, except for [`EncodeError::CannotEncipher`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// No nonce, content key or initialization vector could be drawn.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// Nothing can be encrypted to the recipient's key, which is no RSA key, and there is no challenge to encrypt by
    /// instead.
    #[error("expected a recipient with an RSA key, or a challenge, to encrypt to: its key is {0}")]
    CannotEncipher(KeyKind),
    /// Single DES as the cipher.
    #[error("expected AES or triple DES to encrypt with: single DES is only ever read")]
    OnlyRead,
    /// Wrapping the content key failed.
    #[error("the content key could not be wrapped: {0}")]
    Key(#[from] KeyError),
    /// The signer's algorithm has a digest that nothing here computes.
    #[error("expected a signature algorithm with a digest of SHA-1 or better")]
    UnusableDigest,
    /// A SUCCESS that carries nothing.
    #[error("expected at least one certificate to deliver: none was given")]
    NothingToDeliver,
}

/// A reply that a client must not act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Not a CertRep.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Signed by none of the certificates that the client trusts for this.
    #[error("expected a reply signed by a certificate of GetCACert: another one signed it")]
    UnknownSigner,
    /// The signature does not hold, or not over this content.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// An algorithm that the client's policy does not allow.
    #[error("the reply uses algorithm {0}, which is not allowed")]
    AlgorithmNotAllowed(Oid),
    /// The reply to another message: recipientNonce or transactionID differ.
    #[error("expected the reply to this request: its {0} is another one's")]
    NotTheReply(&'static str),
    /// Encrypted to someone else.
    #[error("expected a reply encrypted to the request's signer certificate")]
    NotForRecipient,
    /// A departure from the RFC that the client's policy does not tolerate.
    #[error("{0} is not tolerated here: see {section}", section = .0.clause())]
    NotTolerated(Tolerance),
    /// The content key or the content is not what was encrypted.
    #[error("the reply could not be decrypted")]
    Undecryptable,
}
