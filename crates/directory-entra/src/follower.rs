//! Hears of changes in the background.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use directory::GuardedDirectory;
use pki_core::UnixTime;
use rest_client::{RestClient, RestError};
use serial_binding::{BoundObject, ObjectId, ObjectKind};
use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};

use crate::{
    EntraDirectory,
    followed::{Collection, List},
    records::Changes,
    risk::users_at_risk,
};

/// Between two rounds, however many notifications come.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Pages of one round: more than Graph has for ten million objects.
const MAX_PAGES: usize = 200_000;
/// After a failure, at least.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What a [`Follower`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every server")]
pub struct FollowerParts {
    /// What is followed.
    pub directory: EntraDirectory,
    /// What stands before it, and is told of changes.
    pub guard: GuardedDirectory,
    /// How often Graph is asked what has changed among devices and users; `None` for never: each question is asked by
    /// itself.
    pub changes_every: Option<Duration>,
    /// How often Graph is asked who is at risk, where that matters.
    pub risks_every: Duration,
}

/// Keeps an [`EntraDirectory`] up to date in the background, so that it answers from memory, and its guard hears of
/// changes at once.
///
/// Graph tells all devices and users once, and from then on what has changed (delta queries). An object that it reports
/// as removed is forgotten here and asked about when it matters: only that answer, with the canary behind it, deletes
/// anybody. Intune has no lists of changes. When the follower loses touch, questions go to Graph again.
///
/// Who is at risk is heard in no other way than this: Graph takes one such question a second.
pub struct Follower {
    parts: FollowerParts,
    /// Where later changes of each list are told.
    links: Mutex<[Option<String>; 2]>,
    changed: Arc<Notify>,
}

impl Follower {
    /// From its parts. Nothing is asked yet.
    pub fn new(parts: FollowerParts) -> Self {
        Self { parts, links: Mutex::default(), changed: Arc::default() }
    }

    /// Follows for ever. Needs a tokio runtime with time.
    pub async fn run(&self) {
        tokio::join!(self.follow_changes(), self.follow_risks());
    }

    /// Asks once what has changed; returns how many objects. In the first round everything is told.
    pub async fn hear_changes(&self) -> Result<usize, RestError> {
        let mut links = self.links.lock().await;
        let mut heard = 0usize;
        for (collection, link) in self.collections().zip(links.iter_mut()) {
            let changed = self.hear(collection, link).await?;
            heard = heard.saturating_add(changed.len());
            for id in changed {
                self.tell(collection.kind(), id);
            }
        }
        Ok(heard)
    }

    /// Asks once who is at risk; returns for how many users that has changed.
    pub async fn hear_risks(&self) -> Result<usize, RestError> {
        let inner = &self.parts.directory.0;
        let as_of = inner.clock.now();
        let users = users_at_risk(self.client(), &inner.policy.untolerated_risks).await?;
        let changed = inner.risks.replace(users, as_of);
        for id in &changed {
            self.tell(ObjectKind::ENTRA_USER, *id);
        }
        Ok(changed.len())
    }

