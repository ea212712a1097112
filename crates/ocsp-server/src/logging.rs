//! Where log lines go: standard error, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::{
    ServerError,
    settings::{LogFormat, LogSettings},
};

/// Sets the log up for the whole process.
pub fn start(settings: &LogSettings) -> Result<(), ServerError> {
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|error| ServerError::new(format_args!("log.filter {:?}: {error}", settings.filter)))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(ServerError::new)
}
