//! Enrolling, renewing and polling, step by step.

use pki_core::{Certificate, ChallengePassword, Clock as _, RequestedExtensions, SystemClock};
use scep_client::{Enrollment, Outcome as Settled, Patience, ScepClient, Transaction, TrustedCa};

use crate::{
    arguments::{Enroll, Hook, Poll, Renew, Waiting, Wanted},
    connection::{self, Generation, Vouched},
    failure::Failure,
    files,
    keys::Key,
    outputs::{Outputs, refuse_existing},
    report::{Outcome, Report},
    state::{Keeper, Purpose, State},
    terminal::Terminal,
};

/// A first certificate.
pub(crate) async fn enroll(command: &Enroll, terminal: Terminal) -> Result<Report, Failure> {
    let new_key = command.key.is_none().then_some(&*command.key_out);
    let outputs = Outputs::new(new_key, &command.cert_out, Some(&command.ca_out))?;
    if let Some(certificate) = outputs.finish_earlier()? {
        return Ok(issued("enroll", &certificate, &outputs));
    }
    let (vouched, challenge) = (command.vouching.read()?, command.challenge.read()?);
    let generation = Generation::of_flag(command.next_ca);
    let client = connection::client(&command.server, &command.algorithms)?;
    if let Some(state) = earlier(&outputs, command.start_over)? {
        let state = fitting(state, command, challenge.as_ref(), terminal)?;
        if let Some(state) = state {
            let issuing = connection::issuing_ca(&client, &vouched, generation, terminal).await?;
            return resume(&client, &issuing.ca, state, &command.waiting, terminal).await;
        }
    }
    if let (Some(key), false) = (new_key, command.force) {
        refuse_existing(
            key,
            "write elsewhere with --key-out, replace it with --force, or enroll with it by --key",
        )?;
    }
    let issuing = connection::issuing_ca(&client, &vouched, generation, terminal).await?;
    let (key, signer_key) = match (&command.key, outputs.waiting_key()) {
        (None, Some(waiting)) => (outputs.new_key(command.wanted.key_type, terminal)?, waiting),
        (path, _) => {
            let path = path.clone().unwrap_or_default();
            (Key::read(&path)?, path)
        }
    };
    let wanted = Enrollment {
        subject: command.subject.clone(),
        challenge,
        extensions: extensions(&command.wanted, None),
    };
    let transaction = client.enroll(&issuing.ca, &wanted, &key.for_client()).await?;
    let by = (&issuing, &*signer_key);
    let state = State::new(Purpose::Enroll, (&command.server, &command.algorithms), by, None, outputs)?;
    pursue(transaction, &issuing.ca, state, &command.waiting, terminal).await
}

/// A new certificate for an old one.
pub(crate) async fn renew(command: &Renew, terminal: Terminal) -> Result<Report, Failure> {
    let outputs = renewed_files(command)?;
    if let Some(certificate) = outputs.finish_earlier()? {
        command.hook.run(outputs.cert(), outputs.key().unwrap_or(&command.key), terminal)?;
        return Ok(issued("renew", &certificate, &outputs));
    }
    let (vouched, generation) = (command.vouching.read()?, Generation::of_flag(command.next_ca));
    let client = connection::client(&command.server, &command.algorithms)?;
    if let Some(state) = earlier(&outputs, command.start_over)? {
        let issuing = connection::issuing_ca(&client, &vouched, generation, terminal).await?;
        return resume(&client, &issuing.ca, state, &command.waiting, terminal).await;
    }
    let current = files::certificate(&command.cert)?;
    if let Some(report) = not_due(command, &current)? {
        return Ok(report);
    }
    let key = Key::read(&command.key)?;
    if let (Some(path), false) =
        (command.key_out.as_ref().filter(|path| **path != command.key), command.force)
    {
        refuse_existing(path, "write elsewhere with --key-out, or replace it with --force")?;
    }
    let challenge = command.challenge.read()?;
    let issuing = connection::issuing_ca(&client, &vouched, generation, terminal).await?;
    let new_key = match outputs.key() {
        Some(_) => outputs.new_key(command.wanted.key_type, terminal)?.for_client(),
        None => key.for_client(),
    };
    let extensions = extensions(&command.wanted, Some(&current));
    let wanted = Enrollment { subject: current.subject().clone(), challenge, extensions };
    let transaction = client.renew(&issuing.ca, &wanted, &new_key, &current, &key.for_client()).await?;
    let by = (&issuing, &*command.key);
    let mut state =
        State::new(Purpose::Renew, (&command.server, &command.algorithms), by, Some(&current), outputs)?;
    state.hook.clone_from(&command.hook.hook);
    pursue(transaction, &issuing.ca, state, &command.waiting, terminal).await
}

