//! A directory that is held in memory and follows the tenant's by its changes.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use directory::{Directory, DirectoryError, GuardedDirectory, ObjectNames, ObjectState, Observation};
use pki_core::{BoxFuture, UnixTime};
use serial_binding::BoundObject;

use super::{graph::Graph, lock};
use crate::TroubleKind;

pub(super) struct Follower {
    graph: Arc<Graph>,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    known_at: Option<UnixTime>,
    disabled: BTreeSet<BoundObject>,
    is_empty: bool,
}

impl Follower {
    pub(super) fn new(graph: Arc<Graph>) -> Self {
        Self { graph, list: Mutex::default() }
    }

    /// Asks for what has changed, and tells the guard.
    pub(super) async fn look(&self, guard: &GuardedDirectory) {
        let since = lock(&self.list).known_at;
        let Ok(changes) = self.graph.changes(since).await else { return };
        let mut list = lock(&self.list);
        list.known_at = Some(changes.known_at);
        list.is_empty = self.graph.trouble() == Some(TroubleKind::NotFound);
        list.disabled.extend(&changes.disabled);
        drop(list);
        for object in changes.disabled {
            guard.learn(object, ObjectState::Disabled { since: None });
        }
    }

    fn listed(&self, object: BoundObject) -> Result<Observation, DirectoryError> {
        let list = lock(&self.list);
        let Some(known_at) = list.known_at else {
            return Err(DirectoryError::unavailable("graph", "the list has not been read yet"));
        };
        let state = match (list.is_empty, list.disabled.contains(&object)) {
            (true, _) => None,
            (false, true) => Some(ObjectState::Disabled { since: None }),
            (false, false) => Some(ObjectState::Enabled),
        };
        Ok(Observation { state, known_at: Some(known_at), reliable_until: None })
    }
}

impl Directory for Follower {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(async move { self.listed(object).map(|listed| listed.state) })
    }

    fn names(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }

    fn identify<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(async move { self.listed(object) })
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Follower({:?})", self.graph)
    }
}
