//! Answers that are being made, so that many who ask the same wait for one.

use std::{
    collections::HashMap,
    fmt,
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio::sync::Notify;

use crate::{Refusal, cache::KeptAnswer, delegate_keeper::ActiveDelegate};

type Outcome = Result<Arc<KeptAnswer>, Refusal>;

/// The answers that are being made, by the CertID that they will repeat.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Box<[u8]>, Arc<Flight>>>);

/// An answer that is being made.
pub(crate) struct Flight {
    /// What the answer rests on; who finds these changed needs another answer.
    basis: Basis,
    /// `None` when it was given up.
    outcome: OnceLock<Option<Outcome>>,
    ended: Notify,
}

/// What an answer rests on besides the request: the state of the source, and the issuer's delegate that signs.
#[derive(Clone)]
pub(crate) struct Basis {
    pub(crate) epoch: Option<u64>,
    pub(crate) active: Arc<ActiveDelegate>,
}

/// What to do about a request.
pub(crate) enum Part<'a> {
    /// Make the answer, and [publish](Lead::publish) it.
    Lead(Lead<'a>),
    /// Wait for the answer that another request makes.
    Follow(Arc<Flight>),
}

/// Whoever makes the answer. When this is dropped before anything is published, one of those who wait takes over.
pub(crate) struct Lead<'a> {
    flights: &'a Flights,
    cert_id: &'a [u8],
    flight: Arc<Flight>,
}

impl Flights {
    /// Joins those who ask the same, or is the first.
    pub(crate) fn join<'a>(&'a self, cert_id: &'a [u8], basis: &Basis) -> Part<'a> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(cert_id)
            && flight.is_under_way(basis)
        {
            return Part::Follow(Arc::clone(flight));
        }
        let (outcome, ended) = (OnceLock::new(), Notify::new());
        let flight = Arc::new(Flight { basis: basis.clone(), outcome, ended });
        flights.insert(cert_id.into(), Arc::clone(&flight));
        Part::Lead(Lead { flights: self, cert_id, flight })
    }

    /// Whether somebody makes that answer.
    pub(crate) fn are_under_way(&self, cert_id: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(cert_id)
    }
}

impl Flight {
    fn is_under_way(&self, basis: &Basis) -> bool {
        self.basis.epoch == basis.epoch
            && Arc::ptr_eq(&self.basis.active, &basis.active)
            && self.outcome.get().is_none()
    }

    /// What the other request came to; `None` when it was given up.
    pub(crate) async fn outcome(&self) -> Option<Outcome> {
        let mut ended = pin!(self.ended.notified());
        // From here on no end goes by unnoticed.
        ended.as_mut().enable();
        if self.outcome.get().is_none() {
            ended.await;
        }
        self.outcome.get().cloned().flatten()
    }

    fn end(&self, outcome: Option<Outcome>) {
        if self.outcome.set(outcome).is_ok() {
            self.ended.notify_waiters();
        }
    }
}

impl Lead<'_> {
    /// Tells those who wait.
    pub(crate) fn publish(self, outcome: Outcome) {
        self.flight.end(Some(outcome));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another flight may have taken this one's place.
        if flights.get(self.cert_id).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(self.cert_id);
        }
        drop(flights);
        self.flight.end(None);
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Flights({} under way)", flights.len())
    }
}
