//! Tells authorities outside of certificates and refusals as they happen, where there is no outbox.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use enrollment::{NoticeCarrier, Outbox, StoreError};
use issuance::{Intent, IntentOutcome, IssuanceLog, LogError, Notice, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate};
use tokio::time::{Instant, timeout};

/// Between an intent and its certificate no more time passes; what is older was given up.
const MOST_AGE: Duration = Duration::from_secs(300);

/// Who carries notices of a kind, and how long a certificate is held back until they have; `None` when it is not.
pub(crate) type Carriers = HashMap<String, (Arc<dyn NoticeCarrier>, Option<Duration>)>;

/// Stands before a record that keeps nothing. A certificate is handed out once its authority has heard of it; when it has
/// not, the device asks again and the same certificate is made again.
pub(crate) struct ToldAtOnce {
    log: Arc<dyn IssuanceLog>,
    carriers: Arc<Carriers>,
    /// Of certificates about to be signed.
    notices: Mutex<HashMap<CertRef, (Notice, Instant)>>,
}

/// Tells of refusals, once.
#[derive(Debug)]
pub(crate) struct ToldOnce(pub(crate) Arc<Carriers>);

impl ToldAtOnce {
    pub(crate) fn new(log: Arc<dyn IssuanceLog>, carriers: Arc<Carriers>) -> Self {
        Self { log, carriers, notices: Mutex::default() }
    }

    fn remember(&self, intent: &Intent) {
        let Some(notice) = intent.provenance.notice.clone() else { return };
        let (mut notices, now) =
            (self.notices.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        notices.retain(|_, (_, since)| now.duration_since(*since) < MOST_AGE);
        notices.insert(intent.certificate, (notice, now));
    }

    async fn tell(&self, issued: CertRef, certificate: &Certificate) -> Result<(), LogError> {
        let notice = self.notices.lock().unwrap_or_else(PoisonError::into_inner).remove(&issued);
        let Some((notice, _)) = notice else { return Ok(()) };
        let Some((carrier, patience)) = self.carriers.get(&notice.kind).cloned() else { return Ok(()) };
        let issued = (issued, certificate.clone());
        let Some(patience) = patience else {
            tokio::spawn(async move { try_once(&*carrier, &notice, Some(&issued)).await });
            return Ok(());
        };
        let serial = issued.0.serial;
        match timeout(patience, carrier.carry(&notice, Some(&issued))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(LogError::new(format_args!("nobody outside has heard of {serial}: {why}"))),
            Err(_) => Err(LogError::new(format_args!("nobody outside has heard of {serial} in time"))),
        }
    }
}

impl IssuanceLog for ToldAtOnce {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        self.remember(intent);
        self.log.record_intent(intent)
    }

    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        Box::pin(async move {
            let recorded = self.log.record_issued(issued, certificate).await?;
            self.tell(issued, &recorded).await?;
            Ok(recorded)
        })
    }
}

impl fmt::Debug for ToldAtOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToldAtOnce({:?})", self.log)
    }
}

impl Outbox for ToldOnce {
    fn post<'a>(
        &'a self,
        _transaction: TransactionKey,
        notice: &'a Notice,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        if let Some((carrier, _)) = self.0.get(&notice.kind).cloned() {
            let notice = notice.clone();
            tokio::spawn(async move { try_once(&*carrier, &notice, None).await });
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn try_once(carrier: &dyn NoticeCarrier, notice: &Notice, issued: Option<&(CertRef, Certificate)>) {
    if let Err(why) = carrier.carry(notice, issued).await {
        tracing::warn!(kind = notice.kind, %why, "a notice was not delivered, and is not kept without a ledger");
    }
}
