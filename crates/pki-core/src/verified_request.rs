//! Certification requests whose requester has shown that the key is theirs.

use core::ops::Deref;

use crate::{BadSignature, CertificationRequest, SignatureVerifier};

/// A [`CertificationRequest`] that the private half of the key in it signed: the proof of possession
/// ([RFC 2986 §3](https://www.rfc-editor.org/rfc/rfc2986#section-3)). Cheap to clone.
///
/// There is no way to make one but [`CertificationRequest::verified`], so that whoever gets one need not look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRequest(CertificationRequest);

impl CertificationRequest {
    /// The same request, if its own signature holds.
    pub fn verified(&self, verifier: &dyn SignatureVerifier) -> Result<VerifiedRequest, BadSignature> {
        self.verify(verifier)?;
        Ok(VerifiedRequest(self.clone()))
    }
}

impl Deref for VerifiedRequest {
    type Target = CertificationRequest;

    fn deref(&self) -> &CertificationRequest {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{
        Name, PublicKey, RequestedExtensions, SignatureAlgorithm, UnsignedCertificationRequest, tlv,
    };

    /// Takes the signature that says `signed`.
    #[derive(Debug)]
    struct Says;

    impl SignatureVerifier for Says {
        fn verify(
            &self,
            _key: &PublicKey,
            _algorithm: SignatureAlgorithm,
            _message: &[u8],
            signature: &[u8],
        ) -> Result<(), BadSignature> {
            if signature == b"signed" { Ok(()) } else { Err(BadSignature) }
        }
    }

    fn signed(signature: &[u8]) -> CertificationRequest {
        let algorithm: Vec<u8> = tlv::sequence([&tlv::oid("1.2.3.4".parse().unwrap())[..]]);
        let key = PublicKey::from_der(&tlv::sequence([&*algorithm, &[3, 2, 0, 4]])).unwrap();
        let extensions = RequestedExtensions::default();
        UnsignedCertificationRequest::new(&Name::of_common_name("x"), &key, None, &extensions)
            .finish(SignatureAlgorithm::EcdsaSha256, signature)
            .unwrap()
    }

    #[test]
    fn row_09_only_verification_makes_a_verified_request() {
        let request = signed(b"signed");
        assert_eq!(request.verified(&Says).map(|verified| (*verified).clone()), Ok(request));
        assert_eq!(signed(b"not").verified(&Says), Err(BadSignature));
    }
}
