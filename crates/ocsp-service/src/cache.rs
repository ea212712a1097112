//! Answers that were signed already.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use ocsp_proto::{Issuer, Request};
use pki_core::{CertRef, UnixTime};
use quick_cache::{Equivalent, sync::Cache};
use revocation::{Standing, StatusReport};

use crate::{Answer, NoncePolicy, delegate_keeper::ActiveDelegate, metrics::Answered};

/// How long a change may stay unnoticed where the source does not tell of it: after that it is asked again, however long
/// it said that its answer could be relied on.
pub(crate) const MAX_UNNOTICED: Duration = Duration::from_secs(5);

/// Signed answers by certificate, by the bytes of the CertID that they repeat, and by who signs. Bounded; what is asked for least
/// goes first.
pub(crate) struct AnswerCache(Cache<Key, Arc<KeptAnswer>>);

/// An answer, and what has to stay as it is for the answer to be sent again.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    answer: Answer,
    standing: Standing,
    epoch: Option<u64>,
    reliable_until: Option<UnixTime>,
    asked_at: UnixTime,
    answered: Arc<Answered>,
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
        self.0.insert(key.to_key(), kept);
    }
}

impl KeptAnswer {
    /// `told` is what the answer rests on.
    pub(crate) fn new(
        answer: Answer,
        told: &Told,
        answered: Arc<Answered>,
        delegate: Arc<ActiveDelegate>,
    ) -> Self {
        let Told { report: StatusReport { standing, reliable_until, .. }, epoch, asked_at } = *told;
        Self { answer, standing, epoch, reliable_until, asked_at, answered, delegate }
    }

    pub(crate) fn answered(&self) -> &Answered {
        &self.answered
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The same answer for a newer report, if that says the same and lasts as long as the answer does.
    pub(crate) fn renewed(self: &Arc<Self>, told: &Told) -> Option<Arc<Self>> {
        let report = &told.report;
        let lasts = report.reliable_until.is_none_or(|until| self.answer.next_update() <= Some(until));
        if !lasts || report.standing != self.standing {
            return None;
        }
        // A source that tells neither change nor time is asked each time anyway: there is nothing to note.
        let asked_each_time = (self.epoch, self.reliable_until) == (None, None);
        if asked_each_time && (told.epoch, report.reliable_until) == (None, None) {
            return Some(Arc::clone(self));
        }
        let answered = Arc::clone(&self.answered);
        Some(Arc::new(Self::new(self.answer.clone(), told, answered, Arc::clone(&self.delegate))))
    }

    /// Whether the source need not be asked: it says that nothing changed, or it cannot say, has given a time and was
    /// asked a moment ago.
    fn holds(&self, now: UnixTime, epoch: Option<u64>) -> bool {
        let in_time = self.reliable_until.is_none_or(|until| now <= until);
        match (self.epoch, self.reliable_until) {
            (None, None) => false,
            (None, Some(_)) => {
                epoch.is_none() && in_time && now.saturating_since(self.asked_at) < MAX_UNNOTICED
            }
            (kept, _) => kept == epoch && in_time,
        }
    }
}

/// What a source told, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) report: StatusReport,
    /// The source's, from before it was asked.
    pub(crate) epoch: Option<u64>,
    pub(crate) asked_at: UnixTime,
}

/// The key of requests about one certificate that have no nonce, or whose nonce is passed over. Others are answered anew
/// each time.
#[derive(Clone, Copy)]
pub(crate) struct KeyRef<'a> {
    certificate: CertRef,
    cert_id: &'a [u8],
    /// Which of the CA's delegates signs.
    signer: usize,
}

impl<'a> KeyRef<'a> {
    /// `issuer` is the CA that the request names.
    pub(crate) fn of(
        request: &Request<'a>,
        issuer: &Issuer,
        signer: usize,
        nonces: NoncePolicy,
    ) -> Option<Self> {
        if request.nonce().is_some() && nonces != NoncePolicy::Ignore {
            return None;
        }
        let [cert_id] = request.cert_ids() else { return None };
        let certificate = CertRef { issuer: issuer.id(), serial: cert_id.serial_number()? };
        Some(Self { certificate, cert_id: cert_id.as_der(), signer })
    }

    pub(crate) fn cert_id(&self) -> &'a [u8] {
        self.cert_id
    }

    pub(crate) fn certificate(&self) -> CertRef {
        self.certificate
    }

    fn to_key(self) -> Key {
        Key { certificate: self.certificate, cert_id: self.cert_id.into(), signer: self.signer }
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
        self.cert_id == &*key.cert_id && self.signer == key.signer && self.certificate == key.certificate
    }
}

#[derive(PartialEq, Eq)]
struct Key {
    certificate: CertRef,
    cert_id: Box<[u8]>,
    signer: usize,
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
    fn row_62_a_key_is_the_issuer_the_serial_number_the_cert_id_and_the_signer() {
        let certificate = |issuer, serial| CertRef {
            issuer: IssuerId::from_bytes([issuer; 32]),
            serial: SerialNumber::from_be_bytes(&[serial]).unwrap(),
        };
        let key = KeyRef { certificate: certificate(1, 1), cert_id: b"id", signer: 0 }.to_key();
        let finds = |certificate, cert_id| KeyRef { certificate, cert_id, signer: 0 }.equivalent(&key);
        assert!(!KeyRef { certificate: certificate(1, 1), cert_id: b"id", signer: 1 }.equivalent(&key));
        assert!(finds(certificate(1, 1), b"id"));
        assert!(!finds(certificate(2, 1), b"id"));
        assert!(!finds(certificate(1, 2), b"id"));
        assert!(!finds(certificate(1, 1), b"other"));
    }
}
