//! Certificates that were issued, for those who have lost them.

use pki_core::{CertRef, Certificate, IssuerId};
use revocation::Standing;
use serial_binding::Resolution;

use crate::{CertificateLookup, Enroller, Refusal, renewal::issued_here};

impl Enroller {
    /// A certificate that was issued ([RFC 8894 §4.5](https://www.rfc-editor.org/rfc/rfc8894#section-4.5)), by this CA or
    /// another generation of it.
    ///
    /// The RFC says that anybody who knows issuer and serial number may ask. Names in a certificate are personal, so
    /// only those get it who have it anyway: the holder of the key in it, by whatever certificate the message is signed,
    /// and the holder of a certificate of this CA in good standing that is bound to the same object. To everybody else
    /// there is no such certificate ([`Refusal::CertificateUnknown`]), whether there is one or not.
    pub async fn certificate(&self, lookup: CertificateLookup<'_>) -> Result<Certificate, Refusal> {
        let CertificateLookup { issuer, serial, signer } = lookup;
        let namesakes = self.generations().filter(|(ca, _)| issuer.matches(ca.subject()));
        let places = namesakes.map(|(ca, binding)| (IssuerId::of(ca), binding.resolve(&serial)));
        for (issuer, bound_to) in places.collect::<Vec<_>>() {
            let Some(found) = self.parts().store.certificate(CertRef { issuer, serial }).await? else {
                continue;
            };
            if found.public_key() == signer.public_key() || self.speaks_for(signer, bound_to).await? {
                return Ok(found);
            }
        }
        Err(Refusal::CertificateUnknown)
    }

    /// Whether `signer` is a certificate in good standing of the object that something else is bound to.
    async fn speaks_for(&self, signer: &Certificate, bound_to: Resolution) -> Result<bool, Refusal> {
        let parts = self.parts();
        let Ok((reference, object)) = issued_here(self, signer) else { return Ok(false) };
        if bound_to != Resolution::Object(object) || !signer.validity().contains(parts.clock.now()) {
            return Ok(false);
        }
        Ok(parts.revocation.status(reference).await?.standing == Standing::Good)
    }
}