    /// How many objects are known from lists of changes, and as of when; `None` while they have not been told in full.
    pub fn progress(&self) -> (usize, Option<UnixTime>) {
        let inner = &self.parts.directory.0;
        let known = Collection::ALL.map(|collection| inner.followed.len(collection));
        let told = self.collections().map(|collection| inner.followed.as_of(collection));
        let as_of = told.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().min());
        (known.into_iter().fold(0, usize::saturating_add), as_of)
    }

    /// Those that there are objects of here.
    fn collections(&self) -> impl Iterator<Item = Collection> {
        let kinds = self.parts.directory.0.policy.devices.kinds();
        Collection::ALL.into_iter().filter(move |collection| kinds.contains(collection.kind()))
    }

    /// Somebody else has heard that a user has changed.
    pub(crate) fn doubt_user(&self, id: ObjectId) {
        let inner = &self.parts.directory.0;
        inner.followed.doubt(Collection::Users, id, inner.clock.now());
        if let Ok(object) = BoundObject::new(ObjectKind::ENTRA_USER, id) {
            self.parts.guard.forget_freshness(object);
        }
        self.changed.notify_one();
    }

    pub(crate) fn client(&self) -> &RestClient {
        self.parts.directory.0.graph.client()
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.parts.directory.0.clock.now()
    }

    async fn hear(
        &self,
        collection: Collection,
        link: &mut Option<String>,
    ) -> Result<Vec<ObjectId>, RestError> {
        if let Some(known) = link.as_ref() {
            match self.hear_later(collection, known).await {
                Ok((changed, later)) => {
                    *link = Some(later);
                    return Ok(changed);
                }
                // The link is too old: everything is told again.
                Err(RestError::Refused { status, why, .. }) => {
                    tracing::info!(target: "directory", ?collection, status, why, "following anew");
                    *link = None;
                }
                Err(error) => return Err(error),
            }
        }
        let inner = &self.parts.directory.0;
        let as_of = inner.clock.now();
        let mut list = List::default();
        let later = self
            .pages(collection.start(), |page| {
                page.value.iter().for_each(|change| drop(list.take(collection, change)));
            })
            .await?;
        *link = Some(later);
        Ok(inner.followed.replace(collection, list, as_of))
    }

    async fn hear_later(
        &self,
        collection: Collection,
        link: &str,
    ) -> Result<(Vec<ObjectId>, String), RestError> {
        let inner = &self.parts.directory.0;
        let as_of = inner.clock.now();
        let mut changes = Vec::new();
        let later = self.pages(link, |page| changes.extend(page.value)).await?;
        let touched: HashSet<_> = inner.followed.apply(collection, &changes, as_of).into_iter().collect();
        Ok((touched.into_iter().collect(), later))
    }

    /// Page after page; returns where later changes are told.
    async fn pages(&self, link: &str, mut take: impl FnMut(Changes)) -> Result<String, RestError> {
        let garbage = |why: &str| RestError::Garbage {
            service: self.client().service().to_owned(),
            why: why.to_owned(),
        };
        let mut link = link.to_owned();
        for _ in 0..MAX_PAGES {
            let page = self.client().get::<Changes>(&link).await?;
            let mut page = page.ok_or_else(|| garbage("there is no list of changes"))?;
            let (next, later) = (page.next.take(), page.later.take());
            take(page);
            match (next, later) {
                (Some(next), _) => link = next,
                (None, Some(later)) => return Ok(later),
                (None, None) => return Err(garbage("its list of changes neither goes on nor ends")),
            }
        }
        Err(garbage("its list of changes has no end"))
    }

    /// The guard takes over what is certain, and asks again about the rest.
    fn tell(&self, kind: ObjectKind, id: ObjectId) {
        let Ok(object) = BoundObject::new(kind, id) else { return };
        match self.parts.directory.0.remembered(object) {
            Ok(Some((state, _))) => self.parts.guard.learn(object, state),
            _ => self.parts.guard.forget_freshness(object),
        }
    }

    async fn follow_changes(&self) {
        let Some(every) = self.parts.changes_every else { return };
        let mut trouble = Trouble::default();
        loop {
            let heard = self.hear_changes().await;
            let failed =
                trouble.pause("changes in Entra are not heard of; it is asked for each object", heard);
            if let Some(pause) = failed {
                sleep(pause.max(every)).await;
                continue;
            }
            sleep(SHORTEST_PAUSE).await;
            let rest = every.saturating_sub(SHORTEST_PAUSE);
            // Either will do.
            let _ = tokio::time::timeout(rest, self.changed.notified()).await;
        }
    }

    async fn follow_risks(&self) {
        if self.parts.directory.0.policy.untolerated_risks.is_empty() {
            return;
        }
        let mut trouble = Trouble::default();
        loop {
            let heard = self.hear_risks().await;
            let failed = trouble.pause("the risk of users is not heard of", heard);
            sleep(failed.unwrap_or(self.parts.risks_every).max(SHORTEST_PAUSE)).await;
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Follower").field(&self.parts).finish()
    }
}

/// What is said once, not again and again.
#[derive(Debug, Default)]
pub(crate) struct Trouble(bool);

impl Trouble {
    /// How long to wait before the next attempt, after a failure.
    pub(crate) fn pause<T>(&mut self, what: &'static str, result: Result<T, RestError>) -> Option<Duration> {
        match result {
            Ok(_) => {
                if std::mem::take(&mut self.0) {
                    tracing::info!(target: "directory", "over: {what}");
                }
                None
            }
            Err(error) => {
                if !std::mem::replace(&mut self.0, true) {
                    tracing::error!(target: "directory", why = %error, "{what}");
                }
                Some(match error {
                    RestError::Throttled { retry_after, .. } => retry_after.max(PAUSE_AFTER_FAILURE),
                    _ => PAUSE_AFTER_FAILURE,
                })
            }
        }
    }
}
