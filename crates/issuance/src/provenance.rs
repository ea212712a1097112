//! On the strength of what a certificate is issued.

use std::fmt;

use pki_core::{IssuerId, SerialNumber, UnixTime};
use sha2::{Digest as _, Sha256};

/// What a certificate is issued on the strength of. Recorded with the intent to issue, in one transaction, so that no
/// challenge is spent twice and no transaction gets two certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment, read by every ledger")]
pub struct Provenance {
    /// The transaction; a repeat of it gets the same certificate.
    pub transaction: TransactionKey,
    /// SHA-256 of what makes a repeat a repeat: the request's signed part, without its signature, because a client that
    /// asks again may sign anew.
    pub request: [u8; 32],
    /// The one-time challenge that this spends.
    pub spends: Option<Spend>,
    /// The certificate that this renews.
    pub renews: Option<SerialNumber>,
    /// What somebody elsewhere is told once the certificate is on record.
    pub notice: Option<Notice>,
    /// Since when it could have been asked for.
    pub since: Since,
}

/// A challenge that is good for one certificate, and how a ledger sees to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every ledger must decide each case")]
pub enum Spend {
    /// It is on record since it was made: it can be spent while it is there and live.
    Stored(ChallengeId),
    /// It proves itself and is on record only once it has been spent: it can be spent by whoever comes first, until it
    /// expires.
    SelfChecking {
        /// Under which it is remembered.
        id: ChallengeId,
        /// Last second at which it can be spent; until then it must be remembered.
        expires: UnixTime,
    },
}

impl Spend {
    /// Under which the challenge is remembered.
    pub fn id(&self) -> ChallengeId {
        match *self {
            Self::Stored(id) | Self::SelfChecking { id, .. } => id,
        }
    }
}

/// What an authority elsewhere is told of a certificate, at least once, after it is on record. What it says of the
/// certificate itself is added when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment, kept by every ledger")]
pub struct Notice {
    /// Who sends it, and how the body is to be read.
    pub kind: String,
    /// What the sender has to know.
    pub body: Vec<u8>,
}

/// A moment before a request that each of its repeats names alike. Whoever keeps no record dates certificates by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "whoever derives dates must decide each case")]
pub enum Since {
    /// Nothing in the request tells.
    #[default]
    Unknown,
    /// So its requester says: its self-signed certificate begins then. A repeat that is made anew may say otherwise.
    Claimed(UnixTime),
    /// So this CA knows: the renewal of its certificate opened then, or a person approved it.
    Known(UnixTime),
}

/// Names one enrollment transaction: SHA-256 over profile, transactionID and the requester's key, over the certificate
/// that it renews, and over the CA.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionKey([u8; 32]);

impl TransactionKey {
    /// The key of the transaction that the holder of a public key (whose fingerprint is given) calls `transaction_id`
    /// within `profile`.
    pub fn new(profile: &str, transaction_id: &[u8], key_fingerprint: &[u8; 32]) -> Self {
        Self::of_parts(&[profile.as_bytes(), transaction_id, key_fingerprint])
    }

    /// The same for a renewal. Clients that derive the transactionID from their key, and renew with that key, mean a new
    /// transaction all the same.
    pub fn of_renewal(
        profile: &str,
        transaction_id: &[u8],
        key_fingerprint: &[u8; 32],
        renewed: SerialNumber,
    ) -> Self {
        Self::of_parts(&[profile.as_bytes(), transaction_id, key_fingerprint, renewed.as_be_bytes()])
    }

    /// The same at one of several CAs, whose transactions are none of the others'.
    #[must_use]
    pub fn at(self, issuer: IssuerId) -> Self {
        Self::of_parts(&[&self.0, issuer.as_bytes()])
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// From the octets that a store has kept.
    pub fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TransactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransactionKey(")?;
        self.0.iter().take(6).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str("..)")
    }
}

/// Names one one-time challenge: the keyed hash under which it is stored. Not the challenge itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChallengeId([u8; 32]);

impl ChallengeId {
    /// From the octets of the keyed hash.
    pub fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ChallengeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeId(")?;
        self.0.iter().take(6).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str("..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_differs_in_every_part() {
        let (one, other): (SerialNumber, SerialNumber) = ("01".parse().unwrap(), "02".parse().unwrap());
        let keys = [
            TransactionKey::new("ab", b"c", &[0; 32]),
            TransactionKey::new("a", b"bc", &[0; 32]),
            TransactionKey::new("ab", b"d", &[0; 32]),
            TransactionKey::new("ab", b"c", &[1; 32]),
            TransactionKey::of_renewal("ab", b"c", &[0; 32], one),
            TransactionKey::of_renewal("ab", b"c", &[0; 32], other),
            TransactionKey::new("ab", b"c", &[0; 32]).at(IssuerId::from_bytes([1; 32])),
            TransactionKey::new("ab", b"c", &[0; 32]).at(IssuerId::from_bytes([2; 32])),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|first| first == key), Some(at));
        }
    }
}
