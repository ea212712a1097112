//! Whether a certificate is authority for its own successor.

use issuance::Since;
use pki_core::{CertRef, Certificate, IssuerId, SerialNumber, UnixTime};
use revocation::Standing;
use serial_binding::{BoundObject, Resolution};

use crate::{Enroller, EnrollmentProfile, Refusal, RenewalPolicy};

/// A certificate that may be renewed.
#[derive(Debug)]
pub(crate) struct Renewable {
    pub(crate) certificate: Certificate,
    pub(crate) serial: SerialNumber,
    pub(crate) object: BoundObject,
}

impl Renewable {
    /// Only a certificate that this CA's key signed, for an object, valid now, of this profile, not too young, and in
    /// good standing. Whatever cannot be told is no yes.
    pub(crate) async fn check(
        enroller: &Enroller,
        profile: &EnrollmentProfile,
        policy: RenewalPolicy,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let (reference, object) = issued_here(enroller, certificate)?;
        let serial = reference.serial;
        check_time(certificate, policy, now)?;
        check_profile(enroller, profile, certificate, reference).await?;
        check_standing(enroller, reference).await?;
        Ok(Self { certificate: certificate.clone(), serial, object })
    }

    /// Since when it may be renewed, where that is not at any time.
    pub(crate) fn since(&self, policy: RenewalPolicy) -> Since {
        let end = self.certificate.validity().not_after();
        policy.opens().map_or(Since::Unknown, |rest| Since::Known(end.saturating_sub(rest)))
    }

    /// [`Renewable::check`] for one that was found fit when the request came, and has waited for a person since: it may have expired
    /// meanwhile, but not been revoked.
    pub(crate) async fn again(
        enroller: &Enroller,
        serial: SerialNumber,
        object: BoundObject,
    ) -> Result<Self, Refusal> {
        let references = enroller.generations().map(|(ca, _)| CertRef { issuer: IssuerId::of(ca), serial });
        for reference in references.collect::<Vec<_>>() {
            if let Some(certificate) = enroller.parts().store.certificate(reference).await? {
                check_standing(enroller, reference).await?;
                return Ok(Self { certificate, serial, object });
            }
        }
        Err(Refusal::SignerForeign)
    }
}

/// The name and the object of a certificate that this CA's key, and not only its name, signed; or that of another
/// generation of this CA.
///
/// The CA's own certificates, those of its registration authority and of its responders, have serial numbers that are
/// bound to nothing, and so are none of these.
pub(crate) fn issued_here(
    enroller: &Enroller,
    certificate: &Certificate,
) -> Result<(CertRef, BoundObject), Refusal> {
    let verifier = &*enroller.parts().verifier;
    let mut namesakes = enroller.generations().filter(|(ca, _)| certificate.issuer().matches(ca.subject()));
    let signed = namesakes.find(|(ca, _)| certificate.verify_signed_by(ca.public_key(), verifier).is_ok());
    let (ca, binding) = signed.ok_or(Refusal::SignerForeign)?;
    let serial = certificate.serial_number().ok_or(Refusal::SignerForeign)?;
    match binding.resolve(&serial) {
        Resolution::Object(object) => Ok((CertRef { issuer: IssuerId::of(ca), serial }, object)),
        Resolution::Unbound | Resolution::Foreign => Err(Refusal::SignerForeign),
    }
}

async fn check_standing(enroller: &Enroller, reference: CertRef) -> Result<(), Refusal> {
    match enroller.parts().revocation.status(reference).await?.standing {
        Standing::Good => Ok(()),
        Standing::NotMine | Standing::Hold { .. } | Standing::Revoked { .. } => Err(Refusal::SignerRevoked),
    }
}

fn check_time(certificate: &Certificate, policy: RenewalPolicy, now: UnixTime) -> Result<(), Refusal> {
    let validity = certificate.validity();
    if !validity.contains(now) {
        return Err(Refusal::SignerNotValid);
    }
    match policy.opens() {
        Some(rest) if validity.not_after().saturating_since(now) > rest => Err(Refusal::RenewalTooEarly),
        _ => Ok(()),
    }
}

/// Where the store does not know the profile of the certificate, it is judged by its looks: a renewal must not gain
/// extended key usages.
async fn check_profile(
    enroller: &Enroller,
    profile: &EnrollmentProfile,
    certificate: &Certificate,
    reference: CertRef,
) -> Result<(), Refusal> {
    let same = if let Some(recorded) = enroller.parts().store.profile_of(reference).await? {
        recorded == profile.name()
    } else {
        let held = certificate.extended_key_usages().map_err(Refusal::malformed)?;
        profile.issuance().settings().extended_key_usages.iter().all(|usage| held.contains(usage))
    };
    if same { Ok(()) } else { Err(Refusal::RenewalElsewhere) }
}
