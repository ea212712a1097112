//! The challenge, from wherever it was given.

use std::{env, fs, io, path::Path};

use pki_core::ChallengePassword;

use crate::{arguments::ChallengeSource, failure::Failure, terminal::Terminal};

/// Where it is looked for when the command line says nothing.
const VARIABLE: &str = "SCEP_CHALLENGE";

impl ChallengeSource {
    /// The challenge; `None` when none was given.
    pub(crate) fn read(&self) -> Result<Option<ChallengePassword>, Failure> {
        if let Some(path) = &self.challenge_file {
            return first_line(path).map(Some);
        }
        if let Some(challenge) = &self.challenge {
            Terminal::warn(
                "a challenge on the command line can be read by others on this machine, and stays in the shell's \
                 history: prefer --challenge-file, or the environment variable SCEP_CHALLENGE",
            );
            return Ok(Some(ChallengePassword::new(challenge.clone())));
        }
        Ok(env::var(VARIABLE).ok().filter(|text| !text.is_empty()).map(ChallengePassword::new))
    }
}

fn first_line(path: &Path) -> Result<ChallengePassword, Failure> {
    let text =
        if path.as_os_str() == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    let named = path.display();
    let text = text
        .map_err(|error| Failure::local(format_args!("cannot read the challenge from {named}: {error}")))?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(Failure::local(format_args!(
            "expected a challenge in the first line of {named}: it is empty"
        ))),
        line => Ok(ChallengePassword::new(line.into())),
    }
}
