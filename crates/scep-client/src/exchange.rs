//! One message and its reply.

use pki_core::ChallengePassword;
use scep_proto::{AwaitedReply, Capabilities, CertRep, Issued, SealedReply};

use crate::{ClientError, ClientKey, ScepClient, TrustedCa, error::said};

/// What a reply can be opened with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    /// The key that signed the request.
    pub(crate) key: &'a ClientKey,
    /// The secret in the request, for keys that cannot decrypt.
    pub(crate) challenge: Option<&'a ChallengePassword>,
}

impl ScepClient {
    /// Sends `message` and reads its reply; `None` when it says PENDING.
    pub(crate) async fn exchange(
        &self,
        message: &[u8],
        awaited: &AwaitedReply,
        (ca, capabilities): (&TrustedCa, Capabilities),
        opener: Opener<'_>,
    ) -> Result<Option<Issued>, ClientError> {
        let reply = self.pki_operation(message, capabilities).await?;
        let verifier = &*self.parts().verifier;
        match awaited.read(&reply, ca.reply_signers(), verifier, self.policy())? {
            CertRep::Success(sealed) => opener.open(&sealed).await.map(Some),
            CertRep::Pending => Ok(None),
            CertRep::Failure { fail_info, text } => {
                Err(ClientError::Refused { fail_info, text: said(&text.unwrap_or_default()) })
            }
        }
    }
}

impl Opener<'_> {
    /// Fails when nothing that a CA could encrypt a reply to can be opened.
    pub(crate) fn check(self) -> Result<(), ClientError> {
        if self.key.decryption.is_none() && self.challenge.is_none() {
            return Err(ClientError::CannotDecrypt(self.key.signing.public_key().kind()));
        }
        Ok(())
    }

    async fn open(self, sealed: &SealedReply) -> Result<Issued, ClientError> {
        let unopened = || ClientError::CannotDecrypt(self.key.signing.public_key().kind());
        if sealed.is_sealed_by_challenge() {
            return Ok(sealed.open_with_challenge(self.challenge.ok_or_else(unopened)?)?);
        }
        let decryption = self.key.decryption.as_ref().ok_or_else(unopened)?;
        let key = decryption.unwrap_key(sealed.wrapped_key()).await?;
        Ok(sealed.open(&key)?)
    }
}
