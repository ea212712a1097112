//! `scep-server pending`: requests that wait for a person.

use std::fmt::Write as _;

use enrollment::{PendingRequest, Verdict};
use issuance::TransactionKey;
use ledger::{DecisionError, PendingQuery, PendingRecord};
use ocsp_server::ServerError;
use pki_core::{Clock as _, SystemClock, UnixTime};

use super::{cert::actor, say};
use crate::{arguments::PendingCommand, data_folder::Records};

/// So many digits of an id are listed.
const SHORT_ID: usize = 12;

/// Carries the command out on the ledger; a server that runs on the same folder goes by it at once.
pub(super) fn run(command: PendingCommand, records: &Records) -> Result<(), ServerError> {
    match command {
        PendingCommand::List { all } => {
            let waiting_at = (!all).then(|| SystemClock.now());
            let listed =
                records.ledger.reader().pending(&PendingQuery { waiting_at, ..Default::default() })?;
            list(&listed)
        }
        PendingCommand::Show { id } => show(&find(records, &id)?),
        PendingCommand::Approve { id } => {
            let request = find(records, &id)?.queued.request;
            records.ledger.approve(request.transaction, &actor()).map_err(|error| refused(&error))?;
            say(format_args!("{} gets its certificate when it asks again", request.csr.subject()))
        }
        PendingCommand::Deny { id, reason } => {
            let request = find(records, &id)?.queued.request;
            records.ledger.deny(request.transaction, &reason, &actor()).map_err(|error| refused(&error))?;
            say(format_args!("{} is refused", request.csr.subject()))
        }
    }
}

fn list(records: &[PendingRecord]) -> Result<(), ServerError> {
    say(format_args!(
        "{:<12}  {:<20}  {:<8}  {:<16}  {:<44}  {}",
        "ID", "CAME", "STATE", "PROFILE", "OBJECT", "SUBJECT"
    ))?;
    for PendingRecord { queued, .. } in records {
        let PendingRequest { transaction, profile, object, created, csr, .. } = &queued.request;
        let id: String = hex(transaction.as_bytes()).chars().take(SHORT_ID).collect();
        let (came, object, subject) = (created.to_string(), object.to_string(), csr.subject());
        let state = state(&queued.verdict, queued.request.expires);
        say(format_args!("{id}  {came:<20}  {state:<8}  {profile:<16}  {object:<44}  {subject}"))?;
    }
    Ok(())
}

fn show(record: &PendingRecord) -> Result<(), ServerError> {
    let line = |label: &str, value: &dyn std::fmt::Display| say(format_args!("{label:<14}{value}"));
    let PendingRequest { transaction, profile, object, csr, renews, created, expires, .. } =
        &record.queued.request;
    line("Id", &hex(transaction.as_bytes()))?;
    line("Subject", csr.subject())?;
    for name in csr.subject_alt_names().unwrap_or_default() {
        line("Also named", &name)?;
    }
    line("Key", &csr.public_key().kind())?;
    line("SHA-256 of it", &hex(&csr.public_key().fingerprint()))?;
    line("Profile", profile)?;
    line("Bound to", object)?;
    if let Some(renewed) = renews {
        line("Renews", renewed)?;
    }
    line("Came", created)?;
    line("Given up", expires)?;
    line("State", &state(&record.queued.verdict, *expires))?;
    if let Verdict::Denied { reason, .. } = &record.queued.verdict {
        line("Because", reason)?;
    }
    record.actor.as_ref().map_or(Ok(()), |actor| line("Decided by", actor))
}

fn state(verdict: &Verdict, expires: UnixTime) -> &'static str {
    match verdict {
        Verdict::Approved { .. } => "approved",
        Verdict::Denied { .. } => "denied",
        Verdict::Waiting if expires < SystemClock.now() => "given up",
        Verdict::Waiting => "waiting",
    }
}

/// The one request whose id begins like that.
fn find(records: &Records, id: &str) -> Result<PendingRecord, ServerError> {
    let wanted = id.trim().to_ascii_lowercase();
    let all = records.ledger.reader().pending(&PendingQuery { limit: u32::MAX, ..Default::default() })?;
    let is_meant = |key: TransactionKey| !wanted.is_empty() && hex(key.as_bytes()).starts_with(&wanted);
    let mut found = all.into_iter().filter(|record| is_meant(record.queued.request.transaction));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(ServerError::new(format_args!("more than one request has an id that begins with {id}")))
        }
        (None, _) => Err(refused(&DecisionError::NotOnRecord)),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn refused(error: &DecisionError) -> ServerError {
    let advice = match error {
        DecisionError::NotOnRecord => "; `scep-server pending list --all` shows those that are",
        DecisionError::Decided => "; `scep-server pending show` tells how, `scep-server cert revoke` revokes",
        _ => "",
    };
    ServerError::new(format_args!("{error}{advice}"))
}
