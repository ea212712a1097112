//! A transaction on disk, between being asked for and being done.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use keys_software::{read_private_file, replace_private_file};
use pki_core::{Certificate, CertificationRequest};
use scep_client::{Event, NotSaved, Observer, SavedTransaction};
use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Algorithms, Fingerprint, Server},
    connection::{Generation, Issuing},
    failure::Failure,
    files,
    outputs::Outputs,
    terminal::Terminal,
};

/// The version of the file.
const VERSION: u32 = 1;

/// All that `poll` needs. For its owner alone: the request holds the challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    pub(crate) command: Purpose,
    pub(crate) server: Server,
    pub(crate) algorithms: Algorithms,
    /// The certificate that was trusted, as PEM.
    ca_certificate: String,
    pub(crate) generation: Generation,
    /// The key that signed the request and opens the reply.
    pub(crate) signer_key: PathBuf,
    /// SHA-256 of the certificate that is renewed.
    renewing: Option<String>,
    pub(crate) outputs: Outputs,
    pub(crate) hook: Option<String>,
    /// The pkiMessage and the PKCS #10 request in it, as base64.
    message: String,
    request: String,
    pending: bool,
}

/// What the transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Enroll,
    Renew,
}

impl Purpose {
    /// The command of that name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Renew => "renew",
        }
    }
}

impl State {
    /// Of a transaction that is about to begin, except for its messages.
    pub(crate) fn new(
        command: Purpose,
        (server, algorithms): (&Server, &Algorithms),
        (issuing, signer_key): (&Issuing, &Path),
        renewing: Option<&Certificate>,
        outputs: Outputs,
    ) -> Result<Self, Failure> {
        Ok(Self {
            version: VERSION,
            command,
            server: Server {
                ra_cert: server.ra_cert.iter().map(|path| files::absolute(path)).collect::<Result<_, _>>()?,
                tls_ca: server.tls_ca.as_deref().map(files::absolute).transpose()?,
                ..server.clone()
            },
            algorithms: algorithms.clone(),
            ca_certificate: issuing.anchor.to_pem(),
            generation: issuing.generation,
            signer_key: files::absolute(signer_key)?,
            renewing: renewing.map(|certificate| Fingerprint(certificate.fingerprint()).to_string()),
            outputs,
            hook: None,
            message: String::new(),
            request: String::new(),
            pending: false,
        })
    }

    /// What lies at `path`; `None` when nothing does.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, Failure> {
        let contents = match read_private_file(path) {
            Err(error) if error.is_not_found() => return Ok(None),
            read => read.map_err(Failure::local)?,
        };
        let state: Self = serde_json::from_slice(&contents).map_err(|error| unreadable(path, error))?;
        if state.version != VERSION {
            return Err(unreadable(path, format_args!("version {} where {VERSION} belongs", state.version)));
        }
        state.saved().map_err(|problem| unreadable(path, problem))?;
        Ok(Some(state))
    }

    /// The transaction.
    pub(crate) fn saved(&self) -> Result<SavedTransaction, Failure> {
        let octets = |text: &str| Base64::decode_vec(text).map_err(Failure::local);
        let message = octets(&self.message)?;
        let request = CertificationRequest::from_der(&octets(&self.request)?).map_err(Failure::local)?;
        Ok(if self.pending {
            SavedTransaction::pending(message, request)
        } else {
            SavedTransaction::unanswered(message, request)
        })
    }

    /// The CA that was trusted.
    pub(crate) fn ca_certificate(&self) -> Result<Certificate, Failure> {
        Certificate::from_pem(&self.ca_certificate).map_err(Failure::local)
    }

    /// The certificate that the transaction has led to, when all that is left to do is to forget the transaction.
    pub(crate) fn finished(&self) -> Result<Option<Certificate>, Failure> {
        if !self.outputs.cert().exists() {
            return Ok(None);
        }
        let certificate = files::certificate(self.outputs.cert())?;
        let of_the_key = certificate.public_key() == self.saved()?.request().public_key();
        let old = self.renewing.as_ref() == Some(&Fingerprint(certificate.fingerprint()).to_string());
        Ok(Some(certificate).filter(|_| of_the_key && !old))
    }
}

/// Keeps a transaction in its file, and tells the terminal.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) state: State,
    pub(crate) terminal: Terminal,
}

impl Observer for Keeper {
    fn save(&mut self, transaction: &SavedTransaction) -> Result<(), NotSaved> {
        let state = &mut self.state;
        state.message = Base64::encode_string(transaction.message());
        state.request = Base64::encode_string(transaction.request().as_der());
        state.pending = transaction.is_pending();
        let contents = serde_json::to_vec_pretty(state).map_err(|error| NotSaved(error.to_string()))?;
        let path = state.outputs.state();
        replace_private_file(&path, &contents).map_err(|error| NotSaved(error.to_string()))
    }

    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Retrying { error, pause } => {
                self.terminal.progress(format_args!("{error}; once more in {} s", pause.as_secs()));
            }
            Event::Waiting { polls, pause } => {
                self.terminal.progress(format_args!(
                    "waiting for approval, asked {polls} times; again in {} s",
                    pause.as_secs()
                ));
            }
            Event::StartedOver { refusal } => {
                self.terminal.notice(format_args!("{refusal}; starting over with a new transaction"));
            }
            _ => {}
        }
    }
}

fn unreadable(path: &Path, problem: impl std::fmt::Display) -> Failure {
    Failure::local(format_args!(
        "{} holds no transaction that can be read ({problem}): remove it to begin anew",
        path.display()
    ))
}