/// Asks about a transaction that waits.
pub(crate) async fn poll(command: &Poll, terminal: Terminal) -> Result<Report, Failure> {
    let state = State::load(&command.state)?.ok_or_else(|| {
        Failure::local(format_args!(
            "expected a transaction that waits in {}: there is no such file, so nothing waits",
            command.state.display()
        ))
    })?;
    if let Some(certificate) = state.outputs.finish_earlier()? {
        return finished(&state, &certificate, terminal);
    }
    let client = connection::client(&state.server, &state.algorithms)?;
    let vouched = Vouched::Certificate(state.ca_certificate()?);
    let issuing = connection::issuing_ca(&client, &vouched, state.generation, terminal).await?;
    resume(&client, &issuing.ca, state, &command.waiting, terminal).await
}

/// The files of a renewal: in place, unless said otherwise.
pub(crate) fn renewed_files(command: &Renew) -> Result<Outputs, Failure> {
    let key = command.key_out.as_deref().unwrap_or(&command.key);
    let key = (!command.reuse_key).then_some(key);
    let cert = command.cert_out.as_deref().unwrap_or(&command.cert);
    Outputs::new(key, cert, command.ca_out.as_deref())
}

/// Goes on where an earlier run stopped.
async fn resume(
    client: &ScepClient,
    ca: &TrustedCa,
    state: State,
    waiting: &Waiting,
    terminal: Terminal,
) -> Result<Report, Failure> {
    if let Some(certificate) = state.finished()? {
        return finished(&state, &certificate, terminal);
    }
    terminal.progress(format_args!("going on with {}", state.outputs.state().display()));
    let key = Key::read(&state.signer_key)?;
    let transaction = client.resume(ca, &state.saved()?, &key.for_client()).await?;
    pursue(transaction, ca, state, waiting, terminal).await
}

/// Sees a transaction through, keeping it on disk until its certificate is.
async fn pursue(
    mut transaction: Transaction,
    ca: &TrustedCa,
    state: State,
    waiting: &Waiting,
    terminal: Terminal,
) -> Result<Report, Failure> {
    terminal.progress(format_args!("transaction {}", transaction.id()));
    let mut keeper = Keeper { state, terminal };
    let settled = transaction.complete_with(patience(waiting), &mut keeper).await;
    let state = keeper.state;
    let path = state.outputs.state();
    match settled {
        Ok(Settled::Issued(certificate)) => {
            state.outputs.write(&certificate, ca.certificate())?;
            let report = finished(&state, &certificate, terminal)?;
            Ok(report.with_transaction(transaction.id()).with_ca(ca.certificate(), state.outputs.ca()))
        }
        Ok(Settled::Pending) => Ok(Report::new(state.command.word(), Outcome::Pending)
            .with_transaction(transaction.id())
            .with_message(format_args!(
                "transaction {} waits for approval at the CA. Run the same command again once it is approved, or \
                 scep-client poll --state {}, or let --max-wait wait for it",
                transaction.id(),
                path.display()
            ))),
        Err(error) => {
            let passing = error.is_passing();
            let failure = Failure::from(error);
            if failure.is_final() {
                files::remove(&path)?;
            }
            Err(if passing {
                failure.explained("run the same command again: it goes on where this one stopped")
            } else {
                failure
            })
        }
    }
}

