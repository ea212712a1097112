//! `scep-server refusals`: what was refused, and why.

use ledger::RefusalQuery;
use ocsp_server::ServerError;

use super::say;
use crate::data_folder::Records;

/// Lists what the ledger has, a line or two for each.
pub(super) fn run(query: &RefusalQuery, records: &Records) -> Result<(), ServerError> {
    for record in records.ledger.reader().refusals(query)? {
        let note = record.note;
        say(format_args!(
            "{}  {:<24}  {:<16}  {:<22}  {}  {}",
            note.at, note.code, note.profile, note.peer, note.transaction_id, note.subject
        ))?;
        say(format_args!("{:<20}  {}", "", note.why))?;
    }
    Ok(())
}
