//! Revoked serial numbers, found fast and kept in little memory.

use pki_core::{Crl, CrlReason, SerialNumber, UnixTime};

/// The entries of one CRL in the order of their serial numbers: 27 octets each.
#[derive(Debug, Default)]
pub(crate) struct CrlIndex(Vec<Row>);

/// What a CRL says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) reason: CrlReason,
    pub(crate) since: UnixTime,
}

/// Without gaps between its fields.
#[derive(Debug, Clone, Copy)]
struct Row {
    serial: SerialNumber,
    /// Seconds; the largest time there is needs 38 bits.
    since: [u8; 5],
    reason: CrlReason,
}

impl CrlIndex {
    /// Of the entries of `crl`. Those whose serial numbers no certificate can have are left out: nobody can ask for
    /// them. Of several entries for one certificate the worst counts, then the earliest.
    pub(crate) fn of(crl: &Crl) -> Self {
        let mut rows = Vec::with_capacity(crl.len());
        rows.extend(crl.entries().filter_map(|entry| {
            let [_, _, _, since @ ..] = entry.revoked_at().0.to_be_bytes();
            let reason = entry.reason().unwrap_or(CrlReason::Unspecified);
            Some(Row { serial: entry.serial_number()?, since, reason })
        }));
        rows.sort_unstable_by_key(|row| (row.serial, mildness(row.reason), row.since));
        rows.dedup_by_key(|row| row.serial);
        Self(rows)
    }

    pub(crate) fn find(&self, serial: &SerialNumber) -> Option<Found> {
        let at = self.0.binary_search_by_key(serial, |row| row.serial).ok()?;
        self.0.get(at).map(Row::found)
    }

    /// Whether some entries say that others are gone.
    pub(crate) fn removes(&self) -> bool {
        self.0.iter().any(|row| row.reason == CrlReason::RemoveFromCrl)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Row {
    fn found(&self) -> Found {
        let seconds = self.since.iter().fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
        Found { reason: self.reason, since: UnixTime(seconds) }
    }
}

fn mildness(reason: CrlReason) -> u8 {
    match reason {
        CrlReason::RemoveFromCrl => 2,
        CrlReason::CertificateHold => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_certificates_fit_27_megabytes() {
        assert_eq!((size_of::<Row>(), align_of::<Row>()), (27, 1));
        let row = Row {
            serial: "01".parse().unwrap(),
            since: [0x3A, 0xFF, 0xF4, 0x41, 0x7F],
            reason: CrlReason::Superseded,
        };
        assert_eq!(row.found(), Found { reason: CrlReason::Superseded, since: UnixTime::MAX });
    }
}
