//! What all services share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pki_core::{Clock, UnixTime};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    Action, ControlError, Credentials, Fault, Faulty, GraphLimits, Kind, Options, Service,
    graph::{GraphState, Throttle},
    http::Asked,
    intune::IntuneState,
    objects::Objects,
    population::populate,
    records::Life,
    sequence::Sequence,
    tokens::Tokens,
};

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;

/// A request as a service got it, for those who want to know what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Of which service.
    pub service: Service,
    /// GET, POST and so on.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The status of the answer; 0 when there was none.
    pub status: u16,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) credentials: Credentials,
    pub(crate) sequence: Sequence,
    pub(crate) options: Settings,
    /// Where each service is.
    pub(crate) urls: HashMap<Service, String>,
    /// For what the services send of their own.
    pub(crate) http: reqwest::Client,
    /// Something changed.
    pub(crate) news: Notify,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// What of the options is needed later.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) page_size: usize,
    pub(crate) certificate: Option<pki_core::Certificate>,
    pub(crate) limits: GraphLimits,
    pub(crate) token_seconds: u64,
}

/// What changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: Objects,
    /// Stands in for the objects where a service is to know nobody.
    nobody: Objects,
    pub(crate) tokens: Tokens,
    pub(crate) throttle: Throttle,
    pub(crate) graph: GraphState,
    pub(crate) intune: IntuneState,
    faults: HashMap<Service, Vec<Faulty>>,
    requests: Vec<Request>,
}

impl State {
    /// The objects as whoever asked is to see them.
    pub(crate) fn objects(&self, asked: &Asked) -> &Objects {
        if asked.is_blind { &self.nobody } else { &self.objects }
    }
}

impl World {
    pub(crate) fn new(options: Options, urls: HashMap<Service, String>, http: reqwest::Client) -> Self {
        let sequence = Sequence::new(options.seed);
        let credentials = Credentials::new(&sequence);
        let objects = populate(&sequence, &credentials.domain, options.devices, options.users);
        let state = State { objects, ..State::default() };
        let Options { page_size, certificate, limits, token_seconds, clock, .. } = options;
        let options = Settings { page_size: page_size.max(1), certificate, limits, token_seconds };
        let (state, news) = (Mutex::new(state), Notify::new());
        Self { credentials, sequence, options, urls, http, news, clock, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Where a service is.
    pub(crate) fn url(&self, service: Service) -> &str {
        self.urls.get(&service).map_or("", String::as_str)
    }

    pub(crate) fn act(&self, kind: Kind, key: &str, action: &Action) -> Result<String, ControlError> {
        let now = self.now();
        let id = self.state().objects.act(kind, key, action, now)?;
        self.news.notify_one();
        Ok(id)
    }

    /// An object that lives, as its service shows it.
    pub(crate) fn object(&self, kind: Kind, key: &str) -> Option<Value> {
        let (_, life, value) = self.state().objects.of(kind).look(key)?;
        (life == Life::Live).then_some(value)
    }

    /// Makes an object and returns its id.
    pub(crate) fn create(&self, kind: Kind, properties: &Value) -> Result<String, ControlError> {
        let expected = || ControlError::Invalid("expected an object with properties".into());
        let properties = properties.as_object().ok_or_else(expected)?;
        let mut state = self.state();
        let records = state.objects.of_mut(kind);
        let id = match properties.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None if matches!(kind, Kind::JamfComputer | Kind::JamfMobileDevice | Kind::JamfUser) => (1
                ..u64::MAX)
                .map(|id| id.to_string())
                .find(|id| records.look(id).is_none())
                .unwrap_or_default(),
            None => self.sequence.next_uuid(),
        };
        if records.look(&id).is_some() {
            return Err(ControlError::Invalid(format!("there is or was a {kind} {id} already")));
        }
        let mut properties = properties.clone();
        if kind == Kind::EntraDevice && !properties.contains_key("deviceId") {
            properties.insert("deviceId".into(), self.sequence.next_uuid().into());
        }
        records.make(id.clone(), &properties);
        drop(state);
        self.news.notify_one();
        Ok(id)
    }

    /// Changes properties of an object that lives.
    pub(crate) fn alter(&self, kind: Kind, key: &str, properties: &Value) -> Result<(), ControlError> {
        let expected = || ControlError::Invalid("expected an object with properties".into());
        let properties = properties.as_object().ok_or_else(expected)?;
        let unknown = || ControlError::Unknown { kind, id: key.to_owned() };
        self.object(kind, key).ok_or_else(unknown)?;
        self.state().objects.of_mut(kind).alter(key, properties);
        self.news.notify_one();
        Ok(())
    }

    /// In place of the faults that the service has.
    pub(crate) fn set_faults(&self, service: Service, faults: Vec<Faulty>) {
        self.state().faults.insert(service, faults);
    }

    pub(crate) fn faults(&self, service: Service) -> Vec<Faulty> {
        self.state().faults.get(&service).cloned().unwrap_or_default()
    }

    /// What goes wrong with a request to `path` now; it is counted.
    pub(crate) fn fault(&self, service: Service, path: &str) -> Option<Fault> {
        self.pick_fault(service, |faulty| faulty.applies_to(path))
    }

    /// The same for a part of a batch: only faults with a path are meant for those.
    pub(crate) fn fault_of_part(&self, service: Service, path: &str) -> Option<Fault> {
        self.pick_fault(service, |faulty| faulty.path.is_some() && faulty.applies_to(path))
    }

    fn pick_fault(&self, service: Service, is_meant: impl Fn(&Faulty) -> bool) -> Option<Fault> {
        let mut state = self.state();
        let faults = state.faults.get_mut(&service)?;
        let is_due = |faulty: &Faulty| faulty.times != Some(0) && is_meant(faulty);
        let due = faults.iter_mut().find(|faulty| is_due(faulty))?;
        due.times = due.times.map(|times| times.saturating_sub(1));
        Some(due.fault.clone())
    }

    pub(crate) fn remember(&self, request: Request) {
        let mut state = self.state();
        if state.requests.len() >= REMEMBERED {
            state.requests.remove(0);
        }
        state.requests.push(request);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }
}
