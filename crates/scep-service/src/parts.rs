//! What a SCEP service is made of.

use std::sync::Arc;

use pki_core::{
    Certificate, Clock, DecryptionKey, KeyEncryptor, SecureRandom, SignatureVerifier, SigningKey,
};
use scep_proto::{AlgorithmPolicy, Capability};

use crate::{EnrollmentHandler, OtherAuthority};

/// Everything a [`ScepService`](crate::ScepService) needs.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "every field is a decision of whoever embeds the service")]
pub struct ScepParts {
    /// The certificate that messages are encrypted to and replies are signed with: a registration authority's of its
    /// own, so that no decryption ever touches a key that signs certificates. RSA, because SCEP encrypts to RSA keys
    /// only.
    pub ra_certificate: Certificate,
    /// The certificate of the CA that issues, then those above it, for GetCACert. May be empty when one certificate
    /// is both RA and CA.
    pub ca_certificates: Vec<Certificate>,
    /// Signs replies; the RA certificate's key.
    pub signing_key: Arc<dyn SigningKey>,
    /// Opens requests; the RA certificate's key.
    pub decryption_key: Arc<dyn DecryptionKey>,
    /// Decides.
    pub handler: Arc<dyn EnrollmentHandler>,
    /// Checks signatures of requests.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// Encrypts replies to their requesters.
    pub encryptor: Arc<dyn KeyEncryptor>,
    /// The time in replies.
    pub clock: Arc<dyn Clock>,
    /// Nonces and content keys.
    pub random: Arc<dyn SecureRandom>,
    /// Which algorithms are accepted.
    pub policy: AlgorithmPolicy,
    /// Whether RenewalReq is.
    pub renewal: Renewal,
}

/// What becomes of RenewalReq (messageType 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Renewal {
    /// Not among the capabilities; refused as badRequest before the handler sees it.
    #[default]
    Refused,
    /// Among the capabilities; the handler decides, and must check the signer's certificate.
    Offered,
}

impl ScepParts {
    /// What GetCACaps says: what is enforced, neither more nor less.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = Capability> + use<> {
        let always = [
            Capability::Aes,
            Capability::PostPkiOperation,
            Capability::Sha256,
            Capability::Sha512,
            Capability::ScepStandard,
        ];
        let sha1 = self.policy.allows_digest(pki_core::DigestAlgorithm::Sha1);
        let triple_des = self.policy.allows_cipher(scep_proto::ContentCipher::TripleDesCbc);
        let optional = [
            triple_des.then_some(Capability::Des3),
            sha1.then_some(Capability::Sha1),
            (self.renewal == Renewal::Offered).then_some(Capability::Renewal),
        ];
        always.into_iter().chain(optional.into_iter().flatten())
    }

    /// What GetCACert lists: the RA first (as RFC 8894 §4.2 has it), then the CAs, none twice.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let cas = self.ca_certificates.iter().filter(|&ca| *ca != self.ra_certificate);
        std::iter::once(&self.ra_certificate).chain(cas).cloned().collect()
    }

    /// The CA and RA among the parts.
    pub(crate) fn authority(&self) -> OtherAuthority {
        OtherAuthority {
            ra_certificate: self.ra_certificate.clone(),
            signing_key: Arc::clone(&self.signing_key),
            decryption_key: Arc::clone(&self.decryption_key),
            handler: Arc::clone(&self.handler),
        }
    }
}

/// Parts that cannot make a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A key that is not the RA certificate's.
    #[error("expected the {0} key to be the RA certificate's: it is another one")]
    OtherKey(&'static str),
    /// The RA and CA certificates cannot be encoded together.
    #[error("the certificates for GetCACert cannot be used: {0}")]
    Certificates(String),
}
