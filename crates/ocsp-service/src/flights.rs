//! Answers that are being made, so that many who ask the same wait for one.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::{
    Refusal,
    cache::{KeptAnswer, Key, KeyRef},
    delegate_keeper::ActiveDelegate,
};

type Outcome = Result<Arc<KeptAnswer>, Refusal>;

/// The answers that are being made, by what they will be kept under.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, Flight>>);

struct Flight {
    /// What the answer rests on; who finds these changed needs another answer.
    basis: Basis,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// What an answer rests on besides the request.
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
    Follow(Following),
}

/// Whoever makes the answer. When this is dropped before anything is published, one of those who wait takes over.
pub(crate) struct Lead<'a> {
    flights: &'a Flights,
    key: Key,
    outcome: watch::Sender<Option<Outcome>>,
}

pub(crate) struct Following(watch::Receiver<Option<Outcome>>);

impl Flights {
    /// Joins those who ask the same, or is the first.
    pub(crate) fn join(&self, key: KeyRef<'_>, basis: &Basis) -> Part<'_> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key.to_key())
            && flight.is_under_way(basis)
        {
            return Part::Follow(Following(flight.outcome.clone()));
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.to_key(), Flight { basis: basis.clone(), outcome: receiver });
        Part::Lead(Lead { flights: self, key: key.to_key(), outcome: sender })
    }
}

impl Flight {
    fn is_under_way(&self, basis: &Basis) -> bool {
        self.basis.epoch == basis.epoch
            && Arc::ptr_eq(&self.basis.active, &basis.active)
            && self.outcome.has_changed().is_ok()
    }
}

impl Lead<'_> {
    /// Tells those who wait.
    pub(crate) fn publish(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another flight may have taken this one's place.
        let own = |flight: &Flight| self.outcome.subscribe().same_channel(&flight.outcome);
        if flights.get(&self.key).is_some_and(own) {
            flights.remove(&self.key);
        }
    }
}

impl Following {
    /// What the other request came to; `None` when it was given up.
    pub(crate) async fn outcome(mut self) -> Option<Outcome> {
        let outcome = self.0.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Flights({} under way)", flights.len())
    }
}
