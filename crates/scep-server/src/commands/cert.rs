//! `scep-server cert`: certificates on record.

use ledger::{CertificateQuery, CertificateRecord, RevocationOrder, RevokeError, Succession};
use ocsp_server::ServerError;
use pki_core::{CertRef, Clock as _, SerialNumber, SystemClock, UnixTime};

use super::say;
use crate::{arguments::CertCommand, data_folder::Records};

/// Carries the command out on the ledger; a server that runs on the same folder sees the outcome at once.
pub(super) fn run(command: CertCommand, records: &Records) -> Result<(), ServerError> {
    match command {
        CertCommand::List { subject, expires_within, unreplaced, limit } => {
            let now = SystemClock.now();
            let mut query = CertificateQuery { subject, limit, ..CertificateQuery::default() };
            if let Some(within) = expires_within {
                query.ends_after = now;
                query.ends_by = now.saturating_add(within);
            }
            if unreplaced {
                query.succession = Succession::LastOfEachProfile;
            }
            list(&records.ledger.reader().certificates(&query)?, now)
        }
        CertCommand::Show { serial } => show(records, serial),
        CertCommand::Revoke { serial, reason, since } => {
            let order = RevocationOrder {
                certificate: reference(records, serial)?,
                reason,
                since: since.unwrap_or_else(|| SystemClock.now()),
                actor: actor(),
            };
            records.ledger.revoke(&order).map_err(|error| refused(&error))?;
            say(format_args!("{serial} is revoked ({reason})"))
        }
        CertCommand::Unrevoke { serial } => {
            records
                .ledger
                .unrevoke(reference(records, serial)?, &actor())
                .map_err(|error| refused(&error))?;
            say(format_args!("the hold on {serial} is lifted"))
        }
    }
}

fn list(records: &[CertificateRecord], now: UnixTime) -> Result<(), ServerError> {
    say(format_args!("{:<40}  {:<20}  {:<28}  {}", "SERIAL", "ENDS", "STATE", "SUBJECT"))?;
    for record in records {
        let (serial, ends) = (record.certificate.serial.to_string(), record.not_after.to_string());
        say(format_args!("{serial:<40}  {ends:<20}  {:<28}  {}", state(record, now), record.subject))?;
    }
    Ok(())
}

fn state(record: &CertificateRecord, now: UnixTime) -> String {
    match (record.revoked, record.issued_at) {
        (Some((_, reason)), _) => format!("revoked ({reason})"),
        (None, None) => "not finished".into(),
        (None, Some(_)) if record.not_after < now => "expired".into(),
        (None, Some(_)) => "issued".into(),
    }
}

fn show(records: &Records, serial: SerialNumber) -> Result<(), ServerError> {
    let reader = records.ledger.reader();
    let certificate = reference(records, serial)?;
    let record =
        reader.certificate(certificate)?.ok_or_else(|| refused(&RevokeError::NotOnRecord(serial)))?;
    let line = |label: &str, value: &dyn std::fmt::Display| say(format_args!("{label:<12}{value}"));
    line("Serial", &serial)?;
    line("Subject", &record.subject)?;
    line("Profile", &record.profile)?;
    match record.object {
        Some(object) => line("Bound to", &object)?,
        None => line("Bound to", &"nothing")?,
    }
    line("State", &state(&record, SystemClock.now()))?;
    if let Some(at) = record.issued_at {
        line("Issued", &at)?;
    }
    line("Ends", &record.not_after)?;
    if let Some(renewed) = record.renews {
        line("Renews", &renewed)?;
    }
    for order in reader.revocation_history(certificate)? {
        let what = order.reason.map_or("hold lifted".into(), |reason| format!("revoked ({reason})"));
        line(
            "Order",
            &format_args!("{} {what} since {}, by {}", order.recorded_at, order.since, order.actor),
        )?;
    }
    record.issued.map_or(Ok(()), |issued| say(format_args!("\n{}", issued.to_pem().trim_end())))
}

fn reference(records: &Records, serial: SerialNumber) -> Result<CertRef, ServerError> {
    records.find(serial)?.ok_or_else(|| refused(&RevokeError::NotOnRecord(serial)))
}

/// Who gives the order: the user of this machine.
pub(super) fn actor() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    user.unwrap_or_else(|| "command line".into())
}

fn refused(error: &RevokeError) -> ServerError {
    let advice = match error {
        RevokeError::NotOnRecord(_) => "; `scep-server cert list` shows those that are",
        _ => "",
    };
    ServerError::new(format_args!("{error}{advice}"))
}
