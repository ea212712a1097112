//! What the command line asks for.

mod ca;
mod cert;
mod challenge;
mod crl;
mod delegate;
mod explain;
mod pending;
mod refusals;
mod user;

use std::io::Write as _;

use configuration::Configuration;
use ledger::RefusalQuery;
use ocsp_server::{ServerError, asked_to_stop, confirm_changes, logging};
use pki_core::{Clock as _, SystemClock, UnixTime};

use crate::{
    arguments::{Arguments, Command, ConfigCommand, DirectoryCommand},
    data_folder::Records,
    server::Server,
    settings::{ENVIRONMENT_PREFIX, Settings},
};

/// Carries out what `arguments` ask for.
pub fn run(arguments: Arguments) -> Result<(), ServerError> {
    let mut settings: Settings =
        Configuration::load(arguments.config.as_deref(), ENVIRONMENT_PREFIX)?.read()?;
    settings.data = arguments.data.unwrap_or(settings.data);
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    let first_run = if arguments.config.is_some() { FirstRun::Configured } else { FirstRun::Demonstration };
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&settings, first_run),
        Command::Cert(command) => cert::run(command, &Records::open(&settings)?),
        Command::Pending(command) => pending::run(command, &Records::open(&settings)?),
        Command::Refusals { code, text, within, limit } => {
            let since = within.map_or(UnixTime(0), |within| SystemClock.now().saturating_sub(within));
            let query = RefusalQuery { code, text, since, limit };
            refusals::run(&query, &Records::open(&settings)?)
        }
        Command::Explain { file, key, challenge } => {
            explain::run(&file, key.as_deref(), challenge.as_deref())
        }
        Command::Directory(DirectoryCommand::Confirm { long, directory }) => {
            let until = confirm_changes(&settings.data, &directory, SystemClock.now(), long)?;
            say(format_args!("what directories take away is believed until {until}"))
        }
        Command::Challenge(command) => in_runtime(challenge::run(command, &settings)),
        Command::User(command) => user::run(command, &settings),
        Command::Config(ConfigCommand::Print) => {
            settings.answers = settings.answers.in_full();
            say(format_args!("{}", configuration::to_text(&settings)?))
        }
        Command::Ca(command) => in_runtime(ca::run(command, &settings)),
        Command::Crl { ca, delta, out } => {
            let kind = if delta { crl::Kind::Delta } else { crl::Kind::Full };
            crl::run(&settings, &ca, kind, out.as_deref())
        }
        Command::Delegate { ca, out, days } => in_runtime(delegate::run(&settings, &ca, &out, days)),
    }
}

/// Whether a server with an empty data folder is given something to try it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum FirstRun {
    /// It is: a directory file with three objects, and at each start a challenge for the first of them.
    Demonstration,
    /// It was configured by someone who knows what they want.
    Configured,
}

fn serve(settings: &Settings, first_run: FirstRun) -> Result<(), ServerError> {
    logging::start(&settings.log)?;
    keys_software::forbid_core_dumps().map_err(ServerError::new)?;
    in_runtime(async {
        let stop = asked_to_stop().map_err(ServerError::new)?;
        let server = Server::start(settings, first_run).await?;
        // A server whose terminal has gone away goes on serving.
        let _ = say(format_args!("{}", server.banner()));
        server.run(stop).await;
        let _ = say(format_args!("stopped"));
        Ok(())
    })
}

fn in_runtime<T>(task: impl Future<Output = Result<T, ServerError>>) -> Result<T, ServerError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::new)?;
    runtime.block_on(task)
}

/// Prints a line. That its reader has gone away, as `head` does, is an error and no panic.
fn say(line: std::fmt::Arguments<'_>) -> Result<(), ServerError> {
    writeln!(std::io::stdout(), "{line}").map_err(ServerError::new)
}
