//! What a person sees on the way.

use std::{fmt, io::IsTerminal as _};

/// Standard error, where progress goes when somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// A person looks: each step.
    Watched,
    /// Nobody may look: only what should be known later.
    Unwatched,
    /// Somebody asked for quiet.
    Quiet,
}

impl Terminal {
    /// What standard error is.
    pub(crate) fn found() -> Self {
        if std::io::stderr().is_terminal() { Self::Watched } else { Self::Unwatched }
    }

    /// One step on the way.
    pub(crate) fn progress(self, text: impl fmt::Display) {
        if self == Self::Watched {
            eprintln!("  {text}");
        }
    }

    /// What should be known whoever looks.
    pub(crate) fn notice(self, text: impl fmt::Display) {
        if self != Self::Quiet {
            eprintln!("{text}");
        }
    }

    /// What should not stay as it is.
    pub(crate) fn warn(text: impl fmt::Display) {
        eprintln!("warning: {text}");
    }
}
