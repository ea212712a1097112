//! Keeps the lists of one CA fresh, in the background.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use issuance::{CrlAuthority, CrlError, CrlOccasion, CrlState, CurrentCrls};
use ledger::LedgerReader;
use pki_core::{CertRef, Certificate, Clock, IssuerId, SerialNumber, UnixTime};
use revocation::{ManualRevocations, RevocationSource as _};

use crate::{crl_pages::CrlPage, gauges::CaCrlGauges};

/// How often orders are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Every so many looks, other servers' lists are looked for as well, and whether something is due.
const LOOKS_BETWEEN_READINGS: u32 = 8;
/// After a failure.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Publishes the CRLs of one generation of a CA.
pub(crate) struct Publisher {
    parts: PublisherParts,
    current: RwLock<CurrentPages>,
}

/// What a [`Publisher`] is made of.
#[derive(Debug)]
pub(crate) struct PublisherParts {
    pub(crate) authority: CrlAuthority,
    pub(crate) ledger: LedgerReader,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long caches may keep a list.
    pub(crate) cache_seconds: u64,
    pub(crate) gauges: CaCrlGauges,
}

/// The lists in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentPages {
    pub(crate) full: Option<Arc<CrlPage>>,
    pub(crate) delta: Option<Arc<CrlPage>>,
}

/// What was seen at the last look.
struct Seen {
    state: CrlState,
    orders: Option<u64>,
}

impl Publisher {
    pub(crate) fn new(parts: PublisherParts) -> Self {
        Self { parts, current: RwLock::default() }
    }

    /// The lists in force.
    pub(crate) fn current(&self) -> CurrentPages {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    pub(crate) fn cache_seconds(&self) -> u64 {
        self.parts.cache_seconds
    }

    /// The CA whose lists these are.
    pub(crate) fn ca(&self) -> &Certificate {
        self.parts.authority.issuer().certificate()
    }

    /// Whether that CA gave that serial number.
    pub(crate) fn has_issued(&self, serial: SerialNumber) -> bool {
        let certificate = CertRef { issuer: self.parts.authority.issuer().id(), serial };
        self.parts.ledger.issued_at(certificate).is_ok_and(|issued| issued.is_some())
    }

    /// Publishes whenever it is time, and at once when there is an order; for as long as the runtime runs.
    pub(crate) async fn run(self: Arc<Self>) {
        let manual = self.parts.ledger.manual_revocations();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Before the first reading every order is news.
        let mut seen: Option<Seen> = None;
        let (mut looks, mut try_again_at) = (0_u32, UnixTime(0));
        loop {
            ticks.tick().await;
            looks = looks.wrapping_add(1);
            let now = self.parts.clock.now();
            let is_quiet = seen.as_ref().is_some_and(|seen| seen.orders == manual.epoch());
            if now < try_again_at || is_quiet && !looks.is_multiple_of(LOOKS_BETWEEN_READINGS) {
                continue;
            }
            match self.clone().look(seen.take(), Arc::clone(&manual)).await {
                Ok(looked) => seen = Some(looked),
                Err(error) => {
                    self.parts.gauges.count_failure();
                    try_again_at = now.saturating_add(TRY_AGAIN_AFTER);
                    let ca = self.ca().subject();
                    tracing::error!(%ca, %error, "no CRL could be published; the last one serves until it runs out");
                }
            }
        }
    }

    /// A long list takes seconds to be made, which nobody else is to wait for.
    async fn look(
        self: Arc<Self>,
        seen: Option<Seen>,
        manual: Arc<ManualRevocations>,
    ) -> Result<Seen, CrlError> {
        let runtime = tokio::runtime::Handle::current();
        let looking = move || runtime.block_on(self.look_now(seen, &manual));
        let looked = tokio::task::spawn_blocking(looking).await;
        // It panics on nothing; where it did, the next look is a fresh one.
        looked.unwrap_or(Err(CrlError::Overtaken))
    }

    async fn look_now(&self, seen: Option<Seen>, manual: &ManualRevocations) -> Result<Seen, CrlError> {
        let authority = &self.parts.authority;
        let orders = manual.epoch();
        let mut state = authority.state().await?;
        if seen.as_ref().is_none_or(|seen| seen.state.latest() != state.latest()) {
            self.show(&authority.lists(&state).await?);
        }
        let is_news = seen.is_none_or(|seen| seen.orders != orders);
        let ordered = is_news && self.is_behind_orders(&state)?;
        let due = authority.due(&state, self.parts.clock.now());
        if let Some(occasion) = due.or(ordered.then_some(CrlOccasion::Full)) {
            // An order is for everybody, not for those alone who read delta lists.
            let occasion = if ordered { CrlOccasion::Full } else { occasion };
            let lists = authority.publish(occasion).await?;
            self.tell(&lists);
            self.show(&lists);
            state = authority.state().await?;
        }
        Ok(Seen { state, orders })
    }

    /// Whether there was an order since the latest full list was begun. A delta list that has it already is not enough.
    fn is_behind_orders(&self, state: &CrlState) -> Result<bool, CrlError> {
        let issuer: IssuerId = self.parts.authority.issuer().id();
        let last = self.parts.ledger.last_order_at(issuer).map_err(issuance::LogError::new)?;
        Ok(last.is_some_and(|last| state.full.is_none_or(|full| last >= full.this_update)))
    }

    fn show(&self, lists: &CurrentCrls) {
        for (kind, crl) in [("full", &lists.full), ("delta", &lists.delta)] {
            if let Some(crl) = crl {
                self.parts.gauges.show(kind, crl);
            }
        }
        let page = |crl: &pki_core::Crl| Arc::new(CrlPage::new(crl.clone()));
        let pages =
            CurrentPages { full: lists.full.as_ref().map(page), delta: lists.delta.as_ref().map(page) };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = pages;
    }

    /// Tells of what was just published, which has the highest number.
    fn tell(&self, lists: &CurrentCrls) {
        let ca = self.ca().subject();
        let kinds = [("full", &lists.full), ("delta", &lists.delta)];
        let kinds = kinds.into_iter().filter_map(|(kind, crl)| Some((kind, crl.as_ref()?)));
        let latest = kinds.clone().filter_map(|(_, crl)| crl.number()).max();
        for (kind, crl) in kinds.filter(|(_, crl)| crl.number() == latest) {
            let (number, entries) = (crl.number().map(|number| number.to_string()), crl.len());
            let until = crl.next_update().unwrap_or(UnixTime::MAX);
            tracing::info!(%ca, kind, number, entries, %until, "a CRL is in force");
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher({:?})", self.parts.authority)
    }
}
