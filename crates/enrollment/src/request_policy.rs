//! What a certification request must be like, whoever it is from.

use pki_core::{AlgorithmError, CertificationRequest, SignatureAlgorithm, VerifiedRequest};

use crate::{EnrollmentProfile, Refusal, profile::Sha1};

/// Checks algorithm, key and the extensions asked for, in this order.
///
/// What the request says of basicConstraints and keyUsage must be well formed, and is then passed over: the profile
/// decides. An extended key usage that the profile does not give is refused rather than passed over, because a
/// certificate without it would be of no use to whoever asked.
pub(crate) fn check(csr: &VerifiedRequest, profile: &EnrollmentProfile) -> Result<(), Refusal> {
    check_algorithm(csr, profile.sha1())?;
    profile.issuance().check_key(csr.public_key())?;
    csr.key_usage().map_err(Refusal::malformed)?;
    csr.basic_constraints().map_err(Refusal::malformed)?;
    let given = &profile.issuance().settings().extended_key_usages;
    let asked = csr.extended_key_usages().map_err(Refusal::malformed)?;
    match asked.into_iter().find(|usage| !given.contains(usage)) {
        Some(usage) => Err(Refusal::UsageNotAllowed(usage)),
        None => Ok(()),
    }
}

fn check_algorithm(csr: &CertificationRequest, sha1: Sha1) -> Result<(), Refusal> {
    match csr.signature_algorithm() {
        Ok(SignatureAlgorithm::RsaPkcs1Sha1) if sha1 == Sha1::Refused => {
            Err(Refusal::AlgorithmNotAllowed(SignatureAlgorithm::RsaPkcs1Sha1.oid()))
        }
        Ok(_) => Ok(()),
        Err(AlgorithmError::Unknown(unknown)) => Err(Refusal::AlgorithmNotAllowed(unknown.0)),
        Err(AlgorithmError::Malformed(error)) => Err(Refusal::malformed(error)),
        Err(other) => Err(Refusal::malformed(other)),
    }
}
