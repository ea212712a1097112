//! Delivers what authorities outside are to be told, until they have heard it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use enrollment::{NoticeCarrier, Undelivered};
use ledger::{DueNotice, Ledger, LedgerError, NoticeFate, NoticeId, OutboxSize};
use pki_core::{CertRef, Clock};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

/// So many are delivered side by side.
const MOST_AT_ONCE: u32 = 32;
/// How often is looked for notices that nobody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After the first failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);
/// What nobody took for so long is given up.
const MOST_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

type Labels = Vec<(&'static str, String)>;

/// The outbox at work. Notices are on disk since before their certificates left the process; whatever happens to it, they
/// are delivered at least once.
#[derive(Debug)]
pub(crate) struct Deliveries {
    ledger: Ledger,
    carriers: HashMap<String, Arc<dyn NoticeCarrier>>,
    clock: Arc<dyn Clock>,
    /// Somebody waits.
    wake: Notify,
    /// How many were settled.
    settled: watch::Sender<u64>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Metrics {
    attempts: Family<Labels, Counter>,
    waiting: Gauge,
    oldest: Gauge,
    given_up: Gauge,
}

/// Whether a certificate may be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// Everybody has heard of it who was to.
    Heard,
    /// Not yet.
    NotYet,
    /// Somebody does not want to hear of it.
    Refused,
}

impl Deliveries {
    pub(crate) fn new(
        ledger: Ledger,
        carriers: impl IntoIterator<Item = Arc<dyn NoticeCarrier>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let carriers = carriers.into_iter().map(|carrier| (carrier.kind().to_owned(), carrier)).collect();
        let (wake, settled, metrics) = (Notify::new(), watch::Sender::new(0), Metrics::default());
        Self { ledger, carriers, clock, wake, settled, metrics }
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let Metrics { attempts, waiting, oldest, given_up } = &self.metrics;
        let help = "Attempts to deliver notices of issued and refused certificates";
        registry.register("certbound_notices", help, attempts.clone());
        let help = "Notices that wait to be delivered";
        registry.register("certbound_notices_waiting", help, waiting.clone());
        let help = "When the notice was made that waits longest, in seconds since 1970; 0 when none waits";
        registry.register("certbound_notices_oldest_seconds", help, oldest.clone());
        let help = "Notices that were given up in the last 30 days";
        registry.register("certbound_notices_given_up", help, given_up.clone());
    }

    /// Delivers, for as long as the runtime runs.
    pub(crate) async fn run(self: Arc<Self>) {
        let (mut running, mut at_work) = (JoinSet::new(), BTreeSet::new());
        loop {
            if let Err(error) = self.begin(&mut running, &mut at_work) {
                tracing::error!(%error, "the outbox cannot be read: nobody outside is told anything");
            }
            tokio::select! {
                Some(done) = running.join_next() => match done {
                    Ok(id) => drop(at_work.remove(&id)),
                    // Nothing here panics; what did is looked for again.
                    Err(_) => at_work.clear(),
                },
                () = self.wake.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn begin(
        self: &Arc<Self>,
        running: &mut JoinSet<NoticeId>,
        at_work: &mut BTreeSet<NoticeId>,
    ) -> Result<(), LedgerError> {
        let (reader, now) = (self.ledger.reader(), self.clock.now());
        for due in reader.due_notices(now, MOST_AT_ONCE.saturating_mul(2))? {
            if at_work.len() < MOST_AT_ONCE as usize && at_work.insert(due.id) {
                let deliveries = Arc::clone(self);
                running.spawn(async move {
                    let id = due.id;
                    deliveries.deliver(due).await;
                    id
                });
            }
        }
        let OutboxSize { waiting, oldest, given_up, .. } = reader.outbox_size()?;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.waiting.set(number(waiting));
        self.metrics.oldest.set(number(oldest.map_or(0, |at| at.0)));
        self.metrics.given_up.set(number(given_up));
        Ok(())
    }

    async fn deliver(&self, due: DueNotice) {
        let carried = match self.carriers.get(&due.notice.kind) {
            Some(carrier) => carrier.carry(&due.notice, due.issued.as_ref()).await,
            None => Err(Undelivered::Later {
                why: String::from("no service of that name is configured any more"),
                after: Some(LONGEST_PAUSE),
            }),
        };
        let kind = &*due.notice.kind;
        let serial = due.issued.as_ref().map(|(reference, _)| reference.serial.to_string());
        let age = self.clock.now().saturating_since(due.created);
        let (outcome, noted) = match carried {
            Ok(()) => {
                tracing::info!(kind, serial, "a notice was delivered");
                ("delivered", self.ledger.notice_delivered(due.id).await)
            }
            Err(Undelivered::Later { why, after }) if age < MOST_AGE => {
                tracing::warn!(kind, serial, attempts = due.attempts, why, "a notice was not delivered");
                let again =
                    self.clock.now().saturating_add(pause(due.attempts).max(after.unwrap_or_default()));
                ("failed", self.ledger.notice_failed(due.id, again, why).await)
            }
            Err(undelivered) => {
                let why = undelivered.to_string();
                tracing::error!(kind, serial, why, "a notice is given up");
                ("given-up", self.ledger.notice_given_up(due.id, why).await)
            }
        };
        if let Err(error) = noted {
            tracing::error!(kind, %error, "what became of a notice cannot be noted: it will be delivered again");
        }
        let labels = vec![("kind", kind.to_owned()), ("outcome", outcome.to_owned())];
        self.metrics.attempts.get_or_create(&labels).inc();
        self.settled.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Waits until everybody has heard of a certificate who is to, for as long as `patience` lasts.
    pub(crate) async fn confirm(&self, certificate: CertRef, patience: Duration) -> Confirmation {
        let until = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
        let mut settled = self.settled.subscribe();
        loop {
            settled.mark_unchanged();
            match self.ledger.reader().notice_fate(certificate) {
                Ok(NoticeFate::Settled) => return Confirmation::Heard,
                Ok(NoticeFate::GivenUp) => return Confirmation::Refused,
                Ok(NoticeFate::Waiting) => self.wake.notify_one(),
                Err(error) => {
                    tracing::error!(%error, "whether a notice was delivered cannot be told");
                    return Confirmation::NotYet;
                }
            }
            if timeout_at(until, settled.changed()).await.is_err() {
                return Confirmation::NotYet;
            }
        }
    }
}

/// Before another attempt, after so many in vain.
fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST_PAUSE)
}
