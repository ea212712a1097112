//! The record of what was, and what was about to be, issued.

use issuance::{Earlier, Intent, IntentOutcome, IssuanceLog, LogError};
use pki_core::{BoxFuture, CertRef, Certificate, SerialNumber, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{Ledger, challenges, encoding, outbox};

impl IssuanceLog for Ledger {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        let window_opened = intent.at.saturating_sub(self.settings().transaction_window);
        let owned = intent.clone();
        if let Some(object) = intent.object {
            self.reader().tombstones().expect_certificates_of(object);
        }
        Box::pin(async move {
            let written =
                self.writer().commit(move |connection| record_intent(connection, &owned, window_opened));
            written.await.map_err(LogError::new)
        })
    }

    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        let at = self.settings().clock.now();
        let certificate = certificate.clone();
        Box::pin(async move {
            let written =
                self.writer().write(move |connection| record_issued(connection, issued, &certificate, at));
            let on_record = written.await.map_err(LogError::new)?;
            on_record.ok_or_else(|| {
                LogError::new(format_args!("no intent to issue {} is on record", issued.serial))
            })
        })
    }
}

fn record_intent(
    connection: &Connection,
    intent: &Intent,
    window_opened: UnixTime,
) -> rusqlite::Result<IntentOutcome> {
    const OPEN: &str =
        "INSERT OR REPLACE INTO enrollment (transaction_key, certificate, begun) VALUES (?, ?, ?)";
    let provenance = &intent.provenance;
    let key = provenance.transaction.as_bytes();
    if let Some((request, outcome)) = earlier(connection, key, window_opened)? {
        let is_repeat = request == provenance.request;
        return Ok(if is_repeat {
            IntentOutcome::Repeated(outcome)
        } else {
            IntentOutcome::TransactionTaken
        });
    }
    if !spend_challenge(connection, intent)? {
        return Ok(IntentOutcome::ChallengeSpent);
    }
    let Some(certificate) = claim_serial(connection, intent)? else {
        give_challenge_back(connection, intent)?;
        return Ok(IntentOutcome::SerialTaken);
    };
    connection.prepare_cached(OPEN)?.execute(params![key, certificate, encoding::seconds(intent.at)])?;
    outbox::put(connection, intent, certificate)?;
    Ok(IntentOutcome::Recorded)
}

/// What the last run of the transaction asked for and got, if it began within the window.
pub(crate) fn earlier(
    connection: &Connection,
    key: &[u8; 32],
    window_opened: UnixTime,
) -> rusqlite::Result<Option<([u8; 32], Earlier)>> {
    const SQL: &str = "SELECT c.request, i.octets AS issuer, c.serial, c.tbs, c.der FROM enrollment e \
                       JOIN certificate c ON c.id = e.certificate JOIN issuer i ON i.id = c.issuer \
                       WHERE e.transaction_key = ? AND e.begun >= ?";
    let mut statement = connection.prepare_cached(SQL)?;
    let run = |row: &Row<'_>| Ok((encoding::octets32(row, "request")?, outcome(row)?));
    statement.query_row(params![key, encoding::seconds(window_opened)], run).optional()
}

fn outcome(row: &Row<'_>) -> rusqlite::Result<Earlier> {
    match row.get::<_, Option<Vec<u8>>>("der")? {
        Some(der) => certificate(&der).map(Earlier::Issued),
        None => Ok(Earlier::Prepared { certificate: encoding::cert_ref(row)?, tbs: row.get("tbs")? }),
    }
}

fn certificate(der: &[u8]) -> rusqlite::Result<Certificate> {
    Certificate::from_der(der).map_err(|_| encoding::damaged("der", "a certificate"))
}

/// The row of the certificate; `None` when that serial number has been given before.
fn claim_serial(connection: &Connection, intent: &Intent) -> rusqlite::Result<Option<i64>> {
    const ISSUER: &str = "INSERT INTO issuer (octets) VALUES (?) ON CONFLICT DO NOTHING";
    let claimed = insert_certificate(connection, intent)?;
    let issuer = intent.certificate.issuer;
    // Nothing is inserted for a new CA either, once.
    if claimed.is_none() && connection.prepare_cached(ISSUER)?.execute([issuer.as_bytes()])? == 1 {
        return insert_certificate(connection, intent);
    }
    Ok(claimed)
}

fn insert_certificate(connection: &Connection, intent: &Intent) -> rusqlite::Result<Option<i64>> {
    const SQL: &str = "INSERT INTO certificate \
        (issuer, serial, tbs, profile, subject, object, not_after, prepared, request, spends, renews) \
        SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM issuer WHERE octets = ?1 \
        ON CONFLICT (serial, issuer) DO NOTHING";
    let provenance = &intent.provenance;
    let inserted = connection.prepare_cached(SQL)?.execute(params![
        intent.certificate.issuer.as_bytes(),
        intent.certificate.serial.as_be_bytes(),
        intent.tbs,
        intent.profile,
        intent.subject,
        intent.object.map(encoding::object_octets),
        encoding::seconds(intent.not_after),
        encoding::seconds(intent.at),
        provenance.request,
        provenance.spends.map(|spend| *spend.id().as_bytes()),
        provenance.renews.as_ref().map(SerialNumber::as_be_bytes),
    ])?;
    Ok((inserted == 1).then(|| connection.last_insert_rowid()))
}

/// Whether the intent needs no challenge, or its challenge was there to be spent.
fn spend_challenge(connection: &Connection, intent: &Intent) -> rusqlite::Result<bool> {
    let Some(spend) = intent.provenance.spends else { return Ok(true) };
    challenges::spend(connection, spend, &intent.into())
}

/// Undoes [`spend_challenge`] within the same transaction.
fn give_challenge_back(connection: &Connection, intent: &Intent) -> rusqlite::Result<()> {
    let Some(spend) = intent.provenance.spends else { return Ok(()) };
    challenges::give_back(connection, spend)
}

/// The certificate on record for that serial number; `None` when there is not even an intent.
fn record_issued(
    connection: &Connection,
    issued: CertRef,
    made: &Certificate,
    at: UnixTime,
) -> rusqlite::Result<Option<Certificate>> {
    const UPDATE: &str = "UPDATE certificate SET der = ?, tbs = NULL, issued = ? \
                          WHERE serial = ? AND issuer = (SELECT id FROM issuer WHERE octets = ?) AND der IS NULL";
    const SELECT: &str =
        "SELECT der FROM certificate WHERE serial = ? AND issuer = (SELECT id FROM issuer WHERE octets = ?)";
    let (serial, ca) = (issued.serial.as_be_bytes(), issued.issuer.as_bytes());
    let row = params![made.as_der(), encoding::seconds(at), serial, ca];
    if connection.prepare_cached(UPDATE)?.execute(row)? == 1 {
        return Ok(Some(made.clone()));
    }
    let mut statement = connection.prepare_cached(SELECT)?;
    let der = statement.query_row(params![serial, ca], |row| row.get::<_, Vec<u8>>("der")).optional()?;
    der.map(|der| certificate(&der)).transpose()
}
