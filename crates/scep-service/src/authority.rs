//! The CAs that one service speaks for, told apart by whose RA a message is encrypted to.

use std::sync::Arc;

use pki_core::{Certificate, DecryptionKey, KeyError, SigningKey};
use scep_proto::{Rejection, ReplySigner, SealedRequest, VerifiedMessage};

use crate::{EnrollmentHandler, PartsError};

/// A CA with its RA beside the one of a service's [`ScepParts`](crate::ScepParts): the next one of a rollover, or an
/// earlier one. What is encrypted to its RA is its handler's to decide, and answered by its RA
/// ([RFC 8894 §5.1, figure 9](https://www.rfc-editor.org/rfc/rfc8894#section-5.1)).
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct OtherAuthority {
    /// The certificate that messages are encrypted to and replies are signed with; RSA.
    pub ra_certificate: Certificate,
    /// Signs replies; the RA certificate's key.
    pub signing_key: Arc<dyn SigningKey>,
    /// Opens requests; the RA certificate's key.
    pub decryption_key: Arc<dyn DecryptionKey>,
    /// Decides.
    pub handler: Arc<dyn EnrollmentHandler>,
}

/// An authority at work.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) parts: OtherAuthority,
    pub(crate) signer: ReplySigner,
}

impl Authority {
    /// Fails when a key is not the RA certificate's.
    pub(crate) fn new(parts: OtherAuthority) -> Result<Self, PartsError> {
        let key = parts.ra_certificate.public_key();
        if parts.signing_key.public_key() != key {
            return Err(PartsError::OtherKey("signing"));
        }
        if parts.decryption_key.public_key() != key {
            return Err(PartsError::OtherKey("decryption"));
        }
        let signer = ReplySigner::new(parts.ra_certificate.clone(), parts.signing_key.algorithm());
        Ok(Self { parts, signer })
    }

    /// The message, if it is encrypted to this RA alone.
    pub(crate) fn sealed<'m>(&self, message: &'m VerifiedMessage) -> Result<SealedRequest<'m>, Rejection> {
        message.sealed_for(&self.parts.ra_certificate)
    }

    pub(crate) async fn sign(&self, unsigned: scep_proto::UnsignedReply) -> Result<Vec<u8>, KeyError> {
        let signature = self.parts.signing_key.sign(unsigned.tbs()).await?;
        Ok(unsigned.finish(&signature))
    }
}
