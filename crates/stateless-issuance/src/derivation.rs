//! Dates and serial numbers that follow from requests.

use std::{sync::Arc, time::Duration};

use issuance::{
    Authorized, CertificateRequest, Derivation, Derived, Issuer, PrepareError, Provenance, Since, Spend,
};
use pki_core::{DecodeError, SerialNumber, UnixTime};

use crate::{DerivationKey, moment};

/// Has the date of a certificate follow from its transaction and request, and its serial number from all that is in it.
///
/// A repeat thus makes the same certificate as long as it would have the same contents. Where these have changed, because
/// the directory knows other names by now or the profile was edited, it makes another one with another serial number.
#[derive(Debug, Clone)]
pub struct RequestDerivation {
    key: DerivationKey,
}

impl RequestDerivation {
    /// All instances of a CA need the same key.
    pub fn new(key: DerivationKey) -> Self {
        Self { key }
    }

    /// Within the CA's own validity, as the certificate will be.
    fn moment(&self, provenance: &Provenance, life: Duration, now: UnixTime) -> UnixTime {
        let span = |claimed| moment::of_span(self.phase(provenance), claimed, life, now);
        match (provenance.since, provenance.spends) {
            (Since::Known(since), _) => moment::of_known(since, life, now),
            (_, Some(Spend::SelfChecking { expires, .. })) => moment::of_expiry(expires, life, now),
            (Since::Claimed(since), _) => span(Some(since)),
            (Since::Unknown, _) => span(None),
        }
    }

    fn phase(&self, provenance: &Provenance) -> u64 {
        let octets = self.key.derive(b"span", &of_request(provenance));
        octets.iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet))
    }
}

impl Derivation for RequestDerivation {
    fn derive(
        &self,
        request: &Authorized<CertificateRequest>,
        issuer: &Issuer,
        now: UnixTime,
    ) -> Result<Derived, PrepareError> {
        let own = issuer.certificate().validity();
        if !own.contains(now) {
            return Err(PrepareError::CaNotValid { now, not_after: own.not_after() });
        }
        let provenance = request.provenance();
        let at = self.moment(provenance, request.value().life(), now).max(own.not_before());
        let draft = issuer.prepare(request, draft_serial()?, at)?;
        let [transaction, digest] = of_request(provenance);
        let random = self.key.stream(b"serial", &[transaction, digest, draft.tbs()]);
        Ok(Derived { at, random: Arc::new(random) })
    }
}

fn of_request(provenance: &Provenance) -> [&[u8]; 2] {
    [provenance.transaction.as_bytes(), &provenance.request]
}

/// Stands in a draft where the serial number will stand.
fn draft_serial() -> Result<SerialNumber, PrepareError> {
    let one = SerialNumber::from_be_bytes(&[1]);
    Ok(one.map_err(|error| DecodeError::new("a serial number", error))?)
}
