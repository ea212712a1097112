//! Keys and certificates that a requester acts with.

use std::{sync::Arc, time::Duration};

use pki_core::{Certificate, DecryptionKey, Name, SigningKey, Validity};
use scep_proto::UnsignedSignerCertificate;

use crate::{ClientError, ClientParts};

/// How long a self-signed signer certificate holds, before and after now: long enough for a request that waits for
/// approval, and for clocks that are wrong.
const SIGNER_VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// A key of the requester: it signs, and where it can, opens replies. Both halves are one key.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "two views of one key")]
pub struct ClientKey {
    /// Signs.
    pub signing: Arc<dyn SigningKey>,
    /// Decrypts; `None` of a key that cannot, such as one on an elliptic curve.
    pub decryption: Option<Arc<dyn DecryptionKey>>,
}

impl ClientKey {
    /// Of a key that does both.
    pub fn new<K: SigningKey + DecryptionKey + 'static>(key: Arc<K>) -> Self {
        Self { signing: Arc::<K>::clone(&key), decryption: Some(key) }
    }

    /// Of a key that only signs. Replies are then encrypted under the challenge
    /// ([RFC 8894 §3.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.1)), so there has to be one.
    pub fn signing_only<K: SigningKey + 'static>(key: Arc<K>) -> Self {
        Self { signing: key, decryption: None }
    }
}

/// A certificate and its key: who signs the messages of a transaction, and so whom replies are encrypted to.
#[derive(Debug, Clone)]
pub struct Identity {
    certificate: Certificate,
    key: ClientKey,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Made here for the purpose.
    SelfSigned,
    /// Somebody's CA gave it.
    Issued,
}

impl Identity {
    /// The holder of a certificate of the CA, or of another one that the CA believes.
    pub fn new(certificate: Certificate, key: ClientKey) -> Result<Self, ClientError> {
        if certificate.public_key() != key.signing.public_key() {
            return Err(ClientError::Request(format!(
                "expected the key of the certificate of {}: it is another one",
                certificate.subject()
            )));
        }
        Ok(Self { certificate, key, origin: Origin::Issued })
    }

    /// A requester that has no certificate yet
    /// ([RFC 8894 §2.3](https://www.rfc-editor.org/rfc/rfc8894#section-2.3)).
    pub(crate) async fn self_signed(
        subject: &Name,
        key: &ClientKey,
        parts: &ClientParts,
    ) -> Result<Self, ClientError> {
        let (signing, now) = (&*key.signing, parts.clock.now());
        let (from, to) = (now.saturating_sub(SIGNER_VALIDITY), now.saturating_add(SIGNER_VALIDITY));
        let validity = Validity::new(from, to)?;
        let (public, algorithm) = (signing.public_key(), signing.algorithm());
        let unsigned = UnsignedSignerCertificate::new(subject, public, algorithm, validity, &*parts.random)?;
        let signature = signing.sign(unsigned.tbs()).await?;
        let certificate = unsigned.finish(&signature)?;
        Ok(Self { certificate, key: key.clone(), origin: Origin::SelfSigned })
    }

    /// Who signed a message that is at hand.
    pub(crate) fn resumed(certificate: Certificate, key: ClientKey) -> Result<Self, ClientError> {
        let own = certificate.issuer() == certificate.subject();
        let origin = if own { Origin::SelfSigned } else { Origin::Issued };
        Ok(Self { origin, ..Self::new(certificate, key)? })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn key(&self) -> &ClientKey {
        &self.key
    }

    /// Whether a CA issued it.
    pub(crate) fn is_issued(&self) -> bool {
        self.origin == Origin::Issued
    }
}
