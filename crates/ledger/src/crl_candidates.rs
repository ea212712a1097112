//! What may have to stand on a CRL, as far as it is on record.

use pki_core::{CrlReason, IssuerId, SerialNumber, UnixTime};
use rusqlite::{Row, params};

use crate::{LedgerError, LedgerReader, encoding};

/// Where a reading of issued certificates goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CertificateCursor(i64);

/// An issued certificate: as little of it as telling its status needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Last second of validity.
    pub not_after: UnixTime,
}

/// A certificate that is revoked by order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevokedByOrder {
    /// Which one.
    pub certificate: IssuedCertificate,
    /// Since when.
    pub since: UnixTime,
    /// Why.
    pub reason: CrlReason,
}

impl LedgerReader {
    /// The certificates of a CA that are revoked by order, of those that end at `ends_from` or later.
    pub fn revoked_by_order(
        &self,
        issuer: IssuerId,
        ends_from: UnixTime,
    ) -> Result<Vec<RevokedByOrder>, LedgerError> {
        const SQL: &str = "SELECT r.serial, r.since, r.reason, c.not_after FROM revocation r \
            JOIN certificate c ON c.serial = r.serial AND c.issuer = (SELECT id FROM issuer WHERE octets = ?1) \
            WHERE r.issuer = ?1 AND c.not_after >= ?2";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let rows =
                statement.query_map(params![issuer.as_bytes(), encoding::seconds(ends_from)], |row| {
                    let certificate = certificate(row)?;
                    let since = encoding::time(row, "since")?;
                    Ok(RevokedByOrder { certificate, since, reason: encoding::reason(row, "reason")? })
                })?;
            rows.collect()
        })
    }

    /// When the last order about a certificate of that CA was recorded.
    pub fn last_order_at(&self, issuer: IssuerId) -> Result<Option<UnixTime>, LedgerError> {
        const SQL: &str = "SELECT max(recorded) AS recorded FROM revocation_journal WHERE issuer = ?";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            statement.query_row([issuer.as_bytes()], |row| encoding::optional_time(row, "recorded"))
        })
    }

    /// The next certificates that a CA issued and that end at `ends_from` or later, at most `limit`, in the order in which
    /// they were prepared; and where to go on. None are left when there are none.
    pub fn issued_certificates(
        &self,
        issuer: IssuerId,
        ends_from: UnixTime,
        after: CertificateCursor,
        limit: u32,
    ) -> Result<(Vec<IssuedCertificate>, CertificateCursor), LedgerError> {
        const SQL: &str = "SELECT id, serial, not_after FROM certificate \
            WHERE id > ?3 AND issued IS NOT NULL AND not_after >= ?2 \
            AND issuer = (SELECT id FROM issuer WHERE octets = ?1) ORDER BY id LIMIT ?4";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let key = params![issuer.as_bytes(), encoding::seconds(ends_from), after.0, limit];
            let mut cursor = after;
            let rows = statement.query_map(key, |row| {
                cursor = CertificateCursor(row.get("id")?);
                certificate(row)
            })?;
            let found = rows.collect::<rusqlite::Result<_>>()?;
            Ok((found, cursor))
        })
    }
}

fn certificate(row: &Row<'_>) -> rusqlite::Result<IssuedCertificate> {
    let serial = row.get::<_, Vec<u8>>("serial")?;
    let serial =
        SerialNumber::from_be_bytes(&serial).map_err(|_| encoding::damaged("serial", "a serial number"))?;
    Ok(IssuedCertificate { serial, not_after: encoding::time(row, "not_after")? })
}
