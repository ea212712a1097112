//! Which server, and how to get a certificate from it.

use std::{fmt, process::Command, sync::Arc, time::Duration};

use keys_software::{EcdsaKey, RsaKey};
use pki_core::{Name, RandomFailed};

use crate::Endpoint;

/// A server to judge.
#[derive(Debug)]
#[non_exhaustive]
pub struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) challenges: Challenges,
    pub(crate) approvals: Option<Approvals>,
    pub(crate) subject: Name,
    pub(crate) ca_fingerprint: Option<[u8; 32]>,
    pub(crate) ca_identifier: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) keys: Option<Keys>,
}

impl Target {
    /// The server at that URL, which grants requests that hold one of `challenges`, for `CN=scep-conformance`.
    pub fn new(endpoint: Endpoint, challenges: Challenges) -> Self {
        Self {
            endpoint,
            challenges,
            approvals: None,
            subject: Name::of_common_name("scep-conformance"),
            ca_fingerprint: None,
            ca_identifier: None,
            timeout: Duration::from_secs(20),
            keys: None,
        }
    }

    /// The same, where a person approves requests.
    #[must_use]
    pub fn with_approvals(self, approvals: Approvals) -> Self {
        Self { approvals: Some(approvals), ..self }
    }

    /// The same, asking for certificates of that name.
    #[must_use]
    pub fn with_subject(self, subject: Name) -> Self {
        Self { subject, ..self }
    }

    /// The same, with the SHA-256 of the CA certificate that is expected.
    #[must_use]
    pub fn with_ca_fingerprint(self, fingerprint: [u8; 32]) -> Self {
        Self { ca_fingerprint: Some(fingerprint), ..self }
    }

    /// The same, where one URL serves several CAs.
    #[must_use]
    pub fn with_ca_identifier(self, identifier: String) -> Self {
        Self { ca_identifier: Some(identifier), ..self }
    }

    /// The same, with that long for any one answer.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same, with keys that are there already: making RSA keys takes time.
    #[must_use]
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { keys: Some(keys), ..self }
    }
}

/// Where challenges come from.
pub enum Challenges {
    /// One for all requests.
    Static(String),
    /// A command for the shell, whose first line of output is a fresh one.
    Command(String),
    /// Whatever makes a fresh one, or says why it cannot.
    Source(ChallengeSource),
}

/// Makes a fresh challenge each time, or says why it cannot.
pub type ChallengeSource = Box<dyn FnMut() -> Result<String, String> + Send>;

impl Challenges {
    pub(crate) fn next(&mut self) -> Result<String, String> {
        match self {
            Self::Static(challenge) => Ok(challenge.clone()),
            Self::Command(command) => run(command),
            Self::Source(source) => source(),
        }
    }

    /// Whether each is meant to be good once.
    pub(crate) fn are_fresh(&self) -> bool {
        !matches!(self, Self::Static(_))
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static(_) => "Static(..)",
            Self::Command(_) => "Command(..)",
            Self::Source(_) => "Source(..)",
        })
    }
}

/// Who says yes to a request that waits for a person.
pub enum Approvals {
    /// A command for the shell, which finds the transactionID in the environment variable `SCEP_TRANSACTION_ID`.
    Command(String),
    /// Whatever approves the request of that transactionID, or says why it cannot.
    Source(ApprovalSource),
}

/// Approves the request of that transactionID, or says why it cannot.
pub type ApprovalSource = Box<dyn FnMut(&str) -> Result<(), String> + Send>;

impl Approvals {
    pub(crate) fn approve(&mut self, transaction: &str) -> Result<(), String> {
        match self {
            Self::Command(command) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", command]).env("SCEP_TRANSACTION_ID", transaction);
                printed(&mut shell, "the approval command").map(drop)
            }
            Self::Source(source) => source(transaction),
        }
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command(_) => "Command(..)",
            Self::Source(_) => "Source(..)",
        })
    }
}

fn run(command: &str) -> Result<String, String> {
    let text = printed(Command::new("sh").args(["-c", command]), "the challenge command")?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err("the challenge command printed nothing".into()),
    }
}

/// What a command prints, which must succeed; `what` is what to call it.
fn printed(command: &mut Command, what: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{what} does not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed ({}): {}", output.status, said.trim()))
}

/// Keys that the clients of a run play with. They protect nothing, and are handled as such.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by tests from ready keys")]
pub struct Keys {
    /// Of the client that enrolls.
    pub device: Arc<RsaKey>,
    /// Of somebody else.
    pub stranger: Arc<RsaKey>,
    /// A key that cannot encrypt.
    pub sign_only: Arc<EcdsaKey>,
}

impl Keys {
    /// Fresh ones.
    pub fn generate() -> Result<Self, RandomFailed> {
        Ok(Self {
            device: Arc::new(RsaKey::generate_2048()?),
            stranger: Arc::new(RsaKey::generate_2048()?),
            sign_only: Arc::new(EcdsaKey::generate_p256()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_asked_each_time() {
        let mut challenges = Challenges::Command("echo ' one '; echo two".into());
        assert_eq!(challenges.next().as_deref(), Ok("one"));
        for (command, problem) in [("true", "nothing"), ("echo no >&2; exit 3", "no")] {
            let error = Challenges::Command(command.into()).next().unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn an_approval_is_told_which_transaction() {
        let mut approvals =
            Approvals::Command("test \"$SCEP_TRANSACTION_ID\" = one || { echo no >&2; false; }".into());
        assert_eq!(approvals.approve("one"), Ok(()));
        assert!(approvals.approve("two").unwrap_err().contains("no"));
    }
}
