//! Renewing whenever it is time.

use std::{convert::Infallible, time::Duration};

use keys_software::AwsLc;
use pki_core::{Certificate, Clock as _, RandomFailed, SystemClock, UnixTime};
use scep_client::BackOff;

use crate::{
    arguments::Renew,
    failure::Failure,
    files,
    keys::Key,
    report::{Outcome, Report},
    requests,
    terminal::Terminal,
};

/// The pause after a first failure, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(8 * 3600);

/// The shortest pause of any kind.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// How long to sleep at a stretch: clocks are set, machines are suspended, people renew by hand.
const STRETCH: Duration = Duration::from_secs(3600);

/// Renews until somebody ends the process; `tell` gets what comes of each go. Ends by itself only when it could never
/// renew: the files are not there, or do not belong together.
pub(crate) async fn run(
    mut command: Renew,
    terminal: Terminal,
    tell: impl Fn(&Report),
) -> Result<Infallible, Failure> {
    let window = command.renew_within.take().unwrap_or_default();
    let outputs = requests::renewed_files(&command)?;
    outputs.finish_earlier()?;
    let mut current = files::certificate(&command.cert)?;
    if Key::read(&command.key)?.public_key() != current.public_key() {
        return Err(Failure::local(format_args!(
            "{} is not for the key in {}",
            command.cert.display(),
            command.key.display()
        )));
    }
    let mut back_off = BackOff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut next = if outputs.state().exists() || window.is_open(current.validity(), SystemClock.now()) {
        SystemClock.now()
    } else {
        window.draw(current.validity(), &AwsLc).map_err(no_randomness)?
    };
    terminal.notice(format_args!("{} is renewed on {next}", command.cert.display()));
    loop {
        current = sleep_until(next, current, &command).await;
        let go = requests::renew(&command, terminal).await;
        let report = match go {
            Ok(report) if report.result == Outcome::Issued => {
                back_off.reset();
                current = files::certificate(outputs.cert())?;
                next = after_success(&current, window).map_err(no_randomness)?;
                report
            }
            Ok(report) => {
                next = SystemClock.now().saturating_add(command.waiting.poll_interval.max(SHORTEST_PAUSE));
                report
            }
            Err(failure) => {
                let pause = back_off.pause(&AwsLc).map_err(no_randomness)?;
                next = SystemClock.now().saturating_add(in_time(pause, &current));
                Report::failed("daemon", &failure)
            }
        };
        tell(&report.of("daemon").with_next(next));
    }
}

/// Sleeps, and returns the certificate that is there then.
async fn sleep_until(next: UnixTime, mut current: Certificate, command: &Renew) -> Certificate {
    loop {
        let left = next.saturating_since(SystemClock.now());
        if left.is_zero() {
            return current;
        }
        tokio::time::sleep(left.min(STRETCH)).await;
        current = files::certificate(&command.cert).unwrap_or(current);
    }
}

/// In its window; or, of a certificate so short that it is in its window already, in the middle of what is left.
fn after_success(
    current: &Certificate,
    window: scep_client::RenewalWindow,
) -> Result<UnixTime, RandomFailed> {
    let (validity, now) = (current.validity(), SystemClock.now());
    if window.is_open(validity, now) {
        let left = validity.not_after().saturating_since(now);
        let half = left.checked_div(2).unwrap_or_default();
        return Ok(now.saturating_add(half.max(FIRST_PAUSE)));
    }
    window.draw(validity, &AwsLc)
}

/// `pause`, shortened when the certificate would end before there were several more goes.
fn in_time(pause: Duration, current: &Certificate) -> Duration {
    let left = current.validity().not_after().saturating_since(SystemClock.now());
    let eighth = left.checked_div(8).unwrap_or_default();
    if eighth.is_zero() { pause } else { pause.min(eighth).max(SHORTEST_PAUSE) }
}

fn no_randomness(error: RandomFailed) -> Failure {
    Failure::local(error)
}
