//! Revocations that people order.

use pki_core::{CertRef, CrlReason, UnixTime};
use revocation::ManualRevocation;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{Ledger, RevokeError, encoding};

/// An order to revoke a certificate.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever gives the order")]
pub struct RevocationOrder {
    /// Which certificate.
    pub certificate: CertRef,
    /// Why; `certificateHold` can be lifted again, every other reason is for ever.
    pub reason: CrlReason,
    /// Since when; usually now, earlier when a key is known to have been lost earlier.
    pub since: UnixTime,
    /// Who orders it.
    pub actor: String,
}

/// One entry of the journal of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationRecord {
    /// Why; `None` when a hold was lifted.
    pub reason: Option<CrlReason>,
    /// Since when.
    pub since: UnixTime,
    /// When the order was recorded.
    pub recorded_at: UnixTime,
    /// Who gave it.
    pub actor: String,
}

impl Ledger {
    /// Carries out an order to revoke. A hold may be made final; what is final stays as it is.
    pub fn revoke(&self, order: &RevocationOrder) -> Result<(), RevokeError> {
        let RevocationOrder { certificate, reason, since, .. } = *order;
        let entry = ManualRevocation::new(since, reason).map_err(|_| RevokeError::NotAReason)?;
        let (actor, recorded) = (order.actor.clone(), self.settings().clock.now());
        let outcome = self.writer().write_blocking(move |connection| {
            if !is_on_record(connection, certificate)? {
                return Ok(Err(RevokeError::NotOnRecord(certificate.serial)));
            }
            if let Some(reason) =
                current(connection, certificate)?.filter(|&now| now != CrlReason::CertificateHold)
            {
                return Ok(Err(RevokeError::Final { serial: certificate.serial, reason }));
            }
            set(connection, certificate, since, reason)?;
            journal(connection, certificate, Some(reason), (since, recorded), &actor)?;
            Ok(Ok(()))
        });
        outcome??;
        self.reader().watch().manual_revocations().apply(certificate, Some(entry));
        Ok(())
    }

    /// Lifts a hold.
    pub fn unrevoke(&self, certificate: CertRef, actor: &str) -> Result<(), RevokeError> {
        const SQL: &str = "DELETE FROM revocation WHERE issuer = ? AND serial = ?";
        let (actor, now) = (actor.to_owned(), self.settings().clock.now());
        let outcome = self.writer().write_blocking(move |connection| {
            match current(connection, certificate)? {
                None => return Ok(Err(RevokeError::NotOnHold(certificate.serial))),
                Some(CrlReason::CertificateHold) => {}
                Some(reason) => return Ok(Err(RevokeError::Final { serial: certificate.serial, reason })),
            }
            let key = params![certificate.issuer.as_bytes(), certificate.serial.as_be_bytes()];
            connection.prepare_cached(SQL)?.execute(key)?;
            journal(connection, certificate, None, (now, now), &actor)?;
            Ok(Ok(()))
        });
        outcome??;
        self.reader().watch().manual_revocations().apply(certificate, None);
        Ok(())
    }
}

/// Every revocation that holds.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<(CertRef, ManualRevocation)>> {
    let mut statement = connection.prepare_cached("SELECT issuer, serial, since, reason FROM revocation")?;
    let rows = statement.query_map([], |row| {
        let entry = ManualRevocation::new(encoding::time(row, "since")?, encoding::reason(row, "reason")?);
        Ok((encoding::cert_ref(row)?, entry.map_err(|_| encoding::damaged("reason", "a reason to revoke"))?))
    })?;
    rows.collect()
}

/// A number that grows with every order.
pub(crate) fn last_order(connection: &Connection) -> rusqlite::Result<i64> {
    const SQL: &str = "SELECT coalesce(max(id), 0) FROM revocation_journal";
    connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))
}

pub(crate) fn history(
    connection: &Connection,
    certificate: CertRef,
) -> rusqlite::Result<Vec<RevocationRecord>> {
    const SQL: &str = "SELECT reason, since, recorded, actor FROM revocation_journal \
                       WHERE issuer = ? AND serial = ? ORDER BY id";
    let mut statement = connection.prepare_cached(SQL)?;
    let key = params![certificate.issuer.as_bytes(), certificate.serial.as_be_bytes()];
    let rows = statement.query_map(key, |row: &Row<'_>| {
        let lifted = row.get::<_, Option<u8>>("reason")?.is_none();
        Ok(RevocationRecord {
            reason: if lifted { None } else { Some(encoding::reason(row, "reason")?) },
            since: encoding::time(row, "since")?,
            recorded_at: encoding::time(row, "recorded")?,
            actor: row.get("actor")?,
        })
    })?;
    rows.collect()
}

fn is_on_record(connection: &Connection, certificate: CertRef) -> rusqlite::Result<bool> {
    const SQL: &str =
        "SELECT 1 FROM certificate c JOIN issuer i ON i.id = c.issuer WHERE i.octets = ? AND c.serial = ?";
    let key = params![certificate.issuer.as_bytes(), certificate.serial.as_be_bytes()];
    connection.prepare_cached(SQL)?.exists(key)
}

fn current(connection: &Connection, certificate: CertRef) -> rusqlite::Result<Option<CrlReason>> {
    const SQL: &str = "SELECT reason FROM revocation WHERE issuer = ? AND serial = ?";
    let key = params![certificate.issuer.as_bytes(), certificate.serial.as_be_bytes()];
    connection.prepare_cached(SQL)?.query_row(key, |row| encoding::reason(row, "reason")).optional()
}

fn set(
    connection: &Connection,
    certificate: CertRef,
    since: UnixTime,
    reason: CrlReason,
) -> rusqlite::Result<usize> {
    const SQL: &str = "INSERT OR REPLACE INTO revocation (issuer, serial, since, reason) VALUES (?, ?, ?, ?)";
    let (issuer, serial) = (certificate.issuer.as_bytes(), certificate.serial.as_be_bytes());
    connection.prepare_cached(SQL)?.execute(params![issuer, serial, encoding::seconds(since), reason.code()])
}

fn journal(
    connection: &Connection,
    certificate: CertRef,
    reason: Option<CrlReason>,
    (since, recorded): (UnixTime, UnixTime),
    actor: &str,
) -> rusqlite::Result<usize> {
    const SQL: &str = "INSERT INTO revocation_journal (issuer, serial, reason, since, recorded, actor) \
                       VALUES (?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(SQL)?.execute(params![
        certificate.issuer.as_bytes(),
        certificate.serial.as_be_bytes(),
        reason.map(CrlReason::code),
        encoding::seconds(since),
        encoding::seconds(recorded),
        actor,
    ])
}
