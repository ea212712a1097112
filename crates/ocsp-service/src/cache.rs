//! Answers that were signed already.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use ocsp_proto::{Issuer, Request};
use pki_core::{CertRef, UnixTime};
use quick_cache::{Equivalent, sync::Cache};
use revocation::{Standing, StatusReport};

use crate::{Answer, delegate_keeper::ActiveDelegate};

/// Signed answers by certificate and by the bytes of the CertID that they repeat. Bounded; what is asked for least
/// goes first.
pub(crate) struct AnswerCache(Cache<Key, Arc<KeptAnswer>>);

/// An answer, and what has to stay as it is for the answer to be sent again.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    answer: Answer,
    standing: Standing,
    epoch: Option<u64>,
    reliable_until: Option<UnixTime>,
    /// Whose key signed it.
    delegate: Arc<ActiveDelegate>,
}

/// What a look into the cache brings.
pub(crate) enum Found {
    /// May be sent as it is.
    Fresh(Arc<KeptAnswer>),
    /// May be sent if the source says that the certificate still stands as it did.
    UnlessChanged(Arc<KeptAnswer>),
    /// Nothing that may be sent.
    Nothing,
}

impl AnswerCache {
    /// For at most `capacity` answers; 0 keeps none.
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    pub(crate) fn find(
        &self,
        key: &KeyRef<'_>,
        now: UnixTime,
        epoch: Option<u64>,
        delegate: &Arc<ActiveDelegate>,
    ) -> Found {
        let Some(kept) = self.0.get(key) else { return Found::Nothing };
        let fresh = kept.answer.caching().is_some_and(|caching| caching.is_fresh(now));
        if !fresh || !Arc::ptr_eq(&kept.delegate, delegate) {
            return Found::Nothing;
        }
        if kept.holds(now, epoch) { Found::Fresh(kept) } else { Found::UnlessChanged(kept) }
    }

    pub(crate) fn keep(&self, key: KeyRef<'_>, kept: Arc<KeptAnswer>) {
        self.0.insert(Key { certificate: key.certificate, cert_id: key.cert_id.into() }, kept);
    }
}

impl KeptAnswer {
    /// `epoch` is the source's from before it was asked.
    pub(crate) fn new(
        answer: Answer,
        report: &StatusReport,
        epoch: Option<u64>,
        delegate: Arc<ActiveDelegate>,
    ) -> Self {
        let StatusReport { standing, reliable_until, .. } = *report;
        Self { answer, standing, epoch, reliable_until, delegate }
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The same answer for a newer report, if that says the same and lasts as long as the answer does.
    pub(crate) fn renewed(&self, report: &StatusReport, epoch: Option<u64>) -> Option<Self> {
        let lasts = report.reliable_until.is_none_or(|until| self.answer.next_update() <= Some(until));
        (lasts && report.standing == self.standing)
            .then(|| Self::new(self.answer.clone(), report, epoch, Arc::clone(&self.delegate)))
    }

    /// Whether the source need not be asked: it says that nothing changed, or it cannot say and has given a time.
    fn holds(&self, now: UnixTime, epoch: Option<u64>) -> bool {
        match (self.epoch, self.reliable_until) {
            (None, None) => false,
            (kept, until) => kept == epoch && until.is_none_or(|until| now <= until),
        }
    }
}

/// The key of requests without nonce about one certificate. Others are answered anew each time.
#[derive(Clone, Copy)]
pub(crate) struct KeyRef<'a> {
    certificate: CertRef,
    cert_id: &'a [u8],
}

impl<'a> KeyRef<'a> {
    /// `issuer` is the CA that the request names.
    pub(crate) fn of(request: &Request<'a>, issuer: &Issuer) -> Option<Self> {
        match (request.nonce(), request.cert_ids()) {
            (None, [cert_id]) => {
                let certificate = CertRef { issuer: issuer.id(), serial: cert_id.serial_number()? };
                Some(Self { certificate, cert_id: cert_id.as_der() })
            }
            _ => None,
        }
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The bytes hold the serial number and the hashes of the issuer; the rest is compared, not hashed.
        self.cert_id.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.cert_id == &*key.cert_id && self.certificate == key.certificate
    }
}

#[derive(PartialEq, Eq)]
struct Key {
    certificate: CertRef,
    cert_id: Box<[u8]>,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (*self.cert_id).hash(state);
    }
}

impl fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerCache({} answers)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use pki_core::{IssuerId, SerialNumber};

    use super::*;

    #[test]
    fn row_62_a_key_is_the_issuer_the_serial_number_and_the_cert_id() {
        let certificate = |issuer, serial| CertRef {
            issuer: IssuerId::from_bytes([issuer; 32]),
            serial: SerialNumber::from_be_bytes(&[serial]).unwrap(),
        };
        let key = Key { certificate: certificate(1, 1), cert_id: b"id".as_slice().into() };
        let finds = |certificate, cert_id| KeyRef { certificate, cert_id }.equivalent(&key);
        assert!(finds(certificate(1, 1), b"id"));
        assert!(!finds(certificate(2, 1), b"id"));
        assert!(!finds(certificate(1, 2), b"id"));
        assert!(!finds(certificate(1, 1), b"other"));
    }
}