/// The certificate is in place: nothing is left to go on with.
fn finished(state: &State, certificate: &Certificate, terminal: Terminal) -> Result<Report, Failure> {
    let outputs = &state.outputs;
    files::remove(&outputs.state())?;
    let hook = Hook { hook: state.hook.clone() };
    hook.run(outputs.cert(), outputs.key().unwrap_or(&state.signer_key), terminal)?;
    Ok(issued(state.command.word(), certificate, outputs))
}

fn issued(command: &'static str, certificate: &Certificate, outputs: &Outputs) -> Report {
    let report = Report::new(command, Outcome::Issued).with_certificate(certificate, Some(outputs.cert()));
    match outputs.key() {
        Some(key) => report.with_key(key),
        None => report,
    }
}

/// What an earlier run left, unless it is to be forgotten.
fn earlier(outputs: &Outputs, start_over: bool) -> Result<Option<State>, Failure> {
    if start_over {
        files::remove(&outputs.state())?;
        return Ok(None);
    }
    State::load(&outputs.state())
}

/// The transaction of an earlier run, if this run asks for the same. With another challenge it is a new attempt.
fn fitting(
    state: State,
    command: &Enroll,
    challenge: Option<&ChallengePassword>,
    terminal: Terminal,
) -> Result<Option<State>, Failure> {
    let request = state.saved()?.request().clone();
    if request.subject() != &command.subject || state.server.url != command.server.url {
        return Err(Failure::local(format_args!(
            "{} holds a transaction for {} at {}: end it with scep-client poll, forget it with --start-over, or write \
             elsewhere with --cert-out",
            state.outputs.state().display(),
            request.subject(),
            state.server.url
        )));
    }
    let same = match (challenge, request.challenge_password()) {
        (Some(new), Some(old)) => new.matches(old),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if !same {
        terminal.notice("the challenge is another one than in the earlier attempt: starting over");
    }
    Ok(Some(state).filter(|_| same))
}

/// A report that it is too early, if it is.
fn not_due(command: &Renew, current: &Certificate) -> Result<Option<Report>, Failure> {
    let (validity, now) = (current.validity(), SystemClock.now());
    if validity.not_after() < now {
        Terminal::warn(format_args!(
            "{} has ended on {}: the CA may refuse to renew it, and then it takes an enrollment with a challenge",
            command.cert.display(),
            validity.not_after()
        ));
    }
    let Some(window) = command.renew_within.filter(|window| !window.is_open(validity, now)) else {
        return Ok(None);
    };
    let report = Report::new("renew", Outcome::NotDue)
        .with_certificate(current, Some(&files::absolute(&command.cert)?))
        .with_next(window.opens(validity));
    Ok(Some(report.with_message(format_args!("not due before the last {window}: nothing was done"))))
}

fn patience(waiting: &Waiting) -> Patience {
    Patience {
        retries: waiting.retries,
        max_wait: waiting.max_wait,
        max_polls: waiting.max_polls.unwrap_or(u32::MAX),
        poll_interval: waiting.poll_interval,
        ..Patience::default()
    }
}

/// What was asked for on the command line, or what `current` has.
fn extensions(wanted: &Wanted, current: Option<&Certificate>) -> RequestedExtensions {
    let mut names = wanted.alternative_names.clone();
    if let (true, Some(current)) = (names.is_empty(), current) {
        names = current.subject_alt_names().unwrap_or_default();
    }
    RequestedExtensions {
        subject_alt_names: names,
        key_usage: wanted.key_usage,
        extended_key_usages: wanted.extended_key_usages.clone(),
        ..RequestedExtensions::default()
    }
}
