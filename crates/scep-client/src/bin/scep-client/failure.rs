//! What went wrong, for people and for scripts.

use std::{fmt, process::ExitCode};

/// A message to print and the exit code that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A file or key of this machine.
    pub(crate) fn local(message: impl fmt::Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// The server was not reached, or talks no SCEP.
    pub(crate) fn server(message: impl fmt::Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }

    /// The CA or its answer is not to be trusted.
    pub(crate) fn untrusted(message: impl fmt::Display) -> Self {
        Self { code: 4, message: message.to_string() }
    }

    /// The CA said no.
    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self { code: 5, message: message.to_string() }
    }

    /// The CA has not decided yet.
    pub(crate) fn pending(message: impl fmt::Display) -> Self {
        Self { code: 6, message: message.to_string() }
    }

    /// The exit code that `--help` tells.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
