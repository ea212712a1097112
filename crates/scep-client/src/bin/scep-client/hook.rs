//! The command that runs when a new certificate is in place.

use std::{path::Path, process::Command};

use crate::{arguments::Hook, failure::Failure, terminal::Terminal};

impl Hook {
    /// Runs it, if there is one. Its output goes to standard error, because standard output is for results.
    pub(crate) fn run(&self, cert: &Path, key: &Path, terminal: Terminal) -> Result<(), Failure> {
        let Some(command) = &self.hook else { return Ok(()) };
        terminal.progress(format_args!("running {command}"));
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("SCEP_CERT", cert).env("SCEP_KEY", key).stdout(std::io::stderr());
        let ended = match shell.status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Err(Failure::local(format_args!(
            "the new certificate is in place, but the hook {command:?} failed: {ended}"
        )))
    }
}
