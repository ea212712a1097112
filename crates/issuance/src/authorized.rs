//! What somebody has authorized.

use pki_core::CertRef;

use crate::Provenance;

/// Something that may be done, and on the strength of what. Only the crate `enrollment`, which decides that, makes one.
///
/// A [`CertificateAuthority`](crate::CertificateAuthority) takes requests in no other form, so that no code path can
/// forget to ask.
#[derive(Debug, Clone)]
pub struct Authorized<T> {
    value: T,
    provenance: Provenance,
}

impl<T> Authorized<T> {
    /// Vouches that `value` was authorized on the strength of `provenance`.
    ///
    /// `clippy.toml` of this workspace disallows the call; the one place that is excepted is in `enrollment`, and a
    /// test there counts. Whoever writes an authority of their own calls it in one place as well.
    pub fn vouch(value: T, provenance: Provenance) -> Self {
        Self { value, provenance }
    }

    /// What is authorized.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// On the strength of what.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// An issuance that was recorded and not finished: the process was killed, or the key could not be reached.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "what the log tells, and no more")]
pub struct InterruptedIssuance {
    /// The issuer and the serial number.
    pub certificate: CertRef,
    /// The TBSCertificate on record.
    pub tbs: Vec<u8>,
}
