//! `scep-server user`: those who may log in.

use keys_software::{AwsLc, PasswordHash};
use ocsp_server::ServerError;
use pki_core::SecureRandom as _;

use super::say;
use crate::{arguments::UserCommand, data_folder::make_folder, settings::Settings, users_file};

/// Carries the command out on the file; a server that runs takes it up at once.
pub(super) fn run(command: UserCommand, settings: &Settings) -> Result<(), ServerError> {
    make_folder(&settings.data)?;
    let path = settings.data.join(&settings.users_file);
    let mut users = users_file::read(&path)?;
    match command {
        UserCommand::Add { name } => {
            if !users_file::is_name(&name) {
                let problem = "expected a name of up to 64 characters without colons and spaces";
                return Err(ServerError::new(format_args!("{problem}: {name:?}")));
            }
            let mut octets = [0; 16];
            AwsLc.fill(&mut octets)?;
            let password = format!("{:032x}", u128::from_be_bytes(octets));
            users.insert(name, PasswordHash::of(&password)?);
            users_file::write(&path, &users)?;
            say(format_args!("{password}"))
        }
        UserCommand::Remove { name } => match users.remove(&name) {
            Some(_) => users_file::write(&path, &users),
            None => Err(ServerError::of_file(&path, format_args!("there is no user {name:?}"))),
        },
        UserCommand::List => users.keys().try_for_each(|name| say(format_args!("{name}"))),
    }
}
