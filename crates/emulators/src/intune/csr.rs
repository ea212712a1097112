//! Whether a request is what its challenge was handed out for.

use base64ct::{Base64, Encoding as _};
use keys_software::AwsLc;
use pki_core::{CertificationRequest, KeyKind, Name, UnixTime};

use super::challenge::{Challenges, Issued};
use crate::{
    objects::Objects,
    records::{Life, Records},
};

/// What is wrong: Intune's code.
pub(super) type Wrong = &'static str;

/// Everything that the service looks at, in the order in which it does.
pub(super) fn check(
    challenges: &Challenges,
    objects: &Objects,
    encoded: &str,
    now: UnixTime,
) -> Result<(), Wrong> {
    let csr = decode(encoded)?;
    let challenge = csr.challenge_password().map(|challenge| challenge.expose().to_owned());
    let challenge = challenge.filter(|text| !text.is_empty()).ok_or("ChallengePasswordMissing")?;
    if Base64::decode_vec(&challenge).is_err() {
        return Err("ChallengeDecodingError");
    }
    let issued = challenges.find(&challenge).ok_or("ChallengeDecryptionError")?;
    if issued.expires <= now {
        return Err("ChallengeExpired");
    }
    csr.verify(&AwsLc).map_err(|_| "SignatureValidationFailed")?;
    check_objects(objects, issued)?;
    check_names(&csr, issued)?;
    check_key(&csr, issued)
}

fn decode(encoded: &str) -> Result<CertificationRequest, Wrong> {
    let der = Base64::decode_vec(encoded).map_err(|_| "CertificateRequestDecodingFailed")?;
    CertificationRequest::from_der(&der).map_err(|_| "CertificateRequestDecodingFailed")
}

fn check_objects(objects: &Objects, issued: &Issued) -> Result<(), Wrong> {
    let device = objects.managed.live(&issued.terms.device).ok_or("BadDeviceIdInChallenge")?;
    if device.thing.management != "managed" {
        return Err("ScepProfileNoLongerTargetedToTheClient");
    }
    let is_there = |user: &String| is_live(&objects.users, user);
    if issued.terms.user.as_ref().is_none_or(is_there) { Ok(()) } else { Err("BadUserIdInChallenge") }
}

fn is_live<T: crate::entities::Entity>(records: &Records<T>, key: &str) -> bool {
    records.find(key).is_some_and(|row| row.life == Life::Live)
}

fn check_names(csr: &CertificationRequest, issued: &Issued) -> Result<(), Wrong> {
    let terms = &issued.terms;
    if csr.subject().is_empty() {
        return Err("SubjectNameMissing");
    }
    let expected = terms.subject.clone().unwrap_or_else(|| Name::of_common_name(&terms.device));
    if !csr.subject().matches(&expected) {
        return Err("SubjectNameMismatch");
    }
    let given = csr.subject_alt_names().map_err(|_| "CertificateRequestDecodingFailed")?;
    if given.is_empty() && !terms.alternative_names.is_empty() {
        return Err("SubjectAltNameMissing");
    }
    let is_same = given.len() == terms.alternative_names.len()
        && terms.alternative_names.iter().all(|name| given.contains(name));
    if is_same { Ok(()) } else { Err("SubjectAltNameMismatch") }
}

fn check_key(csr: &CertificationRequest, issued: &Issued) -> Result<(), Wrong> {
    let terms = &issued.terms;
    let undecodable = |_| "CertificateRequestDecodingFailed";
    if terms.key_usage.is_some() && csr.key_usage().map_err(undecodable)? != terms.key_usage {
        return Err("KeyUsageMismatch");
    }
    let is_short = |least| match csr.public_key().kind() {
        KeyKind::Rsa { bits } => bits < u32::from(least),
        _ => true,
    };
    if terms.key_bits.is_some_and(is_short) {
        return Err("KeyLengthMismatch");
    }
    let wanted = &terms.extended_key_usages;
    let given = csr.extended_key_usages().map_err(undecodable)?;
    if wanted.is_empty() {
        Ok(())
    } else if given.is_empty() {
        Err("EnhancedKeyUsageMissing")
    } else if given.len() == wanted.len() && wanted.iter().all(|usage| given.contains(usage)) {
        Ok(())
    } else {
        Err("EnhancedKeyUsageMismatch")
    }
}
