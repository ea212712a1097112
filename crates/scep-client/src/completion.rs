//! Seeing a transaction through.

use std::time::Duration;

use scep_proto::FailInfo;
use tokio::time::{Instant, sleep};

use crate::{ClientError, Outcome, SavedTransaction, Transaction, transaction::Progress};

/// The longest that a server's Retry-After is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The shortest pause between two polls, whatever is asked for.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How long [`Transaction::complete`] tries
/// ([RFC 8894 §2.5.1](https://www.rfc-editor.org/rfc/rfc8894#section-2.5.1): max-time, max-polls).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Patience {
    /// How often a message is sent again when no answer comes, or one that says "later".
    pub retries: u32,
    /// The pause before the first of them; doubled for each further one.
    pub retry_pause: Duration,
    /// How long to wait for approval; zero returns [`Outcome::Pending`] at once.
    pub max_wait: Duration,
    /// How often to ask whether it is approved.
    pub max_polls: u32,
    /// The pause between two polls.
    pub poll_interval: Duration,
}

impl Default for Patience {
    /// Three retries, from 1 s on; no waiting for approval.
    fn default() -> Self {
        Self {
            retries: 3,
            retry_pause: Duration::from_secs(1),
            max_wait: Duration::ZERO,
            max_polls: u32::MAX,
            poll_interval: Duration::from_secs(10),
        }
    }
}

/// What happens on the way to a certificate.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// No answer, or one that says "later": the same message is sent again after that pause.
    Retrying {
        /// What came in place of an answer.
        error: &'a ClientError,
        /// The pause.
        pause: Duration,
    },
    /// The CA has not decided; it is asked again after that pause.
    Waiting {
        /// How often it was asked whether it has.
        polls: u32,
        /// The pause.
        pause: Duration,
    },
    /// The CA knows nothing, or too much, of the transaction: the same request goes into a new one.
    StartedOver {
        /// What the CA said to the old one.
        refusal: &'a ClientError,
    },
}

/// Looks on while a transaction is seen through, and keeps what a later process needs to go on with it.
///
/// ```
/// use scep_client::{Event, NotSaved, Observer, SavedTransaction};
///
/// struct Folder(std::path::PathBuf);
///
/// impl Observer for Folder {
///     fn save(&mut self, transaction: &SavedTransaction) -> Result<(), NotSaved> {
///         let write = |name: &str, octets: &[u8]| std::fs::write(self.0.join(name), octets);
///         let written = write("message.der", transaction.message())
///             .and_then(|()| write("request.der", transaction.request().as_der()));
///         written.map_err(|error| NotSaved(error.to_string()))
///     }
///
///     fn note(&mut self, event: &Event<'_>) {
///         if let Event::Waiting { pause, .. } = event {
///             println!("not decided; asking again in {} s", pause.as_secs());
///         }
///     }
/// }
/// ```
pub trait Observer: Send {
    /// Called before anything is sent under a transactionID, and when the CA has answered PENDING. What is kept until
    /// the certificate is safe makes a crash harmless. An error ends the run.
    fn save(&mut self, _transaction: &SavedTransaction) -> Result<(), NotSaved> {
        Ok(())
    }

    /// Called on each event.
    fn note(&mut self, _event: &Event<'_>) {}
}

/// Keeps nothing and looks at nothing.
impl Observer for () {}

/// A transaction could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSaved(pub String);

impl Transaction {
    /// Sends, sends again what got no answer, and polls, as long as `patience` lasts.
    ///
    /// When an answer got lost on the way and the CA then refuses to repeat it, or when it does not know the
    /// transaction that it is polled for, the same request goes into a new transaction, once.
    pub async fn complete(&mut self, patience: Patience) -> Result<Outcome, ClientError> {
        self.complete_with(patience, &mut ()).await
    }

    /// [`Transaction::complete`], with somebody who looks on.
    pub async fn complete_with(
        &mut self,
        patience: Patience,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, ClientError> {
        let mut run = Run::new(self.progress(), patience);
        let mut saved = self.saved();
        observer.save(&saved)?;
        loop {
            match run.step(self, observer).await {
                Ok(Outcome::Pending) => {}
                Err(refusal) if run.may_start_over(&refusal) => {
                    self.start_over().await?;
                    saved = self.saved();
                    observer.save(&saved)?;
                    observer.note(&Event::StartedOver { refusal: &refusal });
                    continue;
                }
                settled => return settled,
            }
            if !saved.is_pending() {
                saved = self.saved();
                observer.save(&saved)?;
            }
            let Some(pause) = run.next_poll() else { return Ok(Outcome::Pending) };
            observer.note(&Event::Waiting { polls: run.polls, pause });
            sleep(pause).await;
            run.polls = run.polls.saturating_add(1);
        }
    }
}

/// One go at completing a transaction.
struct Run {
    patience: Patience,
    began: Instant,
    polls: u32,
    /// An answer may have got lost.
    lost: bool,
    started_over: bool,
}

impl Run {
    fn new(progress: Progress, patience: Patience) -> Self {
        let lost = progress == Progress::Unanswered;
        Self { patience, began: Instant::now(), polls: 0, lost, started_over: false }
    }

    /// Sends or polls until there is an answer, or no more retries.
    async fn step(
        &mut self,
        transaction: &mut Transaction,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, ClientError> {
        let mut pause = self.patience.retry_pause;
        let mut left = self.patience.retries;
        loop {
            let answer = match transaction.progress() {
                Progress::Pending => transaction.poll().await,
                Progress::Prepared | Progress::Unanswered => transaction.send().await,
            };
            let Err(error) = answer else { return answer };
            self.lost |= error.is_passing() && error.may_have_arrived();
            if left == 0 || !error.is_passing() {
                return Err(error);
            }
            let this = retry_after(&error).unwrap_or(pause);
            observer.note(&Event::Retrying { error: &error, pause: this });
            sleep(this).await;
            pause = pause.saturating_mul(2);
            left = left.saturating_sub(1);
        }
    }

    fn may_start_over(&mut self, error: &ClientError) -> bool {
        let unknown = self.polls > 0 || self.lost;
        let may = !self.started_over
            && match error {
                ClientError::Refused { fail_info: FailInfo::BadCertId, .. } => unknown,
                ClientError::Refused { .. } => self.lost,
                _ => false,
            };
        self.started_over |= may;
        may
    }

    /// The pause before the next poll; `None` when there is to be none.
    fn next_poll(&self) -> Option<Duration> {
        let left = self.patience.max_wait.checked_sub(self.began.elapsed()).filter(|left| !left.is_zero());
        let pause = self.patience.poll_interval.max(MIN_POLL_INTERVAL).min(left?);
        (self.polls < self.patience.max_polls).then_some(pause)
    }
}

fn retry_after(error: &ClientError) -> Option<Duration> {
    let ClientError::Http { retry_after: Some(seconds), .. } = error else { return None };
    Some(Duration::from_secs(*seconds).min(MAX_RETRY_AFTER))
}
