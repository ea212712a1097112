//! `scep-server ca`: CAs and their generations.

use std::path::PathBuf;

use ocsp_server::ServerError;
use pki_core::Certificate;

use super::say;
use crate::{
    arguments::{CaCommand, NextCommand},
    banner::Hex,
    ca_folder::{ca_certificates, ca_folder, make_next, promote},
    data_folder::FolderLock,
    settings::{CaSettings, Settings},
};

/// Carries the command out on the data folder; a server takes it up at its next start.
pub(super) async fn run(command: CaCommand, settings: &Settings) -> Result<(), ServerError> {
    match command {
        CaCommand::Show => settings.ca.iter().try_for_each(|ca| show(settings, ca)),
        CaCommand::Next(NextCommand::Create { ca }) => {
            let (ca, folder) = chosen_ca(settings, &ca)?;
            let _changing = FolderLock::of_changes(&settings.data)?;
            let made = make_next(&folder, ca).await?;
            say(format_args!("The next CA is made:"))?;
            describe("next", made.issuer.certificate())?;
            say(format_args!("Start the server again, and it offers the next CA to clients."))
        }
        CaCommand::Next(NextCommand::Promote { ca }) => {
            let (_, folder) = chosen_ca(settings, &ca)?;
            let _changing = FolderLock::of_changes(&settings.data)?;
            let promoted = promote(&folder)?;
            say(format_args!("The next CA is the one at work:"))?;
            describe("at work", promoted.issuer.certificate())?;
            say(format_args!("Start the server again, and it issues with this one."))
        }
    }
}

/// The settings and the folder of the CA of that id; of the first one where the id is empty.
pub(super) fn chosen_ca<'a>(
    settings: &'a Settings,
    id: &str,
) -> Result<(&'a CaSettings, PathBuf), ServerError> {
    let ca = settings.ca.find(id).ok_or_else(|| {
        let known: Vec<&str> = settings.ca.iter().map(|ca| &*ca.id).collect();
        ServerError::new(format_args!("there is no CA {id:?}; expected one of {}", known.join(", ")))
    })?;
    Ok((ca, ca_folder(&settings.data, &ca.id)))
}

fn show(settings: &Settings, ca: &CaSettings) -> Result<(), ServerError> {
    let folder = ca_folder(&settings.data, &ca.id);
    say(format_args!("{} ({})", ca.id, folder.display()))?;
    for (role, certificate) in ca_certificates(&folder)? {
        describe(role, &certificate)?;
    }
    Ok(())
}

fn describe(role: &str, certificate: &Certificate) -> Result<(), ServerError> {
    let (subject, validity) = (certificate.subject(), certificate.validity());
    say(format_args!("  {role:<8} {subject}, {} to {}", validity.not_before(), validity.not_after()))?;
    say(format_args!("           SHA-256 {}", Hex(&certificate.fingerprint())))
}
