//! The two commands, step by step.

use std::sync::Arc;

use keys_software::AwsLc;
use pki_core::{Certificate, RequestedExtensions, SystemClock};
use scep_client::{
    ClientError, ClientParts, Enrollment, HttpTransport, Outcome, Patience, ScepClient, Transaction, Trust,
    TrustedCa,
};

use crate::{
    arguments::{Authority, Enroll, Fingerprint, Renew, Wanted},
    failure::Failure,
    files,
    keys::Key,
    outputs::Outputs,
};

/// A first certificate.
pub(crate) async fn enroll(command: &Enroll) -> Result<(), Failure> {
    let challenge = command.challenge()?;
    let outputs = match &command.key {
        Some(_) => Outputs::without_key(&command.output),
        None => Outputs::with_key(&command.output)?,
    };
    let (client, ca) = connect(&command.ca).await?;
    let key = match &command.key {
        Some(path) => Key::read(path)?,
        None => outputs.new_key(command.wanted.key_type)?,
    };
    let wanted = Enrollment {
        subject: command.subject.clone(),
        challenge,
        extensions: extensions(&command.wanted, None),
    };
    let transaction = client.enroll(&ca, &wanted, &key.for_client()).await?;
    finish(transaction, &command.wanted, &ca, &outputs).await
}

/// A new certificate for an old one.
pub(crate) async fn renew(command: &Renew) -> Result<(), Failure> {
    let current = Certificate::from_pem(&files::read(&command.cert)?);
    let current =
        current.map_err(|error| Failure::local(format_args!("{}: {error}", command.cert.display())))?;
    let key = Key::read(&command.key)?;
    let outputs = Outputs::with_key(&command.output)?;
    let (client, ca) = connect(&command.ca).await?;
    let new_key = outputs.new_key(command.wanted.key_type)?;
    let wanted = Enrollment {
        subject: current.subject().clone(),
        challenge: None,
        extensions: extensions(&command.wanted, Some(&current)),
    };
    let (old, new) = (key.for_client(), new_key.for_client());
    let transaction = client.renew(&ca, &wanted, &new, &current, &old).await?;
    finish(transaction, &command.wanted, &ca, &outputs).await
}

async fn connect(arguments: &Authority) -> Result<(ScepClient, TrustedCa), Failure> {
    let transport = HttpTransport::new(arguments.timeout).map_err(ClientError::from)?;
    let parts = ClientParts {
        transport: Arc::new(transport),
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        random: Arc::new(AwsLc),
        clock: Arc::new(SystemClock),
    };
    let identifier = arguments.ca_identifier.clone().unwrap_or_default();
    let client = ScepClient::new(&arguments.url, parts).with_ca_identifier(identifier);
    let trust = match arguments.ca_fingerprint {
        Some(Fingerprint(fingerprint)) => Trust::Fingerprint(fingerprint),
        None => Trust::FirstSeen,
    };
    let ca = client.ca(trust).await?;
    if trust == Trust::FirstSeen {
        let fingerprint = Fingerprint(ca.certificate().fingerprint());
        eprintln!("warning: nobody vouched for this CA; next time pass --ca-fingerprint {fingerprint}");
    }
    Ok((client, ca))
}

async fn finish(
    mut transaction: Transaction,
    wanted: &Wanted,
    ca: &TrustedCa,
    outputs: &Outputs,
) -> Result<(), Failure> {
    let patience =
        Patience { max_wait: wanted.max_wait, poll_interval: wanted.poll_interval, ..Patience::default() };
    match transaction.complete(patience).await? {
        Outcome::Issued(certificate) => outputs.write(&certificate, ca.certificate()),
        Outcome::Pending => Err(Failure::pending(format_args!(
            "transaction {} waits for approval at the CA. Run the same command again once it is approved, \
             or let --max-wait wait for it",
            transaction.id()
        ))),
    }
}

/// What was asked for on the command line, or what `current` has.
fn extensions(wanted: &Wanted, current: Option<&Certificate>) -> RequestedExtensions {
    let mut names = wanted.alternative_names.clone();
    if let (true, Some(current)) = (names.is_empty(), current) {
        names = current.subject_alt_names().unwrap_or_default();
    }
    RequestedExtensions { subject_alt_names: names, ..RequestedExtensions::default() }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Transport(_) | ClientError::Http { .. } | ClientError::CaCertificates(_) => {
                Self::server(error)
            }
            ClientError::Untrusted(_) => Self::untrusted(error),
            ClientError::Refused { .. } => Self::refused(error),
            _ => Self::local(error),
        }
    }
}
