//! The program `ocsp-server`.

use std::{collections::BTreeSet, io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use configuration::Configuration;
use ocsp_server::{
    ServerError, asked_to_stop, confirm_changes, logging,
    server::Server,
    settings::{ENVIRONMENT_PREFIX, Settings},
};
use pki_core::{Clock as _, SystemClock};

/// A stand-alone OCSP responder.
///
/// Without arguments it answers for the CA in the folder certbound-data, the one that scep-server makes.
#[derive(Debug, Parser)]
#[command(name = "ocsp-server", version, about, max_term_width = 100)]
struct Arguments {
    /// Configuration file (TOML). Every key can be overridden by an environment variable: OCSP_SERVER__LISTEN,
    /// OCSP_SERVER__ANSWERS__GOOD_SECONDS, …
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that relative paths are below [default: certbound-data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Print the configuration in force, and end
    #[arg(long)]
    print_config: bool,
    /// Say that what directories take away is true for this time (10m, 1h), however much it is, and end; the running
    /// servers hear of it
    #[arg(long, value_name = "TIME", value_parser = configuration::duration)]
    confirm_changes: Option<Duration>,
    /// The name of the directory that this is said of [default: all of them]
    #[arg(
        long,
        value_name = "NAME",
        requires = "confirm_changes",
        default_value = "",
        hide_default_value = true
    )]
    directory: String,
}

/// A request allocates some two hundred small things that live for a moment; the system's allocator takes three times as
/// long for that as this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a standard error that is closed.
            let _ = writeln!(std::io::stderr(), "ocsp-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), ServerError> {
    let mut settings: Settings =
        Configuration::load(arguments.config.as_deref(), ENVIRONMENT_PREFIX)?.read()?;
    settings.data = arguments.data.unwrap_or(settings.data);
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    if arguments.print_config {
        settings.answers = settings.answers.in_full();
        return say(&configuration::to_text(&settings)?);
    }
    if let Some(long) = arguments.confirm_changes {
        return confirm(&settings, &arguments.directory, long);
    }
    logging::start(&settings.log)?;
    keys_software::forbid_core_dumps().map_err(ServerError::new)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::new)?;
    runtime.block_on(async {
        let stop = asked_to_stop().map_err(ServerError::new)?;
        let server = Server::start(&settings).await?;
        let path = settings.path.trim_matches('/');
        // A server whose terminal has gone away goes on serving.
        let _ = say(&format!("  {:<20}http://{}/{path}", "OCSP URL", server.address()));
        for address in server.further_addresses() {
            let _ = say(&format!("  {:<20}http://{address}", "Listening as well at"));
        }
        if let Some(address) = server.metrics_address() {
            let _ = say(&format!("  {:<20}http://{address}/metrics", "Metrics"));
        }
        let _ = say("Ctrl-C stops the server.");
        server.run(stop).await;
        Ok(())
    })
}

/// In the folder of each CA: each has directories of its own.
fn confirm(settings: &Settings, directory: &str, long: Duration) -> Result<(), ServerError> {
    let further = settings.ca.iter().map(|ca| &ca.data).filter(|data| !data.as_os_str().is_empty());
    let folders: BTreeSet<_> = std::iter::once(&settings.data).chain(further).collect();
    for folder in folders {
        let until = confirm_changes(folder, directory, SystemClock.now(), long)?;
        say(&format!("what directories of {} take away is believed until {until}", folder.display()))?;
    }
    Ok(())
}

fn say(text: &str) -> Result<(), ServerError> {
    writeln!(std::io::stdout(), "{text}").map_err(ServerError::new)
}
